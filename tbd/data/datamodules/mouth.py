"""`MouthDataModule`: crops of filmed mouths, people of validation apart."""

from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from tbd.data.datasets.samplers import EpochSampler, ResumableLoader, SeededDataModule, is_overfitting
from tbd.data.preprocess.mouths import FIELDS
from tbd.draw.randomness import run_seed
from tbd.errors import InputError
from tbd.utils.input_checks import require_at_least, require_within


class MouthDataset(Dataset):
    """Crops of some people.

    Args:
        arrays: The fields of `tbd.data.preprocess.mouths.MouthSample`, each (N, …).
        indices: Which of them.
    """

    def __init__(self, arrays: dict[str, np.ndarray], indices: np.ndarray) -> None:
        self._arrays, self._indices = arrays, indices

    def __len__(self) -> int:
        return len(self._indices)

    def __getitem__(self, index: int) -> dict[str, Tensor]:
        # an `EpochSampler` counts on from epoch to epoch
        return {name: torch.from_numpy(self._arrays[name][self._indices[index % len(self)]]) for name in FIELDS}


class MouthDataModule(SeededDataModule):
    """Crops that ``tbd preprocess mouths`` wrote.

    Args:
        path: The .npz file.
        batch_size: Crops per batch, on each device.
        val_share: Share of the people that validation is on; none of them is trained on.
        num_workers: Loader processes.
        seed: Which people these are.
    """

    def __init__(
        self, path: str = "data/mouths.npz", batch_size: int = 64, val_share: float = 0.2, num_workers: int = 0, seed: int = 0
    ) -> None:
        super().__init__()
        require_at_least(1, batch_size=batch_size)
        require_at_least(0, num_workers=num_workers)
        require_within(0, 1, val_share=val_share)
        self.path, self.batch_size, self.val_share, self.num_workers = Path(path), batch_size, val_share, num_workers
        self.people_seed, self.seed = seed, run_seed()

    def setup(self, stage: str | None = None) -> None:
        """Read the file; called by Lightning.

        Args:
            stage: Not read.

        Raises:
            InputError: If it is missing, is none, or holds fewer than two people.
        """
        try:
            with np.load(self.path, allow_pickle=False) as archive:
                self._arrays = {name: archive[name] for name in (*FIELDS, "person")}
        except (OSError, ValueError, KeyError):
            raise InputError(
                f"There are no crops of mouths in {self.path}, or not all that belongs to them; `tbd preprocess mouths` writes them."
            ) from None
        people = np.unique(self._arrays["person"])
        if len(people) < 2:
            raise InputError(f"{self.path} holds one person; training needs others to validate on.")
        apart = np.random.default_rng(self.people_seed).permutation(people)[
            : max(1, min(round(self.val_share * len(people)), len(people) - 1))
        ]
        held_out = np.isin(self._arrays["person"], apart)
        self.train_set = MouthDataset(self._arrays, np.flatnonzero(~held_out))
        self.val_set = MouthDataset(self._arrays, np.flatnonzero(held_out))
        self.datasets = {"train": self.train_set, "val": self.val_set}

    def train_dataloader(self) -> DataLoader:
        """Crops in an order that checkpoints remember."""
        size = min(self.batch_size, len(self.train_set))
        if is_overfitting(self.trainer):
            return DataLoader(self.train_set, size, num_workers=self.num_workers)
        sampler = EpochSampler(len(self.train_set), size, self.seed)
        return ResumableLoader(self.train_set, sampler, self.trainer, batch_size=size, num_workers=self.num_workers, drop_last=True)

    def val_dataloader(self) -> DataLoader:
        """Crops of the other people."""
        return DataLoader(self.val_set, self.batch_size, num_workers=self.num_workers)

    test_dataloader = val_dataloader
