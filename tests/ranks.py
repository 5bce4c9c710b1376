"""Ranks of a distributed run on this machine: one process imports what they need, which takes longer than they do, then forks into them.

python -m tests.ranks MODULE WORLD [ARGUMENT …]
"""

import importlib
import os
import signal
import socket
import subprocess
import sys
import traceback
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def run_ranks(module: str, *arguments: str, world: int = 2, seconds: float = 600) -> None:
    """Call a module's ``main(rank, world, port, *arguments)`` in each of `world` processes that share no thread and no state with this one.

    Args:
        module: Its name.
        arguments: What `main` takes beside.
        world: Number of processes.
        seconds: After so many they are ended.

    Raises:
        AssertionError: If one of them fails; what all of them said is in it, since only all of them together say why.
    """
    command = [sys.executable, "-m", "tests.ranks", module, str(world), *arguments]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    done = subprocess.run(command, env=environment, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=seconds)
    assert done.returncode == 0, done.stdout.decode()[-6000:]


def _main(module: str, world: str, *arguments: str) -> int:
    ranks = importlib.import_module(module)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    numbers = []
    for rank in range(int(world)):
        number = os.fork()
        if not number:
            _rank(ranks.main, rank, int(world), port, *arguments)
        numbers.append(number)
    failed = 0
    while numbers:
        number, status = os.wait()
        numbers.remove(number)
        failed |= status
        if status:  # the others may wait for it for ever
            for other in numbers:
                os.kill(other, signal.SIGTERM)
    return int(bool(failed))


def _rank(main, *arguments) -> None:
    code = 1
    try:
        main(*arguments)
        code = 0
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


if __name__ == "__main__":
    sys.exit(_main(*sys.argv[1:]))
