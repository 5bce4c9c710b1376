"""Rows that the board has recomputed from their predictions, and rows that it has not.

A checksum without a secret shows that a file was damaged, not that its numbers were measured: anybody can write one. So the board's
keeper runs `tbd leaderboard verify` on the predictions, and what was found is kept in one file beside the rows, where every change
of it is seen:

    benchmarks/leaderboard/verified.json        <PROTOCOL>/<ROW> → `Verification`

A row that was changed since is "as submitted" again. Who doubts a record has the predictions measured once more.
"""

import math
from collections.abc import Collection
from pathlib import Path
from typing import NamedTuple

from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError

from tbd.errors import InputError
from tbd.evaluation.leaderboard.entry import Entry
from tbd.evaluation.predictions import RUN
from tbd.evaluation.scores import Issue, Scores, Value
from tbd.utils.atomic import atomic_output
from tbd.utils.checksum import checksum
from tbd.utils.user_warnings import warn

FILE = "verified.json"
TOLERANCE = 1e-3
"""Part by which a recomputed number may differ: decoders and trackers differ in the last digits from machine to machine."""
_LEAST = 1e-6


class Verification(BaseModel):
    """One row that was recomputed.

    Args:
        row: `digest` of the row.
        predictions: `checksum_of_files` of the videos and motions.
        date: When it was recomputed.
        commit: Commit of tbd that did it, where that is known.
        difference: Greatest relative difference of a number.
        unchecked: Metrics of the row that the board could not measure, since their weights are not on its machine.
        truth: Whether the board coded the true clips itself and measured those: a row is the ground truth by nothing that it says.
    """

    model_config = ConfigDict(extra="forbid")

    row: str
    predictions: str
    date: str
    commit: str | None = None
    difference: float
    unchecked: tuple[str, ...] = ()
    truth: bool = False


_RECORDS = TypeAdapter(dict[str, Verification])


def digest(entry: Entry) -> str:
    """Compute the checksum of all that a verification speaks for: the row's name and its scores."""
    return checksum({"name": entry.name, "protocol": entry.protocol, "scores": entry.measured_scores.model_dump(mode="json")})


def read_records(board: Path) -> dict[str, Verification]:
    """Read a board's records.

    Args:
        board: Folder of the board.

    Returns:
        ``PROTOCOL/ROW`` → record; none, with a warning, where the file is damaged.
    """
    path = board / FILE
    if not path.is_file():
        return {}
    try:
        return _RECORDS.validate_json(path.read_bytes())
    except ValidationError as error:
        first = error.errors()[0]
        warn(f"{path} is no file of `tbd leaderboard verify` ({first['msg']}); no row counts as verified.")
        return {}


def write_record(board: Path, entry: Entry, record: Verification | None) -> None:
    """Keep a row's record, or take it away.

    Args:
        board: Folder of the board.
        entry: The row.
        record: The record; None to take it away.
    """
    records, key = read_records(board), f"{entry.protocol}/{entry.slug}"
    if record is None and key not in records:
        return
    kept = {name: found for name, found in records.items() if name != key} | ({} if record is None else {key: record})
    with atomic_output(board / FILE) as temporary:
        temporary.write_bytes(_RECORDS.dump_json(dict(sorted(kept.items())), indent=1) + b"\n")


def is_verified(entry: Entry, records: dict[str, Verification]) -> bool:
    """Check whether a row was recomputed, and not changed since.

    Args:
        entry: The row.
        records: The board's records, as `read_records` gives them.

    Returns:
        True where its record fits what the row holds now.
    """
    record = records.get(f"{entry.protocol}/{entry.slug}")
    return entry.scores is not None and record is not None and record.row == digest(entry)


def is_complete(entry: Entry) -> bool:
    """Check whether every clip of the protocol was scored; a metric may be over fewer, see `Table.competes`."""
    scores = entry.measured_scores
    return scores.expected == scores.found == scores.scored > 0


class Comparison(NamedTuple):
    """What came of a comparison that found nothing wrong.

    Args:
        difference: Greatest relative difference of a number.
        unchecked: Metrics of the row that could not be measured.
    """

    difference: float
    unchecked: tuple[str, ...]


