"""`tbd leaderboard report`: numbers of papers, in tables of their own."""

import os
from collections.abc import Sequence
from pathlib import Path

from tbd.errors import InputError
from tbd.evaluation.leaderboard.entry import Entry, slug
from tbd.evaluation.leaderboard.store import today


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
        kind="reported", name=name, protocol=protocol, note=note, paper=paper, code=code, added=today(), numbers=numbers, citation=citation
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
