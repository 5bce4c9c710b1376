"""Displacements stay within the outline of a turned face."""

from dataclasses import replace

import numpy as np

from tbd.face.channels import BLENDSHAPES
from tbd.face.geometry import FaceGeometry, euler_to_matrix, mean_face
from tbd.face.render.head import limit_to_outline
from tbd.face.rig import Rig


class TestStayWithin:
    def face(self, yaw: float) -> FaceGeometry:
        rotation = euler_to_matrix(np.array([0, yaw, 0])).astype(np.float32)
        face = FaceGeometry(np.zeros((300, 300, 3), np.uint8), np.zeros((478, 3)), mean_face(), rotation, 90.0, np.float32([150, 120]))
        return replace(face, points=face.project(face.canonical))

    def test_a_face_from_the_front_moves_freely(self):
        modes = Rig(mean_face()).modes
        kept = limit_to_outline(modes, self.face(0.0))
        smile = BLENDSHAPES.index("mouthSmileLeft")
        np.testing.assert_allclose(kept[smile, 291], modes[smile, 291], atol=0.01)

    def test_the_far_corner_of_a_turned_face_is_held_back_and_the_near_one_is_not(self):
        modes = Rig(mean_face()).modes
        kept = limit_to_outline(modes, self.face(0.6))  # turned to the image's right
        far, near = BLENDSHAPES.index("mouthStretchLeft"), BLENDSHAPES.index("mouthStretchRight")
        across = self.face(0.6).rotation[0]
        assert kept[far, 291] @ across < 0.7 * (modes[far, 291] @ across)
        np.testing.assert_allclose(kept[near, 61], modes[near, 61], atol=0.01)
        np.testing.assert_array_equal(kept[:, 468:], modes[:, 468:])
