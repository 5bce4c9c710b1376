"""Train a small video model from scratch on rendered procedural clips: its autoencoder first, then `VideoDiffusion`.

    python -m benchmarks.video_small --clips clips.npz --output results/video_small.json

`benchmarks.video_clips` renders the clips. Everything runs on one GPU in about six minutes, and writes the figures, the loss
curve, a strip of samples and a short film. Needs neither MediaPipe nor a video library nor a network.
"""

import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import lightning as L
import numpy as np
import torch
from diffusers import AutoencoderKL, DDIMScheduler
from lightning.pytorch.callbacks import EMAWeightAveraging
from PIL import Image, ImageDraw
from torch.nn import functional as F

from benchmarks.common import environment, run, table, write_results
from benchmarks.video_clips import read_clips
from benchmarks.video_measures import FEATURES, IdentityNet, measure
from tbd.data.datasets.video import VideoClip, VideoDataModule
from tbd.draw.conditioning.audio_encoder import MelEncoder
from tbd.draw.conditioning.plan_encoder import MuscleTokenEncoder
from tbd.draw.guidance.progressive import ProgressiveGuidance
from tbd.draw.optim import OptimizerConfig
from tbd.draw.randomness import seed_of
from tbd.draw.video.autoencoder import LatentCodec
from tbd.draw.video.denoiser import VideoUNet
from tbd.draw.video.diffusion import VideoDiffusion
from tbd.draw.video.hints import HintConfig
from tbd.draw.video.training_options import VideoConditioningDropout, VideoTraining
from tbd.think.action_units import REGIONS

Clips = list[tuple[int, VideoClip]]


def video_small(
    clips: str,
    output: str,
    autoencoder_seconds: float = 60,
    seconds: float = 150,
    width: int = 96,
    batch_size: int = 32,
    test_clips: int = 7,
    steps: int = 12,
    workers: int = 2,
    variants: int = 4,
    learning_rate: float = 4e-4,
) -> None:
    """Train, draw, measure.

    Args:
        clips: what `benchmarks.video_clips` wrote.
        output: a name ending in .json; the pictures are written beside it.
        autoencoder_seconds: of training the autoencoder.
        seconds: of training the video model.
        width: channels of the video model's first level.
        batch_size: windows of 16 frames.
        test_clips: clips of the held-out split to draw.
        steps: denoising steps.
        workers: loader processes.
        variants: how often each training clip is there, each time in other colours.
        learning_rate: of the video model.
    """
    start = time.perf_counter()
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    torch.set_float32_matmul_precision("high")
    torch.manual_seed(0)
    names, splits = read_clips(clips)
    train, test = splits["train"], _spread(splits["test"], test_clips)
    folder = Path(output).parent
    folder.mkdir(parents=True, exist_ok=True)
    about: dict[str, Any] = {
        "portraits": names,
        "train_clips": len(train),
        "test_clips": [clip.name for _, clip in test],
        "frames": len(train[0][1].frames),
        "features": FEATURES,
        "device": torch.cuda.get_device_name() if device.type == "cuda" else "cpu",
    }
    everything: dict[str, Any] = {"environment": environment(), "about": about, "results": {}}
    identity = IdentityNet(len(names)).to(device)

    def write() -> None:
        """After every stage, so that a run that is cut short leaves what it has."""
        about["seconds"] = round(time.perf_counter() - start, 1)
        header = ("", "Fréchet distance", "identity distance", "error", "error at the mouth", "jumps")
        rows = [[row, *(f"{value:.4g}" for value in figures.values())] for row, figures in everything["results"].items()]
        text = "\n".join(f"- {name}: {value}" for name, value in about.items())
        write_results(output, everything, f"# A small video model from scratch, procedural clips\n\n{table(header, rows)}\n\n{text}\n")

    def judge(row: str, videos: list[np.ndarray], part: Clips = test) -> None:
        lower = REGIONS.index("lower")
        mouths = [_enlarged(clip.region_masks[lower], clip.frames.shape[-1]) for _, clip in part]
        truth, portraits = [clip.frames for _, clip in part], [clip.portrait for _, clip in part]
        everything["results"][row] = measure(videos, truth, portraits, mouths, identity.eval(), device)
        write()

    pixels = torch.from_numpy(np.concatenate([clip.frames for _, clip in train])).to(device)
    labels = torch.tensor(np.repeat([k for k, _ in train], len(train[0][1].frames)), device=device)
    identity.fit(pixels, labels, steps=400 if device.type == "cuda" else 5)
    coarse = torch.from_numpy(np.concatenate([clip.coarse for _, clip in train])).to(device)
    codec, everything["autoencoder_error"] = train_autoencoder(torch.cat([pixels, coarse]), autoencoder_seconds, device)
    del pixels, coarse
    judge("true frames through the autoencoder", [_through(codec, clip.frames, device) for _, clip in test])
    judge("coarse frames, which condition the model", [clip.coarse for _, clip in test])
    model = small_model(codec, width, learning_rate)
    about["parameters"] = sum(p.numel() for p in model.parameters())
    before = _drawn(model.to(device), test, steps)
    judge("before training", before)
    cached = recoloured_latents(train, codec, variants, device)
    about["seconds_before_training"] = round(time.perf_counter() - start, 1)
    losses = fit(model, cached, seconds, batch_size, workers, device)
    about["steps"], about["samples"] = len(losses), len(losses) * batch_size
    everything["loss_every_10_steps"] = [float(np.mean(losses[i : i + 10])) for i in range(0, len(losses), 10)]
    write()
    plot_loss(losses, folder / "video_small_loss.png")
    after = _drawn(model.eval().to(device), test, steps)
    judge("after training", after)
    strip(test, before, after, folder / "video_small_samples.png")
    unseen = [i for i, (k, _) in enumerate(test) if k == len(names) - 1 and len(names) > 1]
    if unseen:
        judge("after training, the portrait never seen", [after[i] for i in unseen], [test[i] for i in unseen])
    _write_gif(test, after, folder / "video_small.gif")


