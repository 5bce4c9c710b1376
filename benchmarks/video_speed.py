"""How fast `VideoDiffusion` trains and draws at Stable Diffusion 1.5's size, and in how much memory, against the plain path.

    python -m benchmarks.video_speed --output results/video_speed.json                          # one GPU, about four minutes
    torchrun --nproc-per-node 2 -m benchmarks.video_speed --ddp true --output results/video_ddp.json  # two GPUs against one
    python -m benchmarks.video_speed --hallo true --output results/video_speed_hallo.json       # Hallo's network, drawing
    python -m benchmarks.video_speed --tiny true                                                # the same code on a CPU

Weights are random: speed does not depend on them. The plain path has attention as separate matrix products and softmax,
norms as autocast runs them, nothing compiled, all activations kept, and draws one branch after the other. Both paths run in the same
process, in bf16.
"""

import gc
import os
import time
from collections.abc import Callable
from typing import Any, NamedTuple

import torch
from diffusers import DDIMScheduler
from torch import Tensor, nn
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode

from benchmarks.common import environment, run, table, write_results
from tbd.draw.conditioning.audio_encoder import AudioEncoder, MelEncoder
from tbd.draw.conditioning.plan_encoder import LabelEncoder, MuscleTokenEncoder
from tbd.draw.conditioning.plan_tensors import PlanTensors
from tbd.draw.guidance.classifier_free import ClassifierFreeGuidance
from tbd.draw.guidance.progressive import ProgressiveGuidance
from tbd.draw.video.autoencoder import LatentCodec
from tbd.draw.video.denoiser import VideoUNet
from tbd.draw.video.diffusion import VideoDiffusion
from tbd.draw.video.hallo.denoiser import HalloDenoiser
from tbd.draw.video.hallo.published import NOISE_SCHEDULER
from tbd.draw.video.precision import cast_frozen_to_bf16, keep_norm_dtype
from tbd.draw.video.sampling_options import VideoSamplingConfig
from tbd.draw.video.training_options import VideoTraining
from tbd.draw.window_options import WindowConfig
from tbd.think.plan import MuscleAction, MusclePlan

FULL_UNET = {"cross_attention_dim": 768, "sample_size": 64}
"""The other defaults of `UNetMotionModel` are Stable Diffusion 1.5's and AnimateDiff's."""
FULL_AUTOENCODER = {
    "down_block_types": ["DownEncoderBlock2D"] * 4,
    "up_block_types": ["UpDecoderBlock2D"] * 4,
    "block_out_channels": [128, 256, 512, 512],
    "layers_per_block": 2,
    "scaling_factor": 0.18215,
}
TINY_UNET = {
    "block_out_channels": [16, 32],
    "down_block_types": ["CrossAttnDownBlockMotion", "DownBlockMotion"],
    "up_block_types": ["UpBlockMotion", "CrossAttnUpBlockMotion"],
    "layers_per_block": 1,
    "norm_num_groups": 4,
    "cross_attention_dim": 32,
    "num_attention_heads": 2,
    "motion_num_attention_heads": 2,
}
TINY_AUTOENCODER = {**FULL_AUTOENCODER, "block_out_channels": [8, 8, 8, 8], "layers_per_block": 1, "norm_num_groups": 4}
STAGES = {
    "temporal": ["denoiser.unet.*motion_modules*"],
    "spatial": ["denoiser.reference.*", "denoiser.unet.*attentions*", "denoiser.null_tokens", "plan_encoder.*", "audio_encoder.*"],
}
PLAN = MusclePlan(
    emotions={"sad": 1.0}, intensity=0.9, actions=tuple(MuscleAction(unit=unit, intensity=0.6, onset=0.1) for unit in (1, 4, 15, 17))
)
THREE = ProgressiveGuidance(emotion_scale=2.0, muscle_scale=1.5, emotion_floor=1.0, muscle_floor=1.0)
"""Three branches at every step: no plan, the emotion, emotion and muscles. Weights that move would leave some out at some steps."""


