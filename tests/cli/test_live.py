"""`tbd live` with the packaged model: a recording and a pipe in, a video out; the page is tested in tests/live/test_server.py."""

import io
import re
import sys
import time

import numpy as np
import pytest

from tbd.cli.main import main
from tbd.media import read_audio, read_video
from tbd.utils.sample_inputs import PORTRAIT
from tests.cli.refusals import refused


def test_a_recording_becomes_a_video_while_it_plays(speech, tmp_path, capsys):
    flags = [f"--portrait={PORTRAIT}", f"--audio={speech}", "--emotion=furious", "--size=64", f"--output={tmp_path / 'a.mp4'}"]
    assert main(["live", *flags]) == 0
    printed, said = capsys.readouterr()
    assert printed == "" and "a.mp4  2.0 s" in said.replace("\n", "")
    assert len(list(read_video(tmp_path / "a.mp4"))) == 50 and abs(len(read_audio(tmp_path / "a.mp4")) - 32000) < 1100


def test_the_whole_picture_can_speak(speech, tmp_path):
    flags = ["--frame=full", "--aspect=9:16", "--size=128", f"--output={tmp_path / 'a.mp4'}"]
    assert main(["live", f"--portrait={PORTRAIT}", f"--audio={speech}", *flags]) == 0
    frames = list(read_video(tmp_path / "a.mp4"))
    assert len(frames) == 50 and frames[0].shape == (128, 72, 3)
    assert max(np.abs(frame.astype(int) - frames[0]).max() for frame in frames) > 40


def test_a_pipe_that_pours_is_taken_as_it_would_be_spoken(tmp_path, monkeypatch):
    class Stdin:
        buffer = io.BytesIO(b"\x00\x01" * 16000)

    Stdin.buffer.isatty = lambda: False
    monkeypatch.setattr(sys, "stdin", Stdin)
    flags = [f"--portrait={PORTRAIT}", "--audio=-", "--sample-rate=16000", "--size=64", f"--output={tmp_path / 'a.mp4'}"]
    assert main(["live", *flags]) == 0
    assert len(list(read_video(tmp_path / "a.mp4"))) == 25


def test_a_pipe_that_speaks_is_heard_from_when_the_face_is_there(tmp_path, monkeypatch, capsys):
    """What is said while models are loaded and the portrait is prepared would be late for ever."""

    class Speech(io.RawIOBase):
        left, begun = 1000, None

        def isatty(self):
            return False

        def read(self, size=-1):
            self.begun = self.begun or time.monotonic()
            self.left -= 1
            time.sleep(max(self.begun + (1000 - self.left) * 0.02 - time.monotonic(), 0))
            return b"\x00\x01" * 320 if self.left > 0 and time.monotonic() - self.begun < 15 else b""

    class Stdin:
        buffer = Speech()

    monkeypatch.setattr(sys, "stdin", Stdin)
    flags = ["--audio=-", "--sample-rate=16000", "--size=64", f"--output={tmp_path / 'a.mp4'}"]
    assert main(["live", f"--portrait={PORTRAIT}", *flags]) == 0
    said = capsys.readouterr().err.replace("\n", " ")
    left_out = float(re.search(r"([0-9.]+) s of sound that came while", said)[1])
    assert left_out > 0.25 and abs(len(list(read_video(tmp_path / "a.mp4"))) / 25 + left_out - 15) < 0.5


@pytest.mark.parametrize(
    ("flags", "sentence"),
    [
        (["--audio=nothing.wav", "--output=a.mp4"], "no file nothing.wav"),
        (["--output=a.mp4"], "The page has the microphone"),
        (["--audio=microphone", "--output=page"], "The page has the microphone"),
        (["--audio=AUDIO", "--output=a.gif"], "ending in .mp4"),
        (["--audio=AUDIO", "--output=a.mp4", "--size=10"], "--size"),
        (["--visitors=0"], "--visitors"),
        (["--audio=AUDIO", "--output=a.mp4", "--face=middle"], "largest, left, right"),
        (["--audio=AUDIO", "--output=a.mp4", "--face=2"], "shows one face"),
        (["--audio=AUDIO", "--output=a.mp4", "--aspect=wide"], "--aspect"),
        (["--audio=AUDIO", "--output=a.mp4", "--seed=-1"], "--seed"),
    ],
)
def test_what_cannot_be_done_is_one_sentence(speech, kept_empty, monkeypatch, capsys, flags, sentence):
    monkeypatch.chdir(kept_empty)
    assert sentence in refused(capsys, "live", f"--portrait={PORTRAIT}", *(flag.replace("AUDIO", speech) for flag in flags))


def test_a_window_without_a_screen_is_one_sentence(speech, monkeypatch, capsys):
    for name in ("DISPLAY", "WAYLAND_DISPLAY"):
        monkeypatch.delenv(name, raising=False)
    assert "no screen" in refused(capsys, "live", f"--portrait={PORTRAIT}", f"--audio={speech}", "--size=64")
