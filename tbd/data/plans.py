"""Plans of prepared clips: from a clip's text, or else from its label and level."""

from tbd.data.records import ClipRecord
from tbd.think.labels import plan_from_label
from tbd.think.plan import MusclePlan


class PlanOfRecord:
    """Finds the plan of a record; None where it has neither text nor label. Plans are kept, since many clips share one.

    Example:
        >>> plan_of = PlanOfRecord()
        >>> plan_of(ClipRecord("a", "mead", "M003", "a", emotion="sad", level=1, seconds=2.0)).emotions
        {'sad': 1.0}
        >>> plan_of(ClipRecord("b", "hdtf", "AdamSchiff", "b", seconds=2.0)) is None
        True
    """

    def __init__(self) -> None:
        self._plans: dict[tuple[str, int, str, float], MusclePlan | None] = {}

    def __call__(self, record: ClipRecord) -> MusclePlan | None:
        """Find the plan of a record.

        Args:
            record: Of a prepared cache.

        Returns:
            The plan, its times in seconds from the clip's start.
        """
        key = (record.emotion, record.level, record.text, round(record.seconds, 2))
        if key not in self._plans:
            self._plans[key] = _plan(record)
        return self._plans[key]


def _plan(record: ClipRecord) -> MusclePlan | None:
    if record.text:
        from tbd.think import KnowledgePlanner

        return KnowledgePlanner().plan(record.text, duration=record.seconds)
    return plan_from_label(record.emotion, record.level or None) if record.emotion else None
