"""Guiders of diffusers, against the papers' formulas written out here and against our own guidance."""

import os
import subprocess
import sys

import diffusers
import numpy as np
import pytest
import torch
from diffusers.guiders import AdaptiveProjectedMixGuidance, FrequencyDecoupledGuidance

from tbd.draw.conditioning.plan_tensors import PlanTensors
from tbd.draw.guidance.base import COND, COND_NO_AUDIO, UNCOND, NoGuidance
from tbd.draw.guidance.classifier_free import ClassifierFreeGuidance
from tbd.draw.guidance.diffusers import DiffusersGuidance
from tbd.draw.guidance.progressive import ProgressiveGuidance
from tbd.draw.motion.sampler import region_masks
from tbd.face.channels import CHANNELS
from tbd.think.action_units import REGIONS
from tbd.think.plan import MuscleAction, MusclePlan
from tests.draw.conftest import tiny_model

TIMESTEPS = torch.tensor([900, 700, 500, 300, 100])
POSITIVE, NEGATIVE = torch.tensor([[3.0, 4.0, 1.0]]), torch.tensor([[1.0, 2.0, 2.0]])
PREDS = {UNCOND: NEGATIVE, COND: POSITIVE, COND_NO_AUDIO: torch.tensor([[2.0, 0.0, 0.0]])}


def apg(**options) -> diffusers.AdaptiveProjectedGuidance:
    parts = {"guidance_scale": 1.0, "use_original_formulation": True, "eta": 0.0, "adaptive_projected_guidance_momentum": -0.5}
    return diffusers.AdaptiveProjectedGuidance(**{**parts, "adaptive_projected_guidance_rescale": 2.0, **options})


NONLINEAR = [
    apg(),
    diffusers.ClassifierFreeZeroStarGuidance(guidance_scale=2.0),
    diffusers.TangentialClassifierFreeGuidance(guidance_scale=2.0),
    AdaptiveProjectedMixGuidance(adaptive_projected_guidance_start_step=1),
]
"""Each remembers something or bends the predictions."""


def combined(guider, steps: int = 1, preds=PREDS, **options) -> list[torch.Tensor]:
    """The first steps of a window over `TIMESTEPS`, each given the same predictions."""
    guidance = DiffusersGuidance(guider, **options).for_sampling(TIMESTEPS)
    taus = [i / (len(TIMESTEPS) - 1) for i in range(steps)]
    return [guidance({b: preds[b] for b in guidance.branches(tau)}, tau, region_masks()) for tau in taus]


@pytest.mark.parametrize("scale", [0.5, 1.0, 2.0, 3.5])
def test_classifier_free_is_ours(scale):
    ours, theirs = (
        ClassifierFreeGuidance(scale),
        DiffusersGuidance(diffusers.ClassifierFreeGuidance(guidance_scale=scale)).for_sampling(TIMESTEPS),
    )
    for i in range(5):
        tau = i / 4
        assert theirs.branches(tau) == ours.branches(tau)
        pred = theirs({b: PREDS[b] for b in theirs.branches(tau)}, tau)
        assert torch.allclose(pred, ours({b: PREDS[b] for b in ours.branches(tau)}, tau))
    assert torch.allclose(pred, NEGATIVE + scale * (POSITIVE - NEGATIVE))


def test_adaptive_projected_by_hand():
    """Momentum, then the norm, then what is orthogonal to the conditional prediction: three steps of algorithm 1 of 2410.02416."""
    average, expected = torch.zeros(1, 3), []
    for _ in range(3):
        average = (POSITIVE - NEGATIVE) - 0.5 * average
        update = average * min(1.0, 2.0 / average.norm().item())
        along = (update * POSITIVE).sum() / (POSITIVE * POSITIVE).sum() * POSITIVE
        expected.append(POSITIVE + 1.0 * (update - along))
    for pred, by_hand in zip(combined(apg(), 3), expected, strict=True):
        assert torch.allclose(pred, by_hand, atol=1e-6)
    assert not torch.allclose(expected[0], expected[1], atol=1e-3)  # momentum has a say


