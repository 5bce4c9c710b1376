"""`--predictor command`: a stand-in program over a protocol's clips, from the command line to scores."""

import json
import shlex
import sys
from pathlib import Path

import numpy as np
import pytest

from tbd.cli.main import main
from tbd.errors import InputError
from tbd.evaluation.command.predictor import CommandPredictor
from tbd.evaluation.predictions import RUN, read_row
from tbd.evaluation.predictors import PredictionError
from tests.cli.refusals import refused
from tests.evaluation.fakes import FaceClip, FaceReference, write_protocol

PROGRAM = f"{shlex.quote(sys.executable)} {shlex.quote(str(Path(__file__).with_name('stand_in.py')))}"
COMMAND = f"{PROGRAM} --source {{portrait}} --audio {{audio}} --out {{video}}"
REFERENCE = {"class_path": "tests.evaluation.fakes.FaceReference", "init_args": {"count": 3}}


def predicted(tmp_path, *options: str) -> int:
    protocol = write_protocol(tmp_path / "fake.yaml", reference=REFERENCE, motion="face_mesh", size=128)
    return main(["predict", f"--protocol={protocol}", f"--output={tmp_path / 'out'}", "--accelerator=cpu", "--quiet", *options])


def test_a_program_from_clips_to_scores(tmp_path, capsys):
    """One clip fails, with a sentence and its log; the same command with another time limit tries that one alone."""
    trouble = f"{COMMAND} --fail-on $(cat {shlex.quote(str(tmp_path / 'bad'))})"
    (tmp_path / "bad").write_text("F001")
    options = ["--predictor", "command", "--command", trouble, "--predictor.shell", "true"]
    assert predicted(tmp_path, *options) == 0
    out, clips = tmp_path / "out", [clip.id for clip in FaceReference(count=3).clips()]
    said = capsys.readouterr().err.splitlines()
    assert said[0] == (
        f"left out: {clips[1]}: the command failed with exit code 3: RuntimeError: out of memory, said the stand-in "
        f"(its output: {out / clips[1]}.log)"
    )
    assert said[1].startswith("1 of 3 clips were left out; the same command") and "loading" in (out / f"{clips[1]}.log").read_text()
    made = {path.name: path.stat().st_mtime_ns for path in out.glob("*.mp4")}
    row = read_row(out, clips[0])
    assert len(made) == 2 and row.frames == 12 and row.memory > 20 and 0.1 < row.seconds < 60 and row.gpu_memory == 0

    (tmp_path / "bad").write_text("nobody")
    assert predicted(tmp_path, *options, "--predictor.timeout", "77") == 0
    after = {path.name: path.stat().st_mtime_ns for path in out.glob("*.mp4")}
    assert len(after) == 3 and {name: after[name] for name in made} == made and not list(out.glob("*.log"))
    assert json.loads((out / RUN).read_text())["predictor"]["init_args"] == {"command": trouble, "shell": True}

    assert (
        main(["evaluate", f"--protocol={tmp_path / 'fake.yaml'}", f"--predictions={out}", f"--output={tmp_path / 's.json'}", "--quiet"])
        == 0
    )
    scores = json.loads((tmp_path / "s.json").read_text())
    assert scores["scored"] == 3 and scores["speed"]["clips"] == 3 and scores["predictor"]["class_path"].endswith("CommandPredictor")


def test_another_command_is_another_run(tmp_path, capsys):
    assert predicted(tmp_path, "--command", COMMAND) == 0
    assert predicted(tmp_path, "--command", f"{COMMAND} --say x") == 2
    assert "another predictor" in capsys.readouterr().err


@pytest.fixture(scope="module")
def clip():
    return FaceClip(0, 12)


def test_memory_of_children_is_counted(clip):
    video = CommandPredictor(f"{COMMAND} --hold 90").predict(clip, 64, 0)
    assert video.memory > 100 and video.path.is_file()


def test_a_video_that_the_program_names(clip):
    make = COMMAND.replace("{video}", "{folder}/x/a_audio.mkv")
    nested = f"mkdir {{folder}}/x && {make} && cp {{folder}}/x/a_audio.mkv {{folder}}/b.mkv"
    with pytest.raises(PredictionError, match=r"wrote 2 videos \(b.mkv, x/a_audio.mkv\); say which by a pattern"):
        CommandPredictor(nested, shell=True).predict(clip, 64, 0)
    assert CommandPredictor(nested, shell=True, result="*_audio.*").predict(clip, 64, 0).path.name == "a_audio.mkv"


