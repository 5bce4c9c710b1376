"""`Speed`: how much video is worked through a second and core."""

import resource
import time
from contextlib import AbstractContextManager
from types import TracebackType

from rich.console import Console

_MEAD_HOURS = 40
"""Hours of video that MEAD has in all views that it shares."""


class Speed(AbstractContextManager):
    """Says how much video was worked through a second and core, by the processor time of this process and those that it started.

    Args:
        console: Where the sentence goes, once something was worked through.
    """

    def __init__(self, console: Console) -> None:
        self.console, self.clips, self.seconds = console, 0, 0.0

    def __enter__(self) -> "Speed":
        self._wall, self._processor = time.monotonic(), _processor_seconds()
        return self

    def count(self, seconds: float) -> None:
        """Count a clip of so many seconds."""
        self.clips, self.seconds = self.clips + 1, self.seconds + seconds

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        spent = _processor_seconds() - self._processor
        if self.seconds and spent and kind is None:
            rate = self.seconds / spent
            self.console.print(
                f"{self.clips} clips in {time.monotonic() - self._wall:.0f} s; {self.clips / spent:.2f} clips or {rate:.2f} s of video a "
                f"second and core: {_MEAD_HOURS} hours of video, as MEAD has, take about {_MEAD_HOURS / rate:.0f} core hours."
            )


def _processor_seconds() -> float:
    usages = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(usage.ru_utime + usage.ru_stime for usage in usages)
