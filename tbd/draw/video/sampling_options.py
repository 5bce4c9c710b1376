"""What configurations say of drawing video, grouped."""

from dataclasses import dataclass

from tbd.draw.window_options import SamplingConfig
from tbd.errors import InputError


@dataclass(frozen=True)
class FeatureReuse:
    """How often a UNet's deep layers are computed when drawing (DeepCache, Ma et al. 2024, arXiv 2312.00858).

    From step to step what the deep layers make changes little, and most of the time is theirs. No trained weight depends on it.

    Args:
        interval: Every how many steps all layers are computed; 1 reuses nothing.
        layers: Layers at the end of the UNet that are computed at every step, with those at its beginning whose features they read.
            As many as the last block has, at most.

    Raises:
        InputError: If either is below 1.
    """

    interval: int = 2
    layers: int = 1

    def __post_init__(self) -> None:
        if self.interval < 1 or self.layers < 1:
            raise InputError(f"Features are reused at an interval and over layers from 1, not {self.interval} and {self.layers}.")


@dataclass(frozen=True)
class VideoSamplingConfig(SamplingConfig):
    """How windows of video are drawn. No trained weight depends on it.

    Args:
        num_inference_steps: See `SamplingConfig`, as for the next three.
        crossfade_frames: None by default, since a blend of two latents is no picture between them.
        uncond_mode: What ε(∅) means.
        spacing: At which noise levels the steps are.
        reuse: How often a UNet's deep layers are computed; None for every step.
    """

    num_inference_steps: int = 25
    reuse: FeatureReuse | None = None
