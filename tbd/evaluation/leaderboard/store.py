"""The leaderboard's store: one JSON file a row, and the refusals that keep its numbers comparable.

    benchmarks/leaderboard/<PROTOCOL>/<ROW>.json     an `Entry`
    benchmarks/leaderboard/<PROTOCOL>/<ROW>.jpg      sample frames, where they were given
    benchmarks/leaderboard/index.html                the page that `tbd leaderboard build` writes

A measured row holds the whole of its scores, seal included; a reported one holds a paper's numbers and where they stand.
"""

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from tbd.errors import InputError
from tbd.evaluation.protocol import Protocol, load_protocol, protocol_names
from tbd.evaluation.scores import Scores
from tbd.utils.atomic import atomic_output


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
        require_comparable(measured, str(folder))
        reported = [entry for entry in entries if entry.kind == "reported"]
        if entries:
            tables.append(Table(folder.name, shipped_recipe(folder.name), measured, reported, folder))
    if not tables:
        raise InputError(f"There are no rows in {root}; `tbd leaderboard add` puts one there.")
    return sorted(tables, key=lambda table: (not table.measured, table.recipe is None, table.protocol != "procedural-v1", table.protocol))


def shipped_recipe(protocol: str) -> Protocol | None:
    """Load a protocol where tbd ships it."""
    return load_protocol(protocol) if protocol in protocol_names() else None


def require_comparable(entries: Sequence[Entry], source: str) -> None:
    """Check that rows are of one protocol with one hash, over one set of clips.

    Args:
        entries: Rows of one protocol.
        source: Where they come from, for the message.

    Raises:
        InputError: If two of them cannot be compared.
    """
    measured = [entry for entry in entries if entry.scores is not None]
    if not measured:
        return
    recipe = shipped_recipe(measured[-1].protocol)
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
