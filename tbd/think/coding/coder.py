"""`plan_from_motion`: the plan that a performance carries out, as a FACS coder writes it down."""

from collections.abc import Iterable, Sequence
from functools import cache
from itertools import groupby, pairwise

import numpy as np
from scipy.optimize import nnls

from tbd.face.channels import BLENDSHAPES, HEAD, INDEX
from tbd.face.motion import Motion
from tbd.media.rates import FPS
from tbd.think.action_units import ACTION_UNITS, REGIONS, SPEECH, Region, Side
from tbd.think.coding.cleaning import Cleaned, clean
from tbd.think.coding.decomposition import CANDIDATES, decompose
from tbd.think.coding.envelopes import FAINTEST, fit_actions, is_covered
from tbd.think.coding.visibility import Unseen, describe_unseen, mirror_hidden_sides, visible_channels
from tbd.think.emotions import EMOTION_SPECS, EMOTIONS, Emotion
from tbd.think.facs import REGION_CHANNELS
from tbd.think.plan import MuscleAction, MusclePlan, Segment, Step, mix_over_time
from tbd.think.verbalize import degree, describe_actions, listed, name_unit

_ONE_SIDED = 0.35
"""A side below this part of the other is the tracker's or the skin's, not its own muscle's."""
_EVEN = 0.4
"""Sides that differ by less than this part of their strength act together: faces at their most symmetrical differ by a sixth."""
_UNEVEN, _IN_STEP = 0.4, 0.6
"""Part of the stronger side's strength, and correlation over time, from which two sides are one action that is seen from the side."""
_TURNED = 0.18
"""Intensity from which a turn of the head is a posture; people who talk sway below it."""
_ARTICULATED = 0.2
"""Intensity from which a unit of articulation is more than speech leaves behind."""
_CLOSED = 0.25
"""Intensity of an eye closure below which lids only follow a gaze, or are heavy by nature."""
_LOOKS = 0.18
"""Intensity of a gaze from which it is more than a fixation beside the viewer."""
_TELLING = {unit for spec in EMOTION_SPECS.values() for prototype in spec.prototypes for unit, _, _ in prototype} - {54, 64}
"""Units that some emotion shows; heads and eyes go down for other reasons, too."""
_RIDGE = 0.35
"""How much a sum of several prototypes must explain beyond a single one."""
_LEAST_SHARE = 0.15
"""Part of a mix below which an emotion is not named."""
_WORDED = 3
"""Units that a region's description names."""
_SHORTEST_SEGMENT = 1.0
"""Seconds that an emotion must lead to have a segment of its own."""


def plan_from_motion(
    motion: Motion | np.ndarray,
    speaking: np.ndarray | None = None,
    rest: np.ndarray | None = None,
    text: str = "",
    unseen: Sequence[Unseen] = (),
) -> MusclePlan:
    """Write down what a face does: the inverse of `tbd.think.facs.perform`, with speech and life on top.

    Args:
        motion: 25 frames a second.
        speaking: (T,) bool, where the person speaks; everywhere if not given. There the jaw and the lips belong to the voice, and what
            seals or opens them is coded from the pauses.
        rest: (58,) the person's resting face and pose, see `resting_face`; by default zeros, which is right for a motion whose
            coefficients are absolute.
        text: What the plan's `text` says.
        unseen: What the clip does not show, see `find_unseen`: no unit is coded there, and regions that are hidden for most of the
            clip are not described.

    Returns:
        Actions with onset, apex, offset, side and intensity; segments by leading emotion; words; notes on what could not be seen.

    Example:
        >>> from tbd.think.facs import perform
        >>> smile = MusclePlan(actions=(MuscleAction(unit=12, intensity=0.6, onset=1.0, apex=1.5),))
        >>> action = plan_from_motion(perform(smile, 100)).actions[0]
        >>> action.unit, action.side, action.offset
        (12, 'both', None)
    """
    values = motion.values if isinstance(motion, Motion) else np.asarray(motion)
    talking = np.ones(len(values), bool) if speaking is None else np.asarray(speaking, bool)
    visible = visible_channels(unseen, len(values))
    cleaned = clean(mirror_hidden_sides(values, unseen), talking, rest, visible)
    found = [*_face_actions(cleaned), *_head_actions(cleaned, visible[:, len(BLENDSHAPES)])]
    actions = tuple(sorted(found, key=lambda a: (a.onset or 0.0, a.unit, a.side)))
    segments = _segments(actions, len(values))
    plan = _worded(actions, segments, len(values) / FPS, text, (*describe_unseen(unseen), *_notes(talking)))
    return plan.model_copy(update={"regions": {r: words for r, words in plan.regions.items() if r not in _hidden_regions(visible)}})


