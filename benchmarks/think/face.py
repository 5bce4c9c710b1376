"""Does a sentence become the right muscles, and do these reach the face?

Protocol ``think-1``. A planner thinks

- ``units``: every sentence of tests/think/sentences.txt. An expected unit that shows is a hit, one that does not is missed, a
  forbidden one that shows is wrong; what a sentence neither expects nor forbids is not judged. "hard" groups also by themselves;
- ``order``: twenty sentences in time. The events' units must peak in the sentence's order;
- ``paraphrases``: ten of each of four feelings. Cosine between the plans' intensities over units and sides;
- ``degrees``: every emotion with words from "slightly" to "utterly". The share of neighbours in which the stronger word gives
  the stronger feeling, and the stronger muscles.

With ``--model`` it also reads twenty of the plans back from the motion that the model draws (``face``). From each motion that
of a neutral plan is taken, drawn from the same voice and noise, so that what speech does to the face does not count. An asked
unit is found where it rises, while it is asked in full, by half of what is asked. An unasked one is found, and wrong, where it
rises on average by half of the plan's mean intensity in channels that no asked unit moves; a channel is charged to one such
unit, that which explains most. A change's timing error lies between the middle of the rise that is asked and the moment when
the face has risen half way.

`KnowledgePlanner` was written with these sentences at hand and its tests keep them: its figures say that nothing broke, not how
it fares with others.

    python -m benchmarks.think [--planner CLASS] [--model motion_base] --output out.json
"""

import time
from collections.abc import Callable, Iterable, Sequence
from itertools import combinations, pairwise
from pathlib import Path
from typing import Any

import numpy as np
from jsonargparse import lazy_instance

from benchmarks.common import environment, run, table, write_results
from tbd.draw.motion.diffusion import MotionDiffusion
from tbd.draw.motion.loading import load_motion_model
from tbd.media.rates import FPS, SAMPLE_RATE
from tbd.media.wav import read_wave
from tbd.think import KnowledgePlanner, MusclePlan, Planner
from tbd.think.action_units import ACTION_UNITS, Side
from tbd.think.emotions import EMOTIONS
from tbd.think.facs import measure, perform
from tbd.think.plan import RISE
from tbd.utils.sample_inputs import VOICE
from tests.think.sentences import DEGREES, PARAPHRASES, SHOWS, TIMED, WORDS, Sentence, sentences, shows

DEFAULT_PLANNER = lazy_instance(KnowledgePlanner)
SECONDS = 6.0
"""Length of the plans whose timing counts, and of the recording that is drawn."""
HALF = 0.5
"""Share of the asked intensity from which a unit is found."""
SETTLED = 0.6
"""Seconds before a rise's start and after its end whose median is its level."""
Muscle = tuple[int, Side]
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
    """Whether the units' centres of gravity in time, over `SECONDS`, follow each other; a unit that never moves is out of order."""
    values = perform(plan, round(SECONDS * FPS))
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
    """Everything that the protocol asks of a planner."""
    planner.plan("warm up")
    counts, times, lines = [], [], sentences()
    for line in lines:
        start = time.perf_counter()
        plan = planner.plan(line.text)
        times.append(1000 * (time.perf_counter() - start))
        counts.append(count_units(plan, line))
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
        "order": {text: in_order(planner.plan(text, SECONDS), order) for text, order in TIMED},
        "paraphrases": {emotion: {"mean": float(np.mean(row)), "least": min(row)} for emotion, row in alike.items()},
        "degrees": degrees,
        "milliseconds": {"median": float(np.median(times)), "95th percentile": float(np.percentile(times, 95))},
    }


# -- a plan reaches the face ---------------------------------------------------------------------------------------


