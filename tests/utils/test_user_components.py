"""A component of the user's that fails is named with its own words; the packaged ones' errors pass through."""

import errno

import numpy as np
import pytest

from tbd.cli.generate import _components
from tbd.cli.main import main
from tbd.errors import InputError, TBDError
from tbd.utils.user_components import attribute_errors_to

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


def test_frames_that_fail_name_the_renderer():
    from tbd.pipeline import _rendered

    class Breaks:
        def render(self, face, motion):
            yield np.zeros((2, 2, 3), np.uint8)
            raise ValueError("no more  paint")

    frames = _rendered(Breaks(), None, None)
    assert next(frames).shape == (2, 2, 3)
    with pytest.raises(TBDError, match="Breaks failed: ValueError, no more paint"):
        next(frames)


@pytest.mark.parametrize("name", ["mesh", "MeshWarpRenderer", "tbd.face.render.renderer.MeshWarpRenderer"])
def test_the_packaged_renderer_by_any_name_is_fitted_to_the_plan(name):
    assert _components({"emotion": "", "renderer": name}).renderer is None


def test_its_arguments_keep_the_lips_closed():
    given = {"class_path": "mesh", "init_args": {"shading": 0.5}}
    renderer = _components({"emotion": "", "renderer": given}).renderer
    assert (renderer.shading, renderer.close_lips) == (0.5, 1.0)
