"""How much of the plan comes from the plan's own tokens, by what the coarse frames show (`tbd.draw.video.hints.HintConfig`).

    tbd synthesize --output corpus --hours 0.35 --seed 6
    python -m benchmarks.video_clips astronaut --corpus corpus --output clips.npz      # on a CPU, once
    python -m benchmarks.video_hints --clips clips.npz --output results/video_hints.json      # on one GPU, minutes

The small video model of `benchmarks.video_small` is trained once for each choice, from the same weights, on the same samples, for as many
steps.
On held-out clips, at fixed noise and noise levels, the error of x₀ is measured where the plan shows: outside the lower face and inside it.

- ``plan``: all conditions.
- ``no tokens``: the coarse frames stay as the plan made them, the plan's tokens are withheld. What the error grows by is what tokens add.
- ``no plan``: the branch ε(∅) as guidance asks for it, its coarse frames those of a branch without a plan.
- ``gap``: root mean square of ε(g,ℓ) − ε(∅) over that of ε(g,ℓ) − what was to be predicted: what guidance has to work with.
"""

import copy
import sys
import time
from typing import Any

import numpy as np
import torch
from torch import Tensor

from benchmarks.common import environment, run, table, write_results
from benchmarks.video_clips import read_clips
from benchmarks.video_small import ClipsDataModule, fit_steps, recoloured_latents, small_model, train_autoencoder
from tbd.data.datasets.video import VideoWindows
from tbd.draw.parameterization import target, to_sample
from tbd.draw.video.denoiser import VideoConditioning
from tbd.draw.video.diffusion import VideoDiffusion
from tbd.draw.video.hints import HintConfig
from tbd.errors import InputError
from tbd.think.action_units import REGIONS

CHOICES = {
    "all, the same without a plan": HintConfig("all", "same"),
    "all, lips and head without a plan": HintConfig("all", "lips_and_head"),
    "lips and head": HintConfig("lips_and_head", "same"),
    "none": HintConfig("none", "same"),
}
LEVELS = (0.95, 0.8, 0.6, 0.4, 0.2)
"""Shares of the training timesteps at which errors are measured."""
CHUNK = 16
"""Windows that are measured together."""


def video_hints(
    clips: str,
    output: str,
    autoencoder_seconds: float = 30,
    steps: int = 400,
    width: int = 64,
    batch_size: int = 16,
    workers: int = 2,
    variants: int = 4,
    learning_rate: float = 4e-4,
    only: list[str] | None = None,
    cuda_graphs: bool = False,
) -> None:
    """Train with each choice, and measure.

    Args:
        clips: what `benchmarks.video_clips` wrote.
        output: a name ending in .json.
        autoencoder_seconds: of training the autoencoder.
        steps: of training each video model.
        width: channels of the video model's first level.
        batch_size: windows of 16 frames.
        workers: loader processes.
        variants: how often each training clip is there, each time in other colours.
        learning_rate: of the video models.
        only: some of the choices.
        cuda_graphs: whether to train by `tbd.draw.video.training_graph`.
    """
    start, device = time.perf_counter(), torch.device("cuda" if torch.cuda.is_available() else "cpu")
    torch.set_float32_matmul_precision("high")
    torch.manual_seed(0)
    _, splits = read_clips(clips)
    train, test = splits["train"], splits["test"]
    if any(clip.neutral_coarse is None for _, clip in (*train, *test)):
        raise InputError(f"{clips} holds no coarse frames of lips and head alone; write it anew with `python -m benchmarks.video_clips`.")
    pixels = torch.from_numpy(np.concatenate([np.concatenate([c.frames, c.coarse, c.neutral_coarse]) for _, c in train])).to(device)
    codec, _ = train_autoencoder(pixels, autoencoder_seconds, device)
    del pixels
    # many windows of each clip are one epoch, so that starting epochs does not cost
    cached, held = recoloured_latents(train, codec, variants, device) * 8, recoloured_latents(test, codec, 1, device)
    print(f"{time.perf_counter() - start:.0f} s: clips and autoencoder", file=sys.stderr)
    first = small_model(codec, width, learning_rate)
    weights = copy.deepcopy(first.state_dict())
    everything: dict[str, Any] = {
        "environment": environment(),
        "about": {"train": len(train), "test": len(test), "steps": steps},
        "rows": {},
    }
    for name, hints in CHOICES.items():
        if only and name not in only:
            continue
        model = small_model(codec, width, learning_rate, hints, cuda_graphs)
        model.load_state_dict(weights)
        begun = time.perf_counter()
        losses = fit_steps(
            model, ClipsDataModule(cached, window_frames=model.window_frames, batch_size=batch_size, num_workers=workers), steps, device
        )
        row = {
            "loss": float(np.mean(losses[-50:])),
            "seconds": time.perf_counter() - begun,
            **errors(model.eval().to(device), held, device),
        }
        everything["rows"][name] = row
        everything["about"]["elapsed_s"] = round(time.perf_counter() - start, 1)
        write_results(output, everything, markdown(everything))


