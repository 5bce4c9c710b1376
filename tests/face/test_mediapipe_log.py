"""MediaPipe's log lines are dropped, and nothing else."""

import subprocess
import sys

import pytest

from tbd.face.mediapipe_log import suppress_mediapipe_logs


def test_quiet_drops_mediapipes_lines_alone(capfd):
    code = "W0000 00:00:1 feedback_manager.cc:1] something\\nINFO: Created TensorFlow Lite XNNPACK delegate\\nour own line"
    with suppress_mediapipe_logs():
        subprocess.run(["printf", code], stdout=2, check=True)
    assert capfd.readouterr().err == "our own line"


def test_quiet_keeps_what_was_said_before_an_error(capfd):
    with pytest.raises(RuntimeError), suppress_mediapipe_logs():
        print("told", file=sys.__stderr__, flush=True)
        raise RuntimeError
    assert "told" in capfd.readouterr().err
