"""`VideoDiffusion`: a diffusion over windows of latent video, told by a portrait, a coarse motion of it, a plan and a voice."""

import copy
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
from tbd.draw.guidance.base import Branch, Guidance, NoGuidance
from tbd.draw.optim import ExactModule
from tbd.draw.parameterization import min_snr_weight, to_sample
from tbd.draw.randomness import SampleNoise
from tbd.draw.sample_means import Tally
from tbd.draw.sampling import AudioWindows, build_cfg_batch, require_noise_scheduler, require_widths
from tbd.draw.video import precision
from tbd.draw.video.autoencoder import LatentCodec
from tbd.draw.video.denoiser import Portrait, VideoConditioning, VideoDenoiser
from tbd.draw.video.fsdp import apply_fsdp2
from tbd.draw.video.logging import add_video
from tbd.draw.video.testing import Screening
from tbd.errors import InputError
from tbd.media.rates import FPS
from tbd.think.plan import MusclePlan


class VideoDiffusion(ExactModule):
    """Draws video. Every part is a component; this class trains them together and runs the sampling loop.

    Batches are `tbd.data.datasets.video.VideoBatch`: pixels or cached latents of T frames, of the coarse mesh-warped portrait and of the
    portrait itself, region masks, audio, plans, and the samples' numbers. Training runs in stages, each an experiment file
    that names the parameters it trains and the weights it starts from.

    Args:
        denoiser: predicts from noisy latents.
        autoencoder: frames ↔ latents; never trained here.
        plan_encoder: plan → tokens, of the denoiser's `plan_dim`.
        audio_encoder: waveform → features, of the denoiser's `audio_dim`.
        noise_scheduler: any diffusers noise scheduler whose training noise is variance preserving.
        guidance: how the branches are combined when drawing.
        num_inference_steps: denoising steps when drawing.
        window_frames: frames of one window, the past included.
        past_frames: frames of the window before that a window continues.
        uncond_mode: what ε(∅) means when drawing, as for `MotionDiffusion`.
        trainable: patterns of the parameter names that train, as a shell's (``denoiser.unet.*motion_modules*``).
        initial: a checkpoint or exported folder to start from, such as the stage before.
        initial_skip: patterns of names that are not taken from it, such as those of motion modules that are loaded elsewhere.
        drop_local: probability in training that the muscles are withheld.
        drop_global: probability that the emotion is withheld too, given that the muscles are.
        drop_audio: probability that the audio is withheld.
        drop_hint: probability that the coarse frames are withheld.
        drop_past: probability that a window starts afresh.
        min_snr_gamma: γ of min-SNR weighting; None weighs the prediction's error alike at all noise levels.
        noise_offset: strength of a shift of the noise that a whole clip shares, against drift of colour and identity: without it
            a model trusts the mean of what it sees, even in the noise that drawing begins with.
        past_noise: standard deviation of what is added to the clean past in training, since a past that was drawn is never clean.
        learning_rate: of AdamW, reached after `warmup_steps` and kept.
        warmup_steps: steps of linear warm-up.
        weight_decay: of AdamW.
        enable_gradient_checkpointing: in training, compute activations again instead of keeping them: ``nothing``, ``some`` that are
            cheap, or ``most``.
        cast_frozen_to_bf16: keep what does not train in bf16; for training in ``bf16-mixed``, which would cast it at every use.
        compile: compile what repeats in the denoiser, for training and drawing, and replay what does not train as CUDA graphs.
        validation_clips: clips of a validation that are drawn and shown in TensorBoard.
        seed: of the chance that training samples meet; that of ``seed_everything`` where not given.

    Raises:
        TypeError: the noise scheduler lacks a method that sampling or training calls.
        ValueError: widths or lengths do not fit, or a pattern names no parameter.
        InputError: initial weights are not there or do not fit.
    """

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
        uncond_mode: Literal["neutral", "nothing"] = "neutral",
        trainable: Sequence[str] = ("*",),
        initial: str | None = None,
        initial_skip: Sequence[str] = (),
        drop_local: float = 0.25,
        drop_global: float = 0.5,
        drop_audio: float = 0.1,
        drop_hint: float = 0.1,
        drop_past: float = 0.3,
        min_snr_gamma: float | None = 5.0,
        noise_offset: float = 0.05,
        past_noise: float = 0.05,
        learning_rate: float = 1e-5,
        warmup_steps: int = 500,
        weight_decay: float = 0.01,
        enable_gradient_checkpointing: Literal["nothing", "some", "most"] = "nothing",
        cast_frozen_to_bf16: bool = False,
        compile: bool = False,
        validation_clips: int = 1,
        seed: int | None = None,
    ) -> None:
        super().__init__()
        self.save_plain_hyperparameters()
        require_noise_scheduler(noise_scheduler)
        require_widths(plan_encoder, denoiser.plan_dim, audio_encoder, denoiser.audio_dim)
        if audio_encoder.recognizer is not None:
            raise TypeError(f"{type(audio_encoder).__name__} is told phones, which a video model's batches do not hold.")
        if autoencoder.channels != denoiser.channels:
            raise ValueError(f"The autoencoder's latents have {autoencoder.channels} channels; the denoiser takes {denoiser.channels}.")
        if not 0 <= past_frames < window_frames <= denoiser.max_frames:
            raise ValueError(
                f"A window has more frames than its past ({past_frames}) and at most {denoiser.max_frames}, not {window_frames}."
            )
        self.denoiser, self.autoencoder = denoiser, autoencoder
        self.plan_encoder, self.audio_encoder = plan_encoder, audio_encoder
        self.noise_scheduler, self.guidance = noise_scheduler, guidance
        self.num_inference_steps, self.window_frames, self.past_frames = num_inference_steps, window_frames, past_frames
        self.uncond_mode, self.noise_seed, self._tally = uncond_mode, seed, Tally()
        if initial is not None:
            load_initial(self, initial, initial_skip)
        _freeze_all_but(self, trainable)
        if cast_frozen_to_bf16:
            precision.cast_frozen_to_bf16(self)
        if enable_gradient_checkpointing != "nothing":
            denoiser.enable_gradient_checkpointing(enable_gradient_checkpointing)

    # -- training ------------------------------------------------------------------------------------------------

    def setup(self, stage: str) -> None:
        if isinstance(self.trainer.strategy, FSDPStrategy):
            raise InputError("FSDPStrategy flattens weights that train and weights that do not into one; take configs/trainer/fsdp.yaml.")

    def configure_model(self) -> None:
        if self.device_mesh is not None and not any(isinstance(part, FSDPModule) for part in self.modules()):
            if any(isinstance(callback, WeightAveraging) for callback in self.trainer.callbacks):
                raise InputError("Averaged weights cannot be shared out over GPUs: leave EMAWeightAveraging out, or train with DDP.")
            if self.trainer.ckpt_path is not None and Path(self.trainer.ckpt_path).is_file():
                # the strategy will load it before `on_load_checkpoint` could say what does not fit
                require_fitting(self, read_state(self.trainer.ckpt_path), "The checkpoint")
            self.apply_fsdp2(self.device_mesh)

    def apply_fsdp2(self, mesh: DeviceMesh) -> None:
        """Let the processes of `mesh`, (copies, shares), each keep a share of what trains."""
        apply_fsdp2(self, (*self.denoiser.fsdp_modules(), self.plan_encoder, self.audio_encoder), mesh, entrances=["look"])

    def on_fit_start(self) -> None:
        if self.hparams["compile"]:
            self.compile_parts()

    def compile_parts(self) -> None:
        """Compile what repeats, and lay out convolutions as tensor cores want them."""
        for parameter in self.denoiser.parameters():
            if parameter.ndim == 4 and not isinstance(parameter, DTensor):  # a share of a weight is contiguous, and stays so
                parameter.data = parameter.data.contiguous(memory_format=torch.channels_last)
        self.denoiser.compile_parts()

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        super().on_load_checkpoint(checkpoint)
        if "state_dict" in checkpoint:  # shared-out weights are loaded before, by the strategy
            require_fitting(self, checkpoint["state_dict"], "The checkpoint")

    def training_step(self, batch: dict[str, Any], batch_idx: int) -> Tensor:
        size = len(batch["frames"])
        loss = self.losses(self.numbered(batch, batch_idx, size))["loss"]
        self.log("train/loss", self.averaged(loss), prog_bar=True, batch_size=size)
        return loss

    def validation_step(self, batch: dict[str, Any], batch_idx: int) -> None:
        batch = self.numbered(batch, batch_idx, len(batch["frames"]))
        # batches of other sizes, without gradients: not worth compiling again
        with torch.compiler.set_stance("force_eager"):
            errors = self.errors(batch)
        self._tally.add(batch["id"].tolist(), **errors, windows=torch.ones(len(errors["loss"])))
        if batch_idx == 0:
            self._show(batch)

    def on_validation_epoch_end(self) -> None:
        if totals := self._tally.totals():
            self.log_everywhere({f"val/{name}": totals[name] / totals["windows"] for name in ("loss", "sample")})

    def on_test_start(self) -> None:
        if self.device_mesh is not None:
            raise InputError("Clips differ in length, so that shares of weights cannot be tested with; test on one GPU, or with DDP.")
        self._screening = Screening()

    def test_step(self, batch: Any, batch_idx: int) -> None:
        """Draw a whole clip as `tbd generate` does from its coarse frames, and compare it with the true frames."""
        self._screening.screen(self, batch)

    def on_test_epoch_end(self) -> None:
        self.log_everywhere({f"test/{name}": value for name, value in self._screening.measure().items()})

    def _show(self, batch: dict[str, Any]) -> None:
        """Draw the first clips of a batch as films for TensorBoard: the coarse frames, what is drawn, the true frames."""
        writers = [logger.experiment for logger in self.loggers if isinstance(logger, TensorBoardLogger)]
        n = min(self.hparams["validation_clips"], len(batch["id"]))
        if not writers or not n:
            return
        rows = slice(n)
        hint, frames, portrait = (self.latents(batch[name][rows]) for name in ("coarse", "frames", "portrait"))
        noise = SampleNoise.of(batch["id"][rows].tolist(), self.run_seed, tuple(hint.shape[1:]), 1, hint.device).noise
        parts = (self.denoiser.look(portrait), hint, batch["region_masks"][rows], batch["audio"][rows], batch["plan"][rows])
        # every process draws, so that none waits for another; only the first has a real writer
        with torch.compiler.set_stance("force_eager"):
            drawn = self.sample_window(*parts, guidance=self.guidance, noise=noise)
        films = torch.cat([self.autoencoder.decode(x) for x in (hint, drawn, frames)], -1)  # (n, T, 3, H, 3W)
        if self.trainer.is_global_zero:
            for i, film in enumerate(films):
                for writer in writers:
                    add_video(writer, f"val/film_{i}", film, self.global_step)

    def losses(self, batch: dict[str, Any]) -> dict[str, Tensor]:
        """The training loss and the error of x₀, means of `errors`."""
        return {name: value.mean() for name, value in self.errors(batch).items()}

    def errors(self, batch: dict[str, Any]) -> dict[str, Tensor]:
        """Each sample's ``loss`` and ``sample``, the error of x₀, (B,) each, on timesteps and with conditions dropped as the samples'
        numbers decide."""
        options = self.hparams
        clean, hint, portrait = (self.latents(batch[name]) for name in ("frames", "coarse", "portrait"))
        t = clean.shape[1]
        sample_noise = SampleNoise.of(batch["id"].tolist(), self.run_seed, tuple(clean.shape[1:]), 6, clean.device)
        kept = [(sample_noise.uniform[:, i] >= options[f"drop_{name}"]).float() for i, name in enumerate(_DROPS)]
        keep_local, keep_global, keep_audio, keep_hint, keep_past = kept
        levels = len(self.noise_scheduler.alphas_cumprod)
        timestep = (sample_noise.uniform[:, 5] * levels).long().clamp(max=levels - 1)
        noise = sample_noise.noise + options["noise_offset"] * sample_noise.shift
        noisy = self.noise_scheduler.add_noise(clean, noise, timestep)
        past_mask = keep_past[:, None] * (torch.arange(t, device=clean.device) < self.past_frames)  # (B, T)
        past = clean + options["past_noise"] * sample_noise.past_noise
        conditioning = VideoConditioning(
            self.plan_encoder(batch["plan"], self._times(t)).only(torch.maximum(keep_local, keep_global), keep_local),
            self.audio_encoder(batch["audio"]),
            keep_audio,
            hint * _wide(keep_hint),
            batch["region_masks"],
            past_mask,
        )
        pred = self.denoiser(torch.where(_wide(past_mask) > 0, past, noisy), timestep, self.denoiser.look(portrait), conditioning).float()
        alpha, sigma = self._noise_level(timestep)
        kind = self.noise_scheduler.config.prediction_type
        target = {"sample": clean, "epsilon": noise}.get(kind, alpha * noise - sigma * clean)
        weight = min_snr_weight(alpha, sigma, options["min_snr_gamma"], kind) if options["min_snr_gamma"] else torch.ones_like(alpha)
        new = _wide(1 - past_mask)
        share = new.mean((1, 2, 3, 4))  # (B,) every sample counts alike, however much of it is past
        error = ((pred - target).square() * weight * new).mean((1, 2, 3, 4)) / share
        sample = to_sample(pred.detach(), noisy, alpha, sigma, kind)
        return {"loss": error, "sample": ((sample - clean).square() * new).mean((1, 2, 3, 4)) / share}

    def configure_optimizers(self) -> dict[str, Any]:
        trained = [p for p in self.parameters() if p.requires_grad]
        groups = [
            {"params": [p for p in trained if p.ndim >= 2], "weight_decay": self.hparams["weight_decay"]},
            {"params": [p for p in trained if p.ndim < 2], "weight_decay": 0.0},
        ]
        optimizer = torch.optim.AdamW(groups, lr=self.hparams["learning_rate"], fused=all(p.is_cuda for p in trained))
        # Lightning takes this mark of fused optimizers for a refusal to have gradients clipped, in bf16 too
        optimizer._step_supports_amp_scaling = False
        warmup = max(self.hparams["warmup_steps"], 1)
        schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: min((step + 1) / warmup, 1.0))
        return {"optimizer": optimizer, "lr_scheduler": {"scheduler": schedule, "interval": "step"}}

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
            coarse: the mesh-warped portrait, one (H, W, 3) uint8 frame for each 640 samples of audio.
            region_masks: (5, h, w) 0..1 over the latent, in the order of `REGIONS`.
            audio: (N,) float32 samples at 16 kHz.
            plan: what is felt and which muscles move; its times are seconds from the start.
            seed: the same seed, the same video.
            guidance: instead of this model's own.
            num_inference_steps: instead of this model's own.
            sequential: one branch of a step after the other: slower, in a third of the memory.

        Yields:
            ceil(N / 640) frames (H, W, 3) uint8 RGB.

        Raises:
            InputError: sizes do not fit, or there are too few coarse frames.
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

        look = self.latents(_pixels(portrait[None]).to(self.device))
        for new in self.draw_latents(look, hints, masks, audio, plan, seed, guidance, num_inference_steps, sequential):
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
        """As `draw`, from latents to latents.

        Args:
            portrait: (1, C, h, w) latents.
            hints: gives the next so many coarse frames, (1, n, C, h, w) latents on this model's device.
            region_masks: (5, h, w).
            audio, plan, seed, guidance, num_inference_steps, sequential: as for `draw`.

        Yields:
            Consecutive pieces (1, n, C, h, w), together ceil(N / 640) frames.
        """
        frames, t, recording = frames_of(len(audio)), self.window_frames, AudioWindows(audio, self.audio_encoder)
        plans, masks = PlanTensors.collate([plan]).to(self.device), region_masks[None].float().to(self.device)
        look, generator = self.denoiser.look(portrait), torch.Generator().manual_seed(seed)
        past = hint = torch.zeros(1, 0, *portrait.shape[1:], device=self.device)
        done = 0
        while done < frames:
            start = done - past.shape[1]
            hint = torch.cat([hint[:, hint.shape[1] - past.shape[1] :], hints(min(t, frames - start) - past.shape[1])], 1)
            hint = torch.cat([hint, hint[:, -1:].expand(-1, t - hint.shape[1], -1, -1, -1)], 1)  # the last again to the end
            drawn = self.sample_window(
                look,
                hint,
                masks,
                recording.window(start, t, self.device)[0],
                plans.shifted(torch.tensor([start / FPS], device=self.device)),
                past,
                guidance=guidance or self.guidance,
                num_inference_steps=num_inference_steps,
                # drawn on the CPU, so that a seed gives the same video on every device
                noise=torch.randn(1, t, *past.shape[2:], generator=generator),
                sequential=sequential,
            )
            new = drawn[:, past.shape[1] :][:, : frames - done]
            done += new.shape[1]
            past = drawn[:, t - self.past_frames :]
            yield new

    @torch.no_grad()
    def sample_window(
        self,
        portrait: Portrait,
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
        """One window by the full sampling loop.

        Args:
            portrait: what the denoiser keeps of B portraits.
            hint: (B, T, C, h, w) latents of the coarse frames.
            region_masks: (B, 5, h, w).
            audio: (B, (T + 2·context)·640) samples.
            plan: B plans in window time.
            past: (B, P, C, h, w) latents that the window's first P frames repeat.
            guidance: None draws the fully conditioned branch alone.
            num_inference_steps: instead of the model's own.
            noise: (B, T, C, h, w) to start from; drawn where not given.
            sequential: one branch after the other.

        Returns:
            (B, T, C, h, w) latents, the first P the past's.
        """
        scheduler = copy.deepcopy(self.noise_scheduler)  # multistep schedulers remember earlier steps
        scheduler.set_timesteps(num_inference_steps or self.num_inference_steps)
        guidance = (guidance or NoGuidance()).for_sampling(scheduler.timesteps)  # some guidances remember them too
        steps = len(scheduler.timesteps)  # which may be more than were asked for
        b, t = hint.shape[:2]
        planned = self.plan_encoder(plan, self._times(t))
        uncond_plan = self.plan_encoder(plan.neutral(), self._times(t)) if self.uncond_mode == "neutral" else None
        past_full, past_mask = torch.zeros_like(hint), torch.zeros(b, t, device=hint.device)
        p = 0 if past is None else past.shape[1]
        if p:
            past_full[:, :p], past_mask[:, :p] = past, 1
        conditioning = VideoConditioning(planned, self.audio_encoder(audio), past_mask.new_ones(b), hint, region_masks, past_mask)
        kept = _wide(past_mask) > 0
        masks = region_masks.transpose(0, 1)[:, :, None, None]  # (5, B, 1, 1, h, w)
        x = (torch.randn_like(hint) if noise is None else noise.to(hint.device)) * scheduler.init_noise_sigma
        for i, timestep in enumerate(scheduler.timesteps):
            progress = i / max(steps - 1, 1)
            branches = guidance.branches(progress)
            model_in = torch.where(kept, past_full, scheduler.scale_model_input(x, timestep))
            preds: dict[Branch, Tensor] = {}
            for group in [(branch,) for branch in branches] if sequential else [branches]:
                preds |= self._branches(group, model_in, timestep, portrait, conditioning, uncond_plan)
            x = scheduler.step(guidance(preds, progress, masks), timestep, x).prev_sample
        return torch.where(kept, past_full, x)

    def _branches(
        self,
        branches: tuple[Branch, ...],
        noisy: Tensor,
        timestep: Tensor,
        portrait: Portrait,
        conditioning: VideoConditioning,
        uncond_plan: PlanEmbeds | None,
    ) -> dict[Branch, Tensor]:
        """All wanted branches as one batch."""
        n, b = len(branches), len(noisy)
        plan, audio_mask = build_cfg_batch(branches, b, conditioning.plan, uncond_plan, like=conditioning.audio_mask)
        every = VideoConditioning(
            plan,
            _repeat(conditioning.audio_embeds, n),
            audio_mask,
            *(_repeat(x, n) for x in (conditioning.hint, conditioning.region_masks, conditioning.past_mask)),
        )
        seen = {name: _repeat(x, n) for name, x in portrait.items()}
        preds = self.denoiser(_repeat(noisy, n), timestep.to(noisy.device).expand(n * b), seen, every)
        return dict(zip(branches, preds.float().chunk(n)))

    # -- small parts -----------------------------------------------------------------------------------------------

    def latents(self, frames: Tensor) -> Tensor:
        """uint8 pixels (..., 3, H, W) → latents; latents as they are."""
        return self.autoencoder.encode(frames.float() / 255) if frames.dtype == torch.uint8 else frames.float()

    def _times(self, frames: int) -> Tensor:
        return torch.arange(frames, device=self.device) / FPS

    def _noise_level(self, timestep: Tensor) -> tuple[Tensor, Tensor]:
        """α and σ at training timesteps, each (B, 1, 1, 1, 1)."""
        level = _wide(self.noise_scheduler.alphas_cumprod.to(timestep.device)[timestep])
        return level.sqrt(), (1 - level).sqrt()


_DROPS = ("local", "global", "audio", "hint", "past")


def _wide(x: Tensor) -> Tensor:
    """(B,) or (B, T) → broadcastable to (B, T, C, h, w)."""
    return x[(...,) + (None,) * (5 - x.ndim)]


def _repeat(x: Tensor, n: int) -> Tensor:
    return x.repeat(n, *[1] * (x.ndim - 1))


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
