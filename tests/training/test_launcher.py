"""One process per device: started from anywhere, watched, and never left behind."""

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
import torch

from tbd.errors import REQUEUE, InputError
from tbd.training import launcher
from tbd.training.launcher import launch
from tests.conftest import hear_interrupts
from tests.draw.tiny_motion import TINY as TINY_MOTION

ROOT = Path(__file__).resolve().parents[2]
REPORT = "import time; from tbd.training.launcher import report_failure as r; r('tbd fit: {} is wrong.', {}); "


@pytest.fixture
def ranks(monkeypatch):
    """Ranks that run a line of Python each instead of `tbd`; returns what sets the lines."""
    lines: list[str] = []

    def start(arguments, environment, pipe):
        boot = f"import sys; sys.path[:] = {sys.path!r}; from tbd.training.launcher import follow_launcher; follow_launcher(); "
        code = boot + lines[int(environment["LOCAL_RANK"])]
        return subprocess.Popen(
            [sys.executable, "-c", code], env=environment, pass_fds=[pipe], start_new_session=True, preexec_fn=hear_interrupts
        )

    monkeypatch.setattr(launcher, "_start", start)
    monkeypatch.setattr(launcher, "_GRACE", 1.0)
    return lines


def test_every_rank_runs_the_command_and_an_error_is_said_once(capfd):
    assert launch(["xyzzy"], 2) == 2
    assert capfd.readouterr().err.count("there is no such command") == 1


def test_the_first_failure_is_told_and_ends_the_others(ranks, capfd):
    ranks += ["import time; time.sleep(60)", REPORT.format("rank two", 2) + "sys.exit(2)"]
    start = time.monotonic()
    assert launch(["fit"], 2) == 2 and time.monotonic() - start < 20
    assert capfd.readouterr().err == "tbd fit: rank two is wrong.\n"


def test_what_follows_from_the_first_failure_is_not_said(ranks, capfd):
    after = "import os, time\nwhile not os.path.exists(os.environ['TBD_RANK_REPORT'][:-1] + '1'): time.sleep(0.02)\n"
    ranks += [after + REPORT.format("the other end", 1) + "sys.exit(1)"]
    ranks += [REPORT.format("rank two", 2) + "sys.exit(2)"]
    assert launch(["fit"], 2) == 2
    assert capfd.readouterr().err == "tbd fit: rank two is wrong.\n"


def test_a_rank_that_the_system_ends_is_named(ranks, capfd):
    ranks += ["import time; time.sleep(60)", "import os; os.kill(os.getpid(), 9)"]
    assert launch(["fit"], 2) == 1
    assert "process 2 of 2 was ended by SIGKILL" in capfd.readouterr().err


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, REQUEUE)])
def test_signals_reach_every_rank(ranks, number, code, tmp_path):
    ready = tmp_path / "ready"
    ranks += [
        f"import signal, time; signal.signal({int(number)}, lambda *_: sys.exit({code})); open({str(ready)!r} + str({i}), 'w').close(); "
        "time.sleep(60)"
        for i in range(2)
    ]

    def ask() -> None:
        deadline = time.monotonic() + 30
        while len(list(tmp_path.iterdir())) < 2 and time.monotonic() < deadline:
            time.sleep(0.05)
        os.kill(os.getpid(), number)

    asking = threading.Thread(target=ask)
    asking.start()
    assert launch(["fit"], 2) == code
    asking.join()


def test_a_launcher_that_is_killed_leaves_nobody(tmp_path):
    """The rank notes its number and sleeps; the launcher is killed without a chance to clean up."""
    rank = f"import os, time; open({str(tmp_path / 'rank')!r}, 'w').write(str(os.getpid())); time.sleep(60)"
    code = (
        "import sys, subprocess\nfrom tbd.training import launcher\n"
        f"boot = 'from tbd.training.launcher import follow_launcher; follow_launcher(); ' + {rank!r}\n"
        "launcher._start = lambda a, e, p: subprocess.Popen([sys.executable, '-c', boot], env=e, pass_fds=[p], start_new_session=True)\n"
        "launcher.launch(['fit'], 1)"
    )
    launcher = subprocess.Popen([sys.executable, "-c", code], env={**os.environ, "PYTHONPATH": str(ROOT)})
    deadline = time.monotonic() + 30
    while not ((tmp_path / "rank").is_file() and (tmp_path / "rank").read_text()) and time.monotonic() < deadline:
        time.sleep(0.05)
    launcher.kill()
    launcher.wait()
    number = int((tmp_path / "rank").read_text())
    while _runs(number) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not _runs(number)


def _runs(number: int) -> bool:
    """Whether a process runs; one that has ended and that nobody asks after does not."""
    try:
        return Path(f"/proc/{number}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def test_ranks_of_torchrun_say_the_same_once(monkeypatch, tmp_path):
    """It has no place for their errors; the same of one machine is said by the first."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    assert not launcher.report_failure("tbd fit: alone.", 1)
    monkeypatch.setenv("LOCAL_RANK", "1")
    assert [launcher.report_failure(f"tbd fit: {what}.", 2) for what in ("a", "a", "b")] == [False, True, False]


def test_several_machines_need_a_meeting_place(monkeypatch):
    for name in ("MASTER_ADDR", "MASTER_PORT", "NODE_RANK"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(InputError, match=r"num_nodes=2 is started with torchrun or Slurm"):
        launch(["fit"], 1, nodes=2)


def test_the_installed_command_trains_on_two_devices_from_anywhere(corpus, tmp_path):
    """As after `pip install`: a script, called by a link, in another folder, with relative paths."""
    script = tmp_path / "bin" / "tbd-script"
    script.parent.mkdir()
    script.write_text(f"#!{sys.executable}\nimport sys\nfrom tbd.cli.main import main\nsys.exit(main())\n")
    script.chmod(0o755)
    (tmp_path / "tbd").symlink_to(script)
    (tmp_path / "here").mkdir()
    (tmp_path / "here" / "run.yaml").write_text((ROOT / "configs" / "experiment" / "motion_mini.yaml").read_text())
    arguments = ["fit", "--config", "run.yaml", f"--data.init_args.root={corpus}", "--data.init_args.batch_size=1"]
    arguments += TINY_MOTION
    arguments += ["--trainer.accelerator=cpu", "--trainer.devices=2", "--trainer.strategy=ddp", "--trainer.max_steps=2"]
    arguments += ["--trainer.default_root_dir=out", "--trainer.limit_val_batches=0", "--trainer.log_every_n_steps=1"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    environment = {name: value for name, value in environment.items() if name not in ("LOCAL_RANK", "WORLD_SIZE", "RANK")}
    done = subprocess.run(
        [str(tmp_path / "tbd"), *arguments], cwd=tmp_path / "here", env=environment, capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stderr[-3000:]
    assert done.stderr.count("step 2/2, loss ") == 1 and "tbd fit: 2 processes, " in done.stderr
    assert done.stderr.count("tbd fit: finished after step 2. Its last state is ") == 1
    (last,) = (tmp_path / "here" / "out").rglob("last.ckpt")
    assert torch.load(last, weights_only=False)["global_step"] == 2
