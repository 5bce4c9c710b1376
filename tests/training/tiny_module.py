"""A linear layer with dropout and ten samples: what callbacks need of a model and its data, in hundredths of a second."""

import lightning as L
import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset

from tbd.data.datasets.samplers import EpochSampler, ResumableLoader
from tbd.draw.optim import ExactModule


class TinyModule(ExactModule):
    """Learns a line; its dropout is another one in each step."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.layers = nn.Sequential(nn.Linear(3, 8), nn.Dropout(0.5), nn.Linear(8, 1))

    def training_step(self, batch: dict[str, Tensor], batch_idx: int) -> Tensor:
        return (self.layers(batch["x"])[:, 0] - batch["y"]).square().mean()

    def validation_step(self, batch: dict[str, Tensor], batch_idx: int) -> None:
        pass

    def configure_optimizers(self) -> torch.optim.Optimizer:
        return torch.optim.AdamW(self.parameters(), lr=0.01)


class _Samples(Dataset):
    def __len__(self) -> int:
        return 10

    def __getitem__(self, number: int) -> dict[str, Tensor]:
        generator = torch.Generator().manual_seed(number % 10)
        return {"x": torch.randn(3, generator=generator), "y": torch.randn((), generator=generator), "id": torch.tensor(number)}


class TinyData(L.LightningDataModule):
    """Five batches an epoch, in an order that a resumed run goes on with."""

    def train_dataloader(self) -> DataLoader:
        sampler = EpochSampler(10, 2, seed=3)
        return ResumableLoader(_Samples(), sampler, self.trainer, batch_size=2, drop_last=True)

    def val_dataloader(self) -> DataLoader:
        return DataLoader(_Samples(), 2)
