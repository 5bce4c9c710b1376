"""What the ablation of completeness is written up as."""

import json
import tarfile
from pathlib import Path

import pytest

from benchmarks.completeness import collect, findings, markdown, read_runs, write
from tbd.ablation.runs import TRUTH, Result
from tbd.ablation.study import Point
from tbd.errors import InputError
from tbd.evaluation.scores import Value


def result(line: str, value: float, seed: int, error: float, f1: float) -> Result:
    numbers = {"muscles": error, "au-f1": f1, "fmd": 0.5, "diversity": 9.0, "emotion": 0.4}
    values = {name: Value(values={"value": number}, reported="value", better="lower", clips=8) for name, number in numbers.items()}
    point = None if line == TRUTH else Point(sweep="v 25", line=line, value=value)
    return Result(
        variant=TRUTH if line == TRUTH else f"v 25={value:g} {line}", seed=seed, config={}, hash="0" * 64, point=point, training="a-1",
        protocol="p-v1", protocol_hash="h", split="s", clips=8, values=values,
        by_clip={"muscles": {f"clip{i}": error + 0.01 * i for i in range(8)}},
        seconds={"training": 60.0}, trained_on={}, drawn_on={"accelerator": "a GPU", "commit": "c0ffee"},
    )  # fmt: skip


@pytest.fixture
def runs(tmp_path) -> Path:
    """Emotion first helps where little of the plan is known, muscles first where much is."""
    folder = tmp_path / "runs"
    folder.mkdir()
    made = [result(TRUTH, 0, 0, 0.0, 1.0)]
    for seed in (1, 2):
        for value in (0.0, 1.0):
            made.append(result("constant", value, seed, 5.0, 0.4))
            made.append(result("emotion first", value, seed, 4.0 + 2 * value, 0.6 - 0.3 * value))
            made.append(result("muscles first", value, seed, 6.0 - 2 * value, 0.3 + 0.3 * value))
    for i, one in enumerate(made):
        one.save(folder / f"{i}.json")
    return tmp_path


def test_a_crossing_is_found(runs):
    found = collect(read_runs(runs))
    first = [d for d in found["muscle_error_differences"] if (d["of"], d["against"]) == ("emotion first", "muscles first")]
    assert [(d["completeness"], round(d["difference"], 6)) for d in first] == [(0.0, -2.0), (1.0, 2.0)]
    assert findings(found) == [
        "v, 25 steps: emotion first has the smaller muscle error at 0 %, muscles first has the smaller muscle error at 100 %.",
        "v, 25 steps: in AU F1 emotion first is ahead up to 0 % of the plan and muscles first from 100 % on (all seeds agree): they cross.",
    ]


def test_the_page_holds_every_order_and_the_figure_is_drawn(runs, tmp_path):
    archive = tmp_path / "runs.tgz"
    with tarfile.open(archive, "w:gz") as tar:
        tar.add(runs / "runs", "runs")
    write([archive], tmp_path / "out")
    page = (tmp_path / "out" / "README.md").read_text(encoding="utf-8")
    assert "| 0 % | emotion first | 4.000 ± 0.000 | 0.600 ± 0.000 |" in page and "-2.00 [-2.00, -2.00]*" in page
    assert page == markdown(json.loads((tmp_path / "out" / "results.json").read_text(encoding="utf-8")))
    assert (tmp_path / "out" / "completeness.png").read_bytes()[:4] == b"\x89PNG"


def test_metrics_that_were_not_asked_for_have_no_column(runs, tmp_path):
    """Film has no labels, so no emotion is judged there."""
    for path in (runs / "runs").glob("*.json"):
        one = Result.model_validate_json(path.read_text())
        one.values.pop("emotion")
        one.save(path)
    page = markdown(write([runs], tmp_path / "out"))
    assert "AU F1" in page and "Emotion ↑" not in page


def test_a_folder_without_runs_is_refused(tmp_path):
    with pytest.raises(InputError, match="holds no runs"):
        read_runs(tmp_path)
