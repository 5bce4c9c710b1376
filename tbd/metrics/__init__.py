"""Metrics of talking heads: each a `torchmetrics.Metric` on a pure function. See ``docs/metrics.md``."""

from tbd.metrics.aperture import ApertureCorrelation
from tbd.metrics.base import ClipMean, ClipMetric, Unmeasurable
from tbd.metrics.beats import BeatAlignment
from tbd.metrics.controllability import EmotionSeparation, IntensityMonotonicity, LipDrift
from tbd.metrics.dynamics import BlinkRate, HeadMotionDiversity, Jerk, SeamJump, SilenceLipEnergy
from tbd.metrics.faces.emotion import CallableEmotionClassifier, EmotionAccuracy, EmotionClassifier, TransformersEmotionClassifier
from tbd.metrics.faces.identity import FaceEmbedder, IdentityDrift, IdentitySimilarity
from tbd.metrics.faces.landmarks import FaceLandmarkDistance, MouthLandmarkDistance
from tbd.metrics.faces.reenactment import ExpressionDistance, ExpressionFID, KeypointDistance, PoseDistance
from tbd.metrics.faces.vertices import MotionLipVertexError, MotionUpperFaceDeviation
from tbd.metrics.lip_sync import SyncNetConfidence, SyncNetDistance, SyncNetOffset
from tbd.metrics.motion_emotion import MotionEmotionAccuracy
from tbd.metrics.motion_frechet import FrechetMotionDistance
from tbd.metrics.motion_variety import ActionUnitF1, MotionDiversity
from tbd.metrics.networks.arcface import ArcFaceEmbedder
from tbd.metrics.networks.dlib_face import DlibFaceEmbedder
from tbd.metrics.networks.emotion_fan import EmotionFAN
from tbd.metrics.networks.i3d import I3D
from tbd.metrics.networks.mini_xception import MiniXception
from tbd.metrics.plan_following import ActionUnitGain, ChannelCorrelation, LipClosure, RegionError
from tbd.metrics.plan_timing import PlannedUnitF1, PlannedUnitTiming
from tbd.metrics.quality.frechet import FrameFID
from tbd.metrics.quality.kernel_distance import FrameKID
from tbd.metrics.quality.no_reference import NoReferenceQuality
from tbd.metrics.quality.pixels import FrameLPIPS, FramePSNR, FrameSSIM
from tbd.metrics.quality.sharpness import Sharpness
from tbd.metrics.theval import (
    EyebrowActivity,
    HeadMotionComplexity,
    LipShapeVariance,
    LoudnessLipDifference,
    SilentLipDeviation,
    theval_score,
)
from tbd.metrics.unit_fidelity import ActionUnitFidelity
from tbd.metrics.video_frechet import FrechetVideoDistance, TorchvisionVideoNetwork, VideoNetwork
from tbd.weights import WeightsNotFoundError

__all__ = [
    "I3D", "ActionUnitF1", "ActionUnitFidelity", "ActionUnitGain", "ApertureCorrelation", "ArcFaceEmbedder", "BeatAlignment",
    "BlinkRate", "CallableEmotionClassifier", "ChannelCorrelation", "ClipMean", "ClipMetric", "DlibFaceEmbedder", "EmotionAccuracy",
    "EmotionClassifier", "EmotionFAN", "EmotionSeparation", "ExpressionDistance", "ExpressionFID", "EyebrowActivity", "FaceEmbedder",
    "FaceLandmarkDistance", "FrameFID", "FrameKID", "FrameLPIPS", "FramePSNR", "FrameSSIM", "FrechetMotionDistance",
    "FrechetVideoDistance", "HeadMotionComplexity", "HeadMotionDiversity", "IdentityDrift", "IdentitySimilarity",
    "IntensityMonotonicity", "Jerk", "KeypointDistance", "LipClosure", "LipDrift", "LipShapeVariance", "LoudnessLipDifference",
    "MiniXception", "MotionDiversity", "MotionEmotionAccuracy", "MotionLipVertexError", "MotionUpperFaceDeviation",
    "MouthLandmarkDistance", "NoReferenceQuality", "PlannedUnitF1", "PlannedUnitTiming", "PoseDistance", "RegionError", "SeamJump",
    "Sharpness", "SilenceLipEnergy", "SilentLipDeviation", "SyncNetConfidence", "SyncNetDistance", "SyncNetOffset",
    "TorchvisionVideoNetwork", "TransformersEmotionClassifier", "Unmeasurable", "VideoNetwork", "WeightsNotFoundError", "theval_score",
]  # fmt: skip
