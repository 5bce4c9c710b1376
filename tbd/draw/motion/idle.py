"""What eyes, head and the two halves of a face do of themselves, which a mean over many performances leaves out. Needs numpy alone."""

import math
from collections.abc import Callable, Iterator
from itertools import pairwise

import numpy as np

from tbd.draw.motion.blinks import BlinkMotion
from tbd.draw.motion.coarticulation import bare_teeth, ease_jaw, ease_lips, flatten_rounding, give_way, hang_jaw, hold_brows, spread_lips
from tbd.draw.motion.nods import LivelyNods
from tbd.draw.motion.smiles import SlowSmiles
from tbd.draw.motion.speaking import SpeechActivity
from tbd.errors import InputError
from tbd.face.channels import INDEX
from tbd.media.rates import FPS
from tbd.think.facs import perform
from tbd.think.plan import MusclePlan
from tbd.utils.tracks import smoothstep

_GLANCE = (0.25, 0.16)
"""Deviation of glances aside, and up and down, in units of eyeLookOut = 1 (about 30 degrees). MediaPipe's landmarker reads 0.17 and 0.10 in
film, which is 0.6 of what eyes turn (`tbd.face.landmarker_eyes`)."""
_HOME, _AWAY = 1.0, 0.7
"""Median seconds that eyes rest on whom they talk to, and on something else."""
_LEAVES, _STAYS = 0.75, 0.3
"""How often a look at the other is followed by a glance aside, and a glance aside by another one."""
_POINTS = np.array([[-0.13, -0.06], [0.13, -0.06], [0.0, 0.19]])
"""Where eyes rest on somebody else's face half a metre away: its eyes, 6.5 cm apart, its mouth, 6 cm below; as the gaze of `_GLANCE`."""
_NEARNESS, _MISSES = (0.8, 1.5), 0.04
"""How much nearer whom a performance talks to may stand, and the deviation by which eyes miss a point. Jumps of one length are people's as
little as jumps of none: half of filmed people's are of 0.13 to 0.3 and a tenth beyond 0.45, ours were of 0.23 to 0.28, of which a
tracker that reads a little less sees none."""
_SCANS = 0.58
"""Median seconds that they rest on one of these, or on a part of what lies beside."""
_JUMP, _JUMP_REACH = 0.33, 8
"""Width (frames) of the logistic step by which the eyes jump, which takes two frames; and frames beyond which nothing is left of it."""
_SWAY, _FAR = (4.0, 1.2), 1.6
"""Deviation (degrees) of the poses that a head takes, down and to the subject's left, beyond what a model draws; and how many
deviations are most."""
_RESTS, _TURN, _TURN_REACH = 1.7, 3.4, 60
"""Median seconds that it rests in each; width (frames) of the step to the next, which takes 0.6 s; and its reach."""
_EYE = math.radians(30)
"""Rotation of the eyes at eyeLookOut = 1."""
_DIRECTED = 0.03
"""Rotation (radians) by a plan from which a head does nothing of itself."""
_LOPSIDED = {"browDown": 0.36, "browOuterUp": 0.36, "cheekSquint": 0.2, "eyeSquint": 0.42, "mouthDimple": 0.42, "mouthFrown": 0.2,
             "mouthLowerDown": 0.08, "mouthPress": 0.42, "mouthSmile": 0.1, "mouthStretch": 0.12, "mouthUpperUp": 0.12,
             "noseSneer": 0.2}  # fmt: skip
