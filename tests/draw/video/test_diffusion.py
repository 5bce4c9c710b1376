"""The video model hears what it is told, where it is told, and draws videos of any length."""

import dataclasses

import diffusers
import numpy as np
import pytest
import torch
from diffusers import DPMSolverMultistepScheduler

from tbd.draw.conditioning.audio_encoder import PhoneEncoder
from tbd.draw.conditioning.plan_encoder import MuscleTokenEncoder
from tbd.draw.conditioning.plan_tensors import PlanTensors
from tbd.draw.guidance.base import NoGuidance
from tbd.draw.guidance.classifier_free import ClassifierFreeGuidance
from tbd.draw.guidance.diffusers import DiffusersGuidance
from tbd.draw.guidance.progressive import ProgressiveGuidance
from tbd.draw.video.denoiser import VideoConditioning, VideoUNet
from tbd.draw.video.sampling_options import VideoSamplingConfig
from tbd.draw.window_options import WindowConfig
from tbd.errors import InputError
from tbd.think.action_units import REGIONS
from tbd.think.plan import MuscleAction, MusclePlan
from tests.draw.tiny_video import DIM, PLAN, SIDE, UNET, clip, tiny_video_model, wake
from tests.speech.humming import Humming

T, H = 6, SIDE // 2


@pytest.fixture(scope="module")
def model():
    return wake(tiny_video_model())


def told(model, plan: MusclePlan = PLAN, **changes) -> VideoConditioning:
    generator = torch.Generator().manual_seed(2)
    parts = {
        "plan": model.plan_encoder(PlanTensors.collate([plan]), torch.arange(T) / 25 + 1),
        "audio_embeds": torch.randn(1, T, DIM, generator=generator),
        "audio_mask": torch.ones(1),
        "hint": torch.randn(1, T, 4, H, H, generator=generator),
        "region_masks": torch.ones(1, 5, H, H),
        "past_mask": torch.zeros(1, T),
    }
    return VideoConditioning(**{**parts, **changes})


@torch.no_grad()
def predicted(model, what: VideoConditioning, portrait: int = 3) -> torch.Tensor:
    noisy = torch.randn(1, T, 4, H, H, generator=torch.Generator().manual_seed(4))
    reference = model.denoiser.encode_reference(torch.randn(1, 4, H, H, generator=torch.Generator().manual_seed(portrait)))
    return model.denoiser(noisy, torch.tensor([500]), reference, what)


def test_every_condition_is_heard(model):
    base = told(model)
    reference = predicted(model, base)
    sad = model.plan_encoder(PlanTensors.collate([PLAN.model_copy(update={"emotions": {"sad": 1.0}})]), torch.arange(T) / 25 + 1)
    others = {
        "portrait": predicted(model, base, portrait=8),
        "emotion": predicted(model, dataclasses.replace(base, plan=sad)),
        "muscle": predicted(
            model, told(model, MusclePlan(emotions={"happy": 1.0}, intensity=0.8, actions=(MuscleAction(unit=4, intensity=0.7),)))
        ),
        "voice": predicted(model, dataclasses.replace(base, audio_embeds=base.audio_embeds.flip(1))),
        "silence": predicted(model, dataclasses.replace(base, audio_mask=torch.zeros(1))),
        "hint": predicted(model, dataclasses.replace(base, hint=torch.zeros_like(base.hint))),
        "past": predicted(model, dataclasses.replace(base, past_mask=torch.ones(1, T))),
    }
    for name, pred in others.items():
        assert not torch.allclose(pred, reference, atol=1e-4), name


def test_what_is_withheld_cannot_be_told(model):
    """With a presence of zero, neither the plan's nor the voice's content matters."""
    preds = []
    for emotion, unit, shift in (("happy", 12, 0), ("sad", 4, 1)):
        plan = MusclePlan(emotions={emotion: 1.0}, intensity=0.8, actions=(MuscleAction(unit=unit, intensity=0.7),))
        base = told(model, plan, audio_mask=torch.zeros(1))
        hidden = base.plan.only(torch.zeros(1), torch.zeros(1))
        preds.append(predicted(model, dataclasses.replace(base, plan=hidden, audio_embeds=base.audio_embeds.roll(shift, 1))))
    assert torch.allclose(*preds, atol=1e-4)


