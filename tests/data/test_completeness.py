"""Plans with parts withheld: for one plan and for a batch, the same."""

import numpy as np
import pytest
import torch

from tbd.data.completeness import TYPICAL_INTENSITY, PlanCompleteness, part_numbers, withhold, withhold_tensors
from tbd.data.synthetic.plans import sample_plan
from tbd.draw.conditioning.plan_encoder import MuscleTokenEncoder
from tbd.draw.conditioning.plan_tensors import PlanTensors
from tbd.errors import InputError
from tbd.think.action_units import ACTION_UNITS, EITHER
from tbd.think.emotions import EMOTIONS
from tbd.think.plan import MuscleAction, MusclePlan

PLANS = [sample_plan(EMOTIONS[i % len(EMOTIONS)], 1 + i % 3, 6.0, np.random.default_rng(i)) for i in range(60)]
TIMES = torch.arange(0, 6, 0.2)


def presence(plans: PlanTensors) -> torch.Tensor:
    """(B, 41, T) how strongly each unit acts, whatever the order and padding of the actions."""
    own = torch.nn.functional.one_hot(plans.unit, len(ACTION_UNITS) + 1).float()[..., 1:]
    return torch.einsum("bnt,bnu->but", plans.action_presence(TIMES), own)


@pytest.mark.parametrize("completeness", [0.0, 0.3, 0.8, 1.0])
def test_a_batch_is_withheld_as_plans_are(completeness):
    numbers = torch.arange(len(PLANS)) * 7 + 3
    whole = PlanTensors.collate(PLANS)
    batch = withhold_tensors(whole, torch.full((len(PLANS),), completeness), part_numbers(numbers, whole.unit.shape[1], seed=4))
    alone = PlanTensors.collate([withhold(plan, completeness, int(n), seed=4) for plan, n in zip(PLANS, numbers)])
    assert torch.allclose(presence(batch), presence(alone), atol=1e-4)
    for name in ("side", "region"):
        a, b = (sorted((getattr(x, name) * (x.unit > 0)).flatten().tolist()) for x in (batch, alone))
        assert [v for v in a if v] == [v for v in b if v]


def test_shares_that_are_withheld():
    """Half of the units; of those that stay, half of the times, intensities and sides, where there are any to withhold."""
    given = [withhold(plan, 0.5, i) for i, plan in enumerate(PLANS * 20)]
    pairs = []
    for plan, part in zip(PLANS * 20, given):
        assert (part.emotions, part.segments, part.intensity) == (plan.emotions, plan.segments, plan.intensity)
        known = {a.unit: a for a in plan.actions if sum(b.unit == a.unit for b in plan.actions) == 1}
        pairs += [(known[a.unit], a) for a in part.actions if a.unit in known]
    share = sum(len(plan.actions) for plan in given) / sum(len(plan.actions) for plan in PLANS * 20)
    assert share == pytest.approx(0.5, abs=0.05)
    assert np.mean([a.intensity != b.intensity for a, b in pairs]) == pytest.approx(0.5, abs=0.05)
    assert np.mean([b.onset is None for a, b in pairs if a.onset is not None]) == pytest.approx(0.5, abs=0.08)
    assert np.mean([b.side == "both" for a, b in pairs if a.side != "both" and ACTION_UNITS[a.unit].sides == EITHER]) == pytest.approx(
        0.5, abs=0.1
    )
    assert all(b.side == a.side for a, b in pairs if ACTION_UNITS[a.unit].sides != EITHER)
    assert {b.intensity for a, b in pairs if b.intensity != a.intensity} == {TYPICAL_INTENSITY}


def test_less_completeness_withholds_the_same_and_more():
    for i, plan in enumerate(PLANS):
        units = [{(a.unit, a.side) for a in withhold(plan, c, i).actions} for c in (0.0, 0.25, 0.5, 0.75, 1.0)]
        assert [len(u) for u in units] == sorted(len(u) for u in units)
        assert units[0] == set() and withhold(plan, 1.0, i) == plan


def test_captions_do_not_tell_what_is_withheld():
    actions = (MuscleAction(unit=4, intensity=0.9, onset=1.0), MuscleAction(unit=12, intensity=0.9, onset=1.0))
    plan = MusclePlan(actions=actions, regions={"upper": "the brows frown hard", "lower": "a grin"})
    for number in range(40):
        part = withhold(plan, 0.6, number)
        same = {ACTION_UNITS[a.unit].region for a in part.actions if a in actions}
        assert set(part.regions) == same
        tensors = withhold_tensors(PlanTensors.collate([plan]), torch.tensor([0.6]), part_numbers(torch.tensor([number]), 2, 0))
        told = {tensors.texts[i] for i in tensors.region_text[0].tolist() if i}
        assert told == {plan.regions[region] for region in same}


def test_training_withholds_by_number_and_seed_alone():
    batch = PlanTensors.collate(PLANS)
    numbers = torch.arange(len(PLANS))
    a, again = (PlanCompleteness().apply(batch, numbers, seed=1) for _ in range(2))
    b = PlanCompleteness().apply(batch, numbers, seed=2)
    part = PlanCompleteness().apply(batch[torch.arange(10, 20)], numbers[10:20], seed=1)
    assert torch.equal(a.unit, again.unit) and not torch.equal(a.unit, b.unit)
    assert torch.equal(a.unit[10:20], part.unit) and torch.equal(a.onset[10:20], part.onset)
    assert torch.equal(PlanCompleteness(1.0, 1.0).apply(batch, numbers, 0).unit, batch.unit)
    embeds = MuscleTokenEncoder(16)(PlanCompleteness(0.0, 0.0).apply(batch, numbers, 0), TIMES)
    assert embeds.local_presence[:, 1:].max() == 0 and embeds.local_presence[:, 0].min() == 1  # given, and empty


def test_what_is_no_share_is_refused():
    with pytest.raises(InputError, match=r"from 0 to 1, not 1\.5"):
        withhold(PLANS[0], 1.5, 0)
    with pytest.raises(InputError, match="least to most"):
        PlanCompleteness(0.8, 0.2)