def face_texts() -> list[str]:
    """Twenty texts: ten that last, spread over the sentences that expect a unit, and every second one in time."""
    lasting = [line.text for line in sentences() if line.expected and not line.group.startswith("hard")]
    return lasting[:: len(lasting) // 10][:10] + [text for text, _ in TIMED][::2]


def asked_levels(plan: MusclePlan, times: np.ndarray) -> dict[Muscle, np.ndarray]:
    """(T,) intensity asked of each unit on each side, of those that show at all."""
    levels: dict[Muscle, np.ndarray] = {}
    for action in plan.actions:
        key = (action.unit, action.side)
        levels[key] = np.maximum(levels.get(key, 0.0), action.envelope(times))
    return {key: level for key, level in levels.items() if level.max() >= SHOWS}


def count_found(plan: MusclePlan, change: np.ndarray) -> Counts:
    """How the units in `change`, (T, 58) motion less that of a neutral plan, agree with those that the plan asks for."""
    asked = asked_levels(plan, np.arange(len(change)) / FPS)
    if not asked:
        return {"hits": 0, "missed": 0, "wrong": 0}
    hits = 0
    for (unit, side), level in asked.items():
        full = level >= 0.9 * level.max()
        hits += bool(measure(change, unit, side)[full].mean() >= HALF * level[full].mean())
    threshold = HALF * np.mean([level.max() for level in asked.values()])
    taken = {channel for unit, side in asked for channel in ACTION_UNITS[unit].combination(side)}
    return {"hits": hits, "missed": len(asked) - hits, "wrong": len(unasked(change, taken, threshold))}


def unasked(change: np.ndarray, taken: set[str], threshold: float) -> list[Muscle]:
    """Units that rise on average by `threshold` in channels outside `taken`: first that which explains most, no channel twice."""
    taken, found = set(taken), []
    rises = {(unit.number, side): float(measure(change, unit.number, side).mean()) for unit in ACTION_UNITS.values() for side in unit.sides}
    weights = {key: ACTION_UNITS[key[0]].combination(key[1]) for key in rises}
    # of a projection, length times the combination's norm is what it explains: both sides before one, AU12 before AU13
    for key in sorted(rises, key=lambda key: -rises[key] * np.linalg.norm(list(weights[key].values()))):
        if rises[key] >= threshold and not weights[key].keys() & taken:
            found.append(key)
            taken |= weights[key].keys()
    return found


def timing_errors(plan: MusclePlan, change: np.ndarray) -> list[float | None]:
    """Found less asked seconds of every rise within the recording; None where less than half of the asked rise is there."""
    times = np.arange(len(change)) / FPS
    asked = asked_levels(plan, times)
    errors = []
    for action in plan.actions:
        key = (action.unit, action.side)
        if action.onset is None or action.onset < 2 / FPS or key not in asked:
            continue
        apex = action.onset + RISE if action.apex is None else action.apex
        if apex > times[-1]:
            continue
        before = (times >= action.onset - SETTLED) & (times <= action.onset)
        after = (times >= apex) & (times <= min(apex + SETTLED, max(action.offset or np.inf, apex + 1 / FPS)))
        wanted = asked[key][after].mean() - asked[key][before].mean()
        if wanted >= SHOWS:  # else the muscle is there already, for another moment
            shown = np.convolve(np.pad(measure(change, *key), 1, mode="edge"), np.full(3, 1 / 3), mode="valid")
            low, high = np.median(shown[before]), np.median(shown[after])
            middle = _crossing(times, shown, (low + high) / 2, action.onset - 1, apex + 1) if high - low >= HALF * wanted else None
            errors.append(None if middle is None else middle - (action.onset + apex) / 2)
    return errors


def _crossing(times: np.ndarray, values: np.ndarray, level: float, start: float, end: float) -> float | None:
    """When, between `start` and `end` seconds, `values` first rises through `level`, to a fraction of a frame."""
    for i in np.flatnonzero((values[:-1] < level) & (values[1:] >= level)):
        if start <= times[i] <= end:
            return float(times[i] + (level - values[i]) / (values[i + 1] - values[i]) / FPS)
    return None


def reach(planner: Planner, draw: Callable[[MusclePlan], np.ndarray]) -> dict[str, Any]:
    """Read plans back from what `draw` makes of them, (T, 58) motion of `SECONDS`."""
    neutral, plans = draw(MusclePlan()), {text: planner.plan(text, SECONDS) for text in face_texts()}
    changes = {text: draw(plan) - neutral for text, plan in plans.items()}
    counts = {text: count_found(plans[text], changes[text]) for text in plans}
    errors = [error for text in plans for error in timing_errors(plans[text], changes[text])]
    there = np.array([error for error in errors if error is not None])
    timing = {"changes": len(errors), "reached": len(there)}
    if len(there):
        late, off = float(there.mean()), np.abs(there)
        timing |= {"median": float(np.median(off)), "mean": float(off.mean()), "greatest": float(off.max()), "late": late}
    return {"units": scores(counts.values()), "timing": timing, "plans": counts}


def drawer(model: MotionDiffusion, audio: np.ndarray) -> Callable[[MusclePlan], np.ndarray]:
    """Plan → motion of the first `SECONDS` of a voice, always from the same noise."""
    excerpt = audio[: round(SECONDS * SAMPLE_RATE)]
    return lambda plan: np.concatenate([piece.values for piece in model.generate(excerpt, plan, seed=0)])


def think(planner: Planner = DEFAULT_PLANNER, model: str | None = None, audio: Path = VOICE, output: Path | None = None) -> None:
    """Measure a planner, and how its plans reach the face.

    Args:
        planner: what thinks.
        model: packaged name, folder, or hub repository of a motion model; without one no face is drawn.
        audio: 16 kHz mono speech of at least six seconds; the sample voice where not given.
        output: a .json file for the results; tables go beside it as .md.
    """
    drawn = drawer(load_motion_model(model), read_wave(audio)) if model is not None else None
    results = {"protocol": "think-1", "environment": environment(), "planner": type(planner).__name__, **judge(planner)}
    results["face"] = reach(planner, drawn) if drawn is not None else None
    write_results(output, results, report(results))


def report(results: dict[str, Any]) -> str:
    """The results as markdown."""
    counts, order, speed = results["sentences"], results["order"], results["milliseconds"]
    rows = [[f"{name}, {counts[name]} sentences", *row.values()] for name, row in results["units"].items()]
    face = results["face"]
    if face:
        rows.append([f"on the face, {len(face['plans'])} plans", *face["units"].values()])
    paraphrases = [[name, *row.values()] for name, row in results["paraphrases"].items()]
    degrees = [[name, *(f"{value:.0%}" for value in row.values())] for name, row in results["degrees"].items()]
    parts = [f"## {results['protocol']}: {results['planner']}", table(["units", "precision", "recall", "F1"], rows)]
    parts.append(f"Events in order in {sum(order.values())} of {len(order)} sentences.")
    if face:
        timing = {k: f"{v:.2f} s" for k, v in face["timing"].items() if isinstance(v, float)}
        offsets = "; ".join(f"{name} {value}" for name, value in timing.items())
        parts.append(f"{face['timing']['reached']} of {face['timing']['changes']} changes reach the face; off by: {offsets}.")
    parts += [table(["paraphrases of", "mean cosine", "least"], paraphrases), table(["degrees of", "feeling", "muscles"], degrees)]
    parts.append(f"{speed['median']:.1f} ms a plan, 95th percentile {speed['95th percentile']:.1f} ms.")
    return "\n\n".join(parts)


if __name__ == "__main__":
    run(think, many=None)
