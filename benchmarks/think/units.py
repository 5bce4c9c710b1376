"""Units, order, paraphrases and degrees: the sentences by which the rules were made."""

from collections.abc import Iterable, Sequence
from itertools import combinations, pairwise
from typing import Any

import numpy as np

from benchmarks.think.families import TIMED_SECONDS
from tbd.media.rates import FPS
from tbd.think import MusclePlan, Planner
from tbd.think.action_units import ACTION_UNITS
from tbd.think.emotions import EMOTIONS
from tbd.think.facs import measure, perform
from tests.think.sentences import DEGREES, PARAPHRASES, TIMED, WORDS, Sentence, sentences, shows

Counts = dict[str, int]


def scores(counts: Iterable[Counts]) -> dict[str, float]:
    """Precision, recall and F1 of all counts of ``hits``, ``missed`` and ``wrong`` together.

    Example:
        >>> scores([{"hits": 2, "missed": 1, "wrong": 0}, {"hits": 1, "missed": 1, "wrong": 1}])
        {'precision': 0.75, 'recall': 0.6, 'f1': 0.6666666666666666}
    """
    rows = list(counts)
    hits, missed, wrong = (sum(row[name] for row in rows) for name in ("hits", "missed", "wrong"))
    return {
        "precision": hits / max(hits + wrong, 1),
        "recall": hits / max(hits + missed, 1),
        "f1": 2 * hits / max(2 * hits + missed + wrong, 1),
    }


def count_units(plan: MusclePlan, sentence: Sentence) -> Counts:
    """How a plan's units agree with those that its sentence expects and forbids."""
    hits = sum(shows(plan, unit) for unit in sentence.expected)
    return {"hits": hits, "missed": len(sentence.expected) - hits, "wrong": sum(shows(plan, unit) for unit in sentence.forbidden)}


def in_order(plan: MusclePlan, order: Sequence[int]) -> bool:
    """Whether the units' centres of gravity in time, over `TIMED_SECONDS`, follow each other; a unit that never moves is out of order."""
    values = perform(plan, round(TIMED_SECONDS * FPS))
    levels = [measure(values, unit) for unit in order]
    centres = [float(np.average(np.arange(len(level)), weights=level)) for level in levels if level.max() > 0]
    return len(centres) == len(order) and centres == sorted(centres)


def unit_vector(plan: MusclePlan) -> np.ndarray:
    """(units, 2) greatest intensity of each unit on the left and on the right."""
    vector = np.zeros((len(ACTION_UNITS), 2))
    for action in plan.actions:
        row = vector[list(ACTION_UNITS).index(action.unit), {"both": slice(0, 2), "left": slice(0, 1), "right": slice(1, 2)}[action.side]]
        np.maximum(row, action.intensity, out=row)
    return vector


def cosines(plans: Sequence[MusclePlan]) -> list[float]:
    """Cosine between the `unit_vector` of every two plans; 0 where one moves nothing."""
    vectors = [unit_vector(plan).ravel() for plan in plans]
    return [float(a @ b / max(np.linalg.norm(a) * np.linalg.norm(b), 1e-9)) for a, b in combinations(vectors, 2)]


def rising(values: Sequence[float]) -> float:
    """Share of neighbours in which the later is greater.

    Example:
        >>> rising([0.2, 0.4, 0.4, 0.6, 0.9])
        0.75
    """
    return float(np.mean([b > a for a, b in pairwise(values)]))


def judge(planner: Planner) -> dict[str, Any]:
    """Everything that is asked besides the five families: units, order, paraphrases, degrees."""
    lines = sentences()
    counts = [count_units(planner.plan(line.text), line) for line in lines]
    hard = [row for line, row in zip(lines, counts) if line.group.startswith("hard")]
    alike = {emotion: cosines([planner.plan(text) for text in texts.split("|")]) for emotion, texts in PARAPHRASES.items()}
    degrees = {}
    for emotion in (e for e in EMOTIONS if e != "neutral"):
        plans = [planner.plan(f"{word} {WORDS[emotion]}".strip()) for word in DEGREES]
        muscles = [sum(action.intensity for action in plan.actions) for plan in plans]
        degrees[emotion] = {"feeling": rising([plan.intensity for plan in plans]), "muscles": rising(muscles)}
    return {
        "units": {"all": scores(counts), "hard": scores(hard)},
        "faults": {line.text: row for line, row in zip(lines, counts) if row["missed"] or row["wrong"]},
        "sentences": {"all": len(lines), "hard": len(hard)},
        "order": {text: in_order(planner.plan(text, TIMED_SECONDS), order) for text, order in TIMED},
        "paraphrases": {emotion: {"mean": float(np.mean(row)), "least": min(row)} for emotion, row in alike.items()},
        "degrees": degrees,
    }
