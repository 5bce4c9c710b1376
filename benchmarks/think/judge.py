"""One planner, one sentence: what came of it, as a record that can be stored."""

import hashlib
import json
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.situations.evaluate import LATER
from benchmarks.think.families import TIMED_SECONDS, Item
from tbd.errors import TBDError
from tbd.think import MusclePlan, Planner, SituationPlanner
from tbd.think.llm.planner import ChatPlanner, completed
from tbd.think.plan_checks import check
from tbd.utils.atomic import atomic_output
from tests.think.sentences import holds, shows

Record = dict[str, Any]
_FELT = 0.05
"""Intensity from which an emotion leads."""


def leading(plan: MusclePlan) -> tuple[str, float]:
    """Find the emotion that leads a plan, and its weight in the mix.

    Args:
        plan: Any plan.

    Returns:
        Name and weight; neutral where nothing is felt.
    """
    if plan.intensity < _FELT:
        return "neutral", 1.0
    name = max(plan.emotions, key=lambda emotion: plan.emotions[emotion])
    return name, plan.emotions[name]


def score(plan: MusclePlan, item: Item) -> Record:
    """Compare a plan with what its sentence must lead to.

    Args:
        plan: The plan.
        item: The sentence.

    Returns:
        ``got``, its ``weight``, whether it is ``right`` (None: not judged), ``hits``, ``missed``, ``wrong`` units, ``failed`` checks,
        and whether it is ``whole``: nothing missed, wrong or failed.
    """
    got, weight = leading(plan)
    hits = sum(any(shows(plan, unit) for unit in units) for units in item.expected)
    wrong = [unit for unit in item.forbidden if shows(plan, unit)]
    failed = [check for check in item.checks if not _holds(plan, check)]
    right = got in item.leading if item.leading else None
    missed = len(item.expected) - hits
    whole = right is not False and not missed and not wrong and not failed
    return dict(got=got, weight=weight, right=right, hits=hits, missed=missed, wrong=len(wrong), failed=failed, whole=whole)


def _holds(plan: MusclePlan, wanted: str) -> bool:
    """Whether one of a check's alternatives holds: "5:sad/angry"."""
    moment, _, names = wanted.partition(":")
    return any(holds(plan, f"{moment}:{name}" if names else wanted) for name in (names or moment).split("/"))


def is_complete(plan: MusclePlan) -> bool:
    """Return whether a plan needs no mending: nothing that a face could not do, and muscles where something is felt."""
    return not check(plan) and bool(plan.actions or leading(plan)[0] == "neutral")


def measure(planner: Planner, item: Item) -> Record:
    """Think one sentence.

    Args:
        planner: Any planner.
        item: The sentence.

    Returns:
        `score` of the plan, with the time, whether it is complete and valid ``unmended`` and ``mended``, and for a language
        model the score of its ``draft``; ``error`` where no plan came.
    """
    duration = TIMED_SECONDS if item.is_timed else None
    record: Record = {"family": item.family, "source": item.source, "text": item.text, "leading": item.leading}
    start = time.perf_counter()
    cpu = time.process_time()
    try:
        draft = planner.draft(item.text, duration) if isinstance(planner, ChatPlanner) else planner.plan(item.text, duration)
        plan = completed(draft) if isinstance(planner, ChatPlanner) else draft
    except TBDError as error:
        nothing = dict(got=None, weight=0.0, right=False if item.leading else None, hits=0, missed=len(item.expected), wrong=0)
        return record | nothing | dict(failed=list(item.checks), whole=False, error=str(error), unmended=False, mended=False)
    record |= {"seconds": time.perf_counter() - start, "cpu_seconds": time.process_time() - cpu}
    record |= {"unmended": is_complete(draft), "mended": is_complete(completed(plan))} | score(plan, item)
    if isinstance(planner, ChatPlanner):
        record["draft"] = score(draft, item)
    if isinstance(planner, SituationPlanner) and planner.classifier is not None and item.source in ("test", *LATER):
        situation = planner.classifier.read(item.text)
        record["classifier"] = None if situation is None else {"got": situation.leading, "confidence": situation.confidence}
    return record


def measure_all(planner: Planner, sentences: Sequence[Item], file: Path | None) -> list[Record]:
    """Think all sentences, and store each record at once: a run that was stopped goes on where it was.

    Args:
        planner: Any planner.
        sentences: In this order.
        file: JSON lines; None: nothing is stored.

    Returns:
        The records, in the order of the sentences.
    """
    known = (
        {} if file is None or not file.is_file() else {r["key"]: r for r in map(json.loads, file.read_text(encoding="utf-8").splitlines())}
    )
    planner.plan("warm up") if not isinstance(planner, ChatPlanner) else None
    records = []
    for number, item in enumerate(sentences, 1):
        key = hashlib.sha256(repr(item).encode()).hexdigest()[:16]
        if key not in known:
            known[key] = {"key": key, **measure(planner, item)}
            if file is not None:
                with atomic_output(file) as temporary:
                    lines = (json.dumps(record, ensure_ascii=False, default=float) for record in known.values())
                    temporary.write_text("\n".join(lines) + "\n", encoding="utf-8")
            if isinstance(planner, ChatPlanner):
                print(f"{number} of {len(sentences)}: {known[key].get('seconds', 0):.0f} s", file=sys.stderr)
        records.append(known[key])
    return records