@pytest.mark.parametrize(
    ("command", "said"),
    [
        (f"{PROGRAM} --say {{video}}", "ended well and wrote no video: loading /"),
        (f"{PROGRAM} --sleep 30 --say {{video}}", "took longer than 1 s"),
        (
            f"{shlex.quote(sys.executable)} -c \"open(r'{{video}}', 'w').write('no video')\"",
            "a video that cannot be used: F000.*cannot be read",
        ),
        (f"{shlex.quote(sys.executable)} -c 'import os; os.abort()' {{video}}", "was ended by SIGABRT"),
    ],
)
def test_failures_are_one_sentence(clip, command, said):
    with pytest.raises(PredictionError, match=said) as caught:
        CommandPredictor(command, timeout=1.0 if "sleep" in command else 60).predict(clip, 64, 0)
    assert "\n" not in str(caught.value)


def test_the_plan_reaches_the_program(clip, tmp_path):
    """A file with the label, and the label's words and numbers."""
    say = f"echo {{emotion}} {{emo}} {{level}} {{frames}} {{seconds}} {{size}} {{seed}} > {tmp_path}/said"
    CommandPredictor(f"cp {{plan}} {tmp_path}/plan.json && {say} && {COMMAND}", shell=True).predict(clip, 64, 5)
    assert json.loads((tmp_path / "plan.json").read_text())["plan"]["actions"][0]["unit"] == 12
    assert (tmp_path / "said").read_text().split() == ["happy", "hap", "1", "12", "0.48", "64", "5"]


def test_devices(monkeypatch):
    predictor = CommandPredictor(COMMAND)
    assert predictor.to("cpu")._devices() == {}
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "4,6")
    assert predictor.to("cuda:1")._devices() == {"CUDA_VISIBLE_DEVICES": "6"}
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES")
    assert predictor.to("cuda:1")._devices() == {"CUDA_VISIBLE_DEVICES": "1"}


def test_what_cannot_run_is_refused_before_the_first_clip(tmp_path, capsys):
    protocol = write_protocol(tmp_path / "fake.yaml", reference=REFERENCE)
    base = ["predict", f"--protocol={protocol}", f"--output={tmp_path / 'out'}"]
    assert "no program nowhere-to-be-found" in refused(capsys, *base, "--command", "nowhere-to-be-found {video}")
    assert "belongs to CommandPredictor" in refused(capsys, *base, "--predictor", "still", "--command", COMMAND)
    assert "belongs to ModelPredictor" in refused(capsys, *base, "--command", COMMAND, "--model", "motion_base")
    assert "no folder" in refused(capsys, *base, "--command", COMMAND, "--predictor.cwd", str(tmp_path / "no"))
    assert "above 0" in refused(capsys, *base, "--command", COMMAND, "--predictor.timeout", "0")
    assert "needs --command" in refused(capsys, *base, "--predictor", "command")
    assert not (tmp_path / "out").exists()


def test_the_still_video_is_the_portrait(clip):
    """What was written is what is kept: nothing is coded again."""
    from tbd.media import read_video

    video = CommandPredictor(COMMAND).predict(clip, 64, 0)
    first = next(iter(read_video(video.path)))
    assert np.abs(first.astype(int) - clip.face(64).image).mean() < 6


def test_a_link_to_a_video_elsewhere_is_copied(tmp_path):
    """Of a program that keeps its videos in a folder of its own."""
    elsewhere = tmp_path / "kept.mp4"
    make = COMMAND.replace("{video}", shlex.quote(str(elsewhere)))
    options = ["--command", f"{make} && ln -s {shlex.quote(str(elsewhere))} {{video}}", "--predictor.shell", "true"]
    assert predicted(tmp_path, "--predictor", "command", *options) == 0
    made = sorted((tmp_path / "out").glob("*.mp4"))
    assert len(made) == 3 and elsewhere.is_file() and not any(path.is_symlink() for path in made)


def test_a_relative_program_belongs_to_its_folder(tmp_path, clip):
    (tmp_path / "run.sh").write_text(f'#!/bin/sh\nexec {PROGRAM} --source "$1" --audio "$2" --out "$3"\n')
    (tmp_path / "run.sh").chmod(0o755)
    assert CommandPredictor("./run.sh {portrait} {audio} {video}", cwd=str(tmp_path)).predict(clip, 64, 0).path.is_file()
    with pytest.raises(InputError, match="no program"):
        CommandPredictor("./walk.sh {video}", cwd=str(tmp_path))
