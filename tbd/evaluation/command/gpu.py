"""GPU memory of other programs' processes, as nvidia-smi reports it while they run."""

import shutil
import subprocess
import threading
from collections.abc import Collection
from contextlib import suppress
from typing import IO

_QUERY = ("--query-compute-apps=gpu_uuid,pid,used_gpu_memory", "--format=csv,noheader,nounits", "-lms", "250")


class GPUWatch:
    """Watches which processes hold how much memory on which GPU, in a process of its own that asks the driver four times a second.

    Nothing is watched where there is no nvidia-smi. The driver names processes by the host's numbers: in a container that has numbers
    of its own, none of them is known, and the peak stays 0.
    """

    def __init__(self) -> None:
        self.peak = 0.0
        """Most MB that the processes given to `look` have held at one time, over all GPUs."""
        self._held: dict[tuple[str, int], float] = {}
        self._lock = threading.Lock()
        self._process: subprocess.Popen[str] | None = None
        program = shutil.which("nvidia-smi")
        if program is None:
            return
        with suppress(OSError):
            self._process = subprocess.Popen(
                [program, *_QUERY], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
            )
            assert self._process.stdout is not None, "it is a pipe"
            threading.Thread(target=self._read, args=(self._process.stdout,), daemon=True).start()

    def _read(self, lines: IO[str]) -> None:
        with suppress(ValueError):  # the pipe was closed
            for line in lines:
                parts = [part.strip() for part in line.split(",")]
                with suppress(ValueError, IndexError):  # such as [N/A], or a driver that has gone
                    place, megabytes = (parts[0], int(parts[1])), float(parts[2])
                    with self._lock:
                        self._held[place] = megabytes

    def look(self, processes: Collection[int]) -> None:
        """Note what some processes hold now; others, and those that have ended, count for nothing.

        Args:
            processes: Numbers of the processes.
        """
        with self._lock:
            self._held = {place: megabytes for place, megabytes in self._held.items() if place[1] in processes}
            self.peak = max(self.peak, sum(self._held.values()))

    def end(self) -> None:
        """Stop watching."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            assert self._process.stdout is not None, "it is a pipe"
            self._process.stdout.close()
