"""Light on skin: where it comes from, and what a bulge does to it."""

from dataclasses import replace

import numpy as np
import pytest

from tbd.face.geometry import FaceGeometry, mean_face
from tbd.face.render.relief import estimate_light, relief_maps, surface_normals


def lit_face(sideways: float, upwards: float) -> FaceGeometry:
    """The mean face as a matt body under one light."""
    import cv2

    blank = np.zeros((300, 300, 3), np.uint8)
    face = FaceGeometry(blank, np.zeros((478, 3)), mean_face(), np.eye(3, dtype=np.float32), 110.0, np.float32([150, 120]))
    face = replace(face, points=face.project(face.canonical).astype(np.float32))
    light = 5 + surface_normals(face.points * [1, -1, 1])[:, :2] @ [sideways, upwards]
    image = np.full((300, 300), np.exp(5), np.float32)
    for (x, y), value in zip(face.points[:, :2], np.exp(light)):
        cv2.circle(image, (round(float(x)), round(float(y))), 4, float(value), -1)
    return replace(face, image=np.repeat(np.clip(image, 0, 255).astype(np.uint8)[..., None], 3, -1))


class TestLight:
    @pytest.mark.parametrize(("sideways", "upwards"), [(0.4, 0.1), (-0.4, 0.1), (0.0, 0.5)])
    def test_the_side_that_light_comes_from_is_found(self, sideways, upwards):
        found = estimate_light(lit_face(sideways, upwards), np.ones((300, 300)))
        off = np.abs(found - (sideways, upwards))
        assert off[0] < 0.2 and off[1] < 0.3

    def test_where_no_skin_is_seen_light_comes_from_above(self):
        found = estimate_light(lit_face(0.4, 0.0), np.zeros((300, 300)))
        assert found[0] == 0 and found[1] > 0


def test_a_bulge_gains_on_the_side_of_the_light_and_loses_on_the_other():
    y, x = np.mgrid[-1:1:41j, -1:1:41j]
    bump = 0.1 * np.exp(-((x**2 + y**2) / 0.1))
    light = relief_maps(bump[None], 0.05, np.array([-0.4, 0.0]))[0]  # from the image's left
    assert light[20, 14] > 0.03 and light[20, 26] < -0.03 and abs(light[20, 20]) < 0.005
    above = relief_maps(bump[None], 0.05, np.array([0.0, 0.4]))[0]
    assert above[14, 20] > 0.03 and above[26, 20] < -0.03
