import numpy as np
import pytest
import torch
from diffusers import DDIMScheduler, DPMSolverMultistepScheduler, FlowMatchEulerDiscreteScheduler, UniPCMultistepScheduler
from safetensors.torch import save_file

from tbd.draw.conditioning.audio_encoder import PhoneEncoder
from tbd.draw.conditioning.plan_encoder import MuscleTokenEncoder
from tbd.draw.conditioning.plan_tensors import PlanTensors
from tbd.draw.guidance.base import NoGuidance
from tbd.draw.guidance.classifier_free import ClassifierFreeGuidance
from tbd.draw.guidance.ordered import OrderedGuidance
from tbd.draw.guidance.progressive import ProgressiveGuidance
from tbd.draw.motion.diffusion import correlation
from tbd.draw.motion.training_options import MotionLoss, MotionTraining
from tbd.draw.optim import OptimizerConfig
from tbd.draw.parameterization import error_ratio, target
from tbd.draw.sampling import crossfade_seam
from tbd.draw.training_options import ConditioningDropout, InitialWeights, TrainingNoise
from tbd.draw.window_options import GeometricSpacing, SamplingConfig
from tbd.errors import InputError
from tbd.face.channels import CHANNELS
from tbd.speech.alignment import SYMBOLS
from tbd.think.plan import MuscleAction, MusclePlan
from tests.draw.conftest import tiny_model
from tests.speech.humming import Humming

PLAN = MusclePlan(emotions={"happy": 1.0}, intensity=0.8, actions=(MuscleAction(unit=12, intensity=0.7, onset=0.4),))
VARIANCE_PRESERVING = {"beta_schedule": "squaredcos_cap_v2"}


def voice(seconds: float) -> np.ndarray:
    return np.random.default_rng(0).normal(0, 0.1, int(seconds * 16000)).astype(np.float32)


def drawn(model, audio, plan=PLAN, **options) -> np.ndarray:
    return np.concatenate([piece.values for piece in model.generate(audio, plan, **options)])


def test_a_models_spacing_reaches_its_denoiser():
    seen: dict[bool, list[float]] = {}
    for spaced in (False, True):
        scheduler = DPMSolverMultistepScheduler(prediction_type="sample", **VARIANCE_PRESERVING)
        model = tiny_model(noise_scheduler=scheduler, sampling=SamplingConfig(5, spacing=GeometricSpacing(16.0, 0.15) if spaced else None))
        timesteps = seen.setdefault(spaced, [])
        model.denoiser.register_forward_pre_hook(lambda module, inputs, timesteps=timesteps: timesteps.append(float(inputs[1][0])))
        drawn(model, voice(0.4))
    alphas = scheduler.alphas_cumprod[torch.tensor(seen[True]).long()]
    assert len(seen[True]) == len(seen[False]) == 5 and seen[True] != seen[False]
    assert ((1 - alphas) / alphas).sqrt()[1:].tolist() == pytest.approx(GeometricSpacing(16.0, 0.15).ratios(5), rel=0.05)