def compare(row: Scores, found: Scores, beyond: Collection[str] = ()) -> Comparison:
    """Compare a row with what its predictions give, and what it says of them with what lies beside them.

    Time, memory and predictor are the word of who predicted, and must be the same word in both.

    Args:
        row: The scores on the board.
        found: The scores that were measured now.
        beyond: Metrics that this machine lacks the weights for: a row's numbers of these are left unchecked.

    Returns:
        The greatest relative difference of a number, and what was left unchecked.

    Raises:
        InputError: If a number or an interval differs by more than `TOLERANCE`, one of the two lacks it, or the row says something
            else of its predictor, weights, costs or clips.
    """
    for name in ("protocol", "protocol_hash", "split", "content", "motion", "expected", "found", "scored"):
        if getattr(row, name) != getattr(found, name):
            raise InputError(f"its {name.replace('_', ' ')} is {getattr(row, name)}; the predictions give {getattr(found, name)}")
    worst, unchecked = 0.0, []
    for metric in sorted({*row.metrics, *found.metrics}):
        ours, theirs = row.metrics.get(metric), found.metrics.get(metric)
        if ours is None or theirs is None:
            raise InputError(f"the metric {metric} is in one of the two alone")
        if ours.number is not None and theirs.number is None and metric in beyond:
            unchecked.append(metric)
            continue
        if (ours.number is None) != (theirs.number is None):
            reason = theirs.absent or ours.absent
            raise InputError(f"{metric} is a number in one of the two alone ({reason})")
        for key in sorted({*ours.values, *theirs.values}):
            a, b = ours.values.get(key, math.nan), theirs.values.get(key, math.nan)
            off = abs(a - b)
            if not off <= TOLERANCE * max(abs(a), abs(b)) + _LEAST:
                raise InputError(f"{metric}{'' if key == 'value' else f' ({key})'} is {a:.6g}; the predictions give {b:.6g}")
            worst = max(worst, off / max(abs(a), abs(b), _LEAST))
        _require_same_interval(metric, ours, theirs)
        if (ours.clips, ours.reported, ours.better, ours.unit) != (theirs.clips, theirs.reported, theirs.better, theirs.unit):
            raise InputError(f"{metric} is over {ours.clips} clips; the predictions give {theirs.clips}, or another unit or direction")
    _require_same_claims(row, found, unchecked)
    return Comparison(worst, tuple(unchecked))


def _require_same_interval(metric: str, ours: Value, theirs: Value) -> None:
    """Of the half widths of two intervals, which are less exact than their means."""
    a, b = ours.error or 0.0, theirs.error or 0.0
    if not abs(a - b) <= TOLERANCE * max(a, b, abs(theirs.number or 0.0)) + _LEAST:
        raise InputError(f"{metric} is known to ±{a:.6g}; the predictions give ±{b:.6g}")


def _require_same_claims(row: Scores, found: Scores, unchecked: Collection[str]) -> None:
    """Of what a row says beside its numbers: whatever the board shows of it, the predictions' own files say too."""
    for name in ("speed", "memory", "predictor", "predictor_weights", "predicted_on"):
        if getattr(row, name) != getattr(found, name):
            raise InputError(
                f"its {name.replace('_', ' ')} is not what {RUN} and the clips' files beside the videos say; the whole folder is needed"
            )
    other = next((name for name, sha in found.weights.items() if row.weights.get(name, sha) != sha), None)
    if other is not None:
        raise InputError(f"it was measured with another file {other}")
    own, theirs = ({(i.kind, i.clip, i.scored) for i in s.issues if not _is_of(i, unchecked)} for s in (row, found))
    if own != theirs:
        kind, clip, _ = min(own ^ theirs)
        raise InputError(f"its issues are not those of the predictions: {kind} of {clip}")


def _is_of(issue: Issue, metrics: Collection[str]) -> bool:
    return issue.kind == "metric" and issue.detail.partition(":")[0] in metrics
