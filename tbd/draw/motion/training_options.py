"""What configurations say of a motion model's training, grouped."""

from dataclasses import dataclass
from typing import Literal

from tbd.draw.motion.normalization import ChannelStatistics
from tbd.draw.training_options import TrainingConfig


@dataclass(frozen=True)
class MotionLoss:
    """What the training loss weighs.

    Args:
        velocity_weight: Weight of the loss on frame-to-frame differences.
        lip_weight: Weight of a channel of the lower face against that of any other: viewers forgive no error there, and blinks,
            gaze and head are random, so that there is nothing to learn but their statistics.
        weighting: Whose error weighs alike at all noise levels: that of the clean ``sample``, whatever the denoiser predicts, so that
            the noisiest levels count, where audio and plan decide; or that of the ``prediction``. A denoiser that predicts ε needs
            the latter: at the noisiest levels its error in the clean sample is thousands of times its own.
    """

    velocity_weight: float = 1.0
    lip_weight: float = 1.0
    weighting: Literal["sample", "prediction"] = "sample"


@dataclass(frozen=True)
class MotionTraining(TrainingConfig):
    """What the training of a motion model alone reads, but for the optimizer.

    Args:
        conditioning_dropout: How often training withholds which condition.
        noise: Which noise training adds.
        seed: Seed of the run, which decides all noise with the samples' numbers; None for that of ``seed_everything``.
        loss: What the training loss weighs.
        statistics: Mean and standard deviation of the channels; None for those of the initial weights or of the data.
    """

    loss: MotionLoss = MotionLoss()
    statistics: ChannelStatistics | None = None
