"""One run of the tiny video model on `world` CPU processes; writes what it saw and what it became.

python -m tests.draw.two_processes RANK WORLD PORT OUTPUT
"""

import os
import sys

import lightning as L
import torch
from torchmetrics import MeanMetric

from tests.draw.tiny_video import Losses, TinyVideoData, tiny_video_model

STEPS = 2
GLOBAL_BATCH = 4


def main(rank: int, world: int, port: str, output: str) -> None:
    os.environ |= {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port, "RANK": str(rank), "WORLD_SIZE": str(world), "LOCAL_RANK": str(rank)}
    torch.set_num_threads(1)
    losses, model = Losses(), tiny_video_model()
    metric = MeanMetric()

    class Validate(L.Callback):
        def on_validation_batch_end(self, trainer, module, outputs, batch, batch_idx, dataloader_idx=0) -> None:
            metric.update(batch["frames"].float().mean((1, 2, 3, 4)))

    trainer = L.Trainer(
        max_steps=STEPS, accelerator="cpu", devices=world, strategy="ddp" if world > 1 else "auto", callbacks=[losses, Validate()],
        val_check_interval=STEPS, num_sanity_val_steps=0, gradient_clip_val=1.0, logger=False, enable_checkpointing=False,
        enable_progress_bar=False, enable_model_summary=False,
    )  # fmt: skip
    trainer.fit(model, TinyVideoData(batch_size=GLOBAL_BATCH // world))
    results = {
        "ids": losses.ids,
        "losses": losses.values,
        "validation": float(trainer.callback_metrics["val/loss"]),
        "metric": float(metric.compute()),
        "weights": {name: p.detach().clone() for name, p in model.named_parameters()},
    }
    torch.save(results, f"{output}.{rank}")


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3], sys.argv[4])
