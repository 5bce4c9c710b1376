"""Work that a process has begun: its results, and what becomes of it where something fails."""

import os
import signal
import sys
import threading

import pytest

from tbd.errors import InputError
from tbd.utils.jobs.head_start import HeadStart, pays_off


def numbers(path):
    yield os.getpid()
    yield bytes(10_000_000)  # far more than a pipe holds
    path.write_text("went on")
    yield "the end"


def failing(error):
    yield 1
    raise error


def staying():
    yield os.getpid()
    threading.Event().wait()


def test_work_goes_on_while_nobody_takes_its_results(tmp_path):
    start, path = HeadStart(numbers, tmp_path / "a"), tmp_path / "a"
    assert start.next() != os.getpid()
    pause = threading.Event()
    while not path.exists():  # with the large result still waiting
        pause.wait(0.01)
    assert [len(start.next()), start.next(), start.next(), start.next()] == [10_000_000, "the end", None, None]


@pytest.mark.parametrize("error", [InputError("no"), OSError("no")])
def test_what_fails_has_no_result_and_says_nothing(error, capfd):
    start = HeadStart(failing, error)
    assert [start.next(), start.next()] == [1, None]
    assert capfd.readouterr() == ("", "")


def test_a_killed_process_has_no_result():
    start = HeadStart(staying)
    os.kill(start.next(), signal.SIGKILL)
    assert start.next() is None


def test_nothing_is_gained_with_one_core_threads_or_torch(monkeypatch):
    module = sys.modules["tbd.utils.jobs.head_start"]
    monkeypatch.setattr(module, "usable_cores", lambda: 2)
    monkeypatch.setattr(module.threading, "active_count", lambda: 1)
    monkeypatch.delitem(sys.modules, "torch", raising=False)
    assert pays_off()
    monkeypatch.setitem(sys.modules, "torch", os)
    assert not pays_off()
    monkeypatch.delitem(sys.modules, "torch")
    monkeypatch.setattr(module.threading, "active_count", lambda: 2)
    assert not pays_off()
    monkeypatch.setattr(module.threading, "active_count", lambda: 1)
    monkeypatch.setattr(module, "usable_cores", lambda: 1)
    assert not pays_off()
