"""`VideoDiffusion`: a diffusion over windows of latent video, conditioned on a portrait, a coarse motion of it, a plan and a recording."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from lightning.pytorch.callbacks import WeightAveraging
from lightning.pytorch.strategies import FSDPStrategy
from torch import Tensor
from torch.distributed.device_mesh import DeviceMesh
from torch.distributed.fsdp import FSDPModule
from torch.distributed.tensor import DTensor

from tbd.draw.checkpoint import load_initial, read_state, require_fitting
from tbd.draw.conditioning.audio_encoder import AudioEncoder
from tbd.draw.conditioning.plan_encoder import PlanEncoder
from tbd.draw.diffusers_schedulers import SchedulerMixin
from tbd.draw.guidance.base import Guidance
from tbd.draw.optim import OptimizerConfig
from tbd.draw.parameterization import min_snr_weight, target, to_sample
from tbd.draw.randomness import SampleNoise
from tbd.draw.sample_means import Tally
from tbd.draw.sampling import expand_as, require_widths
from tbd.draw.training_options import InitialWeights, ValidationClips
from tbd.draw.video import precision
from tbd.draw.video.autoencoder import LatentCodec
from tbd.draw.video.clip_metrics import VideoClipMetrics
from tbd.draw.video.denoiser import VideoConditioning, VideoDenoiser
from tbd.draw.video.fsdp import apply_fsdp2
from tbd.draw.video.hints import HintConfig
from tbd.draw.video.logging import log_video, video_loggers
from tbd.draw.video.precision import MemoryOptions
from tbd.draw.video.sampler import VideoSampler
from tbd.draw.video.sampling_options import VideoSamplingConfig
from tbd.draw.video.training_graph import GraphedTraining
from tbd.draw.video.training_options import VideoTraining, freeze_all_but
from tbd.draw.window_options import WindowConfig
from tbd.errors import InputError


class VideoDiffusion(VideoSampler):
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
        windows: How long the windows are, and how they continue one another.
        sampling: How windows are drawn; nothing fades by default, since a blend of two latents is no picture between them.
        training: What training alone reads: dropped conditions, noise, min-SNR weighting, what trains.
        optimizer: AdamW and its learning rate.
        initial: Weights to start from, such as those of the stage before.
        memory: What training does to need less memory.
        compile: Whether to compile what repeats in the denoiser, for training and drawing, and replay what does not train as CUDA graphs.
        validation: Clips of a validation that are drawn and shown in the run's logger.
        hints: What the coarse frames show of the motion, with a plan and without.

    Raises:
        TypeError: If the noise scheduler lacks a method that sampling or training calls, or the audio encoder takes phones.
        ValueError: If widths or lengths do not fit, or a pattern names no parameter.
        InputError: If initial weights are missing or do not fit, or the denoiser cannot reuse what is to be reused.

    Example:
        >>> import inspect
        >>> list(inspect.signature(VideoDiffusion).parameters)[:4]
        ['denoiser', 'autoencoder', 'plan_encoder', 'audio_encoder']
        >>> from tbd.draw.video.loading import load_video_model
        >>> model = load_video_model("runs/video/last.ckpt")  # doctest: +SKIP
    """

    def __init__(
        self,
        denoiser: VideoDenoiser,
        autoencoder: LatentCodec,
        plan_encoder: PlanEncoder,
        audio_encoder: AudioEncoder,
        noise_scheduler: SchedulerMixin,
        guidance: Guidance,
        windows: WindowConfig = WindowConfig(frames=16, past=4),
        sampling: VideoSamplingConfig = VideoSamplingConfig(),
        training: VideoTraining = VideoTraining(),
        optimizer: OptimizerConfig = OptimizerConfig(1e-5, weight_decay=0.01, betas=(0.9, 0.999), schedule="constant"),
        initial: InitialWeights | None = None,
        memory: MemoryOptions = MemoryOptions(),
        compile: bool = False,
        validation: ValidationClips = ValidationClips(1, None),
        hints: HintConfig = HintConfig(),
    ) -> None:
        super().__init__(denoiser, plan_encoder, audio_encoder, noise_scheduler, guidance, windows, sampling)
        self.save_plain_hyperparameters()
        self.set_training(training, optimizer)
        require_widths(plan_encoder, denoiser.plan_dim, audio_encoder, denoiser.audio_dim)
        if audio_encoder.recognizer is not None:
            raise TypeError(f"{type(audio_encoder).__name__} takes phones, which a video model's batches do not hold.")
        if autoencoder.channels != denoiser.channels:
            raise ValueError(f"The autoencoder's latents have {autoencoder.channels} channels; the denoiser takes {denoiser.channels}.")
        if not 0 <= windows.past < windows.frames <= denoiser.max_frames:
            raise ValueError(
                f"A window has more frames than its past ({windows.past}) and at most {denoiser.max_frames}, not {windows.frames}."
            )
        if sampling.reuse is not None and not denoiser.reuses_features:
            raise InputError(f"{type(denoiser).__name__} has no deep layers whose features could be reused; leave `reuse` out.")
        self.autoencoder, self.min_snr_gamma, self.memory, self.compiled = autoencoder, training.min_snr_gamma, memory, compile
        self.validation, self._tally = validation, Tally()
        # a denoiser that reads no coarse frames needs none of any kind
        self.hints = hints if denoiser.reads_hint else HintConfig("all", "same")
        self._wants_graphs = training.cuda_graphs
        self._graphed: GraphedTraining | None = None
        if initial is not None:
            load_initial(self, initial.path, initial.skip)
        freeze_all_but(self, training.trainable)
        if memory.compiled_budget < 1 and not compile:
            raise InputError("compiled_budget is a choice of the compiler; set compile: true as well.")
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
        apply_fsdp2(
            self, (*self.denoiser.fsdp_modules(), self.plan_encoder, self.audio_encoder), mesh, entrances=["encode_reference", "condition"]
        )

    def on_fit_start(self) -> None:
        """See that what is asked for can be captured, and compile."""
        if self._wants_graphs:
            if self.trainer.accumulate_grad_batches != 1:
                raise InputError("cuda_graphs keeps the gradients of one batch alone; leave accumulate_grad_batches out.")
            if self.device_mesh is not None:
                raise InputError("cuda_graphs wants weights that stay where they are; sharded ones (configs/trainer/fsdp.yaml) do not.")
        if self.compiled:
            self.compile_parts()

    def compile_parts(self) -> None:
        """Compile what repeats, and lay out convolutions as tensor cores want them."""
        for parameter in self.denoiser.parameters():
            if parameter.ndim == 4 and not isinstance(parameter, DTensor):  # a shard of a weight is contiguous, and stays so
                parameter.data = parameter.data.contiguous(memory_format=torch.channels_last)
        # the compiler reads it when a part is first run, and has no option for one part alone
        torch._functorch.config.activation_memory_budget = self.memory.compiled_budget
        self.denoiser.compile_parts()

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
        """Draw the first clips of a batch as videos for the run's loggers: the coarse frames, what is drawn, the true frames."""
        loggers = video_loggers(self.loggers)
        n = min(self.validation.count, len(batch["id"]))
        if not loggers or not n:
            return
        rows = slice(n)
        frames, portrait, coarse = (self.latents(batch[name][rows]) for name in ("frames", "portrait", "coarse"))
        lips, planned = self._neutral(batch, rows), torch.ones(n, device=coarse.device)
        hint, neutral = (self.hints.of_batch(coarse, lips, given) for given in (planned, 1 - planned))
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
                neutral_hint=neutral,
            )
        videos = torch.cat([self.autoencoder.decode(x) for x in (hint, drawn, frames)], -1)  # (n, T, 3, H, 3W)
        if self.trainer.is_global_zero:
            for i, video in enumerate(videos):
                for logger in loggers:
                    log_video(logger, f"val/video_{i}", video, self.global_step)

    def _neutral(self, batch: dict[str, Any], rows: slice = slice(None)) -> Tensor | None:
        """Coarse frames of lips and head alone, where the data hold them and they are read."""
        return self.latents(batch["neutral_coarse"][rows]) if self.hints.needs_neutral and "neutral_coarse" in batch else None

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
        clean, coarse, portrait = (self.latents(batch[name]) for name in ("frames", "coarse", "portrait"))
        windows = self.add_noise(clean, batch["id"].tolist())
        kept, alpha, sigma = windows.kept, windows.alpha, windows.sigma
        hint = self.hints.of_batch(coarse, self._neutral(batch), torch.maximum(kept["emotion"], kept["muscles"]))
        conditioning = VideoConditioning(
            self.plan_encoder(batch["plan"], self.times(clean.shape[1])).only(kept["emotion"], kept["muscles"]),
            self.audio_encoder(batch["audio"]),
            kept["audio"],
            hint * expand_as(kept["hint"], hint),
            batch["region_masks"],
            windows.past_mask,
            windows.past,
        )
        reference = self.denoiser.condition(self.denoiser.encode_reference(portrait), conditioning)
        pred = self._training_denoiser()(windows.inputs, windows.timestep, reference, conditioning).float()
        kind = self.prediction_type
        wanted = target(clean, windows.noise, alpha, sigma, kind)
        weight = min_snr_weight(alpha, sigma, self.min_snr_gamma, kind) if self.min_snr_gamma else torch.ones_like(alpha)
        new = 1 - windows.past_mask
        if self.denoiser.needs_past:  # which it never predicts, even where it is withheld
            new = new * (torch.arange(clean.shape[1], device=clean.device) >= self.past_frames)
        new = expand_as(new, clean)
        share = new.mean((1, 2, 3, 4))  # (B,) every sample counts alike, however much of it is past
        error = ((pred - wanted).square() * weight * new).mean((1, 2, 3, 4)) / share
        sample = to_sample(pred.detach(), windows.noisy, alpha, sigma, kind)
        return {"loss": error, "sample": ((sample - clean).square() * new).mean((1, 2, 3, 4)) / share}

    def _training_denoiser(self) -> Callable[..., Tensor]:
        """The denoiser, or its graphs where it trains with them."""
        if not (self._wants_graphs and self.training and self.device.type == "cuda" and torch.is_grad_enabled()):
            return self.denoiser
        if self._graphed is None:
            self._graphed = GraphedTraining(self.denoiser)
        return self._graphed
