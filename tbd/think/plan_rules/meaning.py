"""What is named is felt, and what moves has words."""

import math
from typing import Any

from tbd.think.action_units import REGIONS
from tbd.think.emotions import EMOTION_SPECS
from tbd.think.plan import MusclePlan, Segment
from tbd.think.plan_rules.finding import Finding, active_span, region_of
from tbd.think.verbalize import describe_actions, listed


def mend_feelings(plan: MusclePlan) -> tuple[MusclePlan, list[Finding]]:
    """Let what is named be felt."""
    found: list[Finding] = []
    segments: list[Segment] = []
    for i, segment in enumerate(plan.segments):
        end = math.inf if segment.end is None else segment.end
        at_work = [a for a in plan.actions if active_span(a)[0] < end and active_span(a)[1] > segment.start]
        segments.append(segment.model_copy(update=_feel(segment, f"segments[{i}].", at_work, 0.0, found)))
    strongest = max((s.intensity for s in segments), default=0.0)
    updates = _feel(plan, "", plan.actions, strongest, found)
    return (plan.model_copy(update=updates | {"segments": tuple(segments)}) if found else plan), found


def _feel(part: MusclePlan | Segment, place: str, actions, strongest: float, found: list[Finding]) -> dict[str, Any]:
    """What is to be changed where an emotion is named at intensity 0, or parts are felt of a whole that is not."""
    named = [EMOTION_SPECS[e].noun for e, weight in part.emotions.items() if weight > 0 and e != "neutral"]
    if part.intensity > 0 or not (named or strongest):
        return {}
    level = strongest or max((a.intensity for a in actions), default=0.0)
    muscles = f", though muscles act at up to {level:.2f}" if actions else ""
    what = f"names {listed(named)}" if named else "has segments that are felt"
    remedy = f"{place}intensity is set to {level:.2f}." if level else f"{place}emotions is set to neutral, as nothing shows."
    found.append(
        Finding("intensity", f"{place.rstrip('.') or 'The plan'} {what} at intensity 0{muscles}.", (f"{place}intensity",), remedy=remedy)
    )
    return {"intensity": level} if level else {"emotions": {"neutral": 1.0}}


def mend_descriptions(plan: MusclePlan) -> tuple[MusclePlan, list[Finding]]:
    """Give words to every region that moves, which text encoders read."""
    found, regions = [], dict(plan.regions)
    for region in REGIONS:
        units = sorted({a.unit for a in plan.actions if region_of(a) == region})
        if units and not plan.regions.get(region, "").strip():
            regions[region] = describe_actions(plan.actions, region)
            names = listed([f"AU{unit}" for unit in units])
            sentence = f"The {region} region moves ({names}), but nothing describes it."
            found.append(Finding("regions", sentence, (region,), remedy=f"The {region} region is described from its muscles."))
    return (plan.model_copy(update={"regions": regions}) if found else plan), found
