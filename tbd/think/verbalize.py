"""Plans in words: the steps of the reasoning, the global description, one local description per region."""

from collections.abc import Callable, Iterable, Sequence

from tbd.think.action_units import ACTION_UNITS, REGIONS, SPEECH, TRACE, Region, Side
from tbd.think.emotions import EMOTION_SPECS, Emotion
from tbd.think.plan import MuscleAction, Step
from tbd.think.rules.expression import Face
from tbd.think.rules.segmenter import Reading
from tbd.think.rules.stance import Stance
from tbd.think.rules.timing import BRIEF, TimedMoment, rise

RESTING: dict[Region, str] = {
    "upper": "the brows and the forehead rest",
    "eyes": "the eyes are open and at ease",
    "middle": "the nose and cheeks rest",
    "lower": "the mouth moves with speech alone",
    "head": "the head is still",
}


def listed(items: Sequence[str], last: str = "and") -> str:
    """List words in a sentence: ``["a", "b", "c"]`` → ``"a, b and c"``.

    Args:
        items: The words.
        last: What stands before the last.

    Returns:
        The list; "" for no words.
    """
    items = list(items)
    return items[0] if len(items) == 1 else f"{', '.join(items[:-1])} {last} {items[-1]}" if items else ""


def _nouns(emotions: Sequence[Emotion]) -> str:
    return listed([EMOTION_SPECS[emotion].noun for emotion in emotions])


def degree(intensity: float) -> str:
    """An adverb for an intensity."""
    steps = ((0.2, "barely"), (0.4, "slightly"), (0.55, "moderately"), (0.78, "clearly"), (0.93, "very"))
    return next((word for bound, word in steps if intensity < bound), "utterly")


def _amount(intensity: float) -> str:
    """An adverb for a muscle's intensity, after FACS's five steps."""
    steps = ((0.2, "just perceptibly"), (0.4, "slightly"), (0.6, "markedly"), (0.85, "strongly"))
    return next((word for bound, word in steps if intensity < bound), "to the utmost")


def _seconds(time: float) -> str:
    return f"{time:.1f} s"


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:].rstrip(".") + "."


def _manners(face: Face) -> set[str]:
    return {r.manner for r in face.readings if not r.negated and r.sense.kind != "order"}


def feeling(face: Face) -> str:
    """A few words: "very angry, contained"."""
    return "".join(_feeling(face))


def _feeling(face: Face) -> tuple[str, str]:
    """What is felt, and how it is worn (or nothing)."""
    mix = [emotion for emotion, weight in face.emotions.items() if weight >= 0.15 and emotion != "neutral"]
    if not mix:
        return "neutral", ""
    text = f"{degree(face.intensity)} {listed([EMOTION_SPECS[e].adjective for e in mix[:3]])}"
    manners = _manners(face)
    shown = [r for r in face.readings if r.manner == "shown" and not r.negated]
    if "held" in manners:
        return text, ", masked by a smile" if any("happy" in r.sense.mix for r in shown) else ", fought down"
    if "contained" in manners:
        return text, ", contained"
    return text, ", put on rather than felt" if shown else ""


def describe(face: Face) -> str:
    """The global description of one moment."""
    what, worn = _feeling(face)
    text = f"{'an' if what[0] in 'aeiou' else 'a'} {what} face{worn}"
    asked = [name_unit(unit, side) for unit, side in face.levels if unit in face.ordered]
    return f"{text} with {listed(asked[:4])}" if asked else text


def name_unit(unit: int, side: Side) -> str:
    """Name an action unit and its side.

    Args:
        unit: Its number.
        side: Where it acts.

    Returns:
        Words for a sentence.

    Example:
        >>> name_unit(12, "left")
        'AU12 (lip corner puller on the left)'
    """
    where = "" if side == "both" else f" on the {side}"
    return f"AU{unit} ({ACTION_UNITS[unit].name.lower()}{where})"


def describe_regions(timed_moments: Sequence[TimedMoment]) -> dict[Region, str]:
    """One description per region, in order of time."""
    return {region: _sentence(_in_time([_region(timed.face, region) for timed in timed_moments])) for region in REGIONS}


def _region(face: Face, region: Region) -> str:
    parts = []
    pulled = [(key, level, False) for key, level in face.levels.items()]
    pulled += [(key, level, True) for pulse in face.pulses for key, level in pulse.levels.items()]
    for (unit, side), level, short in sorted(pulled, key=lambda item: -item[1]):
        if ACTION_UNITS[unit].region == region:
            parts.append(_seen(unit, side, level, short))
    return "; ".join(parts) or RESTING[region]


def _seen(unit: int, side: Side, level: float, short: bool) -> str:
    where = "" if side == "both" else f" on the {side}"
    return f"{ACTION_UNITS[unit].movement}{where}, {_amount(level)}{' and only for an instant' if short else ''}"


