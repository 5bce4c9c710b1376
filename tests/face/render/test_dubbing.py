import numpy as np
import pytest
import skimage.data

from tbd.face.motion import Motion
from tbd.face.portrait import crop_portrait
from tbd.face.render.dubbing import FaceDubber
from tbd.face.tracker import FaceMeshTracker


@pytest.fixture(scope="module")
def face():
    return crop_portrait(FaceMeshTracker().locate(skimage.data.astronaut()), 320)


def test_a_face_that_is_laid_into_its_own_frame_is_that_frame(face):
    """At rest and unrelaxed nothing changes by more than resampling, and nothing at all outside of the face."""
    dubber = FaceDubber([face], neutralize=0.0)
    dubber._references[0].warper.expression._close_lips = np.float32(0)
    drawn = dubber.draw(face.image, face.points, Motion.zeros(1).values[0])
    changed = np.abs(drawn.astype(int) - face.image).max(2)
    assert np.percentile(changed, 99) < 12 and not changed[:20].any() and not changed[:, :20].any()


def test_a_darker_frame_keeps_its_dark(face):
    dark = (face.image * 0.5).astype(np.uint8)
    drawn = FaceDubber([face]).draw(dark, face.points, Motion.zeros(1).values[0])
    x, y = face.points[205, :2].astype(int)
    wanted, level = (float(picture[y - 5 : y + 5, x - 5 : x + 5].mean()) for picture in (dark, drawn))
    assert wanted < 110 and abs(level - wanted) < 16


def test_shares_of_portraits_follow_the_turn(face):
    dubber = FaceDubber([face])
    assert dubber._shares(0.4).tolist() == [1.0]
    dubber._references = [type("R", (), {"yaw": yaw}) for yaw in (-0.2, 0.0, 0.3)]
    assert dubber._shares(-1).tolist() == [1, 0, 0] and np.allclose(dubber._shares(0.15), [0, 0.5, 0.5])


def test_a_face_at_the_edge_of_the_frame_is_drawn(face):
    cut = np.ascontiguousarray(face.image[: int(face.points[152, 1]) + 4])
    assert FaceDubber([face]).draw(cut, face.points, Motion.zeros(1).values[0]).shape == cut.shape
