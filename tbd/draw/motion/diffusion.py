"""`MotionDiffusion`: a diffusion over windows of `Motion`, conditioned on a muscle plan and a recording."""

from typing import Any, ClassVar

import torch
from torch import Tensor
from torch.nn import functional as F

from tbd.draw.checkpoint import load_initial
from tbd.draw.conditioning.audio_encoder import AudioEncoder
from tbd.draw.conditioning.plan_encoder import PlanEncoder
from tbd.draw.diffusers_schedulers import SchedulerMixin
from tbd.draw.guidance.base import Guidance
from tbd.draw.motion.clip_metrics import QUICK, MotionClipMetrics
from tbd.draw.motion.denoiser import Denoiser
from tbd.draw.motion.normalization import NormalizedDiffusion, given_statistics
from tbd.draw.motion.sampler import SAMPLING, WINDOWS
from tbd.draw.motion.training_options import MotionTraining
from tbd.draw.optim import OptimizerConfig
from tbd.draw.parameterization import error_ratio, to_sample
from tbd.draw.randomness import SampleNoise, seed_of
from tbd.draw.sample_means import Tally
from tbd.draw.training_options import InitialWeights, ValidationClips
from tbd.draw.window_diffusion import NoisyWindows
from tbd.draw.window_options import SamplingConfig, WindowConfig
from tbd.errors import InputError
from tbd.face.channels import CHANNELS
from tbd.think.action_units import REGIONS


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
        windows: How long the windows are, and how they continue one another.
        sampling: How windows are drawn.
        training: What training alone reads: dropped conditions, noise, loss, statistics.
        optimizer: AdamW and its learning rate.
        initial: Weights to start from.
        validation: Clips that each validation draws, to log how well the plan is followed.
        compile: Whether to compile denoiser and audio encoder for training.

    Raises:
        InputError: If initial weights are missing or do not fit, or the statistics are no such numbers.
        TypeError: If the noise scheduler lacks a method that sampling or training calls.
        ValueError: If an encoder's width is not the denoiser's.

    Example:
        >>> import numpy as np
        >>> from diffusers import DDIMScheduler
        >>> from tbd.draw.conditioning.audio_encoder import MelEncoder
        >>> from tbd.draw.conditioning.plan_encoder import MuscleTokenEncoder
        >>> from tbd.draw.guidance.progressive import ProgressiveGuidance
        >>> from tbd.draw.motion.denoiser import MotionTransformer
        >>> from tbd.draw.window_options import SamplingConfig
        >>> from tbd.think.plan import MusclePlan
        >>> parts = MotionTransformer(32, depth=1, heads=2), MuscleTokenEncoder(32), MelEncoder(32)
        >>> scheduler = DDIMScheduler(prediction_type="sample", clip_sample=False)
        >>> model = MotionDiffusion(*parts, scheduler, ProgressiveGuidance(), sampling=SamplingConfig(2))
        >>> second = np.zeros(16000, np.float32)
        >>> [len(motion) for motion in model.eval().generate(second, MusclePlan(emotions={"happy": 1.0}))]
        [25]
    """

    weightless_arguments: ClassVar[tuple[str, ...]] = ("guidance", "sampling", "compile", "validation")
    """Arguments that no trained weight depends on: models that differ in nothing else are trained once (see `tbd.ablation`)."""

    channel_weights: Tensor

    def __init__(
        self,
        denoiser: Denoiser,
        plan_encoder: PlanEncoder,
        audio_encoder: AudioEncoder,
        noise_scheduler: SchedulerMixin,
        guidance: Guidance,
        windows: WindowConfig = WINDOWS,
        sampling: SamplingConfig = SAMPLING,
        training: MotionTraining = MotionTraining(),
        optimizer: OptimizerConfig = OptimizerConfig(),
        initial: InitialWeights | None = None,
        validation: ValidationClips = ValidationClips(),
        compile: bool = False,
    ) -> None:
        super().__init__(denoiser, plan_encoder, audio_encoder, noise_scheduler, guidance, windows, sampling)
        self.save_plain_hyperparameters()
        self.set_training(training, optimizer)
        self.loss, self.compiled, self.validation_clips = training.loss, compile, validation.count
        self.expression_deviation = training.expression_deviation
        self.watch_statistics()
        weights = 1 + (training.loss.lip_weight - 1) * self.region_masks[REGIONS.index("lower"), 0, 0]  # (58,)
        self.register_buffer("channel_weights", weights / weights.mean(), persistent=False)
        self._tally = Tally()
        self._validation = MotionClipMetrics(QUICK, num_inference_steps=validation.num_inference_steps)
        if initial is not None:
            load_initial(self, initial.path, initial.skip)
        if training.statistics is not None:
            self.set_statistics(*given_statistics(training.statistics.mean, training.statistics.std))
        for part in training.frozen:
            getattr(self, part).requires_grad_(False)

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
            ``position`` and ``velocity``, (B,) sums over frames of the mean cost over channels (see `MotionLoss`), and ``frames``, (B,) how
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
        drift = sample.diff(dim=1) - clean.diff(dim=1)
        return {
            "position": (weight * (self.channel_weights * self.loss.cost(sample - clean)).mean(-1)).sum(1),
            "velocity": (torch.minimum(weight[:, 1:], weight[:, :-1]) * (self.channel_weights * self.loss.cost(drift)).mean(-1)).sum(1),
            "frames": frames.sum(1),
        }

    def _level_weight(self, windows: NoisyWindows) -> Tensor | float:
        """(B, 1) weight of an error of the clean sample at each window's noise level."""
        # one weight for all noise levels, or the noisiest, where plan and audio decide, would hardly be learnt
        if self.loss.weighting == "sample":
            return 1.0
        ratio = error_ratio(windows.alpha, windows.sigma, self.prediction_type)
        return 1 / ratio.flatten(1).clamp(min=_LEAST_RATIO)


_FOLLOWED = ("jawOpen", "mouthClose", "mouthPucker")
"""Channels whose correlation with the true ones validation logs."""
_LEAST_RATIO = 1e-4
"""Bounds the weight of an error of the clean sample where there is next to no noise."""
_DRAWN = 1
"""Sets the noise that validation draws windows from apart from that of its losses."""


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
