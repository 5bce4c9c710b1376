"""LVE and FDD against torchmetrics and CodeTalker's arithmetic written out."""

import numpy as np
import pytest
import torch
from torchmetrics.functional.multimodal import lip_vertex_error

from tbd.face.channels import INDEX
from tbd.face.geometry import mean_face
from tbd.metrics import MotionLipVertexError, MotionUpperFaceDeviation, Unmeasurable
from tbd.metrics.faces.vertices import displacements, lip_vertex_errors, lip_vertices, upper_dynamics, upper_vertices


@pytest.fixture(scope="module")
def motions() -> np.ndarray:
    return np.random.default_rng(0).uniform(0, 0.6, (2, 30, 58))


def test_the_lips_are_the_lips_and_the_upper_face_lies_above_them():
    height = mean_face()[:, 1]
    assert len(lip_vertices()) > 40 and height[list(lip_vertices())].max() < height[list(upper_vertices())].min()


def test_lip_vertex_error_is_torchmetrics(motions):
    ours, theirs = map(displacements, motions)
    expected = lip_vertex_error(torch.from_numpy(ours), torch.from_numpy(theirs), list(lip_vertices()))
    assert MotionLipVertexError().measure(*motions)["value"] == pytest.approx(1000 * float(expected))
    assert len(lip_vertex_errors(ours, theirs)) == 30


def codetalker_deviation(pred: np.ndarray, true: np.ndarray, upper: tuple[int, ...]) -> float:
    """FDD as `cal_metric.py` of CodeTalker has it: vertices one by one, squares summed, their deviation over time, the mean."""
    found = []
    for motion in (true, pred):
        squares = np.array([np.square(motion[:, v, :]) for v in upper]).transpose(1, 0, 2)
        found.append(np.mean(np.std(np.sum(squares, axis=2), axis=0)))
    return found[0] - found[1]


def test_upper_face_deviation_is_codetalkers(motions):
    pred, true = map(displacements, (0.5 * motions[0], motions[1]))
    found = MotionUpperFaceDeviation().measure(0.5 * motions[0], motions[1])
    expected = 1000 * codetalker_deviation(pred, true, upper_vertices())
    assert found == pytest.approx({"signed": expected, "absolute": abs(expected)}) and expected > 0
    assert upper_dynamics(np.zeros((4, 5, 3))) == 0
    with pytest.raises(Unmeasurable, match="One frame"):
        MotionUpperFaceDeviation().measure(motions[0][:1], motions[1])


def test_each_sees_its_own_part_of_the_face():
    still, jaw, brows = np.zeros((3, 30, 58))
    jaw[:, INDEX["jawOpen"]] = brows[:, INDEX["browInnerUp"]] = 0.5 * np.abs(np.sin(np.arange(30)))
    lips, upper = MotionLipVertexError(), MotionUpperFaceDeviation()
    assert lips.measure(jaw, still)["value"] > 100 * lips.measure(brows, still)["value"]
    assert upper.measure(brows, still)["absolute"] > 100 * upper.measure(jaw, still)["absolute"]