class Bench:
    """One model and its measurements.

    Args:
        tiny: made-up sizes, for a CPU.
        stage: which parameters train.
    """

    def __init__(self, tiny: bool, stage: str) -> None:
        self.device = torch.device("cuda", int(os.environ.get("LOCAL_RANK", 0))) if torch.cuda.is_available() else torch.device("cpu")
        self.side, self.width = (8, 32) if tiny else (64, 768)
        with self.device:  # random weights of this size take long to draw on a CPU
            self.model = VideoDiffusion(
                denoiser=VideoUNet(TINY_UNET if tiny else FULL_UNET, max_frames=32),
                autoencoder=LatentCodec(TINY_AUTOENCODER if tiny else FULL_AUTOENCODER),
                plan_encoder=MuscleTokenEncoder(self.width),
                audio_encoder=MelEncoder(self.width, dropout=0.0),
                noise_scheduler=DDIMScheduler(beta_start=0.00085, beta_end=0.012, beta_schedule="scaled_linear", clip_sample=False),
                guidance=THREE,
                training=VideoTraining(trainable=STAGES[stage]),
            )
        self.model.to(self.device)
        # copies of the networks, such as saved hyper-parameters, would count in every peak
        self.weights_gib = torch.cuda.memory_allocated(self.device) / 2**30 if self.device.type == "cuda" else 0.0
        self.optimizer: torch.optim.Optimizer | None = None

    def batch(self, frames: int, size: int = 1) -> dict[str, Any]:
        """Made-up cached latents."""
        generator = torch.Generator(self.device).manual_seed(0)

        def normal(*shape: int) -> Tensor:
            return torch.randn(shape, generator=generator, device=self.device)

        return {
            "frames": normal(size, frames, 4, self.side, self.side),
            "coarse": normal(size, frames, 4, self.side, self.side),
            "neutral_coarse": normal(size, frames, 4, self.side, self.side),
            "portrait": normal(size, 4, self.side, self.side),
            "region_masks": normal(size, 5, self.side, self.side).sigmoid(),
            "audio": normal(size, (frames + 2 * self.model.audio_encoder.context) * 640) * 0.1,
            "plan": PlanTensors.collate([PLAN] * size).to(self.device),
            "id": torch.arange(size),
        }

    def autocast(self) -> torch.autocast:
        return torch.autocast(self.device.type, torch.bfloat16)

    def step(self, loss_of: Callable[[dict[str, Any]], Tensor], batch: dict[str, Any]) -> None:
        """Forward, backward, clipping, AdamW."""
        trained = [p for p in self.model.parameters() if p.requires_grad]
        if self.optimizer is None:
            self.optimizer = self.model.configure_optimizers()["optimizer"]
        with self.autocast():
            loss = loss_of(batch)
        loss.backward()
        nn.utils.clip_grad_norm_(trained, 1.0)
        self.optimizer.step()
        self.optimizer.zero_grad(set_to_none=True)

    def time(self, call: Callable[[], Any], warm: int = 2, times: int = 4) -> dict[str, float]:
        """Seconds of one call (the median), and GiB at its peak."""
        for _ in range(warm):
            call()
        if self.device.type == "cuda":
            torch.cuda.reset_peak_memory_stats(self.device)
        spent = []
        for _ in range(times):
            self.wait()
            start = time.perf_counter()
            call()
            self.wait()
            spent.append(time.perf_counter() - start)
        peak = torch.cuda.max_memory_allocated(self.device) / 2**30 if self.device.type == "cuda" else 0.0
        return {"seconds": sorted(spent)[len(spent) // 2], "peak_gib": peak}

    def wait(self) -> None:
        if self.device.type == "cuda":
            torch.cuda.synchronize(self.device)

    def train_step(self, frames: int, **options: Any) -> dict[str, float]:
        batch = self.batch(frames)
        found = self.time(lambda: self.step(lambda b: self.model.losses(b)["loss"], batch), **options)
        return {**found, "frames": frames, "frames_per_s": frames / found["seconds"]}

    def forget(self) -> None:
        self.optimizer = None
        for parameter in self.model.parameters():
            parameter.grad = None
        gc.collect()
        if self.device.type == "cuda":
            torch.cuda.empty_cache()

    def flops(self, frames: int) -> float:
        """Multiplications and additions of one training step's forward and backward pass, nothing computed twice."""
        batch = self.batch(frames)
        with FlopCounterMode(display=False) as counter:
            with self.autocast():
                loss = self.model.losses(batch)["loss"]
            loss.backward()
        self.forget()
        return float(counter.get_total_flops())

    def matrix_rate(self) -> float:
        """bf16 multiplications and additions a second of the best square matrix product."""
        n = 8192 if self.device.type == "cuda" else 256
        a, b = (torch.randn(n, n, device=self.device, dtype=torch.bfloat16) for _ in range(2))
        return 2 * n**3 / self.time(lambda: a @ b, warm=3, times=9)["seconds"]

    def draw_step(self, frames: int, steps: int, sequential: bool) -> dict[str, float]:
        """Seconds of one denoising step of a window with three branches."""
        batch = self.batch(frames)
        with torch.no_grad(), self.autocast():
            portrait = self.model.denoiser.encode_reference(batch["portrait"])
            parts = (portrait, batch["coarse"], batch["region_masks"], batch["audio"], batch["plan"])

            def call(n: int) -> None:
                self.model.sample_window(*parts, guidance=THREE, num_inference_steps=n, sequential=sequential)

            found = self.time(lambda: call(steps), warm=1, times=2)
        new = frames - self.model.past_frames
        return {"seconds": found["seconds"] / steps, "peak_gib": found["peak_gib"], "new_frames": new}

    def decode(self, frames: int) -> float:
        """Seconds a frame."""
        latents = self.batch(frames)["frames"]
        with self.autocast():
            return self.time(lambda: self.model.autoencoder.decode(latents), warm=1, times=2)["seconds"] / frames


def unfused():
    """Attention as separate products and softmax, in bf16 as fused attention is."""
    if torch.cuda.is_available():
        torch.backends.cuda.allow_fp16_bf16_reduction_math_sdp(True)
    return sdpa_kernel(SDPBackend.MATH)


def first_that_fits(call: Callable[[int], dict[str, float]], frames: tuple[int, ...], forget: Callable[[], None]) -> dict[str, float]:
    """The measurement with as many frames as memory allows."""
    for n in frames:
        try:
            return call(n)
        except torch.OutOfMemoryError:
            error = n
        forget()
    raise RuntimeError(f"{error} frames do not fit.")


def hallo_network(tiny: bool, plan_dim: int = 0) -> HalloDenoiser:
    """Hallo's network with random weights.

    Args:
        tiny: made-up sizes, for a CPU.
        plan_dim: width of the tokens of muscle plans that it attends to; 0 for the network as it is published.
    """
    wide = {} if tiny else {"cross_attention_dim": 768, "attention_head_dim": 8}
    small = {"block_out_channels": [32] * 4, "layers_per_block": 1, "cross_attention_dim": 32, "attention_head_dim": 8}
    sizes: dict[str, Any] = {"audio_inputs": 120, "audio_hidden": 8, "audio_tokens": 4, "audio_width": 16} if tiny else {}
    return HalloDenoiser(wide or small, plan_dim=plan_dim, **sizes)


class HalloBench:
    """Hallo's network with random weights, drawing windows at its own settings: 16 new frames, 40 steps, two branches.

    Args:
        tiny: made-up sizes, for a CPU.
    """

    def __init__(self, tiny: bool) -> None:
        self.device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        self.side = 8 if tiny else 64
        with self.device:
            denoiser = hallo_network(tiny).to(torch.bfloat16 if self.device.type == "cuda" else torch.float32)
            self.model = VideoDiffusion(
                denoiser=denoiser,
                autoencoder=LatentCodec(TINY_AUTOENCODER if tiny else FULL_AUTOENCODER),
                plan_encoder=LabelEncoder(denoiser.plan_dim),
                audio_encoder=GivenAudio(denoiser.audio_dim),
                noise_scheduler=DDIMScheduler(**NOISE_SCHEDULER),
                guidance=ClassifierFreeGuidance(3.5, "everything"),
                windows=WindowConfig(18, 2),
                sampling=VideoSamplingConfig(40, uncond_mode="nothing"),
            )
        self.model.to(self.device).eval().requires_grad_(False)

    @torch.no_grad()
    def window(self, steps: int) -> None:
        """Draw one window, the reference pass included."""
        generator = torch.Generator(self.device).manual_seed(0)

        def normal(*shape: int) -> Tensor:
            return torch.randn(shape, generator=generator, device=self.device)

        model, side = self.model, self.side
        reference = model.denoiser.encode_reference(normal(1, 4, side, side))
        reference |= {"face_embedding": normal(1, 512), "face_mask": torch.ones(1, 3, 8 * side, 8 * side, device=self.device)}
        reference |= {f"audio_masks.{i}": normal(1, 3, (side >> i) ** 2).sigmoid() for i in range(4)}
        hint, masks = torch.zeros(1, 18, 4, side, side, device=self.device), normal(1, 5, side, side).sigmoid()
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self.device.type == "cuda"):
            model.sample_window(
                reference,
                hint,
                masks,
                None,
                PlanTensors.collate([PLAN]).to(self.device),
                normal(1, 2, 4, side, side),
                guidance=model.guidance,
                num_inference_steps=steps,
                audio_embeds=normal(1, 18, model.denoiser.audio_dim),
            )

    @torch.no_grad()
    def decode(self) -> None:
        """Decode a window's new frames."""
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self.device.type == "cuda"):
            self.model.autoencoder.decode(torch.randn(1, 16, 4, self.side, self.side, device=self.device))


