"""What is felt → which muscles move, how strongly: mixing, hiding, posing, antagonists, and what speech needs."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from tbd.think.action_units import ACTION_UNITS, ANTAGONISTS, MIRRORED, SPEECH, TOGETHER, TRACE, Side
from tbd.think.emotion_spec import EmotionSpec
from tbd.think.emotions import EMOTION_SPECS, Emotion
from tbd.think.rules.segmenter import Moment, Reading

_READINESS = 2.3
"""Exponent by which slight feelings show already; see `shown_intensity`."""

Levels = dict[tuple[int, Side], float]
"""(unit, side) → intensity."""


@dataclass(frozen=True)
class Pulse:
    """A short movement within a moment: a wink, a nod."""

    levels: Levels
    repeat: bool
    count: int | None = None
    """How often, where the text says."""


@dataclass(frozen=True)
class Face:
    """One moment's face.

    Args:
        readings: What it was thought from.
        emotions: Mix that sums to 1.
        intensity: 0..1.
        arousal: -1 calm .. 1 excited, for how fast it moves.
        levels: Units that are held.
        pulses: Units that move for an instant.
        freed: Units that speech took back, with their intensity before.
        ordered: Units that were asked for by name.
    """

    readings: tuple[Reading, ...]
    emotions: dict[Emotion, float]
    intensity: float = 0.0
    valence: float = 0.0
    arousal: float = 0.0
    levels: Levels = field(default_factory=dict)
    pulses: tuple[Pulse, ...] = ()
    freed: dict[int, float] = field(default_factory=dict)
    ordered: frozenset[int] = frozenset()


def apply_degree(strength: float, degree: float) -> float:
    """Apply a degree word to an intensity: slightly < fairly < (bare) < very < utterly, strictly for every intensity below 1.

    Args:
        strength: Intensity of the bare word, 0..1.
        degree: Factor below 1; above 1 the part of the way to full intensity, plus 1. At most 2.

    Returns:
        The intensity, 0..1.

    Example:
        >>> [round(apply_degree(0.6, degree), 2) for degree in (0.45, 0.8, 1.0, 1.4, 1.85)]
        [0.27, 0.48, 0.6, 0.76, 0.94]
    """
    return strength * degree if degree <= 1 else strength + (1 - strength) * (degree - 1)


def shown_intensity(strength: float) -> float:
    """Compute how much of an emotion's prototype a feeling of some strength shows.

    A feeling that is named without a degree is to be read on a face that speaks: of six emotions on five portraits, 20 frames each,
    face-api and mini-Xception name 9 and 5 points more where everything is drawn at full strength than at 0.79, which 0.65 came to
    before. Slight feelings stay slight.

    Args:
        strength: What is felt, 0..1.

    Returns:
        0..1.

    Example:
        >>> [round(shown_intensity(strength), 2) for strength in (0.13, 0.29, 0.35, 0.5, 0.65, 0.79, 0.92)]
        [0.27, 0.55, 0.63, 0.8, 0.91, 0.97, 1.0]
    """
    return 1 - (1 - strength) ** _READINESS


def express(moment: Moment) -> Face:
    """The face of a moment."""
    readings = moment.readings
    active = [r for r in readings if not r.negated]
    if not any(r.sense.kind != "order" for r in active):
        active += _litotes(readings)
    emotions, intensity = _mix(active)
    levels, pulses = _muscles(active, emotions)
    forbidden = {unit for r in readings if r.negated for unit in _denied(r)}
    levels = {key: level for key, level in levels.items() if key[0] not in forbidden}
    ordered = frozenset(unit for r in active if r.sense.kind == "order" for unit, _, _ in _placed(r))
    named = {unit for r in active if r.sense.kind == "expression" or r.manner == "shown" for unit in _units(r)}
    levels = _resolve(levels, ordered, named)
    levels, freed = _free_speech(levels, ordered)
    levels = {key: round(level, 2) for key, level in sorted(levels.items()) if level >= TRACE}
    valence, arousal = _place(active)
    return Face(tuple(readings), emotions, intensity, valence, arousal, levels, pulses, freed, ordered)


def _units(reading: Reading) -> set[int]:
    """The units that a reading names or, for a feeling that is put on, shows."""
    pulls = reading.sense.muscles or [pull for emotion in reading.sense.mix for pull in EMOTION_SPECS[emotion].prototypes[0]]
    return {unit for unit, _, _ in pulls}


def _litotes(readings: list[Reading]) -> list[Reading]:
    """“Not happy” is a little sad, "not unhappy" a little happy, "not calm" a little tense; "not angry" is nothing at all."""
    if any(r.stance in ("imagined", "asked", "claimed", "past") for r in readings):
        return []
    if len(readings) == 1 and readings[0].negated and readings[0].stance is None and _UNHAPPY & set(readings[0].words.split()):
        sense = replace(readings[0].sense, name="pleased", mix={"happy": 1.0}, strength=0.35, valence=0.4, arousal=0.0, muscles=())
        return [Reading(sense, f"not {readings[0].words}")]
    if len(readings) == 1 and readings[0].negated and readings[0].stance is None and _AT_EASE & set(readings[0].words.split()):
        tense: dict[Emotion, float] = {"fear": 0.7, "angry": 0.3}
        sense = replace(readings[0].sense, name="tense", mix=tense, strength=0.35, valence=-0.3, arousal=0.3, muscles=())
        return [Reading(sense, f"not {readings[0].words}")]
    if readings and all(r.negated and r.sense.kind == "feeling" and r.sense.valence > 0.3 for r in readings):
        denied = next(r for r in readings if r.negated and r.sense.valence > 0.3)
        mix: dict[Emotion, float] = {"sad": 0.7, "angry": 0.3}
        sense = replace(denied.sense, name="displeased", mix=mix, strength=0.35, valence=-0.4, arousal=-0.1, muscles=())
        return [Reading(sense, f"not {denied.words}")]
    return []


_AT_EASE = frozenset(("calm", "relaxed", "composed", "serene", "tranquil", "peaceful", "ease", "unruffled", "untroubled", "unworried"))
_UNHAPPY = frozenset(
    (
        "unhappy", "displeased", "dissatisfied", "discontent", "discontented", "disappointed", "unimpressed", "unamused", "ungrateful",
    )
)  # fmt: skip
"""Words whose denial praises."""


def _strength(reading: Reading) -> float:
    if reading.level is not None and reading.sense.strength > 0:  # nothing is "neutral" at 100 %
        return reading.level
    return apply_degree(reading.sense.strength, reading.degree)


def _mix(readings: list[Reading]) -> tuple[dict[Emotion, float], float]:
    """Emotion weights and how strongly it is felt. What is hidden or posed counts for less than what is felt."""
    feelings = any(r.sense.kind == "feeling" and _strength(r) > 0 for r in readings)
    scores: dict[Emotion, float] = {}
    intensity = 0.0
    for r in readings:
        if r.sense.kind == "order":
            continue
        counts = {"felt": 1.0, "contained": 1.0, "held": 0.8, "shown": 0.5}[r.manner]
        counts *= 0.6 if feelings and r.sense.kind == "expression" else 1.0
        strength = _strength(r) * counts
        for emotion, weight in r.sense.mix.items():
            scores[emotion] = scores.get(emotion, 0.0) + weight * strength
        intensity = max(intensity, strength)
    total = sum(scores.values())
    if total <= 0:
        return {"neutral": 1.0}, 0.0
    ranked = sorted(scores.items(), key=lambda item: -item[1])
    mix = {emotion: round(score / total, 3) for emotion, score in ranked if score / total >= 0.02}
    return {emotion: weight / sum(mix.values()) for emotion, weight in mix.items()}, round(intensity, 3)


def _place(readings: list[Reading]) -> tuple[float, float]:
    """Mean valence and arousal, weighted by strength."""
    weights = [(_strength(r) + 1e-3, r.sense) for r in readings if r.sense.kind != "order"]
    total = sum(weight for weight, _ in weights) or 1.0
    return tuple(round(sum(w * getattr(sense, axis) for w, sense in weights) / total, 2) for axis in ("valence", "arousal"))


def _denied(reading: Reading) -> set[int]:
    """The units that a denial takes away: those of an expression or order. A denied feeling just is not there."""
    units = set() if reading.sense.kind == "feeling" else {unit for unit, _, _ in reading.sense.muscles}
    return units - {6} if 12 in units else units  # who does not smile may still have it in the eyes


def _muscles(readings: list[Reading], emotions: dict[Emotion, float]) -> tuple[Levels, tuple[Pulse, ...]]:
    """Every reading's muscles; of two calls on one muscle the stronger counts, an order above all."""
    levels: Levels = {}
    pulses = []
    displeased = sum(weight for e, weight in emotions.items() if EMOTION_SPECS[e].valence < 0) > 0.25 and not any(
        r.sense.kind == "feeling" and r.sense.mix.get("happy", 0) >= 0.4 for r in readings
    )
    orders = [r for r in readings if r.sense.kind == "order"]
    asked = {unit for r in orders if r.sense.time == "hold" and r.count is None for unit, _, _ in _placed(r)}
    for r in [r for r in readings if r.sense.kind != "order"] + orders:
        pulls = _own(r) if r.sense.muscles and not (r.manner == "held" and r.sense.kind == "feeling") else _prototypes(r)
        if displeased and r.sense.kind == "expression" and (12, "both") in pulls:
            pulls.pop((6, "both"), None)  # the smile of an unhappy person does not reach the eyes
        if r.sense.time != "hold" or r.count is not None:
            pulses.append(Pulse({key: round(level, 2) for key, level in pulls.items()}, r.sense.time == "repeat", r.count))
        elif r.sense.kind == "order":
            levels |= pulls
        else:  # an order replaces what the feeling would do with that muscle, on either side
            _add(levels, ((key, level) for key, level in pulls.items() if key[0] not in asked))
    return levels, tuple(pulses)


