"""The person before the background."""

from dataclasses import replace

import cv2
import numpy as np
import skimage.data

from tbd.face import topology
from tbd.face.render.layers.matting import composite, split_layers
from tests.face.render.drawing import draw


class TestMatte:
    def test_layers_recompose_the_portrait_exactly(self):
        image = skimage.data.astronaut()
        outline = np.array([[190, 60], [260, 60], [260, 160], [190, 160]])
        layers = split_layers(image, outline, 60.0)
        assert layers.separable
        assert (composite(layers.foreground, layers.background) == image).all()
        alpha = layers.foreground[..., 3]
        assert alpha[110, 225] == 255 and alpha[20, 330] == 0  # the face, the wall
        assert np.abs(layers.background[110, 225].astype(int) - image[110, 225]).max() > 20  # the person is painted out

    def test_a_picture_without_a_person_moves_as_one(self):
        image = np.random.default_rng(0).integers(0, 255, (120, 120, 3), np.uint8)
        layers = split_layers(image, np.array([[40, 40], [80, 40], [80, 80]]), 30.0)
        assert not layers.separable and (layers.foreground[..., 3] == 255).all()
        assert (composite(layers.foreground, layers.background) == image).all()


class TestTexturedWalls:
    def test_a_wall_beside_the_head_stays_where_it_is(self, face):
        person = split_layers(face.image, face.points[list(topology.FACE_OVAL), :2], face.scale).foreground[..., 3:] / 255.0
        wall = np.where((np.arange(512) // 7 % 2)[:, None, None], 235, 110) * np.ones((512, 512, 3))
        picture = np.round(face.image * person + wall * (1 - person)).astype(np.uint8)
        moved = draw(replace(face, image=picture), {"headYaw": 0.12})[0]
        far = cv2.distanceTransform((person[..., 0] < 0.02).astype(np.uint8), cv2.DIST_L2, 5)
        ring = (far > 0.22 * face.scale) & (far < 0.6 * face.scale)
        ring[int(face.points[152, 1]) :] = False  # beside the head, not the body
        assert ring.sum() > 1000 and (np.abs(moved.astype(int) - picture).max(-1)[ring] > 20).mean() < 0.03


def test_a_seam_beside_the_matte_goes_with_the_person():
    """A dark fringe that the matte leaves out would else stand in the background, as an outline of where the head was."""
    from tbd.face.render.layers.matting import _behind

    image = np.full((120, 120, 3), 200, np.uint8)
    image[:, :52] = 60
    alpha = np.zeros((120, 120), np.float32)
    alpha[:, :50] = 1  # two columns of the person are left out
    painted = np.full_like(image, 200)
    behind = _behind(image, alpha, painted, 60.0, np.zeros_like(alpha))
    assert np.abs(behind[:, 45:53].astype(int) - 200).max() <= 10
    np.testing.assert_array_equal(behind[:, 60:], image[:, 60:])
