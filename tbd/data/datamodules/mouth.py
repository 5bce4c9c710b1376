"""`MouthDataModule`: crops of filmed mouths, people of validation apart."""

from pathlib import Path

import lightning as L
import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from tbd.data.preprocess.mouths import FIELDS
from tbd.errors import InputError


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
        return {name: torch.from_numpy(self._arrays[name][self._indices[index]]) for name in FIELDS}


class MouthDataModule(L.LightningDataModule):
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
        self.path, self.batch_size, self.val_share, self.num_workers, self.seed = Path(path), batch_size, val_share, num_workers, seed

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
            raise InputError(f"There are no crops of mouths in {self.path}; `tbd preprocess mouths` writes them.") from None
        people = np.unique(self._arrays["person"])
        if len(people) < 2:
            raise InputError(f"{self.path} holds one person; training needs others to validate on.")
        apart = np.random.default_rng(self.seed).permutation(people)[: max(1, min(round(self.val_share * len(people)), len(people) - 1))]
        held_out = np.isin(self._arrays["person"], apart)
        self.train_set = MouthDataset(self._arrays, np.flatnonzero(~held_out))
        self.val_set = MouthDataset(self._arrays, np.flatnonzero(held_out))

    def train_dataloader(self) -> DataLoader:
        """Shuffled crops."""
        return DataLoader(
            self.train_set, self.batch_size, shuffle=True, num_workers=self.num_workers, drop_last=len(self.train_set) > self.batch_size
        )

    def val_dataloader(self) -> DataLoader:
        """Crops of the other people."""
        return DataLoader(self.val_set, self.batch_size, num_workers=self.num_workers)

    test_dataloader = val_dataloader
