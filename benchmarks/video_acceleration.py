"""What a video model's drawing costs in quality where it is made faster: fewer steps, other solvers, features reused, less guidance.

    tbd synthesize --output corpus --hours 0.35 --seed 6
    python -m benchmarks.video_clips astronaut --corpus corpus --output clips.npz                      # on a CPU, once
    python -m benchmarks.video_acceleration --clips clips.npz --output results/video_acceleration.json  # on one GPU, eight minutes
    python -m benchmarks.video_acceleration --output results/video_acceleration.json                   # the seconds alone, once more
    python -m benchmarks.video_acceleration --clips clips.npz --output x.json --tiny true               # the same code on a CPU

Seconds are those of Hallo's network at full size with random weights (`benchmarks.video_speed`), compiled, a window of 16 new frames with
its reference pass, and of decoding it: all ways in one process. Windows of two lengths are timed for each kind of step, since all steps of
a kind take as long, whatever the solver. Quality is that of the small model of `benchmarks.video_small`, trained
here, on windows of held-out clips, from the same noise for every way:

- ``to the slow``: root mean square difference of the latents to those of 40 steps of DDIM at every layer and with guidance at every step,
  as Hallo's authors draw, over the deviation of these. What a way changes.
- ``to converged``: the same to the solution that ever more steps of DDIM come to (400 of them). What a way gets wrong: 40 steps are not
  exact either.
- ``error``, ``error at the mouth``: mean absolute difference to the true frames, 0..255. Whether it can be seen in the end.
"""

import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import diffusers
import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from benchmarks.common import environment, run, table, write_results
from benchmarks.video_clips import read_clips
from benchmarks.video_small import fit, recoloured_latents, small_model, train_autoencoder
from benchmarks.video_speed import HalloBench, median_seconds
from tbd.data.datasets.video import VideoClip, VideoWindows
from tbd.draw.guidance.classifier_free import ClassifierFreeGuidance
from tbd.draw.noise_scheduler import scheduler_like
from tbd.draw.video.diffusion import VideoDiffusion
from tbd.draw.video.sampling_options import FeatureReuse
from tbd.think.action_units import REGIONS


@dataclass(frozen=True)
class Way:
    """One way to draw.

    Args:
        steps: Denoising steps.
        solver: Class of diffusers.
        reuse: Whether and how deep features are reused.
        interval: Where in the denoising loop guidance acts.
    """

    steps: int
    solver: str = "DDIMScheduler"
    reuse: FeatureReuse | None = None
    interval: tuple[float, float] = (0.0, 1.0)

    def __str__(self) -> str:
        kind = self.solver.removesuffix("Scheduler").removesuffix("Multistep").removesuffix("Solver")
        parts = [f"{kind}, {self.steps} steps"]
        if self.reuse is not None:
            parts.append(f"deep layers every {self.reuse.interval}, {self.reuse.layers} at each")
        if self.interval != (0.0, 1.0):
            parts.append(f"guided {self.interval[0]:g} to {self.interval[1]:g}")
        return ", ".join(parts)


CHUNK = 16
"""Windows that are drawn together."""
SLOW, CONVERGED = Way(40), Way(400)
TIMED = (6, 18)
"""Steps of the windows that are timed."""
_UNIPC, _DPM = "UniPCMultistepScheduler", "DPMSolverMultistepScheduler"
WAYS = (
    SLOW,
    Way(20),
    Way(40, interval=(0.0, 0.5)),
    Way(40, interval=(0.1, 0.6)),
    Way(40, reuse=FeatureReuse(2, 1)),
    Way(40, reuse=FeatureReuse(2, 2)),
    Way(40, reuse=FeatureReuse(3, 2)),
    Way(20, _UNIPC),
    Way(16, _UNIPC),
    Way(12, _UNIPC),
    Way(8, _UNIPC),
    Way(20, _DPM),
    Way(12, _DPM),
    Way(20, _UNIPC, FeatureReuse(2, 1)),
    Way(20, _UNIPC, FeatureReuse(2, 2)),
    Way(20, _UNIPC, interval=(0.0, 0.5)),
    Way(12, _UNIPC, interval=(0.0, 0.5)),
)


