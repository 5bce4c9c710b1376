"""Metrics under a protocol: what they measured of each clip, who measures for a group, and what could not be measured."""

import numpy as np
import pytest

from tbd.ablation.measuring import MotionInputs, Truth
from tbd.errors import InputError
from tbd.evaluation.clip_inputs import ClipInputs
from tbd.evaluation.metric_runner import MetricRunner
from tbd.evaluation.protocol import MetricEntry
from tbd.evaluation.references.base import ReferenceClip
from tbd.metrics.base import ClipMean, Unmeasurable
from tbd.think.emotions import EMOTIONS
from tests.evaluation.fakes import FakeReference


class Extent(ClipMean):
    """The greatest value of a motion; a motion of zeros cannot be measured. Counts its calls."""

    reads = ("preds.motion",)
    names = ("value", "least")
    unit = ""
    higher_is_better = True
    calls = 0

    def measure(self, motion: np.ndarray) -> dict[str, float]:
        type(self).calls += 1
        if not motion.any():
            raise Unmeasurable("nothing moves")
        return {"value": motion.max(), "least": motion.min()}


class GroupedExtent(Extent):
    group = ("extent",)


class LeastExtent(GroupedExtent):
    reported = "least"


@pytest.fixture
def clips() -> list[ReferenceClip]:
    return list(FakeReference(count=3).clips())


def runner(kind: type[ClipMean]) -> MetricRunner:
    kind.calls = 0
    entry = {"name": kind.__name__.lower(), "metric": {"class_path": f"{__name__}.{kind.__name__}"}, "label": "x"}
    return MetricRunner.of(MetricEntry.model_validate(entry))


def inputs(clip: ReferenceClip, strength: float = 1.0) -> MotionInputs:
    motion = clip.motion()
    motion.values[:] *= strength
    return MotionInputs(Truth(clip), motion)


def test_the_clips_numbers_are_kept_and_the_metric_is_as_it_was(clips):
    made = runner(Extent)
    before = dict(vars(made.metric))
    for clip in clips:
        made.update(inputs(clip), {})
    assert set(vars(made.metric)) == set(before) and made.clips == 3 and Extent.calls == 3
    values = {clip.id: float(clip.motion().values.max()) for clip in clips}
    assert {clip: numbers["value"] for clip, numbers in made.clip_values.items()} == values
    result = made.value()
    assert result.number == pytest.approx(np.mean(list(values.values())), abs=1e-6) and result.error > 0


def test_what_cannot_be_measured_is_counted_and_named(clips):
    made, issues = runner(Extent), []
    for clip, strength in zip(clips, (1, 0, 1)):
        given = inputs(clip, strength)
        given.add_issue = lambda kind, detail: issues.append((kind, detail))
        made.update(given, {})
    assert issues == [("metric", "extent: nothing moves")] and made.refused == "nothing moves"
    assert made.clips == 2 and int(made.metric.unmeasured) == 1 and set(made.clip_values) == {clips[0].id, clips[2].id}


def test_one_metric_of_a_group_measures_for_all(clips):
    first, second = runner(GroupedExtent), runner(LeastExtent)
    for clip in clips:
        shared = {}
        first.update(inputs(clip), shared)
        second.update(inputs(clip), shared)
    assert (GroupedExtent.calls, LeastExtent.calls) == (3, 0)
    assert first.value().number > 0 > second.value().number and first.clip_values == second.clip_values


def test_states_of_two_runners_add_up(clips):
    whole, first, second = runner(Extent), runner(Extent), runner(Extent)
    for clip in clips:
        whole.update(inputs(clip), {})
    first.update(inputs(clips[0]), {})
    for clip in clips[1:]:
        second.update(inputs(clip), {})
    first.add(second.state())
    assert first.value() == whole.value() and first.clip_values == whole.clip_values


def test_an_ablations_clips_are_clip_inputs(clips):
    given: ClipInputs = inputs(clips[0])
    entry = MetricEntry.model_validate({"name": "x", "metric": {"class_path": "x"}, "label": "x"})
    emotion, intensity = given.inputs(("target.emotion", "target.intensity"), entry)
    assert EMOTIONS[emotion] == "happy" and intensity == pytest.approx(1 / 3)
    with pytest.raises(Unmeasurable, match="times of b, p and m"):
        given.inputs(("target.bilabials",), entry)


def test_states_that_are_lists_add_up():
    """A classifier that is trained on all clips keeps a row for each, whatever process saw it."""
    entry = {"name": "emotion", "metric": {"class_path": "tbd.metrics.MotionEmotionAccuracy"}, "label": "x"}
    whole, first, second = (MetricRunner.of(MetricEntry.model_validate(entry)) for _ in range(3))
    rng = np.random.default_rng(0)
    for i in range(10):
        recorded = rng.normal(i % 2, 0.1, (30, 58))
        for made in (whole, first if i < 5 else second):
            made.metric.update(recorded if i else 1 - recorded, recorded, i % 2)
            made.clips += 1
    first.add(second.state())
    assert first.value().number == whole.value().number == 0.9 and first.value().values["ceiling"] == 1.0


def test_a_metric_that_lacks_an_argument_is_refused():
    entry = {"name": "identity", "metric": {"class_path": "tbd.metrics.IdentitySimilarity"}, "label": "x"}
    with pytest.raises(InputError, match="required: embedder"):
        MetricRunner.of(MetricEntry.model_validate(entry))
