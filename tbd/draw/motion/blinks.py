"""Blinks as people blink: shut at their end, and as often. Needs numpy alone."""

import numpy as np

from tbd.face.channels import INDEX
from tbd.media.rates import FPS
from tbd.utils.tracks import smoothstep

LIDS = [INDEX["eyeBlinkLeft"], INDEX["eyeBlinkRight"]]
_MORE = 15.0
"""Blinks a minute, beside those that a model draws (17.6 in plain speech): 101 filmed clips of people who talk have 27, Bentivoglio et
al. (1997) 26. Of those that come soon after another none is added."""
_APART = 0.8
"""Seconds after a closure in which none is added."""
_CLOSING, _OPENING = 0.14, 0.26
"""Seconds of a blink's two parts; at half its depth it lasts 0.13 s, three frames, as filmed people's do (median of 72 clips 0.13 s)."""
_BRIEF = 1.35
"""Exponent by which closures that a model draws of itself are narrowed: at half their depth these last four frames."""
_DEEPER, _FROM, _UP_TO = 0.13, 0.4, 0.8
"""Share by which a blink goes farther than a model draws it, which has its median at 0.91, and closures from and up to which that grows."""
_ASKED = 0.1
"""Closure by a plan from which lids do as it says."""


class BlinkMotion:
    """The blinks of one performance, as far as it has come.

    Args:
        rng: Source of randomness.
        amount: How often and how far lids close beside what a model draws, 1 as people's.

    Example:
        >>> values = np.zeros((1500, 58), np.float32)  # a minute
        >>> BlinkMotion(np.random.default_rng(0))(values, values.copy())
        >>> float(values[:, LIDS].max())
        1.0
    """

    def __init__(self, rng: np.random.Generator, amount: float = 1.0) -> None:
        self._rng, self._amount = rng, amount
        self._frame, self._closed = 0, -FPS
        self._started: list[float] = []
        self._next = self._wait()

    def _wait(self) -> float:
        return float(self._rng.exponential(60 * FPS / (_MORE * self._amount))) if self._amount > 0 else np.inf

    def __call__(self, values: np.ndarray, performed: np.ndarray) -> None:
        """Blink in the next piece.

        Args:
            values: (T, 58) motion, changed in place.
            performed: (T, 58) what the plan alone asks for; lids that it closes are left alone.
        """
        if self._amount <= 0:
            return
        free = 1 - np.clip(performed[:, LIDS].max(1, initial=0) / _ASKED, 0, 1)
        lids = values[:, LIDS]
        lids = np.maximum(lids, 0) ** (1 + min(self._amount, 1) * (_BRIEF - 1) * free[:, None])
        deeper = self._amount * _DEEPER * smoothstep((lids - _FROM) / (_UP_TO - _FROM))
        values[:, LIDS] = np.minimum(lids * (1 + deeper * free[:, None]), 1)
        for row, drawn in enumerate(lids.min(1)):
            self._closed = self._frame if drawn > _FROM / 2 else self._closed
            if self._frame >= self._next:
                if self._frame - self._closed > _APART * FPS and free[row] == 1:
                    self._started.append(self._frame + round(_CLOSING * FPS))
                    self._closed = self._frame + round((_CLOSING + _OPENING) * FPS)
                self._next = self._frame + self._wait()
            self._started = [peak for peak in self._started if self._frame - peak <= _OPENING * FPS]
            for peak in self._started:
                after = (self._frame - peak) / FPS
                shut = max(1 + after / _CLOSING, 0) ** 1.5 if after < 0 else max(1 - after / _OPENING, 0) ** 2
                values[row, LIDS] = np.maximum(values[row, LIDS], shut)
            self._frame += 1
