"""Items that are computed ahead: all of them, or none after closing; errors come through."""

import threading
import time

import pytest

from tbd.utils.jobs.ahead import ahead


def test_work_begins_before_the_first_item_is_asked_for():
    begun = threading.Event()

    def items():
        begun.set()
        yield 1

    waiting = ahead(items())
    assert begun.wait(5) and list(waiting) == [1]


def test_an_error_comes_where_its_item_would():
    def items():
        yield 1
        raise ValueError("two")

    received = ahead(items())
    assert next(received) == 1
    with pytest.raises(ValueError, match="two"):
        next(received)


@pytest.mark.parametrize("wait", [True, False])
def test_closing_closes_the_work_in_its_own_thread(wait):
    go, closed_by = threading.Event(), []
    ended = threading.Event()

    def items():
        try:
            yield 1
            go.wait(5)
            yield 2
            raise AssertionError("went on")
        finally:
            closed_by.append(threading.current_thread().name)
            ended.set()

    received = ahead(items(), wait)
    next(received)
    if wait:
        go.set()
    received.close()
    go.set()
    assert ended.wait(5) and closed_by == ["tbd-ahead"]


@pytest.mark.parametrize("wait", [True, False])
def test_closing_before_the_first_item_was_asked_for_ends_the_work_as_well(wait):
    drawn, ended = [], threading.Event()

    def items():
        try:
            for i in range(1000):
                drawn.append(i)
                time.sleep(0.002)
                yield i
        finally:
            ended.set()

    ahead(items(), wait).close()
    assert (ended.is_set() if wait else ended.wait(5)) and len(drawn) < 500
