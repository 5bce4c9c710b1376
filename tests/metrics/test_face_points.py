"""The 68 points against dlib's order, alignment against scikit-image's and EAT's."""

import numpy as np
import pytest
import torch
from skimage.transform import SimilarityTransform

from tbd.errors import InputError
from tbd.face.geometry import mean_face
from tbd.metrics import FaceLandmarkDistance, MouthLandmarkDistance
from tbd.metrics.face_points import align_to_template, dlib68, eat_template, eat_templates, steady, to_dlib68, track_points


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
        transform = SimilarityTransform.from_estimate(points[27:45], template[27:45])
        assert found == pytest.approx(transform(points) - 1, abs=1e-9)


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


def test_a_closed_eye_takes_eats_second_template(faces):
    opened = eat_template()
    closed = opened.copy()
    closed[[37, 38, 43, 44]] += [0, 4]
    closed[[40, 41, 46, 47]] -= [0, 1]
    faces[:6, 36:42, 1] = faces[:6, 36:42, 1].mean(1, keepdim=True)  # shut
    faces[6, 37:39, 1], faces[6, 40:42, 1] = 100.0, 104.6
    expected = []
    for landmark in faces.numpy():  # as utils_crop.py has it
        template = opened if np.sum(landmark[37:39, 1] - landmark[40:42, 1]) < -9 else closed
        transform = SimilarityTransform.from_estimate(landmark[27:45], template[27:45])
        expected.append(transform(landmark) - 1)
    chosen = eat_templates(opened, faces).numpy()
    assert [np.array_equal(template, opened) for template in chosen] == 6 * [False] + 6 * [True]
    assert align_to_template(faces, opened, two_templates=True).numpy() == pytest.approx(np.array(expected), abs=1e-9)
    one, both = MouthLandmarkDistance("eat-px128"), MouthLandmarkDistance("eat-px128", two_templates=True)
    for metric in (one, both):
        metric.update(faces, faces.flip(0))
    assert abs(float(one.compute()) - float(both.compute())) > 1e-3
