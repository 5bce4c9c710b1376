"""What a sweep shows while it runs: how many jobs are done, and what each running one is at."""

import re
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import timedelta
from pathlib import Path

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from tbd.ablation.work import Job

_EVERY = 60.0
"""Seconds between two lines about running jobs, where the output is no terminal."""
_TAIL = 2000
"""Bytes of a log's end in which its last line is looked for."""
_ESCAPES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


class Monitor(AbstractContextManager):
    """Follows the jobs of a sweep; a launcher tells it what happens.

    On a terminal there is a bar, and under it each running job with the last line of its log; elsewhere a line when a job
    starts or ends, and one a minute for each that runs.

    Args:
        total: Number of jobs.
        folder: Where their logs lie.
        console: Where to say it.
        on_end: Called with each job that ended, and why it failed or None.
    """

    def __init__(self, total: int, folder: Path, console: Console, on_end: Callable[[Job, str | None], None] | None = None) -> None:
        self.total, self.folder, self.console, self.on_end = total, folder, console, on_end
        self._began: dict[str, float] = {}
        self._titles: dict[str, str] = {}
        self._done, self._said = 0, time.monotonic()
        columns = (TextColumn("{task.description}"), BarColumn(20), MofNCompleteColumn(), TimeElapsedColumn())
        self._bar = Progress(*columns, console=console, transient=True) if console.is_terminal else None
        self._rows: dict[str, int] = {}

    def __enter__(self) -> "Monitor":
        if self._bar is not None:
            self._bar.start()
            self._rows[""] = self._bar.add_task("jobs", total=self.total)
        return self

    def __exit__(self, *error: object) -> None:
        if self._bar is not None:
            self._bar.stop()

    def started(self, job: Job) -> None:
        """A job's process was started, or the job was handed to a cluster."""
        self._began[job.name], self._titles[job.name] = time.monotonic(), job.title or job.name
        if self._bar is None:
            self._print(f"{self._titles[job.name]}: started ({self.folder / job.name}.log)")
        else:
            self._rows[job.name] = self._bar.add_task(escape(f"  {self._titles[job.name]}"), total=None)

    def ended(self, job: Job, reason: str | None) -> None:
        """A job ended; `reason` says why it failed, if it did."""
        self._done += 1
        began = self._began.pop(job.name, None)
        took = "" if began is None else f" in {_spell(time.monotonic() - began)}"
        self._print(f"[{self._done}/{self.total}] {job.title or job.name}: {f'done{took}' if reason is None else f'FAILED: {reason}'}")
        if self._bar is not None:
            self._bar.update(self._rows[""], completed=self._done)
            if (row := self._rows.pop(job.name, None)) is not None:
                self._bar.remove_task(row)
        if self.on_end is not None:
            self.on_end(job, reason)

    def tick(self) -> None:
        """Nothing happened for a moment: show how far the running jobs are."""
        if self._bar is not None:
            for name in self._began:
                self._bar.update(self._rows[name], description=escape(f"  {self._titles[name]}  {self._last_line(name)}"))
        elif time.monotonic() - self._said > _EVERY:
            self._said = time.monotonic()
            for name, began in self._began.items():
                self._print(f"{self._titles[name]}: running for {_spell(time.monotonic() - began)}. {self._last_line(name)}".rstrip())

    def _last_line(self, name: str) -> str:
        """The end of a job's log, so that a training says at which step it is."""
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


def _spell(seconds: float) -> str:
    return str(timedelta(seconds=round(seconds)))
