"""Plans for a corpus: the emotions as people show them, and plans in which label and muscles part ways.

A model that saw only prototypes could ignore the muscles and read the label. So nearly half of the plans add, remove or
mix: random units on either side at any strength, two feelings at once, one feeling after another. There the muscles alone
tell what is asked, and the label colours the rest.
"""

from collections.abc import Iterable
from itertools import pairwise

import numpy as np

from tbd.think.action_units import ACTION_UNITS, OPPOSITES, REGIONS
from tbd.think.emotions import EMOTION_SPECS, EMOTIONS, LEVELS
from tbd.think.plan import MuscleAction, MusclePlan, Segment

KINDS = {"prototype": 0.37, "timed": 0.18, "perturbed": 0.14, "random": 0.17, "mixture": 0.07, "sequence": 0.07}
"""Kind of plan → share of a corpus."""
_OPPOSED = [{a, b} for a, b, kind in OPPOSITES if kind != "muscles"]


def draw_plan(emotion: str, level: int, duration: float, rng: np.random.Generator, kind: str | None = None) -> MusclePlan:
    """A plan for a clip that is labelled `emotion` at `level`.

    Args:
        emotion: one of `EMOTIONS`.
        level: MEAD's 1, 2 or 3.
        duration: seconds of the clip, which timed plans unfold in.
        rng: what draws.
        kind: one of `KINDS`; drawn by their shares where not given.
    """
    kind = kind or str(rng.choice(list(KINDS), p=np.array(list(KINDS.values())) / sum(KINDS.values())))
    strength = float(rng.uniform(LEVELS[level].low, LEVELS[level].high))
    emotions, segments = {emotion: 1.0}, ()
    if kind == "mixture":
        share = float(rng.uniform(0.35, 0.65))
        other = _another(emotion, rng)
        emotions = {emotion: 1 - share, other: share}
        # Half of each feeling would show neither: a mixture keeps the stronger units of both.
        own, others = strength * min(1, 2 - 2 * share), strength * min(1, 2 * share)
        actions = _strongest([*_prototype(emotion, own, rng), *_prototype(other, others, rng)])
    elif kind == "sequence":
        segments, actions = _sequence(emotion, strength, duration, rng)
        emotions = _overall(segments, duration)
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
    return _worded(emotions, intensity, level, tuple(actions), segments)


def label_plan(emotion: str, level: int) -> MusclePlan:
    """The plan that a label tells: the emotion's first prototype in the middle of its level's range.

    Args:
        emotion: one of `EMOTIONS`.
        level: MEAD's 1, 2 or 3.

    Example:
        >>> plan = label_plan("happy", 3)
        >>> plan.text, plan.intensity, [(a.unit, a.intensity) for a in plan.actions]
        ('intensely happy', 0.91, [(6, 0.728), (12, 0.91), (25, 0.455)])
    """
    strength = LEVELS[level].middle
    actions = tuple(MuscleAction(unit=u, side=s, intensity=_rounded(i * strength)) for u, s, i in EMOTION_SPECS[emotion].prototypes[0])
    return _worded({emotion: 1.0}, _felt(emotion, strength), level, actions, ())


def _prototype(emotion: str, strength: float, rng: np.random.Generator) -> list[MuscleAction]:
    """One of the emotion's prototypes, its units each a little stronger or weaker, the canonical one most often."""
    variants = EMOTION_SPECS[emotion].prototypes
    shares = np.array([2.0] + [1.0] * (len(variants) - 1))
    variant = variants[rng.choice(len(variants), p=shares / shares.sum())]
    mirror = rng.random() < 0.5
    flipped = {"left": "right", "right": "left", "both": "both"}
    drawn = ((u, flipped[s] if mirror else s, level * strength * rng.uniform(0.75, 1.2)) for u, s, level in variant)
    return [MuscleAction(unit=u, side=s, intensity=_rounded(np.clip(i, 0, 1))) for u, s, i in drawn]