def _add(levels: Levels, pulls: Iterable[tuple[tuple[int, Side], float]]) -> None:
    """Keep the stronger; one side that does no more than both is part of both."""
    for (unit, side), level in pulls:
        if side != "both" and levels.get((unit, "both"), 0) >= level:
            continue
        levels[unit, side] = max(level, levels.get((unit, side), 0.0))


def _placed(reading: Reading) -> list[tuple[int, Side, float]]:
    """The reading's own muscles on the side that the sentence names."""
    placed = []
    for unit, side, level in reading.sense.muscles:
        if reading.side == "right" and unit < MIRRORED.get(unit, 0):  # the tables name the movement to the left
            unit = MIRRORED[unit]
        sides = ACTION_UNITS[unit].sides
        if reading.side in sides and sides != TOGETHER:
            side = reading.side
        placed.append((unit, side, level))
    return placed


def _own(reading: Reading) -> Levels:
    """The muscles that the reading names itself."""
    degree = reading.degree
    if degree > 1 and reading.sense.kind == "feeling":  # utter boredom lowers the lids further, but does not close them
        degree = 1 + (degree - 1) / 2
    if degree < 1 and reading.sense.kind == "expression":  # a small smile is still seen
        degree = 1 - (1 - degree) * 0.75
    pulls = {(unit, side): apply_degree(level, degree) for unit, side, level in _placed(reading)}
    if reading.level is not None:
        pulls = dict.fromkeys(pulls, reading.level)
    if reading.sense.kind == "order":
        if reading.level is None and degree <= 1 and reading.sense.time == "hold" and reading.count is None:
            # nobody says how far, so the mouth keeps room to speak
            pulls = {(unit, side): min(level, SPEECH.get(unit, 1.0)) for (unit, side), level in pulls.items()}
        return {key: level * 0.5 for key, level in pulls.items()} if reading.manner == "held" else pulls
    main = max(reading.sense.mix, key=lambda emotion: reading.sense.mix[emotion])
    if reading.manner == "held":  # a suppressed smile, a stifled sob
        pulls = {(unit, side): level * 0.5 for (unit, side), level in pulls.items() if unit not in (25, 26, 27)}
        _add(pulls, (((unit, "both"), level * 0.8) for unit, level in EMOTION_SPECS[main].controls.items()))
    elif reading.manner == "contained":
        pulls = {(unit, side): level * 0.75 for (unit, side), level in pulls.items() if unit not in (25, 26, 27)}
    elif reading.manner == "shown":
        posed = EMOTION_SPECS[main].posed
        pulls = {(unit, side): level * posed.get(unit, 0.85) for (unit, side), level in pulls.items()}
    return pulls


