"""Starts one process per device of this machine, watches them, and leaves with the exit code of the first that failed.

Lightning's own launcher runs ``sys.argv[0]`` again, makes the user's process one of the ranks, and ends it by SIGKILL when another rank
fails: no sentence, the wrong exit code. Here the user's process trains nothing. It starts every rank, forwards signals, prints the first
rank's error once, and leaves with its exit code.
"""

import contextlib
import hashlib
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import FrameType
from typing import NamedTuple

from tbd.errors import INTERRUPTED, REQUEUE, InputError
from tbd.utils.jobs.threads import worker_environment

_REPORT, _LAUNCHER_PIPE = "TBD_RANK_REPORT", "TBD_LAUNCHER_PIPE"
_POLL, _GRACE, _LONG_GRACE = 0.1, 5.0, 60.0
_STALE = 300.0
"""Seconds between looks at the ranks; that others have after one failed; that they have after one saved and left;
after which a sentence may be said again."""


class RankFailure(NamedTuple):
    """Why a rank failed.

    Args:
        time: When, in seconds since the epoch.
        sentence: The error, for people.
        code: The rank's exit code.
    """

    time: float
    sentence: str
    code: int


def report_failure(sentence: str, code: int) -> bool:
    """Leave an error to the launching process, or to another rank that prints the same, so that it is printed once.

    Args:
        sentence: The error, for people.
        code: The exit code that this process will leave with.

    Returns:
        Whether the error is printed elsewhere; if not, the caller prints it.
    """
    path = os.environ.get(_REPORT)
    if path is None:
        return "LOCAL_RANK" in os.environ and _is_printed(sentence)
    with contextlib.suppress(OSError):
        Path(path).write_text(json.dumps([time.time(), sentence, code]), encoding="utf-8")
    return True


def _is_printed(sentence: str) -> bool:
    """Whether a rank that torchrun started on this machine has printed the same: the first to make a file does."""
    key = hashlib.sha256(f"{os.getppid()} {sentence}".encode()).hexdigest()[:16]
    path = Path(tempfile.gettempdir()) / f"tbd-said-{key}"
    with contextlib.suppress(OSError):
        if path.exists() and time.time() - path.stat().st_mtime > _STALE:
            path.unlink()
        try:
            path.touch(exist_ok=False)
        except FileExistsError:
            return True
    return False


def follow_launcher() -> None:
    """In a rank, make this process end at once when the launching process is gone, however it ended, so that none is left behind."""
    pipe = os.environ.pop(_LAUNCHER_PIPE, None)
    if pipe is not None:
        threading.Thread(target=_end_with, args=(int(pipe),), name="tbd-launcher", daemon=True).start()


def _end_with(pipe: int) -> None:
    os.read(pipe, 1)  # returns when the other end is closed, which only the launcher holds
    os.kill(os.getpid(), signal.SIGKILL)


def launch(arguments: Sequence[str], processes: int, nodes: int = 1) -> int:
    """Run `tbd ARGUMENTS` once per device of this machine.

    Args:
        arguments: The command and its options.
        processes: Number of ranks on this machine.
        nodes: Number of machines; this command is started on each, with ``MASTER_ADDR``, ``MASTER_PORT`` and ``NODE_RANK`` set.

    Returns:
        The exit code of the rank that failed first, or 0.

    Raises:
        InputError: If there are several nodes and nothing says which this is.
    """
    with tempfile.TemporaryDirectory(prefix="tbd-ranks-") as folder:
        reports = [Path(folder) / str(rank) for rank in range(processes)]
        read, write = os.pipe()
        environment = {**os.environ, **_rendezvous(processes, nodes), **worker_environment(processes), _LAUNCHER_PIPE: str(read)}
        own = [{"LOCAL_RANK": str(rank), _REPORT: str(report)} for rank, report in enumerate(reports)]
        ranks = _Ranks([_start(arguments, {**environment, **one}, read) for one in own], reports)
        os.close(read)
        try:
            with ranks.signals_forwarded():
                ranks.wait()
        finally:
            ranks.kill()
            os.close(write)
        return _conclude(ranks, arguments[0])


