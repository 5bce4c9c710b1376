"""The leaderboard's store: one JSON file a row, and the refusals that keep its numbers comparable.

    benchmarks/leaderboard/<PROTOCOL>/<ROW>.json     an `Entry`
    benchmarks/leaderboard/<PROTOCOL>/<ROW>.jpg      sample frames, where they were given
    benchmarks/leaderboard/index.html                the page that `tbd leaderboard build` writes

A measured row holds the whole of its scores, seal included; a reported one holds a paper's numbers and where they stand.
"""

import os
import re
import shutil
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from tbd.errors import InputError
from tbd.evaluation.protocol import Protocol, load_protocol, protocol_names
from tbd.evaluation.scores import Scores, load_scores
from tbd.utils.atomic import atomic_output
from tbd.utils.file_checks import same_file
from tbd.utils.packaged_files import shipped_folder
from tbd.utils.user_warnings import warn


class Entry(BaseModel):
    """A row of the leaderboard.

    Args:
        kind: ``measured`` by `tbd evaluate`, or ``reported`` by somebody else with their own recipe.
        name: Name of the row.
        protocol: Id of the protocol; for a reported row the recipe's name in its paper.
        note: One sentence that says what this row is.
        paper: A URL or citation.
        code: A URL.
        added: Date on which the row was added.
        scores: The scores of a measured row; None for a reported one.
        numbers: For a reported row: metric → value, as printed.
        citation: For a reported row: paper and table.
    """

    model_config = ConfigDict(extra="forbid")

    kind: Literal["measured", "reported"]
    name: str
    protocol: str
    note: str = ""
    paper: str | None = None
    code: str | None = None
    added: str
    scores: Scores | None = None
    numbers: dict[str, float] = {}
    citation: str | None = None

    @property
    def measured_scores(self) -> Scores:
        """The scores of a measured row."""
        assert self.scores is not None, f"{self.name} was reported, not measured"
        return self.scores

    @property
    def slug(self) -> str:
        """File name of the row, without its ending."""
        return slug(self.name)

    def save(self, board: Path, replace: bool) -> Path:
        """Write the row.

        Args:
            board: Folder of the board.
            replace: Whether to take the place of a row of that name.

        Returns:
            The file.

        Raises:
            InputError: If there is a row of that name, and `replace` is False.
        """
        path = board / self.protocol / f"{self.slug}.json"
        if path.is_file() and not replace:
            raise InputError(f"{path} is there already; choose another --name, or give --replace.")
        with atomic_output(path) as temporary:
            temporary.write_text(self.model_dump_json(indent=1) + "\n", encoding="utf-8")
        return path


def slug(name: str) -> str:
    """Turn a name into a file name.

    Args:
        name: Any text with at least one letter or digit.

    Returns:
        Small letters, digits and hyphens.

    Raises:
        InputError: If the name has no letter and no digit.

    Example:
        >>> slug("Think-Before-Draw, without plan")
        'think-before-draw-without-plan'
    """
    made = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")
    if not made:
        raise InputError(f"A row's --name needs letters or digits; {name!r} has none.")
    return made


@dataclass(frozen=True)
class Table:
    """All rows of one protocol.

    Args:
        protocol: Id of the protocol.
        recipe: The protocol itself, where tbd ships it.
        measured: Rows that were measured by it, all with the same hash over the same clips.
        reported: Rows that were reported.
        folder: Folder of the rows and of their sample frames.
    """

    protocol: str
    recipe: Protocol | None
    measured: list[Entry]
    reported: list[Entry]
    folder: Path


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
) -> Path:
    """Put measured scores on the board.

    Args:
        board: Folder of the board.
        scores: The file that `tbd evaluate` wrote.
        name: Name of the row.
        paper: A URL or citation.
        code: A URL.
        note: One sentence that says what this row is.
        predictions: The folder of the videos, for sample frames.
        replace: Whether to take the place of a row of that name.

    Returns:
        The file of the row.

    Raises:
        InputError: If the scores were edited, hold no number, or were measured by another version of the protocol or over other clips
            than the board's.
    """
    board, found = Path(board), load_scores(scores)
    if all(value.number is None for value in found.metrics.values()):
        reason = next((f": {value.absent}" for value in found.metrics.values() if value.absent), "")
        raise InputError(f"{scores} holds no number: no clip could be measured{reason.rstrip('.')}.")
    entry = Entry(kind="measured", name=name, protocol=found.protocol, note=note, paper=paper, code=code, added=_today(), scores=found)
    # rows of an older protocol do not keep a new one out; `read_board` demands that they be evaluated again
    recipe = _recipe(found.protocol)
    others = [e for e in read_entries(board / found.protocol) if e.slug != entry.slug and e.scores is not None]
    others = [e for e in others if recipe is None or e.measured_scores.protocol_hash == recipe.hash]
    _require_comparable([*others, entry], str(scores))
    if same_file(scores, board / entry.protocol / f"{entry.slug}.json"):
        raise InputError(f"{scores} is the board's own file of that row; give what `tbd evaluate --output` wrote.")
    path = entry.save(board, replace)
    if predictions is not None:
        from tbd.evaluation.leaderboard.samples import save_samples

        save_samples(Path(predictions), path.with_suffix(".jpg"))
    return path


