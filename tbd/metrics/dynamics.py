"""Motion: blinks, head, rest in silence, smoothness and seams."""

from collections.abc import Iterable, Sequence

import numpy as np
import torch

from tbd.face.channels import HEAD, INDEX
from tbd.media.rates import FPS, SAMPLES_PER_FRAME
from tbd.metrics.aperture import mouth_aperture
from tbd.metrics.base import Array, ClipMean, Unmeasurable, tensor
from tbd.metrics.faces.face_points import steady
from tbd.utils.tracks import runs


class HeadMotionDiversity(ClipMean):
    """Standard deviation over time of pitch, yaw and roll in degrees, averaged over the three.

    Neither high nor low is good as such: compare with the recorded clips. A still head has 0.

    Example:
        >>> metric = HeadMotionDiversity()
        >>> metric.update(np.zeros((50, 58)))
        >>> float(metric.compute())
        0.0
    """

    reads = ("preds.motion",)
    unit = "degrees"
    higher_is_better = None
    plot_lower_bound = 0.0

    def measure(self, preds: Array) -> dict[str, float]:
        """Measure one clip, (T, 58)."""
        angles = tensor(preds)[:, [INDEX[name] for name in HEAD[:3]]]
        return {"value": float(torch.rad2deg(angles.std(0, correction=0)).mean())}


_CLOSED, _OPEN = 0.5, 0.3
"""eyeBlink's value from which on an eye counts as closed, and below which it has opened again."""


def count_blinks(closure: Iterable[float]) -> int:
    """Count blinks: from open to at least half closed; the next one counts after opening again.

    Args:
        closure: Closure of the eyelids frame by frame, 0..1.

    Returns:
        The number of blinks.

    Example:
        >>> count_blinks([0, 0.2, 0.9, 0.45, 0.8, 0.1, 0, 0.6, 0])
        2
    """
    count, closed = 0, False
    for value in closure:
        if not closed and value >= _CLOSED:
            count, closed = count + 1, True
        elif value < _OPEN:
            closed = False
    return count


class BlinkRate(ClipMean):
    """Blinks a minute. Both eyes' mean closure counts, so a wink is half a blink and none. Clips weigh by their length.

    People blink about 15 to 20 times a minute at rest and more when they talk (Bentivoglio et al. 1997: 17 and 26); compare
    with the recorded clips.

    Example:
        >>> motion = np.zeros((1500, 58))  # a minute
        >>> motion[100:104, [INDEX["eyeBlinkLeft"], INDEX["eyeBlinkRight"]]] = 1
        >>> metric = BlinkRate()
        >>> metric.update(motion)
        >>> round(float(metric.compute()), 6)
        1.0
    """

    reads = ("preds.motion",)
    unit = "1/min"
    higher_is_better = None
    plot_lower_bound = 0.0

    def weigh(self, preds: Array) -> float:
        """Weigh a clip, (T, 58), by its minutes."""
        return len(preds) / FPS / 60

    def measure(self, preds: Array) -> dict[str, float]:
        """Measure one clip, (T, 58)."""
        closure = tensor(preds)[:, [INDEX["eyeBlinkLeft"], INDEX["eyeBlinkRight"]]].mean(1)
        return {"value": count_blinks(closure.tolist()) / self.weigh(preds)}


_QUIET = 0.03
"""A frame is silent below this part (−30 dB) of the loudness that one frame in twenty exceeds."""
_SHORTEST = 5
"""Frames: shorter silences are stops within words."""


def silent_frames(audio: Array, frames: int) -> np.ndarray:
    """Find frames in which nobody speaks, for at least five frames together. Needs no threshold for each recording.

    Args:
        audio: (N,) at 16 kHz. Frames beyond its end are silent.
        frames: Number of video frames T.

    Returns:
        (T,) bool.
    """
    samples = np.zeros(frames * SAMPLES_PER_FRAME)
    given = tensor(audio).cpu().numpy()[: len(samples)]
    samples[: len(given)] = given
    loudness = np.sqrt((samples.reshape(frames, -1) ** 2).mean(1))
    quiet = loudness <= _QUIET * np.percentile(loudness, 95)
    kept = np.zeros_like(quiet)
    for start, end in runs(quiet, _SHORTEST):
        kept[start:end] = True
    return kept


