"""Random plans for a corpus: the emotions as people show them, and plans whose label and muscles disagree.

A model that saw only prototypes could ignore the muscles and read the label. So nearly half of the plans add, remove or
mix: random units on either side at any intensity, two emotions at once, one emotion after another. There only the muscles
determine the expression, and the label colours the rest.
"""

from collections.abc import Iterable, Sequence
from itertools import zip_longest
from typing import TypeVar

import numpy as np

from tbd.think.action_units import ACTION_UNITS, OPPOSITES, REGIONS, Side
from tbd.think.emotions import EMOTION_SPECS, EMOTIONS, LEVELS, Emotion
from tbd.think.plan import MuscleAction, MusclePlan, Segment, mix_over_time

T = TypeVar("T")

KINDS = {"prototype": 0.37, "timed": 0.18, "perturbed": 0.14, "random": 0.17, "mixture": 0.07, "sequence": 0.07}
"""Kind of plan → share of a corpus."""
_OPPOSED = [{a, b} for a, b, kind in OPPOSITES if kind != "muscles"]


def sample_plan(emotion: Emotion, level: int, duration: float, rng: np.random.Generator, kind: str | None = None) -> MusclePlan:
    """Sample a plan for a clip that is labelled `emotion` at `level`.

    Args:
        emotion: One of `EMOTIONS`.
        level: MEAD's 1, 2 or 3.
        duration: Seconds of the clip, over which timed plans are laid out.
        rng: Source of randomness.
        kind: One of `KINDS`; sampled by their shares where not given.

    Returns:
        The plan.

    Example:
        >>> plan = sample_plan("happy", 3, 5.0, np.random.default_rng(0), kind="prototype")
        >>> plan.text, sorted(a.unit for a in plan.actions)
        ('intensely happy', [6, 12, 25])
    """
    kind = kind or str(rng.choice(list(KINDS), p=np.array(list(KINDS.values())) / sum(KINDS.values())))
    strength = float(rng.uniform(LEVELS[level].low, LEVELS[level].high))
    emotions: dict[Emotion, float] = {emotion: 1.0}
    segments: tuple[Segment, ...] = ()
    if kind == "mixture":
        share = float(rng.uniform(0.35, 0.65))
        other = _another(emotion, rng)
        emotions = {emotion: 1 - share, other: share}
        # Half of each emotion would show neither: a mixture keeps the stronger units of both.
        own, others = strength * min(1, 2 - 2 * share), strength * min(1, 2 * share)
        actions = _strongest([*_prototype(emotion, own, rng), *_prototype(other, others, rng)])
    elif kind == "sequence":
        segments, actions = _sequence(emotion, strength, duration, rng)
        emotions = mix_over_time(segments, duration)
    elif kind == "random":
        actions = _random_actions(int(rng.integers(1, 7)), duration, rng)
    else:
        actions = _prototype(emotion, strength, rng)
        if kind == "timed":
            actions = _timed(actions, duration, rng)
        if kind == "perturbed":
            kept = [a for a in actions if rng.random() < 0.7]
            actions = _strongest([*kept, *_random_actions(int(rng.integers(1, 4)), duration, rng)])
    intensity = 0.0 if set(emotions) == {"neutral"} else strength
    return _described(emotions, intensity, level, tuple(actions), segments)


def _prototype(emotion: Emotion, strength: float, rng: np.random.Generator) -> list[MuscleAction]:
    """Sample one of the emotion's prototypes, its units each a little stronger or weaker, the canonical one most often."""
    variants = EMOTION_SPECS[emotion].prototypes
    shares = np.array([2.0] + [1.0] * (len(variants) - 1))
    variant = variants[rng.choice(len(variants), p=shares / shares.sum())]
    mirror = rng.random() < 0.5
    flipped: dict[Side, Side] = {"left": "right", "right": "left", "both": "both"}
    units = ((u, flipped[s] if mirror else s, level * strength * rng.uniform(0.75, 1.2)) for u, s, level in variant)
    return [MuscleAction(unit=u, side=s, intensity=_rounded(np.clip(i, 0, 1))) for u, s, i in units]


