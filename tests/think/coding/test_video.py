"""What a user is told of a video beside the plan."""

import numpy as np

from tbd.face.motion import Motion
from tbd.think.coding.video import _doubts


def test_two_faces_are_said():
    values = np.zeros((12, 58), np.float32)
    assert [*_doubts(Motion(values, metadata={"faces_seen": 1}))] == []
    assert [*_doubts(Motion(values, metadata={"faces_seen": 2}))] == ["2 faces are seen; the largest at the start is followed."]
