"""Stand-ins for modules: what is whole, what is put off, and when nothing is."""

import importlib
import sys
import threading

import pytest

from tbd.utils.late_imports import imported_when_used


@pytest.fixture
def library(tmp_path, monkeypatch):
    """A package `seldom` with a module and a function, and what forgets it; threads that earlier tests have left do not count."""
    count = threading.active_count
    others = count() - 1
    monkeypatch.setattr(threading, "active_count", lambda: count() - others)
    (tmp_path / "seldom").mkdir()
    (tmp_path / "seldom" / "__init__.py").write_text("value = 5\n")
    (tmp_path / "seldom" / "plots.py").write_text("def draw(x, *, y): return x + y\nclass Picture: pass\n")
    monkeypatch.syspath_prepend(tmp_path)
    yield
    for name in ("seldom", "seldom.plots"):
        sys.modules.pop(name, None)


BOTH = {"seldom": (), "seldom.plots": ("draw",)}


def test_nothing_is_imported_before_it_is_used_and_then_all_of_it(library):
    with imported_when_used(BOTH):
        import seldom.plots as plots
        from seldom.plots import draw
    assert not {"seldom", "seldom.plots"} & set(sys.modules)
    assert draw(1, y=2) == 3
    assert plots.Picture is sys.modules["seldom.plots"].Picture
    with pytest.raises(AttributeError, match="nothing"):
        _ = plots.nothing


def test_what_is_used_in_the_block_is_imported_there(library):
    with imported_when_used(BOTH):
        from seldom import value
    assert value == 5 and "seldom" in sys.modules and "seldom.plots" not in sys.modules
    real = sys.modules["seldom"]
    with imported_when_used(BOTH):
        assert importlib.import_module("seldom") is real


def test_who_looks_through_all_modules_uses_none(library):
    with imported_when_used(BOTH):
        assert not hasattr(sys.modules["seldom"], "__file__")
    assert "seldom" not in sys.modules


def test_an_error_leaves_no_stand_in(library):
    with pytest.raises(ValueError, match="fault"), imported_when_used(BOTH):
        raise ValueError("a fault")
    assert "seldom" not in sys.modules


def test_nothing_is_put_off_where_another_thread_may_import(library):
    pause = threading.Event()
    other = threading.Thread(target=pause.wait)
    other.start()
    with imported_when_used(BOTH):
        import seldom
    pause.set()
    other.join()
    assert sys.modules["seldom"] is seldom and seldom.__file__
