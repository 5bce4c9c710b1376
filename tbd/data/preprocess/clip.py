"""`prepare_clip`: one raw clip becomes its files in the cache, tracked, cropped, at 25 frames a second and 16 kHz."""

import re
import wave
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass, replace
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypedDict

import numpy as np

from tbd.data.preprocess.cache import Cache
from tbd.data.preprocess.crop import CROPS, scaled_box
from tbd.data.records import ClipRecord
from tbd.data.sources.base import RawClip
from tbd.errors import InputError
from tbd.face.motion import Motion
from tbd.face.neutral import AVERAGE, NeutralFace
from tbd.face.tracker import FaceLandmarkerTracker, FaceMeshTracker, Tracker
from tbd.face.tracking.limits import MAX_TILT, MIN_FACE
from tbd.face.tracking.rotation import wrap_degrees
from tbd.face.tracking.session import TrackingSession
from tbd.media import VideoFrames, VideoInfo, VideoWriter, read_audio, read_video
from tbd.media.lazy_frame import LazyFrame, to_yuv420
from tbd.media.rates import SAMPLE_RATE, SAMPLES_PER_FRAME
from tbd.utils.atomic import atomic_output
from tbd.utils.user_warnings import collect_warnings

if TYPE_CHECKING:
    from av import VideoFrame

_MEMORY = 600e6
"""Bytes of decoded frames that a worker keeps between tracking and cutting; a longer clip is decoded twice. Four seconds of MEAD."""


class Codec(TypedDict):
    """Options of `VideoWriter` that all prepared videos share."""

    preset: str
    keyframes: int


CODEC: Codec = {"preset": "ultrafast", "keyframes": 5}
"""Training reads frames here and there, so that few may lie between keyframes; the preset codes and decodes twice as fast as `superfast`
for files a quarter larger of the same quality (measured; see `benchmarks/data.py`)."""
_SHORTEST = 10
"""Frames: what is shorter is no clip."""
_APART = 0.1
"""Seconds by which sound and pictures may differ in length before the record says so."""
_WHOLE = 0.9
"""The part of the frames that a file promises and must hold."""


@dataclass(frozen=True)
class PreprocessConfig:
    """How clips are prepared. All but the trackers is the same for a whole cache.

    Args:
        sizes: Heights and widths of the videos in pixels, even numbers from 32.
        crop: A key of `CROPS`.
        landmarker: A ``face_landmarker.task`` file; with it both trackers follow each clip.
        crf: Constant rate factor of x264.

    Raises:
        InputError: If there is no such crop, or a size is not possible.

    Example:
        >>> PreprocessConfig(sizes=(256,)).shared()["crop"]
        'portrait-1'
    """

    sizes: tuple[int, ...] = (512, 256)
    crop: str = "portrait"
    landmarker: str | None = None
    crf: int = 18

    def __post_init__(self) -> None:
        if self.crop not in CROPS:
            raise InputError(f"There is no crop {self.crop!r}; choose among {', '.join(CROPS)}.")
        if not self.sizes or any(size < 32 or size % 2 for size in self.sizes):
            raise InputError(f"A video cannot have sides of {self.sizes} pixels; give even numbers from 32.")

    def shared(self) -> dict[str, Any]:
        """Say what all clips of a cache share, as plain values: sizes, crop protocol and codec."""
        return {"sizes": sorted(self.sizes, reverse=True), "crop": CROPS[self.crop].name, "crf": self.crf, **CODEC}

    def trackers(self) -> list[Tracker]:
        """Make the trackers.

        Returns:
            One, or two where there is a landmarker's file.

        Raises:
            InputError: If the landmarker's file is missing.
        """
        return [FaceMeshTracker(), *([FaceLandmarkerTracker(self.landmarker)] if self.landmarker else [])]

    def tracker_keys(self) -> list[str]:
        """Name the trackers' folders, in the order of `trackers`: name and version."""
        names = [FaceMeshTracker.name, *([FaceLandmarkerTracker.name] if self.landmarker else [])]
        return [f"{name}@mediapipe-{version('mediapipe')}-absolute" for name in names]