class GivenAudio(AudioEncoder):
    """Features of a recording that were computed before: wav2vec 2.0 reads it once and is not measured."""

    context = 0

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.dim = dim

    def forward(self, audio: Tensor, phones: Tensor | None = None) -> Tensor:
        return audio


def hallo_speed(tiny: bool = False, steps: int = 8, compile: bool = False) -> dict[str, float]:
    """Seconds of GPU for a second of video: reference pass, 40 steps, decoding."""
    bench = HalloBench(tiny)
    if compile:
        bench.model.compile_parts()
    if bench.device.type == "cuda":
        torch.cuda.reset_peak_memory_stats()
    one, many = (median_seconds(lambda n=n: bench.window(n), bench.device) for n in (1, 1 + steps))
    step = (many - one) / steps
    window, decode = one + 39 * step, median_seconds(bench.decode, bench.device)
    peak = torch.cuda.max_memory_allocated() / 2**30 if bench.device.type == "cuda" else 0.0
    return {"step_s": step, "window_s": window, "decode_s": decode, "per_second_of_video_s": (window + decode) * 25 / 16, "peak_gib": peak}


def median_seconds(call: Callable[[], Any], device: torch.device, times: int = 3) -> float:
    """The median of some calls after a first, which compiles."""
    spent = []
    for _ in range(1 + times):
        if device.type == "cuda":
            torch.cuda.synchronize()
        start = time.perf_counter()
        call()
        if device.type == "cuda":
            torch.cuda.synchronize()
        spent.append(time.perf_counter() - start)
    return sorted(spent[1:])[times // 2]


def video_speed(
    output: str | None = None, tiny: bool = False, ddp: bool = False, compile: bool = True, spatial: bool = True, hallo: bool = False
) -> None:
    """Measure and write.

    Args:
        output: a name ending in .json; it is written again after each part, so that a run that is cut short leaves something.
        tiny: tiny sizes, to see that everything runs.
        ddp: two processes against one instead of everything else; start with torchrun.
        compile: also measure compiled.
        spatial: also measure the first stage's memory and speed.
        hallo: Hallo's network drawing at its own settings, instead of everything else.
    """
    torch.set_float32_matmul_precision("high")
    if hallo:
        rows = {"as it is": hallo_speed(tiny)} | ({"compiled": hallo_speed(tiny, compile=True)} if compile else {})
        names = list(next(iter(rows.values())))
        shown = table(("", *names), [[row, *(f"{value:.3f}" for value in found.values())] for row, found in rows.items()])
        write_results(
            output, {"environment": environment(), "rows": rows}, f"# Hallo's network, 512², 16 new frames, 40 steps\n\n{shown}\n"
        )
        return
    if ddp:
        _two_against_one(output, tiny, compile)
        return
    for_sampling = time.perf_counter()
    results: dict[str, Any] = {"environment": environment(), "frames": 16}

    def keep(name: str, value: Any) -> None:
        results[name] = value
        results["elapsed_s"] = round(time.perf_counter() - for_sampling, 1)
        write_results(output, results, _markdown(results))

    _measure_temporal_stage(Bench(tiny, "temporal"), results, keep, compile)
    gc.collect()
    if spatial:
        first = Bench(tiny, "spatial")
        cast_frozen_to_bf16(first.model)
        first.model.denoiser.enable_gradient_checkpointing("some")
        keep("train_spatial_stage", first_that_fits(lambda n: first.train_step(n, warm=1, times=2), (16, 8, 4), first.forget))


def _measure_temporal_stage(bench: Bench, results: dict[str, Any], keep: Callable[[str, Any], None], compile: bool) -> None:
    """What the figures need first, the plain path before ours; then what explains them."""
    denoiser = bench.model.denoiser
    results["device"] = torch.cuda.get_device_name() if bench.device.type == "cuda" else "cpu"
    results["parameters"] = {kind: sum(p.numel() for p in part.parameters()) for kind, part in bench.model.named_children()}
    keep("weights_gib", bench.weights_gib)
    keep("matrix_tflops", bench.matrix_rate() / 1e12)
    keep("step_tflop", bench.flops(4) * 4 / 1e12)
    _normalise_as_autocast(denoiser)
    with unfused():
        keep("train_plain", first_that_fits(lambda n: bench.train_step(n, times=3), (16, 8, 4), bench.forget))
        bench.forget()
        keep("draw_plain", bench.draw_step(16, 4, sequential=True))
    bench.forget()
    same = int(results["train_plain"]["frames"])
    keep_norm_dtype(denoiser)
    cast_frozen_to_bf16(bench.model)
    keep("train_without_saving", first_that_fits(bench.train_step, (16, 8, 4), bench.forget))
    bench.forget()
    keep("draw_batched", bench.draw_step(16, 4, sequential=False))
    keep("decode_s_per_frame", bench.decode(16))
    bench.forget()
    keep("draw_sequential", bench.draw_step(16, 4, sequential=True))
    denoiser.enable_gradient_checkpointing("some")
    for name in ("train_saving_some", "train_saving_some_compiled") if compile else ("train_saving_some",):
        if name.endswith("compiled"):
            bench.model.compile_parts()
        keep(name, bench.train_step(16, warm=5, times=9))
        if same != 16:
            keep(f"{name}_same_frames", bench.train_step(same))
        bench.forget()
    if compile:
        keep("draw_batched_compiled", bench.draw_step(16, 8, sequential=False))


def _normalise_as_autocast(module: nn.Module) -> None:
    """Undo `keep_norm_dtype`: the plain path has PyTorch's own norms."""
    for part in module.modules():
        for plain in (nn.GroupNorm, nn.LayerNorm):
            if isinstance(part, plain):
                part.__class__ = plain


def _markdown(results: dict[str, Any]) -> str:
    lines = [f"# Speed of the latent video model, {results.get('device')}", ""]
    rows = [[name, r["frames"], r["seconds"], r["frames_per_s"], r["peak_gib"]] for name, r in results.items() if name.startswith("train_")]
    lines += [table(("training step, batch 1, 512²", "frames", "seconds", "frames/s", "peak GiB"), rows), ""]
    rows = [[name, f"{r['seconds']:.3f}", r["peak_gib"]] for name, r in results.items() if name.startswith("draw_")]
    lines += [table(("one denoising step, 16 frames, 3 branches", "seconds", "peak GiB"), rows), ""]
    for name, words in _figures(results).items():
        lines.append(f"- {name}: {words}")
    return "\n".join(lines)


def _figures(results: dict[str, Any]) -> dict[str, str]:
    """The table of figures, as far as it is measured."""
    figures = {}
    plain, ours = results.get("train_plain"), None
    for name in ("train_without_saving", "train_saving_some", "train_saving_some_compiled"):
        same = results.get(f"{name}_same_frames", results.get(name))
        if plain and same and same["frames"] == plain["frames"]:
            figures[f"{name} against plain, {plain['frames']} frames"] = f"{same['frames_per_s'] / plain['frames_per_s']:.2f} ×"
            ours = results[name]
    if ours:
        rate = results["step_tflop"] / ours["seconds"]
        figures["peak of that step at batch 1"] = f"{ours['peak_gib']:.1f} GiB"
        figures["share of the measured bf16 matrix rate"] = (
            f"{rate / results['matrix_tflops']:.1%} ({rate:.1f} of {results['matrix_tflops']:.0f} TFLOP/s; "
            f"{results['step_tflop']:.1f} TFLOP a step, nothing counted twice)"
        )
    decode = results.get("decode_s_per_frame", 0.0)
    # a window repeats the end of the one before, so that fewer of its frames are new
    whole = {name: decode + 25 * r["seconds"] / r["new_frames"] for name, r in results.items() if name.startswith("draw_")}
    for name, seconds in whole.items():
        figures[f"{name}, seconds a new frame at 25 steps with decoding"] = f"{seconds:.3f} ({whole['draw_plain'] / seconds:.2f} × plain)"
    return figures


class _Loss(nn.Module):
    """What DDP wraps: its forward is the loss."""

    def __init__(self, model: VideoDiffusion) -> None:
        super().__init__()
        self.model = model

    def forward(self, batch: dict[str, Any]) -> Tensor:
        return self.model.losses(batch)["loss"]


class Together(NamedTuple):
    """One way to train on several GPUs.

    Args:
        stage: of `STAGES`.
        size: windows a GPU.
        compiled: as ``compile: true``.
    """

    stage: str
    size: int = 1
    compiled: bool = False


def _two_against_one(output: str | None, tiny: bool, compile: bool) -> None:
    """Samples a second of all processes together, against one alone while the others wait."""
    import torch.distributed as dist

    cuda = torch.cuda.is_available()
    if cuda:
        torch.cuda.set_device(int(os.environ["LOCAL_RANK"]))
    dist.init_process_group("nccl" if cuda else "gloo")
    world = dist.get_world_size()
    device = torch.cuda.get_device_name() if cuda else "cpu"
    results: dict[str, Any] = {"environment": environment(), "device": device, "processes": world, "rows": []}
    ways = [Together("temporal", 2), Together("temporal"), Together("spatial")]
    for way in [*ways, Together("temporal", compiled=True)] if compile else ways:
        row: dict[str, Any] = {**way._asdict(), "found": {}}
        results["rows"].append(row)
        for how in ("one alone", "DDP", "shares"):
            found = _train_together(way, tiny, how)
            worst = torch.tensor([found["seconds"], found["peak_gib"]], device="cuda" if cuda else "cpu")
            dist.all_reduce(worst, dist.ReduceOp.MAX)
            samples = way.size * (1 if how == "one alone" else world)
            row["found"][how] = {"samples_per_s": samples / float(worst[0]), "peak_gib": float(worst[1])}
            if dist.get_rank() == 0:
                write_results(output, results, _together(results))
    dist.destroy_process_group()


def _train_together(way: Together, tiny: bool, how: str) -> dict[str, float]:
    """Seconds of a training step, and its peak, in this process; nothing where it waits for the first."""
    import torch.distributed as dist
    from torch.distributed.device_mesh import init_device_mesh
    from torch.nn.parallel import DistributedDataParallel

    found = {"seconds": 0.0, "peak_gib": 0.0}
    if how != "one alone" or dist.get_rank() == 0:
        bench = Bench(tiny, way.stage)
        cast_frozen_to_bf16(bench.model)
        bench.model.denoiser.enable_gradient_checkpointing("some")
        loss_of: Callable[[dict[str, Any]], Tensor] = _Loss(bench.model)
        if how == "shares":
            bench.model.apply_fsdp2(init_device_mesh(bench.device.type, (1, dist.get_world_size()), mesh_dim_names=("copies", "shares")))
        if way.compiled:
            bench.model.compile_parts()
        if how == "DDP":
            ids = [bench.device.index] if bench.device.type == "cuda" else None
            loss_of = DistributedDataParallel(loss_of, device_ids=ids, gradient_as_bucket_view=True, broadcast_buffers=False)
        batch = bench.batch(16, way.size)
        found = bench.time(lambda: bench.step(loss_of, batch), warm=4, times=9)
    dist.barrier()
    gc.collect()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
    return found


def _together(results: dict[str, Any]) -> str:
    rows = [
        [row["stage"], row["size"], "yes" if row["compiled"] else "", how, found["samples_per_s"], found["peak_gib"],
         f"{found['samples_per_s'] / row['found']['one alone']['samples_per_s']:.2f} ×"]
        for row in results["rows"] for how, found in row["found"].items()
    ]  # fmt: skip
    header = ("stage, 16 frames, 512²", "windows a GPU", "compiled", "", "samples/s", "peak GiB a GPU", "against one")
    return f"# Training the latent video model on {results['processes']} × {results['device']}\n\n{table(header, rows)}\n"


if __name__ == "__main__":
    run(video_speed, many=None)
