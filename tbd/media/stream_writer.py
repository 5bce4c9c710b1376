"""Write video whose sound comes with its frames, as of a face that is talking just now: to a file, or to a pipe that plays it at once."""

import sys
from contextlib import ExitStack
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np

from tbd.errors import InputError
from tbd.media.encoding import add_audio_stream, add_video_stream, audio_frame, explained_failures, yuv_frame
from tbd.media.rates import FPS
from tbd.utils.atomic import atomic_output
from tbd.utils.file_checks import PathLike

_AT_ONCE = {"flush_packets": "1", "max_delay": "0", "pes_payload_size": "0", "max_interleave_delta": "1"}
"""Of FFmpeg's MPEG-TS: no packet waits for others, pictures not for the sound, and none is to be shown later than it comes."""
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
                # unbuffered, so that players have each frame as soon as it is there
                pipe = getattr(sys.stdout.buffer, "raw", sys.stdout.buffer)
                self._container: Any = stack.enter_context(av.open(pipe, "w", format="mpegts", container_options=_AT_ONCE))
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
            TBDError: If the disk is full or the encoder fails.
            BrokenPipeError: If nobody reads the pipe.
        """
        with explained_failures(self._path):
            if not self.frames:
                self._open(frame)
            picture = yuv_frame(frame)
            picture.pts, picture.time_base = self.frames, Fraction(1, FPS)
            self._container.mux(self._video.encode(picture))
            self.frames += 1
            if len(audio):
                self._container.mux(self._sound.encode(audio_frame(audio[None], self._rate, self._samples)))
                self._samples += len(audio)

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if (error is not None and not isinstance(error, KeyboardInterrupt)) or not self.frames:
            self._stack.__exit__(kind or InputError, error or InputError("no frame"), trace)
            return
        with explained_failures(self._path), self._stack:
            self._container.mux(self._video.encode())
            self._container.mux(self._sound.encode())

    def _open(self, frame: np.ndarray) -> None:
        options = {"crf": str(self._crf), "preset": "superfast", "tune": "zerolatency", "g": str(2 * FPS)}
        self._video = add_video_stream(self._container, frame.shape, options, threads=1)
        self._sound = add_audio_stream(self._container, self._rate)
