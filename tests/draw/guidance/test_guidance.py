"""The formula of DESIGN §5, with numbers small enough to check by hand."""

import diffusers
import pytest
import torch

from tbd.cli.options.drawing import SamplingOptions
from tbd.draw.guidance.base import COND, COND_NO_AUDIO, EMOTION, MUSCLES, NOTHING, SCALES, UNCOND, NoGuidance
from tbd.draw.guidance.classifier_free import ClassifierFreeGuidance
from tbd.draw.guidance.diffusers import DiffusersGuidance
from tbd.draw.guidance.ordered import OrderedGuidance
from tbd.draw.guidance.progressive import ProgressiveGuidance
from tbd.draw.guidance.text_progression import TextProgressionGuidance
from tbd.draw.motion.loading import load_motion_model
from tbd.draw.motion.sampler import region_masks
from tbd.errors import InputError
from tbd.think.action_units import REGIONS

PREDS = {UNCOND: torch.tensor([[1.0]]), EMOTION: torch.tensor([[3.0]]), COND: torch.tensor([[7.0]]), COND_NO_AUDIO: torch.tensor([[2.0]])}
PREDS |= {MUSCLES: torch.tensor([[4.0]]), NOTHING: torch.tensor([[0.5]])}
ALL = [
    OrderedGuidance("emotion", 1.5, 1.5, contrast=0.8),
    OrderedGuidance("muscles", 1.5, 2.0, audio_scale=3.0, contrast=0.8, audio_regions=["lower"]),
    OrderedGuidance("neither", 1.5, 1.2),
    NoGuidance(),
    ClassifierFreeGuidance(3.0),
    ClassifierFreeGuidance(3.5, over="everything"),
    ClassifierFreeGuidance(3.0, interval=(0.2, 0.4)),
    TextProgressionGuidance("emotion", "both", scale=3.5, schedule="linear", width=0.5),
    ProgressiveGuidance(1.5, 2.0, 1.5),
    ProgressiveGuidance(schedule="step"),
    ProgressiveGuidance(2.0, 0.5, schedule="linear", region_scales={"lower": 0.5}),
    ProgressiveGuidance(audio_scale=3.0, audio_regions=["lower"]),
    ProgressiveGuidance(2.0, 2.0, emotion_floor=1.0, muscle_floor=1.0, emotion_regions=["upper", "head"]),
    ProgressiveGuidance(1.5, 1.5, muscle_regions=["lower"], region_scales={"lower": 0.5}),
    ProgressiveGuidance(1.5, 1.5, 1.5, alone="muscles", emotion_regions=["upper", "head"], muscle_regions=["lower", "upper"]),
    DiffusersGuidance(diffusers.ClassifierFreeGuidance(guidance_scale=3.0), audio_scale=3.0, audio_regions=["lower"]),
]
TIMESTEPS = torch.arange(11).flip(0)


def combine(guidance, progress, preds=PREDS, masks=None):
    guidance = guidance.for_sampling(TIMESTEPS)
    return guidance({b: preds[b] for b in guidance.branches(progress)}, progress, masks)


def test_formula_by_hand():
    guidance = ProgressiveGuidance(emotion_scale=2.0, muscle_scale=3.0, audio_scale=1.5, emotion_floor=1.0, muscle_floor=1.0)
    # 1 + 2·(3−1) + 3·(7−3) + 0.5·(7−2)
    assert combine(guidance, 0.5).item() == pytest.approx(1 + 4 + 12 + 2.5)


def test_muscles_alone_by_hand():
    guidance = ProgressiveGuidance(2.0, 3.0, 1.5, emotion_floor=1.0, muscle_floor=1.0, alone="muscles")
    assert EMOTION not in guidance.branches(0.5)
    # 1 + 3·(4−1) + 2·(7−4) + 0.5·(7−2)
    assert combine(guidance, 0.5).item() == pytest.approx(1 + 9 + 6 + 2.5)


def test_classifier_free_by_hand():
    assert combine(ClassifierFreeGuidance(2.0), 0.0).item() == pytest.approx(1 + 2 * (7 - 1))


def test_guidance_on_an_interval_asks_for_one_branch_outside_of_it():
    guidance = ClassifierFreeGuidance(2.0, interval=(0.2, 0.4))
    assert [guidance.branches(progress) for progress in (0.1, 0.5)] == [(COND,)] * 2 and combine(guidance, 0.5).item() == 7
    assert guidance.branches(0.2) == guidance.branches(0.4) == (UNCOND, COND) and combine(guidance, 0.3).item() == 1 + 2 * (7 - 1)
    with pytest.raises(ValueError, match=r"interval goes from 0 to 1 .*, not from 0.5 to 0.2"):
        ClassifierFreeGuidance(interval=(0.5, 0.2))


