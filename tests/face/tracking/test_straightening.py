"""Tilted pictures are turned level."""

import numpy as np
import pytest
from PIL import Image

from tbd.face.geometry import face_roll
from tbd.face.tracker import FaceMeshTracker
from tbd.face.tracking.straightening import fill_outside


def tilted(image, degrees):
    """The picture turned anticlockwise on a white canvas."""
    return np.array(Image.fromarray(image).rotate(degrees, Image.Resampling.BICUBIC, expand=True, fillcolor=(255, 255, 255)))


@pytest.mark.parametrize(("degrees", "turned"), [(25, 0), (-40, 40), (60, -60), (205, 180), (-130, 130)])
def test_tilted_pictures_are_levelled_beyond_30_degrees(astronaut, face, degrees, turned):
    found = FaceMeshTracker().locate(tilted(astronaut, degrees))
    assert found.metadata.get("turned", 0) == pytest.approx(turned, abs=5)
    if turned % 90:
        assert np.degrees(abs(face_roll(found.points))) < 3
        assert found.scale == pytest.approx(face.scale, rel=0.05)


def test_an_upright_picture_is_left_as_it_is(astronaut, face):
    assert face.image is astronaut or (face.image == astronaut).all()
    assert "turned" not in face.metadata


def test_what_is_unknown_is_filled_and_what_is_known_stays():
    image = np.full((60, 80, 3), [200, 100, 50], np.uint8)
    shown = np.zeros((60, 80), np.float32)
    shown[20:40, 20:60] = 1
    image[shown == 0] = 0
    filled = fill_outside(image, shown)
    assert np.abs(filled.astype(int) - [200, 100, 50]).max() <= 1