def video_acceleration(
    output: str,
    clips: str | None = None,
    autoencoder_seconds: float = 40,
    seconds: float = 150,
    width: int = 64,
    batch_size: int = 16,
    workers: int = 2,
    variants: int = 4,
    learning_rate: float = 4e-4,
    scale: float = 2.0,
    windows: int = 48,
    weights: str | None = None,
    compile: bool = True,
    tiny: bool = False,
) -> None:
    """Train, draw every way, measure; then time every way.

    Args:
        output: a name ending in .json.
        clips: what `benchmarks.video_clips` wrote; None to measure seconds alone, beside what `output` holds already.
        autoencoder_seconds: of training the autoencoder.
        seconds: of training the video model.
        width: channels of the video model's first level.
        batch_size: windows of 16 frames.
        workers: loader processes.
        variants: how often each training clip is there, each time in other colours.
        learning_rate: of the video model.
        scale: of the classifier-free guidance over the plan, under which quality is measured.
        windows: of held-out clips, to measure on.
        weights: a file for the trained model: read where it is, else written.
        compile: whether the network that is timed is compiled.
        tiny: made-up sizes, for a CPU.
    """
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    torch.set_float32_matmul_precision("high")
    torch.manual_seed(0)
    everything: dict[str, Any] = {
        "environment": environment(),
        "about": {"device": torch.cuda.get_device_name() if device.type == "cuda" else "cpu", "guidance scale": scale},
        "rows": {str(way): {} for way in WAYS},
    }
    if clips is None:
        everything = json.loads(Path(output).read_text()) if Path(output).is_file() else everything
    else:
        _, splits = read_clips(clips)
        model = _trained(
            splits["train"], device, weights, autoencoder_seconds, seconds, width, batch_size, workers, variants, learning_rate
        )
        held = recoloured_latents(splits["test"], model.autoencoder, 1, device)
        judge = Judge(model, held, [clip for _, clip in splits["test"]], windows, scale)
        everything["about"]["windows"] = sum(len(batch["frames"]) for batch in judge.batches)
        for way in WAYS:
            everything["rows"][str(way)] |= judge.measure(way)
            write_results(output, everything, markdown(everything))
        del judge, model
    bench = HalloBench(tiny)
    if compile and device.type == "cuda":
        bench.model.compile_parts()
    decode, own = median_seconds(bench.decode, device), bench.model.noise_scheduler
    everything["about"]["decoding a window, seconds"] = decode
    for kind in dict.fromkeys((way.reuse, way.interval) for way in WAYS):
        few, many = (_window_seconds(bench, Way(steps, reuse=kind[0], interval=kind[1]), own) for steps in TIMED)
        step = (many - few) / (TIMED[1] - TIMED[0])
        for way in WAYS:
            if (way.reuse, way.interval) == kind:
                window = few + (way.steps - TIMED[0]) * step
                everything["rows"][str(way)] |= {"window_s": window, "per_second_of_video_s": (window + decode) * 25 / 16}
        write_results(output, everything, markdown(everything))


def _window_seconds(bench: HalloBench, way: Way, own: Any) -> float:
    draw_as(bench.model, way, own, ClassifierFreeGuidance(3.5, "everything", way.interval))
    return median_seconds(lambda: bench.window(way.steps), bench.device)


def draw_as(model: VideoDiffusion, way: Way, own: Any, guidance: ClassifierFreeGuidance) -> None:
    """Set a model to draw in one way, with a noise scheduler that knows from its `own` how it was trained."""
    model.noise_scheduler = scheduler_like(own, getattr(diffusers, way.solver), {})
    model.guidance, model.sampling = guidance, replace(model.sampling, num_inference_steps=way.steps, reuse=way.reuse)


def _trained(
    train: list[tuple[int, VideoClip]],
    device: torch.device,
    weights: str | None,
    autoencoder_seconds: float,
    seconds: float,
    width: int,
    batch_size: int,
    workers: int,
    variants: int,
    learning_rate: float,
) -> VideoDiffusion:
    pixels = torch.from_numpy(np.concatenate([np.concatenate([clip.frames, clip.coarse]) for _, clip in train])).to(device)
    known = weights is not None and Path(weights).is_file()
    codec, _ = train_autoencoder(pixels, 0 if known else autoencoder_seconds, device)
    model = small_model(codec, width, learning_rate)
    if known:
        state = torch.load(weights, map_location="cpu", weights_only=True)
        codec.autoencoder.register_to_config(scaling_factor=state.pop("scaling_factor"))
        model.load_state_dict({name: value.float() if value.is_floating_point() else value for name, value in state.items()})
    else:
        fit(model, recoloured_latents(train, codec, variants, device), seconds, batch_size, workers, device)
        if weights is not None:
            state = {name: value.half() if value.is_floating_point() else value for name, value in model.state_dict().items()}
            torch.save({**state, "scaling_factor": codec.autoencoder.config.scaling_factor}, weights)
    return model.eval().requires_grad_(False).to(device)


