"""Runs of the tiny video model on `world` CPU processes, one after another; each writes what it saw and what it became.

python -m tests.ranks tests.draw.video.processes WORLD FOLDER [RUN …]

A run is a key of `STRATEGIES`, with ``+`` behind it where it goes on from the checkpoint of the first run of shares. All runs of a rank
share one process, since imports take longer than a run.
"""

import os
import time
from pathlib import Path
from typing import Any

import lightning as L
import torch
from lightning.pytorch.strategies import ModelParallelStrategy
from torch.distributed.tensor import DTensor
from torchmetrics import MeanMetric

from tbd.draw.video.precision import MemoryOptions
from tbd.draw.video.training_options import VideoTraining
from tests.draw.tiny_video import Losses, TinyVideoData, tiny_video_model

STEPS = 2
GLOBAL_BATCH = 4
TRAINABLE = [f"denoiser.{part}" for part in ("null_tokens", "reference.up_blocks.0.*", "unet.down_blocks.0.*")] + ["*_encoder.*"]
"""Something of each part; what does not train lies between what does. PyTorch works out how each operation on each share is laid out, which
takes longer than the training, so there is no more of it than shows something."""
STRATEGIES = {
    "auto": lambda: "auto",
    "ddp": lambda: "ddp",
    "shards": lambda: ModelParallelStrategy(save_distributed_checkpoint=False),
    "copies": lambda: ModelParallelStrategy(data_parallel_size=2, tensor_parallel_size=1, save_distributed_checkpoint=False),
}


def _whole(tensor: torch.Tensor) -> torch.Tensor:
    return tensor.full_tensor() if isinstance(tensor, DTensor) else tensor


def _own(tensor: torch.Tensor) -> torch.Tensor:
    return tensor.to_local() if isinstance(tensor, DTensor) else tensor


def main(rank: int, world: int, port: str, output: str, *runs: str) -> None:
    torch.set_num_threads(1)
    folder = Path(output)
    for run in runs:
        # each strategy's teardown removes some of them
        os.environ |= {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port, "RANK": str(rank), "WORLD_SIZE": str(world)}
        os.environ["LOCAL_RANK"] = str(rank)
        results = train(rank, world, run.rstrip("+"), folder / "shards.ckpt", goes_on=run.endswith("+"))
        torch.save(results, folder / f"{run}.{rank}")
    # one that leaves closes its sockets, which another may still be reading
    deadline = time.monotonic() + 60
    while not all((folder / f"{runs[-1]}.{other}").exists() for other in range(world)) and time.monotonic() < deadline:
        time.sleep(0.1)


def train(rank: int, world: int, strategy: str, checkpoint: Path, goes_on: bool = False) -> dict[str, Any]:
    """Train for two steps, or for two more from a checkpoint; a run of shares writes it."""
    losses, model = Losses(), tiny_video_model(training=VideoTraining(trainable=TRAINABLE), memory=MemoryOptions("some"))
    metric = MeanMetric()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(rank)  # the first process's weights are to be everyone's

    class Validate(L.Callback):
        def on_validation_batch_end(self, trainer, module, outputs, batch, batch_idx, dataloader_idx=0) -> None:
            metric.update(batch["frames"].float().mean((1, 2, 3, 4)))

    trainer = L.Trainer(
        max_steps=2 * STEPS if goes_on else STEPS, accelerator="cpu", devices=world, strategy=STRATEGIES[strategy](),
        callbacks=[losses, Validate()], val_check_interval=STEPS, num_sanity_val_steps=0, gradient_clip_val=1.0, logger=False,
        enable_checkpointing=False, enable_progress_bar=False, enable_model_summary=False,
    )  # fmt: skip
    data = TinyVideoData(batch_size=GLOBAL_BATCH // world)
    trainer.fit(model, data, ckpt_path=checkpoint if goes_on else None, weights_only=False)
    if strategy == "shards" and not goes_on:
        trainer.save_checkpoint(checkpoint)
    return {
        "ids": losses.ids,
        "losses": losses.values,
        "logged": float(trainer.callback_metrics["train/loss"]),
        "validation": float(trainer.callback_metrics["val/loss"]),
        "metric": float(metric.compute()),
        "optimized": sum(_own(p).numel() for group in trainer.optimizers[0].param_groups for p in group["params"]),
        "weights": {name: _whole(p.detach()).clone() for name, p in model.named_parameters()},
    }