@torch.no_grad()
def errors(model: VideoDiffusion, held: list[Any], device: torch.device) -> dict[str, float]:
    """Errors of x₀ on held-out windows, with the plan, without its tokens, and as ε(∅)."""
    windows = VideoWindows(held, model.window_frames, model.audio_encoder.context, jitter=False)
    sums: dict[str, list[float]] = {}
    for i in range(0, len(windows), CHUNK):
        given = windows.__getitems__(list(range(i, min(i + CHUNK, len(windows)))))
        batch = {name: value.to(device) if hasattr(value, "to") else value for name, value in given.items()}
        for level, share in enumerate(LEVELS):
            for name, value in _errors(model, batch, share, seed=1000 * i + level).items():
                sums.setdefault(name, []).append(value * len(given["frames"]))
    return {name: float(np.sum(values)) / (len(windows) * len(LEVELS)) for name, values in sums.items()}


def _errors(model: VideoDiffusion, batch: dict[str, Any], share: float, seed: int) -> dict[str, float]:
    clean, portrait = model.latents(batch["frames"]), model.latents(batch["portrait"])
    noise = torch.randn(clean.shape, generator=torch.Generator().manual_seed(seed)).to(clean.device)
    timestep = model.noise_process.timesteps(torch.full((len(clean),), share, device=clean.device))
    alpha, sigma = model.noise_level(timestep, clean)
    noisy = alpha * clean + sigma * noise
    plan, audio = model.plan_encoder(batch["plan"], model.times(clean.shape[1])), model.audio_encoder(batch["audio"])
    # as `denoise_windows` has it: ε(∅) is a neutral face, of which the emotion is given
    neutral = model.plan_encoder(batch["plan"].neutral(), model.times(clean.shape[1]))
    yes, no = (torch.full((len(clean),), value, device=clean.device) for value in (1.0, 0.0))
    coarse, lips = model.latents(batch["coarse"]), model.latents(batch["neutral_coarse"])
    with_plan, without = (model.hints.of_batch(coarse, lips, given) for given in (yes, no))
    reference, none = model.denoiser.encode_reference(portrait), torch.zeros(clean.shape[:2], device=clean.device)
    preds = {}
    branches = {"plan": (plan, with_plan), "no tokens": (neutral.only(yes, no), with_plan), "no plan": (neutral.only(yes, no), without)}
    for name, (tokens, hint) in branches.items():
        conditioning = VideoConditioning(tokens, audio, yes, hint, batch["region_masks"], none)
        with torch.autocast(clean.device.type, torch.bfloat16, enabled=clean.device.type == "cuda"):
            preds[name] = model.denoiser(noisy, timestep, reference, conditioning).float()
    kind = model.prediction_type
    lower = batch["region_masks"][:, REGIONS.index("lower")][:, None, None]
    upper = batch["region_masks"][:, [REGIONS.index(r) for r in ("upper", "eyes", "middle")]].amax(1)[:, None, None] * (1 - lower)
    found = {}
    for name, pred in preds.items():
        off = (to_sample(pred, noisy, alpha, sigma, kind) - clean).square()
        for place, mask in (("upper face", upper), ("lower face", lower)):
            found[f"{name}, {place}"] = _mean(off, mask)
    missed = _mean((preds["plan"] - target(clean, noise, alpha, sigma, kind)).square(), upper)
    found["gap, upper face"] = (_mean((preds["plan"] - preds["no plan"]).square(), upper) / max(missed, 1e-12)) ** 0.5
    return found


def _mean(x: Tensor, mask: Tensor) -> float:
    return float((x * mask).sum() / (mask.expand_as(x).sum() + 1e-9))


def markdown(everything: dict[str, Any]) -> str:
    """The table: one row a choice."""
    rows = []
    for name, row in everything["rows"].items():
        cells = [f"{row['plan, upper face']:.4f}"]
        cells += [f"{row[f'{kind}, upper face'] / row['plan, upper face'] - 1:+.1%}" for kind in ("no tokens", "no plan")]
        rows.append([name, *cells, f"{row['plan, lower face']:.4f}", f"{row['gap, upper face']:.3f}"])
    header = ("coarse frames show", "error, upper face", "without the plan's tokens", "as ε(∅)", "error, lower face", "gap")
    text = "\n".join(f"- {name}: {value}" for name, value in everything["about"].items())
    return f"# What coarse frames give away, small video model\n\n{table(header, rows)}\n\n{text}\n"


if __name__ == "__main__":
    run(video_hints, many=None)
