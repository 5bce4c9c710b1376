"""Faces in any turn, and things that only look like faces."""

import cv2
import numpy as np
import pytest
from PIL import Image

from tbd.errors import InputError
from tbd.face.geometry import mean_face
from tbd.face.tracker import FaceMeshTracker
from tbd.face.tracking.detector import _shrunk, detect_faces, detect_rotated_faces, mesh_agrees_with_detector, unrotated_box
from tbd.media import read_image


@pytest.mark.parametrize("name", ["chelsea", "coffee", "rocket", "coins", "brick", "hubble_deep_field"])
def test_no_face_in_things(name):
    import skimage.data

    image = getattr(skimage.data, name)()
    image = np.repeat(image[..., None], 3, 2) if image.ndim == 2 else np.ascontiguousarray(image[..., :3])
    with pytest.raises(InputError, match="No face was found"):
        FaceMeshTracker().locate(image, name)


def test_a_mesh_that_stands_otherwise_is_not_trusted(astronaut, face):
    assert mesh_agrees_with_detector(astronaut, face.points)
    upside_down = (face.points - face.points.mean(0)) * [-1, -1, 1] + face.points.mean(0)
    assert not mesh_agrees_with_detector(astronaut, upside_down)
    assert not mesh_agrees_with_detector(astronaut, face.points + np.float32([40, 0, 0]))  # beside the face
    assert not mesh_agrees_with_detector(astronaut, (mean_face() * [60, -60, 60] + [60, 420, 0]).astype(np.float32))  # on the suit


def test_each_face_goes_by_its_own_turn(astronaut):
    both = np.hstack([np.rot90(astronaut, 2), astronaut[:, ::-1]])
    groups = detect_rotated_faces(both, (0, 1, 2, 3))
    best = {round(float(unrotated_box(group[0], both.shape)[0]) // 512): group[0].turn for group in groups}
    assert best == {0: 2, 1: 0}


def test_a_painted_statue_or_whatever_it_is_has_no_face(shared):

    with pytest.raises(InputError, match="No face was found"):
        FaceMeshTracker().locate(read_image(shared / "data/portraits/not_a_human.jpg"))


def test_boxes_are_sorted_by_size_and_empty_pictures_have_none(astronaut):
    both = np.hstack([np.array(Image.fromarray(astronaut).resize((512, 512))), astronaut])
    boxes = detect_faces(both)
    assert boxes.shape == (2, 4) and detect_faces(np.zeros((64, 64, 3), np.uint8)).shape == (0, 4)


def test_a_huge_face_is_found_where_the_small_one_is(astronaut):
    small = astronaut
    large = cv2.resize(small, (4096, 4096), interpolation=cv2.INTER_CUBIC)
    assert np.abs(detect_faces(large)[0] / 8 - detect_faces(small)[0]).max() < 3


def test_tiles_of_huge_pictures_are_small():
    image = np.zeros((3000, 4000, 3), np.uint8)
    whole, scale = _shrunk(image, 1)
    assert whole.shape == (480, 640, 3) and scale == 6.25
    tiled, scale = _shrunk(image, 3)
    assert max(tiled.shape) == 1280 and scale == 4000 / 1280
    assert _shrunk(image, 7)[0] is image
