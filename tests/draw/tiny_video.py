"""A tiny video model with random weights and a few made-up clips: the same code as at full size, in seconds."""

import json

import lightning as L
import numpy as np
import torch
from diffusers import DDIMScheduler

from tbd.data.datasets.video import VideoClip, VideoDataModule
from tbd.draw.conditioning.audio_encoder import MelEncoder
from tbd.draw.conditioning.plan_encoder import MuscleTokenEncoder
from tbd.draw.guidance.progressive import ProgressiveGuidance
from tbd.draw.optim import OptimizerConfig
from tbd.draw.video.autoencoder import LatentCodec
from tbd.draw.video.denoiser import VideoUNet
from tbd.draw.video.diffusion import VideoDiffusion
from tbd.draw.video.sampling_options import VideoSamplingConfig
from tbd.draw.window_options import WindowConfig
from tbd.think.plan import MuscleAction, MusclePlan

DIM = 16
SIDE = 16
UNET = {
    "block_out_channels": [8, 16],
    "down_block_types": ["CrossAttnDownBlockMotion", "DownBlockMotion"],
    "up_block_types": ["UpBlockMotion", "CrossAttnUpBlockMotion"],
    "layers_per_block": 1,
    "norm_num_groups": 4,
    "cross_attention_dim": DIM,
    "num_attention_heads": 2,
    "motion_num_attention_heads": 2,
}
AUTOENCODER = {
    "down_block_types": ["DownEncoderBlock2D", "DownEncoderBlock2D"],
    "up_block_types": ["UpDecoderBlock2D", "UpDecoderBlock2D"],
    "block_out_channels": [8, 8],
    "norm_num_groups": 4,
    "sample_size": SIDE,
}
TINY = [
    f"--model.init_args.denoiser.init_args.unet={json.dumps(UNET)}",
    "--model.init_args.denoiser.init_args.motion_adapter=null",
    f"--model.init_args.autoencoder.init_args.autoencoder={json.dumps(AUTOENCODER)}",
    f"--model.init_args.plan_encoder.init_args.dim={DIM}",
    "--model.init_args.initial=null",
]
"""Options that put tiny random networks in the place of an experiment's pretrained ones."""
PLAN = MusclePlan(emotions={"happy": 1.0}, intensity=0.8, actions=(MuscleAction(unit=12, intensity=0.7, onset=0.1),))


def tiny_video_model(**options) -> VideoDiffusion:
    torch.manual_seed(0)
    parts = {
        "denoiser": VideoUNet(UNET, max_frames=8),
        "autoencoder": LatentCodec(AUTOENCODER),
        "plan_encoder": MuscleTokenEncoder(DIM),
        "audio_encoder": MelEncoder(DIM, bins=20, context=2, dropout=0.0),
        "noise_scheduler": DDIMScheduler(beta_schedule="squaredcos_cap_v2", prediction_type="v_prediction", clip_sample=False),
        "guidance": ProgressiveGuidance(),
    }
    sizes = {
        "sampling": VideoSamplingConfig(2),
        "windows": WindowConfig(6, 2),
        "optimizer": OptimizerConfig(1e-3, 1, 0.01, (0.9, 0.999), "constant"),
    }
    return VideoDiffusion(**{**parts, **sizes, **options})


def wake(model: VideoDiffusion) -> VideoDiffusion:
    """Fill what starts at zero, where nothing could be told apart."""
    generator = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for parameter in model.denoiser.parameters():
            if not parameter.any():
                parameter.copy_(torch.randn(parameter.shape, generator=generator) * 0.2)
        model.denoiser.unet.conv_in.weight.copy_(torch.randn(model.denoiser.unet.conv_in.weight.shape, generator=generator) * 0.2)
    return model.eval()


def clip(i: int = 0, frames: int = 12, side: int = SIDE) -> VideoClip:
    rng = np.random.default_rng(i)
    pixels = rng.integers(0, 255, (frames, 3, side, side), np.uint8)
    masks = rng.random((5, side // 2, side // 2)).astype(np.float32)
    audio = (rng.normal(0, 3000, frames * 640)).astype(np.int16)
    return VideoClip(f"clip{i}", pixels, pixels // 2, pixels[0], masks, audio, PLAN, neutral_coarse=pixels // 3)


class TinyVideoData(VideoDataModule):
    """Five clips of two windows to train on, one of three to validate."""

    def __init__(self, batch_size: int = 2, window_frames: int = 6) -> None:
        super().__init__(window_frames, 2, batch_size, seed=3)

    def clips(self, split: str) -> list[VideoClip]:
        return [clip(i) for i in range(5)] if split == "train" else [clip(9, frames=18)]


class Losses(L.Callback):
    """Keeps each step's loss; stops hard after a number of steps."""

    def __init__(self, die_after: int | None = None) -> None:
        self.values: dict[int, float] = {}
        self.ids: dict[int, list[int]] = {}
        self.die_after = die_after

    def on_train_batch_end(self, trainer, module, outputs, batch, batch_idx) -> None:
        self.values[trainer.global_step] = float(outputs["loss"])
        self.ids[trainer.global_step] = batch["id"].tolist()
        if trainer.global_step == self.die_after:
            raise RuntimeError("killed")
