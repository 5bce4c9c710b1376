"""Sentences with what they should move, for the planner's tests and for `benchmarks.think`."""

import re
from pathlib import Path
from typing import NamedTuple

from tbd.think import MusclePlan

WORDS = {
    "angry": "angry", "contempt": "contemptuous", "disgusted": "disgusted", "fear": "afraid", "happy": "happy", "neutral": "neutral",
    "sad": "sad", "surprised": "surprised",
}  # fmt: skip
DEGREES = ("slightly", "fairly", "", "very", "utterly")
"""Words that strengthen a feeling, in order."""
SHOWS = 0.1
"""Intensity from which a coder scores a unit."""
PARAPHRASES = {  # ten of each
    "angry": "angry|she is angry|full of anger|He looks angry|angrily|feeling angry|mad at him|"
    "with anger in his voice|hostile|they are angry",
    "happy": "happy|she is happy|full of joy|cheerful|happily|feeling happy|delighted|with joy in her voice|He looks joyful|merry",
    "sad": "sad|she is sad|full of sorrow|sorrowful|sadly|feeling sad|miserable|with sadness in his voice|He looks sad|she is upset",
    "fear": "afraid|she is afraid|full of fear|frightened|fearfully|feeling scared|scared|with fear in his voice|"
    "He looks frightened|alarmed",
}
TIMED = [
    ("she fights back tears, then smiles", [1, 12]),
    ("Her smile slowly fades into a frown", [12, 4]),
    ("Shock gives way to joy", [2, 12]),
    ("sad at first, smiles at the end", [15, 12]),
    ("after crying, she smiles", [15, 12]),
    ("She smiles after crying", [15, 12]),
    ("She frowns before smiling", [4, 12]),
    ("Before smiling, she frowns", [4, 12]),
    ("from angry to sad", [23, 15]),
    ("angry -> happy", [4, 12]),
    ("[0-2s] sadness [2-5s] joy", [15, 12]),
    ("sad from 0 to 2 seconds, happy from 2 to 4 seconds", [15, 12]),
    ("sad for two seconds, then happy", [15, 12]),
    ("She was happy, now she is sad", [12, 15]),
    ("First happy, then sad, then angry", [12, 15, 23]),
    ("He starts out surprised, becomes annoyed, and ends up laughing", [2, 4, 12]),
    ("he says he is fine, but he is fighting back tears; in the end a small, bitter smile", [1, 12]),
    ("a flash of fear before she smiles", [20, 12]),
    ("angry, but at 3 seconds she smiles", [4, 12]),
    ("disgusted until the end, when finally he laughs", [9, 12]),
]
"""Sentences in time, and units of the events in their order."""


class Sentence(NamedTuple):
    """A line of ``sentences.txt``; a unit is a number, with L or R where it must be on that side alone."""

    group: str
    text: str
    expected: set[str]
    forbidden: set[str]


def sentences() -> list[Sentence]:
    """All of ``sentences.txt``."""
    found, group = [], ""
    for line in (Path(__file__).parent / "sentences.txt").read_text(encoding="utf-8").splitlines():
        if line.startswith("["):
            group = line.strip("[]")
        elif line and not line.startswith("#"):
            text, expected, forbidden = (field.strip() for field in line.split("|"))
            found.append(Sentence(group, text, set(expected.split()), set(forbidden.split())))
    return found


class Measured(NamedTuple):
    """A line of ``measured.txt``."""

    text: str
    checks: list[str]


def measured() -> list[Measured]:
    """All of ``measured.txt``."""
    lines = (Path(__file__).parent / "measured.txt").read_text(encoding="utf-8").splitlines()
    pairs = (line.rsplit("|", 1) for line in lines if "|" in line and not line.startswith("#"))
    return [Measured(text.strip().replace("\\n", "\n"), checks.split()) for text, checks in pairs]


def leading(plan: MusclePlan, time: float) -> str:
    """The emotion that leads at a time."""
    segment = next(s for s in plan.timeline() if s.start <= time and (s.end is None or time < s.end))
    return max(segment.emotions, key=lambda emotion: segment.emotions[emotion]) if segment.intensity >= 0.05 else "neutral"


def sides_at(plan: MusclePlan, unit: int, time: float) -> set[str]:
    """The sides on which a unit is at work at a time."""
    at_work = (a for a in plan.actions if (a.onset or 0) <= time and (a.offset is None or time <= a.offset))
    return {a.side for a in at_work if a.unit == unit and a.intensity >= SHOWS}


def holds(plan: MusclePlan, check: str) -> bool:
    """Whether a plan passes a check of ``measured.txt``."""
    kind, _, value = check.partition(":")
    if kind in ("note", "silent"):
        return bool(plan.notes) == (kind == "note")
    if kind == "mix":
        return all(abs(plan.emotions.get(name, 0) - float(share)) < 0.03 for name, share in re.findall(r"([a-z]+)([\d.]+)", value))
    if kind == "below":
        return 0 < plan.intensity < float(value)
    if kind == "never":
        return all(segment.emotions.get(value, 0) < 0.1 for segment in plan.timeline())
    if check.startswith("i~"):
        return abs(plan.intensity - float(check[2:])) < 0.02
    if repeated := re.fullmatch(r"AU(\d+)x(\d+)", check):
        return sum(a.unit == int(repeated[1]) for a in plan.actions) == int(repeated[2])
    if strong := re.fullmatch(r"AU(\d+)~([\d.]+)", check):
        return any(a.unit == int(strong[1]) and abs(a.intensity - float(strong[2])) < 0.02 for a in plan.actions)
    if unit := re.fullmatch(r"AU(\d+)([LR]?)", value):
        sides = sides_at(plan, int(unit[1]), float(kind))
        return sides == {{"L": "left", "R": "right"}[unit[2]]} if unit[2] else bool(sides)
    return leading(plan, float(kind)) == value


def units(plan: MusclePlan) -> dict[int, set[str]]:
    """Unit → the sides that it shows on."""
    shown: dict[int, set[str]] = {}
    for action in plan.actions:
        if action.intensity >= SHOWS:
            shown.setdefault(action.unit, set()).add(action.side)
    return shown


def shows(plan: MusclePlan, expected: str) -> bool:
    """Whether a plan shows a unit, on its side alone where one is named."""
    number, side = re.fullmatch(r"(\d+)([LR]?)", expected).groups()
    sides = units(plan).get(int(number), set())
    return sides == {"left" if side == "L" else "right"} if side else bool(sides)
