"""Configurations and ablations are found by name, and are in what `pip install` installs."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tbd.ablation.study import load_study
from tbd.cli.main import main
from tbd.errors import InputError
from tbd.media import read_audio, read_image
from tbd.utils.packaged_files import find_shipped, resolve_shipped_configs, shipped_folder

ROOT = Path(__file__).resolve().parents[2]
MINI = str(shipped_folder("configs") / "experiment" / "motion_mini.yaml")
CPU = str(shipped_folder("configs") / "trainer" / "cpu.yaml")


@pytest.mark.parametrize("name", ["motion_mini", "motion_mini.yaml", "experiment/motion_mini", "configs/experiment/motion_mini.yaml"])
def test_an_experiment_is_found_by_name_or_by_its_path_in_the_repository(name):
    assert str(find_shipped(name, "configs")) == MINI


@pytest.mark.parametrize("name", ["", ".", "nothing", "/motion_mini", "../configs/trainer/cpu.yaml", "mini.txt", "cpu/motion_mini"])
def test_other_names_find_nothing(name):
    assert find_shipped(name, "configs") is None


def test_names_in_a_command_line_become_paths(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    given = ["--config", "motion_mini", "--config=trainer/cpu", "--data", "configs/data/mead.yaml", "--trainer.max_steps", "3"]
    mead = str(shipped_folder("configs") / "data" / "mead.yaml")
    assert resolve_shipped_configs(given) == ["--config", MINI, f"--config={CPU}", "--data", mead, "--trainer.max_steps", "3"]


def test_a_file_of_the_user_wins(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "motion_mini").write_text("model: {}")
    assert resolve_shipped_configs(["--config", "motion_mini"]) == ["--config", "motion_mini"]


def test_a_configuration_that_is_nowhere_is_named_with_the_nearest():
    with pytest.raises(InputError, match=r"There is no configuration motion_minni.*did you mean motion_mini"):
        resolve_shipped_configs(["--config", "motion_minni"])


def test_ablations_are_found_by_name(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    study = load_study("guidance")
    assert [Path(path).name for path in study.base] == ["motion_base.yaml", "cpu.yaml"]
    with pytest.raises(InputError, match="no ablation file guidanse"):
        load_study("guidanse")


def test_what_is_installed_holds_configurations_ablations_and_the_board(tmp_path):
    """As a wheel would hold it: built, and used from another folder without the clone."""
    built = tmp_path / "lib"
    build = [sys.executable, "setup.py", "-q", "egg_info", "--egg-base", str(tmp_path), "build_py", "--build-lib", str(built)]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True, text=True)
    for folder, pattern in (("configs", "**/*.yaml"), ("benchmarks", "ablations/*.yaml"), ("benchmarks", "leaderboard/**/*.json")):
        inside = {path.relative_to(built / "tbd" / folder) for path in (built / "tbd" / folder).glob(pattern)}
        assert inside == {path.relative_to(ROOT / folder) for path in (ROOT / folder).glob(pattern)} != set()
    code = "from tbd.utils.packaged_files import find_shipped; from tbd.ablation.study import load_study\n"
    code += "print(find_shipped('motion_mini', 'configs'), load_study('paper').base[0])"
    environment = {**os.environ, "PYTHONPATH": str(built)}
    run = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, env=environment, check=True, capture_output=True, text=True)
    assert all(str(built) in path for path in run.stdout.split())


def test_samples_are_there_to_follow_the_readme(tmp_path, capsys):
    assert main(["demo", "--samples", str(tmp_path / "new")]) == 0
    portrait, voice = capsys.readouterr().out.split()
    assert read_image(portrait).shape == (512, 512, 3) and len(read_audio(voice)) > 16000
    assert [Path(portrait).name, Path(voice).name] == ["me.jpg", "hello.wav"]


def test_a_new_board_begins_with_the_rows_that_ship(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(["leaderboard", "build"]) == 0
    rows = {path.name for path in (ROOT / "benchmarks" / "leaderboard").rglob("*.json")}
    assert {path.name for path in (tmp_path / "benchmarks" / "leaderboard").rglob("*.json")} == rows != set()
    assert "begins with the rows that ship" in capsys.readouterr().err
    assert main(["leaderboard", "build"]) == 0 and "begins" not in capsys.readouterr().err