def test_a_muscle_is_heard_in_its_own_region():
    """A unit of the lower face moves the attention's answer where the lower region lies, and nowhere else."""
    from tbd.draw.video.attention import PlanAudioAttention, mask_region_tokens

    torch.manual_seed(0)
    layer, encoder, masks = PlanAudioAttention(DIM, DIM), MuscleTokenEncoder(DIM), torch.zeros(1, 5, 4, 4)
    masks[0, REGIONS.index("lower"), 2:] = 1
    answers = []
    for unit in (12, 15):
        embeds = encoder(PlanTensors.collate([MusclePlan(actions=(MuscleAction(unit=unit, intensity=1.0),))]), torch.ones(1))
        audio_mask = mask_region_tokens(embeds, masks, [(4, 4)], torch.zeros(DIM))
        key = layer.muscle_key(audio_mask.tokens)
        weights = (
            torch.randn(1, 16, DIM, generator=torch.Generator().manual_seed(1)) @ key.transpose(1, 2) + audio_mask.at(16)[:, 0]
        ).softmax(-1)
        answers.append((weights @ audio_mask.tokens).detach()[0].view(4, 4, DIM))
    change = (answers[0] - answers[1]).abs().amax(-1)
    assert change[:2].max() < 1e-4 and change[2:].min() > 1e-2


def test_a_new_model_is_its_pretrained_layers(model):
    """Before training, hint, past, muscles, voice and motion say nothing yet: the network starts as the pretrained one was."""
    fresh = tiny_video_model().eval()
    base = told(fresh)
    quiet = [
        dataclasses.replace(base, hint=torch.zeros_like(base.hint)),
        dataclasses.replace(base, past_mask=torch.ones(1, T)),
        dataclasses.replace(base, audio_mask=torch.zeros(1)),
        dataclasses.replace(base, plan=base.plan.only(torch.ones(1), torch.zeros(1))),
    ]
    reference = predicted(fresh, base)
    assert all(torch.allclose(predicted(fresh, one), reference, atol=1e-6) for one in quiet)


def drawn(model, frames: int, plan: MusclePlan = PLAN, **options) -> np.ndarray:
    one = clip(1, frames=frames)
    coarse = (frame.transpose(1, 2, 0) for frame in one.coarse)
    portrait = np.ascontiguousarray(one.portrait.transpose(1, 2, 0))
    return np.stack(list(model.generate(portrait, coarse, one.region_masks, one.audio.astype(np.float32) / 32768, plan, **options)))


@pytest.mark.parametrize("frames", [1, 5, 6, 7, 17])
def test_any_length(model, frames):
    video = drawn(model, frames)
    assert video.shape == (frames, SIDE, SIDE, 3) and video.dtype == np.uint8


def test_the_seed_decides(model):
    assert np.array_equal(drawn(model, 8, seed=3), drawn(model, 8, seed=3))
    assert not np.array_equal(drawn(model, 8, seed=3), drawn(model, 8, seed=4))


def test_one_branch_after_the_other_is_the_same_video(model):
    guidance = ProgressiveGuidance(emotion_scale=2.0, muscle_scale=1.5, audio_scale=2.0, muscle_floor=0.2)
    both = [drawn(model, 6, guidance=guidance, sequential=s).astype(int) for s in (False, True)]
    assert np.abs(both[0] - both[1]).max() <= 1


@pytest.mark.parametrize("guidance", [NoGuidance(), ClassifierFreeGuidance(2.0), ProgressiveGuidance(region_scales={"lower": 2.0})])
def test_guidances_swap(model, guidance):
    assert np.isfinite(drawn(model, 6, guidance=guidance).astype(float)).all()


def test_guiders_of_diffusers_draw_as_ours_and_remember_one_window_alone(model):
    theirs = drawn(model, 8, guidance=DiffusersGuidance(diffusers.ClassifierFreeGuidance(guidance_scale=2.0))).astype(int)
    assert np.abs(theirs - drawn(model, 8, guidance=ClassifierFreeGuidance(2.0))).max() <= 1
    guider = diffusers.AdaptiveProjectedGuidance(2.0, adaptive_projected_guidance_momentum=-0.5, eta=0.0)
    for guidance in (
        DiffusersGuidance(guider, audio_scale=2.0, audio_regions=["lower"]),
        DiffusersGuidance(diffusers.ClassifierFreeZeroStarGuidance(2.0, zero_init_steps=0)),
    ):
        video = drawn(model, 8, guidance=guidance, seed=3)
        drawn(model, 6, guidance=guidance, seed=4)
        assert np.array_equal(video, drawn(model, 8, guidance=guidance, seed=3)) and (video != theirs).any()


def test_region_scales_act_in_their_region(model):
    """With a mask that is zero everywhere a region's own scale changes nothing; with one that is one everywhere it does."""
    options = {"region_masks": torch.zeros(1, 5, H, H)}
    parts = told(model)
    reference = model.denoiser.encode_reference(torch.randn(1, 4, H, H, generator=torch.Generator().manual_seed(0)))
    noise, audio = torch.randn(1, T, 4, H, H, generator=torch.Generator().manual_seed(1)), torch.zeros(1, (T + 4) * 640)

    def window(masks: torch.Tensor, scale: float) -> torch.Tensor:
        guidance = ProgressiveGuidance(muscle_floor=1.0, emotion_floor=1.0, region_scales={"lower": scale})
        return model.sample_window(reference, parts.hint, masks, audio, PlanTensors.collate([PLAN]), guidance=guidance, noise=noise)

    off, on = options["region_masks"], torch.ones(1, 5, H, H)
    assert torch.allclose(window(off, 3.0), window(off, 1.0), atol=1e-5) and not torch.allclose(window(on, 3.0), window(on, 1.0), atol=1e-3)


