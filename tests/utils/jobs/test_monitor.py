"""A sweep says at once what it does, in words, on a terminal and in a log."""

import io

import pytest
from rich.console import Console

from tbd.utils.jobs import monitor
from tbd.utils.jobs.monitor import Monitor
from tests.utils.jobs.test_launchers import job

TRAIN = job("train-1f2e3d4c-1").model_copy(update={"title": "training label, seed 1"})


@pytest.fixture
def said(tmp_path, monkeypatch):
    """A call that follows one job, and returns what was said."""

    def follow(terminal: bool, reason: str | None = None) -> str:
        console = Console(file=io.StringIO(), force_terminal=terminal, width=120)
        (tmp_path / f"{TRAIN.name}.log").write_bytes(b"step 1/80, loss 1.2\r\x1b[2Kstep 40/80, loss 0.9\n\n")
        monkeypatch.setattr(monitor, "_EVERY", 0.0)
        with Monitor(2, tmp_path, console) as watching:
            watching.started(TRAIN)
            watching.tick()
            if terminal:
                watching._bar.refresh()
            watching.ended(TRAIN, reason)
        return console.file.getvalue()

    return follow


@pytest.mark.parametrize("terminal", [True, False])
def test_a_running_job_is_shown_with_its_last_line(said, terminal):
    text = said(terminal)
    assert "training label, seed 1" in text and "step 40/80, loss 0.9" in text and "step 1/80" not in text
    assert "[1/2] training label, seed 1: done in 0:00:00" in text


def test_a_failure_says_why(said):
    assert "[1/2] training label, seed 1: FAILED: no memory" in said(False, "no memory")
