"""Work over processes, and Ctrl-C."""

import os
import signal
import subprocess
import sys
import textwrap
import time

import pytest

from tests.conftest import hear_interrupts

SCRIPT = """
    import os, sys, time
    from pathlib import Path

    from tbd.utils.atomic import atomic_output
    from tbd.utils.jobs.multiprocessing import parallel_map

    FOLDER, WHEN = Path(sys.argv[1]), sys.argv[2]
    if __name__ != "__main__" and WHEN == "starting":
        (FOLDER / f"{os.getpid()}.up").touch()
        time.sleep(60)


    def work(i):
        with atomic_output(FOLDER / f"{i}.txt") as temporary:
            temporary.write_text("half")
            (FOLDER / f"{os.getpid()}.up").touch()
            time.sleep(60)


    if __name__ == "__main__":
        try:
            list(parallel_map(work, range(8), 2))
        except KeyboardInterrupt:
            print("interrupted", file=sys.stderr)
            sys.exit(130)
"""


@pytest.mark.parametrize("when", ["starting", "working"])
def test_ctrl_c_ends_all_processes_with_one_word(tmp_path, when):
    """While workers import or work. A terminal sends it to all; here the workers get it first, so that none is ended before."""
    script, folder = tmp_path / "script.py", tmp_path / "out"
    folder.mkdir()
    script.write_text(textwrap.dedent(SCRIPT))
    command = [sys.executable, str(script), str(folder), when]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, start_new_session=True, preexec_fn=hear_interrupts)
    try:
        deadline = time.monotonic() + 60
        while len(up := list(folder.glob("*.up"))) < 2 and time.monotonic() < deadline:
            time.sleep(0.05)
        for path in up:
            os.kill(int(path.stem), signal.SIGINT)
        time.sleep(0.3)
        os.killpg(process.pid, signal.SIGINT)
        _, said = process.communicate(timeout=30)  # until the last process has closed it
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
    assert (process.returncode, said) == (130, "interrupted\n")
    assert sorted(folder.iterdir()) == sorted(up)  # nothing half-written
