"""`tbd ablate` from end to end on a tiny corpus, in this process."""

import csv
import io
import json
import os
import shutil
from pathlib import Path

import pytest
from rich.console import Console

from tbd.ablation import work
from tbd.ablation.ablate import ablate
from tbd.ablation.ablation import Ablation
from tbd.ablation.resolve import training_key
from tbd.ablation.runs import TRUTH
from tbd.cli.main import main
from tbd.errors import InputError, TBDError
from tbd.utils.jobs.launchers import LocalLauncher, SlurmLauncher
from tests.ablation.conftest import GUIDANCE, METRICS

QUIET = Console(quiet=True)
SWEEP = {"name": "switch", "base": "base", "key": f"{GUIDANCE}.switch", "values": [0, 1]}


def run(path, output, launcher, **options):
    return ablate(path, output, launcher, console=QUIET, **options)


def test_a_study_becomes_a_table(study, here, tmp_path):
    path, output = study(sweeps=[SWEEP]), tmp_path / "out"
    results = run(path, output, here)
    assert sum(name.startswith("train") for name in here.names) == 2  # for five variants
    assert len(results) == 1 + 5
    truth = next(r for r in results if r.variant == TRUTH)
    assert truth.values["jaw"].number == pytest.approx(1) and truth.values["muscles"].number == 0 and truth.values["fmd"].number < 1e-9
    base, strong = (next(r for r in results if (r.variant, r.seed) == (name, 1)) for name in ("base", "strong"))
    assert base.training == strong.training and base.hash != strong.hash
    assert base.values["muscles"].number != strong.values["muscles"].number
    assert len(base.by_clip["muscles"]) == 7 and base.seconds["training"] > 0 and base.trained_on["packages"]["torch"]
    table = (output / "table.md").read_text()
    assert all(f"| {name} |" in table for name in ("base", "strong", "label", "switch=0", "*true motion*"))
    assert r"\bottomrule" in (output / "table.tex").read_text() and (output / "switch.png").read_bytes()[:4] == b"\x89PNG"
    assert "differs from *base*" in table
    # nothing is done twice; another baseline is only another table; and more seeds are only added
    before = {p: p.stat().st_mtime_ns for p in output.rglob("*.json") if p.parent.name != "jobs"}
    here.names.clear()
    assert len(run(path, output, here, baseline="label")) == 6 and here.names == []
    assert "differs from *label*" in (output / "table.md").read_text()
    with pytest.raises(InputError, match="the baseline lable is no variant"):
        run(path, output, here, baseline="lable")
    results = run(path, output, here, seeds=2)
    assert sorted(name.split("-")[0] for name in here.names) == ["measure"] * 2 + ["train"] * 2
    assert all(p.stat().st_mtime_ns == time for p, time in before.items())
    rows = list(csv.DictReader((output / "table.csv").open()))
    assert len(rows) == 5 * len(METRICS)
    row = next(r for r in rows if (r["variant"], r["metric"]) == ("label", "muscles"))
    numbers = [r.values["muscles"].number for r in results if r.variant == "label"]
    assert float(row["mean"]) == pytest.approx(sum(numbers) / 2, rel=1e-4) and row["seeds"] == "2" and row["p_clips"]


def test_fewer_clips_than_asked_for_are_said(study, here, tmp_path, base_run):
    console = Console(file=io.StringIO())
    ablate(study(variants=[{"name": "base"}]), base_run, here, console=console, limit=70)
    assert here.names == []
    assert "70 clips were asked for; procedural-motion-v1 has 7 here" in " ".join(console.file.getvalue().split())
    with pytest.raises(InputError, match="--limit"):
        run(study(), tmp_path / "out", here, limit=0)


