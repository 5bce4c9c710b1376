"""The page on which plans are looked at: what it chooses, sums up and draws."""

import re
from dataclasses import replace

import numpy as np

from tbd.data.measured_plans import MeasuredPlan
from tbd.data.preprocess.plan_report import _chosen, leading_emotion, summarize
from tbd.data.preprocess.plan_timeline import moments_of, timeline
from tbd.data.records import ClipRecord
from tbd.face.motion import Motion
from tbd.think.coding.visibility import Unseen
from tbd.think.facs import perform
from tbd.think.plan import MuscleAction, MusclePlan

PLAN = MusclePlan(
    emotions={"happy": 0.7, "neutral": 0.3},
    actions=(
        MuscleAction(unit=12, intensity=0.8, onset=1.0, apex=1.5, offset=2.0),
        MuscleAction(unit=1, side="left", intensity=0.4, onset=4.0),
    ),
)


def measured(clip: str = "a", **values) -> MeasuredPlan:
    return MeasuredPlan(clip=clip, recipe="r", **{"plan": PLAN, **values})


def test_moments_are_where_the_units_show():
    moments = moments_of(PLAN, perform(PLAN, 150))
    assert [[a.unit for a in m.actions] for m in moments] == [[12], [1]]
    assert 1.4 <= moments[0].seconds <= 2.05 and moments[1].seconds >= 4.3
    many = MusclePlan(actions=tuple(MuscleAction(unit=12, intensity=0.5, onset=k, apex=k + 0.2, offset=k + 0.4) for k in range(20)))
    assert len(moments_of(many, perform(many, 600), most=9)) == 9


def test_the_timeline_shows_units_frames_speech_and_what_is_not_seen():
    hidden = (
        Unseen(part="face", start=0.0, end=1.0, reason="no face is found"),
        Unseen(part="face", start=2.9, end=3.1, reason="the picture cuts"),
    )
    motion = Motion(perform(PLAN, 150))
    svg = timeline(measured(unseen=hidden, speech=((1.0, 2.0),)), motion, moments_of(PLAN, motion.values))
    assert "AU12 lip corner puller" in svg and "AU1 left inner brow raiser" in svg
    assert (
        svg.count("<circle") == 2 and svg.count('class="speech"') == 1 and svg.count('class="cut"') == 1 and svg.count("url(#hatch)") == 1
    )
    assert "no face is found" in svg
    heights = [min(float(y) for _, y in re.findall(r"([\d.]+),([\d.]+)", points)) for points in re.findall('polygon points="([^"]+)"', svg)]
    bases = [float(y) for y in re.findall(r'class="base"[^>]* y1="([\d.]+)"', svg)]
    assert bases[1] - heights[1] > 1.8 * (bases[0] - heights[0])  # 0.8 against 0.4
    assert "no unit is at work" in timeline(measured(plan=MusclePlan()), motion, [])


def test_the_line_is_relative_to_the_person_at_rest():
    motion = Motion(np.full((10, 58), 0.5, np.float32))
    relative = measured(rest={"browInnerUp": 0.5}).relative(motion).values
    assert relative[:, 2].max() == 0 and relative[:, 0].min() == 0.5 and np.abs(relative[:, 52:]).max() == 0


def test_clips_with_something_to_say_come_first():
    hidden = (Unseen(part="eyes", start=0, end=1, reason="x"),)
    plans = [measured(f"c{i:02}", unseen=hidden if i == 17 else ()) for i in range(40)]
    chosen = [p.clip for p in _chosen(plans, 4)]
    assert len(chosen) == 4 and "c17" in chosen and chosen == sorted(chosen)
    assert len(_chosen(plans, 99)) == 40


def test_figures():
    record = ClipRecord("a", "mead", "M003", "a", emotion="happy", seconds=4.0)
    records = {"a": record, "b": replace(record, clip="b", emotion="sad"), "c": replace(record, clip="c")}
    plans = [measured("a", explained=0.9), measured("b", explained=0.5), measured("c", plan=None, reason="too short")]
    figures = summarize(plans, records)
    assert figures["leading emotion is the clip's label"] == "1 of 2" and figures["without a plan"] == "too short: 1 clip"
    assert figures["upper face explained by the plan, r"].startswith("median 0.70; 50%") and figures["actions a second"] == "0.50"
    assert leading_emotion(PLAN) == "happy"
