"""Landmark distances against EAT's arithmetic written out."""

import math

import numpy as np
import pytest
import torch

from tbd.errors import InputError
from tbd.metrics import FaceLandmarkDistance, MouthLandmarkDistance, Unmeasurable, WeightsNotFoundError
from tbd.metrics.faces.face_points import eat_template
from tbd.metrics.faces.landmarks import landmark_distance


def eat_distance(one, two):
    """`ld` of EAT's test_lmd.py over as many points, as its text has it: centroids out, mean of Euclidean lengths."""
    one, two = one - one.mean(0), two - two.mean(0)
    return sum(math.sqrt((p[0] - q[0]) ** 2 + (p[1] - q[1]) ** 2) for p, q in zip(one, two)) / len(one)


def test_distances_are_those_of_eat(faces):
    target = faces.flip(0)
    expected = [[eat_distance(a[part], b[part]) for a, b in zip(faces.numpy(), target.numpy())] for part in (slice(48, 68), slice(0, 68))]
    assert landmark_distance(faces[:, 48:], target[:, 48:]).numpy() == pytest.approx(np.array(expected[0]), abs=1e-10)
    assert landmark_distance(faces, target).numpy() == pytest.approx(np.array(expected[1]), abs=1e-10)


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
