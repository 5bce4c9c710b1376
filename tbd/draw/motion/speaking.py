"""`SpeechActivity`: whether drawn lips are speaking. Needs numpy alone."""

import math

import numpy as np

from tbd.face.channels import INDEX
from tbd.media.rates import FPS
from tbd.utils.tracks import smoothstep

_SPOKEN = [INDEX[name] for name in ("mouthFunnel", "mouthPucker")] + [
    INDEX[f"{name}{side}"] for name in ("mouthUpperUp", "mouthLowerDown", "mouthStretch") for side in ("Left", "Right")
]
_STILL, _MOVED = 0.1, 0.35
"""Sum of what lips do beyond the plan up to which they are still, and from which they speak: the packaged model draws 0.43 to 0.75 while
somebody speaks and 0.01 to 0.43 between sounds (from 25 to 75 % of the frames of 80 filmed clips)."""
_TAKEN = 0.8
"""Weight of what lips do less than the plan: a model draws 0.65 to 0.75 of an angry mouth while somebody speaks."""
_BEGINS, _ENDS = 0.08, 0.4
"""Time constants (s): speech is noticed sooner when it begins than when it ends, so that closures and short gaps belong to it."""


class SpeechActivity:
    """Follows whether lips speak, as they come; one for each performance.

    Example:
        >>> lips, still = np.zeros((50, 58), np.float32), np.zeros((50, 58))
        >>> lips[:25, INDEX["mouthFunnel"]] = 0.5
        >>> speaking = SpeechActivity()(lips, still)
        >>> bool(speaking[24] > 0.99), bool(speaking[28] > 0.5), bool(speaking[49] < 0.1)
        (True, True, True)
    """

    def __init__(self) -> None:
        self._level = 0.0

    def __call__(self, values: np.ndarray, planned: np.ndarray) -> np.ndarray:
        """Follow the next frames of the performance.

        Args:
            values: (T, 58) motion.
            planned: (T, 58) what the plan alone asks for; lips that it moves are no speech.

        Returns:
            (T,) 0: in a pause, to 1: speaking.
        """
        beside = values[:, _SPOKEN] - planned[:, _SPOKEN]  # sounds also take lips back from where a plan opens them
        moved = np.where(beside > 0, beside, -_TAKEN * beside).sum(-1, dtype=np.float64)
        target, out = smoothstep((moved - _STILL) / (_MOVED - _STILL)), np.empty(len(values))
        rises, falls = (1 - math.exp(-1 / (seconds * FPS)) for seconds in (_BEGINS, _ENDS))
        for frame, wanted in enumerate(target):
            self._level += (rises if wanted > self._level else falls) * (wanted - self._level)
            out[frame] = self._level
        return out