def describe_actions(actions: Iterable[MuscleAction], region: Region) -> str:
    """One region's description from its muscles alone: the strongest first, what starts later after it.

    Args:
        actions: The muscles at work, of any region.
        region: The region to describe.

    Returns:
        One sentence.

    Example:
        >>> describe_actions((MuscleAction(unit=12, intensity=0.5), MuscleAction(unit=1, intensity=0.7)), "lower")
        'The lip corners are drawn back and up, markedly.'
        >>> describe_actions((), "head")
        'The head is still.'
    """
    own = [a for a in actions if ACTION_UNITS[a.unit].region == region and a.intensity >= TRACE]
    moments = []
    for onset in sorted({a.onset or 0.0 for a in own}):
        at_once = sorted((a for a in own if (a.onset or 0.0) == onset), key=lambda a: -a.intensity)
        moments.append("; ".join(_seen(a.unit, a.side, a.intensity, a.offset is not None and a.offset - onset <= BRIEF) for a in at_once))
    return _sentence(_in_time(moments) or RESTING[region])


def is_drawn_from_muscles(description: str, region: Region) -> bool:
    """Find out whether a region's description quotes what its muscles do, as `describe_actions` and the planner's do.

    Args:
        description: The description.
        region: Its region.

    Returns:
        Whether it quotes a movement of the region's units or its rest.
    """
    quoted = [unit.movement for unit in ACTION_UNITS.values() if unit.region == region]
    return any(phrase in description.lower() for phrase in (RESTING[region], *quoted))


def _in_time(texts: Sequence[str]) -> str:
    """Join what is said of each moment, once where it stays the same."""
    kept = [text for i, text in enumerate(texts) if i == 0 or text != texts[i - 1]]
    return "; then ".join(kept)


def reasoning(timed_moments: Sequence[TimedMoment], total: float, nominal: bool) -> tuple[Step, ...]:
    """Write the chain of thought, in named steps.

    Args:
        timed_moments: The moments in order of time.
        total: Seconds that the plan covers.
        nominal: Whether that length is assumed.

    Returns:
        Five steps, from the emotion to the timing of the muscles.
    """
    steps = [
        Step(title="What is felt", text=_each(timed_moments, _felt)),
        Step(title="How it comes out", text=_each(timed_moments, _comes_out)),
        Step(title="Which muscles", text=_each(timed_moments, _carried)),
        Step(title="What speech needs", text=_speech(timed_moments)),
        Step(title="How it unfolds", text=_unfolds(timed_moments, total, nominal)),
    ]
    return tuple(steps)


def _each(timed_moments: Sequence[TimedMoment], say: Callable[[TimedMoment], str]) -> str:
    """One line per moment; the moment is named where there are several."""
    if len(timed_moments) == 1:
        return say(timed_moments[0])
    names = ["First", *["Then"] * (len(timed_moments) - 2), "At last"] if len(timed_moments) > 2 else ["First", "Then"]
    return "\n".join(f"{name}: {_uncapitalised(say(timed))}" for name, timed in zip(names, timed_moments))


def _uncapitalised(text: str) -> str:
    return text if text.startswith("AU") else text[:1].lower() + text[1:]


def _felt(timed: TimedMoment) -> str:
    readings = timed.face.readings
    if not readings:
        return "The face is at rest."
    said = [_says(r) for r in readings]
    weights = timed.face.emotions
    shares = listed([f"{EMOTION_SPECS[e].noun} {w:.0%}" for e, w in weights.items()])
    mix = f"In sum {shares}, intensity" if len(weights) > 1 else "Intensity"
    if all(r.sense.kind == "order" for r in readings):
        return _sentence("; ".join(said))
    return _sentence("; ".join(said)) + f" {mix} {timed.face.intensity:.2f}: {_circumplex(timed.face)}."


_STANCES: dict[Stance, str] = {
    "demanded": "demanded rather than felt", "imagined": "only imagined", "asked": "asked about, not said",
    "claimed": "only claimed", "feigned": "feigned towards whoever speaks", "past": "past", "over": "over", "nobody's": "nobody's",
}  # fmt: skip


def _says(reading: Reading) -> str:
    quoted = f"“{reading.words}”"
    if reading.stance is not None:
        return f"{quoted} is {_STANCES[reading.stance]}, so it stays out"
    if reading.negated:
        language = f" ({reading.sense.language})" if reading.sense.language is not None else ""
        return f"{quoted}{language} is denied, so it stays out"
    if reading.sense.kind == "order":
        units = listed([name_unit(u, s) for u, s, _ in reading.sense.muscles])
        return f"{quoted} asks for {'muscles' if 'AU' not in reading.words else 'it by name'}: {units}"
    mix = _nouns([e for e, w in sorted(reading.sense.mix.items(), key=lambda item: -item[1]) if w >= 0.15])
    if reading.sense.confidence is not None:
        held = ", kept from showing" if reading.manner == "held" else ""
        sure = f"{reading.sense.confidence:.2f} sure"
        return f"{quoted} is not read as naming a feeling; a situation like this is mostly met with {mix}{held} ({sure})"
    stronger = {True: ", made stronger", False: ", made weaker"}.get(reading.degree > 1) if reading.degree != 1 else ""
    manner = {
        "felt": "", "contained": ", felt in full but kept quiet", "held": ", and it is held back", "shown": ", shown but not felt",
    }[reading.manner]  # fmt: skip
    if reading.sense.language is not None:
        return f"{quoted} names {mix} ({reading.sense.language}){stronger}"
    return f"{quoted} says {mix}{stronger}{manner}"