class RewindableFrames:
    """Frames of a video that can be iterated over twice; kept in memory where they fit.

    Args:
        frames: The video.
        memory: Bytes of decoded frames to keep; a larger video is decoded again.
    """

    def __init__(self, frames: VideoFrames, memory: float = _MEMORY) -> None:
        self._frames, self._memory = frames, memory
        self._kept: list[VideoFrame] | None = None

    def __iter__(self) -> Iterator["VideoFrame"]:
        if self._kept is not None:
            yield from self._kept
            return
        kept: list[VideoFrame] = []
        size = 0
        for frame in self._frames.av_frames(threads=False):
            size += sum(plane.buffer_size for plane in frame.planes)
            if size > self._memory:
                kept.clear()
            else:
                kept.append(frame)
            yield frame
        self._kept = kept if size <= self._memory else None


def prepare_clip(raw: RawClip, cache: Cache, config: PreprocessConfig, trackers: Sequence[Tracker]) -> ClipRecord:
    """Write the files of one clip.

    Args:
        raw: The clip.
        cache: Where its files go.
        config: How it is prepared.
        trackers: What `PreprocessConfig.trackers` made.

    Returns:
        The record, ready, with paths and measurements.

    Raises:
        InputError: If the clip cannot be used; the sentence says why.
        OSError: If the disk is full or the like; no fault of the clip's.
    """
    with raw.video.opened() as path:
        video = read_video(path, raw.start, raw.end)
        _require_interval(raw, video.info)
        frames = RewindableFrames(video)
        neutrals = [find_neutral(raw, tracker, cache, key) for tracker, key in zip(trackers, config.tracker_keys())]
        with collect_warnings() as notes:
            seen = _track(raw, video.info, frames, trackers, neutrals)
        count = len(seen.motions[0])
        _require_whole(raw, video, count)
        sound, remark, audio_seconds = prepare_sound(raw, path, count)
        width, height = (video.info.width, video.info.height)[:: -1 if seen.turns % 2 else 1]
        square = CROPS[config.crop].square(seen.points[0], height, width, raw if seen.boxed else replace(raw, box=None))
        record = replace(
            _measured(raw.record, video.info),
            status="ready",
            reason="; ".join(filter(None, (remark, _cut_short(raw, video.info), *seen.remarks, *_named(notes, path, raw.record.origin)))),
            frames=count,
            seconds=count / 25,
            source_audio_seconds=audio_seconds,
            frames_without_face=seen.motions[0].metadata["frames_without_face"],
            neutral=_reference(raw, neutrals),
            crop=square,
        )
        record = _place(record, config, sound is not None)
        with collect_warnings():  # a clip that is decoded twice repeats its notes
            _write_videos(cache, record, config, frames, square, sound, seen.turns)
    if sound is not None:
        save_sound(cache.path(record.audio), sound)
    for key, motion, mesh in zip(config.tracker_keys(), seen.motions, seen.points):
        Motion(motion.values, {**motion.metadata, "clip": record.clip, "crop": list(square)}).save(cache.path(record.motions[key]))
        save_points(cache.path(record.points[key]), mesh, square)
    return record


@dataclass(frozen=True)
class _TrackedClip:
    """Results of the trackers.

    Args:
        motions: One for each tracker.
        points: (T, 478, 3) for each, in pixels of the file's frame after `turns`.
        boxed: Whether they looked in the annotated square.
        turns: Quarter turns anticlockwise after which the frame is upright.
        remarks: For the record.
    """

    motions: list[Motion]
    points: list[np.ndarray]
    boxed: bool
    turns: int
    remarks: tuple[str, ...]


UNUSABLE = f"{AVERAGE}, since no neutral clip of this person could be used"