def _hidden_regions(visible: np.ndarray) -> set[Region]:
    """The regions that are hidden for most of a clip."""
    columns = {region: [INDEX[name] for name in names] for region, names in zip(REGIONS, REGION_CHANNELS)}
    return {region for region, own in columns.items() if visible[:, own].any(1).mean() < 0.5}


def _face_actions(cleaned: Cleaned) -> Iterable[MuscleAction]:
    levels = decompose(cleaned.shapes, cleaned.seen, cleaned.noise)
    for unit in {unit for unit, _ in levels}:
        pulls = CANDIDATES[unit]
        moved = np.max([pull.shares for pull in pulls], axis=0)
        trust = (cleaned.seen @ moved) / moved.sum()
        sides = {pull.side: levels[unit, pull.side] for pull in pulls}
        if set(sides) == {"left", "right"}:
            sides = _sides(sides["left"], sides["right"], unit)
        for side, level in sides.items():
            for action in fit_actions(level, trust, unit, side):
                if not _is_life(action, len(level) / FPS, trust):
                    yield action.model_copy(update={"unit": 46}) if unit == 43 and len(sides) == 1 and side != "both" else action


def _is_life(action: MuscleAction, seconds: float, trust: np.ndarray) -> bool:
    """Glances, brows that stress a word, and what is left of rounded vowels are no expression."""
    lasts = (seconds if action.offset is None else action.offset) - (action.onset or 0.0)
    if action.unit == 43 and action.intensity < _CLOSED:
        return True
    if action.unit in (61, 62, 63, 64):
        return action.intensity < _LOOKS or (action.intensity < 2 * _LOOKS and lasts < 1.0)
    if action.unit in SPEECH and is_covered(trust) and action.intensity < _ARTICULATED:
        return True
    return action.unit in (1, 2) and action.intensity < 0.25 and lasts < 0.9


def _sides(left: np.ndarray, right: np.ndarray, unit: int) -> dict[Side, np.ndarray]:
    """Both together where they go together; else each for itself, a much weaker one left out."""
    together = "both" in ACTION_UNITS[unit].sides
    strong = np.maximum(left, right) > max(FAINTEST, 0.5 * max(left.max(), right.max()))
    size = float(np.maximum(left, right)[strong].mean()) if strong.any() else 0.0
    apart = float(np.abs(left - right)[strong].mean()) if strong.any() else 0.0
    if together and (apart <= max(_EVEN * size, 0.1) or _alike(left, right, strong)):
        return {"both": (left + right) / 2}
    stronger = max(left.max(), right.max())
    sides: dict[Side, np.ndarray] = {"left": left, "right": right}
    return {side: level for side, level in sides.items() if level.max() >= _ONE_SIDED * stronger}


def _alike(left: np.ndarray, right: np.ndarray, strong: np.ndarray) -> bool:
    """Whether both sides rise and fall together, the weaker by a good part of the other: seen from one side, a face looks uneven."""
    if strong.sum() < 3 or left[strong].std() < 1e-3 or right[strong].std() < 1e-3:
        return False
    weaker, stronger = sorted((float(left[strong].mean()), float(right[strong].mean())))
    return weaker >= _UNEVEN * stronger and float(np.corrcoef(left, right)[0, 1]) >= _IN_STEP


