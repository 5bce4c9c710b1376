"""`SlowSmiles`: smiles that come beside the words take seconds. Needs numpy alone."""

import numpy as np

from tbd.face.channels import INDEX
from tbd.media.rates import FPS
from tbd.utils.tracks import LowPass, smoothstep

_SMILES = [INDEX["mouthSmileLeft"], INDEX["mouthSmileRight"]]
_CUTOFF = 0.2
"""Frequency (Hz) above which smiles that nobody asked for are damped, by a filter of first order: a time constant of 0.8 s."""
_PLANNED = 0.2
"""A smile of which a plan asks so much is the plan's, and is left as it is drawn."""


class SlowSmiles:
    """Lets smiles that no plan asks for come and go in seconds, as they come; one for each performance.

    A motion model draws smiles beside the words at random, and as fast as words. Lips spread and rest at that rate because of what they
    say; a smile that does so hides it.

    Example:
        >>> values, quick = np.zeros((50, 58), np.float32), np.sin(np.arange(50))
        >>> values[:, _SMILES] = 0.2 + 0.2 * quick[:, None]
        >>> bool(SlowSmiles()(values, np.zeros((50, 58)))[:, _SMILES].std() < 0.3 * values[:, _SMILES].std())
        True
    """

    def __init__(self) -> None:
        self._slow = LowPass(_CUTOFF, FPS)

    def __call__(self, values: np.ndarray, planned: np.ndarray, amount: float = 1.0) -> np.ndarray:
        """Slow the smiles of the performance's next frames.

        Args:
            values: (T, 58) motion.
            planned: (T, 58) what the plan alone asks for.
            amount: How much they are slowed, 1 as people's; 0: not at all.

        Returns:
            (T, 58) float32.
        """
        out = np.array(values, np.float32)
        beside = out[:, _SMILES].astype(np.float64) - planned[:, _SMILES]
        slow = self._slow(beside)
        own = min(amount, 1.0) * (1 - smoothstep(planned[:, _SMILES].max(-1, keepdims=True) / _PLANNED))
        out[:, _SMILES] = np.clip(planned[:, _SMILES] + beside + own * (slow - beside), 0, np.maximum(out[:, _SMILES], 1))
        return out
