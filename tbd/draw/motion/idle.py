"""What eyes and the two halves of a face do of themselves, which a mean over many performances leaves out. Needs numpy alone."""

import math
from collections.abc import Callable, Iterator
from itertools import pairwise

import numpy as np

from tbd.errors import InputError
from tbd.face.channels import INDEX
from tbd.media.rates import FPS
from tbd.think.facs import perform
from tbd.think.plan import MusclePlan

_GLANCE = (0.24, 0.12)
"""Deviation of glances aside, and up and down, in units of eyeLookOut = 1 (about 30 degrees)."""
_HOME, _AWAY = 1.0, 0.7
"""Median seconds that eyes rest on whom they talk to, and on something else."""
_LEAVES, _STAYS = 0.75, 0.3
"""How often a look at the other is followed by a glance aside, and a glance aside by another one."""
_JUMP, _REACH = 0.6, 8
"""Standard deviation (frames) of the step by which the eyes jump, which takes two frames; and frames beyond which nothing is left of it."""
_LOPSIDED = 0.2
"""Deviation over people of the share by which one half of a face goes farther than their mean."""
_WANDERS, _PERIODS = 0.07, (3.1, 4.7, 7.9)
"""How far that share changes within a performance, and over how many seconds."""
_LEAST, _MOST = -0.4, 0.4
_HALVES = ("browDown", "browOuterUp", "cheekSquint", "eyeSquint", "mouthDimple", "mouthFrown", "mouthLowerDown", "mouthSmile",
           "mouthStretch", "mouthUpperUp", "noseSneer")  # fmt: skip
"""Movements with two sides, other than those that close lids and lips, which close together."""
GAZE = {"eyeLookOutLeft": (0, 1), "eyeLookInRight": (0, 1), "eyeLookInLeft": (0, -1), "eyeLookOutRight": (0, -1),
         "eyeLookDownLeft": (1, 1), "eyeLookDownRight": (1, 1), "eyeLookUpLeft": (1, -1), "eyeLookUpRight": (1, -1)}  # fmt: skip
"""Channel → axis of the gaze (to the subject's left, down) and its sign."""


class IdleMotion:
    """Adds glances and lopsidedness to a motion.

    A diffusion model that is trained to predict motion draws the mean of what it cannot know: eyes that may jump at any moment
    do not jump at all, and halves of a face that differ from person to person are equal. Here the eyes jump between whom they talk to and
    what lies beside, as often as filmed people's do, except while the plan directs them; and one half of the face goes a little farther
    than the other, by a share of what it does, which is the performance's own and wanders.

    Args:
        glances: How far the eyes jump, 1 as people's; 0: not at all.
        asymmetry: How unequal the halves are, 1 as people's; 0: as they come.

    Raises:
        InputError: If an amount is not a number of 0 to 3.

    Example:
        >>> import numpy as np
        >>> from tbd.think.plan import MusclePlan
        >>> moved = IdleMotion()(np.zeros((250, 58), np.float32), MusclePlan(), seed=0)
        >>> bool(moved[:, INDEX["eyeLookOutLeft"]].max() > 0.1), bool((moved[:, INDEX["mouthSmileLeft"]] == 0).all())
        (True, True)
    """

    def __init__(self, glances: float = 1.0, asymmetry: float = 1.0) -> None:
        for name, amount in {"glances": glances, "asymmetry": asymmetry}.items():
            if not 0 <= amount <= 3:
                raise InputError(f"{name} must lie between 0 and 3, not {amount}.")
        self.glances, self.asymmetry = glances, asymmetry

    def __call__(self, values: np.ndarray, plan: MusclePlan, seed: int) -> np.ndarray:
        """Add to a whole motion.

        Args:
            values: (T, 58) motion.
            plan: Where it directs the gaze, the eyes stay with it.
            seed: Of the performance.

        Returns:
            (T, 58) float32.
        """
        return self.begin(seed)(values, plan)

    def begin(self, seed: int) -> "IdlePerformance":
        """Begin a performance whose motion comes piece by piece.

        Args:
            seed: Of the performance.

        Returns:
            Adds to one piece after the other what the whole would get.
        """
        return IdlePerformance(self.glances, self.asymmetry, seed)


