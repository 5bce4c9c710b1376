"""Where the sound of a live face comes from: a file at the pace at which it plays, a pipe, a microphone."""

import os
import queue
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from typing import Any, BinaryIO

import numpy as np

from tbd.errors import InputError, TBDError, first_line
from tbd.live.sound import SampleReader, check_rate
from tbd.media import read_sound
from tbd.utils.file_checks import PathLike
from tbd.utils.user_warnings import warn

CHUNK_SECONDS = 0.02
"""Seconds of a piece of sound."""
_MOST_POURED = 60.0
"""Seconds of sound that are read ahead from a pipe."""
_WORTH_LEAVING_OUT = 0.25
"""Seconds of sound that has waited for a portrait that are left out; less is caught up with."""
_STALLED = 1.0
"""Seconds without sound after which a microphone is asked whether it is still there."""


class SoundSource(ABC):
    """Pieces of sound as they come. Iterating ends when the sound does; `close` ends it before."""

    sample_rate: int
    """Samples a second."""

    def __init__(self) -> None:
        self._closed = False

    def close(self) -> None:
        """Stop: no further piece comes."""
        self._closed = True

    @abstractmethod
    def __iter__(self) -> Iterator[np.ndarray]:
        """Iterate over (N,) pieces."""


class FileSource(SoundSource):
    """A recording at the pace at which it plays.

    Args:
        path: Any file whose sound FFmpeg reads.
        paced: Whether each piece comes when it would be seconds; otherwise as fast as they are taken.

    Raises:
        InputError: If the file is missing or holds no sound.
    """

    def __init__(self, path: PathLike, paced: bool = True) -> None:
        super().__init__()
        sound = read_sound(path)
        self._samples, self.sample_rate, self._paced = sound.samples.mean(0), sound.sample_rate, paced

    def __iter__(self) -> Iterator[np.ndarray]:
        """Iterate over (N,) pieces of 20 ms."""
        length, start = round(CHUNK_SECONDS * self.sample_rate), time.monotonic()
        for i in range(0, len(self._samples), length):
            piece = self._samples[i : i + length]
            if self._paced:
                wait = start + (i + len(piece)) / self.sample_rate - time.monotonic()
                if wait > 0:
                    time.sleep(wait)
            if self._closed:
                return
            yield piece


class PipeSource(SoundSource):
    """Raw PCM from a pipe: 16-bit little-endian, mono. It is read from the start on, so that no sound waits in the pipe.

    What comes at the pace of speech before somebody takes it, while a portrait is prepared, is left out: it would be late for ever. What
    is poured in faster than it can be spoken, as a file is, is all kept, and so is a pipe that has ended.

    Args:
        pipe: What is read, until it ends.
        sample_rate: Samples a second.

    Raises:
        InputError: If the rate is out of range.
    """

    def __init__(self, pipe: BinaryIO, sample_rate: int) -> None:
        super().__init__()
        self.sample_rate = check_rate(sample_rate)
        self.arrived: float | None = None
        """When the piece that was given last had come, by `time.monotonic`; None where it did not come at the pace of speech."""
        self._waiting: queue.Queue[tuple[float, np.ndarray] | BaseException | None] = queue.Queue(round(_MOST_POURED / CHUNK_SECONDS))
        self._first, self._received, self._ended = float("inf"), 0, False
        threading.Thread(target=self._read, args=(pipe,), name="tbd-pipe", daemon=True).start()

    def _read(self, pipe: BinaryIO) -> None:
        size, reader = 2 * round(CHUNK_SECONDS * self.sample_rate), SampleReader()
        read = _reader(pipe)
        try:
            while not self._closed and (data := read(size)):
                samples, now = reader.read(data), time.monotonic()
                self._first, self._received = min(self._first, now), self._received + len(samples)
                if len(samples):
                    self._put((now, samples))
            self._ended = True
            self._put(None)
        except Exception as error:
            self._put(error)

    def _put(self, item: tuple[float, np.ndarray] | BaseException | None) -> None:
        while not self._closed:
            try:
                return self._waiting.put(item, timeout=0.2)
            except queue.Full:
                continue

    def __iter__(self) -> Iterator[np.ndarray]:
        """Iterate over (N,) pieces as the pipe gives them, 20 ms at most."""
        spoken = self._leave_out()
        while not self._closed:
            try:
                item = self._waiting.get(timeout=0.2)
            except queue.Empty:
                continue
            if isinstance(item, BaseException):
                raise item
            if item is None:
                return
            came, samples = item
            self.arrived = came if spoken else None
            yield samples

    def _leave_out(self) -> bool:
        """Drop what was spoken before anybody listened; return whether the sound comes at the pace of speech."""
        seconds, elapsed = self._received / self.sample_rate, time.monotonic() - self._first
        if self._ended or seconds < _WORTH_LEAVING_OUT or seconds > 1.1 * elapsed + 0.1:
            return False
        while not self._waiting.empty():
            if not isinstance(item := self._waiting.get_nowait(), tuple):
                self._waiting.put(item)  # it has ended meanwhile
                break
        warn(f"{seconds:.1f} s of sound that came while the portrait was prepared are left out.")
        return True


