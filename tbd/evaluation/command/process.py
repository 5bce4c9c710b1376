"""Run a program with a time limit, and measure how long it takes and how much memory its whole process tree holds."""

import os
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import psutil

from tbd.evaluation.command.gpu import GPUWatch

_EVERY = 0.1
"""Seconds between two looks at the memory of a process tree."""
_GRACE = 3.0
"""Seconds that a program has to end after it was asked to."""


@dataclass(frozen=True)
class Finished:
    """A program that has ended.

    Args:
        code: Its exit code, negative for the signal that ended it; None where it ran past its time limit and was ended.
        seconds: Wall time.
        memory: Peak MB of its process tree, looked at every tenth of a second: of the sum over processes, pages that they share counted
            once, or of the largest of them as the kernel remembers it, whichever is more.
        gpu_memory: Peak MB of its process tree on all GPUs, see `tbd.evaluation.command.gpu.GPUWatch`; 0 where that is not known.
    """

    code: int | None
    seconds: float
    memory: float
    gpu_memory: float = 0.0


def run_measured(
    command: Sequence[str], log: Path, timeout: float | None, cwd: str | None = None, env: Mapping[str, str] | None = None
) -> Finished:
    """Run a program to its end, or to its time limit.

    Whatever it has started and left behind is ended with it, also where this process is interrupted.

    Args:
        command: Program and arguments.
        log: File that gets what the program writes to its standard output and error.
        timeout: Seconds after which it is ended; None for none.
        cwd: Its working folder; None for this process's.
        env: Its environment; None for this process's.

    Returns:
        Exit code, time and memory.

    Raises:
        OSError: If there is no such program, or it cannot be run.
    """
    start = time.perf_counter()
    with open(log, "wb") as output:
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=output, stderr=output, cwd=cwd, env=env, start_new_session=True
        )
    tree = _Tree(process.pid)
    try:
        while True:
            tree.look()  # the peak that `getrusage` would give after the end is this process's own, inherited by fork
            code, seconds = process.poll(), time.perf_counter() - start
            if code is not None:
                return Finished(code, seconds, tree.peak, tree.gpu.peak)
            if timeout is not None and seconds > timeout:
                return Finished(None, seconds, tree.peak, tree.gpu.peak)
            time.sleep(_EVERY if seconds > 1 else 0.02)
    finally:
        tree.end()
        if process.returncode is None:
            process.wait()


class _Tree:
    """A process and all that descends from it."""

    def __init__(self, pid: int) -> None:
        self.peak, self._pid, self.gpu = 0.0, pid, GPUWatch()
        self._known: dict[int, psutil.Process] = {}
        with suppress(psutil.NoSuchProcess):
            self._known[pid] = psutil.Process(pid)

    def look(self) -> None:
        """Find the processes that there are now, and note the sum of their memory."""
        with suppress(psutil.NoSuchProcess):
            for child in psutil.Process(self._pid).children(recursive=True):
                self._known.setdefault(child.pid, child)
        processes = self._known.values()
        self.gpu.look({process.pid for process in processes if process.is_running()})
        self.peak = max(self.peak, sum(map(_held, processes)) / 2**20, *(_peak(process) / 2**20 for process in processes))

    def end(self) -> None:
        """End what is left: first its session, then processes that have left it."""
        self.gpu.end()
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self._pid, signal.SIGTERM)
        left = [process for process in self._known.values() if process.is_running()]
        for process in left:
            with suppress(psutil.Error):
                process.terminate()
        _, stubborn = psutil.wait_procs(left, timeout=_GRACE)
        for process in stubborn:
            with suppress(psutil.Error):
                process.kill()
        psutil.wait_procs(stubborn, timeout=_GRACE)
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self._pid, signal.SIGKILL)


def _peak(process: psutil.Process) -> int:
    """Most bytes that a living process has held, as Linux remembers it; 0 elsewhere."""
    try:
        lines = Path(f"/proc/{process.pid}/status").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM:")), 0)


def _held(process: psutil.Process) -> int:
    """Bytes that a process holds: its share of shared pages where the system says it, else all resident ones."""
    try:
        return getattr(process.memory_full_info(), "pss", 0) or process.memory_info().rss
    except psutil.AccessDenied:
        with suppress(psutil.Error):
            return process.memory_info().rss
    except psutil.Error:
        pass
    return 0