@pytest.mark.parametrize("seconds", [0.01, 0.04, 1.2, 3.0])
def test_any_length(model, seconds):
    audio = voice(seconds)
    assert drawn(model, audio).shape == (-(-len(audio) // 640), len(CHANNELS))


def test_seed_decides(model):
    audio = voice(2)
    assert np.array_equal(drawn(model, audio, seed=3), drawn(model, audio, seed=3))
    assert not np.array_equal(drawn(model, audio, seed=3), drawn(model, audio, seed=4))


def test_blendshapes_stay_in_range(model):
    values = drawn(model, voice(2))[:, :52]
    assert values.min() >= 0 and values.max() <= 1


def test_windows_continue_the_past(model):
    """The first frames of a window are the last of the one before, exactly."""
    past = torch.rand(1, 6, len(CHANNELS))
    out = model.sample_window(torch.zeros(1, (30 + 8) * 640), PlanTensors.collate([PLAN]), past)
    assert torch.allclose(out[:, :6], past, atol=1e-5) and out.shape[1] == 30


def test_plan_times_are_those_of_the_recording(model):
    """In a later window an action that is over leaves the same trace as one that never was."""
    ended = MusclePlan(actions=(MuscleAction(unit=12, intensity=0.7, onset=0.1, offset=0.2),))
    never = MusclePlan(actions=(MuscleAction(unit=12, intensity=0.0),))
    a, b = drawn(model, voice(4), ended), drawn(model, voice(4), never)
    assert not np.allclose(a[:20], b[:20])
    embeds = model.plan_encoder(PlanTensors.collate([ended]).shifted(torch.tensor([2.0])), torch.arange(30) / 25)
    assert embeds.local_presence[:, 1:].max() == 0


def test_phones_are_those_of_the_recording(monkeypatch):
    """Each window is told the phones that sound in it; around the recording there is silence."""
    model = tiny_model(audio_encoder=PhoneEncoder(Humming(), 32, bins=20, context=4))
    audio_mask, encode = [], model.audio_encoder.forward
    monkeypatch.setattr(model.audio_encoder, "forward", lambda audio, phones=None: audio_mask.append(phones) or encode(audio, phones))
    drawn(model, voice(2.0))
    m = SYMBOLS.index("m")
    first, context, step = audio_mask[0][0], 4 * 4, (model.window_frames - model.past_frames) * 4
    assert first[: context + 10].max() == 0 and (first[context + 10 :] == m).all()
    for k, phones in enumerate(audio_mask):
        sounding = torch.arange(phones.shape[1]) - context + k * step
        assert torch.equal(phones[0] == m, (sounding >= 10) & (sounding < 200))


def test_a_start_from_other_weights(model, tmp_path):
    save_file(model.state_dict(), tmp_path / "model.safetensors")
    with pytest.raises(InputError, match="is missing"):
        tiny_model(audio_encoder=PhoneEncoder(Humming(), 32, bins=20, context=4), initial=InitialWeights(str(tmp_path)))
    new = tiny_model(
        audio_encoder=PhoneEncoder(Humming(), 32, bins=20, context=4),
        initial=InitialWeights(str(tmp_path), ["*embedding.weight"]),
    )
    assert torch.equal(new.denoiser.proj_out.weight, model.denoiser.proj_out.weight)


@pytest.mark.parametrize("scheduler", [DDIMScheduler, DPMSolverMultistepScheduler, UniPCMultistepScheduler])
@pytest.mark.parametrize("kind", ["sample", "epsilon", "v_prediction"])
def test_noise_schedulers_swap(scheduler, kind):
    model = tiny_model(noise_scheduler=scheduler(prediction_type=kind, **VARIANCE_PRESERVING))
    assert np.isfinite(drawn(model, voice(1))).all()


FLOW = [
    FlowMatchEulerDiscreteScheduler(),
    FlowMatchEulerDiscreteScheduler(shift=3.0),
    DPMSolverMultistepScheduler(prediction_type="flow_prediction", use_flow_sigmas=True),
]


@pytest.mark.parametrize("scheduler", FLOW, ids=lambda s: f"{type(s).__name__} {s.config.get('shift')}")
@pytest.mark.parametrize("guidance", [None, ClassifierFreeGuidance(2.0), OrderedGuidance("muscles", 1.5, 1.5, 2.0)])
def test_a_perfect_velocity_returns_the_motion(scheduler, guidance):
    """Straight lines: with the velocity known, the loop ends at the clean motion in any number of steps, whatever guides it."""
    clean = torch.rand(1, 30, len(CHANNELS))
    model = tiny_model(noise_scheduler=scheduler)
    model.denoiser.forward = lambda noisy, timestep, *_: (noisy - clean) / (timestep[:, None, None] / 1000)
    exact = isinstance(scheduler, FlowMatchEulerDiscreteScheduler)  # others round the timesteps
    for steps in (1, 4, 10) if exact else (10,):
        out = model.sample_window(torch.zeros(1, (30 + 8) * 640), PlanTensors.collate([PLAN]), guidance=guidance, num_inference_steps=steps)
        assert torch.allclose(out, clean, atol=1e-4 if exact else 2e-2), steps


@pytest.mark.parametrize("weighting", ["sample", "prediction"])
@pytest.mark.parametrize("kind", ["sample", "epsilon", "v_prediction", "flow_prediction"])
def test_a_perfect_prediction_costs_nothing_and_an_error_what_its_weighting_says(kind, weighting):
    """Weighted by the prediction, an error of 0.1 in it costs 0.01 at every noise level; by the sample, what x₀ is off by."""
    scheduler = FLOW[0] if kind == "flow_prediction" else DDIMScheduler(prediction_type=kind, beta_schedule="squaredcos_cap_v2")
    dropout = ConditioningDropout(past=1.0)  # no past, so that all frames count
    training = MotionTraining(loss=MotionLoss(velocity_weight=0.0, weighting=weighting), conditioning_dropout=dropout)
    model = tiny_model(noise_scheduler=scheduler, training=training)
    windows, add_noise, missed = [], model.add_noise, 0.0
    model.add_noise = lambda clean, ids: windows.append(add_noise(clean, ids)) or windows[-1]
    batch = {
        "audio": torch.zeros(6, 38 * 640), "motion": torch.rand(6, 30, 58), "plan": PlanTensors.collate([PLAN] * 6),
        "mask": torch.ones(6, 30), "id": torch.arange(6),
    }  # fmt: skip

    def perfect(*_):
        w, clean = windows[-1], model.normalise(batch["motion"])
        return target(clean, w.noise, w.alpha, w.sigma, kind) + missed

    model.denoiser.forward = perfect
    assert model.losses(batch)["loss"] == pytest.approx(0, abs=1e-6)
    missed = 0.1
    found = model.parts(batch)["position"] / 30
    ratio = error_ratio(windows[-1].alpha, windows[-1].sigma, kind).flatten()
    wanted = torch.full_like(ratio, 0.01) if weighting == "prediction" else 0.01 * ratio
    assert torch.allclose(found, wanted, rtol=0.02)


def test_a_perfect_denoiser_returns_the_motion():
    """With every prediction right, the whole loop must give the clean motion back, whatever the scheduler."""
    clean = torch.rand(1, 30, len(CHANNELS))
    for scheduler in (DDIMScheduler, DPMSolverMultistepScheduler, UniPCMultistepScheduler):
        options = {"clip_sample": False} if scheduler is DDIMScheduler else {}
        model = tiny_model(
            noise_scheduler=scheduler(prediction_type="sample", **VARIANCE_PRESERVING, **options), guidance=ProgressiveGuidance(2.0)
        )
        model.denoiser.forward = lambda noisy, *_: clean.expand(len(noisy), -1, -1)
        out = model.sample_window(
            torch.zeros(1, (30 + 8) * 640), PlanTensors.collate([PLAN]), guidance=model.guidance, num_inference_steps=10
        )
        assert torch.allclose(out, clean, atol=0.02), scheduler.__name__


def test_unfit_noise_scheduler_is_refused_at_construction():
    class Nothing:
        pass

    with pytest.raises(TypeError, match="Nothing"):
        tiny_model(noise_scheduler=Nothing())


def test_unfit_width_is_refused_at_construction():
    with pytest.raises(ValueError, match="width 16"):
        tiny_model(plan_encoder=MuscleTokenEncoder(16))


@pytest.mark.parametrize("guidance", [NoGuidance(), ClassifierFreeGuidance(2.0), ProgressiveGuidance()])
def test_guidances_swap(model, guidance):
    assert np.isfinite(drawn(model, voice(1), guidance=guidance)).all()


def test_audio_scale_zero_does_not_hear(model):
    deaf = ProgressiveGuidance(1, 1, 0, emotion_floor=1.0, muscle_floor=1.0)
    assert np.allclose(drawn(model, voice(1), guidance=deaf), drawn(model, np.zeros(16000, np.float32), guidance=deaf), atol=1e-5)


def batch(size: int = 4) -> dict:
    generator = torch.Generator().manual_seed(0)
    return {
        "audio": torch.randn(size, (30 + 8) * 640, generator=generator) * 0.1,
        "motion": torch.rand(size, 30, len(CHANNELS), generator=generator),
        "plan": PlanTensors.collate([PLAN] * size),
        "mask": torch.ones(size, 30),
    }


def test_padding_has_no_say(model):
    data = batch()
    data["mask"][:, 20:] = 0
    torch.manual_seed(0)
    before = model.losses(data)["loss"]
    data["motion"][:, 20:] += 100.0
    torch.manual_seed(0)
    # motion beyond the mask enters the noisy input, but never the loss's target
    model.denoiser.forward = lambda noisy, *_: torch.zeros_like(noisy)
    torch.manual_seed(0)
    padded = model.losses(data)["loss"]
    data["motion"][:, 20:] = 0
    torch.manual_seed(0)
    assert torch.isclose(model.losses(data)["loss"], padded) and before > 0


def test_lips_weigh_more():
    """The same error costs three times as much on the jaw as on a brow, and the channels' weights average 1."""
    model, data, cost = tiny_model(training=MotionTraining(loss=MotionLoss(velocity_weight=0.0, lip_weight=3.0))), batch(), {}
    for channel in ("jawOpen", "browInnerUp"):
        error = torch.zeros(len(CHANNELS))
        error[CHANNELS.index(channel)] = 1.0
        model.denoiser.forward = lambda *_, error=error: model.normalise(data["motion"]) + error
        cost[channel] = model.losses(data)["loss"].item()
    assert cost["jawOpen"] == pytest.approx(3 * cost["browInnerUp"], rel=1e-3)
    assert model.channel_weights.mean().item() == pytest.approx(1)


@pytest.mark.parametrize(("bias", "mean"), [(0.0, 1 / 2), (1.0, 2 / 3)])
def test_noise_bias_prefers_noisy_timesteps(bias, mean):
    model, seen = tiny_model(training=MotionTraining(noise=TrainingNoise(timestep_bias=bias))), []
    for k in range(5):
        seen.append(model.add_noise(torch.zeros(400, 30, len(CHANNELS)), range(400 * k, 400 * (k + 1))).timestep)
    steps = torch.cat(seen)
    assert steps.min() >= 0 and steps.max() < 1000 and steps.float().mean().item() / 1000 == pytest.approx(mean, abs=0.03)


@pytest.mark.parametrize("scheduler", [DDIMScheduler, DPMSolverMultistepScheduler, UniPCMultistepScheduler])
@pytest.mark.parametrize("drawn_before", [False, True])
def test_training_noise_is_that_of_its_timestep_with_every_scheduler(scheduler, drawn_before):
    """Those of diffusers' multistep solvers add the noise of other timesteps: reversed before the first drawing, the nearest after it."""
    model = tiny_model(noise_scheduler=scheduler(prediction_type="sample", **VARIANCE_PRESERVING))
    if drawn_before:
        drawn(model, voice(1))
    clean = torch.ones(64, 30, len(CHANNELS))
    windows = model.add_noise(clean, range(64))
    level = model.noise_scheduler.alphas_cumprod[windows.timestep]
    known = ((windows.noisy - windows.noise * (1 - level).sqrt()[:, None, None]) / clean).mean((1, 2))
    assert torch.allclose(known, level.sqrt(), atol=1e-4)
    assert windows.timestep.unique().numel() > 50


def test_it_learns(model):
    """A hundred steps on one batch bring the loss to a fraction."""
    data = batch()
    optimizer = torch.optim.Adam(model.parameters(), 3e-3)
    losses = []
    for step in range(100):
        torch.manual_seed(step)
        loss = model.losses(data)["loss"]
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert np.mean(losses[-10:]) < 0.5 * np.mean(losses[:10])


def test_correlation_is_pearsons():
    a, b = torch.rand(2, 40), torch.rand(2, 40)
    mask = torch.ones(2, 40)
    mask[1, 25:] = 0
    expected = [np.corrcoef(a[0], b[0])[0, 1], np.corrcoef(a[1, :25], b[1, :25])[0, 1]]
    assert correlation(a, b, mask).tolist() == pytest.approx(expected, abs=1e-5)


def test_emotion_scale_leaves_neutral_plans_alone(model):
    """ε(∅) is a neutral face, so that there is nothing to exaggerate in a plan without feeling."""
    plan = MusclePlan(actions=(MuscleAction(unit=4, intensity=0.5),))
    scales = [drawn(model, voice(1), plan, guidance=ProgressiveGuidance(emotion_scale=s)) for s in (0.5, 2.0)]
    assert np.allclose(*scales, atol=1e-5)
    felt = plan.model_copy(update={"emotions": {"angry": 1.0}, "intensity": 1.0})
    assert not np.allclose(*(drawn(model, voice(1), felt, guidance=ProgressiveGuidance(emotion_scale=s)) for s in (0.5, 2.0)), atol=1e-3)


def test_checkpoints_after_warm_up_load_without_running_code(model, tmp_path):
    """A learning rate of numpy's type in the schedule's state would need a pickle that may run code."""
    from types import SimpleNamespace

    model.optimizer = OptimizerConfig(warmup_steps=2)
    model._trainer = SimpleNamespace(estimated_stepping_batches=10)
    parts = model.configure_optimizers()
    for _ in range(5):
        parts["optimizer"].step()
        parts["lr_scheduler"]["scheduler"].step()
    torch.save(
        {"schedule": parts["lr_scheduler"]["scheduler"].state_dict(), "optimizer": parts["optimizer"].state_dict()}, tmp_path / "a.ckpt"
    )
    assert torch.load(tmp_path / "a.ckpt", weights_only=True)["schedule"]["last_epoch"] == 5


def test_a_window_is_eased_into_the_past():
    """What the redrawn past is off by is gone at the seam's first frames and back after a few; what fits is left alone."""
    past, drawn = torch.zeros(1, 30, 2), torch.ones(1, 30, 2)
    drawn[..., 1] = 0
    eased = crossfade_seam(drawn, past, frames=6)
    assert eased[0, 6, 0] < 0.2 and torch.equal(eased[0, 11:, 0], torch.ones(19)) and (eased[0, 6:12, 0].diff() > 0).all()
    assert torch.equal(eased[..., 1], drawn[..., 1]) and torch.equal(crossfade_seam(drawn[:, :8], past[:, :8], 6)[:, :6], drawn[:, :6])


def test_a_trackers_jump_does_not_rule_a_robust_loss():
    data = batch()
    jumped = {**data, "motion": data["motion"].clone()}
    jumped["motion"][0, -4] += 40.0
    rise = {}
    for outlier in (float("inf"), 2.0):
        torch.manual_seed(0)
        model = tiny_model(training=MotionTraining(loss=MotionLoss(outlier=outlier)))
        calm, upset = (model.losses({**b, "id": torch.arange(len(b["motion"]))})["loss"].item() for b in (data, jumped))
        rise[outlier] = upset / calm
    assert rise[2.0] < 0.2 * rise[float("inf")]


@pytest.mark.parametrize("outlier", [0.0, -1.0, float("nan")])
def test_an_outlier_is_a_number_of_deviations(outlier):
    with pytest.raises(InputError, match="above 0"):
        MotionLoss(outlier=outlier)


def test_frozen_parts_keep_their_weights():
    model = tiny_model(training=MotionTraining(frozen=("audio_encoder",)))
    model.losses(batch())["loss"].backward()
    assert not any(p.requires_grad for p in model.audio_encoder.parameters())
    assert all(p.grad is None for p in model.audio_encoder.parameters())
    assert any(p.grad is not None for p in model.denoiser.parameters())