def test_zero_star_by_hand():
    """s* = ⟨cond, uncond⟩ / ‖uncond‖² = 13/9; the first step is zero."""
    zero, second = combined(diffusers.ClassifierFreeZeroStarGuidance(guidance_scale=2.0), 2)
    assert torch.equal(zero, torch.zeros(1, 3))
    assert torch.allclose(second, 13 / 9 * NEGATIVE + 2.0 * (POSITIVE - 13 / 9 * NEGATIVE))


def test_tangential_by_hand():
    """Of the unconditional prediction only what lies along the pair's first principal direction stays (2503.18137)."""
    _, vectors = torch.linalg.eigh(torch.cat([POSITIVE, NEGATIVE]).T @ torch.cat([POSITIVE, NEGATIVE]))
    main = vectors[:, -1]
    kept = (NEGATIVE @ main)[:, None] * main
    (pred,) = combined(diffusers.TangentialClassifierFreeGuidance(guidance_scale=2.0))
    assert torch.allclose(pred, kept + 2.0 * (POSITIVE - kept), atol=1e-5) and not torch.allclose(kept, NEGATIVE, atol=1e-2)


def test_start_and_stop_are_fractions_of_the_steps():
    """Outside only the conditional prediction is computed, and it passes as it is."""
    guider = diffusers.ClassifierFreeGuidance(guidance_scale=2.0, start=0.2, stop=0.8)
    guidance = DiffusersGuidance(guider).for_sampling(TIMESTEPS)
    asked = [guidance.branches(i / 4) for i in range(5)]
    assert asked == [(COND,), (UNCOND, COND), (UNCOND, COND), (UNCOND, COND), (COND,)]
    assert torch.equal(guidance({COND: POSITIVE}, 0.0), POSITIVE)


@pytest.mark.parametrize("steps", [1, 2, 3, 7, 10, 50, 1000])
def test_every_step_is_told_its_place(steps):
    timesteps = torch.arange(steps).flip(0)
    guidance = DiffusersGuidance(diffusers.ClassifierFreeGuidance()).for_sampling(timesteps)
    for i in range(steps):
        guidance.branches(i / max(steps - 1, 1))
        state = guidance.guider.get_state()
        assert (state["step"], state["num_inference_steps"], state["timestep"]) == (i, steps, timesteps[i])


def test_each_window_has_a_state_of_its_own():
    """Two windows drawn in turns are two windows drawn apart, and the guider that was given never ran."""
    guidance = DiffusersGuidance(apg())
    apart = combined(apg(), 3)
    one, two = guidance.for_sampling(TIMESTEPS), guidance.for_sampling(TIMESTEPS)
    other = {**PREDS, COND: 5 * POSITIVE.flip(1)}
    for i in range(3):
        two(other, i / 4)
        assert torch.equal(one(PREDS, i / 4), apart[i])
    assert guidance.guider.momentum_buffer is None and guidance.guider.get_state()["step"] is None


def test_it_combines_nothing_before_it_is_started():
    for use in (lambda g: g.branches(0.0), lambda g: g(PREDS, 0.0)):
        with pytest.raises(ValueError, match="for_sampling"):
            use(DiffusersGuidance(apg()))


@pytest.mark.parametrize("guider", NONLINEAR, ids=lambda g: type(g).__name__)
@pytest.mark.parametrize("shape", [(3, 10, 58), (3, 4, 2, 6, 6)], ids=["motion", "video"])
def test_items_of_a_batch_do_not_meet(guider, shape):
    generator = torch.Generator().manual_seed(0)
    preds = {branch: torch.randn(shape, generator=generator) for branch in PREDS}
    together = combined(guider, 4, preds)
    for i in range(3):
        for all_of_them, alone in zip(together, combined(guider, 4, {b: p[i : i + 1] for b, p in preds.items()}), strict=True):
            assert torch.allclose(all_of_them[i : i + 1], alone, atol=1e-4)


