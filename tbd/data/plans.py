"""Plans of prepared clips, from one of two sources: what a face was measured to do, or a clip's text or label."""

import os
from pathlib import Path
from typing import Literal

from tbd.data.measured_plans import MeasuredPlan
from tbd.data.records import ClipRecord
from tbd.errors import InputError
from tbd.think.labels import plan_from_label
from tbd.think.plan import MusclePlan

PlanSource = Literal["label", "measured", "none"]
"""``label``: from a clip's text, or else its label and level. ``measured``: measured from its own motion. ``none``: plans are withheld."""


class PlanOfRecord:
    """Finds the plan of a record; None where there is none. Plans from labels are kept, since many clips share one.

    Args:
        source: Where plans come from.
        root: The cache; needed for measured plans alone.
        tracker: From whose motion plans were measured, where there are several.

    Example:
        >>> plan_of = PlanOfRecord()
        >>> plan_of(ClipRecord("a", "mead", "M003", "a", emotion="sad", level=1, seconds=2.0)).emotions
        {'sad': 1.0}
        >>> plan_of(ClipRecord("b", "hdtf", "AdamSchiff", "b", seconds=2.0)) is None
        True
    """

    def __init__(self, source: PlanSource = "label", root: str | os.PathLike = "", tracker: str = "face_mesh") -> None:
        self.source, self.root, self.tracker = source, Path(root), tracker
        self._plans: dict[tuple[str, int, str, float], MusclePlan | None] = {}
        self._recipe = ""

    def __call__(self, record: ClipRecord) -> MusclePlan | None:
        """Find the plan of a record.

        Args:
            record: Of a prepared cache.

        Returns:
            The plan, its times in seconds from the clip's start.

        Raises:
            InputError: If its plan was not measured, or otherwise than those of the clips before.
        """
        if self.source == "none":
            return None
        if self.source == "measured":
            return self._measured(record)
        key = (record.emotion, record.level, record.text, round(record.seconds, 2))
        if key not in self._plans:
            self._plans[key] = _plan(record)
        return self._plans[key]

    def measured_file(self, record: ClipRecord) -> Path | None:
        """Find the file of a record's measured plan.

        Args:
            record: Of a prepared cache.

        Returns:
            The file; None where plans are not measured.

        Raises:
            InputError: If there is none, or several and no tracker chooses among them.
        """
        if self.source != "measured":
            return None
        own = [key for key in record.plans if self.tracker in (key, key.split("@")[0])]
        keys = own or list(record.plans)
        if len(keys) != 1:
            there = f"has plans of {' and '.join(keys)}" if keys else "has no measured plan"
            how = "name one of these trackers" if keys else f"`tbd preprocess plans {self.root}` makes them, or take plans from labels"
            raise InputError(f"Clip {record.clip} {there}; {how}.")
        return self.root / record.plans[keys[0]]

    def _measured(self, record: ClipRecord) -> MusclePlan | None:
        file = self.measured_file(record)
        assert file is not None  # asked for measured plans alone
        measured = MeasuredPlan.load(file)
        if self._recipe not in ("", measured.recipe):
            raise InputError(
                f"The plans of {self.root} were measured by two recipes (the first of the second is {record.clip}'s): "
                f"`tbd preprocess plans {self.root}` was not done; run it again."
            )
        self._recipe = measured.recipe
        return measured.plan


def _plan(record: ClipRecord) -> MusclePlan | None:
    if record.text:
        from tbd.think import KnowledgePlanner

        return KnowledgePlanner().plan(record.text, duration=record.seconds)
    return plan_from_label(record.emotion, record.level or None) if record.emotion else None
