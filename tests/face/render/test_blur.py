"""Blurred portraits."""

from dataclasses import replace

import cv2
import numpy as np
import pytest

from tbd.face.render.blur import edge_width, excess_blur
from tests.face.render.drawing import around, draw


class TestBlur:
    @pytest.mark.parametrize("sigma", [2.5, 4.0])
    def test_blur_is_measured(self, face, sigma):
        large = replace(face, image=cv2.resize(face.image, None, fx=2, fy=2, interpolation=cv2.INTER_CUBIC), points=face.points * 2)
        blurred = cv2.GaussianBlur(large.image, (0, 0), sigma)
        assert edge_width(blurred, large.points[:, :2], 2 * face.scale) == pytest.approx(sigma, rel=0.35)
        assert excess_blur(face.image, face.points[:, :2], face.scale) < 0.8

    def test_wrinkles_of_a_small_picture_do_not_make_it_sharp(self):
        """Lines that are a pixel wide, enlarged: a wide blur leaves nothing of them."""
        rng, small = np.random.default_rng(2), np.full((64, 64, 3), 190, np.uint8)
        for row in range(4, 64, 5):
            line = np.stack([np.linspace(-4, 68, 8), row + rng.normal(0, 0.7, 8)], 1).round().astype(np.int32)
            cv2.polylines(small, [line], False, (90, 90, 90), 1, cv2.LINE_AA)
        cv2.rectangle(small, (20, 20), (44, 40), (60, 60, 60), -1)
        points = np.array([[0.0, 0.0], [255.0, 255.0]])
        large = cv2.resize(small, (256, 256), interpolation=cv2.INTER_CUBIC)
        assert 1.5 < edge_width(large, points, 130.0) < 2.5
        assert edge_width(np.tile(small, (4, 4, 1)), points, 130.0) < 1

    def test_a_mouth_is_as_soft_as_its_portrait(self, face):
        soft = replace(face, image=cv2.GaussianBlur(face.image, (0, 0), 3))
        pose = {"jawOpen": 0.6}
        mouth = around(face, (61, 291, 0, 17), 0.1)

        def sharpest(frame):
            grey = cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY).astype(np.float32)
            slope = np.hypot(cv2.Sobel(grey, cv2.CV_32F, 1, 0), cv2.Sobel(grey, cv2.CV_32F, 0, 1))
            return np.percentile(slope[mouth], 99)

        sharp, blurred = sharpest(draw(face, pose)[0]), sharpest(draw(soft, pose)[0])
        assert blurred < 0.55 * sharp
        assert (draw(soft, {})[0] == soft.image).all()
