"""The leaderboard's store: one JSON file a row, and the refusals that keep its numbers comparable.

    benchmarks/leaderboard/<PROTOCOL>/<ROW>.json     an `Entry`
    benchmarks/leaderboard/<PROTOCOL>/<ROW>.jpg      sample frames, where they were given
    benchmarks/leaderboard/<PROTOCOL>/<ROW>/         and small clips, see `tbd.evaluation.leaderboard.clips`
    benchmarks/leaderboard/index.html                the page that `tbd leaderboard build` writes

A measured row holds the whole of its scores, with their checksum; a reported one holds a paper's numbers and where they stand. What the
board has recomputed itself is in `tbd.evaluation.leaderboard.verification`.
"""

import os
import re
import shutil
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from pydantic import ValidationError

from tbd.errors import InputError
from tbd.evaluation.leaderboard.clips import COUNT, save_clips
from tbd.evaluation.leaderboard.comparable import require_comparable, standard_of
from tbd.evaluation.leaderboard.entry import Entry
from tbd.evaluation.leaderboard.verification import Verification, is_complete, is_verified, read_records
from tbd.evaluation.protocol import Protocol, load_protocol, protocol_names
from tbd.evaluation.scores import Scores, load_scores
from tbd.utils.file_checks import same_file
from tbd.utils.packaged_files import shipped_folder
from tbd.utils.user_warnings import warn

_ID = r"[a-z0-9]+([-_.][a-z0-9]+)*"
"""Of a protocol: it names a folder of the board."""


@dataclass(frozen=True)
class Table:
    """All rows of one protocol.

    Args:
        protocol: Id of the protocol.
        recipe: The protocol itself, where tbd ships it.
        measured: Rows that were measured by it, all with the same hash over the same clips.
        reported: Rows that were reported.
        folder: Folder of the rows and of their sample frames.
        verified: File names of the rows that were recomputed from their predictions, without their ending.
        unchecked: File name of such a row → its metrics that the board could not recompute, where there are any.
        truths: File names of the rows whose clips are the true ones, coded by the board itself.
        left_out: Files that are no rows, or cannot stand beside the others.
    """

    protocol: str
    recipe: Protocol | None
    measured: list[Entry]
    reported: list[Entry]
    folder: Path
    verified: frozenset[str] = frozenset()
    unchecked: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    truths: frozenset[str] = frozenset()
    left_out: tuple["LeftOut", ...] = ()

    def status(self, entry: Entry) -> str:
        """Say whether the board has recomputed a row: ``verified``, perhaps but for some metrics, or ``as submitted``."""
        if entry.slug not in self.verified:
            return "as submitted"
        but = [self._label(name) for name in self.unchecked.get(entry.slug, ())]
        return f"verified but for {', '.join(but)}" if but else "verified"

    def _label(self, metric: str) -> str:
        found = self.recipe.entry(metric) if self.recipe is not None else None
        return metric if found is None else found.label

    def stands(self, entry: Entry, metric: str) -> bool:
        """Check whether the board has recomputed a row's number, of all clips that can be measured."""
        return entry.slug in self.verified and metric not in self.unchecked.get(entry.slug, ()) and is_complete(entry)

    def clips(self, metric: str) -> int:
        """Count the clips that a metric can measure, of which it may leave some out: the most that a row which stands has."""
        return max((_clips(entry, metric) for entry in self.measured if self.stands(entry, metric)), default=0)

    def competes(self, entry: Entry, metric: str) -> bool:
        """Check whether a row's number may be the best: it stands, and is over as many clips as any other that does."""
        return self.stands(entry, metric) and _clips(entry, metric) >= self.clips(metric)


def _clips(entry: Entry, metric: str) -> int:
    value = entry.measured_scores.metrics.get(metric)
    return 0 if value is None or value.number is None else value.clips


def begin(board: str | os.PathLike) -> None:
    """Begin a board that is not there yet with the rows that ship with tbd, so that a new one has others to stand beside.

    Args:
        board: Folder of the board; nothing is done where it exists.
    """
    shipped = shipped_folder("benchmarks") / "leaderboard"
    if Path(board).exists() or not shipped.is_dir():
        return
    warn(f"{board} is new here; it begins with the rows that ship with tbd.")
    shutil.copytree(shipped, board)


