"""What stands beside a person: the background's or the person's."""

import numpy as np
import pytest

from tbd.face.render.layers.backdrop import find_strands
from tbd.face.render.layers.matting import _behind
from tbd.face.render.layers.surroundings import Surroundings

_SCALE = 60.0


@pytest.fixture
def person() -> np.ndarray:
    """(160, 260) float32: a matte that ends at column 100."""
    return np.repeat((np.arange(260) < 100).astype(np.float32)[None], 160, 0)


@pytest.fixture
def lettered(person) -> np.ndarray:
    """(160, 260, 3) uint8: a dark person before a wall with a line of dark strokes that begins beside it and goes on."""
    image = np.where(person[..., None] > 0, 50, 200) * np.ones(3)
    image = image.astype(np.uint8)
    image[60:72, 101:150:6], image[80:92, 104:150:6] = 60, 60
    return image


def test_letters_beside_a_person_are_no_strands_of_its_hair(lettered, person):
    assert find_strands(lettered, person, _SCALE).max() == 0


def test_hair_is_found_before_a_wall_without_letters(lettered, person):
    lettered[:, 116:] = 200  # as far as a lock reaches
    assert find_strands(lettered, person, _SCALE).sum() > 50


def test_letters_stay_in_the_background_when_the_head_goes(lettered, person):
    behind = _behind(lettered, person, np.where(person[..., None] > 0, 200, lettered), _SCALE, np.zeros_like(person))
    plain = np.full_like(lettered, 200)  # as a background that was painted without them
    also = _behind(lettered, person, plain, _SCALE, np.zeros_like(person))
    for found in (behind, also):
        assert np.abs(found[:, 101:].astype(int) - lettered[:, 101:]).max() <= 1


def test_a_colour_that_the_wall_does_not_have_is_the_persons(lettered, person):
    lettered[30:40, 100:104] = (180, 40, 40)
    wanted = np.zeros(person.shape, bool)
    wanted[30:40, 101:104] = True
    share = Surroundings(person, _SCALE, wanted).own_colour(lettered)
    assert share[wanted].min() > 0.9 and share[~wanted].max() == 0


def test_no_place_is_no_share(lettered, person):
    assert Surroundings(person, _SCALE, np.zeros(person.shape, bool)).own_colour(lettered).max() == 0
