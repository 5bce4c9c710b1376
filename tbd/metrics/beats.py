"""Beats of the head and of the voice, and how well they fall together."""

import numpy as np

from tbd.face.channels import HEAD, INDEX
from tbd.media.rates import SAMPLES_PER_FRAME
from tbd.metrics.base import Array, ClipMean, Unmeasurable, tensor

_WIDTH = 3.0
"""Frames at 25 a second, so 0.12 s: the standard deviation by which beats may miss each other. Bailando's `beat_align_score.py` has 2 · 9
in the exponent too, and 60 frames a second."""
_SMOOTH = 5.0
"""Frames, so 0.2 s: the standard deviation of the blur of the head's speed; five frames there."""
_LOUD = 0.3
"""Part of the greatest rise of loudness from which a rise is a beat of the voice."""
_STILL = 1e-5
"""Radians a frame: a head that never moves faster stands still."""


def head_beats(motion: np.ndarray) -> np.ndarray:
    """Find the frames in which the head comes to rest: local minima of the blurred speed of its rotation.

    Args:
        motion: (T, 58).

    Returns:
        (K,) int frames; none where the head stands still.
    """
    from scipy.ndimage import gaussian_filter1d
    from scipy.signal import argrelmin

    speed = np.linalg.norm(np.diff(motion[:, [INDEX[name] for name in HEAD[:3]]], axis=0), axis=1)
    if not len(speed) or speed.max() < _STILL:
        return np.zeros(0, int)
    return argrelmin(gaussian_filter1d(speed.astype(np.float64), _SMOOTH))[0]


def voice_beats(audio: np.ndarray, frames: int) -> np.ndarray:
    """Find the frames in which a voice sets in: local maxima of the rise of its loudness in dB.

    Args:
        audio: (N,) at 16 kHz.
        frames: Number of video frames.

    Returns:
        (K,) int frames; none in silence.
    """
    from scipy.signal import argrelmax

    samples = np.zeros(frames * SAMPLES_PER_FRAME)
    given = audio[: len(samples)]
    samples[: len(given)] = given
    power = np.square(samples.reshape(frames, -1)).mean(1)
    if not power.any():
        return np.zeros(0, int)
    loudness = 10 * np.log10(power + 1e-4 * power.max())
    rise = np.maximum(np.diff(loudness, prepend=loudness[:1]), 0)
    peaks = argrelmax(np.pad(rise, 1))[0] - 1
    return peaks[rise[peaks] >= _LOUD * rise.max()]


def alignment(beats: np.ndarray, others: np.ndarray) -> float:
    """Average over `beats` of ``exp(−d² / 18)``, d the frames to the nearest of the others.

    Args:
        beats: (K,) frames, one at least.
        others: (M,) frames, one at least.

    Returns:
        0..1.

    Example:
        >>> alignment(np.array([10, 40]), np.array([10, 43, 90])) == (1 + np.exp(-0.5)) / 2
        True
    """
    distance = np.abs(np.asarray(beats)[:, None] - np.asarray(others)[None]).min(1)
    return float(np.exp(-(distance**2) / (2 * _WIDTH**2)).mean())


class BeatAlignment(ClipMean):
    """Beat alignment of head and voice: how near each onset of the voice a head's movement ends, 0..1.

    The score of Bailando (Siyao et al. 2022, arXiv 2203.13055), which SadTalker (Zhang et al. 2023) reports of heads, with a voice's
    onsets in the place of music's beats and our 25 frames a second in that of dance's 60: not comparable with published numbers. Chance
    is not 0: a head that stops often is always near. Neither high nor low is good as such; compare with the recorded clips.

    Example:
        >>> turning = np.zeros((100, 58))
        >>> turning[:, INDEX["headYaw"]] = 0.1 * np.sin(np.arange(100) * 2 * np.pi / 50)
        >>> voice = np.zeros(100 * 640)
        >>> for frame in (12, 37, 62, 87):  # where the head turns round
        ...     voice[frame * 640 : (frame + 3) * 640] = 0.5
        >>> metric = BeatAlignment()
        >>> metric.update(turning, voice)
        >>> float(metric.compute()) > 0.9
        True
    """

    reads = ("preds.motion", "preds.audio")
    unit = ""
    higher_is_better = None
    plot_lower_bound, plot_upper_bound = 0.0, 1.0

    def measure(self, motion: Array, audio: Array) -> dict[str, float]:
        """Measure one clip.

        Args:
            motion: (T, 58).
            audio: (N,) at 16 kHz.

        Returns:
            ``value``, the alignment; 0 where the head never comes to rest.

        Raises:
            Unmeasurable: If the voice has no onset.
        """
        voice = voice_beats(tensor(audio).cpu().numpy(), len(motion))
        if not len(voice):
            raise Unmeasurable("The clip's voice has no onset.")
        head = head_beats(tensor(motion).cpu().numpy())
        return {"value": alignment(voice, head) if len(head) else 0.0}
