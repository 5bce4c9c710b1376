"""Mean and standard deviation of the channels that a motion model works in: given, the data set's, or estimated from batches."""

from collections.abc import Iterable, Sequence
from itertools import islice
from typing import Any

import numpy as np
import torch
from torch import Tensor

from tbd.errors import InputError
from tbd.face.channels import CHANNELS

BATCHES = 16
"""Batches of each process that statistics are estimated from."""


def least_deviation() -> Tensor:
    """(58,) what a channel's standard deviation is taken for at least, or the noise of one that hardly moves would weigh as
    much as the jaw: 0.03 for blendshapes, 0.01 for the head."""
    return torch.tensor([0.01 if name.startswith("head") else 0.03 for name in CHANNELS])


def given_statistics(mean: Sequence[float], std: Sequence[float]) -> tuple[Tensor, Tensor]:
    """What somebody set by hand; a deviation of 0, of a channel that never moves, becomes `least_deviation`.

    Raises:
        InputError: they are not 58 numbers each, or one cannot be.
    """
    for name, values in (("mean", mean), ("std", std)):
        if len(values) != len(CHANNELS) or not np.isfinite(np.asarray(values, float)).all():
            raise InputError(f"{name} takes {len(CHANNELS)} finite numbers, one for each channel of a motion; it got {len(values)}.")
    if min(std) < 0:
        raise InputError(f"std holds {min(std)}; a standard deviation is 0 or more.")
    deviation = torch.tensor(list(map(float, std)))
    return torch.tensor(list(map(float, mean))), torch.where(deviation > 0, deviation, least_deviation())


def moments(batches: Iterable[dict[str, Any]], count: int = BATCHES) -> Tensor:
    """(3, 58) float64: frames, sums and sums of squares of the channels, over the frames that are there of the first batches.

    Args:
        batches: with ``motion`` (B, T, 58) and, where windows are padded, ``mask`` (B, T).
        count: how many.

    Raises:
        InputError: a batch holds no motion.
    """
    found = torch.zeros(3, len(CHANNELS), dtype=torch.float64)
    for batch in islice(batches, count):
        if not (isinstance(batch, dict) and "motion" in batch):
            raise InputError("A motion model trains on batches that are dicts with motion, audio, plan and mask (see MotionDiffusion).")
        motion = batch["motion"].double().cpu()
        frames = motion[batch["mask"].cpu() > 0] if "mask" in batch else motion.flatten(0, 1)
        found += torch.stack([torch.full((len(CHANNELS),), float(len(frames))).double(), frames.sum(0), frames.square().sum(0)])
    return found


def from_moments(found: Tensor) -> tuple[Tensor, Tensor]:
    """Mean and standard deviation, (58,) float32 each, of what `moments` found."""
    frames, total, square = found
    mean = total / frames.clamp(min=1)
    std = (square / frames.clamp(min=1) - mean.square()).clamp(min=0).sqrt()
    return mean.float(), std.float().maximum(least_deviation())
