"""What muscles do: the emotions' prototypes, a plan performed as motion, and a motion read back as action units.

The units themselves are in `tbd.think.action_units` and may be imported from here.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from tbd.face.channels import BLENDSHAPES, CHANNELS, INDEX
from tbd.media.rates import FPS
from tbd.think.action_units import ACTION_UNITS, EMOTIONS, REGIONS, ActionUnit, Emotion, Region, Side, describe_unknown
from tbd.think.plan import MusclePlan

__all__ = [
    "ACTION_UNITS", "CHANNEL_REGIONS", "EMOTIONS", "PROTOTYPES", "REGIONS", "REGION_CHANNELS", "ActionUnit", "Prototype", "measure",
    "perform",
]  # fmt: skip

HEAD_LIMIT = 1.0
"""Radians and inter-ocular distances beyond which several head units together do not go."""


@dataclass(frozen=True)
class Prototype:
    """A combination of units that shows one emotion at full strength. Iterating gives (unit, side, intensity)."""

    actions: tuple[tuple[int, Side, float], ...]
    source: str

    def __iter__(self) -> Iterator[tuple[int, Side, float]]:
        return iter(self.actions)


def _combination(source: str, units: dict[int, float], side: Side = "both") -> Prototype:
    """A prototype whose units act on `side` where they have sides, and on both where they have none."""
    return Prototype(tuple((u, side if side in ACTION_UNITS[u].sides else "both", level) for u, level in units.items()), source)


_FACS = "Ekman, Friesen & Hager 2002, FACS Investigator's Guide, table of emotion predictions"
_EMFACS = "Friesen & Ekman 1983, EMFACS-7"
_EKMAN = "Ekman & Friesen 1975/1978, Unmasking the Face; FACS"
_CONTEMPT = "Ekman & Friesen 1986, A new pan-cultural facial expression of emotion; EMFACS: unilateral AU14"
_SADNESS = "Ekman 2003, Emotions Revealed: sadness with lowered gaze and head"

PROTOTYPES: dict[Emotion, tuple[Prototype, ...]] = {
    "angry": (
        _combination(_FACS + ": open-mouthed", {4: 1.0, 5: 0.8, 7: 0.7, 10: 0.7, 22: 0.4, 23: 0.4, 25: 0.8, 26: 0.3}),
        _combination(_FACS, {4: 1.0, 5: 0.7, 7: 0.7, 17: 0.4, 23: 1.0, 24: 0.5}),
        _combination(_EMFACS + ": restrained", {4: 0.9, 5: 0.3, 7: 0.8, 17: 0.3, 23: 0.7, 24: 0.6}),
    ),
    "contempt": (
        _combination(_CONTEMPT, {14: 1.0, 12: 0.5}, "left"),
        _combination(_CONTEMPT, {14: 1.0, 12: 0.5}, "right"),
        _combination(_EMFACS + ": lip raised on one side", {10: 0.6, 14: 0.8}, "left"),
    ),
    "disgusted": (
        _combination(_FACS, {9: 1.0, 10: 0.6, 15: 0.4, 17: 0.5, 4: 0.4, 7: 0.4}),
        _combination(_FACS + ": without wrinkling the nose", {10: 1.0, 15: 0.4, 17: 0.7}),
        _combination(_EMFACS + ": mouth open", {9: 1.0, 10: 0.6, 16: 0.6, 25: 0.5, 26: 0.3}),
    ),
    "fear": (
        _combination(_FACS, {1: 1.0, 2: 0.8, 4: 0.3, 5: 1.0, 20: 0.9, 25: 0.7, 26: 0.7}),
        _combination(_FACS + ": jaw dropped", {1: 0.9, 2: 0.6, 4: 0.5, 5: 1.0, 20: 0.7, 25: 0.6, 26: 0.6}),
        _combination(_EMFACS + ": brow and lids alone", {1: 0.9, 2: 0.6, 4: 0.5, 5: 1.0}),
    ),
    "happy": (
        _combination(_EKMAN, {6: 0.8, 12: 1.0, 25: 0.5}),
        _combination(_EMFACS + ": lips closed", {6: 0.7, 12: 0.8}),
        _combination(_EMFACS + ": laughing", {6: 1.0, 12: 1.0, 25: 0.8, 26: 0.7}),
    ),
    "neutral": (Prototype((), "FACS neutral: no unit above trace"),),
    "sad": (
        _combination(_FACS + "; " + _SADNESS, {1: 1.0, 4: 0.5, 11: 0.3, 15: 0.8, 17: 0.5, 54: 0.4, 64: 0.3}),
        _combination(_FACS, {1: 1.0, 4: 0.5, 15: 0.8}),
        _combination(_FACS + ": crying", {1: 0.9, 4: 0.7, 6: 0.6, 7: 0.4, 15: 0.9, 17: 0.8, 20: 0.3, 25: 0.5}),
    ),
    "surprised": (
        _combination(_FACS, {1: 1.0, 2: 1.0, 5: 0.9, 25: 0.5, 26: 1.0}),
        _combination(_FACS + ": brow and jaw", {1: 0.9, 2: 1.0, 26: 0.8}),
        _combination(_FACS + ": gaping", {1: 1.0, 2: 1.0, 5: 0.9, 27: 0.8}),
    ),
}
"""Emotion → combinations that show it, the canonical one first."""


def _region(channel: str) -> Region:
    for prefix, region in (("brow", "upper"), ("eye", "eyes"), ("cheek", "middle"), ("nose", "middle"), ("head", "head")):
        if channel.startswith(prefix):
            return region
    return "lower"


CHANNEL_REGIONS: dict[str, Region] = {channel: _region(channel) for channel in CHANNELS}
"""Motion channel → the region of the face that it moves."""
REGION_CHANNELS = tuple(tuple(channel for channel, region in CHANNEL_REGIONS.items() if region == wanted) for wanted in REGIONS)
"""The same the other way round: the channels of each region, in the order of `REGIONS`."""


def perform(plan: MusclePlan, num_frames: int, start: float = 0.0) -> np.ndarray:
    """What the plan's muscles do when nothing is said.

    Each unit follows its actions' envelopes; actions of one unit do not add up, the strongest leads. Different units
    that pull the same blendshape combine as ``1 - Π(1 - x)``, so that two half pulls are less than a full one; on the
    head they add.

    Args:
        plan: the muscles and their times.
        num_frames: T, at 25 frames a second.
        start: seconds into the plan of the first frame.

    Returns:
        (T, 58) float32, columns named by `tbd.face.channels.CHANNELS`, blendshapes 0..1.

    Example:
        >>> from tbd.think.plan import MuscleAction, MusclePlan
        >>> perform(MusclePlan(actions=(MuscleAction(unit=12, side="left", intensity=0.5),)), 3)[:, INDEX["mouthSmileLeft"]]
        array([0.5, 0.5, 0.5], dtype=float32)
    """
    times = start + np.arange(num_frames) / FPS
    rest = np.ones((num_frames, len(BLENDSHAPES)))  # Π(1 - x)
    values = np.zeros((num_frames, len(CHANNELS)))
    for unit in {action.unit: ACTION_UNITS[action.unit] for action in plan.actions}.values():
        levels = np.zeros((2, num_frames))  # left, right
        for action in plan.actions:
            if action.unit == unit.number:
                half = {"both": slice(0, 2), "left": slice(0, 1), "right": slice(1, 2)}[action.side]
                levels[half] = np.maximum(levels[half], action.envelope(times))
        for channel in unit.channels:
            pull = np.asarray(unit.share(channel)) @ levels  # (T,)
            if channel in BLENDSHAPES:
                rest[:, INDEX[channel]] *= 1 - np.clip(pull, 0, 1)
            else:
                values[:, INDEX[channel]] += pull
    values[:, : len(BLENDSHAPES)] = 1 - rest
    return np.clip(values, -HEAD_LIMIT, HEAD_LIMIT).astype(np.float32)


def measure(values: np.ndarray, unit: int, side: Side = "both") -> np.ndarray:
    """How strongly a motion shows one action unit: the inverse of `perform` for a single unit.

    The channels are projected on the unit's combination w, ``Σ w·c / Σ w²``, and clipped to 0..1. Units that share
    channels are not told apart: a smile's AU12 also shows as a weaker AU13.

    Args:
        values: (T, 58) motion.
        unit: action unit number.
        side: for a one-sided unit (AU30, AU46) "both" means the stronger of the two.

    Returns:
        (T,) float32 intensity.

    Raises:
        KeyError: there is no such unit, or it does not act on that side.
    """
    if unit not in ACTION_UNITS:
        raise KeyError(describe_unknown(unit))
    known = ACTION_UNITS[unit]
    if side not in known.sides:
        if side != "both":
            raise KeyError(f"AU{unit} ({known.name}) has no sides; measure it on both.")
        return np.maximum(measure(values, unit, "left"), measure(values, unit, "right"))
    weights = known.combination(side)
    shown = sum(weight * values[:, INDEX[channel]] for channel, weight in weights.items())
    return np.clip(shown / sum(weight**2 for weight in weights.values()), 0, 1).astype(np.float32)
