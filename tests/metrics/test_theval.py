"""THEval's measures against its own loops, written out, and its sum."""

from itertools import combinations

import numpy as np
import pytest

from tbd.errors import InputError
from tbd.face.channels import INDEX
from tbd.face.geometry import mean_face
from tbd.metrics import (
    EyebrowActivity,
    HeadMotionComplexity,
    LipShapeVariance,
    LoudnessLipDifference,
    SilentLipDeviation,
    Unmeasurable,
    theval_score,
)
from tbd.metrics.theval import _BROWS, _EYES, _LOWER_LIP, _UPPER_LIP, LIPS, _loudness

LENGTH = 60


@pytest.fixture
def points() -> np.ndarray:
    """(60, 478, 3) a face that wobbles, in pixels."""
    rng = np.random.default_rng(0)
    still = np.asarray(mean_face(), np.float64) * 100 + 300
    return still[None] + rng.normal(0, 1.5, (LENGTH, 478, 3)) + 5 * np.sin(np.arange(LENGTH) / 7)[:, None, None]


@pytest.fixture
def audio() -> np.ndarray:
    """Twenty frames of a hum, twenty of nothing, twenty of a hum that swells."""
    swell = np.repeat(np.r_[np.full(20, 0.2), np.zeros(20), np.linspace(0.1, 0.5, 20)], 640)
    return (swell * np.sin(np.arange(len(swell)) * 0.3)).astype(np.float32)


def far(a, b) -> float:
    return float(np.linalg.norm(a[:2] - b[:2]))


def test_lips(points):
    vectors = [[far(face[i], face[j]) / far(face[33], face[263]) for i, j in combinations(LIPS, 2)] for face in points]
    assert LipShapeVariance().measure(points)["value"] == pytest.approx(np.mean(np.var(np.array(vectors), axis=0)), rel=1e-9)
    assert len(set(LIPS)) == 40 and [len(set(group)) for group in (*_EYES, *_BROWS, _UPPER_LIP, _LOWER_LIP)] == [16, 16, 10, 10, 8, 8]


def test_brows(points):
    before, total, count = [None, None], 0.0, 0
    for face in points:
        eyes = [face[list(side)].mean(0) for side in _EYES]
        for side in (0, 1):
            distance = far(face[list(_BROWS[side])].mean(0), eyes[side]) / far(*eyes)
            if before[side] is not None:
                total, count = total + abs(distance - before[side]), count + 1
            before[side] = distance
    assert EyebrowActivity().measure(points)["value"] == pytest.approx(total / count, rel=1e-9)


def test_head(points):
    rng = np.random.default_rng(1)
    motion = np.zeros((LENGTH, 58))
    degrees = rng.normal(0, 4, (LENGTH, 3))
    motion[:, [INDEX[name] for name in ("headPitch", "headYaw", "headRoll")]] = np.deg2rad(degrees)
    spread = np.mean([np.std(angle) for angle in degrees.T])
    change = np.mean([np.var(np.diff(angle)) for angle in degrees.T])
    places = [((face[:, 0].min() + face[:, 0].max()) / 2, (face[:, 1].min() + face[:, 1].max()) / 2) for face in points]
    expected = np.sqrt(spread * change + np.mean([np.var(axis) for axis in np.array(places).T]))
    assert HeadMotionComplexity().measure(motion, points)["value"] == pytest.approx(expected, rel=1e-9)


def test_silence(points, audio):
    gaps = []
    for face in points[20:40]:
        gaps.append(np.mean([abs(face[u, 1] - face[low, 1]) / far(face[33], face[263]) for u, low in zip(_UPPER_LIP, _LOWER_LIP)]))
    expected = np.median([abs(gap - np.mean(gaps)) for gap in gaps])
    assert SilentLipDeviation().measure(points, audio)["value"] == pytest.approx(expected, rel=1e-9)
    with pytest.raises(Unmeasurable, match="no silence"):
        SilentLipDeviation().measure(points[:20], audio[: 20 * 640])


def test_speech(points, audio):
    spoken = np.r_[np.ones(20, bool), np.zeros(20, bool), np.ones(20, bool)]
    gap = []
    for face in points:
        eyes = abs(face[[362, 263], 0].mean() - face[[33, 133], 0].mean())
        gap.append(abs(face[list(_UPPER_LIP), 1].mean() - face[list(_LOWER_LIP), 1].mean()) / eyes)
    loud = _loudness(audio, LENGTH)
    opened, heard = ((v[spoken] - v[spoken].min()) / (v[spoken].max() - v[spoken].min()) for v in (np.array(gap), loud))
    found = LoudnessLipDifference().measure(points, audio)["value"]
    assert found == pytest.approx(np.mean(np.abs(opened - heard)), rel=1e-9) and 0 < found < 1
    assert loud[45] > loud[41] > 5 * loud[30] and len(loud) == LENGTH


def test_loudness_is_librosas(audio):
    """Centred windows of 800 samples every 800, zeros beyond the ends; what librosa 0.10's `feature.rms` gives."""
    padded = np.pad(audio.astype(np.float64), 400)
    levels = [np.sqrt(np.mean(padded[a : a + 800] ** 2)) for a in range(0, len(padded) - 799, 800)]
    assert len(levels) == 1 + len(audio) // 800
    assert _loudness(audio, LENGTH) == pytest.approx(np.interp(np.arange(LENGTH) / 25, np.arange(len(levels)) * 0.05, levels))


def test_frames_without_a_face_are_left_out(points, audio):
    lost = points.copy()
    lost[5:9] = np.nan
    for metric, inputs in (
        (LipShapeVariance(), ()),
        (EyebrowActivity(), ()),
        (SilentLipDeviation(), (audio,)),
        (LoudnessLipDifference(), (audio,)),
    ):
        assert np.isfinite(metric.measure(lost, *inputs)["value"])
        with pytest.raises(Unmeasurable):
            metric.measure(np.full_like(points, np.nan), *inputs)
    with pytest.raises(InputError, match="478 points"):
        LipShapeVariance().measure(points[:, :68, :2])


def test_the_score_is_theirs():
    """Equation 12: one less the relative error, averaged."""
    values, truth = {"a": 1.0, "b": 3.0, "c": -2.0}, {"a": 2.0, "b": 3.0, "c": -4.0}
    assert theval_score(values, truth) == pytest.approx((0.5 + 1 + 0.5) / 3) and theval_score(truth, truth) == 1
    with pytest.raises(InputError, match="same measures"):
        theval_score({"a": 1.0}, truth)
    with pytest.raises(InputError, match="is 0"):
        theval_score({"a": 1.0}, {"a": 0.0})
