"""`Finding`: what a rule finds, and the words and times that findings share."""

import math
from dataclasses import dataclass
from typing import Literal, TypedDict

from tbd.think.action_units import ACTION_UNITS, Side
from tbd.think.plan import MuscleAction, MusclePlan

Kind = Literal["bounds", "timeline", "intensity", "antagonists", "speech", "regions"]

SHORTEST = 0.2
"""Seconds of action that are worth keeping: less is over before a muscle is seen to move."""
EPSILON = 1e-6
"""Seconds that count as no time at all."""


@dataclass(frozen=True)
class Finding:
    """Something that a face cannot do, or that contradicts itself.

    Args:
        kind: "bounds" (a value that validation would refuse), "timeline" (gaps; muscles beyond its end), "intensity"
            (odd though in range), "antagonists", "speech" (a mouth that could not talk) or "regions" (not described).
        sentence: What is found.
        where: What it is about: units (``"AU12"``), regions (``"lower"``) or fields (``"segments[1]"``).
        start: Seconds from which it holds.
        end: Seconds until which; None for "until the end".
        remedy: What `repair` does about it, in one sentence; empty where another finding's remedy settles it as well.
    """

    kind: Kind
    sentence: str
    where: tuple[str, ...]
    start: float = 0.0
    end: float | None = None
    remedy: str = ""


def region_of(action: MuscleAction) -> str:
    """Find the region of an action's unit; empty for a unit that does not exist."""
    return ACTION_UNITS[action.unit].region if action.unit in ACTION_UNITS else ""


def unit_name(unit: int, side: Side = "both") -> str:
    """Name a unit for a finding's sentence.

    Args:
        unit: Its number.
        side: Where it acts; both sides are not said.

    Returns:
        Such as "AU12 (Lip Corner Puller, left)".
    """
    return f"AU{unit} ({ACTION_UNITS[unit].name}{'' if side == 'both' else f', {side}'})"


def time_span(start: float, end: float) -> str:
    """Say when something is so.

    Args:
        start: Seconds from which; infinite times are open ends.
        end: Seconds until which.

    Returns:
        Such as "from 1.0 s on".
    """
    if math.isinf(end):
        return "throughout" if start <= 0 else f"from {start:.1f} s on"
    return f"until {end:.1f} s" if start <= 0 else f"from {start:.1f} s to {end:.1f} s"


class Times(TypedDict):
    """`start` and `end` of a finding."""

    start: float
    end: float | None


def finding_times(start: float, end: float) -> Times:
    """Make the times of a finding.

    Args:
        start: Seconds from which it holds; infinite times are open ends.
        end: Seconds until which.

    Returns:
        Its arguments `start` and `end`.
    """
    return {"start": max(0.0, start), "end": None if math.isinf(end) else end}


def active_span(action: MuscleAction) -> tuple[float, float]:
    """Find from when until when a muscle pulls. Its release, in which the next takes over, does not count."""
    return -math.inf if action.onset is None else action.onset, math.inf if action.offset is None else action.offset


def timeline_end(plan: MusclePlan) -> float:
    """Find the seconds at which the timeline ends; infinite where it is open."""
    return math.inf if not plan.segments or plan.segments[-1].end is None else plan.segments[-1].end
