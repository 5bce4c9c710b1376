"""Detections of a clip on disk."""

import numpy as np
import pytest

from tbd.errors import InputError
from tbd.face.mesh import FaceDetection
from tbd.face.tracking.detection_file import DetectionFile


def detection(i: int) -> FaceDetection:
    rng = np.random.default_rng(i)
    points, rotation, blendshapes = (rng.random(shape, np.float32) for shape in ((478, 3), (3, 3), (52,)))
    return FaceDetection(points, rotation, float(i), blendshapes)


def test_what_was_written_is_read():
    given = [detection(i) for i in range(3)]
    with DetectionFile() as file:
        for one in [given[0], None, *given[1:]]:
            file.append(one)
        rows = file.read("the clip")
        assert file.seen == [True, False, True, True] and len(rows) == 3 and rows.distances.tolist() == [0, 1, 2]
        for i, one in enumerate(given):
            np.testing.assert_array_equal(rows.points[i], one.points)
            np.testing.assert_array_equal(rows.rotations[i], one.rotation)
            np.testing.assert_array_equal(rows.blendshapes[i], one.blendshapes)
        np.testing.assert_allclose(file.interpolate(rows.distances[:, None])[:, 0], [0, 0.5, 1, 2])


def test_blendshapes_are_kept_of_a_model_that_estimates_no_pose():
    given = detection(0)
    with DetectionFile() as file:
        file.append(FaceDetection(given.points, blendshapes=given.blendshapes))
        rows = file.read("the clip")
        np.testing.assert_array_equal(rows.blendshapes[0], given.blendshapes)
        assert not rows.rotations.any() and not rows.distances.any()


@pytest.mark.parametrize(
    ("seen", "says"), [([], "no frames in the clip"), ([True, False, False], "2 of the 3 frames of the clip show no face")]
)
def test_clips_that_show_too_little_are_refused(seen, says):
    with DetectionFile() as file:
        for found in seen:
            file.append(detection(0) if found else None)
        with pytest.raises(InputError, match=says):
            file.read("the clip")
