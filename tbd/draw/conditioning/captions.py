"""Captions of a plan for text encoders: one for each segment of its timeline and for each region with an action."""

from tbd.think.action_units import ACTION_UNITS, REGIONS, Region
from tbd.think.emotions import EMOTION_SPECS
from tbd.think.plan import MusclePlan, Segment
from tbd.think.verbalize import degree, describe_actions, listed

NEUTRAL = "a neutral face"
"""The one caption of a neutral segment."""


def caption_segment(segment: Segment) -> str:
    """Caption a segment: its description, or words for its emotions where it has none.

    A neutral segment has always the same caption, whatever its description: ε(∅) may be a neutral face, which training must
    have read in the very words that drawing uses, and a stronger emotion must leave neutral plans alone.

    Args:
        segment: A segment of a plan's timeline.

    Returns:
        The caption.

    Example:
        >>> caption_segment(Segment(emotions={"happy": 0.6, "sad": 0.4}, intensity=0.7))
        'a clearly happy and sad face'
    """
    mix = sorted((e for e, weight in segment.emotions.items() if weight > 0 and e != "neutral"), key=lambda e: -segment.emotions[e])
    if not mix:
        return NEUTRAL
    if segment.description.strip():
        return segment.description.strip()
    named = [e for e in mix if segment.emotions[e] >= 0.15] or mix[:1]
    words = f"{degree(segment.intensity)} {listed([EMOTION_SPECS[e].adjective for e in named[:3]])}"
    return f"{'an' if words[0] in 'aeiou' else 'a'} {words} face"


def caption_regions(plan: MusclePlan) -> dict[Region, str]:
    """Caption each region that has an action: its description, or words for its actions where the plan gives none.

    Args:
        plan: The plan.

    Returns:
        Region → caption.

    Example:
        >>> from tbd.think.plan import MuscleAction
        >>> caption_regions(MusclePlan(actions=(MuscleAction(unit=12, side="left", intensity=0.5),)))
        {'lower': 'The lip corners are drawn back and up on the left, markedly.'}
    """
    captions = {}
    for region in REGIONS:
        actions = [a for a in plan.actions if ACTION_UNITS[a.unit].region == region]
        if actions:
            captions[region] = plan.regions.get(region, "").strip() or describe_actions(actions, region)
    return captions
