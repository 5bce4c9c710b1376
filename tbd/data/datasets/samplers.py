"""Samplers whose order is the same on any number of processes, and after a kill and resume."""

from collections.abc import Iterator
from typing import Any

import lightning as L
import torch
from lightning.pytorch.loops.progress import _ProcessedTracker
from torch import Tensor
from torch.utils.data import DataLoader, Dataset, DistributedSampler

from tbd.draw.optim import pending_batches
from tbd.errors import InputError
from tbd.utils.jobs.forks import leave_garbage_to_parents


def _too_few(windows: int, batch_size: int, world: int) -> str:
    fits = windows // world
    each = f" on each of {world} devices" if world > 1 else ""
    advice = f"give --data.init_args.batch_size={fits} or less, or more clips" if fits else "give more clips"
    return f"Training has {windows} windows, fewer than the batch_size of {batch_size}{each}; {advice}."


class EpochSampler(DistributedSampler):
    """Sample numbers for training, epoch by epoch, each epoch in an order of its own.

    An epoch makes one or several passes over the items. Sample number ``pass · length + i`` stands for item i in that pass, so that
    all randomness of an item can depend on the number alone. Where items are sampled by weight, one that is taken several times in
    a pass has a number of its own each time; its remainder by the length is still i. Process r of W takes every W-th, so
    that the processes' batches of one step are together what one process with a W times larger batch would take. What does not fill a
    step of all processes is left out.

    It is a `DistributedSampler` so that Lightning leaves it in place.

    Args:
        length: Number of items of the dataset.
        batch_size: Of one process.
        seed: Of the orders.
        rank: Which process this is.
        world: Number of processes.
        weights: (length,) how often each item is taken, relative to the others; each once where not given.
        passes: Over the items in an epoch.

    Raises:
        InputError: If there are fewer items than one step takes.

    Example:
        >>> [len(set(EpochSampler(6, 2, rank=rank, world=2))) for rank in (0, 1)]
        [2, 2]
    """

    def __init__(
        self,
        length: int,
        batch_size: int,
        seed: int = 0,
        rank: int = 0,
        world: int = 1,
        weights: Tensor | None = None,
        passes: int = 1,
    ) -> None:
        self.length, self.step, self.seed, self.rank, self.world = length, batch_size * world, seed, rank, world
        self.weights, self.passes = None if weights is None else weights.double().cpu(), passes
        self.epoch = self.taken = 0
        if self.step > length * passes:
            raise InputError(_too_few(length * passes, batch_size, world))

    @property
    def per_epoch(self) -> int:
        """Number of samples that all processes together take in an epoch."""
        return self.length * self.passes // self.step * self.step

    def __len__(self) -> int:
        return self.per_epoch // self.world

    def __iter__(self) -> Iterator[int]:
        first = self.epoch * self.passes
        order = torch.cat([self._pass(number) for number in range(first, first + self.passes)])[: self.per_epoch]
        yield from order[self.taken + self.rank :: self.world].tolist()

    def _pass(self, number: int) -> Tensor:
        """(length,) sample numbers."""
        generator = torch.Generator().manual_seed((self.seed << 20) + number)
        if self.weights is None:
            return torch.randperm(self.length, generator=generator) + number * self.length
        reach = self.weights.cumsum(0) / self.weights.sum()
        drawn = torch.searchsorted(reach, torch.rand(self.length, generator=generator, dtype=torch.float64)).clamp(max=self.length - 1)
        return drawn + (number * self.length + torch.arange(self.length)) * self.length

    def set_epoch(self, epoch: int) -> None:
        """Begin an epoch, as Lightning asks before each; the one that was resumed keeps its place."""
        if epoch != self.epoch:
            self.epoch, self.taken = epoch, 0

    def skip_to(self, epoch: int, taken: int) -> None:
        """Go on within an epoch.

        Args:
            epoch: Number of the epoch.
            taken: Samples of it that all processes together have trained on.
        """
        # another number of processes may have left a step half done
        self.epoch, self.taken = epoch, taken - taken % self.step