def add(
    board: str | os.PathLike,
    scores: str | os.PathLike,
    name: str,
    paper: str | None = None,
    code: str | None = None,
    note: str = "",
    predictions: str | os.PathLike | None = None,
    replace: bool = False,
    clips: int = COUNT,
    table: str | os.PathLike | None = None,
) -> Path:
    """Put measured scores on the board.

    Args:
        board: Folder of the board.
        scores: The file that `tbd evaluate` wrote.
        name: Name of the row.
        paper: A URL or citation.
        code: A URL.
        note: One sentence that says what this row is.
        predictions: The folder of the videos, for sample frames and clips.
        replace: Whether to take the place of a row of that name.
        clips: Number of clips to keep for the board's page.
        table: Which video is which clip's, as for `tbd.evaluation.predictions.read_predictions`.

    Returns:
        The file of the row.

    Raises:
        InputError: If the scores were edited, hold no number, or were measured by another version of the protocol or over other clips
            than the board's.
    """
    shown = None if predictions is None else Shown(Path(predictions), clips, table)
    return put(board, load_scores(scores), Path(scores), name, paper, code, note, shown, replace)


class Shown(NamedTuple):
    """What the board's page shows of a row.

    Args:
        predictions: The folder of the videos, for sample frames and clips.
        clips: Number of clips to keep.
        table: Which video is which clip's, as for `tbd.evaluation.predictions.read_predictions`.
    """

    predictions: Path
    clips: int = COUNT
    table: str | os.PathLike | None = None


def put(
    board: str | os.PathLike,
    found: Scores,
    source: Path,
    name: str,
    paper: str | None = None,
    code: str | None = None,
    note: str = "",
    shown: Shown | None = None,
    replace: bool = False,
) -> Path:
    """Put scores on the board; see `add`.

    Args:
        board: Folder of the board.
        found: The scores.
        source: Where they come from, for messages.
        name: Name of the row.
        paper: A URL or citation.
        code: A URL.
        note: One sentence that says what this row is.
        shown: Frames and clips for the board's page.
        replace: Whether to take the place of a row of that name.

    Returns:
        The file of the row.

    Raises:
        InputError: As in `add`.
    """
    board = Path(board)
    if all(value.number is None for value in found.metrics.values()):
        said = [(value.absent or "").removeprefix("No clip could be measured.").strip() for value in found.metrics.values()]
        said += [f"{issue.clip}: {issue.detail}" for issue in found.failures]
        reason = next((f": {words}" for words in said if words), "")
        raise InputError(f"{source} holds no number: no clip could be measured{reason.rstrip('.')}.")
    if not re.fullmatch(_ID, found.protocol):
        raise InputError(f"{source} names {found.protocol!r} as its protocol, which is no protocol's id.")
    entry = Entry(kind="measured", name=name, protocol=found.protocol, note=note, paper=paper, code=code, added=today(), scores=found)
    there = _read_table(board / found.protocol, read_records(board))
    for _, reason in there.left_out:
        warn(f"{reason.rstrip('.')}. It is left out.")
    others = [e for e in there.measured if e.slug != entry.slug]
    standard = standard_of(others or [entry], _recipe(found.protocol), there.unchecked)
    assert standard is not None, "there is a row"
    require_comparable(entry, standard, str(source))
    if same_file(source, board / entry.protocol / f"{entry.slug}.json"):
        raise InputError(f"{source} is the board's own file of that row; give what `tbd evaluate --output` wrote.")
    path = entry.save(board, replace)
    if shown is not None:
        from tbd.evaluation.leaderboard.samples import save_samples

        save_samples(shown.predictions, path.with_suffix(".jpg"))
        save_clips(shown.predictions, path.with_suffix(""), entry.protocol, shown.clips, shown.table)
    return path


class LeftOut(NamedTuple):
    """A file that is not on the board.

    Args:
        path: The file.
        reason: One sentence that names it.
    """

    path: Path
    reason: str


class Folder(NamedTuple):
    """What a protocol's folder holds.

    Args:
        entries: The rows, ordered by file name.
        left_out: Files that are no rows, or whose scores were edited.
    """

    entries: list[Entry]
    left_out: list[LeftOut]


