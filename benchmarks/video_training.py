"""Seconds and memory of a training step at full size: Hallo's second stage, its adapters, and our own network's second stage.

    python -m benchmarks.video_training --output results/video_training.json          # one GPU, eight minutes
    python -m benchmarks.video_training --output x.json --tiny true                   # the same code on a CPU

Weights and batches are made up, latents and audio features are given, as a cache gives them; bf16 autocast, weights that train in float32,
forward, backward, clipping and AdamW. A window's frames are new ones; two more precede them in Hallo's network.
"""

import gc
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import torch
from diffusers import DDIMScheduler
from lightning import Callback, Trainer
from torch.utils.data import DataLoader

from benchmarks.common import environment, run, table, write_results
from benchmarks.video_speed import (
    FULL_AUTOENCODER,
    FULL_UNET,
    PLAN,
    STAGES,
    TINY_AUTOENCODER,
    TINY_UNET,
    Bench,
    GivenAudio,
    hallo_network,
)
from tbd.draw.conditioning.audio_encoder import MelEncoder
from tbd.draw.conditioning.plan_encoder import MuscleTokenEncoder
from tbd.draw.conditioning.plan_tensors import PlanTensors
from tbd.draw.guidance.classifier_free import ClassifierFreeGuidance
from tbd.draw.video.autoencoder import LatentCodec
from tbd.draw.video.denoiser import VideoUNet
from tbd.draw.video.diffusion import VideoDiffusion
from tbd.draw.video.hallo.adapted import add_lora
from tbd.draw.video.precision import MemoryOptions
from tbd.draw.video.training_options import VideoTraining
from tbd.draw.window_options import WindowConfig

TRAINABLE = {
    "Hallo": ["denoiser.unet.*audio_modules*", "denoiser.unet.*motion_modules*", "denoiser.audio_projection*"],
    "adapters": ["denoiser.unet.*lora_*", "denoiser.unet.*emotion_*", "denoiser.unet.*muscle_*", "denoiser.null_tokens", "plan_encoder.*"],
    "ours": STAGES["temporal"],
}
"""What trains: Hallo's second stage; `configs/experiment/video_from_hallo.yaml`; the second stage of our own network."""
PLAN_DIM = 320


@dataclass(frozen=True)
class Row:
    """One way to train.

    Args:
        network: of `TRAINABLE`.
        windows: of a batch.
        frames: new frames of a window.
        checkpointing: see `MemoryOptions`.
        compiled: whether the model is compiled.
        graphs: whether the step is replayed as CUDA graphs.
        fitted: whether Lightning's loop runs it, as `tbd fit` does.
        budget: the share of compiled parts' activations that is kept, see `MemoryOptions`.
    """

    network: Literal["Hallo", "adapters", "ours"]
    windows: int
    frames: int
    checkpointing: Literal["nothing", "some", "most"] = "nothing"
    compiled: bool = False
    graphs: bool = False
    fitted: bool = False
    budget: float = 1.0

    def __str__(self) -> str:
        how = [f"again: {self.checkpointing}"] * (self.checkpointing != "nothing") + ["compiled"] * self.compiled + ["graphs"] * self.graphs
        how += [f"kept: {self.budget:.0%}"] * (self.budget < 1) + ["by Lightning"] * self.fitted
        return ", ".join([f"{self.network}, {self.windows} × {self.frames}", *how])


ROWS = (
    Row("Hallo", 1, 16),
    Row("Hallo", 1, 16, graphs=True),
    Row("ours", 1, 16),
    Row("ours", 1, 16, graphs=True),
    Row("Hallo", 4, 14, "most"),
    Row("adapters", 1, 16, "most"),
    Row("adapters", 1, 16, "some"),
    Row("Hallo", 1, 16, compiled=True),
    Row("Hallo", 1, 16, compiled=True, graphs=True),
    Row("ours", 1, 16, compiled=True),
    Row("ours", 1, 16, compiled=True, graphs=True),
    Row("Hallo", 4, 14, "most", compiled=True),
    Row("Hallo", 4, 14, "some", compiled=True),
    Row("ours", 1, 16, fitted=True),
    Row("ours", 1, 16, graphs=True, fitted=True),
    Row("Hallo", 4, 14, compiled=True, budget=0.1),
    Row("Hallo", 4, 14, compiled=True, budget=0.3),
)


