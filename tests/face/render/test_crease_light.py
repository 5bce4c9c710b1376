"""The light of folds goes with the portrait's own skin."""

import numpy as np
import pytest

from tbd.face.render.crease_light import _unevenness


@pytest.mark.parametrize("strength", [0.02, 0.1])
def test_folds_are_deeper_where_the_skin_has_a_line_of_its_own_and_even_on_plain_skin(strength):
    x = np.mgrid[:200, :200][1]
    line = np.exp(-(((x - 100) / 3.0) ** 2)) * strength
    picture, bare = np.repeat((150 * np.exp(-line))[..., None], 3, 2).astype(np.uint8), np.ones((200, 200), np.float32)
    deeper = _unevenness(picture, bare, 200.0)
    assert deeper[:, 100].min() > 1.1 and deeper.max() < 1.5 and np.abs(deeper[:, 20:60] - 1).max() < 0.1
    assert np.abs(_unevenness(np.full_like(picture, 150), bare, 200.0) - 1).max() < 0.01
