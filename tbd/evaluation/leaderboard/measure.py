"""`tbd leaderboard measure`: the board measures predictions itself, so that their rows are verified as they are added."""

import os
from collections.abc import Sequence
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import NamedTuple

from tbd.errors import InputError
from tbd.evaluation.evaluate import Progress, evaluate_several
from tbd.evaluation.leaderboard.clips import COUNT
from tbd.evaluation.leaderboard.entry import slug
from tbd.evaluation.leaderboard.ground_truth import coded_truth
from tbd.evaluation.leaderboard.store import Shown, put, read_row
from tbd.evaluation.leaderboard.verify import keep_record
from tbd.evaluation.predictions import read_predictions
from tbd.evaluation.protocol import Protocol
from tbd.evaluation.references.base import Reference


class Submission(NamedTuple):
    """Predictions that are to become a row.

    Args:
        name: Name of the row.
        predictions: Folder of the videos, with motion files beside them if there are any; None for the ground truth, whose clips the
            board codes itself.
        note: One sentence that says what this row is.
        paper: A URL or citation.
        code: A URL.
        table: Which video is which clip's, as for `tbd.evaluation.predictions.read_predictions`.
    """

    name: str
    predictions: Path | None
    note: str = ""
    paper: str | None = None
    code: str | None = None
    table: str | os.PathLike | None = None


def measure(
    board: str | os.PathLike,
    protocol: Protocol,
    reference: Reference,
    submissions: Sequence[Submission],
    replace: bool = False,
    clips: int | None = COUNT,
    progress: Progress = iter,
    device: str = "cpu",
    workers: int = 1,
) -> list[Path]:
    """Measure predictions, in one pass over the true clips, and put them on the board as verified rows.

    Nothing in between can be edited: what is on the board is what the board has measured.

    Args:
        board: Folder of the board.
        protocol: The recipe; videos without motion files go to its table of pixels.
        reference: The true clips.
        submissions: The predictions.
        replace: Whether to take the place of rows of these names.
        clips: Number of clips to keep for the board's page, with a strip of frames; None for neither, where faces are not to be shown.
        progress: Wraps the clips, such as a progress bar.
        device: Device of the metrics' networks.
        workers: Number of processes.

    Returns:
        The files of the rows.

    Raises:
        InputError: If there is a row of a name and `replace` is False, two rows have one name, or `tbd leaderboard add` would refuse one.
    """
    slugs = [slug(submission.name) for submission in submissions]
    twice = next((s.name for s, own in zip(submissions, slugs) if slugs.count(own) > 1), None)
    if twice is not None:
        raise InputError(f"Two rows would be named {twice}; give each its own name.")
    taken = [Path(board) / protocol.id / f"{own}.json" for own in slugs]
    if not replace and (there := next((path for path in taken if path.is_file()), None)) is not None:
        raise InputError(f"{there} is there already; choose another --name, or give --replace.")  # before minutes of measuring
    written = []
    with ExitStack() as stack:
        folders = [own.predictions or stack.enter_context(coded_truth(protocol, reference)) for own in submissions]
        readers = [partial(read_predictions, folder, table=own.table) for own, folder in zip(submissions, folders)]
        measured = evaluate_several(protocol, reference, readers, progress, device, workers)
        for own, folder, (scores, _) in zip(submissions, folders, measured):
            shown = None if clips is None else Shown(folder, clips, own.table)
            path = put(board, scores.sealed(), folder, own.name, own.paper, own.code, own.note, shown, replace)
            keep_record(Path(board), read_row(path), folder, 0.0, truth=own.predictions is None)
            written.append(path)
    return written