def test_a_failed_variant_is_reported_and_does_not_end_the_sweep(study, here, base_run):
    broken = {"name": "broken", "change": {"model.init_args.optimizer.learning_rate": 1e-3, "data.init_args.balance": "person"}}
    path = study(variants=[{"name": "base"}, broken])
    real = work.train

    def train(spec):
        if spec.config["data"]["init_args"]["balance"] == "person":
            raise RuntimeError("out of memory")
        real(spec)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(work, "train", train)
        with pytest.raises(TBDError, match=r"1 of 3 runs failed .broken."):
            run(path, base_run, here)
    table = (base_run / "table.md").read_text()
    assert "| broken | – |" in table and "runs are missing: broken" in table and "| base | –" not in table
    run(path, base_run, here)  # tried again, and now it goes
    assert "| broken | –" not in (base_run / "table.md").read_text()
    assert not list((base_run / "runs").glob("*.failed.txt"))


def test_a_run_that_fails_leaves_the_others_of_its_process(study, here, base_run, monkeypatch):
    from tbd.draw.motion import batched as drawing

    real = drawing.draw_clips
    shutil.rmtree(base_run / "runs")  # trained, not measured

    def draw(model, *arguments):
        if model.guidance.muscle_scale == 2:
            raise ValueError("a guidance of no use")
        return real(model, *arguments)

    monkeypatch.setattr(drawing, "draw_clips", draw)
    with pytest.raises(TBDError, match=r"1 of 3 runs failed .strong."):
        run(study(variants=[{"name": "strong", "change": {f"{GUIDANCE}.muscle_scale": 2.0}}, {"name": "base"}]), base_run, here)
    assert "a guidance of no use" in next((base_run / "runs").glob("strong*.failed.txt")).read_text()
    assert not any(name.startswith("train") for name in here.names) and list((base_run / "runs").glob("base*.json"))


def test_an_interrupted_training_goes_on_where_it_stopped(study, here, tmp_path, monkeypatch):
    path, output = study(variants=[{"name": "base"}]), tmp_path / "out"
    steps = []
    from tbd.draw.motion.diffusion import MotionDiffusion

    real = MotionDiffusion.training_step

    def step(self, batch, batch_idx):
        steps.append(self.global_step)
        if len(steps) == 3:
            raise KeyboardInterrupt
        return real(self, batch, batch_idx)

    monkeypatch.setattr(MotionDiffusion, "training_step", step)
    with pytest.raises((KeyboardInterrupt, SystemExit, TBDError)):
        run(path, output, here)
    run(path, output, here)
    assert steps == [0, 1, 2, 2]
    record = json.loads(next(output.glob("trainings/*/training.json")).read_text())
    assert record["steps"] == 3 and not list(output.glob("trainings/*/work"))


def test_a_checkpoint_is_taken_instead_of_training(study, here, tmp_path, base_run):
    trained = next((base_run / "trainings").glob("*-1"))
    given = [{"name": "base", "checkpoint": str(trained)}, {"name": "deep", "change": {"model.init_args.denoiser.init_args.depth": 2}}]
    taken = run(study(variants=given[:1]), tmp_path / "second", here)
    assert [r.clips for r in run(study(variants=given[:1], clips=3), tmp_path / "second", here)] == [3, 3]
    assert not any(name.startswith("train") for name in here.names)
    first = run(study(variants=[{"name": "base"}]), base_run, here)
    assert taken[1].values["jaw"].number == pytest.approx(first[1].values["jaw"].number)
    with pytest.raises(InputError, match=r"another config: model.init_args.denoiser.init_args.depth is 1 there and 2 here"):
        run(study(variants=[{**given[1], "checkpoint": str(trained)}]), tmp_path / "third", here)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"reference": "nowhere"}, "There is no corpus in nowhere"),
        ({"reference": None}, "--reference is missing"),
        ({"protocol": "procedural-v2"}, "the metric psnr reads preds.frames, which needs pictures"),
        ({"metrics": ["jaw", "yaw"]}, "has no metric yaw; it has jaw"),
        ({"variants": [{"name": "base", "change": {"data.init_args.root": "nowhere"}}]}, "variant base: There is no corpus in nowhere"),
        (
            {
                "variants": [
                    {
                        "name": "wide",
                        "change": {"model.init_args.denoiser.init_args.dim": 64, "model.init_args.plan_encoder.init_args.dim": 32},
                    }
                ]
            },
            "variant wide: The plan encoder gives width 32; the denoiser takes 64",
        ),
    ],
)
def test_what_is_wrong_is_found_before_anything_trains(study, here, tmp_path, changes, said):
    with pytest.raises(InputError) as refusal:
        run(study(**changes), tmp_path / "out", here)
    assert said in str(refusal.value) and here.names == [] and not (tmp_path / "out" / "trainings").exists()