class Judge:
    """Draws windows of held-out clips from fixed noise, and compares them.

    Args:
        model: The trained model.
        held: The clips as latents.
        true: The same clips as pixels.
        windows: How many windows to take, evenly spread.
        scale: Of the guidance.
        slow: The way that the others shorten.
        converged: What stands for ever more steps of it.
    """

    def __init__(
        self,
        model: VideoDiffusion,
        held: list[VideoClip],
        true: list[VideoClip],
        windows: int,
        scale: float,
        slow: Way = SLOW,
        converged: Way = CONVERGED,
    ) -> None:
        self.model, self.scale, self.own = model, scale, model.noise_scheduler
        latents, pixels = (VideoWindows(c, model.window_frames, model.audio_encoder.context, jitter=False) for c in (held, true))
        places = np.unique(np.linspace(0, len(latents) - 1, windows).round().astype(int))
        chunks = [places[i : i + CHUNK].tolist() for i in range(0, len(places), CHUNK)]
        self.batches, self.true = [latents.__getitems__(chunk) for chunk in chunks], [pixels.__getitems__(chunk) for chunk in chunks]
        self.slow, self.converged = self.draw(slow), self.draw(converged)

    @torch.no_grad()
    def draw(self, way: Way) -> list[Tensor]:
        """Latents of all windows, (B, T, C, h, w) a batch; their past is the true one."""
        model = self.model
        draw_as(model, way, self.own, ClassifierFreeGuidance(self.scale, "plan", way.interval))
        drawn = []
        for i, given in enumerate(self.batches):
            batch = {name: value.to(model.device) if hasattr(value, "to") else value for name, value in given.items()}
            clean = model.latents(batch["frames"])
            noise = torch.randn(clean.shape, generator=torch.Generator().manual_seed(i))
            with torch.autocast(model.device.type, torch.bfloat16, enabled=model.device.type == "cuda"):
                portrait = model.denoiser.encode_reference(model.latents(batch["portrait"]))
                rest = (model.latents(batch["coarse"]), batch["region_masks"], batch["audio"], batch["plan"], clean[:, : model.past_frames])
                drawn.append(model.sample_window(portrait, *rest, guidance=model.guidance, noise=noise).float())
        return drawn

    @torch.no_grad()
    def measure(self, way: Way) -> dict[str, float]:
        """Distances of the new frames to the slow and the converged result, and errors against the true frames."""
        drawn, p = self.draw(way), self.model.past_frames
        found = {"to the slow": self._apart(drawn, self.slow), "to converged": self._apart(drawn, self.converged)}
        errors: list[tuple[float, float]] = []
        for x, true in zip(drawn, self.true):
            frames, target = self.model.autoencoder.decode(x[:, p:]) * 255, true["frames"][:, p:].to(x.device).float()
            lower = true["region_masks"][:, [REGIONS.index("lower")]].to(x.device)
            mask = F.interpolate(lower, target.shape[-2:], mode="bilinear")[:, None]  # (B, 1, 1, H, W)
            off = (frames - target).abs()
            weights = mask.expand_as(off)
            errors += [(float(a.mean()), float((a * w).sum() / w.sum())) for a, w in zip(off, weights)]
        found["error"], found["error at the mouth"] = (float(np.mean(values)) for values in zip(*errors))
        return found

    def _apart(self, drawn: list[Tensor], other: list[Tensor]) -> float:
        a, b = (torch.cat(x)[:, self.model.past_frames :] for x in (drawn, other))
        return float((a - b).square().mean().sqrt() / b.std())


def markdown(everything: dict[str, Any]) -> str:
    """The table: one row a way."""
    names = ("per_second_of_video_s", "to the slow", "to converged", "error", "error at the mouth")
    rows, base = [], everything["rows"][str(SLOW)].get("per_second_of_video_s")
    for way, row in everything["rows"].items():
        cells = [f"{row[name]:.3f}" if name in row else "" for name in names]
        times = f"{base / row[names[0]]:.2f} ×" if base and names[0] in row else ""
        rows.append([way, cells[0], times, *cells[1:]])
    header = ("", "GPU seconds a second of video", "", "to the slow", "to converged", "error", "at the mouth")
    text = "\n".join(f"- {name}: {value}" for name, value in everything["about"].items())
    return (
        f"# Faster ways to draw video: Hallo's network at full size, quality on a small trained model\n\n{table(header, rows)}\n\n{text}\n"
    )


if __name__ == "__main__":
    run(video_acceleration, many=None)
