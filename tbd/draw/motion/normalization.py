"""Mean and standard deviation of the channels that a motion model works in: given, the data set's, or estimated from batches."""

import copy
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

import numpy as np
import torch
from lightning.pytorch.utilities import rank_zero_warn
from torch import Tensor
from torch.utils.data import DataLoader

from tbd.draw.motion.sampler import MotionSampler
from tbd.draw.window_diffusion import WindowDiffusion
from tbd.errors import InputError
from tbd.face.channels import CHANNELS

BATCHES = 16
"""Batches of each process that statistics are estimated from."""

EXPRESSION_CHANNELS = ("brow", "cheekSquint", "eyeSquint", "eyeWide", "noseSneer", "mouthSmile", "mouthDimple")
"""Starts of the names of channels that move far in an emotion and little in plain speech."""


@dataclass(frozen=True)
class ChannelStatistics:
    """Mean and standard deviation of the motion that a model is trained on.

    Args:
        mean: 58 numbers, one for each channel.
        std: 58 numbers, 0 or more.
    """

    mean: list[float]
    std: list[float]


class NormalizedDiffusion(MotionSampler, WindowDiffusion):
    """A diffusion of motion with zero mean and unit deviation of each channel.

    The statistics are the model's own, in its weights: the given ones; else those of the weights that it starts from; else the
    DataModule's; else, with a warning, of the first batches.
    """

    expression_deviation: float = 1.0
    """Factor on the data's deviation of `EXPRESSION_CHANNELS`; see `tbd.draw.motion.training_options.MotionTraining`."""

    def watch_statistics(self) -> None:
        """Notice when loaded weights bring statistics, to be called in the constructor."""
        self.register_load_state_dict_post_hook(_know_statistics)
        self._statistics_known = False

    def set_statistics(self, mean: Tensor, std: Tensor) -> None:
        """Diffuse motion of other statistics.

        Args:
            mean: (58,) mean of each channel.
            std: (58,) standard deviation of each channel.
        """
        average = next((c._average_model.module for c in self._callbacks() if getattr(c, "_average_model", None) is not None), None)
        for model in (self, average):  # a copy whose weights are averaged was made before the data were known
            if model is not None:
                model.mean.copy_(mean)
                model.std.copy_(std)
        self._statistics_known = True

    def on_fit_start(self) -> None:
        """Take the statistics from the data; a resumed run's come from its checkpoint and are the same."""
        statistics = getattr(getattr(self.trainer, "datamodule", None), "statistics", None)
        if not self._statistics_known and statistics is not None:
            self._take_statistics(*statistics())

    def on_train_start(self) -> None:
        """Estimate the statistics where nothing knows them."""
        if not self._statistics_known:
            self._estimate_statistics()

    def on_validation_start(self) -> None:
        """Warn of a model without statistics."""
        if not self._statistics_known and not self.trainer.sanity_checking:
            rank_zero_warn("The model has no mean and std of the motion yet, so what it is validated on is not normalised; train it first.")

    def _take_statistics(self, mean: Tensor, std: Tensor) -> None:
        """Take the data's statistics."""
        expressive = torch.tensor([name.startswith(EXPRESSION_CHANNELS) for name in CHANNELS], device=std.device)
        self.set_statistics(mean, torch.where(expressive, std * self.expression_deviation, std))

    def _callbacks(self) -> list[Any]:
        return [] if self._trainer is None else list(getattr(self.trainer, "callbacks", ()))

    def _estimate_statistics(self) -> None:
        """Look ahead at the first batches of all processes, which training will go through all the same."""
        loader = self.trainer.train_dataloader
        if isinstance(loader, Iterator):
            raise InputError("The training batches can be read but once, so mean and std cannot be estimated: give the model `statistics`.")
        if isinstance(loader, DataLoader):  # with workers that persist it would hand out the iterator that training goes on with
            loader = copy.copy(loader)
            loader._iterator = None
        with torch.random.fork_rng(devices=[]):  # a loader that shuffles draws its order from here
            found = self.summed(moments(loader or ()))
        self._take_statistics(*from_moments(found.cpu()))
        rank_zero_warn(
            "The model was given no mean and std of the motion, and the data have no `statistics`: both were estimated from "
            f"{int(found[0, 0])} frames of the first training batches. Give mean and std, or a DataModule that knows those of all.",
            category=UserWarning,
        )


def _know_statistics(model: Any, _: Any) -> None:
    """Loaded weights bring their statistics, but for those of a model that never had any."""
    if bool((model.mean != 0).any()) or bool((model.std != 1).any()):
        model._statistics_known = True


def least_deviation() -> Tensor:
    """(58,) least standard deviation of each channel: 0.03 for blendshapes, 0.01 for the head.

    Below it, the noise of a channel that hardly moves would weigh as much as the jaw.
    """
    return torch.tensor([0.01 if name.startswith("head") else 0.03 for name in CHANNELS])


def given_statistics(mean: Sequence[float], std: Sequence[float]) -> tuple[Tensor, Tensor]:
    """Check statistics that somebody set by hand.

    Args:
        mean: 58 numbers.
        std: 58 numbers; one of 0, of a channel that never moves, becomes `least_deviation`.

    Returns:
        Mean and standard deviation, (58,) float32 each.

    Raises:
        InputError: If they are not 58 finite numbers each, or a standard deviation is below 0.
    """
    for name, values in (("mean", mean), ("std", std)):
        if len(values) != len(CHANNELS) or not np.isfinite(np.asarray(values, float)).all():
            raise InputError(f"{name} takes {len(CHANNELS)} finite numbers, one for each channel of a motion; it got {len(values)}.")
    if min(std) < 0:
        raise InputError(f"std holds {min(std)}; a standard deviation is 0 or more.")
    deviation = torch.tensor(list(map(float, std)))
    return torch.tensor(list(map(float, mean))), torch.where(deviation > 0, deviation, least_deviation())


def moments(batches: Iterable[dict[str, Any]], count: int = BATCHES) -> Tensor:
    """Sum the channels over the frames that exist of the first batches.

    Args:
        batches: Batches with ``motion`` (B, T, 58) and, where windows are padded, ``mask`` (B, T).
        count: Number of batches to read.

    Returns:
        (3, 58) float64: frames, sums and sums of squares.

    Raises:
        InputError: If a batch holds no motion.
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