def _random_actions(count: int, duration: float, rng: np.random.Generator) -> list[MuscleAction]:
    """Sample units that belong to no emotion, at 0.1..1, on a side that each may act on; a third of them for a while only."""
    chosen: list[int] = []
    for unit in rng.permutation(list(ACTION_UNITS)):
        if len(chosen) < count and not any({unit, other} in _OPPOSED for other in chosen):
            chosen.append(int(unit))
    sides: list[Side] = [_choice(ACTION_UNITS[u].sides, rng) for u in chosen]
    actions = [MuscleAction(unit=u, side=s, intensity=_rounded(rng.uniform(0.1, 1))) for u, s in zip(chosen, sides)]
    return [_timed([a], duration, rng)[0] if rng.random() < 0.33 else a for a in actions]


def _timed(actions: Iterable[MuscleAction], duration: float, rng: np.random.Generator) -> list[MuscleAction]:
    """Give actions an onset in the first half, a rise of 0.2..1 s, and, for half of the plans, an offset."""
    onset = float(rng.uniform(0, 0.5 * duration))
    rise = float(rng.uniform(0.2, 1.0))
    offset = float(rng.uniform(onset + rise + 0.5, duration)) if rng.random() < 0.5 and onset + rise + 0.7 < duration else None
    timed = []
    for action in actions:
        late = float(rng.uniform(0, 0.15))  # muscles of one expression do not start in step
        end = None if offset is None else _rounded(offset + late)
        times = {"onset": _rounded(onset + late), "apex": _rounded(onset + late + rise), "offset": end}
        timed.append(action.model_copy(update=times))
    return timed


def _sequence(
    emotion: Emotion, strength: float, duration: float, rng: np.random.Generator
) -> tuple[tuple[Segment, ...], list[MuscleAction]]:
    """Sample two or three emotions, one after another, and their muscles; the clip's own comes first."""
    count = 3 if duration > 7 and rng.random() < 0.4 else 2
    starts = [0.0, *(_rounded(duration * (i + rng.uniform(-0.2, 0.2)) / count) for i in range(1, count))]
    segments: list[Segment] = []
    actions: list[MuscleAction] = []
    for start, end in zip_longest(starts, starts[1:]):
        level = strength * float(rng.uniform(0.7, 1.0))
        segments.append(Segment(start=start, end=end, emotions={emotion: 1.0}, intensity=_intensity(emotion, level)))
        rise = float(rng.uniform(0.25, 0.7))
        times = {"onset": start or None, "apex": _rounded(start + rise) if start else None, "offset": end}
        actions += [a.model_copy(update=times) for a in _prototype(emotion, level, rng)]
        emotion = _another(emotion, rng)
    return tuple(segments), actions


def _strongest(actions: Iterable[MuscleAction]) -> list[MuscleAction]:
    """Keep one action per unit and side: the strongest."""
    best: dict[tuple[int, str], MuscleAction] = {}
    for action in actions:
        key = (action.unit, action.side)
        if key not in best or best[key].intensity < action.intensity:
            best[key] = action
    return list(best.values())


def _intensity(emotion: Emotion, level: float) -> float:
    return 0.0 if emotion == "neutral" else _rounded(level)


def _another(emotion: Emotion, rng: np.random.Generator) -> Emotion:
    return _choice([e for e in EMOTIONS if e != emotion], rng)


def _choice(items: Sequence[T], rng: np.random.Generator) -> T:
    return items[int(rng.choice(len(items)))]


def _described(
    emotions: dict[Emotion, float], intensity: float, level: int, actions: tuple[MuscleAction, ...], segments: tuple[Segment, ...]
) -> MusclePlan:
    """Assemble the plan, with short descriptions for text encoders."""
    names = " then ".join(next(iter(s.emotions)) for s in segments) or " and ".join(emotions)
    text = names if intensity == 0 else f"{LEVELS[level].adverb} {names}"
    regions = {}
    for region in REGIONS:
        local = [a for a in actions if ACTION_UNITS[a.unit].region == region]
        if local:
            regions[region] = "; ".join(_movement(a) for a in local)
    return MusclePlan(text=text, emotions=emotions, intensity=_rounded(intensity), actions=actions, segments=segments,
                      description=f"a person who speaks and feels {text}", regions=regions)  # fmt: skip


def _movement(action: MuscleAction) -> str:
    unit = ACTION_UNITS[action.unit]
    side = "" if action.side == "both" else f" on the {action.side}"
    degree = ("a trace", "slightly", "clearly", "strongly", "to the maximum")[min(4, int(action.intensity * 5))]
    return f"{unit.movement}{side}, {degree}"


def _rounded(x: float) -> float:
    return round(float(x), 3)