class TrainingBench(Bench):
    """One model in training.

    Args:
        row: how.
        tiny: made-up sizes, for a CPU.
    """

    def __init__(self, row: Row, tiny: bool) -> None:
        self.device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        self.side, own = 8 if tiny else 64, row.network == "ours"
        with self.device:
            if own:
                denoiser = VideoUNet(TINY_UNET if tiny else FULL_UNET, max_frames=32)
            else:
                denoiser = hallo_network(tiny, PLAN_DIM if row.network == "adapters" else 0)
            if row.network == "adapters":
                add_lora(denoiser.unet, 16)
            self.model = VideoDiffusion(
                denoiser=denoiser,
                autoencoder=LatentCodec(TINY_AUTOENCODER if tiny else FULL_AUTOENCODER),
                plan_encoder=MuscleTokenEncoder(denoiser.plan_dim),
                audio_encoder=MelEncoder(denoiser.audio_dim, dropout=0.0) if own else GivenAudio(denoiser.audio_dim),
                noise_scheduler=DDIMScheduler(prediction_type="v_prediction", clip_sample=False),
                guidance=ClassifierFreeGuidance(3.5, "everything"),
                windows=WindowConfig(row.frames + 2 * (not own), 2),
                training=VideoTraining(trainable=TRAINABLE[row.network], cuda_graphs=row.graphs),
                memory=MemoryOptions(row.checkpointing, self.device.type == "cuda", row.budget),
                compile=row.compiled,
            )
        self.model.to(self.device).train()
        if row.compiled and self.device.type == "cuda":
            self.model.compile_parts()
        self.optimizer = None

    def batch(self, frames: int, size: int = 1) -> dict[str, Any]:
        """Made-up cached latents, and features of the audio where the network wants those of a recording."""
        given = super().batch(frames, size)
        if isinstance(self.model.audio_encoder, GivenAudio):
            given["audio"] = torch.randn(size, frames, self.model.audio_encoder.dim, device=self.device)
        return {**given, "plan": PlanTensors.collate([PLAN] * size).to(self.device)}


def measure(row: Row, tiny: bool) -> dict[str, float]:
    """Seconds of a step (the median of seven) and GiB at its peak, both with everything that a step needs."""
    bench = TrainingBench(row, tiny)
    batch = bench.batch(bench.model.window_frames, row.windows)
    times, warm = (1, 1) if tiny else (7, 8)
    if row.fitted:
        found = fit_steps(bench.model, batch, warm, times, row.graphs)
    else:
        found = bench.time(lambda: bench.step(lambda b: bench.model.losses(b)["loss"], batch), warm=warm, times=times)
        found["peak_gib"] = peak_gib(row.graphs)
    trained = sum(p.numel() for p in bench.model.parameters() if p.requires_grad) / 1e6
    return {**found, "trained_millions": trained}


class StepClock(Callback):
    """Seconds from the start of each batch to the start of the next."""

    def __init__(self) -> None:
        self.starts: list[float] = []

    def on_train_batch_start(self, trainer: Trainer, *_: Any) -> None:
        if torch.cuda.is_available():
            torch.cuda.synchronize()
        self.starts.append(time.perf_counter())


def peak_gib(graphs: bool) -> float:
    """Memory at its peak; what graphs hold counts as allocated in no step."""
    if not torch.cuda.is_available():
        return 0.0
    return (torch.cuda.max_memory_reserved() if graphs else torch.cuda.max_memory_allocated()) / 2**30


def fit_steps(model: VideoDiffusion, batch: dict[str, Any], warm: int, times: int, graphs: bool) -> dict[str, float]:
    """Seconds of a step in Lightning's loop (the median of `times` after `warm`), and GiB at its peak."""
    clock = StepClock()
    trainer = Trainer(
        max_steps=warm + times + 1,
        precision="bf16-mixed",
        devices=1,
        gradient_clip_val=1.0,
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        callbacks=[clock],
    )
    if torch.cuda.is_available():
        torch.cuda.reset_peak_memory_stats()
    trainer.fit(model, DataLoader([batch] * (warm + times + 1), batch_size=None))
    return {"seconds": float(np.median(np.diff(clock.starts)[warm:])), "peak_gib": peak_gib(graphs)}


def video_training(output: str, tiny: bool = False, only: Sequence[int] | None = None) -> None:
    """Measure and write.

    Args:
        output: a name ending in .json.
        tiny: made-up sizes, for a CPU.
        only: some of `ROWS`, by their places.
    """
    torch.set_float32_matmul_precision("high")
    device = torch.cuda.get_device_name() if torch.cuda.is_available() else "cpu"
    everything: dict[str, Any] = {"environment": environment(), "device": device, "rows": {}}
    for row in ROWS if only is None else [ROWS[i] for i in only]:
        everything["rows"][str(row)] = measure(row, tiny)
        torch._dynamo.reset()
        gc.collect()
        if torch.cuda.is_available():
            torch.cuda.empty_cache()
        write_results(output, everything, markdown(everything))


def markdown(everything: dict[str, Any]) -> str:
    """The table: one row a way."""
    rows = [
        [name, f"{found['seconds']:.3f}", f"{found['peak_gib']:.1f}" if "peak_gib" in found else "", f"{found['trained_millions']:.0f}"]
        for name, found in everything["rows"].items()
    ]
    header = ("windows × new frames, 512²", "seconds a step", "peak GiB", "millions of weights that train")
    text = "".join(f"\n- {name}: {value}" for name, value in everything.get("about", {}).items())
    return f"# A training step of the video models, {everything['device']}\n\n{table(header, rows)}\n{text and text + chr(10)}"


if __name__ == "__main__":
    run(video_training, many=None)
