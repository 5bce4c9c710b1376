"""A validation's videos reach TensorBoard, Weights & Biases and MLflow, and no logger that cannot show them."""

import io
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from lightning.pytorch.loggers import CSVLogger, MLFlowLogger, TensorBoardLogger, WandbLogger
from PIL import Image
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from tbd.draw.video.logging import log_video, video_loggers

VIDEO = torch.linspace(0, 1, 5)[:, None, None, None].expand(5, 3, 8, 16)


def frames_of(gif: bytes) -> tuple[int, tuple[int, int]]:
    image = Image.open(io.BytesIO(gif))
    return image.n_frames, image.size


def test_tensorboard(tmp_path):
    logger = TensorBoardLogger(tmp_path)
    log_video(logger, "val/video_0", VIDEO, 3)
    logger.experiment.flush()
    events = EventAccumulator(logger.log_dir).Reload().Images("val/video_0")
    assert [event.step for event in events] == [3] and frames_of(events[0].encoded_image_string) == (5, (16, 8))


def test_weights_and_biases(monkeypatch):
    """Its package is not here: the logger is not made, and the call that it would get is looked at."""
    logger, calls = WandbLogger.__new__(WandbLogger), []

    def keep(self, key, videos, step=None, **more):
        calls.append((key, step, more, frames_of(Path(videos[0]).read_bytes())))

    monkeypatch.setattr(WandbLogger, "log_video", keep)
    log_video(logger, "val/video_0", VIDEO, 3)
    assert calls == [("val/video_0", 3, {"format": ["gif"]}, (5, (16, 8)))]


def test_mlflow(monkeypatch):
    logger, calls = MLFlowLogger.__new__(MLFlowLogger), []

    def keep(run, path, folder):
        calls.append((run, Path(path).name, folder, frames_of(Path(path).read_bytes())))

    monkeypatch.setattr(MLFlowLogger, "experiment", SimpleNamespace(log_artifact=keep))
    monkeypatch.setattr(MLFlowLogger, "run_id", "run")
    log_video(logger, "val/video_0", VIDEO, 3)
    assert calls == [("run", "val_video_0_00000003.gif", "videos", (5, (16, 8)))]


def test_only_those_that_show_videos(tmp_path):
    loggers = [CSVLogger(tmp_path), TensorBoardLogger(tmp_path), WandbLogger.__new__(WandbLogger)]
    assert video_loggers(loggers) == loggers[1:]


def test_a_real_mlflow(tmp_path):
    pytest.importorskip("mlflow", reason="MLflow is not installed (pip install mlflow)")
    pytest.importorskip("sqlalchemy", reason="MLflow's database is not installed (pip install mlflow)")
    logger = MLFlowLogger("tbd", tracking_uri=f"sqlite:///{tmp_path}/mlflow.db", artifact_location=str(tmp_path / "mlflow"))
    log_video(logger, "val/video_0", VIDEO, 3)
    (found,) = tmp_path.rglob("val_video_0_00000003.gif")
    assert frames_of(found.read_bytes()) == (5, (16, 8))
