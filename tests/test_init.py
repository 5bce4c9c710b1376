"""What `tbd` itself exports: the main classes, imported when they are asked for."""

import subprocess
import sys

import pytest

import tbd


@pytest.mark.parametrize("name", tbd.__all__)
def test_the_main_classes_are_exported(name):
    exported = getattr(tbd, name)
    assert exported.__name__ == name and name in dir(tbd) and exported.__module__.startswith("tbd.")


def test_nothing_else_is():
    assert not hasattr(tbd, "Planner")
    with pytest.raises(ImportError):
        from tbd import Planner  # noqa: F401


def test_importing_tbd_imports_nothing_else():
    code = "import sys, tbd; print([m for m in ('numpy', 'torch', 'pydantic', 'tbd.errors', 'tbd.pipeline') if m in sys.modules])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip() == "[]"
