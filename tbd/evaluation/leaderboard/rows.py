"""Puts rows on the leaderboard: measured scores, and a paper's own numbers."""

import os
import shutil
import time
from collections.abc import Sequence
from pathlib import Path

from tbd.errors import InputError
from tbd.evaluation.leaderboard.store import Entry, read_entries, require_comparable, shipped_recipe, slug
from tbd.evaluation.scores import load_scores
from tbd.utils.file_checks import same_file
from tbd.utils.packaged_files import shipped_folder
from tbd.utils.user_warnings import warn


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
    recipe = shipped_recipe(found.protocol)
    others = [e for e in read_entries(board / found.protocol) if e.slug != entry.slug and e.scores is not None]
    others = [e for e in others if recipe is None or e.measured_scores.protocol_hash == recipe.hash]
    require_comparable([*others, entry], str(scores))
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


def _today() -> str:
    return time.strftime("%Y-%m-%d", time.gmtime())
