"""How a classifier's answers are read and counted."""

import json
import sys

import pytest

from benchmarks import expression
from benchmarks.expression import CLASSES, Sample
from tbd.errors import InputError, TBDError
from tbd.think.emotions import EMOTION_SPECS


def test_data_sets_words_are_understood():
    assert [expression.class_name(word) for word in ("Anger", "disgust", "Fearful", "happiness", " sad ", "Surprise", "neutral")] == [
        "angry", "disgusted", "fear", "happy", "sad", "surprised", "neutral",
    ]  # fmt: skip


def test_answers_of_one_classifier_and_of_several():
    one = json.dumps({"image": "/x/a.png", "probabilities": {"Anger": 0.2, "happiness": 0.7, "contempt": 0.9}})
    many = json.dumps({"image": "b.png", "probabilities": {"first": {"sad": 1.0}, "second": None}})
    answers = expression.parse_answers(iter([one, "", many]))
    assert answers == {"a.png": {"classifier": "happy"}, "b.png": {"first": "sad", "second": None}}


@pytest.mark.parametrize("line", ["not json", "{}", '{"image": "a.png", "probabilities": 3}', '["a.png"]'])
def test_a_line_that_is_no_answer_is_quoted(line):
    with pytest.raises(TBDError, match="not as --help describes"):
        expression.parse_answers(iter([line]))


def test_accuracy_weighs_classes_equally_and_no_face_is_wrong():
    samples = [Sample("a", "neutral", 1.0, "still")] + [Sample("b", "angry", i, "still") for i in (0.5, 0.75, 1.0)]
    result = expression.score(samples, ["neutral", None, "sad", "angry"])
    assert result["accuracy"] == pytest.approx((1 + 1 / 3) / 2)
    assert result["by_portrait"] == pytest.approx({"a": 1, "b": 1 / 3})
    assert result["by_intensity"] == pytest.approx({"1.0": 1, "0.5": 0, "0.75": 0})
    assert result["confusion"]["angry"] == dict.fromkeys(CLASSES, 0) | {"no face": 1, "sad": 1, "angry": 1}


def test_a_plan_is_the_prototype_at_the_asked_strength():
    plan = expression.prototype_plan("fear", 0.5)
    assert {action.unit: action.intensity for action in plan.actions} == pytest.approx(
        {u: i / 2 for u, _, i in EMOTION_SPECS["fear"].prototypes[0]}
    )
    assert expression.prototype_plan("neutral", 1.0).actions == ()


class _Echo:
    """A "renderer" whose frames are the asked blendshapes."""

    def render(self, face, motion):
        yield from motion.blendshapes


@pytest.mark.parametrize("kind", ["still", "planned"])
def test_each_emotion_is_shown_ever_more_strongly(kind):
    shown = list(expression.SHOWS[kind](_Echo(), "name", None))
    assert {sample.emotion for sample, _ in shown} == set(CLASSES)
    for emotion in CLASSES:
        strength = [frame.sum() for sample, frame in shown if sample.emotion == emotion]
        if emotion == "neutral":
            assert strength == [0]
        else:
            assert 0 < strength[0] < strength[1] < strength[2]


def test_a_program_is_asked_about_the_folder(tmp_path):
    program = tmp_path / "judge.py"
    program.write_text(
        "import json, pathlib, sys\n"
        "for path in pathlib.Path(sys.argv[1]).glob('*.png'):\n"
        "    print(json.dumps({'image': str(path), 'probabilities': {'happy': 1}}))\n"
    )
    (tmp_path / "x.png").touch()
    assert expression.classify(f"{sys.executable} {program}", tmp_path) == {"x.png": {"classifier": "happy"}}
    with pytest.raises(TBDError, match="failed"):
        expression.classify(f"{sys.executable} {tmp_path / 'missing.py'}", tmp_path)
    with pytest.raises(InputError, match="cannot be run"):
        expression.classify(str(tmp_path / "no-such-program"), tmp_path)


def test_without_a_classifier_it_says_how_to_plug_one():
    with pytest.raises(InputError, match="--classifier"):
        expression.expression()
