"""The table of `tbd batch`: a video a row, and beside it a table of what became of each."""

import csv
import hashlib
import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tbd import __version__
from tbd.cli.options.framing import FRAMES
from tbd.errors import InputError
from tbd.utils.atomic import atomic_output
from tbd.utils.text_encoding import decode_text

REQUIRED = ("portrait", "audio", "output")
"""Columns that must be there."""
_FILES = (*REQUIRED, "plan", "motion_output", "plan_output")
_READ = ("portrait", "audio", "plan")
_NUMBERS = {
    "seed": int, "size": int, "num_inference_steps": int,
    "emotion_scale": float, "muscle_scale": float, "audio_scale": float, "head_motion": float, "idle_motion": float,
}  # fmt: skip
COLUMNS = (*_FILES, "emotion", "emotion_from", "frame", "aspect", "face", *_NUMBERS)
"""Columns that may be there: the options of `tbd generate`, by the same names."""
_STATUS = ("row", "output", "status", "seconds", "error", "fingerprint")


@dataclass(frozen=True)
class Job:
    """One row.

    Args:
        row: Its line in a spreadsheet: the header is 1.
        values: Column → value of the cells that are not empty; files with the table's folder.
        error: Why the row cannot be read; empty for none.
    """

    row: int
    values: Mapping[str, Any]
    error: str = ""

    @property
    def output(self) -> str:
        """The video to write."""
        return str(self.values.get("output", ""))

    def fingerprint(self, defaults: Mapping[str, Any]) -> str:
        """Summarize what the video is made of.

        Args:
            defaults: Column → what empty cells stand for, and whatever else decides how all rows are drawn.

        Returns:
            A digest of the options, and of size and date of the files that are read.
        """
        values = {**defaults, **self.values}
        files = {}
        for name in _READ:
            if self.values.get(name) is not None and os.path.exists(self.values[name]):
                stat = os.stat(self.values[name])
                files[name] = [stat.st_size, stat.st_mtime_ns]
        content = json.dumps([__version__, values, files], sort_keys=True, default=str)
        return hashlib.sha256(content.encode()).hexdigest()[:16]


def read_jobs(path: str | os.PathLike) -> list[Job]:
    """Read the table.

    Args:
        path: CSV with a header; commas, semicolons or tabs part the cells. Files are found from the table's own folder.

    Returns:
        The jobs, rows that are wholly empty left out. A row with a fault has its `error`.

    Raises:
        InputError: If it is no such table, has unknown columns, lacks one, or writes one file twice.
    """
    path = Path(path)
    try:
        text = decode_text(path.read_bytes(), None)
    except FileNotFoundError:
        raise InputError(f"There is no table {path}.") from None
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is no text in UTF-8 or UTF-16"
        raise InputError(f"Cannot read the table {path}: {reason}.") from error
    lines = list(csv.reader(text.splitlines(), delimiter=_delimiter(text)))
    if not lines:
        raise InputError(f"{path} is empty; its first line names columns, such as {', '.join(REQUIRED)}, emotion.")
    header = [name.strip().lower().replace("-", "_") for name in lines[0]]
    _check_header(header, path)
    rows = [(number, cells) for number, cells in enumerate(lines[1:], 2) if any(cell.strip() for cell in cells)]
    jobs = [_job(number, header, cells, path.parent) for number, cells in rows]
    if not jobs:
        raise InputError(f"{path} has no rows below its header; each is a video.")
    _check_outputs(jobs, path)
    return jobs


def _delimiter(text: str) -> str:
    first = text.splitlines()[0] if text else ""
    return max(",;\t", key=first.count)


def _check_header(header: Sequence[str], path: Path) -> None:
    from tbd.utils.options.suggestions import suggest

    for name in header:
        if name not in COLUMNS:
            raise InputError(f"{path} has a column “{name}”, which no video has; {suggest(name, COLUMNS)}.")
    if len(set(header)) < len(header):
        raise InputError(f"{path} has two columns of one name: {', '.join(sorted({n for n in header if header.count(n) > 1}))}.")
    missing = [name for name in REQUIRED if name not in header]
    if missing:
        raise InputError(f"{path} lacks the column{'s' * (len(missing) > 1)} {', '.join(missing)}.")


def _job(row: int, header: Sequence[str], cells: Sequence[str], folder: Path) -> Job:
    if len(cells) > len(header):
        return Job(row, {}, f"it has {len(cells)} cells and the header {len(header)}; put quotes around text with a comma")
    values: dict[str, Any] = {}
    for name, cell in zip(header, cells):
        cell = cell.strip()
        if not cell:
            continue
        if name in _NUMBERS:
            try:
                values[name] = _NUMBERS[name](cell)
            except ValueError:
                return Job(row, values, f"{name} is “{cell}”, which is no {'whole ' * (_NUMBERS[name] is int)}number")
        elif name == "frame" and cell not in FRAMES:
            return Job(row, values, f"frame is “{cell}”, which is neither {' nor '.join(FRAMES)}")
        else:
            values[name] = str(folder / cell) if name in _FILES else cell
    missing = [name for name in REQUIRED if name not in values]
    return Job(row, values, f"it has no {' and no '.join(missing)}" if missing else "")


def _check_outputs(jobs: Sequence[Job], path: Path) -> None:
    written: dict[str, int] = {}
    for job in jobs:
        for name in ("output", "motion_output", "plan_output"):
            if name in job.values:
                target = os.path.realpath(job.values[name])
                if target in written:
                    raise InputError(f"{path} writes {job.values[name]} in row {written[target]} and again in row {job.row}.")
                written[target] = job.row


@dataclass
class Status:
    """What became of the rows, in a table beside theirs.

    Args:
        path: The table.
        rows: Output → what became of it, by column.
    """

    path: Path
    rows: dict[str, dict[str, str]] = field(default_factory=dict)

    @classmethod
    def beside(cls, jobs: str | os.PathLike) -> "Status":
        """Read what became of an earlier run.

        Args:
            jobs: The table of jobs, ``jobs.csv``.

        Returns:
            The status of ``jobs.status.csv``; an empty one where that is missing or no such table.
        """
        path = Path(jobs).with_suffix(".status.csv")
        try:
            with path.open(newline="", encoding="utf-8") as file:
                return cls(path, {row["output"]: dict(row) for row in csv.DictReader(file) if None not in row and row.get("output")})
        except (OSError, UnicodeDecodeError, csv.Error, KeyError):
            return cls(path)

    def is_done(self, job: Job, fingerprint: str) -> bool:
        """Tell whether a job's video was drawn from the same, and is still there.

        Args:
            job: The job.
            fingerprint: Of what it would be drawn from now.

        Returns:
            Whether nothing is left to do.
        """
        row = self.rows.get(job.output)
        return row is not None and (row.get("status"), row.get("fingerprint")) == ("done", fingerprint) and os.path.exists(job.output)

    def note(self, job: Job, fingerprint: str, seconds: float, error: str = "") -> None:
        """Write down what became of a job.

        Args:
            job: The job.
            fingerprint: Of what it was drawn from.
            seconds: How long it took.
            error: Why it failed; empty where it did not.
        """
        values = (job.row, job.output, "failed" if error else "done", f"{seconds:.2f}", error, fingerprint)
        self.rows[job.output or f"row {job.row}"] = dict(zip(_STATUS, map(str, values)))
        with atomic_output(self.path) as temporary, temporary.open("w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, _STATUS, extrasaction="ignore")
            writer.writeheader()
            writer.writerows(self.rows.values())
