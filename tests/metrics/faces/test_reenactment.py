"""AED, APD, AKD and E-FID by hand, and E-FID against scipy's root."""

import numpy as np
import pytest
from scipy.linalg import sqrtm

from tbd.face.channels import BLENDSHAPES, INDEX
from tbd.metrics import ExpressionDistance, ExpressionFID, KeypointDistance, PoseDistance, Unmeasurable


@pytest.fixture
def motions() -> np.ndarray:
    return np.random.default_rng(0).uniform(0, 0.5, (2, 80, 58))


def test_expression_and_pose_are_looked_at_apart(motions):
    one, other = motions[0], motions[0].copy()
    other[:, INDEX["headYaw"]] += np.radians(9)
    assert ExpressionDistance().measure(one, other)["value"] == 0 and PoseDistance().measure(one, other)["value"] == pytest.approx(3)
    other = one.copy()
    other[:, INDEX["jawOpen"]] += 0.52
    assert ExpressionDistance().measure(one, other[:50])["value"] == pytest.approx(1) and PoseDistance().measure(one, other)["value"] == 0


def test_keypoints_count_with_their_place_and_unseen_frames_do_not(faces):
    width = float((faces[:3, 36] - faces[:3, 45]).norm(dim=1).pow(-1).mean())
    lost = faces.clone()
    lost[3:] = float("nan")
    lost[:3] += 5
    found = KeypointDistance().measure(lost, faces)
    assert found == pytest.approx({"distance": 100 * 50**0.5 * width, "absolute": 100 * 5 * width})
    with pytest.raises(Unmeasurable, match="No frame shows a face"):
        KeypointDistance().measure(lost[3:], faces[3:])


def test_expression_fid_is_the_frechet_distance_of_blendshapes(motions):
    a, b = (motion[:, : len(BLENDSHAPES)] for motion in motions)
    mean = np.square(a.mean(0) - b.mean(0)).sum()
    cov = [np.cov(x, rowvar=False) for x in (a, b)]
    expected = mean + np.trace(cov[0] + cov[1] - 2 * sqrtm(cov[0] @ cov[1]).real)
    metric = ExpressionFID()
    for part in (slice(0, 33), slice(33, 80)):
        metric.update(motions[0][part], motions[1][part])
    assert float(metric.compute()) == pytest.approx(1000 * expected, rel=1e-6)
    turned = motions.copy()
    turned[0, :, INDEX["headYaw"]] += 1
    metric.reset()
    metric.update(*turned)
    assert float(metric.compute()) == pytest.approx(1000 * expected, rel=1e-6)


def test_absolute_keypoint_differences_are_those_of_first_order_motion_model(faces):
    """``cmp_kp.py``: the mean of |x − x'| and |y − y'| over the points of a frame, then over frames; here over a width of 1."""
    moved = faces + np.random.default_rng(0).normal(0, 3, faces.shape)
    theirs = np.mean([np.mean(np.abs(a - b) / np.linalg.norm(b[36] - b[45])) for a, b in zip(moved.numpy(), faces.numpy())])
    found = KeypointDistance().measure(moved, faces)
    assert found["absolute"] == pytest.approx(100 * theirs) and found["distance"] > found["absolute"]