def test_the_voice_has_its_own_term():
    """(3 − 1)·[ε(g,ℓ) − ε(g,ℓ, no audio)] in its regions, beside whatever the guider makes of the plan."""
    preds = {branch: pred.repeat(1, 20)[:, None, :58] for branch, pred in PREDS.items()}
    plain, everywhere, lower = (
        combined(apg(), 2, preds, audio_scale=scale, audio_regions=regions) for scale, regions in ((1, None), (3, None), (3, ["lower"]))
    )
    inside = region_masks()[REGIONS.index("lower")] > 0
    for before, after, kept in zip(plain, everywhere, lower, strict=True):
        assert torch.allclose(after - before, 2 * (preds[COND] - preds[COND_NO_AUDIO]), atol=1e-5)
        assert torch.equal(kept, torch.where(inside, after, before))
    for_sampling = DiffusersGuidance(apg(), audio_scale=3.0).for_sampling(TIMESTEPS)
    assert for_sampling.branches(0.0) == (UNCOND, COND, COND_NO_AUDIO)


def test_with_the_voice_it_is_still_ours():
    """The rows of paper.yaml: a constant progressive guidance, and diffusers' classifier-free one, with one voice."""
    preds = {branch: pred.repeat(1, 20)[:, None, :58] for branch, pred in PREDS.items()}
    ours = ProgressiveGuidance(1.5, 1.5, 3.0, emotion_floor=1.0, muscle_floor=1.0, audio_regions=["lower"])
    expected = ours({b: preds[b] for b in ours.branches(0.0)}, 0.0, region_masks())
    guider = diffusers.ClassifierFreeGuidance(guidance_scale=1.5)
    assert torch.allclose(combined(guider, 1, preds, audio_scale=3.0, audio_regions=["lower"])[0], expected, atol=1e-5)


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: diffusers.PerturbedAttentionGuidance(perturbed_guidance_layers=[0]), "pred_cond_skip"),
        (lambda: diffusers.SkipLayerGuidance(skip_layer_guidance_layers=[0]), "pred_cond_skip"),
        (lambda: diffusers.SmoothedEnergyGuidance(seg_guidance_layers=[0]), "pred_cond_seg"),
        (lambda: diffusers.AutoGuidance(auto_guidance_layers=[0], dropout=0.1), "layers it changes"),
        # made without its constructor, which wants kornia
        (lambda: FrequencyDecoupledGuidance.__new__(FrequencyDecoupledGuidance), "pictures"),
    ],
)
def test_guiders_of_more_than_two_predictions_are_refused(make, said):
    guider = make()
    with pytest.raises(ValueError, match=rf"{type(guider).__name__} wants .*{said}.*AdaptiveProjectedGuidance\.$"):
        DiffusersGuidance(guider)


def test_what_is_no_guider_is_refused():
    with pytest.raises(TypeError, match="not ClassifierFreeGuidance"):
        DiffusersGuidance(ClassifierFreeGuidance())
    with pytest.raises(ValueError, match="ears"):
        DiffusersGuidance(apg(), audio_regions=["ears"])


# -- in the sampling loop ------------------------------------------------------------------------------------------------

PLAN = MusclePlan(emotions={"happy": 1.0}, intensity=0.8, actions=(MuscleAction(unit=12, intensity=0.7, onset=0.4),))
ANGRY = MusclePlan(emotions={"angry": 1.0}, intensity=1.0, actions=(MuscleAction(unit=4, intensity=1.0),))


