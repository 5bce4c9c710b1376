import numpy as np
import pytest
import skimage.data

from tbd.errors import InputError
from tbd.face.framing import Framing, frame_face, parse_aspect
from tbd.face.geometry import FaceGeometry
from tbd.face.motion import Motion
from tbd.face.render.renderer import MeshWarpRenderer
from tbd.face.tracker import FaceMeshTracker


@pytest.fixture(scope="module")
def wide() -> FaceGeometry:
    """The astronaut in the middle of a larger picture with fine texture all over."""
    picture = np.random.default_rng(0).integers(90, 160, (512, 1000, 3), dtype=np.uint8)
    picture[:, 240:752] = skimage.data.astronaut()
    return FaceMeshTracker().locate(picture)


def nod() -> Motion:
    motion = Motion.zeros(1)
    motion["headYaw"], motion["headX"], motion["jawOpen"] = 0.15, 0.1, 0.6
    return motion


def test_the_whole_picture_comes_back_where_nothing_moves(wide):
    framed = frame_face(wide, Framing("full"))
    assert np.array_equal(framed.picture, wide.image) and framed.face.image.shape[1] < 1000
    (rest,) = MeshWarpRenderer().render(framed.face, Motion.zeros(1))
    assert np.array_equal(framed.complete(rest), wide.image)


def test_a_head_moves_within_its_picture_without_a_seam(wide):
    """At every edge of the part that moves the frame is the picture, to the last bit; inside, the head has moved."""
    framed = frame_face(wide, Framing("full"))
    (moved,) = MeshWarpRenderer().render(framed.face, nod())
    changed = np.abs(framed.complete(moved).astype(int) - wide.image).max(2)
    left, top = framed.corner
    bottom, right = top + moved.shape[0], left + moved.shape[1]
    assert changed.max() > 60 and changed[wide.points[1, 1].astype(int)].max() > 10
    changed[top + 2 : bottom - 2, left + 2 : right - 2] = 0
    assert top == 0 and not changed[2:].any()  # the picture ends where the hair does


def test_who_stands_beside_keeps_still(wide):
    """Another face 200 pixels to the right: nothing of it moves, and what lies between fades."""
    low, high = wide.points[:, :2].min(0), wide.points[:, :2].max(0)
    other = [int(high[0]) + 60, int(low[1]), int(high[0]) + 160, int(high[1])]
    face = FaceGeometry(**{**vars(wide), "metadata": {"other_faces": [other]}})
    framed = frame_face(face, Framing("full"))
    (moved,) = MeshWarpRenderer().render(framed.face, nod())
    changed = np.abs(framed.complete(moved).astype(int) - wide.image).max(2)
    assert not changed[:, other[0] :].any() and changed.max() > 60
    assert framed.share is not None and framed.share[:, -1].max() < 0.05 and framed.share[:, 0].min() == 1


@pytest.mark.parametrize(
    ("framing", "shape"),
    [
        (Framing(), (512, 512)),
        (Framing("full"), (512, 1000)),
        (Framing("full", size=500), (256, 500)),
        (Framing("full", (9, 16)), (512, 288)),
        (Framing("portrait", (9, 16), 640), (640, 360)),
        (Framing("portrait", (16, 9), 640), (360, 640)),
    ],
)
def test_shapes_are_what_was_asked_for_and_the_face_is_in_them(wide, framing, shape):
    framed = frame_face(wide, framing)
    assert framed.picture.shape[:2] == shape
    points = framed.face.points[:, :2] + framed.corner
    assert (points > 0).all() and (points < shape[::-1]).all()
    zoom = framed.face.scale / wide.scale
    x, y = (points[1]).astype(int)
    around = framed.picture[y - 2 : y + 3, x - 2 : x + 3].mean((0, 1)) - wide.image[tuple(wide.points[1, 1::-1].astype(int))]
    assert np.abs(around).max() < 40 and (zoom > 1) == (framing.frame == "portrait")


def test_a_tall_portrait_of_a_picture_that_is_too_narrow_has_a_margin_that_stays(wide):
    narrow = np.ascontiguousarray(wide.image[:260, 380:580])
    framed = frame_face(FaceMeshTracker().locate(narrow), Framing("portrait", (16, 9), 320))
    (moved,) = MeshWarpRenderer().render(framed.face, nod())
    whole = framed.complete(moved)
    assert whole.shape == (180, 320, 3) and framed.corner[0] > 0
    assert np.array_equal(whole[:, : framed.corner[0]], framed.picture[:, : framed.corner[0]])


@pytest.mark.parametrize("text", ["", "9", "9:", "a:b", "0:1", "-1:2", "1:5", "9:16:3", "nan:1", "inf:1"])
def test_what_is_no_shape_is_refused(text):
    with pytest.raises(InputError, match="--aspect"):
        parse_aspect(text)


def test_other_frames_and_sizes_are_refused():
    for bad in ({"frame": "head"}, {"size": 10}, {"size": 5000}):
        with pytest.raises(InputError):
            Framing(**bad)