def _reference(raw: RawClip, neutrals: Sequence[NeutralFace | None]) -> str:
    found = [neutral.source for neutral in neutrals if neutral is not None]
    return found[0] if found else UNUSABLE if raw.neutrals else AVERAGE


def find_neutral(raw: RawClip, tracker: Tracker, cache: Cache, key: str) -> NeutralFace | None:
    """Measure the clip's person at rest, from the first of its neutral clips that can be used; each is tracked once for a whole cache.

    Args:
        raw: The clip.
        tracker: What measures.
        cache: Where measurements are kept.
        key: Of `PreprocessConfig.tracker_keys`, the tracker's folder.

    Returns:
        The neutral face; None where the clip has no neutral clips, or none that can be used.
    """
    for file in raw.neutrals:
        kept = cache.path(f"neutral/{key}/{re.sub(r'[^A-Za-z0-9.-]+', '_', file.name)}.npz")
        if kept.is_file():
            with suppress(OSError, ValueError, KeyError), np.load(kept, allow_pickle=False) as neutral:
                return NeutralFace(neutral["face"], neutral["blendshapes"], file.name)
        with suppress(InputError), file.opened() as path:
            neutral = tracker.neutral_face((LazyFrame(frame) for frame in read_video(path).av_frames(threads=False)), file.name)
            with atomic_output(kept) as temporary:
                np.savez(temporary, face=neutral.face, blendshapes=neutral.blendshapes)
            return neutral
    return None


def _track(
    raw: RawClip, info: VideoInfo, frames: RewindableFrames, trackers: Sequence[Tracker], neutrals: Sequence[NeutralFace | None]
) -> _TrackedClip:
    """Track the face; in the annotated square where there is one, since others may be in the frame."""
    window = _window(raw, info)
    boxed = window != (0, 0, info.width, info.height)
    try:
        with ExitStack() as stack:
            trackings = [
                stack.enter_context(TrackingSession(tracker, raw.record.origin, neutral)) for tracker, neutral in zip(trackers, neutrals)
            ]
            for frame in frames:
                picture = LazyFrame(frame).crop(*window) if boxed else LazyFrame(frame)
                for tracking in trackings:
                    tracking.add(picture)
            motions = [tracking.motion() for tracking in trackings]
            turns = _one_turn(trackings, raw)
            points = [tracking.points() + np.array([*window[:2], 0], np.float32) for tracking in trackings]
        if boxed and turns:
            raise InputError(f"{raw.record.origin} lies on its side or is upside down, unlike its annotations.")
    except InputError:
        if not boxed:
            raise
        seen = _track(replace(raw, box=None), info, frames, trackers, neutrals)
        return replace(seen, remarks=("no face in the annotated square, which was left aside", *seen.remarks))
    return _TrackedClip(motions, points, raw.box is not None, turns, tuple(filter(None, [*_remarks(motions[0], turns), _moved(points[0])])))


def _one_turn(trackings: Sequence[TrackingSession], raw: RawClip) -> int:
    turns = {tracking.turn for tracking in trackings}
    if len(turns) > 1:
        raise InputError(f"The trackers do not agree on which way up {raw.record.origin} is; turn it upright.")
    return turns.pop()


def _remarks(motion: Motion, turns: int) -> Iterator[str]:
    """Yield what a motion's metadata say of the frames that it was tracked in."""
    if turns:
        yield f"the picture was turned by {wrap_degrees(90 * turns)}° to stand upright"
    cuts = motion.metadata.get("cuts", ())
    if cuts:
        yield f"the picture cuts at {', '.join(f'{second:.2f}' for second in cuts)} s"
    tilt = np.degrees(motion.metadata["rest"]["pitch_yaw_roll"][2])
    if abs(tilt) > np.degrees(MAX_TILT):
        yield f"the head is tilted by {abs(tilt):.0f}°"


