"""What muscles do: a plan performed as motion, and a motion read back as action units."""

import numpy as np

from tbd.face.channels import BLENDSHAPES, CHANNELS, INDEX
from tbd.media.rates import FPS
from tbd.think.action_units import ACTION_UNITS, REGIONS, Region, Side, describe_unknown
from tbd.think.plan import MusclePlan

HEAD_LIMIT = 1.0
"""Radians and inter-ocular distances beyond which several head units together do not go."""


_PREFIXES: dict[str, Region] = {"brow": "upper", "eye": "eyes", "cheek": "middle", "nose": "middle", "head": "head"}


def _region(channel: str) -> Region:
    return next((region for prefix, region in _PREFIXES.items() if channel.startswith(prefix)), "lower")


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
        plan: The muscles and their times.
        num_frames: T, at 25 frames a second.
        start: Seconds into the plan of the first frame.

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
        unit: Action unit number.
        side: For a one-sided unit (AU30, AU46) "both" means the stronger of the two.

    Returns:
        (T,) float32 intensity.

    Raises:
        KeyError: If there is no such unit, or it does not act on that side.
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
