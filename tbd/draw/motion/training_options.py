"""What configurations say of a motion model's training, grouped."""

import math
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor
from torch.nn import functional as F

from tbd.draw.motion.normalization import ChannelStatistics
from tbd.draw.training_options import TrainingConfig
from tbd.errors import InputError


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
        outlier: Error, in deviations of a channel, from which the loss grows with the error instead of its square (Huber): a
            tracker's jumps in filmed motion would else rule it. Infinite where not given.
    """

    velocity_weight: float = 1.0
    lip_weight: float = 1.0
    weighting: Literal["sample", "prediction"] = "sample"
    outlier: float = math.inf

    def __post_init__(self) -> None:
        if not self.outlier > 0:
            raise InputError(f"loss.outlier is a number of deviations above 0, not {self.outlier}.")

    def cost(self, error: Tensor) -> Tensor:
        """Compute what an error costs: its square, or what continues the square straight beyond `outlier`.

        Args:
            error: Of any shape, in deviations.

        Returns:
            The cost, of the same shape.

        Example:
            >>> MotionLoss(outlier=2.0).cost(torch.tensor([1.0, -3.0]))
            tensor([1., 8.])
        """
        if math.isinf(self.outlier):
            return error.square()
        return 2 * F.huber_loss(error, torch.zeros_like(error), reduction="none", delta=self.outlier)


@dataclass(frozen=True)
class MotionTraining(TrainingConfig):
    """What the training of a motion model alone reads, but for the optimizer.

    Args:
        conditioning_dropout: How often training withholds which condition.
        noise: Which noise training adds.
        seed: Seed of the run, which decides all noise with the samples' numbers; None for that of ``seed_everything``.
        loss: What the training loss weighs.
        statistics: Mean and standard deviation of the channels; None for those of the initial weights or of the data.
        expression_deviation: Factor on the data's standard deviation of brows, lids, cheeks, nose and smile. Strong emotions rule it;
            with a factor below 1, what these do in plain speech counts more against the noise, and is learnt, too.
        frozen: Parts whose weights stay as they are: any of denoiser, plan_encoder, audio_encoder.
    """

    loss: MotionLoss = MotionLoss()
    statistics: ChannelStatistics | None = None
    expression_deviation: float = 1.0
    frozen: tuple[Literal["denoiser", "plan_encoder", "audio_encoder"], ...] = ()