def _upright(frame: LazyFrame, turns: int) -> LazyFrame:
    """Turn a frame by quarter turns anticlockwise."""
    if not turns:
        return frame
    import av

    return LazyFrame(av.VideoFrame.from_ndarray(np.ascontiguousarray(np.rot90(frame[:, :], turns)), format="rgb24"))


def _window(raw: RawClip, info: VideoInfo) -> tuple[int, int, int, int]:
    """Left, top, width and height of the part to track in: the annotated square with some room, as it is tight."""
    if raw.box is None:
        return 0, 0, info.width, info.height
    left, top, extent = scaled_box(raw.box, raw.box_height, info.height)
    x, y = max(int(left - 0.1 * extent), 0), max(int(top - 0.1 * extent), 0)
    width, height = min(int(left + 1.1 * extent), info.width) - x, min(int(top + 1.1 * extent), info.height) - y
    return (x, y, width, height) if min(width, height) >= MIN_FACE else (0, 0, info.width, info.height)


def probe_clip(raw: RawClip) -> ClipRecord:
    """Open a clip and read what its streams say; nothing is written.

    Args:
        raw: The clip.

    Returns:
        The record, with the status ``found``.

    Raises:
        InputError: If it does not open.
    """
    with raw.video.opened() as path:
        video = read_video(path, raw.start, raw.end)
        _require_interval(raw, video.info)
        record = replace(_measured(raw.record, video.info), seconds=round(video.duration, 3), frames=round(video.duration * 25))
        _, remark, audio_seconds = prepare_sound(raw, path, max(record.frames, 1))
        return replace(record, status="found", reason=remark, source_audio_seconds=audio_seconds)


def _measured(record: ClipRecord, info: VideoInfo) -> ClipRecord:
    return replace(record, source_fps=round(info.fps, 3), source_width=info.width, source_height=info.height,
                   source_seconds=round(info.duration, 3))  # fmt: skip


def _require_interval(raw: RawClip, info: VideoInfo) -> None:
    if raw.start >= info.duration:
        raise InputError(
            f"{raw.record.origin} lasts {info.duration:.1f} s and the clip should start at {raw.start:.1f} s; is it another edit?"
        )


def _cut_short(raw: RawClip, info: VideoInfo) -> str:
    missing = 0.0 if raw.end is None else raw.end - info.duration
    return f"the video ends {missing:.1f} s before the interval does" if missing > _APART else ""


def _require_whole(raw: RawClip, video: VideoFrames, count: int) -> None:
    promised = round(video.duration * 25)
    if count < max(_WHOLE * promised, _SHORTEST):
        why = "it is damaged or broken off" if promised >= _SHORTEST else "it is too short to be a clip"
        raise InputError(f"{raw.record.origin} holds {count} of {promised} frames; {why}.")


def _moved(points: np.ndarray) -> str:
    """Remark on a face that moves so far that the square of the whole clip shows it small."""
    boxes = points[..., :2].max(1) - points[..., :2].min(1)  # (T, 2)
    merged = points[..., :2].max((0, 1)) - points[..., :2].min((0, 1))
    ratio = float(merged.max() / np.median(boxes.max(1)))
    return f"the face moves: its track is {ratio:.1f} times its size" if ratio > 2 else ""


