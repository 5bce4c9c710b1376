"""`tbd study fit`: scores of a study's answers, one table for each question."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rich import box
from rich.console import Console
from rich.table import Table

from tbd.evaluation.study.bradley_terry import Ranking, agreement, rank
from tbd.evaluation.study.key import StudyKey, Vote
from tbd.utils.atomic import atomic_output


def fit_study(key: StudyKey, votes: Sequence[Vote], resamples: int = 1000, seed: int = 0) -> list[dict[str, Any]]:
    """Rank a study's methods by each of its questions.

    Args:
        key: The study's key.
        votes: Its answers.
        resamples: Number of bootstrap samples.
        seed: Seed of the bootstrap.

    Returns:
        For each question that was answered: ``question``, ``raters``, ``agreement`` of repeated pairs, ``resampled``, and ``methods``, best
        first: name, score, interval, share of comparisons won by the scores, and number of comparisons.
    """
    results = []
    for number, question in enumerate(key.questions):
        asked = [vote for vote in votes if vote.question == number]
        counted = [vote for vote in asked if not vote.repeated]
        if not counted:
            continue
        ranking = rank(counted, key.methods, resamples, seed)
        results.append(
            {
                "question": question,
                "raters": ranking.raters,
                "agreement": agreement(asked),
                "resampled": ranking.resampled,
                "methods": [_row(ranking, place) for place in range(len(ranking.methods))],
            }
        )
    return results


def _row(ranking: Ranking, place: int) -> dict[str, Any]:
    numbers = {"score": ranking.scores, "low": ranking.low, "high": ranking.high, "share": ranking.share}
    row = {"name": ranking.methods[place], **{name: round(float(values[place]), 4) for name, values in numbers.items()}}
    return {**row, "comparisons": round(float(ranking.votes[place])), "alike": _alike(ranking, place)}


def _alike(ranking: Ranking, place: int) -> list[str]:
    """The methods whose intervals overlap with one's: the study does not tell them apart."""
    return [name for other, name in enumerate(ranking.methods) if other != place and ranking.overlaps(place, other)]


def save_results(path: Path, results: Sequence[dict[str, Any]], study: str) -> None:
    """Write results as JSON.

    Args:
        path: File to write.
        results: What `fit_study` returned.
        study: Name of the study.
    """
    with atomic_output(path) as temporary:
        temporary.write_text(
            json.dumps({"format": "tbd-preference-1", "study": study, "results": results}, indent=1) + "\n", encoding="utf-8"
        )


def print_results(results: Sequence[dict[str, Any]], console: Console) -> None:
    """Print a table for each question.

    Args:
        results: What `fit_study` returned.
        console: Where to print.
    """
    for result in results:
        console.print(f"[bold]{result['question']}[/]", highlight=False)
        table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
        table.add_column("method")
        for name in ("score", "95 %", "wins", "comparisons"):
            table.add_column(name, justify="right")
        table.add_column("not told apart from")
        for row in result["methods"]:
            interval = f"{row['low']:+.2f} … {row['high']:+.2f}"
            cells = (f"{row['score']:+.2f}", interval, f"{row['share']:.0%}", str(row["comparisons"]), ", ".join(row["alike"]) or "none")
            table.add_row(row["name"], *(cell.replace("-", "−") if number < 2 else cell for number, cell in enumerate(cells)))
        console.print(table)
        held = "" if result["agreement"] is None else f"; {result['agreement']:.0%} of repeated pairs were answered as before"
        console.print(
            f"{result['raters']} raters{held}. Scores are log-odds of being preferred to the average method (Bradley–Terry); "
            f"intervals are of a bootstrap over {result['resampled']}.",
            highlight=False,
        )
