"""Prediction: each clip once on any number of processes, resumed where it stopped, with a seed of its own."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from tbd.cli.main import main
from tbd.draw.randomness import clip_seed
from tbd.errors import InputError, TBDError
from tbd.evaluation.predict import predict
from tbd.evaluation.predictions import RUN, read_row
from tbd.evaluation.predictors import GroundTruth, LoudnessJaw, ModelPredictor, StillPortrait
from tbd.evaluation.references.procedural import ProceduralReference
from tbd.face.motion import Motion
from tests.draw.conftest import tiny_model
from tests.evaluation.fakes import FakeReference, Refusing, fake_protocol, write_protocol

ROOT = Path(__file__).resolve().parents[2]
PREDICTOR = "--predictor=tests.evaluation.fakes.Refusing"


def run(folder: Path, predictor, count: int = 5) -> None:
    predict(fake_protocol(), FakeReference(count=count).clips(), predictor, folder, {"class_path": "fake"}, accelerator="cpu", quiet=True)


def motions(folder: Path) -> dict[str, np.ndarray]:
    return {path.stem: Motion.load(path).values for path in folder.glob("*.npz")}


def test_two_processes_do_what_one_does(tmp_path, capfd):
    """Five clips, one of which cannot be predicted: every other is made once, and alike."""
    protocol = write_protocol(tmp_path / "fake.yaml")
    command = ["predict", f"--protocol={protocol}", PREDICTOR, "--accelerator=cpu", "--quiet"]
    assert main([*command, f"--output={tmp_path / '1'}"]) == 0
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    started = [sys.executable, "-m", "tbd", *command, f"--output={tmp_path / '2'}", "--devices=2"]
    done = subprocess.run(started, env=environment, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    for stderr in (capfd.readouterr().err, done.stderr):
        assert stderr.count("left out: F001_sad_2_001: this one is too hard") == 1
    one, two = motions(tmp_path / "1"), motions(tmp_path / "2")
    assert len(one) == 4 and one.keys() == two.keys() and all((one[clip] == two[clip]).all() for clip in one)
    rows = [read_row(tmp_path / "2", clip) for clip in two]
    assert [row.seed for row in rows] == [clip_seed(3, clip) for clip in two] and len({row.seed for row in rows}) == 4


@pytest.mark.parametrize("how", [["--shard=1/2", "--shard=2/2"], ["--launcher=slurm"]])
def test_shards_do_what_one_does(tmp_path, how, capfd):
    if how == ["--launcher=slurm"]:
        pytest.importorskip("submitit", reason="submitit is an extra of tbd")
    protocol = write_protocol(tmp_path / "fake.yaml")
    command = ["predict", f"--protocol={protocol}", PREDICTOR, "--accelerator=cpu", "--quiet"]
    assert main([*command, f"--output={tmp_path / '1'}"]) == 0
    for option in how:
        assert main([*command, f"--output={tmp_path / '2'}", option, "--cluster=debug", "--shards=3"]) == 0
    one, two = motions(tmp_path / "1"), motions(tmp_path / "2")
    assert len(one) == 4 and one.keys() == two.keys() and all((one[clip] == two[clip]).all() for clip in one)
    videos = [{path.name: path.read_bytes() for path in (tmp_path / name).glob("*.mp4")} for name in "12"]
    assert videos[0] == videos[1]


def test_seams_and_seeds_reach_the_files(tmp_path):
    run(tmp_path, Refusing())
    motion = Motion.load(next(tmp_path.glob("F000*.npz")))
    expected = np.random.default_rng(clip_seed(3, "F000_happy_1_001")).random(30)
    assert motion.metadata["seams"] == [10] and motion["jawOpen"] == pytest.approx(expected, abs=1e-6)
    assert json.loads((tmp_path / RUN).read_text())["environment"]["packages"]["torch"]


def test_resumes(tmp_path):
    """Only what is not whole is made again."""
    run(tmp_path, GroundTruth())
    before = {path.name: path.stat().st_mtime_ns for path in tmp_path.glob("*.mp4")}
    (tmp_path / "F002_angry_3_001.json").unlink()  # interrupted before its last step
    (tmp_path / "F003_neutral_1_001.npz").unlink()
    run(tmp_path, GroundTruth())
    after = {path.name: path.stat().st_mtime_ns for path in tmp_path.glob("*.mp4")}
    assert {name for name in after if after[name] != before[name]} == {"F002_angry_3_001.mp4", "F003_neutral_1_001.mp4"}


def test_a_folder_belongs_to_one_run(tmp_path):
    run(tmp_path, GroundTruth())
    with pytest.raises(InputError, match="another clips"):
        run(tmp_path, GroundTruth(), count=6)
    with pytest.raises(InputError, match="another predictor"):
        predict(fake_protocol(), FakeReference().clips(), GroundTruth(), tmp_path, {"class_path": "other"}, accelerator="cpu", quiet=True)


def test_all_failing_is_a_failure(tmp_path):
    with pytest.raises(TBDError, match="None of the 1 clips could be predicted; the first: F001"):
        clips = FakeReference().clips()[1:2]
        predict(fake_protocol(), clips, Refusing(), tmp_path, {}, accelerator="cpu", quiet=True)


def test_more_devices_than_clips_are_refused(tmp_path):
    with pytest.raises(InputError, match="more than the 5 clips"):
        predict(fake_protocol(), FakeReference().clips(), GroundTruth(), tmp_path, {}, devices=7, accelerator="cpu", quiet=True)


def test_the_command_refuses_what_cannot_be(tmp_path, capsys):
    out = tmp_path / "out"
    assert main(["predict", "--protocol=procedural-v7", f"--output={out}"]) == 2
    assert main(["predict", "--protocol=procedural-v2", "--predictor=StillPortrait", "--model=x", f"--output={out}"]) == 2
    assert main(["predict", "--protocol=mead-actor-v1", "--predictor=StillPortrait", f"--output={out}"]) == 2
    assert main(["predict", "--protocol=procedural-v2", "--model=nowhere/to-be-found", f"--output={out}"]) == 2
    said = capsys.readouterr().err.splitlines()
    assert [line.startswith("tbd predict: ") for line in said] == [True] * 4
    assert "takes none" in said[1] and "--reference is missing" in said[2] and not out.exists()


# ---------------------------------------------------------------------------------------------------------- predictors


@pytest.fixture(scope="module")
def clip():
    return ProceduralReference().clips()[0]


def test_the_loud_jaw_follows_the_sound_and_nothing_else_moves(clip):
    motion, seams = LoudnessJaw().generate_motion(clip, 0)
    audio = np.pad(clip.audio(), (0, len(motion) * 640 - len(clip.audio())))
    loudness = np.sqrt((audio.reshape(len(motion), 640) ** 2).mean(1))
    assert len(motion) == clip.frames() and seams == () and np.corrcoef(motion["jawOpen"], loudness)[0, 1] > 0.8
    motion["jawOpen"] = 0
    assert not motion.values.any()


def test_a_still_portrait_is_the_portrait(clip):
    outcome = StillPortrait().predict(clip, 64, 0)
    frames = [next(outcome.frames) for _ in range(3)]
    assert all((frame == clip.face(64).image).all() for frame in frames)


def test_the_true_clip_is_drawn_alike_twice_and_in_part(clip):
    """What an evaluation draws of some frames are those frames."""
    whole = [frame for _, frame in zip(range(8), GroundTruth().predict(clip, 64, 0).frames)]
    part = list(clip.video(64, np.array([2, 7])))
    assert (part[0] == whole[2]).all() and (part[1] == whole[7]).all()


class TestModelPredictor:
    @pytest.fixture
    def predictor(self, monkeypatch):
        monkeypatch.setattr("tbd.draw.motion.loading.load_motion_model", lambda name: tiny_model())
        return ModelPredictor

    def test_seeds_and_seams(self, predictor, clip):
        (one, seams), (again, _), (other, _) = (predictor().generate_motion(clip, seed) for seed in (1, 1, 2))
        assert (one.values == again.values).all() and (one.values != other.values).any()
        assert len(one) == clip.frames() and seams[0] == 30 and seams[1] == 54  # windows of 30, of which 6 are the past

    def test_without_plan_it_has_an_empty_one(self, predictor, clip):
        given, none = predictor(), predictor(plan="none")
        assert given.plan_for(clip).actions and not none.plan_for(clip).actions
        assert (given.generate_motion(clip, 1)[0].values != none.generate_motion(clip, 1)[0].values).any()

    def test_another_training_has_other_weights(self, predictor):
        one, other = predictor(), predictor()
        assert one.weights() == other.weights()
        next(other.model.parameters()).data += 1
        assert one.weights() != other.weights()
