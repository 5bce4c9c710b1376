"""The worked examples of CONTRIBUTING.md: short, and run as a reader would run them."""

import re
import runpy
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from tbd.cli.main import main
from tests.think.edited_package import insert_rows, run_with

ROOT = Path(__file__).resolve().parents[1]
TEXT = (ROOT / "CONTRIBUTING.md").read_text("utf-8")
BLOCKS = {
    (title, language): code
    for language, title, code in re.findall(r'^```(\w+) title="([^"]+)"\n(.*?)^```$', TEXT, re.DOTALL | re.MULTILINE)
}
CHECKS = sorted(title for title, _ in BLOCKS if title.startswith("test_"))
LONGEST = 20


@pytest.fixture
def readers_folder(tmp_path, monkeypatch) -> Iterator[Path]:
    """The examples as files; what is imported of them is forgotten afterwards."""
    for (title, language), code in BLOCKS.items():
        if language == "python":
            (tmp_path / title).write_text(code, encoding="utf-8")
            monkeypatch.delitem(sys.modules, Path(title).stem, raising=False)
    monkeypatch.syspath_prepend(tmp_path)
    yield tmp_path
    for title, _ in BLOCKS:
        sys.modules.pop(Path(title).stem, None)


def test_examples_are_short():
    lines = {title: sum(bool(line.strip()) for line in code.splitlines()) for (title, _), code in BLOCKS.items()}
    assert len(lines) >= 6 and max(lines.values()) <= LONGEST, lines


@pytest.mark.parametrize("title", CHECKS)
def test_what_checks_an_example_passes(title, readers_folder):
    runpy.run_path(str(readers_folder / title))


@pytest.mark.parametrize("title", CHECKS)
def test_what_checks_an_example_can_fail(title, readers_folder):
    """It looks at what its example computes."""
    module = readers_folder / title.removeprefix("test_")
    module.write_text(re.sub(r"return .*", "return None", module.read_text("utf-8")), encoding="utf-8")
    with pytest.raises((AssertionError, AttributeError, TypeError)):
        runpy.run_path(str(readers_folder / title))


ROWS = {
    "embarrassed": ("tbd/think/emotions.py", {"embarrassed": "    # new emotions"}),
    "au8": ("tbd/think/action_units.py", {"au8": "    # new action units", "au8_opposite": "    # new opposites"}),
}
"""Example → the file of its table, and the comments before which its rows stand there."""


@pytest.mark.parametrize("example", ROWS)
def test_rows_of_a_table_are_all(example, tmp_path):
    """Nothing else changes, and the check fails without them."""
    file, markers = ROWS[example]
    check = BLOCKS[f"check_{example}.py", "python"]
    insert_rows(tmp_path, file, {marker: BLOCKS[f"{title}.py", "python"] for title, marker in markers.items()})
    done = run_with(tmp_path, check)
    assert done.returncode == 0, done.stderr[-2000:]
    with pytest.raises(AssertionError):
        exec(compile(check, f"check_{example}.py", "exec"), {})


def test_a_protocol_takes_the_metric(readers_folder):
    from tbd.evaluation.metric_runner import build_metric
    from tbd.evaluation.protocol import Protocol

    packaged = yaml.safe_load((ROOT / "tbd" / "assets" / "protocols" / "procedural-v2.yaml").read_text("utf-8"))
    (entry,) = (code for (_, language), code in BLOCKS.items() if language == "yaml")
    protocol = Protocol.model_validate({**packaged, "name": "mine", "metrics": yaml.safe_load(entry)})
    assert [type(build_metric(named)).__name__ for named in protocol.metrics] == ["JawRange"]


def test_the_denoiser_trains(readers_folder, corpus, monkeypatch):
    """The command of the text, on a small corpus."""
    (command,) = re.findall(r"^    tbd (fit .*ConvDenoiser.*)$", TEXT, re.MULTILINE)
    options = [f"--data.init_args.root={corpus}", "--data.init_args.batch_size=2", "--trainer.max_steps=2", "--trainer.limit_val_batches=0"]
    options += [
        "--trainer.accelerator=cpu",
        "--trainer.devices=1",
        "--model.init_args.windows.frames=20",
        "--model.init_args.windows.past=4",
    ]
    monkeypatch.chdir(readers_folder)
    assert main([*command.split(), *options]) == 0
    assert list(readers_folder.rglob("last.ckpt"))


def test_the_data_set_is_prepared_and_trains(readers_folder, monkeypatch):
    """The two commands of the text, on three small videos."""
    from tests.data.trees import performance, tone, write_clip

    for clip in ("Ann_happy_2_a", "Ann_sad_1_b", "Bob_neutral_1_c"):
        write_clip(readers_folder / "VIDEOS" / f"{clip}.mp4", performance()[:24], 25, tone(24 / 25))
    monkeypatch.chdir(readers_folder)
    (command,) = re.findall(r"^    tbd (preprocess custom .*)$", TEXT, re.MULTILINE)
    assert main([*command.split(), "--sizes=64", "--workers=1", "--quiet"]) == 0
    (command,) = re.findall(r"^    tbd (fit .*CacheDataModule.*)$", TEXT, re.MULTILINE)
    options = ["--data.init_args.batch_size=2", "--trainer.max_steps=1", "--trainer.limit_val_batches=0", "--trainer.accelerator=cpu"]
    options += ["--trainer.devices=1", "--model.init_args.windows.frames=20", "--model.init_args.windows.past=4"]
    assert main([*command.split(), *options]) == 0
    assert list(readers_folder.rglob("last.ckpt"))
