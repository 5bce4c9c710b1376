"""How often the leading emotion of a situation is right, by language, and how well the doubt is calibrated.

    python -m benchmarks.situations.evaluate [--fitted FITTED.npz] --output out.json

Protocol ``situations-1``. ``test.tsv`` was written before any sentence of ``train.tsv``, on other topics, and is judged twice: by the
classifier alone and by `SituationPlanner`, which also has the rules. The `LATER` sets were written after the sentences of an earlier
fit, ``fourth.tsv`` before the present one and by somebody who saw no other sentences; ``mirth.tsv`` before its sentences were tried on what
reads others' laughter.

An emotion is right where the sentence's mix has it; "strict"
counts the mix's first alone. The expected calibration error has ten bins. With ``--fitted`` also the folds of the training sentences,
each a set of topics, or languages, that its member did not see.
"""

import hashlib
import json
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.common import environment, run, table, write_results
from benchmarks.situations.data import Row, rows
from benchmarks.situations.train import choose_temperature, judged_by_folds, probabilities
from tbd.think.emotions import EMOTIONS
from tbd.think.situations import SituationPlanner
from tbd.think.situations.classifier import WEIGHTS

BINS = 10
LATER = ("everyday", "second", "third", "fourth", "mirth")
"""Sets that are judged by the planner alone."""
Judged = list[tuple[Row, str, float]]
"""Sentence, leading emotion, confidence."""


def calibration_error(judged: Judged) -> float:
    """Mean distance between confidence and share of right ones, over bins of confidence."""
    confidence = np.array([sure for _, _, sure in judged])
    right = np.array([leading in row.felt for row, leading, _ in judged])
    bins = np.minimum((confidence * BINS).astype(int), BINS - 1)
    return float(sum((bins == b).mean() * abs(confidence[bins == b].mean() - right[bins == b].mean()) for b in set(bins.tolist())))


def score(judged: Iterable[tuple[Row, str, float]]) -> dict[str, Any]:
    """How many are right, and strictly right, of how many."""
    listed = list(judged)
    right = sum(leading in row.felt for row, leading, _ in listed)
    strict = sum(leading == next(iter(row.felt)) for row, leading, _ in listed)
    return {"right": right, "strict": strict, "n": len(listed)}


def scores(judged: Judged) -> dict[str, dict[str, Any]]:
    """By kind of sentence and by language."""
    kinds: dict[str, Callable[[Row], bool]] = {
        "situations in English": lambda row: row.language == "en" and not row.is_factual,
        "other languages": lambda row: row.language != "en" and not row.is_factual,
        "factual": lambda row: row.is_factual,
    }
    parts = {name: score(j for j in judged if belongs(j[0])) for name, belongs in kinds.items()}
    return parts | {code: score(j for j in judged if j[0].language == code) for code in sorted({row.language for row, _, _ in judged})}


def by_planner(sentences: Sequence[Row], planner: SituationPlanner) -> Judged:
    """What leads in the planner's plans; its plans carry no confidence."""
    plans = [planner.plan(row.text) for row in sentences]
    leading = [max(p.emotions, key=lambda e: p.emotions[e]) if p.intensity >= 0.05 else "neutral" for p in plans]
    return [(row, emotion, 1.0) for row, emotion in zip(sentences, leading)]


def by_folds(fitted: dict[str, np.ndarray]) -> Judged:
    """What leads in the training sentences, each judged by the member that did not see its topic."""
    sentences, outputs = judged_by_folds(fitted, rows("train"))
    logits = outputs[:, : len(EMOTIONS)]
    likely = probabilities(logits, choose_temperature(logits, sentences))
    return [(row, EMOTIONS[int(p.argmax())], float(p.max())) for row, p in zip(sentences, likely)]


def evaluate(output: str, fitted: str | None = None) -> None:
    """Measure; see the top of this file.

    Args:
        output: results, as JSON and markdown; the folds of earlier results stay there if they are of the same weights.
        fitted: what `benchmarks.situations.fit` has written.
    """
    planner, sentences = SituationPlanner(), rows("test")
    assert planner.classifier is not None, "measuring needs a sentence encoder"
    situations = planner.classifier.classify([row.text for row in sentences])
    alone = [(row, s.leading, s.confidence) for row, s in zip(sentences, situations)]
    results: dict[str, Any] = {
        "protocol": "situations-1",
        "environment": environment(),
        "weights": hashlib.sha256(WEIGHTS.read_bytes()).hexdigest(),
        "classifier": scores(alone),
        "planner": scores(by_planner(sentences, planner)),
        **{name: scores(by_planner(rows(name), planner)) for name in LATER},
        "calibration error": {"test": calibration_error(alone)},
    }
    if fitted is not None:
        with np.load(fitted) as archive:
            judged = by_folds(dict(archive))
        results["folds"] = scores(judged)
        results["calibration error"]["folds"] = calibration_error(judged)
    elif Path(output).is_file():
        earlier = json.loads(Path(output).read_text(encoding="utf-8"))
        if earlier.get("weights") == results["weights"] and "folds" in earlier:
            results["folds"] = earlier["folds"]
            results["calibration error"]["folds"] = earlier["calibration error"]["folds"]
    write_results(output, results, _markdown(results))


def _markdown(results: dict[str, Any]) -> str:
    names = [name for name in ("classifier", "planner", *LATER, "folds") if name in results]
    keys = list(results["classifier"])
    lines = [
        [key, *(f"{r['right']} of {r['n']} ({r['strict']})" if (r := results[n].get(key)) and r["n"] else "" for n in names)]
        for key in keys
    ]
    doubt = "; ".join(f"{name} {value:.3f}" for name, value in results["calibration error"].items())
    return f"{table(['right (strict)', *names], lines)}\n\nExpected calibration error: {doubt}."


if __name__ == "__main__":
    run(evaluate, many=None)
