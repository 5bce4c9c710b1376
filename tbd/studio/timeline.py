"""A plan's actions as rows of a timeline that can be edited, muted and undone."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from tbd.errors import InputError
from tbd.studio.limits import MAX_ACTIONS, MAX_UNDO
from tbd.think.action_units import ACTION_UNITS, MIRRORED
from tbd.think.plan import RELEASE, RISE, MuscleAction, MusclePlan
from tbd.think.plan_checks import follow
from tbd.think.viz.chart import REGION_COLORS


@dataclass(frozen=True)
class Row:
    """An action of the timeline.

    Args:
        action: What the muscle does.
        muted: Whether the plan goes without it for now.
    """

    action: MuscleAction
    muted: bool = False


@dataclass(frozen=True)
class Timeline:
    """A plan with its rows, the muted ones among them.

    Args:
        plan: The plan as it is drawn: without muted rows.
        rows: All rows, in the order of the page.

    Example:
        >>> timeline = Timeline.of(MusclePlan.model_validate({"actions": [{"unit": 12, "intensity": 0.5}]}))
        >>> rows = [{"unit": 12, "side": "left", "intensity": 0.8, "muted": False}, {"unit": 6, "intensity": 0.4, "muted": True}]
        >>> [(a.unit, a.side, a.intensity) for a in timeline.edited({"rows": rows}).plan.actions]
        [(12, 'left', 0.8)]
    """

    plan: MusclePlan
    rows: tuple[Row, ...]

    @classmethod
    def of(cls, plan: MusclePlan) -> "Timeline":
        """Make the timeline of a plan.

        Args:
            plan: The plan.

        Returns:
            A row for each action, none muted.
        """
        return cls(plan, tuple(Row(action) for action in plan.actions))

    def edited(self, edit: Any) -> "Timeline":
        """Take over what the page's timeline shows.

        Args:
            edit: ``{"rows": [{"unit": 12, "side": "left", "intensity": 0.8, "onset": None, ..., "muted": False}, ...]}``.

        Returns:
            The timeline with these rows; the plan's feelings, words and reasoning stay, descriptions that quote the muscles follow.

        Raises:
            InputError: If it is no such thing, or a row cannot be carried out.
        """
        rows = edit.get("rows") if isinstance(edit, dict) else None
        if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
            raise InputError("The edit holds no rows; reload the page.")
        if len(rows) > MAX_ACTIONS:
            raise InputError(f"A plan has at most {MAX_ACTIONS} actions here, not {len(rows)}; remove some.")
        muted = [bool(row.get("muted", False)) for row in rows]
        wanted = [{key: value for key, value in row.items() if key != "muted"} for row in rows]
        checked = MusclePlan.from_json(json.dumps({"actions": wanted}), "The edit").actions
        return self.with_rows([Row(action, quiet) for action, quiet in zip(checked, muted)])

    def with_rows(self, rows: Sequence[Row]) -> "Timeline":
        """Exchange the rows.

        Args:
            rows: The new ones.

        Returns:
            The timeline with these rows and a plan of those that are not muted.
        """
        active = tuple(row.action for row in rows if not row.muted)
        return Timeline(follow(self.plan.model_copy(update={"actions": active}), self.plan), tuple(rows))

    def for_page(self, seconds: float) -> dict[str, Any]:
        """Write the timeline as the page's script reads it.

        Args:
            seconds: Length of the voice.

        Returns:
            Plain values: rows, segments of feeling, the length, and what is known of every unit.
        """
        rows = [{**row.action.model_dump(), "muted": row.muted} for row in self.rows]
        segments = [
            {"start": s.start, "end": s.end, "name": max(s.emotions, key=lambda e: s.emotions[e]), "intensity": s.intensity}
            for s in self.plan.timeline()
        ]
        return {"rows": rows, "segments": segments, "seconds": round(seconds, 3), "units": _UNITS, "rise": RISE, "release": RELEASE}


_UNITS = {
    str(unit.number): {
        "name": unit.name,
        "region": unit.region,
        "color": REGION_COLORS[unit.region],
        "sides": list(unit.sides),
        "mirror": MIRRORED.get(unit.number, unit.number),
    }
    for unit in ACTION_UNITS.values()
}


class History:
    """Timelines that can be undone and done again.

    Args:
        first: The timeline to start from.

    Example:
        >>> history = History(Timeline.of(MusclePlan()))
        >>> history.push(Timeline.of(MusclePlan(text="sad")))
        >>> history.undo().plan.text, history.redo().plan.text, history.redo().plan.text
        ('', 'sad', 'sad')
    """

    def __init__(self, first: Timeline) -> None:
        self._states, self._at = [first], 0

    @property
    def current(self) -> Timeline:
        """The timeline as it is now."""
        return self._states[self._at]

    def push(self, timeline: Timeline) -> None:
        """Make a timeline the current one; what was undone is forgotten."""
        if timeline == self.current:
            return
        self._states = [*self._states[: self._at + 1], timeline][-MAX_UNDO - 1 :]
        self._at = len(self._states) - 1

    def undo(self) -> Timeline:
        """Go one step back, where there is one; return the timeline."""
        self._at = max(self._at - 1, 0)
        return self.current

    def redo(self) -> Timeline:
        """Go one step forward, where there is one; return the timeline."""
        self._at = min(self._at + 1, len(self._states) - 1)
        return self.current