def test_the_command_shows_the_differences(study, capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "200")
    assert main(["ablate", str(study()), "--dry-run"]) == 0
    said = capsys.readouterr().out
    assert "strong (shares the training of base)" in said and "muscle_scale: 1.0 → 2.0" in said and "2 trainings × 1 seeds" in said


def test_the_command_refuses_in_one_line(study, capsys):
    assert main(["ablate", str(study()), "--seeds", "0", "--dry-run"]) == 2
    assert main(["ablate", str(study())]) == 2
    assert main(["ablate", "nowhere.yaml", "--dry-run"]) == 2
    assert len(capsys.readouterr().err.strip().splitlines()) == 3


@pytest.mark.parametrize(
    ("name", "trainings", "sweeps"), [("paper", 3, {"switch", "scale", "muscle scale"}), ("guidance", 0, {"switch", "scale"})]
)
def test_the_shipped_studies_are_whole(name, trainings, sweeps, monkeypatch):
    if name == "paper":  # other tests keep the second core busy, and processes would import what is here
        monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0})
    ablation = Ablation(Path(__file__).resolve().parents[2] / "benchmarks" / "ablations" / f"{name}.yaml")
    trained = [ablation.configs[row.name] for row in ablation.rows if row.checkpoint is None]
    assert len({training_key(config) for config in trained}) == trainings
    assert {row.point.sweep for row in ablation.rows if row.point} == sweeps


def test_a_sweep_in_processes_of_its_own(study, base_run, monkeypatch):
    """A training and, after it, what needs it; the true motion is measured already."""
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    shutil.rmtree(base_run / "trainings")
    (measured,) = (base_run / "runs").glob("base-*.json")
    measured.unlink()
    results = run(study(variants=[{"name": "base"}]), base_run, LocalLauncher(2))
    assert {r.variant for r in results} == {"base", "true motion"} and measured.is_file()
    assert sorted(log.name.partition("-")[0] for log in (base_run / "jobs").glob("*.log")) == ["measure", "train"]


def test_a_sweep_through_submitit(study, base_run):
    """submitit's debug executor: its pickling and its tickets, without a cluster and without further processes."""
    pytest.importorskip("submitit", reason="submitit is an extra of tbd")
    shutil.rmtree(base_run / "runs")
    results = run(study(variants=[{"name": "base"}]), base_run, SlurmLauncher({"timeout_min": 5}, cluster="debug"))
    assert {r.variant for r in results} == {"base", "true motion"}


def test_completeness_is_a_condition_of_drawing(study, here, tmp_path, monkeypatch):
    """One training draws from plans of any completeness, and is measured against the whole plan; the whole one is the default."""
    given = []
    monkeypatch.setattr("tbd.data.completeness.withhold", lambda plan, share, number: given.append(share) or plan)
    sweep = {"name": "share", "base": "base", "key": "drawing.completeness", "values": [0, 0.5, 1]}
    path = study(variants=[{"name": "base"}], sweeps=[sweep])
    results = ablate(path, tmp_path / "out", here, console=Console(quiet=True))
    assert sum(name.startswith("train") for name in here.names) == 1
    assert {r.variant: r.config.get("drawing") for r in results if r.point} == {
        "share=0": {"completeness": 0.0},
        "share=0.5": {"completeness": 0.5},
        "share=1": None,
    }
    assert {share: given.count(share) for share in set(given)} == {1.0: 14, 0.0: 7, 0.5: 7}  # seven clips; the base is whole as well
    with pytest.raises(InputError, match=r"drawing\.completeness: Input should be less than or equal to 1"):
        Ablation(study(variants=[{"name": "base", "change": {"drawing.completeness": 2}}]))
    with pytest.raises(InputError, match=r"drawing\.pose: Extra inputs"):
        Ablation(study(variants=[{"name": "base", "change": {"drawing.pose": 2}}]))
