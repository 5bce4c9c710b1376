"""The order in which samples come: the same on any number of processes, and after a kill and resume."""

from collections.abc import Iterator
from typing import Any

import lightning as L
import torch
from torch import Tensor
from torch.utils.data import DataLoader, DistributedSampler

from tbd.draw.optim import pending_batches
from tbd.errors import InputError


def _too_few(windows: int, batch_size: int, world: int) -> str:
    fits = windows // world
    each = f" on each of {world} devices" if world > 1 else ""
    advice = f"give --data.init_args.batch_size={fits} or less, or more clips" if fits else "give more clips"
    return f"Training has {windows} windows, fewer than the batch_size of {batch_size}{each}; {advice}."


class EpochSampler(DistributedSampler):
    """Sample numbers for training, epoch by epoch, each epoch in an order of its own.

    An epoch makes one or several passes over the items. Sample number ``pass · length + i`` stands for item i in that pass, so that
    whatever chance an item meets can depend on the number alone. Where items are drawn by weight, one that is drawn several times in
    a pass has a number of its own each time; its remainder by the length is still i. Process r of W takes every W-th, so
    that the processes' batches of one step are together what one process with a W times larger batch would take. What does not fill a
    step of all processes is left out.

    It is a `DistributedSampler` so that Lightning leaves it in place.

    Args:
        length: of the dataset.
        batch_size: of one process.
        seed: of the orders.
        rank, world: which process of how many.
        weights: (length,) how often each item is drawn, relative to the others; each once where not given.
        passes: of an epoch.

    Raises:
        InputError: there are fewer items than one step takes.
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
        """Samples that all processes together take in an epoch."""
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
        """Lightning calls this before each epoch; the one that was resumed keeps its place."""
        if epoch != self.epoch:
            self.epoch, self.taken = epoch, 0

    def skip_to(self, epoch: int, taken: int) -> None:
        """Go on behind the first `taken` samples that all processes together have met in an epoch."""
        # another number of processes may have left a step half done
        self.epoch, self.taken = epoch, taken - taken % self.step


class ResumableLoader(DataLoader):
    """A loader over an `EpochSampler` that Lightning's checkpoints remember the place of.

    The place is what the trainer has trained on, not what workers have fetched ahead, and leads back to the last step of
    the optimizer.

    Args:
        trainer: asked when a checkpoint is written.
        options: `DataLoader`'s.
    """

    def __init__(self, *args: Any, trainer: L.Trainer, **options: Any) -> None:
        super().__init__(*args, **options)
        self.trainer = trainer

    def state_dict(self) -> dict[str, int]:
        done = self.trainer.fit_loop.epoch_loop.batch_progress.current.processed - pending_batches(self.trainer)
        epoch = self.trainer.current_epoch
        if done == self.trainer.num_training_batches:
            epoch, done = epoch + 1, 0
        return {"epoch": epoch, "samples": done * self.sampler.step}

    def load_state_dict(self, state: dict[str, int]) -> None:
        self.sampler.skip_to(state["epoch"], state["samples"])


class EvaluationSampler(DistributedSampler):
    """Items for validation and test: each once, or a number of them, evenly spread.

    Every process takes equally many batches, or those that are done would leave the others waiting: a batch that is missing to that is
    made up by a repeat, which a `tbd.draw.sample_means.Tally` counts once.

    Args:
        length: of the dataset.
        count: how many items; all where not given.
        rank, world: which process of how many.
        batch_size: of one process.
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
        """The items are the same in every epoch."""


class SeededDataModule(L.LightningDataModule):
    """A DataModule that keeps its seed in checkpoints: a resumed run meets the samples of the first, whatever seed it was started with.

    Subclasses set `seed` and `datasets`, each of which has a ``seed`` of its own.
    """

    seed: int
    datasets: dict[str, Any]

    def state_dict(self) -> dict[str, int]:
        return {"seed": self.seed}

    def load_state_dict(self, state: dict[str, int]) -> None:
        self.seed = state["seed"]
        for dataset in self.datasets.values():
            dataset.seed = self.seed