def test_windows_continue_the_past(model):
    past = torch.randn(1, 2, 4, H, H)
    parts = told(model)
    reference = model.denoiser.encode_reference(torch.zeros(1, 4, H, H))
    out = model.sample_window(reference, parts.hint, parts.region_masks, torch.zeros(1, (T + 4) * 640), PlanTensors.collate([PLAN]), past)
    assert torch.equal(out[:, :2], past) and out.shape == (1, T, 4, H, H)


def test_a_perfect_denoiser_leaves_no_seam():
    """With every prediction right, a video of many windows is the true one, whatever the noise scheduler."""
    for options in ({}, {"noise_scheduler": DPMSolverMultistepScheduler(beta_schedule="squaredcos_cap_v2", prediction_type="sample")}):
        model = tiny_video_model(sampling=VideoSamplingConfig(10), **options).eval()
        kind = model.noise_scheduler.config.prediction_type
        calls = []

        def perfect(noisy, timestep, reference, conditioning, kind=kind, model=model, calls=calls):
            clean = conditioning.hint  # the truth is what the coarse frames show
            calls.append(len(noisy))
            alpha, sigma = model.noise_level(timestep.expand(len(noisy)), noisy)
            return clean if kind == "sample" else (alpha * noisy - clean) / sigma.clamp(min=1e-4)

        model.denoiser.forward = perfect
        model.autoencoder.encode = lambda frames: frames.mean(-3, keepdim=True).expand(*frames.shape[:-3], 4, -1, -1)[..., ::2, ::2]
        model.autoencoder.decode = lambda latents: latents[..., :3, :, :].repeat_interleave(2, -1).repeat_interleave(2, -2).clamp(0, 1)
        one = clip(1, frames=23)
        ramp = np.broadcast_to(np.linspace(40, 200, 23, dtype=np.uint8)[:, None, None, None], (23, 3, SIDE, SIDE))
        coarse = (frame.transpose(1, 2, 0) for frame in ramp)
        video = np.stack(
            list(model.generate(ramp[0].transpose(1, 2, 0).copy(), coarse, one.region_masks, one.audio / np.float32(32768), PLAN))
        )
        assert np.abs(video[:, 0, 0, 0].astype(int) - ramp[:, 0, 0, 0]).max() <= 2 and len(calls) > 30


def test_drawing_holds_one_window(model):
    """The coarse video is read as it is needed, not ahead."""
    read = []
    one = clip(1, frames=30)

    def coarse():
        for i, frame in enumerate(one.coarse):
            read.append(i)
            yield frame.transpose(1, 2, 0)

    portrait = np.ascontiguousarray(one.portrait.transpose(1, 2, 0))
    frames = model.generate(portrait, coarse(), one.region_masks, one.audio / np.float32(32768), PLAN)
    next(frames)
    assert len(read) <= model.window_frames


@pytest.mark.parametrize("windows", [WindowConfig(2, 2), WindowConfig(9, 2)])
def test_unfit_windows_are_refused(windows):
    with pytest.raises(ValueError, match="window"):
        tiny_video_model(windows=windows)


def test_unfit_parts_are_refused():
    with pytest.raises(ValueError, match="width 8"):
        tiny_video_model(plan_encoder=MuscleTokenEncoder(8))
    with pytest.raises(TypeError, match="PhoneEncoder takes phones"):
        tiny_video_model(audio_encoder=PhoneEncoder(Humming(), DIM))
    with pytest.raises(ValueError, match="takes 5"):
        tiny_video_model(denoiser=VideoUNet({**UNET, "in_channels": 5, "out_channels": 5}, max_frames=8))


def test_bad_input_is_one_sentence(model):
    one = clip(1, frames=8)
    portrait = np.ascontiguousarray(one.portrait.transpose(1, 2, 0))
    audio = one.audio / np.float32(32768)
    with pytest.raises(InputError, match="multiples of 2"):
        next(model.generate(portrait[:15], iter(()), one.region_masks, audio, PLAN))
    with pytest.raises(InputError, match="ends before the audio"):
        list(model.generate(portrait, iter([portrait]), one.region_masks, audio, PLAN))
    with pytest.raises(InputError, match="portrait's size"):
        list(model.generate(portrait, iter([portrait[:8]] * 8), one.region_masks, audio, PLAN))
