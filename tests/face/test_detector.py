"""A huge picture is searched at the size that detectors see, not pixel by pixel."""

import cv2
import numpy as np
from skimage.data import astronaut

from tbd.face.detector import _shrunk, find_faces


def test_a_huge_face_is_found_where_the_small_one_is():
    small = astronaut()
    large = cv2.resize(small, (4096, 4096), interpolation=cv2.INTER_CUBIC)
    assert np.abs(find_faces(large)[0] / 8 - find_faces(small)[0]).max() < 3


def test_tiles_of_huge_pictures_are_small():
    image = np.zeros((3000, 4000, 3), np.uint8)
    whole, scale = _shrunk(image, 1)
    assert whole.shape == (480, 640, 3) and scale == 6.25
    tiled, scale = _shrunk(image, 3)
    assert max(tiled.shape) == 1280 and scale == 4000 / 1280
    assert _shrunk(image, 7)[0] is image
