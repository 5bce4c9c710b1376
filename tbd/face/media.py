"""Pictures, sound and video: read anything that PIL and FFmpeg read, write H.264 with AAC at exactly 25 frames a second.

Everything is streamed: a video of any length needs the memory of a few frames. Times are counted from the start of the
file's container, so that the frames of `read_video` and the samples of `read_audio` of one file stay together.
"""

import json
import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np

import tbd
from tbd.errors import InputError, TBDError
from tbd.face.motion import FPS, SAMPLE_RATE
from tbd.face.portrait import crop_portrait, portrait_crop, portrait_window
from tbd.files import atomic_output

__all__ = [
    "VideoFrames", "VideoInfo", "VideoWriter", "crop_portrait", "portrait_crop", "portrait_window", "provenance",
    "read_audio", "read_image", "read_video", "video_info",
]  # fmt: skip

_SILENCE = 1e-3
"""A recording whose loudest sample stays below this (−60 dB of full scale) holds no speech."""
_SHORTEST = 0.1
"""Seconds: a recording shorter than this cannot hold a sound of speech."""
_BEHIND_ALPHA = 127
"""The grey put behind transparent pictures."""
_JITTER = 1e-3
"""Seconds by which time stamps may be off, since containers round them to milliseconds and less."""


# ---------------------------------------------------------------------------------------------------------- pictures


def read_image(path: str | os.PathLike) -> np.ndarray:
    """A picture as it is meant to be seen: upright (EXIF), over grey where transparent, the first frame if animated.

    Args:
        path: a file in any format that PIL reads; 8 or 16 bits, grey, palette, RGB, RGBA or CMYK.

    Returns:
        (H, W, 3) uint8 RGB.

    Raises:
        InputError: the file is missing, a folder, empty, broken off, or no picture (a video, a text).
    """
    from PIL import Image, ImageOps

    path = _existing(path, "picture")
    try:
        with Image.open(path) as image:
            image.load()
            return _to_rgb(ImageOps.exif_transpose(image))
    except Image.UnidentifiedImageError as error:
        if path.suffix.lower() in (".tif", ".tiff"):
            return _read_tiff(path)
        kind = "is a video; give a still picture, or track it with `tbd track`" if _is_video(path) else "is not a picture (PNG, JPEG, …)"
        raise InputError(f"{path} {kind}.") from error
    except Image.DecompressionBombError as error:
        raise InputError(f"{path} has too many pixels to read; give a picture below 100 megapixels.") from error
    except (OSError, SyntaxError, ValueError, EOFError) as error:
        raise InputError(f"{path} cannot be read to its end as a picture ({error}); give a whole file.") from error


def _existing(path: str | os.PathLike, kind: str) -> Path:
    path = Path(path)
    if path.is_dir():
        raise InputError(f"{path} is a folder; name a {kind} file.")
    if not path.is_file():
        raise InputError(f"There is no {kind} file {path}.")
    if path.stat().st_size == 0:
        raise InputError(f"{path} is an empty file (0 bytes); give a {kind}.")
    return path


def _is_video(path: Path) -> bool:
    import av

    try:
        with av.open(str(path)) as container:
            # FFmpeg takes a file for a one-picture "pipe" by its name's ending alone.
            return not container.format.name.endswith("pipe") and next(container.decode(video=0), None) is not None
    except (av.FFmpegError, OSError, IndexError):
        return False


def _to_rgb(image: Any) -> np.ndarray:
    """A PIL image of any mode → (H, W, 3) uint8."""
    if image.mode.startswith(("I", "F")):
        return _levels_to_rgb(np.asarray(image))
    if image.mode in ("RGBA", "LA", "PA", "La", "RGBa") or "transparency" in image.info:
        rgba = np.asarray(image.convert("RGBA"), np.float32)
        alpha = rgba[..., 3:] / 255
        return np.rint(rgba[..., :3] * alpha + _BEHIND_ALPHA * (1 - alpha)).astype(np.uint8)
    return np.array(image.convert("RGB"))


def _levels_to_rgb(levels: np.ndarray) -> np.ndarray:
    """(H, W) or (H, W, C) numbers of more than 8 bits → (H, W, 3) uint8. Floats are 0..1; integers fill 8 or 16 bits."""
    levels = levels[..., None] if levels.ndim == 2 else levels
    top = 1.0 if levels.dtype.kind == "f" and levels.max(initial=0) <= 1 else 255.0 if levels.max(initial=0) <= 255 else 65535.0
    grey = np.clip(np.nan_to_num(levels.astype(np.float32)) / top, 0, 1)
    return np.rint(255 * (grey[..., :3] if grey.shape[2] >= 3 else grey[..., :1].repeat(3, 2))).astype(np.uint8)