class IdlePerformance:
    """The glances and the lopsidedness of one performance, as far as it has come; see `IdleMotion.begin`.

    Args:
        glances: As for `IdleMotion`.
        asymmetry: Likewise.
        seed: Of the performance.
    """

    def __init__(self, glances: float, asymmetry: float, seed: int) -> None:
        self._glances, self._asymmetry, self._frames = glances, asymmetry, 0
        rng = np.random.default_rng((seed, 1))
        self._shares = {name: (rng.normal(0, _LOPSIDED), rng.uniform(0, 2 * np.pi, len(_PERIODS))) for name in _HALVES}
        rng = np.random.default_rng((seed, 0))
        self._fixations = fixations(rng, _GLANCE, lambda away, _: _duration(rng, away))
        self._next: tuple[float, np.ndarray] = next(self._fixations)
        self._looks: list[tuple[float, np.ndarray]] = [(-np.inf, np.zeros(2))]

    def __call__(self, values: np.ndarray, plan: MusclePlan, start: float | None = None) -> np.ndarray:
        """Add to the next piece.

        Args:
            values: (T, 58) motion.
            plan: Where it directs the gaze, the eyes stay with it.
            start: Seconds into the plan of the piece's first frame; the performance's where not given.

        Returns:
            (T, 58) float32.
        """
        out = np.array(values, np.float32)
        if not len(out):
            return out
        frames = self._frames + np.arange(len(out))
        if self._asymmetry > 0:
            self._tilt(out, frames / FPS)
        if self._glances > 0:
            self._glance(out, frames, perform(plan, len(out), self._frames / FPS if start is None else start))
        self._frames += len(out)
        return out

    def _tilt(self, out: np.ndarray, seconds: np.ndarray) -> None:
        for name, (share, phases) in self._shares.items():
            for period, phase in zip(_PERIODS, phases):
                share = share + _WANDERS / len(_PERIODS) ** 0.5 * np.sin(2 * np.pi * seconds / period + phase)
            share = np.clip(self._asymmetry * share, _LEAST, _MOST)
            for side, sign in (("Left", 1), ("Right", -1)):
                column = out[:, INDEX[name + side]]
                column[...] = np.clip(column * (1 + sign * share), 0, np.maximum(column, 1))

    def _glance(self, out: np.ndarray, frames: np.ndarray, performed: np.ndarray) -> None:
        directed = performed[:, [INDEX[name] for name in GAZE]].max(-1, initial=0)
        aim = self._aim(frames) * (self._glances * np.clip(1 - directed / 0.1, 0, 1)[:, None])
        for axis in (0, 1):
            for side in ("Left", "Right"):
                ways = {name: sign for name, (along, sign) in GAZE.items() if along == axis and name.endswith(side)}
                gaze = sum(sign * out[:, INDEX[name]] for name, sign in ways.items()) + aim[:, axis]
                for name, sign in ways.items():
                    out[:, INDEX[name]] = np.clip(sign * gaze, 0, 1)

    def _aim(self, frames: np.ndarray) -> np.ndarray:
        """(T, 2) where the eyes look in consecutive frames."""
        while self._next[0] < frames[-1] + _REACH:
            self._looks.append(self._next)
            self._next = next(self._fixations)
        while len(self._looks) > 1 and self._looks[1][0] < frames[0] - _REACH:
            del self._looks[0]
        aim = np.tile(self._looks[0][1], (len(frames), 1))
        for (_, before), (start, target) in pairwise(self._looks):
            aim += _step(frames - start)[:, None] * (target - before)
        return aim


def fixations(
    rng: np.random.Generator, deviation: tuple[float, float], frames: Callable[[bool, float], float], end: float = math.inf
) -> Iterator[tuple[float, np.ndarray]]:
    """Draw where a speaker looks: at whom they talk to and aside in turn, mostly; two fixations alike are one longer one.

    Args:
        rng: Source of randomness; `frames` may draw from it as well.
        deviation: Of glances, to the subject's left and down.
        frames: Whether it is a glance, and its first frame → how many frames it lasts.
        end: The first frame that is not asked for.

    Yields:
        First frames of fixations, and (2,) where they look: 0 at whom they talk to.
    """
    start, away = 0.0, False
    while start < end:
        away = bool(rng.random() < (_STAYS if away else _LEAVES))
        yield start, rng.normal(0, deviation) if away else np.zeros(2)
        start += frames(away, start)


def _duration(rng: np.random.Generator, away: bool) -> float:
    """Frames that a fixation lasts."""
    return float(max(4.0, FPS * rng.lognormal(math.log(_AWAY if away else _HOME), 0.5)))


def _step(since: np.ndarray) -> np.ndarray:
    """(T,) how far of a jump is made, frames after it."""
    return np.asarray(1 / (1 + np.exp(-np.clip(since / (0.55 * _JUMP), -40, 40))))
