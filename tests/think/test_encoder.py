"""The contract of plan encoders, and that tensors perform a plan as `facs` does."""

import numpy as np
import pytest
import torch

from tbd.face.motion import FPS
from tbd.think.encoder import UNITS, MuscleTokenEncoder, PlanTensors
from tbd.think.plan import MuscleAction, MusclePlan, Segment

TIMED = MuscleAction(unit=12, side="left", intensity=0.6, onset=0.5, apex=0.9, offset=1.5)
PLANS = [
    MusclePlan(),
    MusclePlan(emotions={"happy": 0.5, "sad": 0.5}, intensity=0.8, actions=(MuscleAction(unit=1, intensity=0.4), TIMED)),
    MusclePlan(
        segments=(Segment(end=1.0, emotions={"neutral": 1.0}, intensity=0.0), Segment(start=1.0, emotions={"angry": 1.0}, intensity=0.9))
    ),
]
TIMES = torch.arange(75) / FPS
ENCODERS = [MuscleTokenEncoder(16)]


def test_presence_is_the_envelope():
    """Torch and numpy agree on when a muscle moves and how far."""
    presence = PlanTensors.collate(PLANS).action_presence(TIMES)
    assert np.allclose(presence[1, 1], TIMED.envelope(TIMES.numpy()), atol=1e-5)
    assert np.allclose(presence[1, 0], 0.4, atol=1e-5) and presence[0].max() == 0


def test_segments_follow_each_other():
    presence = PlanTensors.collate(PLANS).segment_presence(TIMES)[2]
    assert presence[0, :25].min() == 1 and presence[0, 40:].max() == 0 and presence[1, :24].max() == 0 and presence[1, 40:].min() == 1


def test_shifted_plans_are_seen_later():
    plans = PlanTensors.collate(PLANS)
    assert torch.allclose(
        plans.shifted(torch.full((3,), 0.4)).action_presence(TIMES)[:, :, :-10], plans.action_presence(TIMES)[:, :, 10:], atol=1e-4
    )


def test_neutral_keeps_the_muscles():
    plans = PlanTensors.collate(PLANS)
    assert torch.equal(plans.neutral().unit, plans.unit)
    assert torch.equal(plans.neutral().emotion[0], plans.emotion[0]) and not torch.equal(plans.neutral().emotion[1], plans.emotion[1])


@pytest.mark.parametrize("encoder", ENCODERS, ids=lambda e: type(e).__name__)
class TestContract:
    """What every `PlanEncoder` keeps to."""

    def test_shapes(self, encoder):
        embeds = encoder(PlanTensors.collate(PLANS), TIMES)
        for tokens, presence in ((embeds.global_tokens, embeds.global_presence), (embeds.local_tokens, embeds.local_presence)):
            assert tokens.shape[::2] == (3, encoder.dim) and presence.shape == (3, tokens.shape[1], 75)

    def test_a_plan_is_encoded_by_itself(self, encoder):
        together, alone = encoder(PlanTensors.collate(PLANS), TIMES), encoder(PlanTensors.collate(PLANS[:1]), TIMES)
        for kind in ("global", "local"):
            a = torch.einsum("nt,nd->td", getattr(together, f"{kind}_presence")[0], getattr(together, f"{kind}_tokens")[0])
            b = torch.einsum("nt,nd->td", getattr(alone, f"{kind}_presence")[0], getattr(alone, f"{kind}_tokens")[0])
            assert torch.allclose(a, b, atol=1e-5)

    def test_withheld_groups_are_gone(self, encoder):
        embeds = encoder(PlanTensors.collate(PLANS), TIMES).only(torch.tensor([0.0, 1, 1]), torch.tensor([1.0, 0, 1]))
        assert embeds.global_presence[0].max() == 0 and embeds.local_presence[1].max() == 0 and embeds.local_presence[2].max() > 0

    def test_what_differs_is_told_apart(self, encoder):
        def said(plan: MusclePlan) -> torch.Tensor:
            e = encoder(PlanTensors.collate([plan]), TIMES)
            return torch.cat(
                [
                    torch.einsum("nt,nd->td", e.global_presence[0], e.global_tokens[0]),
                    torch.einsum("nt,nd->td", e.local_presence[0], e.local_tokens[0]),
                ]
            )

        base = MusclePlan(emotions={"sad": 1.0}, intensity=0.5, actions=(MuscleAction(unit=2, intensity=0.5),))
        others = [
            base.model_copy(update={"emotions": {"fear": 1.0}}),
            base.model_copy(update={"intensity": 0.9}),
            *(base.model_copy(update={"actions": (a,)}) for a in (
                MuscleAction(unit=2, side="left", intensity=0.5), MuscleAction(unit=2, intensity=0.8), MuscleAction(unit=1, intensity=0.5),
                MuscleAction(unit=2, intensity=0.5, onset=1.0),
            )),
        ]  # fmt: skip
        assert all(not torch.allclose(said(base), said(other), atol=1e-3) for other in others)


def test_every_unit_has_its_own_token():
    weights = MuscleTokenEncoder(16).unit.weight
    assert len(weights) == (len(UNITS) + 1) * 3
