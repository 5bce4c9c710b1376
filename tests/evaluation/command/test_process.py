"""Programs: their time, the memory of all their processes, and an end for whatever they leave behind."""

import sys
import time

import psutil
import pytest

from tbd.evaluation.command.process import run_measured


def python(code: str) -> list[str]:
    return [sys.executable, "-c", code]


def test_memory_is_that_of_all_processes(tmp_path):
    """Two children hold 60 MB each at the same time; neither alone holds as much as both."""
    hold = "x = bytearray(60 * 2**20); x[::4096] = b'1' * len(x[::4096]); import time; time.sleep(1.2)"
    parent = f"import subprocess, sys; c = [subprocess.Popen([sys.executable, '-c', {hold!r}]) for _ in range(2)]; [p.wait() for p in c]"
    done = run_measured(python(parent), tmp_path / "log", 60)
    assert done.code == 0 and 120 < done.memory < 250 and 1.2 < done.seconds < 20


def test_a_short_peak_is_not_missed(tmp_path):
    done = run_measured(python("x = bytearray(100 * 2**20); x[::4096] = b'1' * len(x[::4096])"), tmp_path / "log", 60)
    assert done.memory > 80  # of the interpreter alone it is about 10


def test_a_time_limit_ends_the_whole_tree(tmp_path):
    """A grandchild that has left the session and ignores SIGTERM as well."""
    stubborn = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(60)"
    parent = (
        f"import subprocess, sys, time; p = subprocess.Popen([sys.executable, '-c', {stubborn!r}], start_new_session=True); "
        "print(p.pid, flush=True); time.sleep(60)"
    )
    start = time.monotonic()
    done = run_measured(python(parent), tmp_path / "log", 2.0)
    pid = int((tmp_path / "log").read_text())
    assert done.code is None and time.monotonic() - start < 15
    assert not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE


def test_exit_codes_and_output(tmp_path):
    assert run_measured(python("import sys; print('a'); print('b', file=sys.stderr); sys.exit(7)"), tmp_path / "log", None).code == 7
    assert (tmp_path / "log").read_text().split() in (["a", "b"], ["b", "a"])
    assert run_measured(python("import os; os.kill(os.getpid(), 9)"), tmp_path / "log", None).code == -9
    with pytest.raises(OSError):
        run_measured(["/nowhere/to/be/found"], tmp_path / "log", None)


SMI = """#!{python}
import os, sys, time
from pathlib import Path
assert sys.argv[1].startswith("--query-compute-apps=gpu_uuid,pid,used_gpu_memory") and "-lms" in sys.argv
pids = Path(os.environ["PIDS"])
print("GPU-a, [N/A], [N/A]", flush=True)
for _ in range(400):
    for line in pids.read_text().splitlines() if pids.is_file() else ():
        print(line, flush=True)
    print("GPU-a, 1, 9999", flush=True)  # somebody else's
    time.sleep(0.02)
"""


@pytest.fixture
def smi(tmp_path, monkeypatch):
    """A stand-in for nvidia-smi, which reports what programs have written to a file."""
    program = tmp_path / "bin" / "nvidia-smi"
    program.parent.mkdir()
    program.write_text(SMI.format(python=sys.executable))
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(program.parent), prepend=":")
    monkeypatch.setenv("PIDS", str(tmp_path / "pids"))
    return program


HOLD = """
import os, subprocess, sys, time
say = lambda gpu, size: open(os.environ["PIDS"], "a").write(f"{gpu}, {os.getpid()}, {size}\\n")
if len(sys.argv) > 1:
    say("GPU-b", 300)
    time.sleep(0.8)
else:
    say("GPU-a", 500)
    say("GPU-b", 100)
    code = open(os.environ["CODE"]).read()
    subprocess.run([sys.executable, "-c", code, "child"], check=True)
"""


def test_gpu_memory_is_that_of_the_tree_on_all_gpus(tmp_path, smi, monkeypatch):
    (tmp_path / "code.py").write_text(HOLD)
    monkeypatch.setenv("CODE", str(tmp_path / "code.py"))
    done = run_measured([sys.executable, str(tmp_path / "code.py")], tmp_path / "log", 60)
    assert (done.code, done.gpu_memory) == (0, 900), (tmp_path / "log").read_text()
    assert not [p for p in psutil.process_iter(["cmdline"]) if str(smi) in (p.info["cmdline"] or ())], "the watch has ended"


def test_without_a_driver_nothing_is_reported(tmp_path, monkeypatch, smi):
    smi.write_text("#!/bin/sh\necho 'NVIDIA-SMI has failed because it could not communicate with the NVIDIA driver.'\nexit 9\n")
    assert run_measured(python("import time; time.sleep(0.3)"), tmp_path / "log", 60).gpu_memory == 0
    monkeypatch.setattr("shutil.which", lambda name: None)
    assert run_measured(python("pass"), tmp_path / "log", 60).gpu_memory == 0
