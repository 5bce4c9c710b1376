"""Portraits that say recordings: references without true frames."""

from pathlib import Path

import numpy as np
import pytest
import skimage.data
import torch
from PIL import Image
from scipy.io import wavfile

from tbd.errors import InputError
from tbd.evaluation.predict import write_clip
from tbd.evaluation.predictors import GroundTruth, LoudnessJaw, StillPortrait
from tbd.evaluation.references.portrait import PortraitReference
from tests.evaluation.references.scoring import metric, score


@pytest.fixture
def root(tmp_path) -> Path:
    for folder in ("portraits", "speech"):
        (tmp_path / folder).mkdir()
    Image.fromarray(skimage.data.astronaut()).save(tmp_path / "portraits" / "eileen.png")
    sound = np.sin(np.arange(12 * 640) * 0.2) * np.abs(np.sin(np.arange(12 * 640) / 2000))
    wavfile.write(tmp_path / "speech" / "hello.wav", 16000, (sound * 20000).astype(np.int16))
    return tmp_path


def test_every_pair_with_every_emotion(root, tmp_path):
    clips = PortraitReference(str(root)).clips()
    assert len(clips) == 8 and "eileen_hello_fear" in [clip.id for clip in clips] and {c.frames() for c in clips} == {12}
    assert clips[0].video(64) is None and clips[0].plan().emotions == {"angry": 1.0}


def test_metrics_without_truth(root, tmp_path):
    reference, folder = PortraitReference(str(root)), tmp_path / "out"
    for clip, predictor in zip(reference.clips(), (LoudnessJaw(), StillPortrait())):
        write_clip(predictor, clip, folder, 128, 0, torch.device("cpu"))
    metrics = [metric("jerk", "tbd.metrics.Jerk"), metric("faces", "tests.evaluation.fakes.FaceCount")]
    scores = score(reference, folder, metrics=metrics)
    assert (scores.expected, scores.found, scores.scored) == (8, 2, 2) and {i.kind for i in scores.issues} == {"missing"}
    assert scores.metrics["faces"].values == {"value": 12, "target": 1, "width": 224} and scores.metrics["jerk"].clips == 2
    with pytest.raises(InputError, match="no true frames"):
        GroundTruth().predict(reference.clips()[0], 128, 0)


def test_an_empty_folder_says_what_belongs_there(tmp_path):
    with pytest.raises(InputError, match="portraits/"):
        PortraitReference(str(tmp_path)).clips()
