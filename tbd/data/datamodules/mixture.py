"""`MixtureDataModule`: several data sets as one, each with its share of every epoch."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from tbd.data.datamodules.base import MotionDataModule, with_val
from tbd.data.datasets.packed import Pack, TrainingClip
from tbd.errors import InputError


class MixtureDataModule(MotionDataModule):
    """Samples training windows from several DataModules by weight; validates and tests on all of them.

    Results on a mixture with procedural clips are never results on MEAD or HDTF: evaluate on each alone.

    Args:
        modules: What is mixed; of their own options only those that choose clips count. The phones of all are recognized by the
            mixture's recognizer.
        weights: How often a training window is sampled from each, relative to the others; equally where not given.
        kwargs: See `MotionDataModule`.

    Raises:
        InputError: If weights are negative, all 0, or not as many as modules.
    """

    def __init__(self, modules: list[MotionDataModule], weights: list[float] | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if weights is not None and (len(weights) != len(modules) or min(weights) < 0 or not sum(weights)):
            raise InputError(f"A mixture of {len(modules)} data sets takes as many weights, 0 or more and not all 0; got {weights}.")
        self.modules, self.shares = modules, weights or [1.0] * len(modules)
        for module in modules:  # which pack the phones of their own clips
            module.recognizer = self.recognizer

    def clips(self) -> list[TrainingClip]:
        """List the clips of all modules, in their order."""
        return [clip for module in self.modules for clip in with_val(module.clips())]

    @property
    def packed(self) -> tuple[Path, str]:
        """Refuse: the modules have packs of their own."""
        raise TypeError("A mixture packs nothing of its own.")

    def prepare_data(self) -> None:
        """Pack the clips of each module."""
        for module in self.modules:
            module.prepare_data()

    def packs(self) -> list[Pack]:
        """Open the packs of all modules, in their order."""
        return [p for module in self.modules for p in module.packs()]

    def _weights(self, clips: Sequence[TrainingClip]) -> Tensor:
        balanced = super()._weights(clips)
        train = self.datasets["train"]
        balanced = torch.ones(len(train), dtype=torch.float64) if balanced is None else balanced
        places = train.pack[train.clip].cpu()
        sums = torch.zeros(len(self.modules), dtype=torch.float64).index_add_(0, places, balanced)
        empty = [type(m).__name__ for m, total, share in zip(self.modules, sums, self.shares) if share and not total]
        if empty:
            raise InputError(f"{empty[0]} has no clips to train on, and the mixture gives it a share.")
        return balanced * (torch.tensor(self.shares, dtype=torch.float64) / sums.clamp(min=1e-9))[places]
