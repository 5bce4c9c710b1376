"""Landmark distances against EAT's arithmetic written out, alignment against scikit-image's, and the mouth's opening."""

import math

import numpy as np
import pytest
import torch
from skimage.transform import SimilarityTransform

from tbd.errors import InputError
from tbd.face.geometry import mean_face
from tbd.metrics import ApertureCorrelation, FaceLandmarkDistance, MouthLandmarkDistance, Unmeasurable, WeightsNotFoundError
from tbd.metrics.landmarks import (
    align_to_template,
    dlib68,
    eat_template,
    eat_templates,
    lagged_correlation,
    landmark_distance,
    mouth_aperture,
    steady,
    to_dlib68,
    track_points,
)


@pytest.fixture
def faces():
    """(12, 68, 2) pixels: the mean face somewhere, jittered."""
    rng = np.random.default_rng(0)
    return torch.from_numpy(2 * eat_template() + [40, 30] + rng.normal(0, 2, (12, 68, 2)))


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


def eat_distance(one, two):
    """`ld` of EAT's test_lmd.py over as many points, as its text has it: centroids out, mean of Euclidean lengths."""
    one, two = one - one.mean(0), two - two.mean(0)
    return sum(math.sqrt((p[0] - q[0]) ** 2 + (p[1] - q[1]) ** 2) for p, q in zip(one, two)) / len(one)


def test_distances_are_those_of_eat(faces):
    target = faces.flip(0)
    expected = [[eat_distance(a[part], b[part]) for a, b in zip(faces.numpy(), target.numpy())] for part in (slice(48, 68), slice(0, 68))]
    assert landmark_distance(faces[:, 48:], target[:, 48:]).numpy() == pytest.approx(np.array(expected[0]), abs=1e-10)
    assert landmark_distance(faces, target).numpy() == pytest.approx(np.array(expected[1]), abs=1e-10)


def test_alignment_is_scikit_images_similarity_of_nose_and_eyes(faces):
    template, aligned = eat_template(), align_to_template(faces, eat_template())
    for points, found in zip(faces.numpy(), aligned.numpy()):
        transform = SimilarityTransform.from_estimate(points[27:45], template[27:45])
        assert found == pytest.approx(transform(points) - 1, abs=1e-9)


@pytest.mark.parametrize("kind", [MouthLandmarkDistance, FaceLandmarkDistance])
def test_neither_size_nor_place_nor_roll_of_the_face_counts(kind, faces):
    angle = 0.3
    turn = 1.7 * torch.tensor([[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]], dtype=torch.float64)
    for form in ("inter-ocular", "eat-px128"):
        metric = kind(form)
        metric.update(faces @ turn.T + 100, faces)
        assert float(metric.compute()) == pytest.approx(0, abs=1e-6)


def test_the_forms_state_their_unit():
    assert MouthLandmarkDistance("eat-px128").unit == "px"
    assert MouthLandmarkDistance().unit == "% inter-ocular"


def test_inter_ocular_distance_of_a_known_shift(faces):
    moved = faces.clone()
    width = (faces[:, 36] - faces[:, 45]).norm(dim=1)
    axis = (faces[:, 45] - faces[:, 36]) / width[:, None]
    moved[:, 48:58] += 0.1 * width[:, None, None] * axis[:, None]  # ten of twenty points by a tenth: half of it once centred
    metric = MouthLandmarkDistance()
    metric.update(moved, faces)
    assert float(metric.compute()) == pytest.approx(5.0, abs=1e-6)


def test_a_template_of_ones_own_sets_the_scale_and_a_missing_one_says_how_to_get_it(tmp_path, faces):
    path = tmp_path / "base.npy"
    np.save(path, 2 * eat_template())
    found = []
    for template in (None, path):
        metric = MouthLandmarkDistance("eat-px128", template)
        metric.update(faces, faces.flip(0))
        found.append(float(metric.compute()))
    assert found[1] == pytest.approx(2 * found[0], rel=1e-6)
    with pytest.raises(WeightsNotFoundError) as error:
        MouthLandmarkDistance("eat-px128", "eat-template")
    assert error.value.command == "tbd weights fetch eat-template --from FILE"
    np.save(path, np.zeros((5, 2)))
    with pytest.raises(InputError, match=r"shape \(5, 2\)"):
        MouthLandmarkDistance("eat-px128", path)


def test_unseen_frames_are_left_out_and_unseen_clips_counted(faces):
    metric, lost = FaceLandmarkDistance(), faces.clone()
    lost[3:] = torch.nan
    lost[0] += 10 * torch.rand(68, 2, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    values = metric.measure(lost, faces[:8])
    assert values == metric.measure(lost[:3], faces[:3])
    with pytest.raises(Unmeasurable, match="No frame shows a face"):
        metric.measure(torch.full((4, 68, 2), torch.nan), faces)
    metric.update(torch.full((4, 68, 2), torch.nan), faces)
    assert int(metric.unmeasured) == 1


def test_points_of_another_number_are_refused(faces):
    with pytest.raises(InputError, match=r"\(12, 67, 2\) are no face"):
        FaceLandmarkDistance().update(faces[:, :67], faces)


def test_steady_puts_the_eyes_in_place(faces):
    found = steady(faces)
    assert found[:, 36].numpy() == pytest.approx(np.tile([-0.5, 0], (12, 1)), abs=1e-9)
    assert found[:, 45].numpy() == pytest.approx(np.tile([0.5, 0], (12, 1)), abs=1e-9)
    assert (found[:, 8, 1] > 0.5).all(), "the chin is below"


def test_aperture_counts_inter_ocular_distances():
    face = torch.zeros(2, 68, 2)
    face[:, 36, 0], face[:, 45, 0] = 10, 60
    face[1, 66, 1] = 5
    assert mouth_aperture(face).tolist() == pytest.approx([0, 0.1])


def test_lags_are_found_with_their_sign_and_gaps_are_passed_over():
    rng = np.random.default_rng(0)
    track = np.convolve(rng.standard_normal(120), np.ones(4) / 4, "same")
    for lag in (-7, 0, 3):
        late = np.roll(track, lag)
        late[50:53] = np.nan
        r, found = lagged_correlation(late, track, 10)
        assert found == lag and r > 0.9
    assert lagged_correlation(-track, track, 0)[0] == pytest.approx(-1)
    with pytest.raises(Unmeasurable, match="stands still"):
        lagged_correlation(np.zeros(50), track, 3)


def test_aperture_correlation_reports_both(faces):
    moving = faces.repeat(5, 1, 1)
    moving[:, 66, 1] += 10 * torch.sin(torch.arange(60) / 2.0) + 12
    metric = ApertureCorrelation()
    metric.update(moving[:-4], moving[4:])
    assert metric.means()["lag"] == pytest.approx(4) and float(metric.compute()) > 0.99


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
