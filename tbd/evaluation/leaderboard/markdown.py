"""The board as markdown tables, between two markers of a file that is otherwise written by hand."""

import re
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import quote

from tbd.errors import InputError
from tbd.evaluation.leaderboard.columns import Column, best_of, columns_of, ordered
from tbd.evaluation.leaderboard.entry import Entry
from tbd.evaluation.leaderboard.store import Table
from tbd.utils.atomic import atomic_output

BEGIN = "<!-- leaderboard: begin (`tbd leaderboard build` writes what follows) -->"
END = "<!-- leaderboard: end -->"


def renew(path: Path, tables: Sequence[Table]) -> None:
    """Replace what stands between the markers.

    Args:
        path: A markdown file with `BEGIN` and `END`.
        tables: The board.

    Raises:
        InputError: If the file lacks the markers.
    """
    before, after = require_markers(path)
    parts = "\n\n".join(markdown(table) for table in tables)
    with atomic_output(path) as temporary:
        temporary.write_text(f"{before}{BEGIN}\n\n{parts}\n\n{END}{after}", encoding="utf-8")


def require_markers(path: Path) -> tuple[str, str]:
    """What stands before and after the markers.

    Args:
        path: A markdown file.

    Returns:
        The two texts.

    Raises:
        InputError: The file lacks the markers.
    """
    before, begin, rest = path.read_text(encoding="utf-8").partition(BEGIN)
    _, end, after = rest.partition(END)
    if not (begin and end):
        raise InputError(f"{path} lacks the markers {BEGIN} and {END}; put both where the tables should stand.")
    return before, after


def markdown(table: Table) -> str:
    """Write one protocol as markdown: measured rows first, then reported ones."""
    parts = [f"### {table.protocol}"]
    if table.recipe is not None:
        parts.append(table.recipe.summary)
    if table.measured:
        parts.append(_measured(table))
        scores = table.measured[0].measured_scores
        parts += [f"Left out: {_plain(reason)}" for _, reason in left_out_of(table)]
        parts.append(f"{scores.expected} clips; protocol `{scores.protocol_hash[:12]}`, clips `{scores.split[:12]}`.")
    if table.reported:
        parts.append("Reported by others, by their own recipes; not comparable with what is measured here:")
        parts.append(_reported(table.reported))
    return "\n\n".join(parts)


def left_out_of(table: Table) -> list[tuple[str, str]]:
    """List files that are left out, and why, without the folders of this machine."""
    return [(path.name, reason.replace(str(path), path.name)) for path, reason in table.left_out]


def _measured(table: Table) -> str:
    columns, entries = columns_of(table), ordered(table)
    head = ["row", *(f"{c.label} {c.arrow}" for c in columns), "clips", "numbers"]
    rows = [head, ["---", *["---:"] * (len(columns) + 1), "---"]]
    best = {column.name: best_of(column, table) for column in columns}
    for entry in entries:
        cells = [_cell(column, entry, best[column.name], table) for column in columns]
        rows.append([_link(entry), *cells, f"{entry.measured_scores.scored} of {entry.measured_scores.expected}", table.status(entry)])
    return _table(rows)


def _cell(column: Column, entry: Entry, best: set[str], table: Table) -> str:
    text = column.text(entry)
    if (fewer := column.fewer_clips(entry, table)) is not None:
        text += f" ({fewer})"
    value = column.value(entry)
    shown = f"**{text}**" if entry.name in best else text
    return f"{shown} {lag}" if value is not None and (lag := value.lag()) else shown


def _link(entry: Entry) -> str:
    url, name = entry.paper or entry.code, _plain(entry.name)
    return f"[{name}]({quote(url, safe=_URL)})" if url and url.startswith("http") else name


_URL = ":/?#[]@!$&'*+,;=%~"
"""What may stand in an address in markdown."""
_MARKS = re.compile(r"([\\`*_\[\]<>~#])")


def _plain(text: str) -> str:
    """A text in which nothing is markup, on one line: a name could otherwise set itself in bold, or write rows of its own."""
    return _MARKS.sub(r"\\\1", " ".join(text.split()))


def _reported(entries: Sequence[Entry]) -> str:
    names = sorted({name for entry in entries for name in entry.numbers})
    rows = [["row", *names, "where"], ["---", *["---:"] * len(names), "---"]]
    for entry in entries:
        rows.append([_link(entry), *(f"{entry.numbers[n]:g}" if n in entry.numbers else "–" for n in names), _plain(entry.citation or "")])
    return _table(rows)


def _table(rows: Sequence[Sequence[str]]) -> str:
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |" for row in rows)
