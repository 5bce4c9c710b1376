"""The look of skin."""

import cv2

from tbd.face.render.skin import skin_smoothness
from tbd.face.render.wrinkles import crease_softness


class TestFolds:
    def test_smooth_skin_folds_softly(self, face):
        smooth = cv2.bilateralFilter(cv2.GaussianBlur(face.image, (0, 0), 3), 9, 30, 9)
        points = face.points[:, :2]
        assert skin_smoothness(smooth, points, face.scale) > skin_smoothness(face.image, points, face.scale)
        soft, depth = crease_softness(1.0, 0.0)
        assert soft > 0.01 and depth < 0.8 and crease_softness(0.0, 0.0) == (0.0, 1.0) and crease_softness(0.0, 0.05)[0] == 0.05
