"""Predictions of the fake clips, as `tbd predict` writes them."""

import shutil
from pathlib import Path

import pytest
import torch

from tbd.draw.randomness import clip_seed
from tbd.evaluation.evaluate import evaluate
from tbd.evaluation.predict import write_clip
from tbd.evaluation.predictions import read_predictions
from tbd.evaluation.predictors import GroundTruth
from tbd.evaluation.scores import Scores
from tests.evaluation.fakes import SIZE, FakeReference, fake_protocol


@pytest.fixture(scope="session")
def _truth(make_once) -> Path:
    def make(folder: Path) -> None:
        for clip in FakeReference().clips():
            write_clip(GroundTruth(), clip, folder, SIZE, clip_seed(3, clip.id), torch.device("cpu"))

    return make_once("truth", make)


@pytest.fixture
def truth(_truth, tmp_path) -> Path:
    """A folder with the five true clips as predictions, to be spoilt."""
    return Path(shutil.copytree(_truth, tmp_path / "predictions"))


@pytest.fixture(scope="session")
def measure():
    """Folder → scores, by the fake protocol."""

    def run(folder: Path, reference: FakeReference | None = None, **changes) -> Scores:
        return evaluate(fake_protocol(**changes), reference or FakeReference(), lambda clips: read_predictions(folder, clips))[0]

    return run
