"""What gives way when a machine cannot keep up: frames, then the strength of the plan, never the delay."""

import time
from collections.abc import Callable
from typing import NamedTuple

LATE = 0.06
"""Seconds after its sound was there at which the drawing of a hop begins too late."""
_VERY_LATE = 0.15
"""The same for the lowest level, which shows so little of speech that a little more delay is better."""
_CALM = 0.02
"""Seconds within which it begins in time."""
_SETTLING = 0.5
"""Seconds that a lower level is given to take effect."""
_PATIENCE, _LONGEST_PATIENCE = 3.0, 60.0
"""Seconds of calm after which more is tried again; longer each time that it was too much."""


class Level(NamedTuple):
    """What is drawn.

    Args:
        stride: Every how many frames one is drawn; those between repeat it.
        cheaply: Whether the motion is drawn with half the branches of guidance.
        steps: Denoising steps of the motion; None for the stream's own number.
        hold: Whether nothing is drawn: the face stands still until its sound has been caught up with.
    """

    stride: int
    cheaply: bool
    steps: int | None = None
    hold: bool = False


LEVELS = (Level(1, False), Level(2, False, 1), Level(2, True, 1), Level(5, True, 1))
"""25 frames a second; 12.5, their motion in one step; 12.5 with a weaker expression; 5, for a machine that something else has taken
away."""
HOPELESS = 0.3
"""Seconds of lateness from which on the face stands still for a hop, whatever the level: delay must not grow."""


class LoadShedder:
    """Chooses a `Level`: at once a lower one when work begins late, and a higher one after a while of calm.

    Args:
        clock: Seconds.

    Example:
        >>> times = iter((1.0, 1.1, 5.0))
        >>> shedder = LoadShedder(clock=lambda: next(times))
        >>> [shedder.update(late).stride for late in (0.1, 0.0, 0.0)]
        [2, 2, 1]
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock, self._level, self._patience = clock, 0, _PATIENCE
        self._calm_since = self._lowered = self._raised = float("-inf")

    @property
    def level(self) -> Level:
        """What is drawn now."""
        return LEVELS[self._level]

    def update(self, late: float, waiting: bool = False) -> Level:
        """Note how a hop began.

        Args:
            late: Seconds from when its sound was there.
            waiting: Whether many frames of hops before are still to be drawn.

        Returns:
            What is to be drawn of this hop.
        """
        now = self._clock()
        if late > _CALM or waiting:
            self._calm_since = now
        # fewer frames help where they pile up; once they are fewer, those that are too late are left out, and the motion has time
        limit = LATE if self._level < len(LEVELS) - 2 else _VERY_LATE
        if (late > limit or (waiting and not self._level)) and now - self._lowered > _SETTLING and self._level < len(LEVELS) - 1:
            if now - self._raised < 2 * self._patience:  # what was tried was too much
                self._patience = min(2 * self._patience, _LONGEST_PATIENCE)
            self._level, self._lowered = self._level + 1, now
        elif self._level and now - max(self._calm_since, self._lowered, self._raised) > self._patience:
            self._level, self._raised = self._level - 1, now
        return self.level._replace(hold=late > HOPELESS)
