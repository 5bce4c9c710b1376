"""The contract of plan encoders, and that tensors perform a plan as `facs` does."""

import pickle

import numpy as np
import pytest
import torch

from tbd.draw.conditioning.captions import NEUTRAL
from tbd.draw.conditioning.plan_encoder import LabelEncoder, MuscleTokenEncoder
from tbd.draw.conditioning.plan_tensors import UNITS, PlanTensors
from tbd.errors import InputError
from tbd.media.rates import FPS
from tbd.think.emotions import EMOTIONS
from tbd.think.plan import MuscleAction, MusclePlan, Segment
from tbd.utils.user_warnings import TBDWarning
from tests.draw.conditioning.tiny_text import tiny_text_encoder

TIMED = MuscleAction(unit=12, side="left", intensity=0.6, onset=0.5, apex=0.9, offset=1.5)
PLANS = [
    MusclePlan(),
    MusclePlan(emotions={"happy": 0.5, "sad": 0.5}, intensity=0.8, actions=(MuscleAction(unit=1, intensity=0.4), TIMED)),
    MusclePlan(
        segments=(Segment(end=1.0, emotions={"neutral": 1.0}, intensity=0.0), Segment(start=1.0, emotions={"angry": 1.0}, intensity=0.9))
    ),
]
TIMES = torch.arange(75) / FPS
ENCODERS = {
    "muscle_token": MuscleTokenEncoder(16),
    "label": LabelEncoder(16),
    "clip": tiny_text_encoder("clip"),
    "t5": tiny_text_encoder("t5"),
    "t5-trained": tiny_text_encoder("t5", trained=True),
}
BLIND = {"label": ("intensity", "muscles")}
"""What an encoder must not tell apart; the others must."""


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


def test_neutral_is_said_in_words_too():
    plans = PlanTensors.collate(PLANS)
    assert [plans.texts[i] for i in plans.segment_text[:, 0]] == [NEUTRAL, "a very happy and sad face", NEUTRAL]
    assert not plans.neutral().segment_text.any() and torch.equal(plans.neutral().region_text, plans.region_text)


def test_a_regions_presence_is_its_strongest_actions():
    presence = PlanTensors.collate(PLANS).region_presence(TIMES)[1]  # brow and, for a while, a lip corner
    assert torch.allclose(presence[0], torch.tensor(0.4)) and np.allclose(presence[3], TIMED.envelope(TIMES.numpy()), atol=1e-5)
    assert presence[[1, 2, 4]].max() == 0


def test_texts_follow_their_rows_and_leave_with_them():
    """Rows picked from a corpus share its texts; what is pickled for another process holds its own alone."""
    corpus = PlanTensors.collate([*PLANS, *(MusclePlan(actions=(MuscleAction(unit=u, intensity=0.5),)) for u in UNITS[:5])])
    row = corpus[torch.tensor([4])]
    assert row.texts is corpus.texts
    sent = pickle.loads(pickle.dumps(row))
    assert sent.texts == (NEUTRAL, "The outer ends of the brows arch upwards, markedly.")
    assert [sent.texts[i] for i in sent.region_text[0]] == [row.texts[i] for i in row.region_text[0]]
    assert torch.equal(sent.unit, row.unit)


