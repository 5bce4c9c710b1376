"""Shut eyes of film: which frames are compared, and how."""

from dataclasses import replace

import numpy as np
import pytest

from benchmarks import shut_eyes
from tbd.face import topology
from tbd.face.geometry import FaceGeometry
from tbd.face.rig import Rig
from tbd.face.tracker import FaceMeshTracker
from tests.face.render.drawing import cut, draw
from tests.face.rigging.poses import pose


@pytest.fixture(scope="module")
def face() -> FaceGeometry:
    from skimage.data import astronaut

    return FaceMeshTracker().locate(astronaut())


def blinking(face, blink: float):
    moved = Rig(face.canonical).displace(pose(eyeBlink=blink)).astype(np.float32)
    points = face.points.copy()
    points[:, :2] += (face.project(face.canonical + moved) - face.project(face.canonical))[:, :2]
    return replace(face, points=points)


def test_a_blink_is_an_open_a_shut_and_a_half_shut_frame(face):
    frames = [face] * 8 + [blinking(face, share) for share in (0.4, 0.95, 0.4)] + [face] * 8
    found = shut_eyes.find_blink(frames)
    assert found.open is face and found.shut is frames[9] and found.half in (frames[8], frames[10])


def test_who_never_blinks_is_left_out(face):
    assert shut_eyes.find_blink([face] * 20) is None


@pytest.mark.parametrize("side", topology.SIDES)
def test_an_eye_is_laid_by_points_that_lids_do_not_move(face, side):
    here = shut_eyes.eye_window(face, face.image, side, face)
    moved = cut(face, 11, 7, *face.image.shape[1::-1])
    there = shut_eyes.eye_window(moved, moved.image, side, face)
    middle = slice(32, 96)
    assert here.shape == (128, 128, 3) and np.abs(here[middle, middle].astype(int) - there[middle, middle]).mean() < 1


def test_what_was_drawn_shut_is_found_the_same(face):
    class Colours:
        def __call__(self, a, b, mask):
            return ((a - b) ** 2 * mask).mean((1, 2, 3))

    shut = replace(face, image=draw(face, {"eyeBlink": 1})[0])
    look, error, untouched = shut_eyes.compare(shut_eyes.Blink(face, shut, None), Colours())["shut"]
    assert look < 1e-4 < 1e-3 < untouched and error < 1e-3


def test_people_are_split_once_for_all():
    halves = [shut_eyes.half_of(f"p{i:03}") for i in range(40)]
    assert set(halves) == set(shut_eyes.HALVES) and halves == [shut_eyes.half_of(f"p{i:03}") for i in range(40)]
    assert [shut_eyes.half_of(name) for name in ("c002", "M003", "anna")] == ["tuned on", "judged", "judged"]
