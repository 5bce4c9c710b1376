"""One run of the tiny video model on `world` CPU processes; writes what it saw and what it became, and a checkpoint.

python -m tests.draw.video.processes RANK WORLD PORT STRATEGY OUTPUT [CHECKPOINT]
"""

import os
import sys
import time

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
TRAINABLE = ["denoiser.null_tokens", "denoiser.reference.*", "denoiser.unet.*_blocks.*", "plan_encoder.*", "audio_encoder.*"]
"""Nearly all; what does not train lies between what does."""
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


def main(rank: int, world: int, port: str, strategy: str, output: str, start: str | None = None) -> None:
    os.environ |= {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port, "RANK": str(rank), "WORLD_SIZE": str(world), "LOCAL_RANK": str(rank)}
    torch.set_num_threads(1)
    losses, model = Losses(), tiny_video_model(training=VideoTraining(trainable=TRAINABLE), memory=MemoryOptions("some"))
    metric = MeanMetric()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(rank)  # the first process's weights are to be everyone's

    class Validate(L.Callback):
        def on_validation_batch_end(self, trainer, module, outputs, batch, batch_idx, dataloader_idx=0) -> None:
            metric.update(batch["frames"].float().mean((1, 2, 3, 4)))

    trainer = L.Trainer(
        max_steps=2 * STEPS if start else STEPS, accelerator="cpu", devices=world, strategy=STRATEGIES[strategy](),
        callbacks=[losses, Validate()], val_check_interval=STEPS, num_sanity_val_steps=0, gradient_clip_val=1.0, logger=False,
        enable_checkpointing=False, enable_progress_bar=False, enable_model_summary=False,
    )  # fmt: skip
    trainer.fit(model, TinyVideoData(batch_size=GLOBAL_BATCH // world), ckpt_path=start, weights_only=False)
    trainer.save_checkpoint(f"{output}.ckpt")
    results = {
        "ids": losses.ids,
        "losses": losses.values,
        "logged": float(trainer.callback_metrics["train/loss"]),
        "validation": float(trainer.callback_metrics["val/loss"]),
        "metric": float(metric.compute()),
        "optimized": sum(_own(p).numel() for group in trainer.optimizers[0].param_groups for p in group["params"]),
        "weights": {name: _whole(p.detach()).clone() for name, p in model.named_parameters()},
    }
    torch.save(results, f"{output}.{rank}")
    # one that leaves closes its sockets, which another may still be reading
    deadline = time.monotonic() + 60
    while not all(os.path.exists(f"{output}.{other}") for other in range(world)) and time.monotonic() < deadline:
        time.sleep(0.1)


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]), *sys.argv[3:])
