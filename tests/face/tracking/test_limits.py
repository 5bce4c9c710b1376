"""Faces that cannot be rendered are refused."""

import numpy as np
import pytest

from tbd.errors import InputError
from tbd.face.geometry import FaceGeometry, euler_to_matrix, mean_face, remove_pose
from tbd.face.tracking.limits import require_usable


def test_face_turned_away_is_refused():
    def looking(yaw):
        points = (mean_face() @ euler_to_matrix([0, np.radians(yaw), 0]).T * 100 + [256, -256, 0]) * [1, -1, 1]
        return FaceGeometry(np.zeros((512, 512, 3), np.uint8), points, *remove_pose(points))

    require_usable(looking(40), "me.jpg")
    with pytest.raises(InputError, match="turned 50° away"):
        require_usable(looking(-50), "me.jpg")
