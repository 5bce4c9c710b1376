"""What a text encoder reads of a plan: a caption for each feeling of its timeline and for each region at work."""

from tbd.think.action_units import ACTION_UNITS, REGIONS, Region
from tbd.think.emotions import EMOTION_SPECS
from tbd.think.plan import MusclePlan, Segment
from tbd.think.verbalize import degree, describe_actions, listed

NEUTRAL = "a neutral face"
"""The one caption of a feeling that is neutral."""


def caption_feeling(segment: Segment) -> str:
    """The segment's description; words for its emotions where it has none.

    A neutral feeling is always said in the same words, whatever describes it: ε(∅) may be a neutral face, which training must
    have read in the very words that drawing uses, and a stronger emotion must leave neutral plans alone.

    Example:
        >>> caption_feeling(Segment(emotions={"happy": 0.6, "sad": 0.4}, intensity=0.7))
        'a clearly happy and sad face'
    """
    mix = sorted((e for e, weight in segment.emotions.items() if weight > 0 and e != "neutral"), key=lambda e: -segment.emotions[e])
    if not mix:
        return NEUTRAL
    if segment.description.strip():
        return segment.description.strip()
    named = [e for e in mix if segment.emotions[e] >= 0.15] or mix[:1]
    felt = f"{degree(segment.intensity)} {listed([EMOTION_SPECS[e].adjective for e in named[:3]])}"
    return f"{'an' if felt[0] in 'aeiou' else 'a'} {felt} face"


def caption_regions(plan: MusclePlan) -> dict[Region, str]:
    """The description of each region that has a muscle at work; words for its actions where the plan gives none.

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
