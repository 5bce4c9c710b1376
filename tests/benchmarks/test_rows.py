"""The board's own rows: what they ask for exists, and the test clips are chosen as they say."""

from collections import Counter

import pytest
from jsonargparse import ArgumentParser

from benchmarks.procedural_test import choose
from benchmarks.rows import ROWS, TRUTH
from tbd.data.synthetic.corpus import plan_corpus
from tbd.data.synthetic.speech import Voice
from tbd.evaluation.predictors import Predictor


@pytest.mark.parametrize("name", [name for name in ROWS if name != TRUTH])
def test_every_row_names_a_predictor_and_arguments_that_it_takes(name):
    parser = ArgumentParser(exit_on_error=False)
    parser.add_subclass_arguments(Predictor, "predictor", required=True)
    assert parser.parse_object({"predictor": ROWS[name][1]}).predictor.class_path.startswith("tbd.evaluation.predictors.")
    assert ROWS[TRUTH][1] is None, "which the board codes itself"


def test_every_emotion_has_three_test_clips_of_all_levels():
    voices = [Voice("flite", name, "en") for name in ("slt", "rms", "kal")]
    chosen = choose(plan_corpus(voices, 8000, 71))
    assert len({clip.name for clip in chosen}) == 24 and {clip.actor.split for clip in chosen} == {"test"}
    assert set(Counter(clip.emotion for clip in chosen).values()) == {3}
    assert {clip.level for clip in chosen if clip.emotion == "sad"} == {1, 2, 3}
    assert max(Counter(clip.actor.name for clip in chosen).values()) <= 4