@pytest.mark.parametrize("guidance", ALL)
@pytest.mark.parametrize("progress", [0.0, 0.3, 0.5, 1.0])
def test_weights_sum_to_one(guidance, progress):
    """Equal predictions pass unchanged; this is why ε, x₀ and v may all be guided."""
    same = {branch: torch.full((2, 5, 58), 0.7) for branch in PREDS}
    assert combine(guidance, progress, same, region_masks()) == pytest.approx(0.7)


@pytest.mark.parametrize("guidance", ALL)
def test_branches_without_weight_are_not_asked_for(guidance):
    """A branch that is left out has no influence, one that is asked for has."""
    masks = region_masks()
    for progress in (0.0, 0.5, 1.0):
        base = {branch: torch.full((1, 1, 58), float(i)) for i, branch in enumerate(PREDS)}
        before = combine(guidance, progress, base, masks)
        for branch in guidance.for_sampling(TIMESTEPS).branches(progress):
            assert not torch.equal(combine(guidance, progress, {**base, branch: base[branch] + 1}, masks), before)


@pytest.mark.parametrize("schedule", ["step", "linear", "cosine"])
def test_emotion_falls_and_muscles_rise(schedule):
    guidance = ProgressiveGuidance(switch=0.5, schedule=schedule, emotion_floor=0.2)
    weights = [guidance.weights(i / 20) for i in range(21)]
    emotions, muscles = [w[0] for w in weights], [w[1] for w in weights]
    assert emotions == sorted(emotions, reverse=True) and muscles == sorted(muscles)
    assert (emotions[0], emotions[-1], muscles[0], muscles[-1]) == pytest.approx((1.0, 0.2, 0.0, 1.0))


def test_knobs_are_separate():
    """Each scale multiplies its own term alone."""
    base = ProgressiveGuidance().weights(0.5)
    assert ProgressiveGuidance(emotion_scale=2.0).weights(0.5) == pytest.approx((2 * base[0], base[1], base[2]))
    assert ProgressiveGuidance(muscle_scale=2.0).weights(0.5) == pytest.approx((base[0], 2 * base[1], base[2]))
    assert ProgressiveGuidance(audio_scale=2.0).weights(0.5) == pytest.approx((base[0], base[1], 1.0))


@pytest.mark.parametrize("guidance", ALL)
def test_to_start_a_window_changes_nothing(guidance):
    """What is started combines as what was, however often: one that remembers nothing may be started by anyone or no one."""
    masks = region_masks()
    preds = {branch: torch.full((1, 1, 58), value.item()) for branch, value in PREDS.items()}
    once, again = guidance.for_sampling(TIMESTEPS), guidance.for_sampling(TIMESTEPS).for_sampling(TIMESTEPS)
    for progress in (0.0, 0.5, 1.0):
        assert once.branches(progress) == again.branches(progress)
        assert torch.equal(combine(once, progress, preds, masks), combine(again, progress, preds, masks))


def test_region_scale_moves_its_region_alone():
    masks = region_masks()
    preds = {branch: torch.full((1, 1, 58), value.item()) for branch, value in PREDS.items()}
    plain, lower = ProgressiveGuidance(muscle_floor=1.0), ProgressiveGuidance(muscle_floor=1.0, region_scales={"lower": 0.0})
    change = combine(plain, 0.0, preds, masks) - combine(lower, 0.0, preds, masks)
    assert torch.equal(change != 0, masks[REGIONS.index("lower")] > 0)


def test_a_voice_kept_to_its_regions_moves_them_alone():
    masks = region_masks()
    preds = {branch: torch.full((1, 1, 58), value.item()) for branch, value in PREDS.items()}
    told, everywhere, lower = (
        combine(ProgressiveGuidance(audio_scale=scale, audio_regions=regions), 1.0, preds, masks)
        for scale, regions in ((1.0, None), (2.0, None), (2.0, ["lower"]))
    )
    inside = masks[REGIONS.index("lower")] > 0
    assert torch.equal(lower, torch.where(inside, everywhere, told))
    assert not torch.equal(everywhere, told)


@pytest.mark.parametrize("condition", ["emotion", "muscle"])
def test_a_condition_kept_to_its_regions_is_as_trained_elsewhere(condition):
    masks = region_masks()
    preds = {branch: torch.full((1, 1, 58), value.item()) for branch, value in PREDS.items()}
    for progress in (0.0, 0.3, 1.0):
        told, everywhere, upper = (
            combine(
                ProgressiveGuidance(**{f"{condition}_scale": scale, f"{condition}_floor": floor, f"{condition}_regions": regions}),
                progress,
                preds,
                masks,
            )
            for scale, floor, regions in ((1.0, 1.0, None), (2.0, 0.7, None), (2.0, 0.7, ["upper"]))
        )
        inside = masks[REGIONS.index("upper")] > 0
        assert torch.allclose(upper, torch.where(inside, everywhere, told))
        assert not torch.allclose(everywhere, told)