class ResumableLoader(DataLoader):
    """A loader over an `EpochSampler` whose position Lightning's checkpoints keep.

    The position is what the trainer has trained on, not what workers have fetched ahead, and leads back to the last step of
    the optimizer.

    Args:
        data: The dataset.
        sampler: Its sampler.
        trainer: Whose progress counts; None for a loader that is never saved.
        options: `DataLoader`'s.
    """

    def __init__(self, data: Dataset, sampler: EpochSampler, trainer: L.Trainer | None, **options: Any) -> None:
        super().__init__(data, sampler=sampler, **options)
        self.epoch_sampler, self.trainer = sampler, trainer

    def state_dict(self) -> dict[str, int]:
        """Position for a checkpoint: epoch, and samples of it."""
        assert self.trainer is not None
        progress = self.trainer.fit_loop.epoch_loop.batch_progress.current
        assert isinstance(progress, _ProcessedTracker)
        done = progress.processed - pending_batches(self.trainer)
        epoch = self.trainer.current_epoch
        if done == self.trainer.num_training_batches:
            epoch, done = epoch + 1, 0
        return {"epoch": epoch, "samples": done * self.epoch_sampler.step}

    def load_state_dict(self, state: dict[str, int]) -> None:
        """Go on at a checkpoint's position."""
        self.epoch_sampler.skip_to(state["epoch"], state["samples"])


def is_overfitting(trainer: L.Trainer | None) -> bool:
    """Return whether a run goes through the same few batches again and again (``Trainer(overfit_batches=...)``).

    Lightning then wants to put a sampler of its own into the training's loader, which a `ResumableLoader` has no room for.
    """
    return trainer is not None and bool(trainer.overfit_batches)  # type: ignore[attr-defined]  # set by a connector of Lightning


class EvaluationSampler(DistributedSampler):
    """Items for validation and test: each once, or a number of them, evenly spread.

    Every process takes equally many batches, or the first to finish would leave the others waiting: a process that is one short
    repeats an item, which a `tbd.draw.sample_means.Tally` counts once.

    Args:
        length: Number of items of the dataset.
        count: How many items to take; all where not given.
        rank: Which process this is.
        world: Number of processes.
        batch_size: Of one process.

    Example:
        >>> list(EvaluationSampler(10, 4))
        [0, 2, 5, 7]
    """

    def __init__(self, length: int, count: int | None = None, rank: int = 0, world: int = 1, batch_size: int = 1) -> None:
        count = min(count or length, length)
        items = [i * length // count for i in range(count)]
        own, most = items[rank::world], items[::world]
        short = -(-len(own) // batch_size) < -(-len(most) // batch_size)
        self.items = own + items[:1] if short else own

    def __len__(self) -> int:
        return len(self.items)

    def __iter__(self) -> Iterator[int]:
        return iter(self.items)

    def set_epoch(self, epoch: int) -> None:
        """Do nothing: the items are the same in every epoch."""


class SeededDataModule(L.LightningDataModule):
    """A DataModule that keeps its seed in checkpoints: a resumed run has the samples of the first, whatever seed it was started with.

    Subclasses set `seed` and `datasets`, each of which has a ``seed`` of its own.
    """

    seed: int
    datasets: dict[str, Any]

    def __init__(self) -> None:
        super().__init__()
        leave_garbage_to_parents()

    def process(self) -> tuple[int, int]:
        """Rank of this process, and the number of processes."""
        return (0, 1) if self.trainer is None else (self.trainer.global_rank, self.trainer.world_size)

    def state_dict(self) -> dict[str, int]:
        """Seed for a checkpoint."""
        return {"seed": self.seed}

    def load_state_dict(self, state: dict[str, int]) -> None:
        """Take over a checkpoint's seed."""
        self.seed = state["seed"]
        for dataset in self.datasets.values():
            dataset.seed = self.seed
