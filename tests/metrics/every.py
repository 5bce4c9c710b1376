"""Every metric of the package, made with stand-ins for networks, and clips that keep the contract of their inputs."""

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
from torch import nn

from tbd import metrics
from tbd.face.channels import INDEX
from tbd.metrics.faces.identity import FaceEmbedder
from tbd.think.emotions import EMOTIONS


class FirstPixels(nn.Module):
    """Stands for Inception."""

    def forward(self, frames):
        return nn.functional.pad(frames.flatten(1).float()[:, :64], (0, 2048 - 64))


class Colour(FaceEmbedder):
    """Stands for ArcFace."""

    def embed(self, faces):
        return faces.float().mean((2, 3)) + 1


class Mean(nn.Module):
    """Stands for a metric of pyiqa."""

    def forward(self, pictures):
        return pictures.mean((1, 2, 3))


class Windows(metrics.VideoNetwork):
    """Stands for a network of videos: the colour of windows of four frames."""

    frames, features = 4, 3

    def embed(self, windows):
        return windows.float().mean((1, 3, 4))


def _inception(kind: type, weights: Any, **options: Any) -> metrics.ClipMetric:
    metric = kind("torchmetrics", weights, **options)
    metric._network.network = FirstPixels()
    return metric


def _lip_sync(kind: type, stand_in: Callable[[str], Any]) -> metrics.ClipMetric:
    return kind("wav2lip", stand_in("syncnet"))


def classifier() -> metrics.EmotionClassifier:
    """A classifier that reads the first eight pixels."""
    return metrics.CallableEmotionClassifier(lambda faces: faces[:, 0, 0, :8].float(), EMOTIONS)


def makers(stand_in: Callable[[str], Any]) -> dict[str, Callable[[], metrics.ClipMetric]]:
    """Name → maker; a name is a class of `tbd.metrics`, with a word behind it where one is made in several ways.

    Args:
        stand_in: The fixture that makes weights.
    """
    made: dict[str, Callable[[], metrics.ClipMetric]] = {
        "EmotionAccuracy": lambda: metrics.EmotionAccuracy(classifier()),
        "IdentitySimilarity": lambda: metrics.IdentitySimilarity(Colour()),
        "IdentityDrift": lambda: metrics.IdentityDrift(Colour()),
        "NoReferenceQuality": lambda: metrics.NoReferenceQuality(make=lambda name: Mean()),
        "FrameFID": lambda: _inception(metrics.FrameFID, stand_in("torchmetrics"), allow_biased=True),
        "FrameKID": lambda: _inception(metrics.FrameKID, stand_in("torchmetrics"), most=20),
        "FrechetVideoDistance": lambda: metrics.FrechetVideoDistance(Windows()),
        "FrameLPIPS": lambda: metrics.FrameLPIPS("alex", stand_in("alexnet")),
        "MouthLandmarkDistance eat": lambda: metrics.MouthLandmarkDistance("eat-px128"),
        "FaceLandmarkDistance eat": lambda: metrics.FaceLandmarkDistance("eat-px128"),
        "FramePSNR frames": lambda: metrics.FramePSNR("frames"),
        "FrameSSIM frames": lambda: metrics.FrameSSIM("frames"),
    }
    for name in ("SyncNetConfidence", "SyncNetDistance", "SyncNetOffset"):
        made[name] = partial(_lip_sync, getattr(metrics, name), stand_in)
    for name in metrics.__all__:
        kind = getattr(metrics, name)
        if isinstance(kind, type) and issubclass(kind, metrics.ClipMetric) and name not in ("ClipMean", "ClipMetric", *made):
            made[name] = kind
    return made


def fields(frames: int = 40, seed: int = 0) -> dict[str, Any]:
    """Field → a value that keeps the contract, for clips of some frames."""
    rng = np.random.default_rng(seed)
    pictures = rng.integers(0, 256, (2, frames, 3, 64, 64), np.uint8)
    motion = rng.uniform(0, 0.9, (2, frames, 58)).astype(np.float32)
    motion[..., INDEX["headPitch"] :] *= 0.2
    points = rng.normal(200, 40, (3, frames, 478, 3)).astype(np.float32)
    chips = rng.integers(0, 256, (2, min(frames, 3), 3, 224, 224), np.uint8)
    found: dict[str, Any] = {"neutral.points": points[2], "preds.audio": rng.uniform(-0.5, 0.5, frames * 640).astype(np.float32)}
    if frames > 8:
        found["preds.audio"][: 8 * 640] = 0  # a silence
    for i, role in enumerate(("preds", "target")):
        found |= {f"{role}.frames": pictures[i], f"{role}.motion": motion[i], f"{role}.points": points[i], f"{role}.faces": chips[i]}
        found |= {f"{role}.aligned_faces": chips[i][..., :112, :112]}
    found |= {"target.plan_motion": motion[1], "target.emotion": 2, "target.intensity": 0.5, "target.bilabials": np.array([[0.1, 0.2]])}
    found |= {"preds.seams": [10], "preds.motions": [level * motion[0] for level in (0.2, 0.5, 0.9)], "preds.intensities": [0.2, 0.5, 0.9]}
    return found


def inputs(metric: metrics.ClipMetric, values: dict[str, Any]) -> list[Any]:
    """What a metric reads, out of `fields`."""
    return [values[field] for field in metric.reads]
