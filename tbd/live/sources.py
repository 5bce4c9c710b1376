"""Where the sound of a live face comes from: a file at the pace at which it plays, a pipe, a microphone."""

import time
from abc import ABC, abstractmethod
from collections.abc import Iterator
from typing import Any, BinaryIO

import numpy as np

from tbd.errors import InputError, TBDError, first_line
from tbd.live.sound import SampleReader, check_rate
from tbd.media import read_sound
from tbd.utils.file_checks import PathLike

CHUNK_SECONDS = 0.02
"""Seconds of a piece of sound."""
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
        paced: Whether each piece comes when it would be heard; otherwise as fast as they are taken.

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
    """Raw PCM from a pipe: 16-bit little-endian, mono.

    Args:
        pipe: What is read, until it ends.
        sample_rate: Samples a second.

    Raises:
        InputError: If the rate is out of range.
    """

    def __init__(self, pipe: BinaryIO, sample_rate: int) -> None:
        super().__init__()
        self._pipe, self.sample_rate = pipe, check_rate(sample_rate)

    def __iter__(self) -> Iterator[np.ndarray]:
        """Iterate over (N,) pieces as the pipe gives them, 20 ms at most."""
        size, reader = 2 * round(CHUNK_SECONDS * self.sample_rate), SampleReader()
        read = getattr(self._pipe, "read1", self._pipe.read)  # what is there, rather than what was asked for
        while not self._closed:
            data = read(size)
            if not data:
                return
            samples = reader.read(data)
            if len(samples):
                yield samples


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