def test_outside_of_all_regions_a_condition_that_is_kept_to_some_is_as_trained():
    """A picture's background is in no region."""
    masks, preds = torch.zeros(5, 1, 1), {branch: value.double() for branch, value in PREDS.items()}
    everywhere, upper = (
        combine(ProgressiveGuidance(2.0, 2.0, 2.0, emotion_regions=r, muscle_regions=r, audio_regions=r), 1.0, preds, masks)
        for r in (None, ["upper"])
    )
    assert upper.item() == pytest.approx(7.0) and everywhere.item() != pytest.approx(7.0)


@pytest.mark.parametrize("condition", ["emotion", "muscle", "audio"])
def test_regions_bound_exaggeration_alone(condition):
    """Whoever turns a knob to 0 wants nothing of it, anywhere."""
    masks = region_masks()
    preds = {branch: torch.full((1, 1, 58), value.item()) for branch, value in PREDS.items()}
    everywhere, upper = (
        combine(ProgressiveGuidance(**{f"{condition}_scale": 0.0, f"{condition}_regions": regions}), 1.0, preds, masks)
        for regions in (None, ["upper"])
    )
    assert torch.equal(everywhere, upper)


@pytest.mark.parametrize(
    ("scale", "regions"), [("emotion", {"upper", "eyes", "middle", "head"}), ("muscle", {"upper", "middle", "lower"}), ("audio", {"lower"})]
)
def test_a_packaged_scale_that_is_raised_moves_its_regions_alone(scale, regions):
    """Why the scales are separate: benchmarks/results/control.md."""
    masks, own = region_masks(), load_motion_model().guidance
    raised = own.scaled(**{f"{scale}_scale": 1.5 * getattr(own, f"{scale}_scale")})
    preds = {branch: torch.full((1, 1, 58), value.item()) for branch, value in PREDS.items()}
    for progress in (0.0, 0.3, 1.0):
        moved = combine(raised, progress, preds, masks) != combine(own, progress, preds, masks)
        assert {region for region, mask in zip(REGIONS, masks) if (moved & (mask > 0)).any()} == regions


def test_every_channel_has_one_region():
    assert torch.equal(region_masks().sum(0), torch.ones(1, 1, 58))


@pytest.mark.parametrize(
    "options",
    [
        {"schedule": "wavy"},
        {"switch": 1.5},
        {"region_scales": {"ears": 1.0}},
        {"emotion_regions": ["ears"]},
        {"muscle_regions": ["ears"]},
        {"audio_regions": ["ears"]},
        {"alone": "ears"},
    ],
)
def test_bad_options_are_refused(options):
    with pytest.raises(ValueError, match=r"wavy|1\.5|ears"):
        ProgressiveGuidance(**options)


@pytest.mark.parametrize("scale", [0.5, 1.0, 2.0])
def test_weights_that_never_change_are_classifier_free(scale):
    """benchmarks/ablations/paper.yaml compares the two so, with the voice's own scale in both."""
    constant = ProgressiveGuidance(scale, scale, emotion_floor=1.0, muscle_floor=1.0)
    for progress in (0.0, 0.3, 1.0):
        assert combine(constant, progress).item() == pytest.approx(combine(ClassifierFreeGuidance(scale), progress).item())
        assert set(constant.branches(progress)) == {UNCOND, COND} - ({UNCOND} if scale == 1 else set())


@pytest.mark.parametrize("guidance", ALL)
def test_scales_are_set_by_name_and_those_that_it_lacks_are_refused(guidance):
    """`--audio-scale` works with every guidance that has one, and its copy alone has the new value."""
    before = guidance.scales()
    for name in SCALES:
        if name in before:
            assert guidance.scaled(**{name: 4.0}).scales() == {**before, name: 4.0}
            assert combine(guidance.scaled(**{name: 4.0}), 1.0, masks=torch.ones(5, 1, 1)) != combine(
                guidance, 1.0, masks=torch.ones(5, 1, 1)
            )
        else:
            with pytest.raises(ValueError, match=f"{type(guidance).__name__} has no {name}"):
                guidance.scaled(**{name: 4.0})
    assert guidance.scales() == before


def test_options_of_the_command_line_reach_another_guidance_than_the_packaged():
    own = DiffusersGuidance(diffusers.ClassifierFreeGuidance(guidance_scale=3.0))
    assert SamplingOptions(audio_scale=2.5).guidance(own).audio_scale == 2.5 and own.audio_scale == 1.0
    with pytest.raises(InputError, match="DiffusersGuidance, which has no --emotion-scale;"):
        SamplingOptions(emotion_scale=2.0, audio_scale=2.5).guidance(own)