"""Movements with two sides, other than those that close lids and lips, which close together; and the deviation over people of the share by
which one half goes farther than the mean of both. Filmed people's smiles are nearly even, and so are their lips when they speak; brows,
pressed lips and above all the skin below the eyes are not."""
_WANDERS, _PERIODS = 0.35, (3.1, 4.7, 7.9)
"""How far that share changes within a performance, in deviations, and over how many seconds."""
_MOST = 0.5
"""The greatest share."""
_EVENS, _SLIGHT, _STRONG = 0.6, 0.1, 0.6
"""How much of that share strong movements lose, what is slight, and what strong. In 45 filmed clips of people who act or pull faces (means
over a clip, MediaPipe's landmarker) the difference of the halves in parts of their sum is, as a root mean square, for movements of 0.1 to
0.3 and of 0.5 or more: brows down 0.16 and 0.06, outer brows up 0.39 and 0.17, squints 0.24 and 0.10, smiles 0.16 and 0.05, upper lips 0.30
and 0.16."""
GAZE = {"eyeLookOutLeft": (0, 1), "eyeLookInRight": (0, 1), "eyeLookInLeft": (0, -1), "eyeLookOutRight": (0, -1),
         "eyeLookDownLeft": (1, 1), "eyeLookDownRight": (1, 1), "eyeLookUpLeft": (1, -1), "eyeLookUpRight": (1, -1)}  # fmt: skip
"""Channel → axis of the gaze (to the subject's left, down) and its sign."""
_ROTATIONS = [INDEX[name] for name in ("headPitch", "headYaw", "headRoll")]


class IdleMotion:
    """Adds glances, lopsidedness and shifts of the head's pose to a motion, and shares lips between feeling and speech as people do.

    A diffusion model that is trained to predict motion draws the mean of what it cannot know: eyes that may jump at any moment do not
    jump at all, halves of a face that differ from person to person are equal, and a head nods with the voice but returns to one pose.
    Here the eyes jump between the eyes and the mouth of whom they talk to and what lies beside, as often as filmed people's do, except
    while the plan directs them; one half of the face goes a little farther than the other, by a share of what it does, which is the
    performance's own, wanders and is less for strong movements; and the head nods as far as people's and takes another pose every second
    or two, while the eyes stay where they look, except while the plan directs it at a time of its own. A smile gives way while lips round,
    and what else a feeling and speech ask of the same muscles is shared as people share it, where a corpus adds feeling to speech. Smiles
    that no plan asks for take seconds, lips that sounds stretch smile with them, and jaws open for sounds as far as people's. Lids that
    blink shut, and blink as often as people's (`tbd.draw.motion.blinks`).

    Args:
        glances: How far the eyes jump, 1 as people's; 0: not at all.
        asymmetry: How unequal the halves are, 1 as people's; 0: as they come.
        sway: How far the head's poses lie apart and it nods beside what a model draws, 1 as people's; 0: as it comes.
        coarticulation: How much a feeling and speech heed each other (smiles give way while lips round, jaws hang between closures, brows
            that frown stay) and lips and jaw move for sounds as filmed people's do, 1 as people's; 0: not at all; see
            `tbd.draw.motion.coarticulation` and `tbd.draw.motion.smiles`.
        blinks: How often and how far lids close beside what a model draws, 1 as people's; 0: as it comes.

    Raises:
        InputError: If an amount is not a number of 0 to 3.

    Example:
        >>> import numpy as np
        >>> from tbd.think.plan import MusclePlan
        >>> moved = IdleMotion()(np.zeros((250, 58), np.float32), MusclePlan(), seed=0)
        >>> bool(moved[:, INDEX["eyeLookOutLeft"]].max() > 0.1), bool((moved[:, INDEX["mouthSmileLeft"]] == 0).all())
        (True, True)
    """

    def __init__(
        self, glances: float = 1.0, asymmetry: float = 1.0, sway: float = 1.0, coarticulation: float = 1.0, blinks: float = 1.0
    ) -> None:
        amounts = {"glances": glances, "asymmetry": asymmetry, "sway": sway, "coarticulation": coarticulation, "blinks": blinks}
        for name, amount in amounts.items():
            if not 0 <= amount <= 3:
                raise InputError(f"{name} must lie between 0 and 3, not {amount}.")
        self.glances, self.asymmetry, self.sway, self.coarticulation, self.blinks = glances, asymmetry, sway, coarticulation, blinks

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
        return IdlePerformance(self.glances, self.asymmetry, self.sway, self.coarticulation, self.blinks, seed)


