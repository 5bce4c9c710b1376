"""A component of the user's that fails is named with its own words; the packaged ones' errors pass through."""

import errno

import pytest

from tbd.cli.main import main
from tbd.errors import InputError
from tbd.utils.options.user_components import attribute_errors_to

PLANNERS = """
from tbd.think import Planner

class Raises(Planner):
    def plan(self, text, duration=None):
        return {}["feeling"]

class Forgets(Planner):
    def plan(self, text, duration=None):
        return {"happy": 1}
"""


@pytest.fixture
def planners(tmp_path, monkeypatch):
    (tmp_path / "stranger_planners.py").write_text(PLANNERS)
    monkeypatch.syspath_prepend(tmp_path)


@pytest.mark.parametrize(("name", "words"), [("Raises", "failed: KeyError, 'feeling'"), ("Forgets", "gave dict, not MusclePlan")])
def test_think_names_the_planner(planners, capsys, name, words):
    assert main(["think", "happy", "--planner", f"stranger_planners.{name}"]) == 1
    said = capsys.readouterr().err
    assert f"The planner stranger_planners.{name} {words}" in said and "unexpected" not in said


class Stranger:
    pass


def test_a_full_disk_stays_one():
    with pytest.raises(OSError), attribute_errors_to(Stranger(), "renderer"):
        raise OSError(errno.ENOSPC, "no space")


def test_what_a_component_says_itself_stays():
    with pytest.raises(InputError, match="own words"), attribute_errors_to(Stranger(), "tracker"):
        raise InputError("own words")
