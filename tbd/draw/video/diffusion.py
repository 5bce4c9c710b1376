"""`VideoDiffusion`: a diffusion over windows of latent video, conditioned on a portrait, a coarse motion of it, a plan and a recording."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from fnmatch import fnmatch
from itertools import islice
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from diffusers import SchedulerMixin
from lightning.pytorch.callbacks import WeightAveraging
from lightning.pytorch.loggers import TensorBoardLogger
from lightning.pytorch.strategies import FSDPStrategy
from torch import Tensor
from torch.distributed.device_mesh import DeviceMesh
from torch.distributed.fsdp import FSDPModule
from torch.distributed.tensor import DTensor

from tbd.draw.checkpoint import load_initial, read_state, require_fitting
from tbd.draw.conditioning.audio_encoder import AudioEncoder, frames_of
from tbd.draw.conditioning.plan_encoder import PlanEmbeds, PlanEncoder
from tbd.draw.conditioning.plan_tensors import PlanTensors
from tbd.draw.guidance.base import Guidance
from tbd.draw.optim import OptimizerConfig
from tbd.draw.parameterization import min_snr_weight, target, to_sample
from tbd.draw.randomness import SampleNoise, WindowNoise
from tbd.draw.sample_means import Tally
from tbd.draw.sampling import AudioWindows, Past, draw_windows, expand_as, repeat_batch, require_widths
from tbd.draw.training_options import InitialWeights, TrainingNoise, ValidationClips, VideoConditioningDropout
from tbd.draw.video import precision
from tbd.draw.video.autoencoder import LatentCodec
from tbd.draw.video.clip_metrics import VideoClipMetrics
from tbd.draw.video.denoiser import ReferenceFeatures, VideoConditioning, VideoDenoiser
from tbd.draw.video.fsdp import apply_fsdp2
from tbd.draw.video.logging import add_video
from tbd.draw.video.precision import MemoryOptions
from tbd.draw.window_diffusion import WindowDiffusion
from tbd.errors import InputError
from tbd.media.rates import FPS
from tbd.think.plan import MusclePlan


class VideoDiffusion(WindowDiffusion):
    """Draws video. Every part is a component; this class trains them together and runs the sampling loop.

    Batches are `tbd.data.datasets.video.VideoBatch`: pixels or cached latents of T frames, of the coarse mesh-warped portrait and of the
    portrait itself, region masks, audio, plans, and the samples' numbers. Training runs in stages, each an experiment file
    that names the parameters it trains and the weights it starts from.

    Args:
        denoiser: Predicts from noisy latents.
        autoencoder: Frames ↔ latents; never trained here.
        plan_encoder: Plan → tokens, of the denoiser's `plan_dim`.
        audio_encoder: Waveform → features, of the denoiser's `audio_dim`.
        noise_scheduler: Any noise scheduler of diffusers whose training noise is variance preserving.
        guidance: How the branches are combined when drawing.
        num_inference_steps: Denoising steps when drawing.
        window_frames: Frames of one window, the past included.
        past_frames: Frames of the window before that a window repeats.
        crossfade_frames: Frames over which a window's difference to the past that it continues fades out; 0 for none, since a
            blend of two latents is no picture between them.
        uncond_mode: What ε(∅) means when drawing, as for `MotionDiffusion`.
        trainable: Patterns of the parameter names that train, as a shell's (``denoiser.unet.*motion_modules*``).
        initial: Weights to start from, such as those of the stage before.
        conditioning_dropout: How often training withholds which condition.
        training_noise: Which noise training adds.
        min_snr_gamma: γ of min-SNR weighting; None weighs the prediction's error alike at all noise levels.
        optimizer: AdamW and its learning rate.
        memory: What training does to need less memory.
        compile: Whether to compile what repeats in the denoiser, for training and drawing, and replay what does not train as CUDA graphs.
        validation: Clips of a validation that are drawn and shown in TensorBoard.
        seed: Seed of the run, which decides all noise with the samples' numbers; None for that of ``seed_everything``.

    Raises:
        TypeError: If the noise scheduler lacks a method that sampling or training calls, or the audio encoder takes phones.
        ValueError: If widths or lengths do not fit, or a pattern names no parameter.
        InputError: If initial weights are missing or do not fit.
    """

    denoiser: VideoDenoiser

    def __init__(
        self,
        denoiser: VideoDenoiser,
        autoencoder: LatentCodec,
        plan_encoder: PlanEncoder,
        audio_encoder: AudioEncoder,
        noise_scheduler: SchedulerMixin,
        guidance: Guidance,
        num_inference_steps: int = 25,
        window_frames: int = 16,
        past_frames: int = 4,
        crossfade_frames: int = 0,
        uncond_mode: Literal["neutral", "nothing"] = "neutral",
        trainable: Sequence[str] = ("*",),
        initial: InitialWeights | None = None,
        conditioning_dropout: VideoConditioningDropout = VideoConditioningDropout(),
        training_noise: TrainingNoise = TrainingNoise(past=0.05, offset=0.05),
        min_snr_gamma: float | None = 5.0,
        optimizer: OptimizerConfig = OptimizerConfig(1e-5, weight_decay=0.01, betas=(0.9, 0.999), schedule="constant"),
        memory: MemoryOptions = MemoryOptions(),
        compile: bool = False,
        validation: ValidationClips = ValidationClips(1, None),
        seed: int | None = None,
    ) -> None:
        super().__init__(
            denoiser, plan_encoder, audio_encoder, noise_scheduler, guidance, num_inference_steps, window_frames, past_frames,
            crossfade_frames, uncond_mode, conditioning_dropout, training_noise, optimizer, seed,
        )  # fmt: skip
        self.save_plain_hyperparameters()
        require_widths(plan_encoder, denoiser.plan_dim, audio_encoder, denoiser.audio_dim)
        if audio_encoder.recognizer is not None:
            raise TypeError(f"{type(audio_encoder).__name__} takes phones, which a video model's batches do not hold.")
        if autoencoder.channels != denoiser.channels:
            raise ValueError(f"The autoencoder's latents have {autoencoder.channels} channels; the denoiser takes {denoiser.channels}.")
        if not 0 <= past_frames < window_frames <= denoiser.max_frames:
            raise ValueError(
                f"A window has more frames than its past ({past_frames}) and at most {denoiser.max_frames}, not {window_frames}."
            )
        self.autoencoder, self.min_snr_gamma, self.memory, self.compiled = autoencoder, min_snr_gamma, memory, compile
        self.validation, self._tally = validation, Tally()
        if initial is not None:
            load_initial(self, initial.path, initial.skip)
        _freeze_all_but(self, trainable)
        if memory.cast_frozen_to_bf16:
            precision.cast_frozen_to_bf16(self)
        if memory.gradient_checkpointing != "nothing":
            denoiser.enable_gradient_checkpointing(memory.gradient_checkpointing)

    # -- training ------------------------------------------------------------------------------------------------

    def setup(self, stage: str) -> None:
        """Refuse a strategy that cannot train a part of the weights."""
        if isinstance(self.trainer.strategy, FSDPStrategy):
            raise InputError("FSDPStrategy flattens weights that train and weights that do not into one; take configs/trainer/fsdp.yaml.")

    def configure_model(self) -> None:
        """Shard the weights over processes, where the strategy has a device mesh."""
        if self.device_mesh is not None and not any(isinstance(part, FSDPModule) for part in self.modules()):
            if any(isinstance(callback, WeightAveraging) for callback in getattr(self.trainer, "callbacks", ())):
                raise InputError("Averaged weights cannot be sharded over GPUs: leave EMAWeightAveraging out, or train with DDP.")
            if self.trainer.ckpt_path is not None and Path(self.trainer.ckpt_path).is_file():
                # the strategy will load it before `on_load_checkpoint` could say what does not fit
                require_fitting(self, read_state(self.trainer.ckpt_path), "The checkpoint")
            self.apply_fsdp2(self.device_mesh)

    def apply_fsdp2(self, mesh: DeviceMesh) -> None:
        """Shard what trains over the processes of `mesh`, (copies, shards)."""
        apply_fsdp2(self, (*self.denoiser.fsdp_modules(), self.plan_encoder, self.audio_encoder), mesh, entrances=["encode_reference"])

    def on_fit_start(self) -> None:
        """Compile."""
        if self.compiled:
            self.compile_parts()

    def compile_parts(self) -> None:
        """Compile what repeats, and lay out convolutions as tensor cores want them."""
        for parameter in self.denoiser.parameters():
            if parameter.ndim == 4 and not isinstance(parameter, DTensor):  # a shard of a weight is contiguous, and stays so
                parameter.data = parameter.data.contiguous(memory_format=torch.channels_last)
        self.denoiser.compile_parts()

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Take the run's seed, and refuse weights that do not fit."""
        super().on_load_checkpoint(checkpoint)
        if "state_dict" in checkpoint:  # sharded weights are loaded before, by the strategy
            require_fitting(self, checkpoint["state_dict"], "The checkpoint")

    def training_step(self, batch: dict[str, Any], batch_idx: int) -> Tensor:
        """Compute the loss of a batch.

        Args:
            batch: See the class.
            batch_idx: Its number in the epoch.

        Returns:
            () the loss.
        """
        size = len(batch["frames"])
        loss = self.losses(self.numbered(batch, batch_idx, size))["loss"]
        self.log("train/loss", self.averaged(loss), prog_bar=True, batch_size=size)
        return loss

    def validation_step(self, batch: dict[str, Any], batch_idx: int) -> None:
        """Measure a batch, and show some clips of the first.

        Args:
            batch: See the class.
            batch_idx: Its number.
        """
        batch = self.numbered(batch, batch_idx, len(batch["frames"]))
        # batches of other sizes, without gradients: not worth compiling again
        with torch.compiler.set_stance("force_eager"):
            errors = self.errors(batch)
        self._tally.add(batch["id"].tolist(), **errors, windows=torch.ones(len(errors["loss"])))
        if batch_idx == 0:
            self._show(batch)

    def on_validation_epoch_end(self) -> None:
        """Log what the validation found."""
        if totals := self._tally.totals():
            self.log_everywhere({f"val/{name}": totals[name] / totals["windows"] for name in ("loss", "sample")})

    def on_test_start(self) -> None:
        """Begin a test."""
        if self.device_mesh is not None:
            raise InputError("Clips differ in length, so that sharded weights cannot be tested with; test on one GPU, or with DDP.")
        self._tested = VideoClipMetrics()

    def test_step(self, batch: Any, batch_idx: int) -> None:
        """Draw a whole clip as `tbd generate` does from its coarse frames, and compare it with the true frames.

        Args:
            batch: The clip, a `tbd.data.datasets.video.WholeClip`.
            batch_idx: Its number.
        """
        self._tested.update(self, batch)

    def on_test_epoch_end(self) -> None:
        """Log what the test found."""
        self.log_everywhere({f"test/{name}": value for name, value in self._tested.compute().items()})

    def _show(self, batch: dict[str, Any]) -> None:
        """Draw the first clips of a batch as videos for TensorBoard: the coarse frames, what is drawn, the true frames."""
        writers = [logger.experiment for logger in self.loggers if isinstance(logger, TensorBoardLogger)]
        n = min(self.validation.count, len(batch["id"]))
        if not writers or not n:
            return
        rows = slice(n)
        hint, frames, portrait = (self.latents(batch[name][rows]) for name in ("coarse", "frames", "portrait"))
        noise = SampleNoise.of(batch["id"][rows].tolist(), self.run_seed, tuple(hint.shape[1:]), 1, hint.device).noise
        reference = self.denoiser.encode_reference(portrait)
        # every process draws, so that none waits for another; only the first has a real writer
        with torch.compiler.set_stance("force_eager"):
            drawn = self.sample_window(
                reference,
                hint,
                batch["region_masks"][rows],
                batch["audio"][rows],
                batch["plan"][rows],
                guidance=self.guidance,
                num_inference_steps=self.validation.num_inference_steps,
                noise=noise,
            )
        videos = torch.cat([self.autoencoder.decode(x) for x in (hint, drawn, frames)], -1)  # (n, T, 3, H, 3W)
        if self.trainer.is_global_zero:
            for i, video in enumerate(videos):
                for writer in writers:
                    add_video(writer, f"val/video_{i}", video, self.global_step)

    def losses(self, batch: dict[str, Any]) -> dict[str, Tensor]:
        """The training loss and the error of x₀, means of `errors`."""
        return {name: value.mean() for name, value in self.errors(batch).items()}

    def errors(self, batch: dict[str, Any]) -> dict[str, Tensor]:
        """The errors of each sample, on timesteps and with conditions dropped as the samples' numbers decide.

        Args:
            batch: See the class.

        Returns:
            ``loss`` and ``sample``, the error of x₀, (B,) each.
        """
        clean, hint, portrait = (self.latents(batch[name]) for name in ("frames", "coarse", "portrait"))
        windows = self.add_noise(clean, batch["id"].tolist())
        kept, alpha, sigma = windows.kept, windows.alpha, windows.sigma
        conditioning = VideoConditioning(
            self.plan_encoder(batch["plan"], self.times(clean.shape[1])).only(kept["emotion"], kept["muscles"]),
            self.audio_encoder(batch["audio"]),
            kept["audio"],
            hint * expand_as(kept["hint"], hint),
            batch["region_masks"],
            windows.past_mask,
        )
        reference = self.denoiser.encode_reference(portrait)
        pred = self.denoiser(windows.inputs, windows.timestep, reference, conditioning).float()
        kind = self.prediction_type
        wanted = target(clean, windows.noise, alpha, sigma, kind)
        weight = min_snr_weight(alpha, sigma, self.min_snr_gamma, kind) if self.min_snr_gamma else torch.ones_like(alpha)
        new = expand_as(1 - windows.past_mask, clean)
        share = new.mean((1, 2, 3, 4))  # (B,) every sample counts alike, however much of it is past
        error = ((pred - wanted).square() * weight * new).mean((1, 2, 3, 4)) / share
        sample = to_sample(pred.detach(), windows.noisy, alpha, sigma, kind)
        return {"loss": error, "sample": ((sample - clean).square() * new).mean((1, 2, 3, 4)) / share}

    # -- drawing -------------------------------------------------------------------------------------------------

    @torch.no_grad()
    def generate(
        self,
        portrait: np.ndarray,
        coarse: Iterable[np.ndarray],
        region_masks: np.ndarray,
        audio: np.ndarray,
        plan: MusclePlan,
        seed: int = 0,
        guidance: Guidance | None = None,
        num_inference_steps: int | None = None,
        sequential: bool = False,
    ) -> Iterator[np.ndarray]:
        """Draw the video of a recording, window by window, in constant memory.

        Args:
            portrait: (H, W, 3) uint8 RGB.
            coarse: The mesh-warped portrait, one (H, W, 3) uint8 frame for each 640 samples of audio.
            region_masks: (5, h, w) 0..1 over the latent, in the order of `REGIONS`.
            audio: (N,) float32 samples at 16 kHz.
            plan: The muscle plan, its times in seconds from the start.
            seed: The same seed gives the same video.
            guidance: How the branches are combined; None for this model's own.
            num_inference_steps: Denoising steps; None for this model's own number.
            sequential: Whether to run one branch of a step after the other: slower, in a third of the memory.

        Yields:
            ceil(N / 640) frames (H, W, 3) uint8 RGB.

        Raises:
            InputError: If sizes do not fit, or there are too few coarse frames.
        """
        f, (height, width) = self.autoencoder.factor, portrait.shape[:2]
        if height % f or width % f or region_masks.shape != (5, height // f, width // f):
            raise InputError(f"A portrait of {height}×{width} pixels needs sides that are multiples of {f}, and masks of an {f}th of them.")
        images, masks = iter(coarse), torch.from_numpy(np.asarray(region_masks, np.float32))

        def hints(wanted: int) -> Tensor:
            """(1, wanted, C, h, w) latents of the next coarse frames."""
            fresh = list(islice(images, wanted))
            if len(fresh) < wanted:
                raise InputError("The coarse video ends before the audio; it has one frame for each 640 samples.")
            for image in fresh:
                if image.shape != portrait.shape:
                    raise InputError(f"Coarse frames have the portrait's size {portrait.shape}; this one has {image.shape}.")
            return self.latents(_pixels(np.stack(fresh)[None]).to(self.device))

        latents = self.latents(_pixels(portrait[None]).to(self.device))
        for new in self.draw_latents(latents, hints, masks, audio, plan, seed, guidance, num_inference_steps, sequential):
            for frame in self.autoencoder.decode(new)[0]:
                yield (frame.permute(1, 2, 0) * 255).round().to(torch.uint8).cpu().numpy()

    @torch.no_grad()
    def draw_latents(
        self,
        portrait: Tensor,
        hints: Callable[[int], Tensor],
        region_masks: Tensor,
        audio: np.ndarray,
        plan: MusclePlan,
        seed: int = 0,
        guidance: Guidance | None = None,
        num_inference_steps: int | None = None,
        sequential: bool = False,
    ) -> Iterator[Tensor]:
        """Draw the video of a recording as `generate` does, from latents to latents.

        Args:
            portrait: (1, C, h, w) latents.
            hints: Gives the next so many coarse frames, (1, n, C, h, w) latents on this model's device.
            region_masks: (5, h, w) 0..1, in the order of `REGIONS`.
            audio: (N,) float32 samples at 16 kHz.
            plan: The muscle plan, its times in seconds from the start.
            seed: The same seed gives the same video.
            guidance: How the branches are combined; None for this model's own.
            num_inference_steps: Denoising steps; None for this model's own number.
            sequential: Whether to run one branch of a step after the other.

        Yields:
            Consecutive pieces (1, n, C, h, w), together ceil(N / 640) frames.
        """
        frames, t, recording = frames_of(len(audio)), self.window_frames, AudioWindows(audio, self.audio_encoder)
        plans, masks = PlanTensors.collate([plan]).to(self.device), region_masks[None].float().to(self.device)
        reference, noise = self.denoiser.encode_reference(portrait), WindowNoise([seed], (t, *portrait.shape[1:]))
        nothing = hint = torch.zeros(1, 0, *portrait.shape[1:], device=self.device)

        def draw(start: int, past: Tensor) -> Tensor:
            nonlocal hint
            known = past.shape[1]
            hint = torch.cat([hint[:, hint.shape[1] - known :], hints(min(t, frames - start) - known)], 1)
            hint = torch.cat([hint, hint[:, -1:].expand(-1, t - hint.shape[1], -1, -1, -1)], 1)  # the last again to the end
            return self.sample_window(
                reference,
                hint,
                masks,
                recording.window(start, t, self.device)[0],
                plans.shifted(torch.tensor([start / FPS], device=self.device)),
                past,
                guidance=guidance or self.guidance,
                num_inference_steps=num_inference_steps,
                noise=noise.next(1),
                sequential=sequential,
            )

        for _, new in draw_windows(draw, [frames], nothing, t, self.past_frames):
            yield new

    @torch.no_grad()
    def sample_window(
        self,
        reference: ReferenceFeatures,
        hint: Tensor,
        region_masks: Tensor,
        audio: Tensor,
        plan: PlanTensors,
        past: Tensor | None = None,
        guidance: Guidance | None = None,
        num_inference_steps: int | None = None,
        noise: Tensor | None = None,
        sequential: bool = False,
    ) -> Tensor:
        """Draw one window by the full sampling loop.

        Args:
            reference: The features of B portraits, from `VideoDenoiser.encode_reference`.
            hint: (B, T, C, h, w) latents of the coarse frames.
            region_masks: (B, 5, h, w) 0..1.
            audio: (B, (T + 2·context)·640) samples.
            plan: B plans in window time.
            past: (B, P, C, h, w) latents that the window's first P frames repeat.
            guidance: How the branches are combined; None draws the fully conditioned branch alone.
            num_inference_steps: Denoising steps; None for the model's own number.
            noise: (B, T, C, h, w) noise to start from; drawn where not given.
            sequential: Whether to run one branch after the other.

        Returns:
            (B, T, C, h, w) latents, the first P the past's.
        """
        known, noise = Past.of(past, hint), torch.randn_like(hint) if noise is None else noise.to(hint.device)
        shared = (reference, self.audio_encoder(audio), hint, region_masks, known.mask)
        masks = region_masks.transpose(0, 1)[:, :, None, None]  # (5, B, 1, 1, h, w)
        return self.denoise_windows(plan, shared, known, noise, masks, guidance, num_inference_steps, sequential)

    def predict(
        self,
        n: int,
        noisy: Tensor,
        timestep: Tensor,
        plan: PlanEmbeds,
        audio_mask: Tensor,
        conditioning: tuple[ReferenceFeatures, Tensor, Tensor, Tensor, Tensor],
    ) -> Tensor:
        """Run the denoiser once for n branches of B windows.

        Args:
            n: Number of branches.
            noisy: (n·B, T, C, h, w) the windows, branch by branch.
            timestep: (n·B,) the training timestep.
            plan: The plans of all branches.
            audio_mask: (n·B,) 1 where the audio is given.
            conditioning: The reference's features, the audio's features (B, T, D), the hint (B, T, C, h, w), the region masks
                (B, 5, h, w), and the mask of the past (B, T).

        Returns:
            (n·B, T, C, h, w) predictions.
        """
        reference, audio_embeds, hint, masks, past_mask = conditioning
        audio_embeds, hint, masks, past_mask = (repeat_batch(x, n) for x in (audio_embeds, hint, masks, past_mask))
        every = VideoConditioning(plan, audio_embeds, audio_mask, hint, masks, past_mask)
        return self.denoiser(noisy, timestep, {name: repeat_batch(x, n) for name, x in reference.items()}, every)

    # -- small parts -----------------------------------------------------------------------------------------------

    def latents(self, frames: Tensor) -> Tensor:
        """uint8 pixels (..., 3, H, W) → latents; latents as they are."""
        return self.autoencoder.encode(frames.float() / 255) if frames.dtype == torch.uint8 else frames.float()


def _pixels(images: np.ndarray) -> Tensor:
    """(..., H, W, 3) uint8 → (..., 3, H, W)."""
    return torch.from_numpy(np.ascontiguousarray(np.moveaxis(images, -1, -3)))


def _freeze_all_but(module: torch.nn.Module, patterns: Sequence[str]) -> None:
    """Leave trainable those parameters alone whose name matches; what was frozen stays frozen."""
    free = {name: p for name, p in module.named_parameters() if p.requires_grad}
    for pattern in patterns:
        if not any(fnmatch(name, pattern) for name in free):
            raise ValueError(
                f"trainable has the pattern {pattern!r}, which matches no parameter that could train, such as {next(iter(free))}."
            )
    for name, parameter in free.items():
        parameter.requires_grad_(any(fnmatch(name, pattern) for pattern in patterns))