class SilenceLipEnergy(ClipMean):
    """Rest of the mouth in silence: root mean square of the speed of `mouth_aperture` over silent frames.

    Unit: inter-ocular distances a second; lower is better, 0 is a mouth at rest. The first two frames of each silence are
    left out, in which a mouth may still close.

    Example:
        >>> points = np.random.default_rng(0).random((1, 68, 2)).repeat(50, 0)  # stands still
        >>> metric = SilenceLipEnergy()
        >>> metric.update(points, np.zeros(50 * 640))
        >>> float(metric.compute())
        0.0
    """

    reads = ("preds.points", "preds.audio")
    unit = "inter-ocular/s"
    higher_is_better = False
    plot_lower_bound = 0.0

    def measure(self, points: Array, audio: Array) -> dict[str, float]:
        """Measure one clip.

        Args:
            points: (T, 478, 3) or (T, 68, 2) pixels.
            audio: (N,) at 16 kHz.

        Returns:
            ``value``, the speed.

        Raises:
            Unmeasurable: If the clip has no silence of a fifth of a second, or no face is seen in it.
        """
        silent = silent_frames(audio, len(points))
        settled = silent & np.r_[False, silent[:-1]] & np.r_[False, False, silent[:-2]]
        speed = FPS * np.diff(mouth_aperture(points).cpu().numpy(), prepend=np.nan)
        speed = speed[settled & np.isfinite(speed)]
        if not len(speed):
            raise Unmeasurable("The clip has no silence of a fifth of a second in which a face is seen.")
        return {"value": float(np.sqrt((speed**2).mean()))}


class Jerk(ClipMean):
    """Jitter of a face: the mean length of the third derivative of the points, in inter-ocular distances per s³.

    The points are dlib's 68, each frame turned upright, centred and scaled by its eyes, so that the head's own movement
    does not count. Lower is smoother; a face that speaks is not at 0: compare with the recorded clips.

    Example:
        >>> points = np.random.default_rng(0).random((1, 68, 2)).repeat(10, 0)  # stands still
        >>> metric = Jerk()
        >>> metric.update(points)
        >>> float(metric.compute())
        0.0
    """

    reads = ("preds.points",)
    unit = "inter-ocular/s³"
    higher_is_better = False
    plot_lower_bound = 0.0

    def measure(self, preds: Array) -> dict[str, float]:
        """Measure one clip.

        Args:
            preds: (T, 478, 3) or (T, 68, 2) pixels; stretches in which the face is lost are left out.

        Returns:
            ``value``, the jerk.

        Raises:
            Unmeasurable: If no four frames in a row show a face.
        """
        upright = steady(preds)
        jerk = torch.diff(upright, n=3, dim=0).norm(dim=-1).mean(1) * FPS**3
        jerk = jerk[torch.isfinite(jerk)]
        if not len(jerk):
            raise Unmeasurable("No four frames in a row show a face.")
        return {"value": float(jerk.mean())}


class SeamJump(ClipMean):
    """Visibility of seams between windows: the largest step between frames at a seam, over the usual step.

    A step is the root mean square change of the 58 channels from one frame to the next; the usual one is the 95th percentile
    of all steps that are no seam, so that an ordinary syllable at a seam scores below 1. Above 1 the seam is rougher than
    nearly everything else in the clip.

    Example:
        >>> motion = np.arange(50)[:, None] * np.full((1, 58), 0.01)
        >>> metric = SeamJump()
        >>> metric.update(motion, [25])  # moves on as it did
        >>> round(float(metric.compute()), 6)
        1.0
    """

    reads = ("preds.motion", "preds.seams")
    unit = "×"
    higher_is_better = False
    plot_lower_bound = 0.0

    def measure(self, motion: Array, seams: Sequence[int]) -> dict[str, float]:
        """Measure one clip.

        Args:
            motion: (T, 58).
            seams: First frames of the later windows.

        Returns:
            ``value``, the ratio.

        Raises:
            Unmeasurable: If there is no seam within the clip, or nothing else moves.
        """
        steps = torch.diff(tensor(motion), dim=0).square().mean(1).sqrt().cpu().numpy()
        at = sorted({int(seam) - 1 for seam in seams if 0 < seam < len(motion)})
        others = np.delete(steps, at)
        usual = float(np.percentile(others, 95)) if len(others) else 0.0
        if not at or usual < 1e-9:
            raise Unmeasurable("The clip has no seam, or does not move beside it.")
        return {"value": float(steps[at].max()) / usual}
