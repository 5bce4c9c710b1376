"""Rows are recomputed from their predictions: true ones are verified, edited ones named."""

import json

import pytest

from tbd.cli.main import main
from tbd.errors import InputError
from tbd.evaluation.leaderboard.html import page
from tbd.evaluation.leaderboard.store import Entry, add, read_board
from tbd.evaluation.leaderboard.verification import FILE, read_records
from tbd.evaluation.leaderboard.verify import verify
from tbd.evaluation.scores import Issue
from tests.evaluation.fakes import write_protocol


@pytest.fixture
def recipe(tmp_path):
    return write_protocol(tmp_path / "fake.yaml")


@pytest.fixture
def board(measure, truth, tmp_path):
    """A board with one row, of the true clips."""
    measure(truth).save(tmp_path / "scores.json")
    add(tmp_path / "board", tmp_path / "scores.json", "Mine")
    return tmp_path / "board"


def edit(board, **changes) -> None:
    """Change the row's scores and write the checksum anew."""
    path = board / "fake-v1" / "mine.json"
    entry = Entry.model_validate_json(path.read_text())
    scores = entry.scores.model_copy(update=changes)
    path.write_text(entry.model_copy(update={"scores": scores.model_copy(update={"checksum": scores.seal()})}).model_dump_json())


def is_verified(board) -> bool:
    (table,) = read_board(board)
    return "mine" in table.verified


def test_a_row_that_its_predictions_give_is_verified(board, truth, recipe, capsys):
    assert not is_verified(board)
    command = ["leaderboard", "verify", f"--board={board}", "--name=Mine", f"--predictions={truth}", f"--protocol={recipe}"]
    assert main(command) == 0 and "Mine is verified" in capsys.readouterr().out
    assert is_verified(board)
    (record,) = read_records(board).values()
    assert len(record.predictions) == 64 and record.difference < 1e-6


@pytest.mark.parametrize(
    "what",
    ["a number", "a further number", "the clips", "a direction", "an interval", "the time", "the machine", "the predictor", "the issues"],
)
def test_an_edited_row_is_named_and_loses_its_record(board, truth, recipe, what):
    verify(board, "Mine", truth, str(recipe))
    metrics = Entry.model_validate_json((board / "fake-v1" / "mine.json").read_text()).scores.metrics
    psnr, aperture = metrics["psnr"], metrics["aperture"]
    changes = {
        "a number": ({"metrics": {**metrics, "psnr": psnr.model_copy(update={"values": {"value": psnr.number * 1.01}})}}, "psnr is "),
        "a further number": (
            {"metrics": {**metrics, "aperture": aperture.model_copy(update={"values": {**aperture.values, "lag": 1.0}})}},
            r"aperture \(lag\) is 1",
        ),
        "the clips": ({"metrics": {**metrics, "psnr": psnr.model_copy(update={"clips": 4})}}, "psnr is over 4 clips"),
        "a direction": ({"metrics": {**metrics, "psnr": psnr.model_copy(update={"better": "lower"})}}, "direction"),
        "an interval": ({"metrics": {**metrics, "psnr": psnr.model_copy(update={"error": psnr.error / 2})}}, "psnr is known to ±"),
        "the time": ({"speed": {"seconds_per_second": 0.001}}, "its speed is not what run.json"),
        "the machine": ({"predicted_on": {"cpu": "a slower one"}}, "its predicted on is not what run.json"),
        "the predictor": ({"predictor": {"class_path": "tbd.evaluation.predictors.GroundTruth"}}, "its predictor is not what run.json"),
        "the issues": ({"issues": [Issue(kind="size", clip="F000", detail="x", scored=True)]}, "its issues are not .*: size of F000"),
    }
    edit(board, **changes[what][0])
    assert not is_verified(board)
    with pytest.raises(InputError, match=f"Mine \\(fake-v1\\) is not what .* gives: .*{changes[what][1]}"):
        verify(board, "Mine", truth, str(recipe))
    assert json.loads((board / FILE).read_text()) == {}


def test_a_row_over_some_of_the_clips_is_not_that_of_all(board, truth, recipe):
    next(truth.glob("*.mp4")).unlink()
    with pytest.raises(InputError, match="its found is 5; the predictions give 4"):
        verify(board, "Mine", truth, str(recipe))


def test_rows_that_cannot_be_recomputed_say_what_is_missing(board, truth, tmp_path):
    with pytest.raises(InputError, match="no measured row Yours"):
        verify(board, "Yours", truth)
    with pytest.raises(InputError, match="does not ship fake-v1; name its YAML file"):
        verify(board, "Mine", truth)
    other = write_protocol(tmp_path / "other.yaml", seed=4)
    with pytest.raises(InputError, match="another version of fake-v1"):
        verify(board, "Mine", truth, str(other))


def test_what_the_board_has_no_weights_for_is_left_unchecked_and_not_bold(board, truth, recipe, capsys):
    """A submitter with SyncNet stands verified beside rows of a board without it; the number itself is the submitter's word."""
    metrics = Entry.model_validate_json((board / "fake-v1" / "mine.json").read_text()).scores.metrics
    synced = metrics["sync-c"].model_copy(update={"values": {"value": 7.0}, "absent": None, "clips": 5})
    edit(board, metrics={**metrics, "sync-c": synced}, weights={"syncnet_v2": "a" * 64})
    command = ["leaderboard", "verify", f"--board={board}", "--name=Mine", f"--predictions={truth}", f"--protocol={recipe}"]
    assert main(command) == 0 and "but for sync-c, whose weights are not on this machine" in capsys.readouterr().out
    (table,) = read_board(board)
    (row,) = table.measured
    assert table.status(row) == "verified but for sync-c" and table.status(row) in page([table], board)
    assert table.competes(row, "psnr") and not table.competes(row, "sync-c")
    edit(board, metrics={**metrics, "sync-c": synced, "psnr": metrics["psnr"].model_copy(update={"values": {"value": 55.0}})})
    assert main(command) == 2 and "psnr is 55" in capsys.readouterr().err and not is_verified(board)
