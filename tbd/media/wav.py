"""The wave files that tbd writes into caches and corpora: 16 kHz, mono, 16 bits.

They are read without a media library, whole or in part, as loaders of training data do thousands of times.
`tbd.media.read_audio` reads other recordings.
"""

import os
import wave
from typing import BinaryIO

import numpy as np

from tbd.errors import InputError
from tbd.media.rates import SAMPLE_RATE


def read_samples(path: str | os.PathLike, start: int = 0, stop: int | None = None) -> np.ndarray:
    """Read the samples from `start` to `stop` of a wave file; fewer if the file is shorter.

    Args:
        path: Wave file of 16 kHz, mono, 16 bits.
        start: Index of the first sample, 0 or more.
        stop: Index after the last sample; the file's end by default.

    Returns:
        (N,) int16.

    Raises:
        InputError: If the file is missing, truncated, or of another rate, channel count or depth.
    """
    try:
        with wave.open(os.fspath(path)) as file:
            kind = file.getframerate(), file.getnchannels(), 8 * file.getsampwidth()
            if kind != (SAMPLE_RATE, 1, 16):
                raise wave.Error("it has {} Hz, {} channels and {} bits".format(*kind))
            start = min(start, file.getnframes())
            count = max(min(file.getnframes() if stop is None else stop, file.getnframes()) - start, 0)
            file.setpos(start)
            data = file.readframes(count)
            if len(data) < 2 * count:
                raise EOFError("it is broken off")
    except (OSError, EOFError, wave.Error) as error:
        reason = getattr(error, "strerror", None) or str(error) or "it is broken off"
        raise InputError(
            f"{path} cannot be read as a wave file of 16 kHz, one channel and 16 bits ({reason}); convert it, or prepare or "
            "synthesize the clip again."
        ) from error
    return np.frombuffer(data, "<i2").astype(np.int16, copy=False)


def read_wave(path: str | os.PathLike) -> np.ndarray:
    """Read a whole wave file as models take it.

    Args:
        path: Wave file of 16 kHz, mono, 16 bits.

    Returns:
        (N,) float32 in −1..1.

    Raises:
        InputError: As `read_samples`.
    """
    return read_samples(path).astype(np.float32) / 32768


def write_wave(file: str | os.PathLike | BinaryIO, audio: np.ndarray) -> None:
    """Write a wave file of 16 kHz, mono, 16 bits.

    Args:
        file: Where to write.
        audio: (N,) float samples; what lies outside −1..1 is clipped.

    Example:
        >>> import io
        >>> file = io.BytesIO()
        >>> write_wave(file, np.zeros(640))
        >>> file.getvalue()[:4], len(file.getvalue())
        (b'RIFF', 1324)
    """
    from scipy.io import wavfile

    wavfile.write(file, SAMPLE_RATE, np.round(np.clip(audio, -1, 1) * 32767).astype(np.int16))