def _rendezvous(processes: int, nodes: int) -> dict[str, str]:
    """Where the ranks meet, in the names that PyTorch reads."""
    missing = [name for name in ("MASTER_ADDR", "MASTER_PORT", "NODE_RANK") if name not in os.environ]
    if nodes > 1 and missing:
        raise InputError(
            f"--trainer.num_nodes={nodes} is started with torchrun or Slurm (docs/cluster.md), or with {', '.join(missing)} set on each."
        )
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    found = {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port, "NODE_RANK": "0"}
    return {**{name: os.environ.get(name, value) for name, value in found.items()}, "WORLD_SIZE": str(processes * nodes)}


def _start(arguments: Sequence[str], environment: dict[str, str], pipe: int) -> subprocess.Popen:
    # the same packages as here, however this process was started: script, link, -m, or from within Python
    boot = f"import sys; sys.path[:] = {sys.path!r}; from tbd.cli.main import main; sys.exit(main())"
    # a session of its own, or a terminal's Ctrl-C would come twice: from there and from here
    return subprocess.Popen([sys.executable, "-c", boot, *arguments], env=environment, pass_fds=[pipe], start_new_session=True)


class _Ranks:
    """Processes that live and end together."""

    def __init__(self, processes: Sequence[subprocess.Popen], reports: Sequence[Path]) -> None:
        self.processes, self.reports = processes, reports
        self._interrupts, self._deadline = 0, float("inf")
        self.forwarded: set[int] = set()
        self.killed: tuple[int, int] | None = None
        """Rank and signal, where the first to end was ended by one."""

    @property
    def codes(self) -> list[int]:
        return [process.wait() for process in self.processes]

    def wait(self) -> None:
        """Until all have ended, or the others' time is up after one failed."""
        while time.monotonic() < self._deadline:
            codes = [process.poll() for process in self.processes]
            if None not in codes:
                return
            self._watch(codes)
            time.sleep(_POLL)

    def _watch(self, codes: Sequence[int | None]) -> None:
        failed = [code for code in codes if code]
        if not failed:
            if any(report.is_file() for report in self.reports):
                self._end_in(_GRACE)  # one that has failed may wait for the others on its way out
            return
        if self._deadline == float("inf"):
            self.killed = next(((rank, -code) for rank, code in enumerate(codes) if code is not None and code < 0), None)
        orderly = all(code in (REQUEUE, INTERRUPTED) for code in failed) and self._interrupts < 2
        self._end_in(_LONG_GRACE if orderly else _GRACE)

    def _end_in(self, seconds: float) -> None:
        self._deadline = min(self._deadline, time.monotonic() + seconds)

    def kill(self) -> None:
        for process in self.processes:
            if process.poll() is None:
                process.kill()

    @contextlib.contextmanager
    def signals_forwarded(self) -> Iterator[None]:
        """What is sent to this process goes to every rank."""
        if threading.current_thread() is not threading.main_thread():
            yield  # Python hands signals to the main thread alone
            return
        numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGUSR1, signal.SIGUSR2)
        before = {number: signal.signal(number, self._forward) for number in numbers}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def _forward(self, number: int, frame: FrameType | None) -> None:
        self._interrupts += number == signal.SIGINT
        self.forwarded.add(number)
        if self._interrupts > 1:
            self._end_in(_GRACE)  # a rank that waits for another in a collective handles no signal
        for process in self.processes:
            if process.poll() is None:
                process.send_signal(number)


def _conclude(ranks: _Ranks, command: str) -> int:
    """Print why the first rank that failed did, and return its code."""
    codes = ranks.codes
    if ranks.killed is not None and ranks.killed[1] in ranks.forwarded:
        return 128 + ranks.killed[1]  # before it could save
    if ranks.killed is not None:
        rank, number = ranks.killed
        why = "; the system does that when memory is short" if number == signal.SIGKILL else ""
        print(f"tbd {command}: process {rank + 1} of {len(codes)} was ended by {signal.Signals(number).name}{why}.", file=sys.stderr)
        return 1
    # later ones are consequences: a rank that fails cuts the others off
    failures = sorted(RankFailure(*json.loads(path.read_text(encoding="utf-8"))) for path in ranks.reports if path.is_file())
    if failures:
        print(failures[0].sentence, file=sys.stderr)
        return failures[0].code
    return next((code for code in codes if code > 0), INTERRUPTED if any(codes) else 0)
