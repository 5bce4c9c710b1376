"""From records to figures: accuracy, confusion, units, validity, calibration, speed."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np

from benchmarks.think.families import FAMILIES, SEEN
from benchmarks.think.judge import Record
from benchmarks.think.units import scores
from tbd.think.emotions import EMOTIONS

BINS = 10


def calibration(pairs: Sequence[tuple[float, bool]]) -> dict[str, Any]:
    """Compare confidence with the share of right ones.

    Args:
        pairs: Confidence, 0..1, and whether it was right.

    Returns:
        ``ece``, the mean distance between both over `BINS` bins of confidence, weighted by their sizes; ``n``; and the bins.

    Example:
        >>> calibration([(0.9, True), (0.9, True), (0.3, True), (0.3, False)])["ece"]
        0.15
    """
    bins: list[list[tuple[float, bool]]] = [[] for _ in range(BINS)]
    for confidence, right in pairs:
        bins[min(int(confidence * BINS), BINS - 1)].append((confidence, right))
    rows = [[float(np.mean([c for c, _ in b])), float(np.mean([r for _, r in b])), len(b)] for b in bins if b]
    error = sum(count * abs(sure - right) for sure, right, count in rows) / max(len(pairs), 1)
    return {"ece": round(error, 4), "n": len(pairs), "bins": rows}


def confusion(records: Iterable[Record]) -> list[list[int]]:
    """Count what leads: rows are the emotions that should, columns those that do. Where several may lead, it is the one that does if
    it is among them, and else the first.
    """
    table = np.zeros((len(EMOTIONS), len(EMOTIONS)), int)
    for record in records:
        if record["leading"] and record["got"] is not None:
            should = record["got"] if record["got"] in record["leading"] else record["leading"][0]
            table[EMOTIONS.index(should), EMOTIONS.index(record["got"])] += 1
    return table.tolist()


def _part(records: Sequence[Record], key: str | None = None) -> dict[str, Any]:
    """The figures of some records, or of their drafts."""
    found = [record[key] | {"leading": record["leading"]} if key and key in record else record for record in records]
    judged = [record for record in found if record["right"] is not None]
    checked = [record for record in records if record["family"] == "timed" or record["failed"]]
    return {
        "n": len(found),
        "leading": {"right": sum(record["right"] for record in judged), "n": len(judged)},
        "whole": sum(record["whole"] for record in found),
        "checks": {"held": sum(not record["failed"] for record in checked), "n": len(checked)},
        "units": scores(found) if any(record["hits"] + record["missed"] + record["wrong"] for record in found) else None,
    }


def summarize(records: Sequence[Record]) -> dict[str, Any]:
    """All figures of one planner.

    Args:
        records: One for each sentence.

    Returns:
        By family and by source, over all; the drafts of a language model; confusion; calibration; validity; time.
    """
    by: Callable[[str, str], list[Record]] = lambda field, value: [record for record in records if record[field] == value]  # noqa: E731
    done = [record for record in records if "seconds" in record]
    spent = {name: [record[name] for record in done] for name in ("seconds", "cpu_seconds")}
    judged = [record for record in done if record["leading"]]
    sources = dict.fromkeys(record["source"] for record in records)
    classified = [r for r in judged if r.get("classifier")]
    result: dict[str, Any] = {
        "sentences": len(records),
        "families": {family: _part(by("family", family)) for family in FAMILIES if by("family", family)},
        "sources": {f"{source} ({'seen' if source in SEEN else 'unseen'})": _part(by("source", source)) for source in sources},
        "units": _part(records)["units"],
        "valid": {name: float(np.mean([record[name] for record in records])) for name in ("unmended", "mended")},
        "errors": [record["error"] for record in records if "error" in record],
        "seconds": {f"{name} {kind}": value for name, row in spent.items() for kind, value in _spread(row).items()},
        "confusion": confusion(records),
        "calibration": {"weight of the leading emotion": calibration([(r["weight"], bool(r["right"])) for r in judged])},
    }
    if classified:
        pairs = [(r["classifier"]["confidence"], r["classifier"]["got"] in r["leading"]) for r in classified]
        result["calibration"]["classifier"] = calibration(pairs)
    if any("draft" in record for record in records):
        result["draft"] = {"all": _part(records, "draft"), "units": _part(records, "draft")["units"]}
    return result


def _spread(values: Sequence[float]) -> dict[str, float]:
    return {"median": float(np.median(values)), "95th percentile": float(np.percentile(values, 95))} if values else {}