def _random_actions(count: int, duration: float, rng: np.random.Generator) -> list[MuscleAction]:
    """Units that no feeling asks for, at 0.1..1, on a side that each may act on; a third of them for a while only."""
    chosen: list[int] = []
    for unit in rng.permutation(list(ACTION_UNITS)):
        if len(chosen) < count and not any({unit, other} in _OPPOSED for other in chosen):
            chosen.append(int(unit))
    sides = [str(rng.choice(ACTION_UNITS[u].sides)) for u in chosen]
    actions = [MuscleAction(unit=u, side=s, intensity=_rounded(rng.uniform(0.1, 1))) for u, s in zip(chosen, sides)]
    return [_timed([a], duration, rng)[0] if rng.random() < 0.33 else a for a in actions]


def _timed(actions: Iterable[MuscleAction], duration: float, rng: np.random.Generator) -> list[MuscleAction]:
    """The same actions with an onset in the first half, a rise of 0.2..1 s, and, for half of the plans, an offset."""
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


def _sequence(emotion: str, strength: float, duration: float, rng: np.random.Generator) -> tuple[tuple[Segment, ...], list[MuscleAction]]:
    """Two or three feelings, one after another, and their muscles; the clip's own comes first."""
    count = 3 if duration > 7 and rng.random() < 0.4 else 2
    edges = [0.0, *(_rounded(duration * (i + rng.uniform(-0.2, 0.2)) / count) for i in range(1, count)), None]
    segments, actions, feeling = [], [], emotion
    for start, end in pairwise(edges):
        level = strength * float(rng.uniform(0.7, 1.0))
        segments.append(Segment(start=start, end=end, emotions={feeling: 1.0}, intensity=_felt(feeling, level)))
        rise = float(rng.uniform(0.25, 0.7))
        times = {"onset": start or None, "apex": _rounded(start + rise) if start else None, "offset": end}
        actions += [a.model_copy(update=times) for a in _prototype(feeling, level, rng)]
        feeling = _another(feeling, rng)
    return tuple(segments), actions


def _overall(segments: Iterable[Segment], duration: float) -> dict[str, float]:
    """The mix over a clip: each feeling by its share of the time."""
    total: dict[str, float] = {}
    for s in segments:
        for emotion, weight in s.emotions.items():
            total[emotion] = total.get(emotion, 0.0) + weight * ((duration if s.end is None else s.end) - s.start)
    return {emotion: weight / sum(total.values()) for emotion, weight in total.items()}


def _strongest(actions: Iterable[MuscleAction]) -> list[MuscleAction]:
    """One action per unit and side: the strongest."""
    best: dict[tuple[int, str], MuscleAction] = {}
    for action in actions:
        key = (action.unit, action.side)
        if key not in best or best[key].intensity < action.intensity:
            best[key] = action
    return list(best.values())


def _felt(emotion: str, level: float) -> float:
    return 0.0 if emotion == "neutral" else _rounded(level)


def _another(emotion: str, rng: np.random.Generator) -> str:
    return str(rng.choice([e for e in EMOTIONS if e != emotion]))


def _worded(
    emotions: dict[str, float], intensity: float, level: int, actions: tuple[MuscleAction, ...], segments: tuple[Segment, ...]
) -> MusclePlan:
    """The plan, with short words for text encoders."""
    names = " then ".join(next(iter(s.emotions)) for s in segments) or " and ".join(emotions)
    text = names if intensity == 0 else f"{LEVELS[level].adverb} {names}"
    regions = {}
    for region in REGIONS:
        local = [a for a in actions if ACTION_UNITS[a.unit].region == region]
        if local:
            regions[region] = "; ".join(_described(a) for a in local)
    return MusclePlan(text=text, emotions=emotions, intensity=_rounded(intensity), actions=actions, segments=segments,
                      description=f"a person who speaks and feels {text}", regions=regions)  # fmt: skip


def _described(action: MuscleAction) -> str:
    unit = ACTION_UNITS[action.unit]
    side = "" if action.side == "both" else f" on the {action.side}"
    degree = ("a trace", "slightly", "clearly", "strongly", "to the maximum")[min(4, int(action.intensity * 5))]
    return f"{unit.movement}{side}, {degree}"


def _rounded(x: float) -> float:
    return round(float(x), 3)
