"""The board measures predictions itself: several in one pass give what each gives alone, and their rows are verified."""

import json
import shutil
from functools import partial

import pytest

from tbd.cli.main import main
from tbd.errors import InputError
from tbd.evaluation.evaluate import evaluate, evaluate_several
from tbd.evaluation.leaderboard.columns import truth_of
from tbd.evaluation.leaderboard.measure import Submission, measure
from tbd.evaluation.leaderboard.store import read_board
from tbd.evaluation.leaderboard.verification import read_records
from tbd.evaluation.leaderboard.verify import verify
from tbd.evaluation.predictions import read_predictions
from tbd.face.motion import Motion
from tests.evaluation.fakes import FaceReference, FakeReference, fake_protocol, write_protocol
from tests.evaluation.references.scoring import metric


@pytest.fixture
def frozen(truth, tmp_path):
    """The true clips with a mouth that stands still, one of them left out."""
    folder = tmp_path / "frozen"
    shutil.copytree(truth, folder)
    for path in folder.glob("*.npz"):
        motion = Motion.load(path)
        motion["jawOpen"] = 0.3
        motion.save(path)
    next(folder.glob("*.mp4")).unlink()
    return folder


def without_cost(scores):
    return scores.model_copy(update={"seconds": 0.0, "evaluated_on": {}})


@pytest.mark.parametrize("workers", [1, 2])
def test_several_folders_give_what_each_gives_alone(truth, frozen, workers):
    folders = [partial(read_predictions, folder) for folder in (truth, frozen, truth)]
    together = evaluate_several(fake_protocol(), FakeReference(), folders, workers=workers)
    alone = [evaluate(fake_protocol(), FakeReference(), folder) for folder in folders]
    assert [without_cost(scores) for scores, _ in together] == [without_cost(scores) for scores, _ in alone]
    assert [clips for _, clips in together] == [clips for _, clips in alone]
    assert together[1][0].found == 4 and together[0][0].metrics["m-lmd"].number != together[1][0].metrics["m-lmd"].number


class CountingReference(FaceReference):
    """Counts how often true frames are drawn."""

    drawn = 0

    def clips(self):
        found = super().clips()
        for clip in found:
            clip.video = partial(self._video, clip)
        return found

    def _video(self, clip, size, numbers=None):
        CountingReference.drawn += 1
        return type(clip).video(clip, size, numbers)


def test_the_true_clips_are_decoded_once(tmp_path):
    """But for a prediction of another length, which sees other frames of them."""
    from tests.evaluation.test_framing import write

    clips = FaceReference(count=1, frames=12).clips()
    for name, length in (("a", 12), ("b", 12), ("c", 10)):
        frames = list(clips[0].video(128))[:length]
        (tmp_path / name).mkdir()
        write(tmp_path / name / f"{clips[0].id}.mp4", frames)
    protocol = fake_protocol(
        motion="face_mesh",
        size=128,
        crop={"kind": "frame", "size": 128},
        length_tolerance=5,
        metrics=[metric("psnr", "tbd.metrics.FramePSNR")],
    )
    CountingReference.drawn = 0
    folders = [partial(read_predictions, tmp_path / name) for name in "abc"]
    found = evaluate_several(protocol, CountingReference(count=1, frames=12), folders)
    assert CountingReference.drawn == 2 and found[0][0].metrics == found[1][0].metrics and found[2][0].scored == 1


def test_rows_that_the_board_measured_are_verified_until_they_change(truth, frozen, tmp_path):
    board = tmp_path / "board"
    rows = [Submission("True", truth, "The truth."), Submission("Frozen", frozen)]
    paths = measure(board, fake_protocol(), FakeReference(), rows, clips=None)
    (table,) = read_board(board)
    assert table.verified == {"true", "frozen"} and [path.stem for path in paths] == ["true", "frozen"]
    assert [table.competes(entry, "psnr") for entry in table.measured] == [False, True], "a clip of the frozen one is missing"
    assert not list(board.rglob("*.jpg")) and table.measured[1].note == "The truth."
    recipe = write_protocol(tmp_path / "fake.yaml")
    before = read_records(board)["fake-v1/true"]
    assert verify(board, "True", truth, str(recipe)) == before, "measured again, nothing differs"
    paths[0].write_text(paths[0].read_text().replace("The truth.", "Ours.").replace('"True"', '"Truer"'))
    assert "true" not in read_board(board)[0].verified


