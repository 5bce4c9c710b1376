"""What `tbd think` does with its options: think or read, edit, mend, then show, print or draw."""

import json
import sys
from collections.abc import Sequence

from tbd.errors import InputError
from tbd.think.edit import edit
from tbd.think.plan import MusclePlan
from tbd.think.planner import Planner
from tbd.utils.atomic import atomic_output
from tbd.utils.user_components import attribute_errors_to, require_type


def think(
    text: str | None,
    planner: Planner,
    *,
    duration: float | None = None,
    source: str | None = None,
    assignments: Sequence[str] = (),
    repair: bool = False,
    check: bool = False,
    chart: str | None = None,
    as_json: bool = False,
) -> None:
    """Print a plan; what the planner doubts goes to standard error.

    Args:
        text: a sentence about a feeling, or None where `source` is given.
        planner: thinks the sentence, and reads the words that describe a region.
        duration: seconds that the plan should span.
        source: a plan file to read instead.
        assignments: edits, in order; see `tbd.think.edit.edit`.
        repair: mend what the check finds, and say what was changed.
        check: print the findings alone.
        chart: an SVG file to draw the face into.
        as_json: print the plan as JSON, and all else to standard error.

    Raises:
        InputError: neither a sentence nor a file, or both; or something in them cannot be used.
    """
    if (text is None) == (source is None):
        raise InputError("give a sentence about a feeling, or a plan with --from; one of the two.")
    plan = MusclePlan.load(source) if source is not None else _thought(planner, text, duration)
    for assignment in assignments:
        plan = edit(plan, assignment, planner)
    said: list[str] = []
    if repair:
        plan, changes = plan.repair()
        said += [f"repaired: {change}" for change in changes] or ["There is nothing to repair."]
    findings = plan.check()
    if check or as_json:
        said += [f"{finding.kind}: {finding.sentence}" for finding in findings]
    if check and not findings:
        said.append("The check finds nothing.")
    if chart is not None:
        from tbd.think.viz.chart import chart as draw

        with atomic_output(chart) as temporary:
            temporary.write_text(draw(plan), encoding="utf-8")
        said.append(f"The face chart is in {chart}.")
    for line in said:
        print(line, file=sys.stderr if as_json else sys.stdout)
    from tbd.think.viz.console import show, warn_of_notes

    warn_of_notes(plan)
    if as_json:
        print(plan.to_json())
    elif not check:
        show(plan, notes=False)


def _thought(planner: Planner, text: str | None, duration: float | None) -> MusclePlan:
    with attribute_errors_to(planner, "planner"):
        plan = planner.plan(text or "", duration=duration)
    require_type(plan, MusclePlan, planner, "planner")
    return plan


def print_schema() -> None:
    """Print the JSON schema of a plan."""
    print(json.dumps(MusclePlan.model_json_schema(), indent=2))
