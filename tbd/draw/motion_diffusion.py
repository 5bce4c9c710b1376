"""`MotionDiffusion`: a diffusion over windows of `Motion`, told by a plan and a voice."""

import copy
import warnings
from collections.abc import Iterator, Sequence
from typing import Any, ClassVar, Literal

import lightning as L
import numpy as np
import torch
from diffusers import SchedulerMixin
from torch import Tensor
from torch.nn import functional as F

from tbd.draw.audio import AudioEncoder, frames_of
from tbd.draw.checkpoints import load_initial
from tbd.draw.denoiser import Denoiser
from tbd.draw.guidance import Branch, Guidance, NoGuidance
from tbd.draw.learning import warmup_cosine
from tbd.draw.prediction import to_sample
from tbd.draw.windows import Recording, join_past, require_noise_scheduler, require_widths, tell_branches
from tbd.face.motion import CHANNELS, FPS, Motion
from tbd.think.action_units import REGIONS
from tbd.think.encoder import PlanEmbeds, PlanEncoder, PlanTensors
from tbd.think.facs import CHANNEL_REGIONS
from tbd.think.plan import MusclePlan


class MotionDiffusion(L.LightningModule):
    """Draws motion. Every part is a component; this class trains them together and runs the sampling loop.

    Batches are dicts as every `tbd.data.module.MotionDataModule` makes them: ``audio`` (B, (T + 2·context)·640), ``phones``
    (B, (T + 2·context)·4) where the audio encoder is told them, ``motion`` (B, T, 58), ``plan`` `PlanTensors` in window time,
    ``mask`` (B, T) 1 at frames that exist, ``planned`` (B,) 0 where a data set does not tell what is felt.

    Args:
        denoiser: predicts clean motion.
        plan_encoder: plan → tokens, of the denoiser's `plan_dim`.
        audio_encoder: waveform → features, of the denoiser's `audio_dim`.
        noise_scheduler: any diffusers noise scheduler whose training noise is variance preserving (DDIM, DPM-Solver++, UniPC).
        guidance: how the branches are combined when drawing.
        num_inference_steps: denoising steps when drawing.
        window_frames: frames of one window, the past included.
        past_frames: frames of the window before that a window continues.
        unplanned: what ε(∅) means when drawing. ``neutral`` is a face that feels nothing, so that the emotion's scale leads
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

    Raises:
        InputError: initial weights are not there or do not fit.
        TypeError: the noise scheduler lacks a method that sampling or training calls.
        ValueError: widths do not fit.
    """

    weightless_arguments: ClassVar[tuple[str, ...]] = ("guidance", "num_inference_steps", "unplanned", "compile")
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
        unplanned: Literal["neutral", "nothing"] = "neutral",
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
    ) -> None:
        super().__init__()
        with warnings.catch_warnings():
            # Lightning advises to leave modules out; without them `load_from_checkpoint` cannot rebuild the model
            warnings.filterwarnings("ignore", "Attribute .* is an instance of `nn.Module`")
            self.save_hyperparameters()
        require_noise_scheduler(noise_scheduler)
        require_widths(plan_encoder, denoiser.plan_dim, audio_encoder, denoiser.audio_dim)
        self.denoiser, self.plan_encoder, self.audio_encoder = denoiser, plan_encoder, audio_encoder
        self.noise_scheduler, self.guidance = noise_scheduler, guidance
        self.num_inference_steps, self.window_frames, self.past_frames = num_inference_steps, window_frames, past_frames
        self.unplanned = unplanned
        self.register_buffer("mean", torch.zeros(len(CHANNELS)))
        self.register_buffer("std", torch.ones(len(CHANNELS)))
        self.register_buffer("region_masks", region_masks(), persistent=False)
        weights = 1 + (lip_weight - 1) * self.region_masks[REGIONS.index("lower"), 0, 0]  # (58,)
        self.register_buffer("channel_weights", weights / weights.mean(), persistent=False)
        if initial is not None:
            load_initial(self, initial, initial_skip)

    # -- training ------------------------------------------------------------------------------------------------

    def on_fit_start(self) -> None:
        """Take the normalisation from the data; a resumed run's comes from its checkpoint and is the same."""
        if self.hparams["compile"]:
            # in place, so that checkpoints keep their names
            self.denoiser.compile()
            self.audio_encoder.compile()
        statistics = getattr(self.trainer.datamodule, "statistics", None)
        if statistics is not None:
            mean, std = statistics()
            self.mean.copy_(mean)
            self.std.copy_(std)

    def training_step(self, batch: dict[str, Any], batch_idx: int) -> Tensor:
        losses = self.losses(batch)
        self.log_dict({f"train/{k}": v for k, v in losses.items()}, prog_bar=False)
        return losses["loss"]

    def validation_step(self, batch: dict[str, Any], batch_idx: int) -> None:
        # the same noise, timesteps and drops at every validation, so that curves can be compared
        # batches of other sizes, without gradients: not worth compiling again
        eager = torch.compiler.set_stance("force_eager")
        with eager, torch.random.fork_rng(devices=[self.device] if self.device.type == "cuda" else []):
            torch.manual_seed(batch_idx)
            losses = self.losses(batch)
            drawn = self.denoise(batch["audio"], batch["plan"], guidance=None, phones=batch.get("phones"))
        size = len(batch["motion"])
        self.log_dict({f"val/{k}": v for k, v in losses.items()}, batch_size=size, sync_dist=True)
        for channel in ("jawOpen", "mouthClose", "mouthPucker"):
            k = CHANNELS.index(channel)
            figure = correlation(drawn[..., k], batch["motion"][..., k], batch["mask"]).mean()
            self.log(f"val/{channel}", figure, prog_bar=channel == "jawOpen", batch_size=size, sync_dist=True)

    def losses(self, batch: dict[str, Any]) -> dict[str, Tensor]:
        """The training loss and its parts, on random timesteps with conditions dropped at random."""
        clean = self.normalise(batch["motion"])  # (B, T, 58)
        b, t, _ = clean.shape
        levels = len(self.noise_scheduler.alphas_cumprod)
        place = torch.rand(b, device=clean.device) ** (1 / (1 + self.hparams["noise_bias"]))
        timestep = (place * levels).long().clamp(max=levels - 1)  # the power may round up to 1
        noisy = self.noise_scheduler.add_noise(clean, torch.randn_like(clean), timestep)
        past_mask = self._random_past(b, t)
        keep_local = (torch.rand(b, device=clean.device) >= self.hparams["drop_local"]).float()
        keep_global = torch.maximum(keep_local, (torch.rand(b, device=clean.device) >= self.hparams["drop_global"]).float())
        if "planned" in batch:  # what is not known is withheld, or it would be taken for neutral
            keep_local, keep_global = keep_local * batch["planned"], keep_global * batch["planned"]
        heard = (torch.rand(b, device=clean.device) >= self.hparams["drop_audio"]).float()
        plan = self.plan_encoder(batch["plan"], self._times(t)).only(keep_global, keep_local)
        past = clean * past_mask[..., None]
        # a past that was drawn is never quite clean; without this, errors feed on themselves from window to window
        past = past + 0.03 * torch.randn_like(past) * past_mask[..., None]
        pred = self.denoiser(
            torch.where(past_mask[..., None] > 0, past, noisy),
            timestep,
            self.audio_encoder(batch["audio"], batch.get("phones")),
            heard,
            plan,
            past,
            past_mask,
        )
        alpha, sigma = self._noise_level(timestep)
        sample = to_sample(pred, noisy, alpha, sigma, self.noise_scheduler.config.prediction_type)
        # an x₀ loss of one weight for all noise levels, or the noisiest, where plan and voice decide, would hardly be learnt
        weight = (batch["mask"] * (1 - past_mask))[..., None]  # (B, T, 1)
        total = weight.sum().clamp(min=1e-6) * sample.shape[-1]
        sample, clean = (x * self.channel_weights.sqrt() for x in (sample, clean))
        position = (weight * (sample - clean).square()).sum() / total
        drift = sample.diff(dim=1) - clean.diff(dim=1)
        velocity = (torch.minimum(weight[:, 1:], weight[:, :-1]) * drift.square()).sum() / total
        return {"loss": position + self.hparams["velocity_weight"] * velocity, "position": position, "velocity": velocity}

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
    def draw(
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
        frames, recording = frames_of(len(audio)), Recording(audio, self.audio_encoder)
        plans = PlanTensors.collate([plan]).to(self.device)
        generator = torch.Generator().manual_seed(seed)
        past = torch.zeros(1, 0, len(CHANNELS), device=self.device)
        done = 0
        while done < frames:
            start = done - past.shape[1]
            sound, phones = recording.window(start, self.window_frames, self.device)
            drawn = self.denoise(
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
    def denoise(
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
        guidance = (guidance or NoGuidance()).started(scheduler.timesteps)  # some guidances remember them too
        steps = len(scheduler.timesteps)  # which may be more than were asked for
        audio_embeds = self.audio_encoder(audio, phones)  # (B, T, D)
        b, t, _ = audio_embeds.shape
        planned = self.plan_encoder(plan, self._times(t))
        unplanned = self.plan_encoder(plan.neutral(), self._times(t)) if self.unplanned == "neutral" else None
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
            preds = self._branches(branches, model_in, timestep, audio_embeds, (planned, unplanned), past_full, past_mask)
            x = scheduler.step(guidance(preds, progress, self.region_masks), timestep, x).prev_sample
        if past is not None and past.shape[1]:
            x = join_past(x, past_full, past.shape[1])
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
        plan, heard = tell_branches(branches, b, *plans, like=noisy)
        preds = self.denoiser(
            noisy.repeat(n, 1, 1),
            timestep.to(noisy.device).expand(n * b),
            audio_embeds.repeat(n, 1, 1),
            heard,
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

    def _random_past(self, b: int, t: int) -> Tensor:
        """(B, T) of 0 and 1: which windows continue a past."""
        continues = (torch.rand(b, device=self.device) >= self.hparams["drop_past"]).float()
        return continues[:, None] * (torch.arange(t, device=self.device) < self.past_frames)

    def _noise_level(self, timestep: Tensor) -> tuple[Tensor, Tensor]:
        """α and σ at training timesteps, each (B, 1, 1)."""
        level = self.noise_scheduler.alphas_cumprod.to(timestep.device)[timestep][:, None, None]
        return level.sqrt(), (1 - level).sqrt()


def region_masks() -> Tensor:
    """(5, 1, 1, 58): which channels belong to which region of `REGIONS`."""
    return torch.tensor([[float(CHANNEL_REGIONS[channel] == region) for channel in CHANNELS] for region in REGIONS])[:, None, None]


def correlation(a: Tensor, b: Tensor, mask: Tensor) -> Tensor:
    """(B,) Pearson correlation over time of (B, T) tracks where `mask` (B, T) is 1; 0 for a track that stands still."""
    n = mask.sum(-1, keepdim=True).clamp(min=1)
    a = (a - (a * mask).sum(-1, keepdim=True) / n) * mask
    b = (b - (b * mask).sum(-1, keepdim=True) / n) * mask
    return F.cosine_similarity(a, b, dim=-1)
