"""What configurations say of a video model's training, grouped."""

from collections.abc import Sequence
from dataclasses import dataclass
from fnmatch import fnmatch
from typing import ClassVar

from torch import nn

from tbd.draw.training_options import ConditioningDropout, TrainingConfig, TrainingNoise


@dataclass(frozen=True)
class VideoConditioningDropout(ConditioningDropout):
    """How often a video model's training samples go without a condition.

    Args:
        muscles: Probability that the muscles are withheld.
        emotion: Probability that the emotion is withheld as well, given that the muscles are.
        audio: Probability that the audio is withheld.
        past: Probability that a window continues nothing.
        emotion_alone: Probability that the emotion alone is withheld, given that the muscles are kept.
        hint: Probability that the coarse frames are withheld.
    """

    past: float = 0.3
    hint: float = 0.1

    conditions: ClassVar[tuple[str, ...]] = (*ConditioningDropout.conditions, "hint")


@dataclass(frozen=True)
class VideoTraining(TrainingConfig):
    """What the training of a video model alone reads, but for the optimizer.

    Args:
        conditioning_dropout: How often training withholds which condition.
        noise: Which noise training adds.
        seed: Seed of the run, which decides all noise with the samples' numbers; None for that of ``seed_everything``.
        min_snr_gamma: γ of min-SNR weighting; None weighs the prediction's error alike at all noise levels.
        trainable: Patterns of the parameter names that train, as a shell's (``denoiser.unet.*motion_modules*``).
        cuda_graphs: Whether to replay the prediction and its gradient as CUDA graphs, which saves the launch of each kernel; for batches of
            few windows on each GPU, without gradients accumulated over batches.
    """

    conditioning_dropout: VideoConditioningDropout = VideoConditioningDropout()
    noise: TrainingNoise = TrainingNoise(past=0.05, offset=0.05)
    min_snr_gamma: float | None = 5.0
    trainable: Sequence[str] = ("*",)
    cuda_graphs: bool = False


def freeze_all_but(module: nn.Module, patterns: Sequence[str]) -> None:
    """Leave trainable those parameters alone whose name matches; what was frozen stays frozen.

    Args:
        module: The module.
        patterns: Patterns of its parameters' names, as a shell's.

    Raises:
        ValueError: If a pattern matches no parameter that could train.
    """
    free = {name: p for name, p in module.named_parameters() if p.requires_grad}
    for pattern in patterns:
        if not any(fnmatch(name, pattern) for name in free):
            raise ValueError(
                f"trainable has the pattern {pattern!r}, which matches no parameter that could train, such as {next(iter(free))}."
            )
    for name, parameter in free.items():
        parameter.requires_grad_(any(fnmatch(name, pattern) for pattern in patterns))