def train_autoencoder(pixels: torch.Tensor, seconds: float, device: torch.device) -> tuple[LatentCodec, list[float]]:
    """A small `AutoencoderKL` on uint8 frames (N, 3, H, W), for a time; and its absolute error step by step."""
    config: dict[str, Any] = {
        "down_block_types": ["DownEncoderBlock2D"] * 3,
        "up_block_types": ["UpDecoderBlock2D"] * 3,
        "block_out_channels": [48, 96, 128],
        "norm_num_groups": 16,
        "latent_channels": 4,
        "sample_size": pixels.shape[-1],
    }
    net = AutoencoderKL(**config).to(device, memory_format=torch.channels_last)
    optimizer = torch.optim.AdamW(net.parameters(), 5e-4, betas=(0.9, 0.98))
    generator, errors, end = torch.Generator().manual_seed(1), [], time.perf_counter() + seconds
    begin, batch = time.perf_counter(), 48 if device.type == "cuda" else 4
    while (now := time.perf_counter()) < end:
        for group in optimizer.param_groups:
            group["lr"] = 5e-4 * min((len(errors) + 1) / 50, 1) * max(1 - (now - begin) / seconds, 0.02)
        rows = torch.randint(len(pixels), (batch,), generator=generator).to(device)
        x = recolour(pixels[rows].float() / 255, torch.randint(2**31, (batch,), generator=generator).tolist()) * 2 - 1
        with torch.autocast(device.type, torch.bfloat16):
            posterior = net.encode(x).latent_dist
            again = net.decode(posterior.sample()).sample
        again = again.float()
        error = (again - x).abs().mean()
        edges = sum((again.diff(dim=d) - x.diff(dim=d)).abs().mean() for d in (2, 3))
        loss = error + edges + 1e-6 * posterior.kl().float().mean()
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(net.parameters(), 1.0)
        optimizer.step()
        errors.append(error.item() if len(errors) % 10 == 0 else errors[-1])
    codec = LatentCodec({**config, "scaling_factor": 1.0}, chunk=128).to(device)
    codec.autoencoder.load_state_dict(net.state_dict())
    with torch.no_grad():
        codec.autoencoder.register_to_config(
            scaling_factor=float(1 / codec.encode(pixels[:: max(len(pixels) // 256, 1)].float() / 255).std())
        )
    return codec.eval(), errors


def recolour(frames: torch.Tensor, seeds: list[int], strength: float = 0.2) -> torch.Tensor:
    """Other skin, hair and light for each clip: (B, ..., 3, H, W) in 0..1, each mixed and shifted as its seed decides."""
    rng = [torch.Generator().manual_seed(seed) for seed in seeds]
    mix = torch.stack([torch.eye(3) + strength * torch.randn(3, 3, generator=g) for g in rng]).to(frames)
    shift = torch.stack([0.3 * strength * torch.randn(3, generator=g) for g in rng]).to(frames)
    mixed = torch.einsum("bij,b...jhw->b...ihw", mix, frames - 0.5)
    return (mixed + 0.5 + shift.view(len(seeds), *[1] * (frames.ndim - 4), 3, 1, 1)).clamp(0, 1)


@torch.no_grad()
def recoloured_latents(clips: Clips, codec: LatentCodec, variants: int, device: torch.device) -> list[VideoClip]:
    """Cached latents of every clip in several colours, so that the face must be read from the portrait."""
    cached = []
    for i, (_, clip) in enumerate(clips):
        for j in range(variants):
            arrays = {}
            for name in ("frames", "coarse", "portrait", *(["neutral_coarse"] if clip.neutral_coarse is not None else [])):
                pixels = torch.from_numpy(np.atleast_1d(getattr(clip, name))).to(device).float() / 255
                pixels = recolour(pixels[None], [seed_of(i, j)])[0]
                with torch.autocast(device.type, torch.bfloat16):
                    arrays[name] = codec.encode(pixels).half().cpu().numpy()
            cached.append(replace(clip, **arrays))
    return cached


class ClipsDataModule(VideoDataModule):
    """Clips in memory."""

    def __init__(self, train: list[VideoClip], **options: Any) -> None:
        super().__init__(**options)
        self.train = train

    def clips(self, split: str) -> list[VideoClip]:
        return self.train if split == "train" else self.train[:1]


def small_model(
    codec: LatentCodec, width: int, learning_rate: float, hints: HintConfig = HintConfig(), cuda_graphs: bool = False
) -> VideoDiffusion:
    """A hundredth of Stable Diffusion, the same code."""
    unet = {
        "block_out_channels": [width, 2 * width, 3 * width],
        "down_block_types": ["CrossAttnDownBlockMotion", "CrossAttnDownBlockMotion", "DownBlockMotion"],
        "up_block_types": ["UpBlockMotion", "CrossAttnUpBlockMotion", "CrossAttnUpBlockMotion"],
        "layers_per_block": 1,
        "norm_num_groups": 16,
        "cross_attention_dim": 128,
        "num_attention_heads": 4,
        "motion_num_attention_heads": 4,
    }
    return VideoDiffusion(
        denoiser=VideoUNet(unet, max_frames=16),
        autoencoder=codec,
        plan_encoder=MuscleTokenEncoder(128),
        audio_encoder=MelEncoder(128, dropout=0.0),
        # drawing begins with pure noise, and so must training end there: else the noise's mean is taken for the picture's colour
        # (Lin et al. 2024, arXiv 2305.08891)
        noise_scheduler=DDIMScheduler(
            beta_schedule="squaredcos_cap_v2",
            prediction_type="v_prediction",
            timestep_spacing="trailing",
            rescale_betas_zero_snr=True,
            clip_sample=False,
        ),
        guidance=ProgressiveGuidance(),
        optimizer=OptimizerConfig(learning_rate, 100, weight_decay=0.01, betas=(0.9, 0.999), schedule="constant"),
        # min-SNR weighs the noisiest levels, where colour is decided, next to nothing; that suits a pretrained start, not this one
        training=VideoTraining(conditioning_dropout=VideoConditioningDropout(hint=0.05), min_snr_gamma=None, cuda_graphs=cuda_graphs),
        hints=hints,
    )


class _Losses(L.Callback):
    def __init__(self) -> None:
        self.values: list[torch.Tensor] = []

    def on_train_batch_end(self, trainer, module, outputs, batch, batch_idx) -> None:
        self.values.append(outputs["loss"].detach())


def fit(model: VideoDiffusion, train: list[VideoClip], seconds: float, batch_size: int, workers: int, device: torch.device) -> list[float]:
    """Train for a time; the model is left with its averaged weights. Returns each step's loss."""
    # many windows of each clip are one epoch, so that starting epochs does not cost
    data = ClipsDataModule(train * 4, window_frames=model.window_frames, batch_size=batch_size, num_workers=workers)
    return _fit(model, data, device, max_time={"seconds": int(seconds)})


def fit_steps(model: VideoDiffusion, data: ClipsDataModule, steps: int, device: torch.device) -> list[float]:
    """Train for a number of steps, as `fit` does."""
    return _fit(model, data, device, max_steps=steps)


def _fit(model: VideoDiffusion, data: ClipsDataModule, device: torch.device, **until: Any) -> list[float]:
    losses = _Losses()
    trainer = L.Trainer(
        accelerator="gpu" if device.type == "cuda" else "cpu",
        devices=1,
        precision="bf16-mixed",
        max_epochs=-1,
        gradient_clip_val=1.0,
        callbacks=[losses, EMAWeightAveraging(decay=0.96, update_every_n_steps=4)],
        limit_val_batches=0,
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        **until,
    )
    trainer.fit(model, data)
    return torch.stack(losses.values).float().cpu().tolist()


def _spread(clips: Clips, count: int) -> Clips:
    """Some of them, the portraits in turn, the last portrait's first."""
    order = sorted(range(len(clips)), key=lambda i: (sum(clips[j][0] == clips[i][0] for j in range(i)), -clips[i][0]))
    return [clips[i] for i in order[:count]]


def _drawn(model: VideoDiffusion, clips: Clips, steps: int) -> list[np.ndarray]:
    """(T, 3, H, W) uint8 of each clip, drawn in overlapping windows."""
    videos = []
    for _, clip in clips:
        audio = clip.audio.astype(np.float32) / 32768
        coarse = (frame.transpose(1, 2, 0) for frame in clip.coarse)
        portrait = np.ascontiguousarray(clip.portrait.transpose(1, 2, 0))
        with torch.autocast(model.device.type, torch.bfloat16):
            frames = list(model.generate(portrait, coarse, clip.region_masks, audio, clip.plan, num_inference_steps=steps))
        videos.append(np.stack(frames).transpose(0, 3, 1, 2))
    return videos


def _through(codec: LatentCodec, frames: np.ndarray, device: torch.device) -> np.ndarray:
    again = codec.decode(codec.encode(torch.from_numpy(frames).to(device).float() / 255))
    return (again * 255).round().to(torch.uint8).cpu().numpy()


def _enlarged(mask: np.ndarray, size: int) -> np.ndarray:
    return F.interpolate(torch.from_numpy(mask)[None, None], (size, size), mode="bilinear")[0, 0].numpy()


def plot_loss(losses: list[float], path: Path, size: tuple[int, int] = (720, 360)) -> None:
    """The loss, averaged over one step in a hundred of the run, on a logarithmic scale."""
    span = max(len(losses) // 100, 1)
    mean = np.log10([np.mean(losses[i : i + span]) for i in range(0, len(losses), span)])
    image = Image.new("RGB", size, "white")
    pen, (left, top, right, bottom) = ImageDraw.Draw(image), (60, 20, size[0] - 20, size[1] - 40)
    low, high = mean.min() - 0.02, mean.max() + 0.02
    for level in np.linspace(low, high, 5):
        y = bottom - (level - low) / (high - low) * (bottom - top)
        pen.line([(left, y), (right, y)], fill="#dddddd")
        pen.text((8, y - 6), f"{10**level:.3f}", fill="black")
    x = np.linspace(left, right, len(mean))
    pen.line(list(zip(x, bottom - (mean - low) / (high - low) * (bottom - top))), fill="#1f5fa8", width=2)
    pen.text((left, bottom + 12), f"loss (v-prediction), {len(losses)} steps, mean of {span}", fill="black")
    image.save(path)


def strip(clips: Clips, before: list[np.ndarray], after: list[np.ndarray], path: Path, columns: int = 8) -> None:
    """For the first clips: the portrait, then frames of the true, coarse, untrained and trained video, one row each."""
    rows = []
    for (_, clip), untrained, trained in list(zip(clips, before, after))[:4]:
        times = np.linspace(0, len(clip.frames) - 1, columns).round().astype(int)
        for video in (clip.frames, clip.coarse, untrained, trained):
            rows.append(np.concatenate([clip.portrait, *video[times]], 2))
    Image.fromarray(np.concatenate(rows, 1).transpose(1, 2, 0)).save(path)


def _write_gif(clips: Clips, after: list[np.ndarray], path: Path) -> None:
    """The first clips side by side, true above drawn, at 25 frames a second."""
    pairs = [np.concatenate([clip.frames, video], 2) for (_, clip), video in list(zip(clips, after))[:5]]
    frames = [Image.fromarray(f.transpose(1, 2, 0)) for f in np.concatenate(pairs, 3)]
    frames[0].save(path, save_all=True, append_images=frames[1:], duration=40, loop=0)


if __name__ == "__main__":
    run(video_small, many=None)