class IdlePerformance:
    """The idle motion of one performance, as far as it has come; see `IdleMotion.begin`.

    Args:
        glances: As for `IdleMotion`.
        asymmetry: Likewise.
        sway: Likewise.
        coarticulation: Likewise.
        blinks: Likewise.
        seed: Of the performance.
    """

    def __init__(self, glances: float, asymmetry: float, sway: float, coarticulation: float, blinks: float, seed: int) -> None:
        self._glances, self._asymmetry, self._sway, self._coarticulation = glances, asymmetry, sway, coarticulation
        self._frames, self._smiles, self._speech, self._nods = 0, SlowSmiles(), SpeechActivity(), LivelyNods()
        rng = np.random.default_rng((seed, 1))
        self._shares = {name: (rng.normal(), rng.uniform(0, 2 * np.pi, len(_PERIODS))) for name in _LOPSIDED}
        eyes, head, looks = (np.random.default_rng((seed, part)) for part in (0, 2, 3))
        self._gaze = _Shifts(fixations(eyes, _GLANCE, lambda away, _: _duration(eyes, _AWAY if away else _HOME)), _JUMP, _JUMP_REACH)
        self._scan = _Shifts(_points(looks), _JUMP, _JUMP_REACH)
        self._pose = _Shifts(_poses(head), _TURN, _TURN_REACH)
        self._blink = BlinkMotion(np.random.default_rng((seed, 4)), blinks)

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
        performed = perform(plan, len(out), self._frames / FPS if start is None else start)
        if self._coarticulation > 0:
            out = self._smiles(out, performed, self._coarticulation)
            speaking = self._speech(out, performed)
            for share in (flatten_rounding, give_way, spread_lips, hold_brows, ease_lips):
                out = share(out, performed, self._coarticulation)
            out = hang_jaw(ease_jaw(out, self._coarticulation), performed, self._coarticulation, speaking)
            out = bare_teeth(out, performed, self._coarticulation)
        if self._asymmetry > 0:
            self._tilt(out, frames / FPS)
        looks = np.zeros((len(out), 2))
        if self._glances > 0:
            looks += self._glances * (self._gaze(frames) + self._scan(frames))
        if self._sway > 0:
            looks += self._turn(out, frames, performed - _posture(plan))
        if self._glances > 0 or self._sway > 0:
            self._look(out, looks, performed)
        self._blink(out, performed)
        self._frames += len(out)
        return out

    def _tilt(self, out: np.ndarray, seconds: np.ndarray) -> None:
        """Let one half go farther than the other; the stronger a movement, the less."""
        for name, (share, phases) in self._shares.items():
            for period, phase in zip(_PERIODS, phases):
                share = share + _WANDERS / len(_PERIODS) ** 0.5 * np.sin(2 * np.pi * seconds / period + phase)
            both = out[:, [INDEX[f"{name}{side}"] for side in ("Left", "Right")]].mean(-1)
            even = 1 - _EVENS * smoothstep((both - _SLIGHT) / (_STRONG - _SLIGHT))
            apart = np.clip(self._asymmetry * _LOPSIDED[name] * even * share, -_MOST, _MOST)
            for side, sign in (("Left", 1), ("Right", -1)):
                column = out[:, INDEX[name + side]]
                column[...] = np.clip(column * (1 + sign * apart), 0, np.maximum(column, 1))

    def _turn(self, out: np.ndarray, frames: np.ndarray, directions: np.ndarray) -> np.ndarray:
        """Turn the head where nothing directs it; returns (T, 2) how far the eyes turn so that they stay where they look."""
        free = np.clip(1 - np.abs(directions[:, _ROTATIONS]).max(-1) / _DIRECTED, 0, 1)
        before = out[:, _ROTATIONS[:2]].copy()  # (T, 2) down, to the left
        out[:] = self._nods(out, free, self._sway)
        out[:, _ROTATIONS[:2]] += self._sway * free[:, None] * self._pose(frames)
        return (before - out[:, _ROTATIONS[:2]])[:, ::-1] / _EYE

    def _look(self, out: np.ndarray, looks: np.ndarray, performed: np.ndarray) -> None:
        directed = performed[:, [INDEX[name] for name in GAZE]].max(-1, initial=0)
        aim = looks * np.clip(1 - directed / 0.1, 0, 1)[:, None]
        for axis in (0, 1):
            for side in ("Left", "Right"):
                ways = {name: sign for name, (along, sign) in GAZE.items() if along == axis and name.endswith(side)}
                gaze = sum(sign * out[:, INDEX[name]] for name, sign in ways.items()) + aim[:, axis]
                for name, sign in ways.items():
                    out[:, INDEX[name]] = np.clip(sign * gaze, 0, 1)


