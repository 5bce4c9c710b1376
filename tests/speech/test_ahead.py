"""Recognition in a process of its own gives what recognition here gives."""

import subprocess
import sys
import wave

import numpy as np
import pytest

from tbd.media import read_audio
from tbd.speech import ahead
from tbd.speech.ahead import RecognitionAhead
from tbd.speech.recognizer import SphinxRecognizer, _recognize_file, _recognized, _samples, recognize_ahead
from tbd.utils.sample_inputs import VOICE

_SCRIPT = """
import sys
from tbd.speech.ahead import _started
from tbd.speech.recognizer import recognize_ahead
recognize_ahead(sys.argv[1])
assert len(_started) == int(sys.argv[2]), _started
from tbd.media import read_audio
from tbd.speech.recognizer import SphinxRecognizer
import tbd.speech.recognizer as recognizer
recognizer._align = None  # whoever recognizes here is found out
print([(round(p.start, 2), p.symbol) for p in SphinxRecognizer().listen(read_audio(sys.argv[1]))])
"""


@pytest.fixture
def short(tmp_path):
    path = tmp_path / "a.wav"
    with wave.open(str(path), "wb") as out:
        out.setnchannels(1), out.setsampwidth(2), out.setframerate(16000)
        out.writeframes((read_audio(VOICE)[:24000] * 32767).astype("<i2").tobytes())
    return path


def test_a_process_that_starts_afresh_uses_what_was_recognized_ahead(short):
    done = subprocess.run([sys.executable, "-c", _SCRIPT, str(short), "1"], capture_output=True, text=True)
    if "assert len(_started)" in done.stderr:
        pytest.skip("there is one processor, and nothing to gain")
    assert done.returncode == 0, done.stderr
    expected = SphinxRecognizer().listen(read_audio(short))
    assert done.stdout.strip() == str([(round(p.start, 2), p.symbol) for p in expected])
    assert len(expected) > 5


def test_what_cannot_be_read_is_recognized_here(tmp_path):
    started = RecognitionAhead(_recognize_file, tmp_path / "nothing.wav")
    assert started.phones(b"") is None and started.phones(b"") is None


def test_another_recording_is_recognized_here(short, monkeypatch):
    class Known:
        def phones(self, sound):
            return None

    monkeypatch.setattr(ahead, "_started", [Known()])
    audio = np.float32(0.9) * read_audio(short)
    assert SphinxRecognizer().recognize(audio) == list(_recognized.__wrapped__(_samples(audio), True))


def test_a_process_that_has_torch_already_does_not_fork(short, monkeypatch):
    monkeypatch.setattr(ahead, "_started", [])
    monkeypatch.setitem(sys.modules, "torch", sys.modules.get("torch"))
    recognize_ahead(short)
    assert ahead._started == []
