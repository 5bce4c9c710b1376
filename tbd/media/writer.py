"""Writing video: H.264 with AAC at exactly 25 frames a second."""

import json
import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np

import tbd
from tbd.errors import InputError, TBDError
from tbd.media.rates import FPS, SAMPLE_RATE
from tbd.utils.atomic import atomic_output


def provenance(plan: Any = None, **details: str) -> dict[str, str]:
    """Container metadata that says what a video is: generated, by what, and from which plan.

    Args:
        plan: the muscle plan, as JSON text or plain values.
        details: further keys.

    Returns:
        Plain text values. `digital_source_type` is the IPTC term for pictures made by a trained model.
    """
    said = plan if isinstance(plan, str) else json.dumps(plan, ensure_ascii=False)
    return {
        "title": "Generated talking head",
        "comment": f"This video is AI-generated: Think-Before-Draw (tbd {tbd.__version__}) animated a portrait. No camera recorded it.",
        "generator": f"tbd {tbd.__version__}",
        "ai_generated": "true",
        "digital_source_type": "trainedAlgorithmicMedia",
        **({} if plan is None else {"plan": said, "description": said}),
        **details,
    }


class VideoWriter:
    """Writes frames and sound to an mp4: H.264 4:2:0, AAC, exactly 25 frames a second, playable from its first bytes.

    Sound is cut or filled with silence to the length of the frames. The file appears when the block ends without an
    exception, and not at all otherwise. An odd width or height grows by one repeated line, as 4:2:0 needs.

    Args:
        path: the file to make, ``.mp4`` or ``.mov``.
        audio: (N,) or, of one channel or two, (C, N) float in −1..1; None for a silent film.
        sample_rate: of `audio`.
        metadata: texts for the container; see `provenance`.
        crf: constant rate factor, lower is better.
        preset: of x264; `superfast` codes 512² at about 200 frames a second on one core (measured), half again as fast as
            `veryfast` for a file 15 % larger.
        threads: of x264.
        keyframes: a frame in so many can be decoded without the ones before it.

    Raises:
        InputError: the path has another suffix or cannot be written, a frame has another shape than the first one, or no
            frame was written.

    Example:
        >>> with VideoWriter("out.mp4", metadata=provenance()) as writer:  # doctest: +SKIP
        ...     writer.write(np.zeros((512, 512, 3), np.uint8))
    """

    def __init__(
        self,
        path: str | os.PathLike,
        audio: np.ndarray | None = None,
        sample_rate: int = SAMPLE_RATE,
        metadata: dict[str, str] | None = None,
        crf: int = 18,
        preset: str = "superfast",
        threads: int = 2,
        keyframes: int = 250,
    ) -> None:
        if Path(path).suffix.lower() not in (".mp4", ".mov"):
            raise InputError(f"Cannot write a video to {path}: use a name ending in .mp4.")
        self.path, self.frames = Path(path), 0
        self._audio = None if audio is None else np.clip(np.atleast_2d(np.asarray(audio, np.float32)), -1, 1)
        self._rate, self._metadata = sample_rate, metadata or {}
        self._options, self._threads = {"crf": str(crf), "preset": preset, "g": str(keyframes)}, threads
        self._sound = 0  # samples coded so far

    @property
    def _layout(self) -> str:
        return "mono" if len(self._audio) == 1 else "stereo"

    def __enter__(self) -> "VideoWriter":
        import av

        with ExitStack() as stack:
            temporary = stack.enter_context(atomic_output(self.path))
            options = {"movflags": "faststart+use_metadata_tags"}
            self._container = stack.enter_context(av.open(str(temporary), "w", container_options=options))
            self._container.metadata.update(self._metadata)
            self._stack = stack.pop_all()
        return self

    def write(self, frame: np.ndarray) -> None:
        """Add one (H, W, 3) uint8 RGB frame."""
        if frame.ndim != 3 or frame.shape[2] != 3 or frame.dtype != np.uint8:
            raise InputError(f"A frame for {self.path} is {frame.shape} {frame.dtype}; (height, width, 3) uint8 is right.")
        with self._failures():
            self._write(frame.shape, self._yuv(frame))

    def write_picture(self, frame: Any) -> None:
        """Add one PyAV frame that is 4:2:0, BT.601 in limited range and even in width and height (`tbd.media.frame.scaled`)."""
        with self._failures():
            self._write((frame.height, frame.width, 3), frame)

    def _write(self, shape: tuple[int, ...], picture: Any) -> None:
        if not self.frames:
            self._open_streams(shape)
        if shape != self._shape:
            raise InputError(f"A frame for {self.path} is {shape}; the first one was {self._shape}.")
        picture.pts, picture.time_base = self.frames, Fraction(1, FPS)
        picture.pict_type = 0  # a decoded frame's own would force x264's choice of keyframes
        self._container.mux(self._video.encode(picture))
        self.frames += 1
        self._encode_sound(self.frames * self._rate // FPS)

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        # `_stack` closes the container, then moves the file into place; where an exception passes through, it deletes it.
        if error is not None:
            self._stack.__exit__(kind, error, trace)
            return
        with self._failures(), self._stack:
            if not self.frames:
                raise InputError(f"No frame was written to {self.path}; a video needs at least one.")
            self._container.mux(self._video.encode())
            if self._audio is not None:
                self._container.mux(self._aac.encode())

    @contextmanager
    def _failures(self) -> Iterator[None]:
        """A full disk or a refusing encoder, in one sentence."""
        try:
            yield
        except (OSError, ValueError) as error:
            raise TBDError(f"Writing {self.path} failed ({getattr(error, 'strerror', None) or error}).") from error

    def _open_streams(self, shape: tuple[int, ...]) -> None:
        self._shape = shape
        self._video = self._container.add_stream("libx264", rate=FPS, options=self._options)
        self._video.width, self._video.height = (side + side % 2 for side in shape[1::-1])
        self._video.pix_fmt = "yuv420p"
        context = self._video.codec_context
        context.thread_count, context.time_base = self._threads, Fraction(1, FPS)
        # BT.601 in limited range, said aloud: what players and OpenCV assume of files that say nothing.
        context.colorspace, context.color_range, context.color_primaries, context.color_trc = 6, 1, 1, 1
        if self._audio is not None:
            bits = (64_000 if self._rate <= 24_000 else 128_000) + 64_000 * (len(self._audio) - 1)
            self._aac = self._container.add_stream("aac", rate=self._rate, layout=self._layout, bit_rate=bits)

    def _yuv(self, frame: np.ndarray) -> Any:
        import av
        import cv2

        height, width = frame.shape[:2]
        if height % 2 or width % 2:
            frame = np.pad(frame, ((0, height % 2), (0, width % 2), (0, 0)), mode="edge")
        # OpenCV's conversion is BT.601 in limited range as well, and eight times as fast as FFmpeg's (measured).
        return av.VideoFrame.from_ndarray(cv2.cvtColor(frame, cv2.COLOR_RGB2YUV_I420), "yuv420p")

    def _encode_sound(self, until: int) -> None:
        """Code the samples up to `until`, silence where the recording has ended."""
        import av

        if self._audio is None or until <= self._sound:
            return
        samples = np.zeros((len(self._audio), until - self._sound), np.float32)
        part = self._audio[:, self._sound : until]
        samples[:, : part.shape[1]] = part
        block = av.AudioFrame.from_ndarray(samples, format="fltp", layout=self._layout)
        block.sample_rate, block.pts, block.time_base = self._rate, self._sound, Fraction(1, self._rate)
        self._container.mux(self._aac.encode(block))
        self._sound = until
