"""`MotionDiffusion`: a diffusion over windows of `Motion`, told by a plan and a voice."""

import copy
from collections.abc import Iterator, Sequence
from typing import Any, ClassVar, Literal

import lightning as L
import numpy as np
import torch
from diffusers import SchedulerMixin
from lightning.pytorch.utilities import rank_zero_warn
from torch import Tensor
from torch.nn import functional as F
from torch.utils.data import DataLoader

from tbd.draw.checkpoint import load_initial
from tbd.draw.conditioning.audio_encoder import AudioEncoder, frames_of
from tbd.draw.conditioning.plan_encoder import PlanEmbeds, PlanEncoder
from tbd.draw.conditioning.plan_tensors import PlanTensors
from tbd.draw.guidance.base import Branch, Guidance, NoGuidance
from tbd.draw.motion.denoiser import Denoiser
from tbd.draw.motion.normalization import from_moments, given_statistics, moments
from tbd.draw.motion.testing import QUICK, Performance
from tbd.draw.optim import ExactModule, warmup_cosine
from tbd.draw.parameterization import to_sample
from tbd.draw.randomness import SampleNoise, seed_of
from tbd.draw.sample_means import Tally
from tbd.draw.sampling import AudioWindows, build_cfg_batch, crossfade_seam, require_noise_scheduler, require_widths
from tbd.errors import InputError
from tbd.face.channels import CHANNELS
from tbd.face.motion import Motion
from tbd.media.rates import FPS
from tbd.think.action_units import REGIONS
from tbd.think.facs import CHANNEL_REGIONS
from tbd.think.plan import MusclePlan


