"""Videos in TensorBoard, among its images: animated, without a video encoder (its own `add_video` needs one)."""

import io
from typing import TYPE_CHECKING

from torch import Tensor

from tbd.media.rates import FPS

if TYPE_CHECKING:  # drawing works where TensorBoard is not installed
    from torch.utils.tensorboard import SummaryWriter


def add_video(writer: "SummaryWriter", tag: str, frames: Tensor, step: int) -> None:
    """Write a video of 25 frames a second.

    Args:
        writer: The logger's `experiment`.
        tag: Name of the video.
        frames: (T, 3, H, W) in 0..1.
        step: Training step.
    """
    from PIL import Image
    from tensorboard.compat.proto.summary_pb2 import Summary

    pixels = (frames.float().clamp(0, 1) * 255).round().byte().permute(0, 2, 3, 1).cpu().numpy()
    first, *rest = [Image.fromarray(frame) for frame in pixels]
    buffer = io.BytesIO()
    first.save(buffer, "GIF", save_all=True, append_images=rest, duration=1000 // FPS, loop=0)
    height, width = pixels.shape[1:3]
    image = Summary.Image(height=height, width=width, colorspace=3, encoded_image_string=buffer.getvalue())
    assert writer.file_writer is not None  # None after it was closed
    writer.file_writer.add_summary(Summary(value=[Summary.Value(tag=tag, image=image)]), step)
