"""Shows a sweep while it runs: how many jobs are done, and how far each running job is."""

import re
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import timedelta
from pathlib import Path
from typing import ClassVar

from pydantic import BaseModel, Field
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn


class Job(BaseModel):
    """What one process does for a launcher.

    Args:
        name: Name of the job and of its log.
        title: What it does, for people.
        needs: Names of the jobs that must be done before.

    Attributes:
        module: Name of the module that does it: ``python -m MODULE FILE`` in a process of its own, its ``run_file(FILE)`` in a cluster's.
    """

    module: ClassVar[str]

    name: str
    title: str = ""
    needs: list[str] = Field(default_factory=list)


_EVERY = 60.0
"""Seconds between two lines about running jobs, where the output is no terminal."""
_TAIL = 2000
"""Bytes of a log's end in which its last line is looked for."""
_ESCAPES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


class Monitor(AbstractContextManager):
    """Shows the jobs of a sweep; a launcher calls it when something happens.

    On a terminal there is a bar, and under it each running job with the last line of its log; elsewhere a line when a job
    starts or ends, and one a minute for each that runs.

    Args:
        total: Number of jobs.
        folder: The folder of their logs.
        console: Where to print.
        on_end: Is called with each job that ended, and why it failed or None.
    """

    def __init__(self, total: int, folder: Path, console: Console, on_end: Callable[[Job, str | None], None] | None = None) -> None:
        self.total, self.folder, self.console, self.on_end = total, folder, console, on_end
        self._started_at: dict[str, float] = {}
        self._titles: dict[str, str] = {}
        self._done, self._printed_at = 0, time.monotonic()
        columns = (TextColumn("{task.description}"), BarColumn(20), MofNCompleteColumn(), TimeElapsedColumn())
        self._bar = Progress(*columns, console=console, transient=True) if console.is_terminal else None
        self._rows: dict[str, TaskID] = {}

    def __enter__(self) -> "Monitor":
        if self._bar is not None:
            self._bar.start()
            self._rows[""] = self._bar.add_task("jobs", total=self.total)
        return self

    def __exit__(self, *error: object) -> None:
        if self._bar is not None:
            self._bar.stop()

    def started(self, job: Job) -> None:
        """Show that the process of a job was started, or that the job was submitted to a cluster."""
        self._started_at[job.name], self._titles[job.name] = time.monotonic(), job.title or job.name
        if self._bar is None:
            self._print(f"{self._titles[job.name]}: started ({self.folder / job.name}.log)")
        else:
            self._rows[job.name] = self._bar.add_task(escape(f"  {self._titles[job.name]}"), total=None)

    def ended(self, job: Job, reason: str | None) -> None:
        """Show that a job ended.

        Args:
            job: The job.
            reason: Why it failed; None if it was done.
        """
        self._done += 1
        began = self._started_at.pop(job.name, None)
        took = "" if began is None else f" in {_duration(time.monotonic() - began)}"
        self._print(f"[{self._done}/{self.total}] {job.title or job.name}: {f'done{took}' if reason is None else f'FAILED: {reason}'}")
        if self._bar is not None:
            self._bar.update(self._rows[""], completed=self._done)
            if (row := self._rows.pop(job.name, None)) is not None:
                self._bar.remove_task(row)
        if self.on_end is not None:
            self.on_end(job, reason)

    def tick(self) -> None:
        """Show how far the running jobs are. A launcher calls this every moment that nothing happens."""
        if self._bar is not None:
            for name in self._started_at:
                self._bar.update(self._rows[name], description=escape(f"  {self._titles[name]}  {self._last_line(name)}"))
        elif time.monotonic() - self._printed_at > _EVERY:
            self._printed_at = time.monotonic()
            for name, began in self._started_at.items():
                self._print(f"{self._titles[name]}: running for {_duration(time.monotonic() - began)}. {self._last_line(name)}".rstrip())

    def _last_line(self, name: str) -> str:
        """The last line of a job's log, in which a training says at which step it is."""
        try:
            with open(self.folder / f"{name}.log", "rb") as log:
                log.seek(max(log.seek(0, 2) - _TAIL, 0))
                text = log.read().decode("utf-8", errors="replace")
        except OSError:
            return ""
        lines = [line.strip() for line in _ESCAPES.sub("", text).replace("\r", "\n").splitlines() if line.strip()]
        return lines[-1][:100] if lines else ""

    def _print(self, text: str) -> None:
        self.console.print(text, highlight=False, markup=False, soft_wrap=True)


def _duration(seconds: float) -> str:
    return str(timedelta(seconds=round(seconds)))
