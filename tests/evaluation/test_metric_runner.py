"""Metrics under a protocol: what they measured of each clip, who measures for a group, and what could not be measured."""

import numpy as np
import pytest
import torch

from tbd.ablation.measuring import MotionInputs, Truth
from tbd.errors import InputError
from tbd.evaluation.clip_inputs import ClipInputs
from tbd.evaluation.metric_runner import MetricRunner
from tbd.evaluation.protocol import MetricEntry
from tbd.evaluation.references.base import ReferenceClip
from tbd.metrics import CallableEmotionClassifier, EmotionAccuracy
from tbd.metrics.base import ClipMean, ClipMetric, Unmeasurable
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


def runner(kind: type[ClipMetric]) -> MetricRunner:
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


FAILURES = [
    InputError("its points are no face"),
    ValueError("array must not contain infs"),
    RuntimeError("CUDA out of memory. Tried to allocate 20 GiB\nand a page of advice"),
    ConnectionError("the hub cannot be reached"),
    AssertionError(),
]


class Failing(Extent):
    """Fails on a motion that stands still; its sums are as they were."""

    error = FAILURES[0]

    def measure(self, motion: np.ndarray) -> dict[str, float]:
        if not motion.any():
            raise type(self).error
        return {"value": motion.max(), "least": motion.min()}


class FailingSum(ClipMetric):
    """Fails in the middle of an update, when it has added to half of its states."""

    reads = ("preds.motion",)
    unit = ""
    error = FAILURES[0]

    def __init__(self) -> None:
        super().__init__()
        self.add_state("total", torch.zeros(2, dtype=torch.float64), "sum")
        self.add_state("rows", [], "cat")

    def update(self, motion: np.ndarray) -> None:
        self.total[0] += float(motion.max())
        self.rows.append(torch.tensor([float(motion.max())]))
        if not motion.any():
            raise type(self).error
        self.total[1] += 1

    def compute(self) -> torch.Tensor:
        return self.total[0] / self.total[1]


@pytest.mark.parametrize("kind", [Failing, FailingSum])
@pytest.mark.parametrize("error", FAILURES, ids=lambda error: type(error).__name__)
def test_a_metric_that_fails_on_one_clip_names_it_and_goes_on(clips, kind, error, monkeypatch):
    monkeypatch.setattr(kind, "error", error)
    made, issues = runner(kind), []
    for clip, strength in zip(clips, (1, 0, 1)):
        given = inputs(clip, strength)
        given.add_issue = lambda kind, detail, clip=clip: issues.append((clip.id, kind, detail))
        made.update(given, {})
    ((clip, issue, detail),) = issues
    assert (clip, issue) == (clips[1].id, "metric") and detail.startswith(f"{kind.__name__.lower()}: ") and "\n" not in detail
    assert (str(error) if isinstance(error, InputError) else type(error).__name__) in detail
    expected = np.mean([clips[i].motion().values.max() for i in (0, 2)])
    assert made.clips == 2 and made.value().number == pytest.approx(expected, abs=1e-6)
    assert kind is Failing or len(made.metric.rows) == 2


def test_a_metric_that_fails_at_the_end_is_absent(clips, monkeypatch):
    def fail(self):
        raise np.linalg.LinAlgError("Singular matrix")

    monkeypatch.setattr(FailingSum, "compute", fail)
    made = runner(FailingSum)
    for clip in clips:
        made.update(inputs(clip), {})
    assert made.value().absent == "It failed with LinAlgError: Singular matrix." and made.value().clips == 3


class Given:
    """A clip whose inputs are given."""

    def __init__(self, clip: ReferenceClip, *values) -> None:
        self.clip, self.values, self.issues = clip, list(values), []

    def inputs(self, reads, entry) -> list:
        return self.values

    def add_issue(self, kind: str, detail: str) -> None:
        self.issues.append((kind, detail))


def test_clips_that_a_metric_leaves_out_are_no_clips_of_it(clips):
    """A classifier without contempt: its accuracy is over the other clips, and says so."""
    made = runner(Extent)
    classifier = CallableEmotionClassifier(lambda faces: faces.float().mean((2, 3))[:, :2], ["happy", "sad"])
    made.metric = EmotionAccuracy(classifier, with_ceiling=False)
    red = torch.zeros(1, 3, 224, 224, dtype=torch.uint8)
    red[:, 0] = 255
    given = [Given(clips[0], red, EMOTIONS.index("happy")), Given(clips[1], red, EMOTIONS.index("contempt")),
             Given(clips[2], red[:0], EMOTIONS.index("sad"))]  # fmt: skip
    for one in given:
        made.update(one, {})
    assert [len(one.issues) for one in given] == [0, 1, 1] and made.value().clips == 1 and made.value().number == 1
    assert "no class for contempt" in given[1].issues[0][1] and "No face was seen" in given[2].issues[0][1]
    assert (int(made.metric.left_out), int(made.metric.unmeasured)) == (1, 1)


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