def voice(seconds: float, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(0, 0.1, int(seconds * 16000)).astype(np.float32)


def drawn(model, guidance, plan=PLAN, seconds: float = 3.0, **options) -> np.ndarray:
    return np.concatenate([piece.values for piece in model.generate(voice(seconds), plan, guidance=guidance, **options)])


def test_motion_of_several_windows_is_ours(model):
    theirs = drawn(model, DiffusersGuidance(diffusers.ClassifierFreeGuidance(guidance_scale=2.0)))
    assert np.allclose(theirs, drawn(model, ClassifierFreeGuidance(2.0)), atol=1e-5)
    assert not np.allclose(theirs, drawn(model, NoGuidance()), atol=1e-3)


@pytest.mark.parametrize("guider", NONLINEAR, ids=lambda g: type(g).__name__)
def test_same_seed_same_motion_also_after_another(model, guider):
    guidance = DiffusersGuidance(guider)
    first = drawn(model, guidance, seed=3)
    drawn(model, guidance, ANGRY, seconds=1.0, seed=4, num_inference_steps=5)
    assert np.isfinite(first).all() and np.array_equal(first, drawn(model, guidance, seed=3))
    assert np.array_equal(first, drawn(tiny_model(), DiffusersGuidance(guider), seed=3))


class Forgetless(diffusers.ClassifierFreeGuidance):
    """A guider of one's own that never starts afresh: each call weighs more than the one before."""

    calls = 0

    def forward(self, pred_cond, pred_uncond=None):
        self.calls += 1
        return super().forward(pred_cond * (1 + 0.1 * self.calls), pred_uncond)


def test_a_guider_that_never_forgets_forgets_with_its_window(model):
    guidance = DiffusersGuidance(Forgetless(guidance_scale=2.0))
    first = drawn(model, guidance, seed=3)
    assert np.array_equal(first, drawn(model, guidance, seed=3)) and guidance.guider.calls == 0


def test_a_window_does_not_feel_the_one_before(model):
    """The momentum of one is none of the next's, and there is momentum."""
    options = {"noise": torch.randn(1, 30, len(CHANNELS), generator=torch.Generator().manual_seed(1)), "num_inference_steps": 4}
    sound, plans, guidance = torch.from_numpy(voice(38 / 25)[None]), PlanTensors.collate([PLAN]), DiffusersGuidance(apg())
    before = model.sample_window(sound, plans, guidance=guidance, **options)
    assert torch.equal(model.sample_window(sound, plans, guidance=guidance, **options), before)
    still = DiffusersGuidance(apg(adaptive_projected_guidance_momentum=None))
    assert not torch.allclose(model.sample_window(sound, plans, guidance=still, **options), before, atol=1e-4)


def test_a_batch_draws_what_its_items_draw(model):
    sounds = torch.from_numpy(np.stack([voice(38 / 25, seed) for seed in range(2)]))
    noise = torch.randn(2, 30, len(CHANNELS), generator=torch.Generator().manual_seed(0))
    guidance = DiffusersGuidance(apg(), audio_scale=2.0, audio_regions=["lower"])
    both = model.sample_window(sounds, PlanTensors.collate([PLAN, ANGRY]), guidance=guidance, noise=noise)
    for i, plan in enumerate((PLAN, ANGRY)):
        alone = model.sample_window(sounds[i : i + 1], PlanTensors.collate([plan]), guidance=guidance, noise=noise[i : i + 1])
        assert torch.allclose(both[i : i + 1], alone, atol=1e-3)


@pytest.mark.parametrize("scheduler", [diffusers.HeunDiscreteScheduler, diffusers.DPMSolverMultistepScheduler])
def test_progress_counts_the_steps_that_are_taken(scheduler):
    """Heun's takes almost two for one; the last is τ = 1 all the same."""

    class Watched(DiffusersGuidance):
        def branches(self, progress):
            seen.append(progress)
            return super().branches(progress)

    seen: list[float] = []
    model = tiny_model(noise_scheduler=scheduler(beta_schedule="squaredcos_cap_v2", prediction_type="sample"))
    drawn(model, Watched(apg()), seconds=1.0)
    assert (seen[0], seen[-1]) == (0.0, 1.0) and seen == sorted(seen)


def test_the_other_guidances_do_not_import_diffusers():
    """It takes seconds, and `tbd generate` needs it for nothing but its schedulers."""
    code = "import sys, tbd.draw.guidance.base, tbd.draw.guidance.progressive; print('diffusers' in sys.modules)"
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=os.environ, check=True).stdout
    assert said.split() == ["False"]