@pytest.mark.parametrize("name", ENCODERS)
class TestContract:
    """What every `PlanEncoder` keeps to."""

    def test_shapes(self, name):
        encoder = ENCODERS[name]
        embeds = encoder(PlanTensors.collate(PLANS), TIMES)
        for tokens, presence in ((embeds.global_tokens, embeds.global_presence), (embeds.local_tokens, embeds.local_presence)):
            assert tokens.shape[::2] == (3, encoder.dim) and presence.shape == (3, tokens.shape[1], 75)

    def test_a_plan_is_encoded_by_itself(self, name):
        encoder = ENCODERS[name].eval()
        together, alone = encoder(PlanTensors.collate(PLANS), TIMES), encoder(PlanTensors.collate(PLANS[:1]), TIMES)
        for kind in ("global", "local"):
            a = torch.einsum("nt,nd->td", getattr(together, f"{kind}_presence")[0], getattr(together, f"{kind}_tokens")[0])
            b = torch.einsum("nt,nd->td", getattr(alone, f"{kind}_presence")[0], getattr(alone, f"{kind}_tokens")[0])
            assert torch.allclose(a, b, atol=1e-5)

    def test_withheld_groups_are_gone(self, name):
        encoder = ENCODERS[name]
        embeds = encoder(PlanTensors.collate(PLANS), TIMES).only(torch.tensor([0.0, 1, 1]), torch.tensor([1.0, 0, 1]))
        assert embeds.global_presence[0].max() == 0 and embeds.local_presence[1].max() == 0 and embeds.local_presence[2].max() > 0

    def test_what_differs_is_told_apart(self, name):
        encoder = ENCODERS[name].eval()

        def said(plan: MusclePlan) -> torch.Tensor:
            e = encoder(PlanTensors.collate([plan]), TIMES)
            return torch.cat(
                [
                    torch.einsum("nt,nd->td", e.global_presence[0], e.global_tokens[0]),
                    torch.einsum("nt,nd->td", e.local_presence[0], e.local_tokens[0]),
                ]
            )

        base = MusclePlan(emotions={"sad": 1.0}, intensity=0.5, actions=(MuscleAction(unit=2, intensity=0.5),))
        others = {
            "emotion": [{"emotions": {"fear": 1.0}}],
            "intensity": [{"intensity": 0.9}, {"intensity": 0.51}],
            "muscles": [{"actions": (a,)} for a in (
                MuscleAction(unit=2, side="left", intensity=0.5), MuscleAction(unit=2, intensity=0.8), MuscleAction(unit=1, intensity=0.5),
                MuscleAction(unit=2, intensity=0.5, onset=1.0),
            )],
        }  # fmt: skip
        for what, changes in others.items():
            for change in changes:
                same = torch.allclose(said(base), said(base.model_copy(update=change)), atol=1e-3)
                assert same == (what in BLIND.get(name, ())), change


def test_every_unit_has_its_own_token():
    weights = MuscleTokenEncoder(16).unit.weight
    assert len(weights) == (len(UNITS) + 1) * 3


def test_weights_that_know_fewer_units_and_emotions_fit():
    """Those that were trained stay as they are; of an unknown unit the region alone is seen, and an emotion needs its blend."""
    encoder = MuscleTokenEncoder(4)
    old = {**encoder.state_dict(), "unit.weight": torch.randn(3 * len(UNITS), 4)}
    with pytest.warns(TBDWarning, match=rf"before AU{UNITS[-1]} was added"):
        fitted = encoder.adapt_state(old)
    encoder.load_state_dict(fitted)
    assert torch.equal(encoder.unit.weight[:-3], old["unit.weight"]) and not encoder.unit.weight[-3:].any()
    with pytest.raises(InputError, match="before surprised was added"):
        encoder.adapt_state({**encoder.state_dict(), "emotion.weight": torch.randn(4, 7)})


def test_a_label_is_the_strongest_emotion_at_any_intensity():
    """Neutral's weight carries no intensity and must not win by that."""
    mixes = [({"neutral": 0.4, "happy": 0.6}, 0.3), ({"neutral": 0.5, "sad": 0.3, "fear": 0.2}, 1.0), ({"sad": 0.4, "fear": 0.6}, 0.2)]
    plans = [MusclePlan(emotions=emotions, intensity=intensity) for emotions, intensity in mixes]
    encoder = LabelEncoder(16)
    tokens = encoder(PlanTensors.collate(plans), TIMES).global_tokens[:, 0]
    assert torch.equal(tokens, encoder.emotion.weight[[EMOTIONS.index(name) for name in ("happy", "neutral", "fear")]])
