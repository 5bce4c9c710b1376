"""`LivelyNods`: a head that nods with the voice as far as people's. Needs numpy alone."""

import numpy as np

from tbd.face.channels import INDEX
from tbd.media.rates import FPS
from tbd.utils.tracks import LowPass

_ROTATIONS = [INDEX[name] for name in ("headPitch", "headYaw", "headRoll")]
_CORNER = 2.0
"""Frequency (Hz) of the filter of first order above which a head goes farther than a model draws it."""
_FARTHER = np.array([1.0, 0.6, 0.25])
"""By how much of pitch, yaw and roll. The packaged model draws the mean of heads that may nod at one stress or the next: in bands of 0.5
to 1, 1 to 2 and 2 to 4.5 Hz its pitch deviates by 0.64, 0.52 and 0.43 of what the landmarker reads of 35 people (medians), and by 0.91,
0.81 and 0.58 of 39 others; with this by 0.73, 0.66 and 0.58, and by 1.07, 1.05 and 0.85. A head that is rendered and tracked has 0.05
degrees more in the last."""


class LivelyNods:
    """Carries a head's quick movements farther, as they come; one for each performance.

    Stresses and phrases are where the model nods: what it draws in a second and less is enlarged, poses that last are not. A head that the
    plan directs is left to it.

    Example:
        >>> values, time = np.zeros((100, 58), np.float32), np.arange(100) / FPS
        >>> values[:, _ROTATIONS[0]] = 0.02 * np.sin(2 * np.pi * 2 * time)  # two nods a second
        >>> bool(1.4 < LivelyNods()(values, np.ones(100))[:, _ROTATIONS[0]].std() / values[:, _ROTATIONS[0]].std() < 1.8)
        True
    """

    def __init__(self) -> None:
        self._pose = LowPass(_CORNER, FPS)

    def __call__(self, values: np.ndarray, free: np.ndarray, amount: float = 1.0) -> np.ndarray:
        """Nod in the performance's next frames.

        Args:
            values: (T, 58) motion.
            free: (T,) 0: directed by the plan, to 1: not.
            amount: How far, 1 as people's; 0: as they come.

        Returns:
            (T, 58) float32.
        """
        out = np.array(values, np.float32)
        head = out[:, _ROTATIONS].astype(np.float64)  # (T, 3)
        out[:, _ROTATIONS] += amount * _FARTHER * free[:, None] * (head - self._pose(head))
        return out