def _read_tiff(path: Path) -> np.ndarray:
    """The TIFFs that PIL does not know (16-bit colour)."""
    import tifffile

    try:
        levels = tifffile.imread(path, key=0)
    except Exception as error:  # tifffile raises whatever its parser trips over
        raise InputError(f"{path} cannot be read as a TIFF picture ({error}).") from error
    if levels.ndim not in (2, 3):
        raise InputError(f"{path} is a TIFF of shape {levels.shape}, not a picture.")
    return _levels_to_rgb(levels)


# ------------------------------------------------------------------------------------------------------------- sound


def read_audio(path: str | os.PathLike, sample_rate: int = SAMPLE_RATE) -> np.ndarray:
    """A recording as one channel; channels are mixed, the rate is converted, decoding goes block by block.

    Args:
        path: any container and codec that FFmpeg reads, the sound of a video included.
        sample_rate: samples a second of the result.

    Returns:
        (N,) float32 in −1..1, mono.

    Raises:
        InputError: the file is missing, unreadable, without sound, too short, silent, or holds NaN.
    """
    import av

    path = _existing(path, "sound")
    with _opened(path, "sound") as container:
        if not container.streams.audio:
            raise InputError(f"{path} has no sound in it; give a recording of speech.")
        stream = container.streams.audio[0]
        # FFmpeg mixes stereo to mono at −3 dB, which overflows; the mean of two channels does not.
        layout = "mono" if stream.channels == 1 else "stereo"
        resampler = av.AudioResampler(format="fltp", layout=layout, rate=sample_rate)
        blocks, lead = [], None
        for frame in container.decode(stream):
            if lead is None:
                lead = max((frame.time or 0.0) - _start(container), 0.0)
            blocks += [block.to_ndarray().mean(0) for block in resampler.resample(frame)]
        if blocks:
            blocks += [block.to_ndarray().mean(0) for block in resampler.resample(None)]
        length = float(stream.duration * stream.time_base) if stream.duration else np.inf
    audio = np.concatenate([np.zeros(0, np.float32), *blocks])
    if 0 < len(audio) - length * sample_rate < _SHORTEST * sample_rate:
        audio = audio[: round(length * sample_rate)]  # codecs of fixed blocks fill the last one up
    audio = np.concatenate([np.zeros(round((lead or 0.0) * sample_rate), np.float32), audio])
    return _require_speech(audio, path, sample_rate)


def _require_speech(audio: np.ndarray, path: Path, sample_rate: int) -> np.ndarray:
    if len(audio) < _SHORTEST * sample_rate:
        raise InputError(f"The sound in {path} lasts {len(audio) / sample_rate:.3f} seconds; give at least {_SHORTEST} seconds of speech.")
    bad = int((~np.isfinite(audio)).sum())
    if bad:
        raise InputError(f"The sound in {path} holds {bad} samples that are not numbers; save the recording again.")
    if np.abs(audio).max() < _SILENCE:
        raise InputError(f"The sound in {path} is silent; give a recording in which someone speaks.")
    return np.clip(audio, -1, 1)


@contextmanager
def _opened(path: Path, kind: str) -> Iterator[Any]:
    """A PyAV container for reading; what goes wrong in it becomes one sentence, and it is closed."""
    import av

    try:
        with av.open(str(path), metadata_errors="replace") as container:
            yield container
    except (av.FFmpegError, OSError) as error:
        reason = getattr(error, "strerror", None) or error
        raise InputError(f"{path} cannot be read as {kind} ({reason}); give a whole file in a common format.") from error


def _start(container: Any) -> float:
    """Seconds at which a container's first stream starts."""
    return (container.start_time or 0) / 1e6


# ------------------------------------------------------------------------------------------------------ reading video


@dataclass(frozen=True)
class VideoInfo:
    """What a video file says of itself. Width and height as displayed; duration in seconds; fps as an average."""

    width: int
    height: int
    fps: float
    duration: float
    has_audio: bool
    metadata: dict[str, str] = field(default_factory=dict)


def video_info(path: str | os.PathLike) -> VideoInfo:
    """Open a video and decode its first frame.

    Raises:
        InputError: the file is missing or holds no moving pictures.
    """
    path = _existing(path, "video")
    with _opened(path, "video") as container:
        stream = _video_stream(container, path)
        first = next(container.decode(stream), None)
        if first is None:
            raise InputError(f"{path} holds no frames; give a video.")
        length = float(stream.duration * stream.time_base) if stream.duration else (container.duration or 0) / 1e6
        sides = (first.height, first.width) if first.rotation % 180 else (first.width, first.height)
        rate = float(stream.average_rate or stream.guessed_rate or FPS)
        return VideoInfo(*sides, rate, length, bool(container.streams.audio), {**container.metadata})


def _video_stream(container: Any, path: Path) -> Any:
    if not container.streams.video:
        raise InputError(f"{path} has no moving pictures in it; give a video.")
    stream = container.streams.video[0]
    stream.thread_type = "AUTO"
    return stream


