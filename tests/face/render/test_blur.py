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
