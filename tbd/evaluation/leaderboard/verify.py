"""`tbd leaderboard verify`: measure a row's predictions again, and keep what was found."""

import os
import time
from contextlib import nullcontext
from functools import partial
from pathlib import Path

from tbd.errors import InputError
from tbd.evaluation.environment import environment
from tbd.evaluation.evaluate import Progress, evaluate
from tbd.evaluation.leaderboard.entry import Entry, slug
from tbd.evaluation.leaderboard.ground_truth import coded_truth
from tbd.evaluation.leaderboard.store import read_folder
from tbd.evaluation.leaderboard.verification import Verification, compare, digest, write_record
from tbd.evaluation.predictions import VIDEOS, read_predictions
from tbd.evaluation.protocol import Protocol, load_protocol, protocol_names
from tbd.evaluation.references.base import build_reference
from tbd.utils.checksum import checksum_of_files
from tbd.weights import find_weights


def find_row(board: Path, name: str, protocol: str | None) -> Entry:
    """Find a measured row by its name.

    Args:
        board: Folder of the board.
        name: Name of the row, or its file's name.
        protocol: Id of its protocol; None where the name is in one table alone.

    Returns:
        The row.

    Raises:
        InputError: If there is none, or several.
    """
    folders = [board / protocol] if protocol is not None else sorted(p for p in board.glob("*") if p.is_dir())
    found = [e for folder in folders for e in read_folder(folder).entries if e.kind == "measured" and e.slug == slug(name)]
    if not found:
        raise InputError(f"{board} has no measured row {name}{f' of {protocol}' * (protocol is not None)}.")
    if len(found) > 1:
        raise InputError(f"{board} has the row {name} for {', '.join(e.protocol for e in found)}; name one of them as --protocol.")
    return found[0]


def verify(
    board: str | os.PathLike,
    name: str,
    predictions: str | os.PathLike | None,
    protocol: str | None = None,
    reference: str | None = None,
    table: str | os.PathLike | None = None,
    progress: Progress = iter,
    device: str = "cpu",
    workers: int = 1,
) -> Verification:
    """Measure a row's predictions again, and note that its numbers are theirs.

    Args:
        board: Folder of the board.
        name: Name of the row.
        predictions: The folder of the row's videos; None for the row of the ground truth, whose clips the board codes itself.
        protocol: A protocol's name or its YAML file; None for the row's own, which tbd must ship.
        reference: The true clips, where the protocol's reference needs a folder.
        table: Which video is which clip's, as for `read_predictions`.
        progress: Wraps the clips, such as a progress bar.
        device: Device of the metrics' networks.
        workers: Number of processes.

    Returns:
        The record, which is kept beside the rows.

    Raises:
        InputError: If a number is not what the predictions give. A record of that row from before is taken away.
    """
    root = Path(board)
    chosen = None if protocol is None else load_protocol(protocol)
    entry = find_row(root, name, None if chosen is None else chosen.id)
    recipe = chosen or _shipped(entry)
    truth = build_reference(_asked_for(entry, recipe).reference, reference)
    is_truth = predictions is None
    with coded_truth(recipe, truth) if predictions is None else nullcontext(Path(predictions)) as folder:
        found, _ = evaluate(recipe, truth, partial(read_predictions, folder, table=table), progress, device, workers)
        row = entry.measured_scores
        if is_truth:
            # when, where and how fast the true clips were coded says nothing of them
            row = row.model_copy(update={name: getattr(found, name) for name in ("predictor", "predicted_on", "speed", "memory")})
        try:
            compared = compare(row, found, _beyond(recipe))
        except InputError as error:
            write_record(root, entry, None)
            said = "the true clips give" if is_truth else f"{predictions} gives"
            raise InputError(f"{entry.name} ({entry.protocol}) is not what {said}: {error}.") from error
        return keep_record(root, entry, folder, *compared, truth=is_truth)


def _beyond(recipe: Protocol) -> set[str]:
    """Metrics whose weights are not on this machine."""
    return {entry.name for entry in recipe.metrics if any(not find_weights(name).path.is_file() for name in entry.weights)}


def keep_record(
    board: Path, entry: Entry, predictions: Path, difference: float, unchecked: tuple[str, ...] = (), truth: bool = False
) -> Verification:
    """Note that a row's numbers are those of its predictions.

    Args:
        board: Folder of the board.
        entry: The row.
        predictions: The folder of the row's videos.
        difference: Greatest relative difference of a number.
        unchecked: Metrics of the row that could not be measured here.
        truth: Whether the board coded the true clips itself.

    Returns:
        The record.
    """
    record = Verification(
        row=digest(entry),
        predictions=_content(predictions),
        date=time.strftime("%Y-%m-%d", time.gmtime()),
        commit=environment()["commit"],
        difference=float(f"{difference:.3g}"),
        unchecked=unchecked,
        truth=truth,
    )
    write_record(board, entry, record)
    return record


def _shipped(entry: Entry) -> Protocol:
    if entry.protocol not in protocol_names():
        raise InputError(f"tbd does not ship {entry.protocol}; name its YAML file as --protocol.")
    return load_protocol(entry.protocol)


def _asked_for(entry: Entry, recipe: Protocol) -> Protocol:
    """The recipe, if the row was measured by it."""
    if entry.measured_scores.protocol_hash != recipe.hash:
        raise InputError(f"{entry.name} was measured by another version of {recipe.id}; evaluate its predictions again.")
    return recipe


def _content(folder: Path) -> str:
    """Checksum of the videos and motions: what the numbers depend on."""
    return checksum_of_files(sorted(p for p in folder.rglob("*") if p.suffix.lower() in (*VIDEOS, ".npz")), folder)
