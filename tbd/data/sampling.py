"""The order in which training meets its samples: the same on any number of processes, and after a kill and resume."""

from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch.utils.data import DataLoader, DistributedSampler


class EpochSampler(DistributedSampler):
    """Sample numbers, epoch by epoch, each epoch in an order of its own.

    Sample number ``epoch · length + i`` stands for item i in that epoch, so that whatever chance an item meets can depend on
    the number alone. Process r of W takes every W-th, so that the processes' batches of one step are together what one process
    with a W times larger batch would take. What does not fill a step of all processes is left out.

    It is a `DistributedSampler` so that Lightning leaves it in place.

    Args:
        length: of the dataset.
        batch_size: of one process.
        seed: of the orders.
        rank, world: which process of how many.

    Raises:
        ValueError: there are fewer items than one step takes.
    """

    def __init__(self, length: int, batch_size: int, seed: int = 0, rank: int = 0, world: int = 1) -> None:
        self.length, self.step, self.seed, self.rank, self.world = length, batch_size * world, seed, rank, world
        self.epoch = self.taken = 0
        if self.step > length:
            raise ValueError(
                f"A step takes {batch_size} samples on each of {world} processes; the dataset has {length}. Lower the batch size."
            )

    @property
    def per_epoch(self) -> int:
        """Samples that all processes together take in an epoch."""
        return self.length // self.step * self.step

    def __len__(self) -> int:
        return self.per_epoch // self.world

    def __iter__(self) -> Iterator[int]:
        generator = torch.Generator().manual_seed(self.seed + self.epoch)
        order = torch.randperm(self.length, generator=generator)[: self.per_epoch] + self.epoch * self.length
        yield from order[self.taken + self.rank :: self.world].tolist()

    def set_epoch(self, epoch: int) -> None:
        """Lightning calls this before each epoch; the one that was resumed keeps its place."""
        if epoch != self.epoch:
            self.epoch, self.taken = epoch, 0

    def skip_to(self, samples: int) -> None:
        """Go on behind `samples` that all processes together have met since the beginning."""
        self.epoch, self.taken = divmod(samples, self.per_epoch)
        self.taken -= self.taken % self.step  # another number of processes may have left a step half done


class ResumableLoader(DataLoader):
    """A loader over an `EpochSampler` that Lightning's checkpoints remember the place of.

    Args:
        consumed: how many samples all processes together have trained on; asked when a checkpoint is written.
        options: `DataLoader`'s.
    """

    def __init__(self, *args: Any, consumed: Callable[[], int], **options: Any) -> None:
        super().__init__(*args, **options)
        self.consumed = consumed

    def state_dict(self) -> dict[str, int]:
        return {"samples": self.consumed()}

    def load_state_dict(self, state: dict[str, int]) -> None:
        self.sampler.skip_to(state["samples"])