def report(
    board: str | os.PathLike,
    protocol: str,
    numbers: dict[str, float],
    citation: str,
    name: str,
    paper: str | None = None,
    code: str | None = None,
    note: str = "",
    replace: bool = False,
) -> Path:
    """Put a paper's own numbers on the board. They stay in a table of their own.

    Args:
        board: Folder of the board.
        protocol: Name of the paper's recipe.
        numbers: Metric → value, as printed.
        citation: Paper and table.
        name: Name of the row.
        paper: A URL or citation.
        code: A URL.
        note: One sentence that says what this row is.
        replace: Whether to take the place of a row of that name.

    Returns:
        The file of the row.

    Raises:
        InputError: If the protocol's name is not made of small letters, digits and hyphens, or there is a row of that name.
    """
    if slug(protocol) != protocol:
        raise InputError(f"{protocol!r} is no protocol's name; use small letters, digits and hyphens, such as {slug(protocol)}.")
    entry = Entry(
        kind="reported", name=name, protocol=protocol, note=note, paper=paper, code=code, added=_today(), numbers=numbers, citation=citation
    )
    return entry.save(Path(board), replace)


def parse_numbers(given: Sequence[str]) -> dict[str, float]:
    """Parse ``NAME=VALUE``.

    Args:
        given: Options as typed.

    Returns:
        Name → number.

    Raises:
        InputError: If one of them has no number.

    Example:
        >>> parse_numbers(["fid=19.69", "sync-c=8.28"])
        {'fid': 19.69, 'sync-c': 8.28}
    """
    numbers = {}
    for text in given:
        name, _, value = text.partition("=")
        try:
            numbers[name.strip()] = float(value)
        except ValueError as error:
            raise InputError(f"--metric is NAME=VALUE with a number, not {text!r}.") from error
    return numbers


def read_entries(folder: Path) -> list[Entry]:
    """Read the rows of one protocol.

    Args:
        folder: The protocol's folder in the board.

    Returns:
        The rows, ordered by file name.

    Raises:
        InputError: If a file is no entry, or its scores were edited.
    """
    entries = []
    for path in sorted(folder.glob("[!.]*.json")):
        try:
            entry = Entry.model_validate_json(path.read_text(encoding="utf-8"))
        except ValidationError as error:
            first = error.errors()[0]
            raise InputError(f"{path} is no row of a board: {'.'.join(map(str, first['loc']))}: {first['msg']}.") from error
        if entry.kind == "measured" and (entry.scores is None or entry.scores.checksum != entry.scores.seal()):
            raise InputError(
                f"{path} was changed after its scores were measured (its checksum does not fit); add the scores again with --replace."
            )
        if entry.protocol != folder.name:
            raise InputError(f"{path} belongs to {entry.protocol}; move it to that folder.")
        entries.append(entry)
    return entries


def read_board(board: str | os.PathLike) -> list[Table]:
    """Read the tables of a board, those of shipped protocols first.

    Args:
        board: Folder of the board.

    Returns:
        A table for each protocol.

    Raises:
        InputError: If there is no board, or rows of one protocol cannot be compared.
    """
    root = Path(board)
    folders = sorted(p for p in root.iterdir() if p.is_dir()) if root.is_dir() else []
    tables = []
    for folder in folders:
        entries = read_entries(folder)
        measured = [entry for entry in entries if entry.kind == "measured"]
        _require_comparable(measured, str(folder))
        reported = [entry for entry in entries if entry.kind == "reported"]
        if entries:
            tables.append(Table(folder.name, _recipe(folder.name), measured, reported, folder))
    if not tables:
        raise InputError(f"There are no rows in {root}; `tbd leaderboard add` puts one there.")
    return sorted(tables, key=lambda table: (not table.measured, table.recipe is None, table.protocol != "procedural-v1", table.protocol))


def _recipe(protocol: str) -> Protocol | None:
    return load_protocol(protocol) if protocol in protocol_names() else None


def _require_comparable(entries: Sequence[Entry], source: str) -> None:
    """One protocol, one hash, one set of clips."""
    measured = [entry for entry in entries if entry.scores is not None]
    if not measured:
        return
    recipe = _recipe(measured[-1].protocol)
    expected = recipe.hash if recipe is not None else measured[0].measured_scores.protocol_hash
    first, theirs = measured[0].measured_scores, measured[0].name if recipe is None else "tbd ships"
    for entry in measured:
        own = entry.measured_scores
        if own.protocol_hash != expected:
            raise InputError(
                f"{source}: {entry.name} was measured by another version of {entry.protocol} (hash {own.protocol_hash[:12]}…) than "
                f"{theirs} ({expected[:12]}…); evaluate its predictions again."
            )
        if (own.split, own.content) != (first.split, first.content):
            raise InputError(
                f"{source}: {entry.name} was measured over {own.expected} other clips than {measured[0].name}; rows over different clips "
                "are not comparable. Use another --board for them."
            )
        differs = [name for name, sha in own.weights.items() if first.weights.get(name, sha) != sha]
        if differs:
            raise InputError(
                f"{source}: {entry.name} was measured with another file {differs[0]} than {measured[0].name}; evaluate both with one."
            )


def _today() -> str:
    return time.strftime("%Y-%m-%d", time.gmtime())