class _Shifts:
    """Where something is that goes from target to target, each time by a logistic step.

    Args:
        targets: First frames of targets, and (2,) where they are.
        width: Of the step, frames.
        reach: Frames from a step beyond which nothing is left of it.
    """

    def __init__(self, targets: Iterator[tuple[float, np.ndarray]], width: float, reach: int) -> None:
        self._targets, self._width, self._reach = targets, width, reach
        self._next = next(targets)
        self._known: list[tuple[float, np.ndarray]] = [(-np.inf, np.zeros(2))]

    def __call__(self, frames: np.ndarray) -> np.ndarray:
        """(T, 2) where it is in consecutive frames, which begin no earlier than those before."""
        while self._next[0] < frames[-1] + self._reach:
            self._known.append(self._next)
            self._next = next(self._targets)
        while len(self._known) > 1 and self._known[1][0] < frames[0] - self._reach:
            del self._known[0]
        place = np.tile(self._known[0][1], (len(frames), 1))
        for (_, before), (start, target) in pairwise(self._known):
            place += _step((frames - start) / self._width)[:, None] * (target - before)
        return place


def _posture(plan: MusclePlan) -> np.ndarray:
    """(58,) what the plan holds all along: a head that a feeling bows or raises still lives, one that turns at a time obeys."""
    held = tuple(action for action in plan.actions if action.onset is None and action.offset is None)
    return np.asarray(perform(plan.model_copy(update={"actions": held}), 1)[0])


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


def _points(rng: np.random.Generator) -> Iterator[tuple[float, np.ndarray]]:
    """First frames of the rests of eyes on parts of what they look at, each another than the one before, and (2,) where it lies."""
    start, point, near = 0.0, 0, rng.uniform(*_NEARNESS)
    while True:
        point = int(point + rng.integers(1, len(_POINTS))) % len(_POINTS)
        start += _duration(rng, _SCANS)
        yield start, near * _POINTS[point] + rng.normal(0, _MISSES, 2)


def _poses(rng: np.random.Generator) -> Iterator[tuple[float, np.ndarray]]:
    """First frames of the poses after a head's first, and (2,) where they are: radians down and to the subject's left."""
    start = 0.0
    while True:
        start += _duration(rng, _RESTS)
        yield start, np.radians(np.clip(rng.normal(size=2), -_FAR, _FAR) * _SWAY)


def _duration(rng: np.random.Generator, median: float) -> float:
    """Frames that eyes rest on something, or a head in a pose, of a median in seconds."""
    return float(max(4.0, FPS * rng.lognormal(math.log(median), 0.5)))


def _step(since: np.ndarray) -> np.ndarray:
    """(T,) how far of a step of width 1 is made, after its middle."""
    return np.asarray(1 / (1 + np.exp(-np.clip(since, -40, 40))))
