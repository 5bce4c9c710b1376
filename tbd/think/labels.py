"""`plan_from_label`: what an emotion label and its level mean in muscles, the same in training and evaluation."""

import functools

from tbd.think.plan import MusclePlan
from tbd.think.planner import KnowledgePlanner

_DEGREES = {1: "slightly ", 2: "", 3: "very "}
"""MEAD's level → the word that the planner knows for it; “very” is 0.76 to 0.79, less than `tbd.think.emotions.LEVELS` spans there."""


def plan_from_label(emotion: str, level: int | None = None) -> MusclePlan:
    """Plan the muscles of a labelled clip, as the knowledge planner reads the label's word and the level's degree.

    Args:
        emotion: One of `tbd.think.emotions.EMOTIONS`.
        level: MEAD's 1, 2 or 3; 2 where the data set has none. Neutral has one level alone.

    Returns:
        The plan, which lasts as long as the clip.

    Example:
        >>> plan = plan_from_label("happy", 1)
        >>> plan.text, plan.intensity, [(a.unit, a.intensity) for a in plan.actions]
        ('slightly happy', 0.293, [(6, 0.38), (12, 0.44)])
    """
    return _plan("" if emotion == "neutral" else _DEGREES[level or 2], emotion)


@functools.cache
def _plan(degree: str, emotion: str) -> MusclePlan:
    return KnowledgePlanner().plan(f"{degree}{emotion}")
