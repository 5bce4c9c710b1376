"""`prepare_clip`: one raw clip becomes its files in the cache, tracked, cropped, at 25 frames a second and 16 kHz."""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from tbd.data.preprocess.cache import Cache
from tbd.data.preprocess.config import CODEC, PreprocessConfig
from tbd.data.preprocess.crop import CROPS
from tbd.data.preprocess.sound import NOTABLE, named_notes, prepare_sound, save_sound
from tbd.data.preprocess.tracking import find_neutral, track_clip
from tbd.data.records import ClipRecord
from tbd.data.sources.base import RawClip
from tbd.errors import InputError
from tbd.face.motion import Motion
from tbd.face.neutral import AVERAGE, NeutralFace
from tbd.face.tracker import Tracker
from tbd.media import VideoFrames, VideoInfo, VideoWriter, read_video
from tbd.media.lazy_frame import LazyFrame, to_yuv420
from tbd.utils.atomic import atomic_output
from tbd.utils.user_warnings import collect_warnings

if TYPE_CHECKING:
    from av import VideoFrame

_MEMORY = 600e6
"""Bytes of decoded frames that a worker keeps between tracking and cutting; a longer clip is decoded twice. Four seconds of MEAD."""
_SHORTEST = 10
"""Frames: what is shorter is no clip."""
_WHOLE = 0.9
"""The part of the frames that a file promises and must hold."""


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
            seen = track_clip(raw, video.info, frames, trackers, neutrals)
        count = len(seen.motions[0])
        _require_whole(raw, video, count)
        sound, remark, audio_seconds = prepare_sound(raw, path, count)
        width, height = (video.info.width, video.info.height)[:: -1 if seen.turns % 2 else 1]
        square = CROPS[config.crop].square(seen.points[0], height, width, raw if seen.boxed else replace(raw, box=None))
        record = replace(
            _measured(raw.record, video.info),
            status="ready",
            reason="; ".join(
                filter(None, (remark, _cut_short(raw, video.info), *seen.remarks, *named_notes(notes, path, raw.record.origin)))
            ),
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


UNUSABLE = f"{AVERAGE}, since no neutral clip of this person could be used"


def _reference(raw: RawClip, neutrals: Sequence[NeutralFace | None]) -> str:
    found = [neutral.source for neutral in neutrals if neutral is not None]
    return found[0] if found else UNUSABLE if raw.neutrals else AVERAGE


def _upright(frame: LazyFrame, turns: int) -> LazyFrame:
    """Turn a frame by quarter turns anticlockwise."""
    if not turns:
        return frame
    import av

    return LazyFrame(av.VideoFrame.from_ndarray(np.ascontiguousarray(np.rot90(frame[:, :], turns)), format="rgb24"))


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
    return f"the video ends {missing:.1f} s before the interval does" if missing > NOTABLE else ""


def _require_whole(raw: RawClip, video: VideoFrames, count: int) -> None:
    promised = round(video.duration * 25)
    if count < max(_WHOLE * promised, _SHORTEST):
        why = "it is damaged or broken off" if promised >= _SHORTEST else "it is too short to be a clip"
        raise InputError(f"{raw.record.origin} holds {count} of {promised} frames; {why}.")


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