def _reader(pipe: BinaryIO) -> Callable[[int], bytes]:
    """What is there, rather than what was asked for; without the lock of a buffer, which a thread that waits would hold at the end."""
    try:
        number = pipe.fileno()
    except (AttributeError, OSError):
        return getattr(pipe, "read1", pipe.read)
    return lambda size: os.read(number, size)


class MicrophoneSource(SoundSource):
    """The microphone of this machine, by the package ``sounddevice``.

    Args:
        device: Name or number of the device; None for the system's own choice.

    Raises:
        InputError: If the package is missing, or there is no microphone that may be used.
    """

    def __init__(self, device: str | int | None = None) -> None:
        super().__init__()
        self._sounddevice = import_sounddevice()
        try:
            self._device = self._sounddevice.query_devices(device, "input")
            self.sample_rate = check_rate(int(self._device["default_samplerate"]))
            self._stream = self._sounddevice.InputStream(
                device=device, channels=1, samplerate=self.sample_rate, dtype="int16", blocksize=round(CHUNK_SECONDS * self.sample_rate)
            )
            self._stream.start()
            self._stream.stop()  # it can be used; what is said while the portrait is prepared would come late for ever
        except Exception as error:
            reason = first_line(error).rstrip(".")
            message = f"No microphone can be used ({reason}); plug one in or allow it, or give --audio a file, or - for a pipe."
            raise InputError(message) from error

    def __iter__(self) -> Iterator[np.ndarray]:
        """Iterate over (N,) pieces of 20 ms."""
        length = round(CHUNK_SECONDS * self.sample_rate)
        self._stream.start()
        last = time.monotonic()
        while not self._closed:
            try:
                if self._stream.read_available < length and self._stream.active:
                    if time.monotonic() - last > _STALLED:
                        raise TBDError("The microphone has stopped giving sound; plug it in again.")
                    time.sleep(CHUNK_SECONDS / 4)
                    continue
                samples, _ = self._stream.read(length)
            except TBDError:
                raise
            except Exception as error:
                raise TBDError(f"The microphone failed ({first_line(error)}); plug it in again.") from error
            last = time.monotonic()
            yield samples[:, 0].copy()

    def close(self) -> None:
        """Release the microphone."""
        super().close()
        self._stream.close()


def import_sounddevice() -> Any:
    """Import ``sounddevice``.

    Returns:
        The module.

    Raises:
        InputError: If it or the system's library of sound is not there.
    """
    try:
        import sounddevice
    except ImportError as error:
        raise InputError("A microphone needs the package sounddevice: pip install 'tbd[live]'.") from error
    except OSError as error:
        raise InputError("A microphone needs the system's library PortAudio (Debian: apt-get install libportaudio2).") from error
    return sounddevice


def open_source(audio: str, sample_rate: int, pipe: BinaryIO | None = None) -> SoundSource:
    """Open what ``--audio`` names.

    Args:
        audio: A file, ``-`` for a pipe, or ``microphone``.
        sample_rate: Samples a second of a pipe.
        pipe: What ``-`` reads.

    Returns:
        The source.

    Raises:
        InputError: If it cannot be used.
    """
    if audio == "microphone":
        return MicrophoneSource()
    if audio == "-":
        if pipe is None or pipe.isatty():
            raise InputError("--audio - reads raw sound (16-bit, mono) from a pipe, and none is connected; pipe some in or name a file.")
        return PipeSource(pipe, sample_rate)
    return FileSource(audio)
