"""Denoising steps that compute a UNet's shallow layers alone, and take from an earlier step what the deep ones made."""

from torch import Tensor

from tbd.draw.video.sampling_options import FeatureReuse


class DeepFeatures:
    """What a UNet's deep layers made of the same windows, under the same conditions, at an earlier step.

    One for each group of branches that runs together: what is given differs between groups. Every group computes its deep layers at the
    same steps, and at its first one between them.

    Args:
        reuse: How often the deep layers are computed.

    Example:
        >>> import torch
        >>> deep, computed = DeepFeatures(FeatureReuse(interval=3)), []
        >>> for step in range(5):
        ...     if deep.at_step(step).kept is None:
        ...         deep.keep(torch.zeros(1))
        ...         computed.append(step)
        >>> computed
        [0, 3]
    """

    def __init__(self, reuse: FeatureReuse) -> None:
        self.reuse, self.layers = reuse, reuse.layers
        self.kept: Tensor | None = None
        """The features to go on with; None where they are to be computed and kept."""
        self._interval = -1

    def at_step(self, step: int) -> "DeepFeatures":
        """Begin a step; features of another interval are forgotten.

        Args:
            step: The number of the denoising step, from 0.

        Returns:
            This object.
        """
        interval = step // self.reuse.interval
        if interval != self._interval:
            self.kept, self._interval = None, interval
        return self

    def keep(self, features: Tensor) -> None:
        """Keep what the deep layers made at this step."""
        self.kept = features
