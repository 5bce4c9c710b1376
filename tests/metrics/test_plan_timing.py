"""Plan following: late, weak, ignored and unasked movements, in motions that are known and in pixels that are tracked."""

import numpy as np
import pytest
import skimage.data
import torch

from tbd.errors import InputError
from tbd.face.channels import INDEX
from tbd.face.motion import Motion
from tbd.face.portrait import crop_portrait
from tbd.face.render.renderer import MeshWarpRenderer
from tbd.face.tracker import FaceMeshTracker
from tbd.face.tracking.session import TrackingSession
from tbd.metrics import PlannedUnitF1, PlannedUnitTiming, Unmeasurable
from tbd.metrics.plan_timing import planned_events
from tbd.think.facs import perform
from tbd.think.plan import MuscleAction, MusclePlan

FRAMES = 75
PLAN = MusclePlan(
    actions=(
        MuscleAction(unit=1, intensity=0.8, onset=0.8, apex=1.2, offset=2.0),
        MuscleAction(unit=2, intensity=0.8, onset=0.8, apex=1.2, offset=2.0),
        MuscleAction(unit=12, intensity=0.7, onset=1.2, apex=1.6, offset=2.6),
    )
)


@pytest.fixture(scope="module")
def plan() -> np.ndarray:
    return perform(PLAN, FRAMES)


def means(motion: np.ndarray, plan: np.ndarray) -> dict[str, float]:
    return PlannedUnitTiming().measure(motion, plan)


def test_what_a_plan_asks_for(plan):
    events = planned_events(plan)
    assert {event.unit for event in events} >= {1, 2, 12} and all(event.rises and event.falls for event in events)
    held = perform(MusclePlan(actions=(MuscleAction(unit=4, intensity=0.8),)), FRAMES)
    assert all(event.rises != event.falls or event.start > 0 for event in planned_events(held))


@pytest.mark.parametrize("late", [-8, -3, 0, 4, 10])
def test_the_delay_is_found_whatever_the_strength_and_the_rest(plan, late):
    rng = np.random.default_rng(0)
    shown = np.clip(0.6 * np.roll(plan, late, 0) + 0.08 + 0.01 * rng.standard_normal(plan.shape), 0, 1)
    found = means(shown, plan)
    assert (
        found["followed"] == 1
        and found["delay"] == pytest.approx(late / 25, abs=0.05)
        and found["error"] == pytest.approx(abs(late) / 25, abs=0.05)
    )


def test_movements_that_are_not_shown_cost_the_whole_tolerance(plan):
    still = np.full_like(plan, 0.3)
    assert means(still, plan) == {"error": 0.5, "delay": 0.0, "followed": 0.0}
    assert means(np.roll(plan, 30, 0), plan)["followed"] < 1, "more than half a second late"
    half = plan.copy()
    half[:, [i for name, i in INDEX.items() if name.startswith("brow")]] = 0
    found = means(half, plan)
    assert 0 < found["followed"] < 1 and 0 < found["error"] < 0.5


def test_a_plan_without_a_beginning_or_an_end_says_nothing():
    with pytest.raises(Unmeasurable, match="no action unit begin or end"):
        means(np.zeros((FRAMES, 58)), np.zeros((FRAMES, 58)))
    metric = PlannedUnitTiming()
    metric.update(np.zeros((FRAMES, 58)), np.full((FRAMES, 58), 0.5))
    assert int(metric.unmeasured) == 1


def test_f1_sees_absent_late_and_unasked_muscles(plan):
    def f1(motion):
        metric = PlannedUnitF1()
        metric.update(motion, plan)
        return float(metric.compute())

    unasked = plan.copy()
    unasked[:, INDEX["browDownLeft"]] = unasked[:, INDEX["browDownRight"]] = 0.8
    assert f1(plan) == 1 > f1(np.roll(plan, 3, 0)) > f1(np.roll(plan, 20, 0)) > f1(0 * plan) == 0
    assert f1(unasked) < 1


def test_options_that_cannot_be_meant_are_refused():
    with pytest.raises(InputError, match="AU99 is no action unit"):
        PlannedUnitTiming([1, 99])
    with pytest.raises(InputError, match="tolerance is 0; from"):
        PlannedUnitTiming(tolerance=0)


def test_both_are_found_in_tracked_pixels(plan):
    """A drawn face does what the plan says; the same portrait without a plan does not."""
    face = crop_portrait(FaceMeshTracker().locate(skimage.data.astronaut()), 256)

    def tracked(values: np.ndarray) -> np.ndarray:
        with TrackingSession(FaceMeshTracker(absolute=False), "the clip") as session:
            for frame in MeshWarpRenderer().render(face, Motion(values)):
                session.add(frame)
            return session.motion().values

    shown, still = tracked(plan), tracked(np.zeros_like(plan))
    found, without = means(shown, plan), means(still, plan)
    assert found["followed"] > 0.6 and abs(found["delay"]) < 0.12 and found["error"] < 0.3, "a tracker sees less than was drawn"
    assert without["followed"] == 0 and without["error"] == 0.5
    scores = []
    for motion in (shown, still):
        metric = PlannedUnitF1(threshold=0.1)
        metric.update(torch.from_numpy(motion), plan)
        scores.append(float(metric.compute()))
    assert scores[0] > scores[1] + 0.3
