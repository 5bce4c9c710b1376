"""From vectors to a mix with doubt."""

import numpy as np
import pytest

from tbd.think.emotions import EMOTIONS
from tbd.think.situations.classifier import SCALES, SENTENCE_LIMIT, WEIGHTS, SituationClassifier, split_sentences, squash
from tests.think.situations.fakes import KeywordEncoder, weights


def outputs(*logits: float) -> np.ndarray:
    return np.array([*logits, *[0.0] * (len(EMOTIONS) - len(logits)), *[0.0] * SCALES])


def test_probabilities_sum_to_one_and_a_temperature_blunts_them():
    sharp, blunt = (squash(outputs(3)[None, None], temperature)[0] for temperature in (1.0, 2.0))
    assert sharp[:-SCALES].sum() == pytest.approx(1) and blunt[:-SCALES].sum() == pytest.approx(1)
    assert sharp[0] > blunt[0] > 1 / len(EMOTIONS)


def test_members_are_averaged_as_probabilities():
    both = squash(np.stack([outputs(50), outputs(0, 50)])[:, None], 1.0)[0]
    assert both[:2] == pytest.approx([0.5, 0.5], abs=1e-6)


def test_scales_stay_in_their_range():
    row = squash(np.array([[[*[0.0] * len(EMOTIONS), 100, -100, 100, -100]]]), 1.0)[0]
    assert row[-SCALES:] == pytest.approx([1, -1, 1, 0])


def test_sentences_of_every_script_are_split_and_bounded():
    assert split_sentences("Er ging.  Sie blieb!\n你好。再见。क्यों। नहीं") == ["Er ging.", "Sie blieb!", "你好。", "再见。", "क्यों।", "नहीं"]
    assert len(split_sentences("Na so was. " * 10_000)) == SENTENCE_LIMIT
    assert max(map(len, split_sentences("x" * 50_000))) <= 400


def test_a_long_text_is_read_by_sentences_and_factual_ones_hardly_count(tmp_path):
    encoder = KeywordEncoder({"died": "sad", "table": "neutral"})
    classifier = SituationClassifier(encoder, weights(tmp_path / "w.safetensors", sharpness=8))
    long = "The table is green. " * 9 + "The dog died."
    situation = classifier.read(long)
    assert situation.leading == "sad" and situation.sentences == 10 and len(encoder.seen) == 10
    assert classifier.read("The table is green. The dog died.").sentences == 1


def test_a_text_without_letters_is_no_situation(tmp_path):
    classifier = SituationClassifier(KeywordEncoder({}), weights(tmp_path / "w.safetensors"))
    assert classifier.read("12 : 30 !") is None and classifier.classify([]) == []


def test_what_is_shipped_is_small_and_whole():
    classifier = SituationClassifier(KeywordEncoder({}))
    assert WEIGHTS.stat().st_size <= 1_000_000
    assert len(classifier._members) >= 2 and all(m.weight.shape == (len(EMOTIONS) + SCALES, 384) for m in classifier._members)
    assert 0.5 <= float(classifier._tensors["temperature"][0]) <= 1.5
