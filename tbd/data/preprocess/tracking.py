"""The face of a clip, followed by one or two trackers, and its person at rest."""

import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from tbd.data.preprocess.cache import Cache
from tbd.data.preprocess.crop import scaled_box
from tbd.data.sources.base import RawClip
from tbd.errors import InputError
from tbd.face.motion import Motion
from tbd.face.neutral import NeutralFace
from tbd.face.tracker import Tracker
from tbd.face.tracking.limits import MAX_TILT, MIN_FACE
from tbd.face.tracking.rotation import wrap_degrees
from tbd.face.tracking.session import TrackingSession
from tbd.media import VideoInfo, read_video
from tbd.media.lazy_frame import LazyFrame
from tbd.utils.atomic import atomic_output

if TYPE_CHECKING:
    from av import VideoFrame


@dataclass(frozen=True)
class TrackedClip:
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
                look = neutral["appearance"]  # caches from before it are measured again
                return NeutralFace(neutral["face"], neutral["blendshapes"], file.name, look if len(look) else None)
        with suppress(InputError), file.opened() as path:
            neutral = tracker.neutral_face((LazyFrame(frame) for frame in read_video(path).av_frames(threads=False)), file.name)
            with atomic_output(kept) as temporary:
                look = np.zeros(0) if neutral.appearance is None else neutral.appearance
                np.savez(temporary, face=neutral.face, blendshapes=neutral.blendshapes, appearance=look)
            return neutral
    return None


def track_clip(
    raw: RawClip, info: VideoInfo, frames: Iterable["VideoFrame"], trackers: Sequence[Tracker], neutrals: Sequence[NeutralFace | None]
) -> TrackedClip:
    """Track the face; in the annotated square where there is one, since others may be in the frame.

    Args:
        raw: The clip.
        info: Its video's sizes.
        frames: Its frames, which are iterated over once more where there is no face in the square.
        trackers: What tracks.
        neutrals: What each tracker has found of the person at rest.

    Returns:
        What the trackers found.

    Raises:
        InputError: If no face is found, or the trackers do not agree on which way up the picture is.
    """
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
        seen = track_clip(replace(raw, box=None), info, frames, trackers, neutrals)
        return replace(seen, remarks=("no face in the annotated square, which was left aside", *seen.remarks))
    return TrackedClip(motions, points, raw.box is not None, turns, tuple(filter(None, [*_remarks(motions[0], turns), _moved(points[0])])))


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


def _window(raw: RawClip, info: VideoInfo) -> tuple[int, int, int, int]:
    """Left, top, width and height of the part to track in: the annotated square with some room, as it is tight."""
    if raw.box is None:
        return 0, 0, info.width, info.height
    left, top, extent = scaled_box(raw.box, raw.box_height, info.height)
    x, y = max(int(left - 0.1 * extent), 0), max(int(top - 0.1 * extent), 0)
    width, height = min(int(left + 1.1 * extent), info.width) - x, min(int(top + 1.1 * extent), info.height) - y
    return (x, y, width, height) if min(width, height) >= MIN_FACE else (0, 0, info.width, info.height)


def _moved(points: np.ndarray) -> str:
    """Remark on a face that moves so far that the square of the whole clip shows it small."""
    boxes = points[..., :2].max(1) - points[..., :2].min(1)  # (T, 2)
    merged = points[..., :2].max((0, 1)) - points[..., :2].min((0, 1))
    ratio = float(merged.max() / np.median(boxes.max(1)))
    return f"the face moves: its track is {ratio:.1f} times its size" if ratio > 2 else ""