def _prototypes(reading: Reading) -> Levels:
    """The prototypes of the reading's mix, each by its weight, in the way that its manner calls for."""
    levels: Levels = {}
    strength = _strength(reading)
    for emotion, weight in reading.sense.mix.items():
        spec = EMOTION_SPECS[emotion]
        # half of a mix still shows three quarters of its face (Du, Tao & Martinez 2014: compound expressions keep both parts)
        amount = shown_intensity(strength) * min(1.0, 1.5 * weight)
        if reading.manner == "held":
            pulls = {(u, spec.side_of(u)): level for u, level in {**spec.leaks, **spec.controls}.items()}
        else:
            variant = spec.prototypes[_variant(spec, reading.manner, strength)]
            posed = spec.posed if reading.manner == "shown" else {}
            pulls = {(u, side): level * posed.get(u, 1.0) for u, side, level in variant}
        if reading.side in ("left", "right"):
            pulls = {(u, reading.side if reading.side in ACTION_UNITS[u].sides else s): level for (u, s), level in pulls.items()}
        _add(levels, ((key, level * amount) for key, level in pulls.items()))
    return levels


def _variant(spec: EmotionSpec, manner: str, strength: float) -> int:
    if manner == "contained":
        return spec.restrained
    return spec.faint if strength < 0.4 else 0


def _resolve(levels: Levels, ordered: frozenset[int], named: set[int]) -> Levels:
    """Resolve antagonists: the stronger acts, an order before all, a named expression before a prototype.

    At a tie the smile keeps the mouth and sorrow the brow, as in bittersweet faces.
    """
    strongest: dict[int, float] = {}
    for (unit, _), level in levels.items():
        strongest[unit] = max(strongest.get(unit, 0.0), level + (unit in ordered) + 0.3 * (unit in named) + 0.2 * (unit == 12))
    for a, b in ANTAGONISTS:
        if a in strongest and b in strongest and not (a in ordered and b in ordered):
            strongest.pop(b if strongest[a] >= strongest[b] else a)
    return {key: level for key, level in levels.items() if key[0] in strongest}


def _free_speech(levels: Levels, ordered: frozenset[int]) -> tuple[Levels, dict[int, float]]:
    """Give the articulators back to speech, except those that were asked for by name."""
    freed = {unit: level for (unit, _), level in levels.items() if unit in SPEECH and unit not in ordered}
    return {(u, s): level * (SPEECH[u] if u in freed else 1.0) for (u, s), level in levels.items()}, freed