def prepare_sound(raw: RawClip, path: Path, frames: int) -> tuple[np.ndarray | None, str, float]:
    """Read the clip's sound, as long as its frames: the video's own, or else the file beside it.

    Args:
        raw: The clip.
        path: Its video, opened.
        frames: Number of frames of the prepared clip.

    Returns:
        (frames · 640,) float32, or None; remarks; the seconds of sound that the file holds.
    """
    try:
        sound, notes = _read_noted(path, raw.record.origin)
    except InputError as error:
        if raw.audio is None:
            return None, _remark(error).replace(str(path), raw.record.origin), 0.0
        try:
            with raw.audio.opened() as apart:
                sound, notes = _read_noted(apart, raw.audio.name)
        except InputError as inner:
            return None, _remark(inner), 0.0
    seconds = len(sound) / SAMPLE_RATE
    first = round(raw.start * SAMPLE_RATE)
    part = sound[first : first + frames * SAMPLES_PER_FRAME]
    short = frames / 25 - len(sound[first:]) / SAMPLE_RATE
    longer = -short if raw.end is None else 0.0
    remark = ""
    if max(short, longer) > _APART:
        remark = f"the sound is {max(short, longer):.2f} s {'shorter' if short > 0 else 'longer'} than the pictures"
    return np.pad(part, (0, frames * SAMPLES_PER_FRAME - len(part))), "; ".join(filter(None, (remark, *notes))), round(seconds, 3)


def _read_noted(path: Path, name: str) -> tuple[np.ndarray, list[str]]:
    """Read a file's sound, and the notes on it under that name."""
    with collect_warnings() as notes:
        sound = read_audio(path)
    return sound, _named(notes, path, name)


def _named(notes: list[str], path: Path, name: str) -> list[str]:
    return [line.replace(str(path), name).rstrip(".") for line in notes]


def _remark(error: InputError) -> str:
    """Shorten an error to what is wrong, without the advice."""
    return str(error).split(";")[0].rstrip(".")


def _place(record: ClipRecord, config: PreprocessConfig, has_sound: bool) -> ClipRecord:
    """Fill in the paths of a record's files."""
    end, keys = f"{record.person}/{record.clip}", config.tracker_keys()
    return replace(
        record,
        audio=f"audio/{end}.wav" if has_sound else "",
        videos={str(size): f"video/{size}/{end}.mp4" for size in config.sizes},
        motions={key: f"motion/{key}/{end}.npz" for key in keys},
        points={key: f"points/{key}/{end}.npy" for key in keys},
    )


def _write_videos(
    cache: Cache,
    record: ClipRecord,
    config: PreprocessConfig,
    frames: RewindableFrames,
    square: tuple[int, int, int],
    sound: np.ndarray | None,
    turns: int = 0,
) -> None:
    """Write every size in one pass, upright; a smaller one is scaled from the next larger."""
    sizes = sorted(config.sizes, reverse=True)
    about = {"comment": f"{record.clip}: prepared by tbd from {record.origin}; crop {CROPS[config.crop].name} {square}"}
    with ExitStack() as stack:
        writers = [
            stack.enter_context(
                VideoWriter(cache.path(record.videos[str(size)]), sound, metadata=about, crf=config.crf, threads=1, **CODEC)
            )
            for size in sizes
        ]
        for frame in frames:
            picture = _upright(LazyFrame(frame), turns).crop_square(*square, sizes[0])
            for writer, size in zip(writers, sizes):
                picture = picture if size == sizes[0] else to_yuv420(picture, size)
                writer.write_av_frame(picture)


def save_sound(path: Path, sound: np.ndarray) -> None:
    """Write a 16 kHz mono wave file.

    Args:
        path: The file.
        sound: (N,) samples in −1..1.
    """
    with atomic_output(path) as temporary, wave.open(str(temporary), "wb") as file:
        file.setparams((1, 2, SAMPLE_RATE, 0, "NONE", ""))
        file.writeframes(np.round(np.clip(sound, -1, 1) * 32767).astype("<i2").tobytes())


def save_points(path: Path, points: np.ndarray, square: tuple[int, int, int]) -> None:
    """Write mesh points as `tbd.data.preprocess.cache.load_points` reads them.

    Args:
        path: The file.
        points: (T, 478, 3) in pixels of the source.
        square: Left, top and width of the crop in pixels of the source.
    """
    left, top, width = square
    centre = np.array([left + width / 2, top + width / 2, 0], np.float32)
    with atomic_output(path) as temporary:
        np.save(temporary, ((points - centre) / width).astype(np.float16))
