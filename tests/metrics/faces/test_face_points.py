"""The 68 points against dlib's order, alignment against scikit-image's and EAT's."""

import numpy as np
import pytest
import torch
from skimage.transform import SimilarityTransform

from tbd.errors import InputError
from tbd.face.geometry import mean_face
from tbd.metrics import FaceLandmarkDistance
from tbd.metrics.faces.face_points import align_to_template, dlib68, eat_template, steady, to_dlib68, track_points


def test_the_68_points_are_dlibs_in_order():
    face = mean_face()[list(dlib68())]
    x, y = face[:, 0], face[:, 1]
    assert len(set(dlib68())) == 68
    assert (np.diff(x[:17]) > 0).all() and y[8] == y[:17].min(), "the jaw runs from the subject's right ear over the chin"
    assert (np.diff(x[17:27]) > 0).all(), "brows"
    assert (np.diff(y[27:31]) < 0).all() and (np.diff(x[31:36]) > 0).all(), "nose"
    for eye in (36, 42):
        assert x[eye] == x[eye : eye + 6].min() and x[eye + 3] == x[eye : eye + 6].max(), "corners"
        assert y[eye + 1] > y[eye + 5] and y[eye + 2] > y[eye + 4], "upper lid first"
    assert x[48] == x[48:60].min() and x[54] == x[48:60].max() and y[51] > y[62] > y[66] > y[57], "lips"


def test_alignment_is_scikit_images_similarity_of_nose_and_eyes(faces):
    template, aligned = eat_template(), align_to_template(faces, eat_template())
    for points, found in zip(faces.numpy(), aligned.numpy()):
        transform = SimilarityTransform.from_estimate(template[27:45], points[27:45])  # template → face, as utils_crop.py fits it
        assert found == pytest.approx(transform.inverse(points) - 1, abs=1e-9)
        other = SimilarityTransform.from_estimate(points[27:45], template[27:45])
        assert np.abs(found - other(points) + 1).max() > 0.01, "the other way round least squares are another similarity"


def test_points_of_another_number_are_refused(faces):
    with pytest.raises(InputError, match=r"\(12, 67, 2\) are no face"):
        FaceLandmarkDistance().update(faces[:, :67], faces)


def test_steady_puts_the_eyes_in_place(faces):
    found = steady(faces)
    assert found[:, 36].numpy() == pytest.approx(np.tile([-0.5, 0], (12, 1)), abs=1e-9)
    assert found[:, 45].numpy() == pytest.approx(np.tile([0.5, 0], (12, 1)), abs=1e-9)
    assert (found[:, 8, 1] > 0.5).all(), "the chin is below"


def test_a_track_of_frames_has_nan_where_there_is_no_face():
    from skimage.data import astronaut

    frame = torch.from_numpy(astronaut()).permute(2, 0, 1)
    points = track_points(torch.stack([frame, torch.zeros_like(frame)]))
    assert points.shape == (2, 478, 3) and np.isnan(points[1]).all()
    eyes = to_dlib68(points[0])[[36, 45]]
    assert float((eyes[1] - eyes[0]).norm()) == pytest.approx(65, abs=10)