def _head_actions(cleaned: Cleaned, visible: np.ndarray) -> Iterable[MuscleAction]:
    trust = visible.astype(float)
    for number, unit in ACTION_UNITS.items():
        if unit.region != "head" or len(unit.channels) != 1:
            continue
        ((channel, full),) = unit.channels.items()
        level = np.clip(cleaned.head[:, HEAD.index(channel)] / full, 0, 1)
        if level.max() >= _TURNED:
            yield from (a for a in fit_actions(level, trust, number, "both") if a.intensity >= _TURNED)


def emotion_of(levels: dict[tuple[int, Side], float]) -> tuple[dict[Emotion, float], float]:
    """Find the mix of emotions whose prototypes explain some muscles best.

    Args:
        levels: (unit, side) → intensity.

    Returns:
        Weights that sum to 1, and the intensity 0..1; neutral where no prototype explains a third of what moves.
    """
    levels = {(unit, side): level for (unit, side), level in levels.items() if unit in _TELLING}
    names, atoms = _prototypes()
    shown = _halves(levels)
    if np.linalg.norm(shown) < 2 * FAINTEST:
        return {"neutral": 1.0}, 0.0
    # A ridge keeps a single prototype before a sum of many.
    weights, _ = nnls(np.vstack([atoms, _RIDGE * np.ones((1, atoms.shape[1]))]), np.append(shown, 0.0))
    if np.linalg.norm(atoms @ weights - shown) > np.linalg.norm(shown) * np.sqrt(2 / 3):
        return {"neutral": 1.0}, 0.0
    # A frown alone is as often concentration as anger, so an emotion counts by how much of its face is there.
    there = np.minimum(atoms, np.where(shown > FAINTEST, 1.0, 0.0)[:, None] * atoms).sum(0) / atoms.sum(0)
    mix: dict[Emotion, float] = {"neutral": float((weights * (1 - there)).sum())}
    for emotion, weight in zip(names, weights * there):
        mix[emotion] = mix.get(emotion, 0.0) + float(weight)
    total = sum(mix.values())
    intensity = total - mix["neutral"]
    mix = {emotion: weight for emotion, weight in mix.items() if weight >= _LEAST_SHARE * total}
    if intensity < FAINTEST or set(mix) == {"neutral"}:
        return {"neutral": 1.0}, 0.0
    return {e: w / sum(mix.values()) for e, w in sorted(mix.items(), key=lambda item: -item[1])}, float(min(intensity, 1.0))


@cache
def _prototypes() -> tuple[list[Emotion], np.ndarray]:
    """The emotion of each prototype, and (2U, P) the units of each."""
    found = [(spec.name, prototype) for spec in EMOTION_SPECS.values() for prototype in spec.prototypes if prototype.actions]
    return [name for name, _ in found], np.array([_halves({(u, s): i for u, s, i in prototype}) for _, prototype in found]).T


def _halves(levels: dict[tuple[int, Side], float]) -> np.ndarray:
    """(2U,) left and right of every unit."""
    order = list(ACTION_UNITS)
    halves = np.zeros((len(order), 2))
    for (unit, side), level in levels.items():
        at = {"both": slice(0, 2), "left": slice(0, 1), "right": slice(1, 2)}[side]
        halves[order.index(unit), at] = np.maximum(halves[order.index(unit), at], level)
    return halves.ravel()


