"""Is this a plan that a face can carry out while it speaks? Findings, and how to mend them.

One list of rules does both: a rule (`tbd.think.plan_rules`) takes a plan and gives it back mended, with a finding for everything that it
mended. `check` keeps the findings and `repair` the plan, so the two cannot disagree.
"""

from collections.abc import Callable

from tbd.think.plan import MusclePlan
from tbd.think.plan_rules.bounds import mend_bounds
from tbd.think.plan_rules.finding import Finding, region_of
from tbd.think.plan_rules.meaning import mend_descriptions, mend_feelings
from tbd.think.plan_rules.muscles import mend_antagonists, mend_speech, mend_traces
from tbd.think.plan_rules.timeline import mend_late_actions, mend_timeline
from tbd.think.verbalize import describe_actions, is_drawn_from_muscles


def check(plan: MusclePlan) -> tuple[Finding, ...]:
    """What is wrong with a plan, in the order in which `repair` mends it.

    A plan that names no feeling may move muscles at intensity 0: an order ("AU4 at 0.7") means nothing by itself.

    Args:
        plan: Any plan, also one whose values `model_copy` or `model_construct` kept from validation.

    Returns:
        The findings; none for a sound plan.

    Example:
        >>> smile = {"unit": 12, "intensity": 0.6}
        >>> plan = MusclePlan.model_validate({"actions": [smile, {"unit": 15, "intensity": 0.3}], "regions": {"lower": "a smile"}})
        >>> [finding.sentence for finding in check(plan)]
        ['AU12 (Lip Corner Puller) and AU15 (Lip Corner Depressor) pull against each other throughout.']
    """
    return tuple(_mend(plan)[1])


def repair(plan: MusclePlan) -> tuple[MusclePlan, tuple[str, ...]]:
    """Mend every finding as gently as can be.

    The weaker antagonist lets go, on the side and for the time that the stronger needs; units that speech needs are
    lowered to what it leaves; gaps in the timeline are closed. Descriptions that quote what the muscles do follow them,
    anyone's own words stay.

    Args:
        plan: Any plan, also one whose values `model_copy` or `model_construct` kept from validation.

    Returns:
        A plan without findings, which repairing again leaves as it is, and one sentence for each change. A sound plan
        comes back as it was.

    Example:
        >>> plan = MusclePlan.model_validate({"actions": [{"unit": 24, "intensity": 1}]})
        >>> mended, changes = repair(plan)
        >>> mended.actions[0].intensity, mended.regions
        (0.5, {'lower': 'The lips are pressed together, markedly.'})
        >>> changes[0]
        'AU24 is lowered from 1.00 to 0.50.'
    """
    mended, findings = _mend(plan)
    return follow(mended, plan) if findings else plan, tuple(finding.remedy for finding in findings if finding.remedy)


def follow(plan: MusclePlan, before: MusclePlan) -> MusclePlan:
    """Let the descriptions of regions follow muscles that have changed.

    Args:
        plan: The plan as it is now.
        before: The plan before its muscles changed.

    Returns:
        The plan; descriptions that quoted the muscles of `before` quote its own, a user's own words stay.
    """
    regions = dict(plan.regions)
    for region, words in plan.regions.items():
        now, then = ([a for a in p.actions if region_of(a) == region] for p in (plan, before))
        if now != then and words == before.regions.get(region) and is_drawn_from_muscles(words, region):
            regions[region] = describe_actions(now, region)
    return plan.model_copy(update={"regions": regions})


def _mend(plan: MusclePlan) -> tuple[MusclePlan, list[Finding]]:
    findings: list[Finding] = []
    for rule in _RULES:
        plan, found = rule(plan)
        findings += found
    return plan, findings


_RULES: tuple[Callable[[MusclePlan], tuple[MusclePlan, list[Finding]]], ...] = (
    mend_bounds, mend_timeline, mend_late_actions, mend_traces, mend_antagonists, mend_speech, mend_feelings, mend_descriptions,
)  # fmt: skip
"""In this order, so that none undoes what one before it mended."""
