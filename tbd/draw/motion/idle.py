"""What eyes and the two halves of a face do of themselves, which a mean over many performances leaves out. Needs numpy alone."""

import math
from bisect import bisect_left

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
_GAZE = {"eyeLookOutLeft": (0, 1), "eyeLookInRight": (0, 1), "eyeLookInLeft": (0, -1), "eyeLookOutRight": (0, -1),
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
        self._last: tuple[int, _Fixations] | None = None

    def __call__(self, values: np.ndarray, plan: MusclePlan, seed: int, first: int = 0, start: float | None = None) -> np.ndarray:
        """Add to a motion, or to a piece of one: pieces that follow one another get what they would as a whole.

        Args:
            values: (T, 58) motion.
            plan: Where it directs the gaze, the eyes stay with it.
            seed: Of the performance.
            first: The number of the first frame.
            start: Seconds into the plan of the first frame; its number's where not given.

        Returns:
            (T, 58) float32.
        """
        out = np.array(values, np.float32)
        if self.asymmetry > 0:
            self._tilt(out, seed, first)
        if self.glances > 0:
            self._glance(out, perform(plan, len(out), first / FPS if start is None else start), seed, first)
        return out

    def _tilt(self, out: np.ndarray, seed: int, first: int) -> None:
        rng = np.random.default_rng((seed, 1))
        seconds = (first + np.arange(len(out))) / FPS
        for name in _HALVES:
            share = rng.normal(0, _LOPSIDED)
            for period, phase in zip(_PERIODS, rng.uniform(0, 2 * np.pi, len(_PERIODS))):
                share = share + _WANDERS / len(_PERIODS) ** 0.5 * np.sin(2 * np.pi * seconds / period + phase)
            share = np.clip(self.asymmetry * share, _LEAST, _MOST)
            for side, sign in (("Left", 1), ("Right", -1)):
                column = out[:, INDEX[name + side]]
                column[...] = np.clip(column * (1 + sign * share), 0, np.maximum(column, 1))

    def _glance(self, out: np.ndarray, performed: np.ndarray, seed: int, first: int) -> None:
        if self._last is None or self._last[0] != seed:
            self._last = seed, _Fixations(seed)
        frames = first + np.arange(len(out))
        aim = self._last[1].aim(frames) if len(out) else np.zeros((0, 2))
        directed = performed[:, [INDEX[name] for name in _GAZE]].max(-1, initial=0)
        aim *= self.glances * np.clip(1 - directed / 0.1, 0, 1)[:, None]
        for axis in (0, 1):
            ways = {name: sign for name, (along, sign) in _GAZE.items() if along == axis}
            for side in ("Left", "Right"):
                names = [name for name in ways if name.endswith(side)]
                gaze = sum(ways[name] * out[:, INDEX[name]] for name in names) + aim[:, axis]
                for name in names:
                    out[:, INDEX[name]] = np.clip(ways[name] * gaze, 0, 1)


def _step(since: np.ndarray) -> np.ndarray:
    """(T,) how far of a jump is made, frames after it."""
    return np.asarray(1 / (1 + np.exp(-np.clip(since / (0.55 * _JUMP), -40, 40))))


class _Fixations:
    """Where the eyes of one performance look, drawn as far as it has come.

    Args:
        seed: Of the performance.
    """

    def __init__(self, seed: int) -> None:
        self._rng, self._away = np.random.default_rng((seed, 0)), False
        self._starts, self._targets = [-np.inf], [np.zeros(2)]
        self._next = 0.0

    def aim(self, frames: np.ndarray) -> np.ndarray:
        """(T, 2) of consecutive frames."""
        while self._next < frames[-1] + _REACH:
            self._away = bool(self._rng.random() < (_STAYS if self._away else _LEAVES))
            self._starts.append(self._next)
            self._targets.append(self._rng.normal(0, _GLANCE) if self._away else np.zeros(2))
            self._next += max(4.0, FPS * self._rng.lognormal(math.log(_AWAY if self._away else _HOME), 0.5))
        done = bisect_left(self._starts, frames[0] - _REACH) - 1
        aim = np.tile(self._targets[done], (len(frames), 1))
        for at in range(done + 1, bisect_left(self._starts, frames[-1] + _REACH)):
            aim += _step(frames - self._starts[at])[:, None] * (self._targets[at] - self._targets[at - 1])
        return aim
