"""Videos of a validation, wherever a run logs to: among TensorBoard's images, in Weights & Biases, as artifacts of MLflow.

They are animated GIFs, which need no video encoder (TensorBoard's own `add_video` wants one).
"""

import io
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lightning.pytorch.loggers import Logger, MLFlowLogger, TensorBoardLogger, WandbLogger
from torch import Tensor

from tbd.media.rates import FPS

if TYPE_CHECKING:  # drawing works where TensorBoard is not installed
    from torch.utils.tensorboard import SummaryWriter

_SHOWING = (TensorBoardLogger, WandbLogger, MLFlowLogger)


def video_loggers(loggers: Iterable[Any]) -> list[Logger]:
    """Choose the loggers that show videos.

    Args:
        loggers: A trainer's.

    Returns:
        Those of TensorBoard, Weights & Biases and MLflow.
    """
    return [logger for logger in loggers if isinstance(logger, _SHOWING)]


def log_video(logger: Logger, tag: str, frames: Tensor, step: int) -> None:
    """Log a video of 25 frames a second.

    Args:
        logger: One of `video_loggers`.
        tag: Name of the video.
        frames: (T, 3, H, W) in 0..1.
        step: Training step.
    """
    if isinstance(logger, TensorBoardLogger):
        add_video(logger.experiment, tag, frames, step)
        return
    with tempfile.TemporaryDirectory(prefix="tbd-video-") as folder:
        file = Path(folder) / f"{tag.replace('/', '_')}_{step:08}.gif"
        file.write_bytes(_gif(frames))
        if isinstance(logger, WandbLogger):
            logger.log_video(tag, [str(file)], step=step, format=["gif"])
        elif isinstance(logger, MLFlowLogger):
            logger.experiment.log_artifact(logger.run_id, str(file), "videos")


def add_video(writer: "SummaryWriter", tag: str, frames: Tensor, step: int) -> None:
    """Write a video of 25 frames a second.

    Args:
        writer: The logger's `experiment`.
        tag: Name of the video.
        frames: (T, 3, H, W) in 0..1.
        step: Training step.
    """
    from tensorboard.compat.proto.summary_pb2 import Summary

    height, width = frames.shape[2:]
    image = Summary.Image(height=height, width=width, colorspace=3, encoded_image_string=_gif(frames))
    assert writer.file_writer is not None  # None after it was closed
    writer.file_writer.add_summary(Summary(value=[Summary.Value(tag=tag, image=image)]), step)


def _gif(frames: Tensor) -> bytes:
    from PIL import Image

    pixels = (frames.float().clamp(0, 1) * 255).round().byte().permute(0, 2, 3, 1).cpu().numpy()
    first, *rest = [Image.fromarray(frame) for frame in pixels]
    buffer = io.BytesIO()
    first.save(buffer, "GIF", save_all=True, append_images=rest, duration=1000 // FPS, loop=0)
    return buffer.getvalue()
