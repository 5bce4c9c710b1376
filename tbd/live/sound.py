"""Sound as it comes, of any rate and in pieces of any length → what a motion model hears, and what is played with each frame."""

from typing import Any

import numpy as np

from tbd.errors import InputError
from tbd.media.rates import FPS, SAMPLE_RATE
from tbd.utils.user_warnings import warn

LOWEST, HIGHEST = 8000, 192_000
"""Samples a second of the sound that is taken."""
_PLAYED = (8000, 11_025, 12_000, 16_000, 22_050, 24_000, 32_000, 44_100, 48_000)
"""Rates that AAC encodes and of which a frame has a whole number of samples; others are resampled."""
_FILES = {b"RIFF": "WAV", b"OggS": "Ogg", b"fLaC": "FLAC", b"\x1aE\xdf\xa3": "WebM"}
"""How files begin that are sent or piped where samples alone are wanted, and what they are called."""
_PIECE = SAMPLE_RATE // 2
"""Samples that are resampled at once, so that a huge piece needs no more memory than it has itself."""


class Resampler:
    """Brings sound from one rate to another, piece by piece, without a seam; FFmpeg's resampler.

    Args:
        source: Samples a second of what comes.
        target: Samples a second of what goes.
    """

    def __init__(self, source: int, target: int) -> None:
        import av

        self._source, self._target, self._fed = source, target, 0
        self._resampler = av.AudioResampler(format="fltp", layout="mono", rate=target) if source != target else None

    def feed(self, samples: np.ndarray) -> np.ndarray:
        """Resample on.

        Args:
            samples: (N,) float32.

        Returns:
            (M,) float32; a few samples are held back until more come.
        """
        import av

        if self._resampler is None or not len(samples):
            return samples
        out = []
        for i in range(0, len(samples), _PIECE):
            frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(samples[None, i : i + _PIECE]), format="fltp", layout="mono")
            frame.sample_rate, frame.pts = self._source, self._fed
            self._fed += frame.samples
            out += [block.to_ndarray()[0] for block in self._resampler.resample(frame)]
        return np.concatenate(out) if out else np.zeros(0, np.float32)

    def finish(self) -> np.ndarray:
        """Return the (M,) samples that were held back."""
        if self._resampler is None or not self._fed:
            return np.zeros(0, np.float32)
        return np.concatenate([np.zeros(0, np.float32), *(block.to_ndarray()[0] for block in self._resampler.resample(None))])


class SoundStream:
    """Takes sound in, and gives it out twice: at 16 kHz for the model, and at its own rate frame by frame.

    Whatever comes does no harm: several channels are mixed, integers are scaled, what is no number becomes silence with one warning,
    and a change of the rate on the way, as of a headset that is put on, is resampled to the rate at the start.

    Args:
        sample_rate: Samples a second at the start, 8000 to 192,000.

    Raises:
        InputError: If the rate is out of range.

    Example:
        >>> sound = SoundStream(48_000)
        >>> len(sound.feed(np.zeros((96_000, 2), np.int16))) + len(sound.finish()), len(sound.next_frame())
        (32000, 1920)
    """

    def __init__(self, sample_rate: int = SAMPLE_RATE) -> None:
        self._arriving = check_rate(sample_rate)
        self.sample_rate = self._arriving if self._arriving in _PLAYED else 48_000 if self._arriving > 48_000 else SAMPLE_RATE
        self._to_own, self._to_model = Resampler(self._arriving, self.sample_rate), Resampler(self.sample_rate, SAMPLE_RATE)
        self._own = np.zeros(0, np.float32)
        self._warned = False

    def feed(self, samples: Any, sample_rate: int | None = None) -> np.ndarray:
        """Take sound in.

        Args:
            samples: (N,) or (N, C), floats in −1..1 or integers of full scale; any number of them.
            sample_rate: Where it is another than before.

        Returns:
            (M,) float32 samples at 16 kHz.

        Raises:
            InputError: If it is no such array, or the rate is out of range.
        """
        mono, held = self._mono(samples), np.zeros(0, np.float32)
        if sample_rate is not None and sample_rate != self._arriving:
            self._arriving = check_rate(sample_rate)
            held, self._to_own = self._to_own.finish(), Resampler(self._arriving, self.sample_rate)
        return self._take(np.concatenate([held, self._to_own.feed(mono)]))

    def finish(self) -> np.ndarray:
        """Return the (M,) float32 samples at 16 kHz that were held back."""
        return np.concatenate([self._take(self._to_own.finish()), self._to_model.finish()])

    def next_frame(self) -> np.ndarray:
        """Take the (N,) float32 samples of the next frame, at `sample_rate`; fewer at the end."""
        length = self.sample_rate // FPS
        frame, self._own = self._own[:length], self._own[length:]
        return frame

    def _take(self, samples: np.ndarray) -> np.ndarray:
        self._own = np.concatenate([self._own, samples])
        return self._to_model.feed(samples)

    def _mono(self, samples: Any) -> np.ndarray:
        array = np.asarray(samples)
        if array.ndim not in (1, 2) or array.dtype.kind not in "fiu":
            raise InputError(f"A piece of sound is {array.shape} of {array.dtype}; give (N,) or (N, C) samples, floats or integers.")
        if array.dtype.kind == "u":
            array = (array.astype(np.float64) - 2 ** (8 * array.itemsize - 1)) / 2 ** (8 * array.itemsize - 1)
        elif array.dtype.kind == "i":
            array = array / 2 ** (8 * array.itemsize - 1)
        mono = (array if array.ndim == 1 else array.mean(1)).astype(np.float32)
        if not np.isfinite(mono).all():
            if not self._warned:
                warn("The sound holds values that are no numbers; silence stands in their place.")
            mono, self._warned = np.nan_to_num(mono, nan=0.0, posinf=0.0, neginf=0.0), True
        return np.clip(mono, -1, 1)


class SampleReader:
    """Reads 16-bit little-endian samples out of bytes that may be cut anywhere, as pipes and connections cut them."""

    def __init__(self) -> None:
        self._rest = b""
        self._start: bytes | None = b""

    def read(self, data: bytes) -> np.ndarray:
        """Read on.

        Args:
            data: The bytes that follow those before.

        Returns:
            (N,) int16, the samples that are whole.

        Raises:
            InputError: If they begin a file: its header would be heard as a crack, and its rate and channels be taken for others.
        """
        if self._start is not None:
            self._start += data[: 4 - len(self._start)]
            if self._start in _FILES:
                kind = _FILES[self._start]
                raise InputError(f"The sound begins as a {kind} file does; give its samples alone: raw, 16-bit little-endian, mono.")
            self._start = self._start if len(self._start) < 4 else None
        data = self._rest + data
        whole = len(data) // 2 * 2
        self._rest = data[whole:]
        return np.frombuffer(data[:whole], "<i2")


def check_rate(sample_rate: Any) -> int:
    """Refuse what is no rate of sound.

    Args:
        sample_rate: Samples a second.

    Returns:
        The rate.

    Raises:
        InputError: If it is no whole number from 8000 to 192,000.
    """
    whole = isinstance(sample_rate, int | np.integer) and not isinstance(sample_rate, bool)
    if not whole or not LOWEST <= sample_rate <= HIGHEST:
        raise InputError(f"The sound's rate is a whole number of samples a second from {LOWEST} to {HIGHEST}, not {sample_rate!r}.")
    return int(sample_rate)