class VideoFrames:
    """The frames of a video at exactly 25 a second; see `read_video`. Each `iter` opens the file anew."""

    def __init__(self, path: str | os.PathLike, start: float = 0.0, end: float | None = None) -> None:
        self.path, self.start, self.end = Path(path), start, end
        self.info = video_info(path)

    @property
    def duration(self) -> float:
        """Seconds, as the file says; what is decoded may differ by a frame."""
        return max(min(self.info.duration, np.inf if self.end is None else self.end) - self.start, 0.0)

    def __iter__(self) -> Iterator[np.ndarray]:
        """(H, W, 3) uint8 RGB frames."""
        for frame in self.decoded():
            yield _pixels(frame)

    def decoded(self, threads: bool = True) -> Iterator[Any]:
        """The same frames as PyAV decodes them, not yet turned or converted.

        Args:
            threads: decode on several; one is a fifth cheaper where other processes keep the machine busy.
        """
        with _opened(self.path, "video") as container:
            stream = _video_stream(container, self.path)
            stream.thread_type = "AUTO" if threads else "NONE"
            start, shown, end, count = _start(container) + self.start, None, 0.0, 0
            if self.start > 0:
                container.seek(int(start * 1e6))  # to the keyframe before
            last = np.inf if self.end is None else round((self.end - self.start) * FPS)
            for frame in _progressive(container.decode(stream), stream):
                time = end if frame.time is None else frame.time - start
                while shown is not None and count / FPS < time - _JITTER and count < last:
                    yield shown
                    count += 1
                if count >= last:
                    return
                shown = frame
                end = time + (float(frame.duration * frame.time_base) if frame.duration else 1 / self.info.fps)
            while shown is not None and (count + 0.5) / FPS < end and count < last:
                yield shown
                count += 1


def _progressive(frames: Iterator[Any], stream: Any) -> Iterator[Any]:
    """Interlaced frames made whole; others as they are."""
    import av

    graph = None
    for frame in frames:
        if graph is None:
            if not frame.interlaced_frame:
                yield frame
                continue
            graph = av.filter.Graph()
            graph.link_nodes(graph.add_buffer(template=stream), graph.add("yadif", "deint=interlaced"), graph.add("buffersink")).configure()
        graph.push(frame)
        yield from _pulled(graph)
    if graph is not None:
        graph.push(None)
        yield from _pulled(graph)


def _pulled(graph: Any) -> Iterator[Any]:
    import av

    with suppress(av.BlockingIOError, av.EOFError):
        while True:
            yield graph.pull()


def read_video(path: str | os.PathLike, start: float = 0.0, end: float | None = None) -> VideoFrames:
    """Frames of a video at exactly 25 a second, chosen by their time stamps.

    Frame k is the one shown at start + k / 25 seconds, whatever the file's own rate is (29.97, 60, variable); rotation
    metadata is applied, interlaced frames are made whole.

    Args:
        path: any video that FFmpeg reads.
        start: seconds at which to begin.
        end: seconds at which to stop; at the video's end where not given.

    Raises:
        InputError: the file is missing or holds no moving pictures.

    Example:
        >>> for frame in read_video("clip.mp4"):  # doctest: +SKIP
        ...     print(frame.shape)
        (512, 512, 3)
    """
    return VideoFrames(path, start, end)


def _pixels(frame: Any) -> np.ndarray:
    """A PyAV frame → (H, W, 3) uint8, turned as its display matrix says (degrees anticlockwise)."""
    pixels = frame.to_ndarray(format="rgb24")
    turns = round(frame.rotation / 90) % 4
    return np.ascontiguousarray(np.rot90(pixels, turns)) if turns else pixels


# ------------------------------------------------------------------------------------------------------ writing video


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
        audio: (N,) float in −1..1, or None for a silent film.
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
        self._audio = None if audio is None else np.clip(np.asarray(audio, np.float32), -1, 1)
        self._rate, self._metadata = sample_rate, metadata or {}
        self._options, self._threads = {"crf": str(crf), "preset": preset, "g": str(keyframes)}, threads
        self._sound = 0  # samples coded so far

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
        """Add one PyAV frame that is 4:2:0, BT.601 in limited range and even in width and height (`tbd.face.picture.scaled`)."""
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
            bits = 64_000 if self._rate <= 24_000 else 128_000
            self._aac = self._container.add_stream("aac", rate=self._rate, layout="mono", bit_rate=bits)

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
        samples = np.zeros((1, until - self._sound), np.float32)
        part = self._audio[self._sound : until]
        samples[0, : len(part)] = part
        block = av.AudioFrame.from_ndarray(samples, format="fltp", layout="mono")
        block.sample_rate, block.pts, block.time_base = self._rate, self._sound, Fraction(1, self._rate)
        self._container.mux(self._aac.encode(block))
        self._sound = until
