"""Write video whose sound comes with its frames, as of a face that is talking just now: to a file, or to a pipe that plays it at once."""

import sys
from contextlib import ExitStack
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np

from tbd.errors import InputError, TBDError
from tbd.media.rates import FPS
from tbd.utils.atomic import atomic_output
from tbd.utils.file_checks import PathLike

PIPE = "-"
"""The name that stands for standard output."""


class StreamWriter:
    """Writes H.264 and AAC, frame by frame with the sound of each, in constant memory.

    A file appears when the ``with`` block ends, also where Ctrl-C ends it, so that what was said until then is kept. Standard output
    gets MPEG-TS, which players show as it comes: ``tbd live … --output - | ffplay -``.

    Args:
        path: A name ending in ``.mp4`` or ``.mov``, or ``-`` for standard output.
        sample_rate: Samples a second of the sound.
        metadata: Tags of the container; see `tbd.media.provenance`.
        crf: Constant rate factor of x264; lower is better.

    Raises:
        InputError: If the name has another ending.

    Example:
        >>> with StreamWriter("out.mp4", 16000) as writer:  # doctest: +SKIP
        ...     writer.write(np.zeros((512, 512, 3), np.uint8), np.zeros(640, np.float32))
    """

    def __init__(self, path: PathLike, sample_rate: int, metadata: dict[str, str] | None = None, crf: int = 20) -> None:
        if str(path) != PIPE and Path(path).suffix.lower() not in (".mp4", ".mov"):
            raise InputError(f"Cannot write a video to {path}: use a name ending in .mp4, or - for standard output.")
        self._path, self._rate, self._metadata, self._crf = path, sample_rate, metadata or {}, crf
        self.frames = self._samples = 0

    def __enter__(self) -> "StreamWriter":
        import av

        with ExitStack() as stack:
            if str(self._path) == PIPE:
                self._container: Any = stack.enter_context(av.open(sys.stdout.buffer, "w", format="mpegts"))
            else:
                temporary = stack.enter_context(atomic_output(self._path))
                options = {"movflags": "faststart+use_metadata_tags"}
                self._container = stack.enter_context(av.open(str(temporary), "w", container_options=options))
            self._container.metadata.update(self._metadata)
            self._stack = stack.pop_all()
        return self

    def write(self, frame: np.ndarray, audio: np.ndarray) -> None:
        """Append a frame and its sound.

        Args:
            frame: (H, W, 3) uint8 RGB, all of one shape.
            audio: (N,) float32 in −1..1.

        Raises:
            TBDError: If the disk is full, nobody reads the pipe, or the encoder fails.
        """
        import av
        import cv2

        try:
            if not self.frames:
                self._open(frame)
            height, width = frame.shape[:2]
            if height % 2 or width % 2:
                frame = np.pad(frame, ((0, height % 2), (0, width % 2), (0, 0)), mode="edge")
            picture = av.VideoFrame.from_ndarray(cv2.cvtColor(frame, cv2.COLOR_RGB2YUV_I420).view(np.uint8), "yuv420p")
            picture.pts, picture.time_base = self.frames, Fraction(1, FPS)
            self._container.mux(self._video.encode(picture))
            self.frames += 1
            if len(audio):
                block = av.AudioFrame.from_ndarray(np.ascontiguousarray(audio[None], np.float32), format="fltp", layout="mono")
                block.sample_rate, block.pts, block.time_base = self._rate, self._samples, Fraction(1, self._rate)
                self._container.mux(self._sound.encode(block))
                self._samples += len(audio)
        except BrokenPipeError:
            raise
        except (OSError, ValueError) as error:
            raise TBDError(f"Writing {self._path} failed ({getattr(error, 'strerror', None) or error}).") from error

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if (error is not None and not isinstance(error, KeyboardInterrupt)) or not self.frames:
            self._stack.__exit__(kind or InputError, error or InputError("no frame"), trace)
            return
        with self._stack:
            self._container.mux(self._video.encode())
            self._container.mux(self._sound.encode())

    def _open(self, frame: np.ndarray) -> None:
        options = {"crf": str(self._crf), "preset": "superfast", "tune": "zerolatency", "g": str(2 * FPS)}
        self._video = self._container.add_stream("libx264", rate=FPS, options=options)
        self._video.width, self._video.height = (side + side % 2 for side in frame.shape[1::-1])
        self._video.pix_fmt = "yuv420p"
        context = self._video.codec_context
        context.thread_count, context.time_base = 1, Fraction(1, FPS)
        # as `tbd.media.writer` states them
        context.colorspace, context.color_range, context.color_primaries, context.color_trc = 6, 1, 1, 1
        self._sound = self._container.add_stream(
            "aac", rate=self._rate, layout="mono", bit_rate=64_000 if self._rate <= 24_000 else 128_000
        )