def read_folder(folder: Path) -> Folder:
    """Read the rows of one protocol. What is no row keeps none of the others out.

    Args:
        folder: The protocol's folder in the board.

    Returns:
        The rows, and the files that are none.
    """
    found = Folder([], [])
    for path in sorted(folder.glob("[!.]*.json")):
        try:
            found.entries.append(read_row(path))
        except InputError as error:
            found.left_out.append(LeftOut(path, str(error)))
    return found


def read_row(path: Path) -> Entry:
    """Read one row.

    Args:
        path: Its file on a board.

    Returns:
        The row.

    Raises:
        InputError: If it is no row, was changed, or belongs elsewhere.
    """
    try:
        entry = Entry.model_validate_json(path.read_text(encoding="utf-8"))
    except ValidationError as error:
        first = error.errors()[0]
        raise InputError(f"{path} is no row of a board: {'.'.join(map(str, first['loc']))}: {first['msg']}.") from error
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path} is no row of a board: it cannot be read ({error}).") from error
    if entry.kind == "measured" and (entry.scores is None or entry.scores.checksum != entry.scores.seal()):
        raise InputError(
            f"{path} was changed after its scores were measured (its checksum does not fit); add the scores again with --replace."
        )
    if entry.scores is not None and entry.scores.protocol != entry.protocol:
        raise InputError(
            f"{path} is a row of {entry.protocol} with scores of {entry.scores.protocol}; add the scores again with --replace."
        )
    if entry.protocol != path.parent.name:
        raise InputError(f"{path} belongs to {entry.protocol}; move it to that folder.")
    if entry.slug != path.stem:
        raise InputError(f"{path} holds the row {entry.name}, whose file is {entry.slug}.json.")
    return entry


def read_board(board: str | os.PathLike) -> list[Table]:
    """Read the tables of a board, those of shipped protocols first. What cannot stand beside the others is named and left out.

    Args:
        board: Folder of the board.

    Returns:
        A table for each protocol.

    Raises:
        InputError: If there is no board.
    """
    root = Path(board)
    records = read_records(root)
    tables = []
    for folder in sorted(p for p in root.iterdir() if p.is_dir()) if root.is_dir() else []:
        table = _read_table(folder, records)
        for _, reason in table.left_out:
            warn(f"{reason.rstrip('.')}. It is left out.")
        if table.measured or table.reported or table.left_out:
            tables.append(table)
    if not any(table.measured or table.reported for table in tables):
        raise InputError(f"There are no rows in {root}; `tbd leaderboard add` puts one there.")
    return sorted(
        tables, key=lambda table: (not table.measured, table.recipe is None, not table.protocol.startswith("procedural-v"), table.protocol)
    )


def _read_table(folder: Path, records: dict[str, Verification]) -> Table:
    found, recipe = read_folder(folder), _recipe(folder.name)
    rows = [entry for entry in found.entries if entry.kind == "measured"]
    # rows that were recomputed say what a table is about before others do
    checked = [e for e in rows if is_verified(e, records)]
    unchecked = {e.slug: but for e in checked if (but := records[f"{folder.name}/{e.slug}"].unchecked)}
    standard = standard_of(checked or rows, recipe, unchecked)
    measured, left_out = [], list(found.left_out)
    for entry in rows:
        assert standard is not None, "there is a row"
        path = folder / f"{entry.slug}.json"
        try:
            require_comparable(entry, standard, str(path))
            measured.append(entry)
        except InputError as error:
            left_out.append(LeftOut(path, str(error)))
    verified = frozenset(entry.slug for entry in measured if is_verified(entry, records))
    truths = frozenset(name for name in verified if records[f"{folder.name}/{name}"].truth)
    reported = [e for e in found.entries if e.kind == "reported"]
    return Table(folder.name, recipe, measured, reported, folder, verified, unchecked, truths, tuple(left_out))


def _recipe(protocol: str) -> Protocol | None:
    return load_protocol(protocol) if protocol in protocol_names() else None


def today() -> str:
    """Return the date in UTC, as rows have it."""
    return time.strftime("%Y-%m-%d", time.gmtime())
