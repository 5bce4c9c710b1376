"""Scores of a folder by a protocol that tracks motion in both clips."""

from pathlib import Path

from tbd.evaluation.evaluate import evaluate
from tbd.evaluation.predictions import read_predictions
from tbd.evaluation.references.base import Reference
from tbd.evaluation.scores import Scores
from tests.evaluation.fakes import fake_protocol


def metric(name: str, kind: str, **more) -> dict:
    return {"name": name, "metric": {"class_path": kind}, "label": name, **more}


TRACKED = [
    metric("aperture", "tbd.metrics.ApertureCorrelation"),
    metric("m-lmd", "tbd.metrics.MouthLandmarkDistance"),
    metric("psnr", "tbd.metrics.FramePSNR", frames=5),
    metric("faces", "tests.evaluation.fakes.FaceCount"),
]


def score(reference: Reference, folder: Path, **changes) -> Scores:
    protocol = fake_protocol(motion="face_mesh", size=128, **{"metrics": TRACKED, **changes})
    return evaluate(protocol, reference, lambda clips: read_predictions(folder, clips))[0]
