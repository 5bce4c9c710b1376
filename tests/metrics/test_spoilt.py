"""Every metric moves the right way when its subject is spoilt: rendered clips, one test for each row of the table in docs/metrics.md."""

import hashlib

import pytest

from tbd import metrics
from tbd.metrics.networks.syncnet import SyncNet

ROWS = (
    "MouthLandmarkDistance (inter-ocular), 5 frames late", "MouthLandmarkDistance (inter-ocular), jitter of 1.5 px",
    "MouthLandmarkDistance (eat-px128), 5 frames late", "MouthLandmarkDistance (eat-px128), jitter of 1.5 px",
    "FaceLandmarkDistance (inter-ocular), 5 frames late", "FaceLandmarkDistance (inter-ocular), jitter of 1.5 px",
    "FaceLandmarkDistance (eat-px128), 5 frames late", "FaceLandmarkDistance (eat-px128), jitter of 1.5 px",
    "ApertureCorrelation, 5 frames late, lag 0", "ApertureCorrelation, other words", "ActionUnitFidelity, plan of another emotion",
    "LipDrift, other words", "HeadMotionDiversity, head held still", "BlinkRate, no blinks", "SilenceLipEnergy, jitter of 1.5 px",
    "Jerk, jitter of 1.5 px", "SeamJump, 0.3 added from the seam on", "FrechetMotionDistance, frozen face",
    "FrechetMotionDistance, jitter of 0.1", "IntensityMonotonicity, condition without effect",
    "EmotionSeparation, condition without effect", "LipClosure, lips parted", "ChannelCorrelation (jawOpen), 5 frames late",
    "RegionError, muscles of another emotion", "ActionUnitGain, plan ignored", "ActionUnitF1, muscles of another emotion",
    "MotionDiversity, one face for all clips", "MotionEmotionAccuracy, emotion swapped", "FramePSNR, blur of 2 px",
    "FrameSSIM, blur of 2 px", "FrameLPIPS (alex), blur of 2 px", "Sharpness, blur of 2 px", "FrameFID (torchmetrics), blur of 2 px",
    "FrameFID (pytorch-fid), blur of 2 px", "FrameFID (torch-fidelity), blur of 2 px", "FrameFID (clean-fid), blur of 2 px",
    "FrameFID (eat), blur of 2 px", "FrameKID, blur of 2 px", "FrechetVideoDistance (a random layer), blur of 2 px",
    "SyncNetConfidence, sound of other words", "SyncNetDistance, sound of other words", "SyncNetOffset, sound 5 frames late",
    "EmotionAccuracy, emotion swapped", "IdentitySimilarity (pixels), identity swapped", "KeypointDistance, 5 frames late",
    "ExpressionDistance, muscles of another emotion", "PoseDistance, head of another clip", "ExpressionFID, frozen face",
    "MotionLipVertexError, 5 frames late", "MotionUpperFaceDeviation, upper face held still", "BeatAlignment, head held still",
    "LipShapeVariance, frozen face", "EyebrowActivity, frozen face", "HeadMotionComplexity, head held still",
    "SilentLipDeviation, frozen face", "LoudnessLipDifference, sound of other words",
    "NoReferenceQuality (detail), pictures of one grey",
    "PlannedUnitF1, plan ignored", "PlannedUnitTiming, 5 frames late", "IdentityDrift (pixels), another face at the end",
)  # fmt: skip


def _once(embed):
    """The mouths of one clip are measured with three sounds; a network sees the same pixels once."""
    known = {}

    def embed_once(network, frames):
        key = id(network), hashlib.sha256(frames.numpy().tobytes()).digest()
        if key not in known:
            known[key] = network, embed(network, frames)  # with the network, or another could get its number
        return known[key][1]

    return embed_once


@pytest.fixture(scope="module")
def effects(tmp_path_factory):
    from benchmarks.common import load_portraits
    from benchmarks.metrics import another_face
    from benchmarks.metrics import effects as measure

    face = load_portraits(["astronaut"], 256)["astronaut"]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(SyncNet, "embed_video", _once(SyncNet.embed_video))
        rows = measure(face, another_face(face), tmp_path_factory.mktemp("stand_ins"), length=50, frames=2)
    return {f"{row.metric}, {row.spoiling}": row for row in rows}


@pytest.mark.parametrize("name", ROWS)
def test_it_moves_the_right_way(effects, name):
    row = effects[name]
    assert row.right, f"{row.clean:.4g} became {row.spoilt:.4g}"


def test_every_metric_has_a_row(effects):
    assert set(effects) == set(ROWS)
    kinds = {
        name
        for name in metrics.__all__
        if isinstance(getattr(metrics, name), type) and issubclass(getattr(metrics, name), metrics.ClipMetric)
    }
    assert kinds - {"ClipMean", "ClipMetric"} == {row.metric.split(" (")[0] for row in effects.values()}


def test_the_shift_of_the_sound_is_found_to_the_frame(effects):
    row = effects["SyncNetOffset, sound 5 frames late"]
    assert (row.clean, row.spoilt) == (0, 5)