def test_the_ground_truth_is_what_the_board_has_coded_itself(truth, frozen, tmp_path, capsys):
    board, recipe = tmp_path / "board", write_protocol(tmp_path / "fake.yaml")
    for folder in (truth, frozen):
        (folder / "run.json").write_text(json.dumps({"predictor": {"class_path": "tbd.evaluation.predictors.GroundTruth"}}))
    rows = [Submission("An impostor", frozen), Submission("Ground truth", None, "The truth."), Submission("A copy", truth)]
    measure(board, fake_protocol(), FakeReference(), rows, clips=None)
    (table,) = read_board(board)
    assert table.truths == {"ground-truth"} and len(table.verified) == 3 and truth_of(table).note == "The truth."
    numbers = {entry.slug: entry.scores.metrics["jerk"].number for entry in table.measured}
    assert numbers["ground-truth"] == pytest.approx(numbers["a-copy"]) and numbers["an-impostor"] != pytest.approx(numbers["a-copy"])
    # verified again without predictions by anybody, and a row of that name that holds other numbers is not the truth
    command = ["leaderboard", "verify", f"--board={board}", f"--protocol={recipe}", "--ground-truth"]
    assert main([*command, "--name=Ground truth"]) == 0 and "those of the true clips" in capsys.readouterr().out
    assert read_board(board)[0].truths == {"ground-truth"}
    assert main([*command, "--name=An impostor"]) == 2 and "is not what the true clips give" in capsys.readouterr().err
    assert main([*command, "--name=Ground truth", f"--predictions={truth}"]) == 2 and "or --ground-truth" in capsys.readouterr().err
    # what somebody hands in for it makes it a row like others
    verify(board, "A copy", truth, str(recipe))
    assert read_board(board)[0].truths == {"ground-truth"}


def test_a_protocol_without_true_frames_has_no_ground_truth(tmp_path, capsys):
    command = ["leaderboard", "measure", "--protocol=portraits-v1", "--ground-truth", "--name=Truth", f"--board={tmp_path / 'board'}"]
    assert main(command) == 1 and "no true frames" in capsys.readouterr().err and not (tmp_path / "board").exists()


def test_by_command_with_what_the_page_shows(truth, tmp_path, capsys):
    recipe, board = write_protocol(tmp_path / "fake.yaml"), tmp_path / "board"
    command = ["leaderboard", "measure", f"--protocol={recipe}", f"--predictions={truth}", "--name=Mine", f"--board={board}"]
    assert main([*command, "--show", "--clips=1"]) == 0
    assert (board / "fake-v1" / "mine.jpg").is_file() and len(list((board / "fake-v1" / "mine").glob("*.mp4"))) == 1
    assert read_board(board)[0].verified == {"mine"}
    capsys.readouterr()
    assert main(command) == 2 and "is there already" in capsys.readouterr().err
    assert main([*command, "--replace", "--clips=-1"]) == 2 and "from 0" in capsys.readouterr().err


def test_what_cannot_be_two_rows_is_refused_before_it_is_measured(truth, tmp_path, monkeypatch):
    monkeypatch.setattr("tbd.evaluation.leaderboard.measure.evaluate_several", lambda *_: pytest.fail("it was measured"))
    with pytest.raises(InputError, match="Two rows would be named Mine"):
        measure(tmp_path, fake_protocol(), FakeReference(), [Submission("Mine", truth), Submission("mine!", truth)])
