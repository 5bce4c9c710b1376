import io
import sys
import threading
import time
import types

import numpy as np
import pytest
from scipy.io import wavfile

from tbd.errors import InputError, TBDError
from tbd.live.sources import FileSource, MicrophoneSource, PipeSource, open_source
from tests.live.conftest import noise


@pytest.fixture
def recording(tmp_path):
    wavfile.write(tmp_path / "a.wav", 22050, (noise(0.5, 22050) * 32767).astype(np.int16))
    return tmp_path / "a.wav"


def test_a_file_comes_at_the_pace_at_which_it_plays(recording):
    source, start = open_source(str(recording), 16000), time.monotonic()
    sound = np.concatenate(list(source))
    assert source.sample_rate == 22050 and np.abs(sound - noise(0.5, 22050)).max() < 1e-3
    assert 0.45 < time.monotonic() - start < 2


def test_a_closed_source_ends(recording):
    source = FileSource(recording, paced=False)
    pieces = iter(source)
    next(pieces)
    source.close()
    assert list(pieces) == []


class Dribble(io.RawIOBase):
    """A pipe that gives three bytes at a time."""

    def __init__(self, data: bytes) -> None:
        self.data = data

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        part, self.data = self.data[:3], self.data[3:]
        return part


def test_a_pipe_may_be_cut_within_a_sample():
    samples = np.arange(-500, 500).astype("<i2")
    assert np.array_equal(np.concatenate(list(PipeSource(Dribble(samples.tobytes() + b"x"), 16000))), samples)


class SlowPipe(io.RawIOBase):
    """Gives 20 ms of sound at a time: at once, or each after a while."""

    def __init__(self, pieces: int, seconds: float) -> None:
        self.left, self.total, self.seconds = pieces, pieces, seconds

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        time.sleep(self.seconds)
        self.left -= 1
        return np.full(320, self.total - self.left, "<i2").tobytes() if self.left >= 0 else b""


def test_what_is_spoken_before_anybody_listens_is_left_out():
    source = PipeSource(SlowPipe(60, 0.02), 16000)
    time.sleep(0.8)
    with pytest.warns(UserWarning, match="left out"):
        pieces = iter(source)
        first = next(pieces)
    assert first[0] > 20 and time.monotonic() - source.arrived < 0.2
    rest = list(pieces)
    assert rest[-1][0] == 60 and len(rest) == 60 - first[0]


@pytest.mark.parametrize(("pieces", "seconds"), [(200, 0.0), (12, 0.02), (12, 0.0)])
def test_what_is_poured_in_or_has_ended_is_kept(pieces, seconds, recwarn):
    source = PipeSource(SlowPipe(pieces, seconds), 16000)
    time.sleep(0.5)
    assert [piece[0] for piece in source] == list(range(1, pieces + 1)) and source.arrived is None and not recwarn.list


def test_a_file_that_is_piped_with_its_header_is_a_sentence():
    with pytest.raises(InputError, match="begins as a WAV file"):
        list(PipeSource(io.BytesIO(b"RIFF\x24\x00\x00\x00WAVE" + bytes(640)), 16000))


def test_a_pipe_that_nobody_takes_is_not_read_for_ever():
    pipe = SlowPipe(10**6, 0.0)
    source = PipeSource(pipe, 16000)
    time.sleep(1)
    assert pipe.total - pipe.left < 3000 + 10
    source.close()
    deadline = time.monotonic() + 5
    while any(thread.name == "tbd-pipe" for thread in threading.enumerate()) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not any(thread.name == "tbd-pipe" for thread in threading.enumerate())


def test_without_a_pipe_or_a_file_there_is_a_sentence(tmp_path):
    with pytest.raises(InputError, match="pipe some in"):
        open_source("-", 16000, None)
    with pytest.raises(InputError, match=r"nothing\.wav"):
        open_source(str(tmp_path / "nothing.wav"), 16000)


def sounddevice(stream) -> types.ModuleType:
    module = types.ModuleType("sounddevice")
    module.query_devices = lambda device, kind: {"default_samplerate": 48000.0}
    module.InputStream = stream
    return module


class Microphone:
    """Gives ten pieces, then nothing more."""

    active, closed, left = True, False, 10

    def __init__(self, **options) -> None:
        self.size = options["blocksize"]

    def start(self) -> None:
        pass

    def stop(self) -> None:
        pass

    @property
    def read_available(self) -> int:
        return self.size if self.left else 0

    def read(self, size):
        self.left -= 1
        return np.full((size, 1), self.left, np.int16), False

    def close(self) -> None:
        self.closed = True


def test_a_microphone_gives_sound_until_it_is_unplugged(monkeypatch):
    monkeypatch.setitem(sys.modules, "sounddevice", sounddevice(Microphone))
    source, pieces = open_source("microphone", 16000), []
    assert source.sample_rate == 48000
    with pytest.raises(TBDError, match="plug it in"):
        pieces += list(source)
    for piece in iter(MicrophoneSource()):
        pieces.append(piece)
        if len(pieces) == 10:
            break
    assert [piece[0] for piece in pieces] == list(range(9, -1, -1)) and len(pieces[0]) == 960
    source.close()
    assert source._stream.closed


def test_a_microphone_that_is_refused_or_a_missing_package_is_one_sentence(monkeypatch):
    def refuse(**options):
        raise RuntimeError("Error opening InputStream: Device unavailable [PaErrorCode -9985]")

    monkeypatch.setitem(sys.modules, "sounddevice", sounddevice(refuse))
    with pytest.raises(InputError, match="Device unavailable"):
        MicrophoneSource()
    monkeypatch.setitem(sys.modules, "sounddevice", None)
    with pytest.raises(InputError, match="pip install"):
        MicrophoneSource()