class MotionDiffusion(ExactModule):
    """Draws motion. Every part is a component; this class trains them together and runs the sampling loop.

    Batches are dicts as every `tbd.data.datamodules.base.MotionDataModule` makes them: ``audio`` (B, (T + 2·context)·640), ``phones``
    (B, (T + 2·context)·4) where the audio encoder is told them, ``motion`` (B, T, 58), ``plan`` `PlanTensors` in window time,
    ``mask`` (B, T) 1 at frames that exist, ``planned`` (B,) 0 where a data set does not tell what is felt, ``id`` (B,) the samples'
    numbers. Tests go through whole clips, `tbd.data.datasets.whole_clips.PerformedClip`.

    Motion is diffused with zero mean and unit deviation of each channel. Those statistics are the model's own, in its weights: the
    given ones; else those of the weights that it starts from; else the DataModule's; else, with a warning, of the first batches.

    Args:
        denoiser: predicts clean motion.
        plan_encoder: plan → tokens, of the denoiser's `plan_dim`.
        audio_encoder: waveform → features, of the denoiser's `audio_dim`.
        noise_scheduler: any diffusers noise scheduler whose training noise is variance preserving (DDIM, DPM-Solver++, UniPC).
        guidance: how the branches are combined when drawing.
        num_inference_steps: denoising steps when drawing.
        window_frames: frames of one window, the past included.
        past_frames: frames of the window before that a window continues.
        uncond_mode: what ε(∅) means when drawing. ``neutral`` is a face that feels nothing, so that the emotion's scale leads
            away from neutral and leaves neutral plans alone; ``nothing`` withholds the plan, as in classifier-free guidance,
            and leads away from the average of all emotions.
        drop_local: probability in training that the muscles are withheld.
        drop_global: probability that the emotion is withheld too, given that the muscles are.
        drop_audio: probability that the audio is withheld.
        drop_past: probability that a window starts afresh.
        velocity_weight: weight of the loss on frame-to-frame differences.
        lip_weight: weight in the loss of a channel of the lower face against that of any other: eyes forgive no error there,
            and blinks, gaze and head are drawn by chance, of which there is nothing to learn but the habit.
        noise_bias: 0 trains all noise levels alike; 1 each in proportion to its timestep, since voice and plan decide the
            noisy ones and the others hardly need them.
        learning_rate: of AdamW, reached after `warmup_steps`, falling to zero along a cosine.
        warmup_steps: steps of linear warm-up.
        compile: compile denoiser and audio encoder for training.
        initial: a checkpoint or exported folder to start from.
        initial_skip: patterns of names that are not taken from it, such as those of a part that is new.
        mean, std: (58,) of the channels of the motion that it will be trained on; both or neither.
        seed: of the chance that training samples meet; that of ``seed_everything`` where not given.
        validation_clips: whole clips that each validation draws, with the model's guidance, to log how well the plan is followed; 0 for
            none.
        validation_steps: denoising steps of these.

    Raises:
        InputError: initial weights are not there or do not fit, or `mean` and `std` are no such numbers.
        TypeError: the noise scheduler lacks a method that sampling or training calls.
        ValueError: widths do not fit.
    """

    weightless_arguments: ClassVar[tuple[str, ...]] = (
        "guidance", "num_inference_steps", "uncond_mode", "compile", "validation_clips", "validation_steps",
    )  # fmt: skip
    """Arguments that no trained weight depends on: models that differ in nothing else are trained once (see `tbd.ablation`)."""

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
        uncond_mode: Literal["neutral", "nothing"] = "neutral",
        drop_local: float = 0.25,
        drop_global: float = 0.5,
        drop_audio: float = 0.1,
        drop_past: float = 0.2,
        velocity_weight: float = 1.0,
        lip_weight: float = 1.0,
        noise_bias: float = 0.0,
        learning_rate: float = 5e-4,
        warmup_steps: int = 500,
        compile: bool = False,
        initial: str | None = None,
        initial_skip: Sequence[str] = (),
        mean: Sequence[float] | None = None,
        std: Sequence[float] | None = None,
        seed: int | None = None,
        validation_clips: int = 8,
        validation_steps: int = 4,
    ) -> None:
        super().__init__()
        self.save_plain_hyperparameters()
        require_noise_scheduler(noise_scheduler)
        require_widths(plan_encoder, denoiser.plan_dim, audio_encoder, denoiser.audio_dim)
        self.denoiser, self.plan_encoder, self.audio_encoder = denoiser, plan_encoder, audio_encoder
        self.noise_scheduler, self.guidance = noise_scheduler, guidance
        self.num_inference_steps, self.window_frames, self.past_frames = num_inference_steps, window_frames, past_frames
        self.uncond_mode, self.noise_seed, self.validation_clips = uncond_mode, seed, validation_clips
        self.register_buffer("mean", torch.zeros(len(CHANNELS)))
        self.register_buffer("std", torch.ones(len(CHANNELS)))
        self.register_buffer("region_masks", region_masks(), persistent=False)
        weights = 1 + (lip_weight - 1) * self.region_masks[REGIONS.index("lower"), 0, 0]  # (58,)
        self.register_buffer("channel_weights", weights / weights.mean(), persistent=False)
        self._tally, self._performance = Tally(), Performance(QUICK, num_inference_steps=validation_steps)
        self.register_load_state_dict_post_hook(_know_statistics)
        self._statistics_known = False
        if initial is not None:
            load_initial(self, initial, initial_skip)
        if (mean is None) != (std is None):
            raise InputError("mean and std of the channels belong together; give both or neither.")
        if mean is not None and std is not None:
            self.set_statistics(*given_statistics(mean, std))

    # -- training ------------------------------------------------------------------------------------------------

    def on_fit_start(self) -> None:
        """Take the normalisation from the data; a resumed run's comes from its checkpoint and is the same."""
        if self.hparams["compile"]:
            # in place, so that checkpoints keep their names
            self.denoiser.compile()
            self.audio_encoder.compile()
        statistics = getattr(self.trainer.datamodule, "statistics", None)
        if not self._statistics_known and statistics is not None:
            self.set_statistics(*statistics())

    def on_train_start(self) -> None:
        if not self._statistics_known:
            self._estimate_statistics()

    def set_statistics(self, mean: Tensor, std: Tensor) -> None:
        """Diffuse motion of this mean and standard deviation, (58,) each."""
        average = next((c._average_model.module for c in self._callbacks() if getattr(c, "_average_model", None) is not None), None)
        for model in (self, average):  # a copy whose weights are averaged was made before the data were known
            if model is not None:
                model.mean.copy_(mean)
                model.std.copy_(std)
        self._statistics_known = True

    def _callbacks(self) -> list[L.Callback]:
        return [] if self._trainer is None else self.trainer.callbacks

    def _estimate_statistics(self) -> None:
        """Look ahead at the first batches of all processes, which training will go through all the same."""
        loader = self.trainer.train_dataloader
        if isinstance(loader, Iterator):
            raise InputError("The training batches can be read but once, so mean and std cannot be estimated: give them to the model.")
        if isinstance(loader, DataLoader):  # with workers that persist it would hand out the iterator that training goes on with
            loader = copy.copy(loader)
            loader._iterator = None
        with torch.random.fork_rng(devices=[]):  # a loader that shuffles draws its order from here
            found = self.summed(moments(loader))
        self.set_statistics(*from_moments(found.cpu()))
        rank_zero_warn(
            "The model was given no mean and std of the motion, and the data have no `statistics`: both were estimated from "
            f"{int(found[0, 0])} frames of the first training batches. Give mean and std, or a DataModule that knows those of all.",
            category=UserWarning,
        )

    def training_step(self, batch: dict[str, Any], batch_idx: int) -> Tensor:
        size = len(batch["motion"])
        parts = self.parts(self.numbered(batch, batch_idx, size))
        # shares of the frames of all processes, or those of a process with few would weigh more
        frames = self.averaged(parts["frames"].sum()).clamp(min=1e-6)
        losses = self._combined({name: value.sum() / frames for name, value in parts.items() if name != "frames"})
        everywhere = self.averaged(torch.stack(list(losses.values())))
        self.log_dict({f"train/{name}": value for name, value in zip(losses, everywhere)}, batch_size=size)
        return losses["loss"]

    def _combined(self, figures: dict[str, Any]) -> dict[str, Any]:
        return {"loss": figures["position"] + self.hparams["velocity_weight"] * figures["velocity"], **figures}

    def on_validation_start(self) -> None:
        if not self._statistics_known and not self.trainer.sanity_checking:
            rank_zero_warn("The model has no mean and std of the motion yet, so what it is validated on is not normalised; train it first.")

    def validation_step(self, batch: Any, batch_idx: int, dataloader_idx: int = 0) -> None:
        # the same noise, timesteps and drops for a window at every validation, so that curves can be compared
        if isinstance(batch, list):
            return None if self.trainer.sanity_checking else self._performance.perform(self, batch)
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
        self.log_everywhere(self._validated(), "val/jawOpen")

    def _validated(self) -> dict[str, float]:
        """What this validation found, on all processes alike."""
        totals = self._tally.totals()
        figures = {} if not totals else {
            **self._combined({name: totals[name] / max(totals["frames"], 1e-6) for name in ("position", "velocity")}),
            **{name: totals[name] / totals["windows"] for name in _FOLLOWED},
        }  # fmt: skip
        return {f"val/{name}": value for name, value in {**figures, **self._performance.measure()}.items()}

    def on_test_start(self) -> None:
        self._tested = Performance()

    def test_step(self, batch: Any, batch_idx: int, performance: Performance | None = None) -> None:
        """Draw whole clips as `tbd generate` does, each from noise of its name; into another's `performance` where given."""
        if not isinstance(batch, list):
            raise InputError(
                "A motion model is tested on lists of whole clips (tbd.data.datasets.whole_clips.PerformedClip), as DataModules give."
            )
        (performance or self._tested).perform(self, batch)

    def on_test_epoch_end(self) -> None:
        self.log_everywhere({f"test/{name}": value for name, value in self._tested.measure().items()})

    def losses(self, batch: dict[str, Any]) -> dict[str, Tensor]:
        """The training loss and its parts, means over the frames of a batch; see `parts`."""
        parts = self.parts(batch)
        frames = parts.pop("frames").sum().clamp(min=1e-6)
        return self._combined({name: value.sum() / frames for name, value in parts.items()})

    def parts(self, batch: dict[str, Any]) -> dict[str, Tensor]:
        """The errors of each sample, on timesteps and with conditions dropped as the samples' numbers decide.

        Args:
            batch: see the class. Samples without numbers (``id``) get random ones.

        Returns:
            ``position`` and ``velocity``, (B,) sums over frames of the mean squared error over channels, and ``frames``, (B,) how
            many count.
        """
        clean = self.normalise(batch["motion"])  # (B, T, 58)
        b, t, _ = clean.shape
        ids = batch["id"] if "id" in batch else torch.randint(2**62, (b,))
        sample_noise = SampleNoise.of(ids.tolist(), self.run_seed, tuple(clean.shape[1:]), 5, clean.device)
        local, emotion, audio, past, place = sample_noise.uniform.unbind(1)  # (B,) each
        levels = len(self.noise_scheduler.alphas_cumprod)
        place = place ** (1 / (1 + self.hparams["noise_bias"]))
        timestep = (place * levels).long().clamp(max=levels - 1)  # the power may round up to 1
        noisy = self.noise_scheduler.add_noise(clean, sample_noise.noise, timestep)
        continues = (past >= self.hparams["drop_past"]).float()
        past_mask = continues[:, None] * (torch.arange(t, device=clean.device) < self.past_frames)  # (B, T)
        keep_local = (local >= self.hparams["drop_local"]).float()
        keep_global = torch.maximum(keep_local, (emotion >= self.hparams["drop_global"]).float())
        if "planned" in batch:  # what is not known is withheld, or it would be taken for neutral
            keep_local, keep_global = keep_local * batch["planned"], keep_global * batch["planned"]
        audio_mask = (audio >= self.hparams["drop_audio"]).float()
        plan = self.plan_encoder(batch["plan"], self._times(t)).only(keep_global, keep_local)
        # a past that was drawn is never quite clean; without this, errors feed on themselves from window to window
        past = (clean + 0.03 * sample_noise.past_noise) * past_mask[..., None]
        pred = self.denoiser(
            torch.where(past_mask[..., None] > 0, past, noisy),
            timestep,
            self.audio_encoder(batch["audio"], batch.get("phones")),
            audio_mask,
            plan,
            past,
            past_mask,
        )
        alpha, sigma = self._noise_level(timestep)
        sample = to_sample(pred, noisy, alpha, sigma, self.noise_scheduler.config.prediction_type)
        # an x₀ loss of one weight for all noise levels, or the noisiest, where plan and voice decide, would hardly be learnt
        weight = batch["mask"] * (1 - past_mask)  # (B, T)
        sample, clean = (x * self.channel_weights.sqrt() for x in (sample, clean))
        drift = sample.diff(dim=1) - clean.diff(dim=1)
        return {
            "position": (weight * (sample - clean).square().mean(-1)).sum(1),
            "velocity": (torch.minimum(weight[:, 1:], weight[:, :-1]) * drift.square().mean(-1)).sum(1),
            "frames": weight.sum(1),
        }

    def configure_optimizers(self) -> dict[str, Any]:
        decay = [p for p in self.parameters() if p.ndim >= 2]
        rest = [p for p in self.parameters() if p.ndim < 2]
        optimizer = torch.optim.AdamW(
            [{"params": decay, "weight_decay": 0.02}, {"params": rest, "weight_decay": 0.0}],
            lr=self.hparams["learning_rate"],
            betas=(0.9, 0.98),  # fused would refuse gradient clipping under mixed precision
        )
        return warmup_cosine(optimizer, int(self.trainer.estimated_stepping_batches), self.hparams["warmup_steps"])

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
            plan: what is felt and which muscles move; its times are seconds from the start.
            seed: the same seed, the same motion.
            guidance: instead of this model's own.
            num_inference_steps: instead of this model's own.

        Yields:
            Consecutive pieces of motion, together ceil(N / 640) frames.
        """
        frames, recording = frames_of(len(audio)), AudioWindows(audio, self.audio_encoder)
        plans = PlanTensors.collate([plan]).to(self.device)
        generator = torch.Generator().manual_seed(seed)
        past = torch.zeros(1, 0, len(CHANNELS), device=self.device)
        done = 0
        while done < frames:
            start = done - past.shape[1]
            sound, phones = recording.window(start, self.window_frames, self.device)
            drawn = self.sample_window(
                sound,
                plans.shifted(torch.tensor([start / FPS], device=self.device)),
                past,
                guidance=guidance or self.guidance,
                num_inference_steps=num_inference_steps,
                # drawn on the CPU, so that a seed gives the same motion on every device
                noise=torch.randn(1, self.window_frames, len(CHANNELS), generator=generator),
                phones=phones,
            )
            new = drawn[:, past.shape[1] :][:, : frames - done]
            done += new.shape[1]
            past = drawn[:, -self.past_frames :]
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
        """One window by the full sampling loop.

        Args:
            audio: (B, (T + 2·context)·640) samples.
            plan: B plans in window time.
            past: (B, P, 58) motion that the window's first P frames repeat.
            guidance: None draws the fully conditioned branch alone.
            num_inference_steps: instead of the model's own.
            noise: (B, T, 58) to start from; drawn where not given.
            phones: (B, (T + 2·context)·4) for an audio encoder that is told them.

        Returns:
            (B, T, 58) motion, its first P frames the past's.
        """
        scheduler = copy.deepcopy(self.noise_scheduler)  # multistep schedulers remember earlier steps
        scheduler.set_timesteps(num_inference_steps or self.num_inference_steps)
        guidance = (guidance or NoGuidance()).for_sampling(scheduler.timesteps)  # some guidances remember them too
        steps = len(scheduler.timesteps)  # which may be more than were asked for
        audio_embeds = self.audio_encoder(audio, phones)  # (B, T, D)
        b, t, _ = audio_embeds.shape
        planned = self.plan_encoder(plan, self._times(t))
        uncond_plan = self.plan_encoder(plan.neutral(), self._times(t)) if self.uncond_mode == "neutral" else None
        past_full = torch.zeros(b, t, len(CHANNELS), device=audio.device)
        past_mask = torch.zeros(b, t, device=audio.device)
        if past is not None and past.shape[1]:
            past_full[:, : past.shape[1]] = self.normalise(past)
            past_mask[:, : past.shape[1]] = 1
        x = (torch.randn_like(past_full) if noise is None else noise.to(audio.device)) * scheduler.init_noise_sigma
        kept = past_mask[..., None] > 0
        for i, timestep in enumerate(scheduler.timesteps):
            progress = i / max(steps - 1, 1)
            branches = guidance.branches(progress)
            model_in = torch.where(kept, past_full, scheduler.scale_model_input(x, timestep))
            preds = self._branches(branches, model_in, timestep, audio_embeds, (planned, uncond_plan), past_full, past_mask)
            x = scheduler.step(guidance(preds, progress, self.region_masks), timestep, x).prev_sample
        if past is not None and past.shape[1]:
            x = crossfade_seam(x, past_full, past.shape[1])
        return self.denormalise(torch.where(kept, past_full, x))

    def _branches(
        self,
        branches: tuple[Branch, ...],
        noisy: Tensor,
        timestep: Tensor,
        audio_embeds: Tensor,
        plans: tuple[PlanEmbeds, PlanEmbeds | None],
        past: Tensor,
        past_mask: Tensor,
    ) -> dict[Branch, Tensor]:
        """All wanted branches as one batch. `plans` are the plan and, where ε(∅) is a neutral one, that."""
        n, b = len(branches), len(noisy)
        plan, audio_mask = build_cfg_batch(branches, b, *plans, like=noisy)
        preds = self.denoiser(
            noisy.repeat(n, 1, 1),
            timestep.to(noisy.device).expand(n * b),
            audio_embeds.repeat(n, 1, 1),
            audio_mask,
            plan,
            past.repeat(n, 1, 1),
            past_mask.repeat(n, 1),
        )
        return dict(zip(branches, preds.float().chunk(n)))

    # -- small parts -----------------------------------------------------------------------------------------------

    def normalise(self, motion: Tensor) -> Tensor:
        return (motion - self.mean) / self.std

    def denormalise(self, motion: Tensor) -> Tensor:
        return motion * self.std + self.mean

    def _times(self, frames: int) -> Tensor:
        return torch.arange(frames, device=self.device) / FPS

    def _noise_level(self, timestep: Tensor) -> tuple[Tensor, Tensor]:
        """α and σ at training timesteps, each (B, 1, 1)."""
        level = self.noise_scheduler.alphas_cumprod.to(timestep.device)[timestep][:, None, None]
        return level.sqrt(), (1 - level).sqrt()


_FOLLOWED = ("jawOpen", "mouthClose", "mouthPucker")
"""Channels whose correlation with the true ones validation logs."""
_DRAWN = 1
"""Sets the noise that validation draws windows from apart from that of its losses."""


def _know_statistics(model: MotionDiffusion, _: Any) -> None:
    """Loaded weights bring their statistics, but for those of a model that never had any."""
    if bool((model.mean != 0).any()) or bool((model.std != 1).any()):
        model._statistics_known = True


def region_masks() -> Tensor:
    """(5, 1, 1, 58): which channels belong to which region of `REGIONS`."""
    return torch.tensor([[float(CHANNEL_REGIONS[channel] == region) for channel in CHANNELS] for region in REGIONS])[:, None, None]


def correlation(a: Tensor, b: Tensor, mask: Tensor) -> Tensor:
    """(B,) Pearson correlation over time of (B, T) tracks where `mask` (B, T) is 1; 0 for a track that stands still."""
    n = mask.sum(-1, keepdim=True).clamp(min=1)
    a = (a - (a * mask).sum(-1, keepdim=True) / n) * mask
    b = (b - (b * mask).sum(-1, keepdim=True) / n) * mask
    return F.cosine_similarity(a, b, dim=-1)