def _circumplex(face: Face) -> str:
    pleasant = "pleasant" if face.valence > 0.15 else "unpleasant" if face.valence < -0.15 else "neither pleasant nor unpleasant"
    stirred = "aroused" if face.arousal > 0.35 else "subdued" if face.arousal < -0.15 else "of middling arousal"
    return f"{pleasant} and {stirred} (valence {face.valence:+.1f}, arousal {face.arousal:+.1f})"


def _comes_out(timed: TimedMoment) -> str:
    """What becomes of the feeling on its way to the face."""
    face, said = timed.face, []
    acting = [r for r in face.readings if not r.negated]
    for r in acting:
        main = max(r.sense.mix, key=lambda emotion: r.sense.mix[emotion])
        if r.manner == "held" and r.sense.kind != "order":
            leaks = listed([f"AU{u}" for u in EMOTION_SPECS[main].leaks if _level(face, u)])
            controls = listed([f"AU{u}" for u in EMOTION_SPECS[main].controls if _level(face, u)])
            held = f", while {controls} hold{'s' if 'and' not in controls else ''} it down" if controls else ""
            said.append(f"what is hidden leaks where the will hardly reaches ({leaks or 'nowhere that shows'}){held}")
        elif r.manner == "contained":
            said.append(f"contained {EMOTION_SPECS[main].noun} shows in tight muscles, not in large movements: the mouth stays shut")
        elif r.manner == "shown" and main == "happy":
            said.append("a smile that is not felt lifts the lip corners (AU12) but not the cheeks (AU6)")
        elif r.manner == "shown":
            said.append(f"posed {EMOTION_SPECS[main].noun} lacks the muscles that obey the feeling alone")
    felt = [e for e, w in face.emotions.items() if w >= 0.15 and e != "neutral"]
    if not said and len(felt) > 1:
        said.append(f"{_nouns(felt)} mix: both show, and where two muscles pull against each other the stronger wins")
    if not said and felt:
        said.append("nothing is hidden or put on: what is felt is what shows")
    if not said:
        said.append("only what is asked for moves" if face.ordered else "there is nothing to show")
    return _sentence("; ".join(dict.fromkeys(said)))


def _level(face: Face, unit: int) -> float:
    return max((level for (u, _), level in face.levels.items() if u == unit), default=0.0)


def _carried(timed: TimedMoment) -> str:
    """Muscles in order of strength, each with its anatomy and what it does."""
    pulled = sorted(
        [*timed.face.levels.items(), *(item for p in timed.face.pulses for item in p.levels.items())], key=lambda item: -item[1]
    )
    said = []
    for (unit, side), level in pulled:
        known = ACTION_UNITS[unit]
        where = "" if side == "both" else f" {side}"
        said.append(f"AU{unit}{where} {level:.2f}, {known.muscles[0]}: {known.movement}")
    return _sentence("; ".join(said)) if said else "None: every muscle rests."


def _speech(timed_moments: Sequence[TimedMoment]) -> str:
    freed: dict[int, float] = {}
    for timed in timed_moments:
        for unit, level in timed.face.freed.items():
            freed[unit] = max(level, freed.get(unit, 0.0))
    ordered = sorted({u for b in timed_moments for u in b.face.ordered if u in SPEECH})
    text = "Speech must close, round and open the lips and move the jaw."
    if freed:
        text += " So " + listed([f"AU{u} goes from {level:.2f} to {level * SPEECH[u]:.2f}" for u, level in sorted(freed.items())])
        text += "; the lip corners, cheeks, nose, eyes and brow keep the feeling."
    else:
        text += " Nothing here stands in its way."
    if ordered:
        text += f" Asked for by name, so left in full: {listed([f'AU{u}' for u in ordered])}."
    return text


def _unfolds(timed_moments: Sequence[TimedMoment], total: float, nominal: bool) -> str:
    if len(timed_moments) == 1:
        timed = timed_moments[0]
        if timed.moment.pace == "slow":
            return f"It grows over the first {_seconds(rise(timed, total))} and stays."
        if timed.moment.pace == "sudden":
            return f"It breaks in within {_seconds(rise(timed, total))} and stays."
        return "It is there from the start and lasts throughout."
    said = []
    for timed in timed_moments:
        until = f"to {_seconds(timed.end)}" if timed.end is not None else "to the end"
        speed = "" if timed.start == 0 else f", reached in {rise(timed, total):.2f} s"
        said.append(f"from {_seconds(timed.start)} {until} {feeling(timed.face)}{speed}")
    text = _sentence("; ".join(said))
    return text + (f" No length was given, so {_seconds(total)} are assumed." if nominal else "")
