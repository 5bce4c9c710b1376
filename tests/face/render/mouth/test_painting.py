"""Mouths that are open in the portrait."""

import numpy as np
import pytest

from tbd.face.channels import INDEX
from tbd.face.tracker import FaceMeshTracker
from tests.face.render.drawing import around, draw


class TestOpenMouths:
    def white(self, face, frame):
        mouth = frame[around(face, (13, 14, 81, 311))]
        return ((mouth.min(-1) > 150) & (mouth.min(-1) > 0.87 * mouth.max(-1))).mean()

    @pytest.mark.parametrize("pose", [{}, {"mouthSmile": 1.0}])
    def test_lips_close_whatever_is_felt(self, face, pose):
        frame = draw(face, pose, close_lips=1.0)[0]
        assert self.white(face, face.image) > 0.15 and self.white(face, frame) < 0.04

    def test_a_smile_stays_when_lips_close(self, face):
        closed, relaxed = draw(face, {}, close_lips=1.0)[0], draw(face, {}, neutralize=1.0)[0]
        found = [FaceMeshTracker().locate(frame).canonical for frame in (closed, relaxed)]
        lifts = [points[[61, 291], 1].mean() - points[[0, 17], 1].mean() for points in found]
        assert lifts[0] > lifts[1] + 0.03

    def test_a_gaping_mouth_closes_with_its_jaw(self):
        from tbd.face.geometry import mean_face
        from tbd.face.rig import Rig
        from tbd.face.rigging.mouth import inner_lip_gap

        rest = mean_face().astype(np.float64)
        gaping = rest + Rig(rest).displace(np.eye(1, 52, INDEX["jawOpen"])[0] * 0.9)
        rig = Rig(gaping)
        closed = gaping + rig.modes[-1]
        assert inner_lip_gap(gaping).max() > 0.3 and inner_lip_gap(closed).max() < 0.02
        assert closed[152, 1] > gaping[152, 1] + 0.15  # the chin rises
