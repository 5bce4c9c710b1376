"""`MotionDiffusion`: a diffusion over windows of `Motion`, conditioned on a muscle plan and a recording."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import numpy as np
import torch
from diffusers import SchedulerMixin
from torch import Tensor
from torch.nn import functional as F

from tbd.draw.checkpoint import load_initial
from tbd.draw.conditioning.audio_encoder import AudioEncoder
from tbd.draw.conditioning.plan_encoder import PlanEmbeds, PlanEncoder
from tbd.draw.conditioning.plan_tensors import PlanTensors
from tbd.draw.guidance.base import Guidance
from tbd.draw.motion.batched import ClipRequest, draw_pieces
from tbd.draw.motion.clip_metrics import QUICK, MotionClipMetrics
from tbd.draw.motion.denoiser import Denoiser
from tbd.draw.motion.normalization import ChannelStatistics, NormalizedDiffusion, given_statistics
from tbd.draw.optim import OptimizerConfig
from tbd.draw.parameterization import error_ratio, to_sample
from tbd.draw.randomness import SampleNoise, seed_of
from tbd.draw.sample_means import Tally
from tbd.draw.sampling import Past, repeat_batch, require_widths
from tbd.draw.training_options import ConditioningDropout, InitialWeights, TrainingNoise, ValidationClips
from tbd.draw.window_diffusion import NoisyWindows
from tbd.errors import InputError
from tbd.face.channels import CHANNELS
from tbd.face.motion import Motion
from tbd.think.action_units import REGIONS
from tbd.think.facs import CHANNEL_REGIONS
from tbd.think.plan import MusclePlan


@dataclass(frozen=True)
class MotionLoss:
    """What the training loss weighs.

    Args:
        velocity_weight: Weight of the loss on frame-to-frame differences.
        lip_weight: Weight of a channel of the lower face against that of any other: viewers forgive no error there, and blinks,
            gaze and head are random, so that there is nothing to learn but their statistics.
        weighting: Whose error weighs alike at all noise levels: that of the clean ``sample``, whatever the denoiser predicts, so that
            the noisiest levels count, where audio and plan decide; or that of the ``prediction``. A denoiser that predicts ε needs
            the latter: at the noisiest levels its error in the clean sample is thousands of times its own.
    """

    velocity_weight: float = 1.0
    lip_weight: float = 1.0
    weighting: Literal["sample", "prediction"] = "sample"


class MotionDiffusion(NormalizedDiffusion):
    """Draws motion. Every part is a component; this class trains them together and runs the sampling loop.

    Batches are dicts as every `tbd.data.datamodules.base.MotionDataModule` makes them: ``audio`` (B, (T + 2·context)·640), ``phones``
    (B, (T + 2·context)·4) where the audio encoder takes them, ``motion`` (B, T, 58), ``plan`` `PlanTensors` in window time,
    ``mask`` (B, T) 1 at frames that exist, ``planned`` (B,) 0 where a data set has no plan, ``id`` (B,) the samples' numbers. Tests
    go through lists of whole clips, `tbd.data.datasets.whole_clips.PerformedClip`.

    Args:
        denoiser: Predicts clean motion.
        plan_encoder: Plan → tokens, of the denoiser's `plan_dim`.
        audio_encoder: Waveform → features, of the denoiser's `audio_dim`.
        noise_scheduler: Any noise scheduler of diffusers, variance preserving (DDIM, DPM-Solver++, UniPC) or of flow matching
            (``FlowMatchEulerDiscreteScheduler``).
        guidance: How the branches are combined when drawing.
        num_inference_steps: Denoising steps when drawing.
        window_frames: Frames of one window, the past included.
        past_frames: Frames of the window before that a window repeats.
        crossfade_frames: Frames over which a window's difference to the past that it continues fades out.
        uncond_mode: What ε(∅) means when drawing. ``neutral`` is a neutral face, so that the emotion's scale leads away from
            neutral and leaves neutral plans alone; ``nothing`` withholds the plan, as in classifier-free guidance, and leads away
            from the average of all emotions.
        conditioning_dropout: How often training withholds which condition.
        training_noise: Which noise training adds.
        loss: What the training loss weighs.
        optimizer: AdamW and its learning rate.
        statistics: Mean and standard deviation of the channels; None for those of the initial weights or of the data.
        initial: Weights to start from.
        validation: Clips that each validation draws, to log how well the plan is followed.
        compile: Whether to compile denoiser and audio encoder for training.
        seed: Seed of the run, which decides all noise with the samples' numbers; None for that of ``seed_everything``.

    Raises:
        InputError: If initial weights are missing or do not fit, or the statistics are no such numbers.
        TypeError: If the noise scheduler lacks a method that sampling or training calls.
        ValueError: If an encoder's width is not the denoiser's.

    Example:
        >>> from diffusers import DDIMScheduler
        >>> from tbd.draw.conditioning.audio_encoder import MelEncoder
        >>> from tbd.draw.conditioning.plan_encoder import MuscleTokenEncoder
        >>> from tbd.draw.guidance.progressive import ProgressiveGuidance
        >>> from tbd.draw.motion.denoiser import MotionTransformer
        >>> parts = MotionTransformer(32, depth=1, heads=2), MuscleTokenEncoder(32), MelEncoder(32)
        >>> scheduler = DDIMScheduler(prediction_type="sample", clip_sample=False)
        >>> model = MotionDiffusion(*parts, scheduler, ProgressiveGuidance(), num_inference_steps=2)
        >>> second = np.zeros(16000, np.float32)
        >>> [len(motion) for motion in model.eval().generate(second, MusclePlan(emotions={"happy": 1.0}))]
        [25]
    """

    weightless_arguments: ClassVar[tuple[str, ...]] = (
        "guidance", "num_inference_steps", "crossfade_frames", "uncond_mode", "compile", "validation",
    )  # fmt: skip
    """Arguments that no trained weight depends on: models that differ in nothing else are trained once (see `tbd.ablation`)."""

    denoiser: Denoiser
    region_masks: Tensor
    channel_weights: Tensor

    def __init__(
        self,
        denoiser: Denoiser,
        plan_encoder: PlanEncoder,
        audio_encoder: AudioEncoder,
        noise_scheduler: SchedulerMixin,
        guidance: Guidance,
        num_inference_steps: int = 10,
        window_frames: int = 110,
        past_frames: int = 10,
        crossfade_frames: int = 5,
        uncond_mode: Literal["neutral", "nothing"] = "neutral",
        conditioning_dropout: ConditioningDropout = ConditioningDropout(),
        training_noise: TrainingNoise = TrainingNoise(),
        loss: MotionLoss = MotionLoss(),
        optimizer: OptimizerConfig = OptimizerConfig(),
        statistics: ChannelStatistics | None = None,
        initial: InitialWeights | None = None,
        validation: ValidationClips = ValidationClips(),
        compile: bool = False,
        seed: int | None = None,
    ) -> None:
        super().__init__(
            denoiser, plan_encoder, audio_encoder, noise_scheduler, guidance, num_inference_steps, window_frames, past_frames,
            crossfade_frames, uncond_mode, conditioning_dropout, training_noise, optimizer, seed,
        )  # fmt: skip
        self.save_plain_hyperparameters()
        require_widths(plan_encoder, denoiser.plan_dim, audio_encoder, denoiser.audio_dim)
        self.loss, self.compiled, self.validation_clips = loss, compile, validation.count
        self.register_statistics()
        self.register_buffer("region_masks", region_masks(), persistent=False)
        weights = 1 + (loss.lip_weight - 1) * self.region_masks[REGIONS.index("lower"), 0, 0]  # (58,)
        self.register_buffer("channel_weights", weights / weights.mean(), persistent=False)
        self._tally = Tally()
        self._validation = MotionClipMetrics(QUICK, num_inference_steps=validation.num_inference_steps)
        if initial is not None:
            load_initial(self, initial.path, initial.skip)
        if statistics is not None:
            self.set_statistics(*given_statistics(statistics.mean, statistics.std))

    # -- training ------------------------------------------------------------------------------------------------

    def on_fit_start(self) -> None:
        """Compile, and take the statistics from the data."""
        if self.compiled:
            # in place, so that checkpoints keep their names
            self.denoiser.compile()
            self.audio_encoder.compile()
        super().on_fit_start()

    def training_step(self, batch: dict[str, Any], batch_idx: int) -> Tensor:
        """Compute the loss of a batch.

        Args:
            batch: See the class.
            batch_idx: Its number in the epoch.

        Returns:
            () the loss.
        """
        size = len(batch["motion"])
        parts = self.parts(self.numbered(batch, batch_idx, size))
        # shares of the frames of all processes, or those of a process with few would weigh more
        frames = self.averaged(parts["frames"].sum()).clamp(min=1e-6)
        losses = self._combined({name: value.sum() / frames for name, value in parts.items() if name != "frames"})
        everywhere = self.averaged(torch.stack(list(losses.values())))
        self.log_dict({f"train/{name}": value for name, value in zip(losses, everywhere)}, batch_size=size)
        return losses["loss"]

    def _combined(self, figures: dict[str, Any]) -> dict[str, Any]:
        return {"loss": figures["position"] + self.loss.velocity_weight * figures["velocity"], **figures}

    def validation_step(self, batch: Any, batch_idx: int, dataloader_idx: int = 0) -> None:
        """Measure a batch of windows, or draw a list of whole clips.

        Args:
            batch: See the class; or a list of clips.
            batch_idx: Its number.
            dataloader_idx: Not read.
        """
        # the same noise, timesteps and dropped conditions for a window at every validation, so that curves can be compared
        if isinstance(batch, list):
            return None if self.trainer.sanity_checking else self._validation.update(self, batch)
        batch = self.numbered(batch, batch_idx, len(batch["motion"]))
        ids, shape = batch["id"].tolist(), tuple(batch["motion"].shape[1:])
        # batches of other sizes, without gradients: not worth compiling again
        with torch.compiler.set_stance("force_eager"):
            figures = self.parts(batch)
            noise = SampleNoise.of(ids, seed_of(self.run_seed, _DRAWN), shape, 1, self.device).noise
            drawn = self.sample_window(batch["audio"], batch["plan"], guidance=None, noise=noise, phones=batch.get("phones"))
        for channel in _FOLLOWED:
            k = CHANNELS.index(channel)
            figures[channel] = correlation(drawn[..., k], batch["motion"][..., k], batch["mask"])
        self._tally.add(ids, **figures, windows=torch.ones(len(ids)))

    def on_validation_epoch_end(self) -> None:
        """Log what the validation found."""
        self.log_everywhere(self._validated(), "val/jawOpen")

    def _validated(self) -> dict[str, float]:
        """What this validation found, on all processes alike."""
        totals = self._tally.totals()
        figures = {} if not totals else {
            **self._combined({name: totals[name] / max(totals["frames"], 1e-6) for name in ("position", "velocity")}),
            **{name: totals[name] / totals["windows"] for name in _FOLLOWED},
        }  # fmt: skip
        return {f"val/{name}": value for name, value in {**figures, **self._validation.compute()}.items()}

    def on_test_start(self) -> None:
        """Begin a test."""
        self._tested = MotionClipMetrics()

    def test_step(self, batch: Any, batch_idx: int, metrics: MotionClipMetrics | None = None) -> None:
        """Draw whole clips as `tbd generate` does, each from noise of its name.

        Args:
            batch: A list of clips.
            batch_idx: Its number.
            metrics: Where the clips are measured; this model's own where not given.

        Raises:
            InputError: If the batch is one of windows.
        """
        if not isinstance(batch, list):
            raise InputError(
                "A motion model is tested on lists of whole clips (tbd.data.datasets.whole_clips.PerformedClip), as DataModules give."
            )
        (metrics or self._tested).update(self, batch)

    def on_test_epoch_end(self) -> None:
        """Log what the test found."""
        self.log_everywhere({f"test/{name}": value for name, value in self._tested.compute().items()})

    def losses(self, batch: dict[str, Any]) -> dict[str, Tensor]:
        """The training loss and its parts, means over the frames of a batch; see `parts`."""
        parts = self.parts(batch)
        frames = parts.pop("frames").sum().clamp(min=1e-6)
        return self._combined({name: value.sum() / frames for name, value in parts.items()})

    def parts(self, batch: dict[str, Any]) -> dict[str, Tensor]:
        """The errors of each sample, on timesteps and with conditions dropped as the samples' numbers decide.

        Args:
            batch: See the class. Samples without numbers (``id``) get random ones.

        Returns:
            ``position`` and ``velocity``, (B,) sums over frames of the mean squared error over channels, and ``frames``, (B,) how
            many count.
        """
        clean = self.normalise(batch["motion"])  # (B, T, 58)
        ids = batch["id"] if "id" in batch else torch.randint(2**62, (len(clean),))
        windows = self.add_noise(clean, ids.tolist())
        known = batch.get("planned", 1)  # a plan that is unknown is withheld, or it would be taken for neutral
        pred = self.denoiser(
            windows.inputs,
            windows.timestep,
            self.audio_encoder(batch["audio"], batch.get("phones")),
            windows.kept["audio"],
            self.plan_encoder(batch["plan"], self.times(clean.shape[1])).only(
                windows.kept["emotion"] * known, windows.kept["muscles"] * known
            ),
            windows.past,
            windows.past_mask,
        )
        sample = to_sample(pred, windows.noisy, windows.alpha, windows.sigma, self.prediction_type)
        frames = batch["mask"] * (1 - windows.past_mask)  # (B, T)
        weight = frames * self._level_weight(windows)
        sample, clean = (x * self.channel_weights.sqrt() for x in (sample, clean))
        drift = sample.diff(dim=1) - clean.diff(dim=1)
        return {
            "position": (weight * (sample - clean).square().mean(-1)).sum(1),
            "velocity": (torch.minimum(weight[:, 1:], weight[:, :-1]) * drift.square().mean(-1)).sum(1),
            "frames": frames.sum(1),
        }

    def _level_weight(self, windows: NoisyWindows) -> Tensor | float:
        """(B, 1) weight of an error of the clean sample at each window's noise level."""
        # one weight for all noise levels, or the noisiest, where plan and audio decide, would hardly be learnt
        if self.loss.weighting == "sample":
            return 1.0
        ratio = error_ratio(windows.alpha, windows.sigma, self.prediction_type)
        return 1 / ratio.flatten(1).clamp(min=_LEAST_RATIO)

    # -- drawing -------------------------------------------------------------------------------------------------

    @torch.no_grad()
    def generate(
        self,
        audio: np.ndarray,
        plan: MusclePlan,
        seed: int = 0,
        guidance: Guidance | None = None,
        num_inference_steps: int | None = None,
    ) -> Iterator[Motion]:
        """Draw the motion of a recording, window by window, in constant memory.

        Args:
            audio: (N,) float32 samples at 16 kHz.
            plan: The muscle plan, its times in seconds from the start.
            seed: The same seed gives the same motion.
            guidance: How the branches are combined; None for this model's own.
            num_inference_steps: Denoising steps; None for this model's own number.

        Yields:
            Consecutive pieces of motion, together ceil(N / 640) frames.
        """
        for _, new in draw_pieces(self, [ClipRequest(audio, plan, seed)], guidance or self.guidance, num_inference_steps):
            yield Motion(new[0].float().cpu().numpy()).clamped()

    @torch.no_grad()
    def sample_window(
        self,
        audio: Tensor,
        plan: PlanTensors,
        past: Tensor | None = None,
        guidance: Guidance | None = None,
        num_inference_steps: int | None = None,
        noise: Tensor | None = None,
        phones: Tensor | None = None,
    ) -> Tensor:
        """Draw one window by the full sampling loop.

        Args:
            audio: (B, (T + 2·context)·640) samples.
            plan: B plans in window time.
            past: (B, P, 58) motion that the window's first P frames repeat.
            guidance: How the branches are combined; None draws the fully conditioned branch alone.
            num_inference_steps: Denoising steps; None for the model's own number.
            noise: (B, T, 58) noise to start from; drawn where not given.
            phones: (B, (T + 2·context)·4) for an audio encoder that takes them.

        Returns:
            (B, T, 58) motion, its first P frames the past's.
        """
        audio_embeds = self.audio_encoder(audio, phones)  # (B, T, D)
        shape = (*audio_embeds.shape[:2], len(CHANNELS))
        noise = torch.randn(shape, device=audio.device) if noise is None else noise.to(audio.device)
        known = Past.of(None if past is None else self.normalise(past), noise)
        drawn = self.denoise_windows(plan, (audio_embeds, known), known, noise, self.region_masks, guidance, num_inference_steps)
        return self.denormalise(drawn)

    def predict(
        self, n: int, noisy: Tensor, timestep: Tensor, plan: PlanEmbeds, audio_mask: Tensor, conditioning: tuple[Tensor, Past]
    ) -> Tensor:
        """Run the denoiser once for n branches of B windows.

        Args:
            n: Number of branches.
            noisy: (n·B, T, 58) the windows, branch by branch.
            timestep: (n·B,) the training timestep.
            plan: The plans of all branches.
            audio_mask: (n·B,) 1 where the audio is given.
            conditioning: The audio's features (B, T, D), and the past.

        Returns:
            (n·B, T, 58) predictions.
        """
        audio_embeds, past = conditioning
        audio_embeds, values, mask = (repeat_batch(x, n) for x in (audio_embeds, past.values, past.mask))
        return self.denoiser(noisy, timestep, audio_embeds, audio_mask, plan, values, mask)


_FOLLOWED = ("jawOpen", "mouthClose", "mouthPucker")
"""Channels whose correlation with the true ones validation logs."""
_LEAST_RATIO = 1e-4
"""Bounds the weight of an error of the clean sample where there is next to no noise."""
_DRAWN = 1
"""Sets the noise that validation draws windows from apart from that of its losses."""


def region_masks() -> Tensor:
    """(5, 1, 1, 58): which channels belong to which region of `REGIONS`."""
    return torch.tensor([[float(CHANNEL_REGIONS[channel] == region) for channel in CHANNELS] for region in REGIONS])[:, None, None]


def correlation(a: Tensor, b: Tensor, mask: Tensor) -> Tensor:
    """Correlate tracks over time.

    Args:
        a: (B, T).
        b: (B, T).
        mask: (B, T) 1 at the frames that count.

    Returns:
        (B,) Pearson correlations; 0 for a track that stands still.
    """
    n = mask.sum(-1, keepdim=True).clamp(min=1)
    a = (a - (a * mask).sum(-1, keepdim=True) / n) * mask
    b = (b - (b * mask).sum(-1, keepdim=True) / n) * mask
    return F.cosine_similarity(a, b, dim=-1)