def _segments(actions: Sequence[MuscleAction], frames: int) -> tuple[Segment, ...]:
    """Stretches with one leading emotion."""
    step = 0.2
    times = np.arange(0, max(frames / FPS, step), step)
    envelopes = [(a, a.envelope(times)) for a in actions]
    moments = []
    for k in range(len(times)):
        levels: dict[tuple[int, Side], float] = {}
        for action, envelope in envelopes:
            key = (action.unit, action.side)
            levels[key] = max(levels.get(key, 0.0), float(envelope[k]))
        moments.append(emotion_of(levels))
    leading = [_leading(mix) for mix, _ in moments]
    edges = [0, *(k for k in range(1, len(leading)) if leading[k] != leading[k - 1]), len(leading)]
    spans = [[start, end] for start, end in pairwise(edges)]
    while len(spans) > 1 and min(b - a for a, b in spans) * step < _SHORTEST_SEGMENT:
        short = min(range(len(spans)), key=lambda i: spans[i][1] - spans[i][0])
        into = short - 1 if short else 1
        spans[into] = [min(spans[into][0], spans[short][0]), max(spans[into][1], spans[short][1])]
        del spans[short]
    segments: list[Segment] = []
    for a, b in spans:
        start, end = round(float(times[a]), 2), None if b == len(times) else round(float(times[b]), 2)
        mix = {e: float(np.mean([m.get(e, 0.0) * max(level, 1e-3) for m, level in moments[a:b]])) for e in EMOTIONS}
        mix = {e: w for e, w in mix.items() if w > 0.1 * max(mix.values())}
        if segments and _leading(mix) == _leading(segments[-1].emotions):
            segments[-1] = segments[-1].model_copy(update={"end": end})
        else:
            intensity = round(float(max(level for _, level in moments[a:b])), 2)
            segments.append(Segment(start=start, end=end, emotions=mix, intensity=intensity))
    return tuple(segments)


def _leading(mix: dict[Emotion, float]) -> Emotion:
    return max(mix, key=lambda emotion: mix[emotion])


def _notes(talking: np.ndarray) -> tuple[str, ...]:
    if talking.all():
        return ("The person speaks throughout: jaw and lips belong to the voice, so what seals or opens the mouth is a guess.",)
    return ()


def _worded(
    actions: tuple[MuscleAction, ...], segments: tuple[Segment, ...], seconds: float, text: str, notes: tuple[str, ...]
) -> MusclePlan:
    """The plan, with its mix over the whole clip and its words."""
    described = tuple(s.model_copy(update={"description": _described(s)}) for s in segments)
    description = "; then ".join(words for words, _ in groupby(s.description for s in described))
    return MusclePlan(
        text=text, emotions=mix_over_time(segments, seconds), intensity=max(s.intensity for s in segments), actions=actions,
        segments=described if len(described) > 1 else (), description=description,
        regions={region: describe_actions(_leading_actions(actions, region), region) for region in REGIONS},
        reasoning=(Step(title="Which muscles", text=_seen(actions)), Step(title="What they show", text=_shows(described))),
        notes=notes,
    )  # fmt: skip


def _leading_actions(actions: Sequence[MuscleAction], region: Region) -> list[MuscleAction]:
    """The strongest action of each of a region's units, those that a sentence can hold; two sides that both act are one."""
    best: dict[int, MuscleAction] = {}
    sides: dict[int, set[Side]] = {}
    for action in sorted(actions, key=lambda a: -a.intensity):
        if ACTION_UNITS[action.unit].region == region:
            best.setdefault(action.unit, action)
            sides.setdefault(action.unit, set()).add(action.side)
    kept = list(best.values())[:_WORDED]
    return [a.model_copy(update={"side": "both"}) if len(sides[a.unit]) > 1 and "both" in ACTION_UNITS[a.unit].sides else a for a in kept]


def _described(segment: Segment) -> str:
    """A few words for a segment: "a clearly happy face"."""
    mix = [e for e, weight in segment.emotions.items() if weight >= 0.25 and e != "neutral"]
    if not mix or segment.intensity < FAINTEST:
        return "a neutral face"
    words = f"{degree(segment.intensity)} {listed([EMOTION_SPECS[e].adjective for e in mix[:3]])}"
    return f"{'an' if words[0] in 'aeiou' else 'a'} {words} face"


def _seen(actions: Sequence[MuscleAction]) -> str:
    if not actions:
        return "No muscle moves but for speech and blinks."
    parts = []
    for a in actions:
        start = "from the start" if a.onset is None else f"from {a.onset:.1f} s"
        end = "" if a.offset is None else f" to {a.offset:.1f} s"
        parts.append(f"{name_unit(a.unit, a.side)} at {a.intensity:.2f} {start}{end}")
    return "; ".join(parts) + "."


def _shows(segments: Sequence[Segment]) -> str:
    """The prototypes that the muscles come nearest to, over time."""
    return "; then ".join(s.description if i == 0 else f"from {s.start:.1f} s {s.description}" for i, s in enumerate(segments)) + "."
