"""What configurations say of a motion model's training, grouped."""

from dataclasses import dataclass

from tbd.draw.motion.normalization import ChannelStatistics
from tbd.draw.training_options import TrainingConfig


@dataclass(frozen=True)
class MotionLoss:
    """What the training loss weighs.

    Args:
        velocity_weight: Weight of the loss on frame-to-frame differences.
        lip_weight: Weight of a channel of the lower face against that of any other: viewers forgive no error there, and blinks,
            gaze and head are random, so that there is nothing to learn but their statistics.
    """

    velocity_weight: float = 1.0
    lip_weight: float = 1.0


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
