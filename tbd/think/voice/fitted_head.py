"""What the heads that judge a voice share: weights of a file, and cues in standard deviations."""

from functools import cached_property
from pathlib import Path

import numpy as np

_LIMIT = 3.0
"""Standard deviations beyond which a cue is an accident."""


class FittedHead:
    """Weights that were fitted to standardized cues; the file is read when they are first asked for.

    Args:
        weights: A safetensors file that holds the cues' ``mean`` and ``deviation`` among others.
    """

    def __init__(self, weights: Path) -> None:
        self.weights = weights

    @cached_property
    def _tensors(self) -> dict[str, np.ndarray]:
        from safetensors.numpy import load_file

        return {name: tensor.astype(np.float64) for name, tensor in load_file(self.weights).items()}

    def standardize(self, cues: np.ndarray) -> np.ndarray:
        """Bring cues to standard deviations from the mean that the weights were fitted with.

        Args:
            cues: (…, cues).

        Returns:
            (…, cues), within three deviations.
        """
        return np.clip((cues - self._tensors["mean"]) / self._tensors["deviation"], -_LIMIT, _LIMIT)
