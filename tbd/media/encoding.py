"""What every video that we write has in common: H.264 in BT.601, AAC, and one sentence where writing fails."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from fractions import Fraction
from typing import Any

import numpy as np

from tbd.errors import TBDError
from tbd.media.rates import FPS
from tbd.utils.jobs.forks import leave_garbage_to_parents


def add_video_stream(container: Any, shape: tuple[int, ...], options: dict[str, str], threads: int) -> Any:
    """Add a stream of H.264 to a container.

    Args:
        container: PyAV's container.
        shape: Shape of a frame, (H, W, …); odd sides are rounded up, as 4:2:0 needs.
        options: Options of x264.
        threads: Threads of x264.

    Returns:
        PyAV's stream.
    """
    leave_garbage_to_parents()
    video = container.add_stream("libx264", rate=FPS, options=options)
    video.width, video.height = (side + side % 2 for side in shape[1::-1])
    video.pix_fmt = "yuv420p"
    context = video.codec_context
    context.thread_count, context.time_base = threads, Fraction(1, FPS)
    # BT.601 in limited range, stated: what players and OpenCV assume of files that state nothing.
    context.colorspace, context.color_range, context.color_primaries, context.color_trc = 6, 1, 1, 1
    return video


def add_audio_stream(container: Any, rate: int, channels: int = 1) -> Any:
    """Add a stream of AAC to a container.

    Args:
        container: PyAV's container.
        rate: Samples per second.
        channels: One or two.

    Returns:
        PyAV's stream.
    """
    bits = (64_000 if rate <= 24_000 else 128_000) + 64_000 * (channels - 1)
    return container.add_stream("aac", rate=rate, layout=_layout(channels), bit_rate=bits)


def yuv_frame(frame: np.ndarray) -> Any:
    """Turn a picture into a PyAV frame in 4:2:0.

    Args:
        frame: (H, W, 3) uint8 RGB; an odd width or height is padded by one repeated line.

    Returns:
        The frame, in BT.601 and limited range.
    """
    import av
    import cv2

    height, width = frame.shape[:2]
    if height % 2 or width % 2:
        frame = np.pad(frame, ((0, height % 2), (0, width % 2), (0, 0)), mode="edge")
    # OpenCV's conversion is BT.601 in limited range as well, and eight times as fast as FFmpeg's (measured).
    yuv = cv2.cvtColor(frame, cv2.COLOR_RGB2YUV_I420)
    return av.VideoFrame.from_ndarray(yuv.view(np.uint8), "yuv420p")


def audio_frame(samples: np.ndarray, rate: int, start: int) -> Any:
    """Turn samples into a PyAV frame of sound.

    Args:
        samples: (C, N) float32 in −1..1 with one or two channels.
        rate: Samples per second.
        start: Number of the first sample.

    Returns:
        The frame.
    """
    import av

    block = av.AudioFrame.from_ndarray(np.ascontiguousarray(samples, np.float32), format="fltp", layout=_layout(len(samples)))
    block.sample_rate, block.pts, block.time_base = rate, start, Fraction(1, rate)
    return block


@contextmanager
def explained_failures(path: str | os.PathLike) -> Iterator[None]:
    """Raise errors of the disk and of the encoder as one sentence; a pipe that nobody reads any more stays what it is.

    Args:
        path: What is written.

    Raises:
        TBDError: If writing fails.
        BrokenPipeError: If nobody reads the pipe.
    """
    try:
        yield
    except BrokenPipeError:
        raise
    except (OSError, ValueError) as error:
        raise TBDError(f"Writing {path} failed ({getattr(error, 'strerror', None) or error}).") from error


def _layout(channels: int) -> str:
    return "mono" if channels == 1 else "stereo"
