"""A plan in sentences: which, in which order, and as the text model gives them."""

import torch

from tbd.draw.conditioning.captions import NEUTRAL
from tbd.draw.conditioning.plan_tensors import PlanTensors
from tbd.draw.conditioning.sentence_encoder import LENGTH, SentencePlanEncoder, sentences
from tbd.draw.video.hallo.words import words_of
from tbd.media.rates import FPS
from tbd.think.plan import MuscleAction, MusclePlan, Segment
from tests.draw.conditioning.tiny_text import WIDTH, text_model_folder

TIMES = torch.arange(25) / FPS
PLAN = MusclePlan(
    emotions={"happy": 1.0},
    intensity=0.8,
    actions=(MuscleAction(unit=1, intensity=0.5), MuscleAction(unit=12, intensity=0.5)),
    description="a happy face",
    regions={"upper": "the brows rise.", "lower": "the lip corners are drawn back."},
)
TURNING = MusclePlan(
    segments=(
        Segment(end=0.5, emotions={"sad": 1.0}, intensity=0.9, description="a sad face"),
        Segment(start=0.5, emotions={"happy": 1.0}, intensity=0.9, description="a happy face"),
    )
)


def encoder() -> SentencePlanEncoder:
    return SentencePlanEncoder(str(text_model_folder("clip")), WIDTH)


def test_sentences_name_the_feeling_then_the_muscles_by_region():
    muscles = "the brows rise. the lip corners are drawn back."
    assert sentences(PlanTensors.collate([PLAN]), 0) == ["a happy face", muscles, "", f"a happy face. {muscles}"]
    assert sentences(PlanTensors.collate([TURNING]), 0)[:2] == ["a sad face", "a happy face"]
    assert sentences(PlanTensors.collate([MusclePlan()]), 0)[1] == NEUTRAL


def test_hidden_states_are_the_text_models_padding_included():
    plan, one = encoder()(PlanTensors.collate([PLAN]), TIMES), encoder()
    model, tokenizer = one.reader.load()
    words = tokenizer(["a happy face"], padding="max_length", max_length=LENGTH, truncation=True, return_tensors="pt")
    expected = model(input_ids=words.input_ids, attention_mask=words.attention_mask).last_hidden_state
    assert plan.global_tokens.shape == (1, LENGTH, WIDTH) and torch.allclose(plan.global_tokens, expected, atol=1e-6)
    assert plan.local_tokens.shape == (1, 3 * LENGTH, WIDTH)


def test_a_row_has_the_words_that_it_is_given():
    plan, everyone = encoder()(PlanTensors.collate([PLAN]), TIMES), torch.ones(1)
    emotion, (muscles, empty, both) = plan.global_tokens, plan.local_tokens.unflatten(1, (3, LENGTH)).unbind(1)

    def given(keep_emotion: float, keep_muscles: float, portrait: float = 1.0) -> torch.Tensor:
        return words_of(plan.only(everyone * keep_emotion, everyone * keep_muscles), everyone * portrait).mean

    assert torch.allclose(given(1, 0), emotion, atol=1e-5) and torch.allclose(given(0, 1), muscles)
    assert torch.allclose(given(1, 1), both, atol=1e-5) and torch.allclose(given(0, 0), empty)
    assert torch.allclose(given(0, 0, portrait=0), emotion, atol=1e-5)  # what others in the batch are mixed with


def test_words_change_with_the_segments():
    plan = encoder()(PlanTensors.collate([TURNING]), TIMES)
    sad, happy = plan.global_tokens.unflatten(1, (2, LENGTH)).unbind(1)
    words = words_of(plan.only(torch.ones(1), torch.zeros(1)), torch.ones(1))
    assert words.frames is not None and torch.allclose(words.frames[:, 0], sad, atol=1e-4)
    assert torch.allclose(words.frames[:, -1], happy, atol=1e-4)
    assert words_of(encoder()(PlanTensors.collate([PLAN]), TIMES), torch.ones(1)).frames is None
