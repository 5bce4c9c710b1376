"""One pass over a clip's frames: crops for the metrics that see pixels, and the tracked face."""

import os
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from itertools import count
from math import ceil
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from tbd.errors import InputError
from tbd.evaluation.protocol import Crop
from tbd.face.geometry import NUM_POINTS, FaceGeometry, bounding_box
from tbd.face.motion import Motion
from tbd.media.rates import FPS

if TYPE_CHECKING:
    from tbd.face.tracking.session import TrackingSession
    from tbd.metrics.base import Array


class Length(NamedTuple):
    """Length of a video, as its packets give it without decoding.

    Args:
        frames: Number of frames at 25 a second, as `tbd.media.read_video` will give them, to within one.
        rate: Frames a second of the file.
        missing: Coded frames that the file declares and does not hold.
    """

    frames: int
    rate: float
    missing: int


def count_frames(path: str | os.PathLike) -> Length:
    """Count a video's frames by reading its packets, without decoding.

    Args:
        path: The video.

    Returns:
        Frames, rate, and how many frames are missing.

    Raises:
        InputError: If the file is missing, cannot be read, or holds no video stream.
    """
    import av

    from tbd.media.container import video_streams

    path = Path(path)
    if not path.is_file() or path.stat().st_size == 0:
        raise InputError(f"{path} is {'an empty file' if path.is_file() else 'not there'}; give a whole video.")
    try:
        with av.open(str(path), metadata_errors="replace") as container:
            if not video_streams(container):
                raise InputError(f"{path} has no moving pictures in it; give a video.")
            stream = video_streams(container)[0]
            start, end, held = (container.start_time or 0) / 1e6, 0.0, 0
            rate = float(stream.average_rate or stream.guessed_rate or FPS)
            for packet in container.demux(stream):
                if packet.size and packet.pts is not None:
                    held += 1
                    length = float(packet.duration * packet.time_base) if packet.duration else 1 / rate
                    end = max(end, float(packet.pts * packet.time_base) - start + length)
            return Length(max(ceil(end * FPS - 0.5), 0), rate, max(stream.frames - held, 0))
    except (av.FFmpegError, OSError) as error:
        raise InputError(f"{path} cannot be read as video ({getattr(error, 'strerror', None) or error}); give a whole file.") from error


class View(NamedTuple):
    """Which pixels of a clip's frames one metric, or several, see.

    Args:
        crop: The part of each frame.
        frames: How many frames, evenly chosen from first to last; None for all.
        paired: Whether each is compared with a frame of the other clip.
    """

    crop: Crop
    frames: int | None = None
    paired: bool = True

    def choose(self, rows: np.ndarray) -> np.ndarray:
        """Choose the frames that are in view.

        Args:
            rows: Numbers of a clip's frames.

        Returns:
            `frames` of them, evenly spaced, or all.
        """
        if self.frames is None:
            return rows
        return rows[np.linspace(0, len(rows) - 1, min(self.frames, len(rows))).round().astype(int)]


@dataclass
class DecodedClip:
    """What one pass over a clip's frames has kept.

    Args:
        frames: View → (T, 3, size, size) uint8 RGB.
        faces: Field → (F, 3, side, side) uint8 of the frames with a face; fields that no metric reads are left out.
        points: (T, 478, 3) float32 pixels of the whole picture, NaN where no face was found; None where nothing was tracked.
        motion: The tracked motion, where it was tracked.
        width: Width of the pictures in pixels.
        height: Height of the pictures in pixels.
        lost: Number of frames without a face.
        length: Number of frames decoded.
    """

    frames: dict[View, np.ndarray] = field(default_factory=dict)
    faces: dict[str, np.ndarray] = field(default_factory=dict)
    points: np.ndarray | None = None
    motion: Motion | None = None
    width: int = 0
    height: int = 0
    lost: int = 0
    length: int = 0


Cutters = Mapping[str, Callable[[np.ndarray, np.ndarray], "Array"]]
"""Field → what cuts faces: (T, 3, H, W) uint8 frames and (T, 478, 3) points → (F, 3, side, side) uint8."""


def decode_clip(
    frames: Iterable[np.ndarray],
    views: dict[View, tuple[np.ndarray, np.ndarray]],
    numbers: Iterable[int] | None = None,
    track: bool = False,
    cutters: Cutters = MappingProxyType({}),
    source: str = "the video",
) -> DecodedClip:
    """Decode a clip in one pass: crop each frame for the metrics that see pixels, and track the face.

    Args:
        frames: (H, W, 3) uint8 RGB, all of one shape.
        views: What to keep: view → left, top and width of its square as fractions of the frame's width, and the numbers of its
            frames. For a view whose crop is EAT's neither counts: all frames with a face are kept; it needs `track`.
        numbers: Numbers of the given frames, where they are not 0, 1, 2, …
        track: Whether to track the face.
        cutters: Cut faces out alone; they need `track`.
        source: Name of the clip in messages.

    Returns:
        Crops, chips, points and motion, as far as the arguments request them.

    Raises:
        InputError: If there are no frames, or `track` finds a face in fewer than half of them.
    """
    decoded = DecodedClip()
    kept: dict[View, list[np.ndarray]] = {view: [] for view in views}
    aligned = {view: _aligner(view.crop) for view in views if view.crop.kind == "eat"}
    wanted = {view: Counter(map(int, rows)) for view, (_, rows) in views.items() if view not in aligned}
    points: list[np.ndarray] = []
    faces: dict[str, list[np.ndarray]] = {name: [] for name in cutters}
    with ExitStack() as stack:
        tracking = _tracking(stack, source) if track else None
        for number, frame in zip(count() if numbers is None else numbers, frames):
            decoded.length, (decoded.height, decoded.width) = decoded.length + 1, frame.shape[:2]
            for view, times in wanted.items():
                if times[number]:  # twice or more where a portrait stands for a clip
                    kept[view] += [cut(frame, views[view][0], view.crop.size)] * times[number]
            if tracking is not None:
                detection = tracking.add(frame)
                points.append(_UNSEEN if detection is None else detection.points)
                for view, align in aligned.items():
                    kept[view] += [] if detection is None else [align(frame, detection.points)]
                if detection is not None:
                    for name, cut_face in cutters.items():
                        faces[name].append(np.asarray(cut_face(frame.transpose(2, 0, 1)[None], detection.points[None])))
        if not decoded.length:
            raise InputError(f"There are no frames in {source}; give a video.")
        if tracking is not None:
            decoded.motion, decoded.points, decoded.lost = tracking.motion(), np.stack(points), len(points) - sum(tracking.seen)
            decoded.faces = {name: np.concatenate(found) for name, found in faces.items() if found}
    decoded.frames = {view: np.stack(pictures) for view, pictures in kept.items() if pictures}
    return decoded


_UNSEEN = np.full((NUM_POINTS, 3), np.nan, np.float32)


def _tracking(stack: ExitStack, source: str) -> "TrackingSession":
    """Relative to the video's own rest, since known motions are relative to the portrait that a video was drawn from."""
    from tbd.face.tracker import FaceMeshTracker
    from tbd.face.tracking.session import TrackingSession

    return stack.enter_context(TrackingSession(FaceMeshTracker(absolute=False), source))


def _aligner(crop: Crop) -> Callable[[np.ndarray, np.ndarray], np.ndarray]:
    """(H, W, 3) uint8 and (478, 3) points → (3, 128, 128) uint8."""
    from tbd.metrics.faces.crops import eat_faces
    from tbd.metrics.faces.face_points import eat_template, load_template

    template = eat_template() if crop.template is None else load_template(crop.template)
    return lambda frame, points: eat_faces(frame.transpose(2, 0, 1)[None], points[None], template)[0].numpy()


def window_of(crop: Crop, face: FaceGeometry) -> np.ndarray:
    """Place a crop's square on the clip of a face.

    Args:
        crop: The crop.
        face: The portrait of the true clip.

    Returns:
        (3,) left, top and width as fractions of the picture's width.
    """
    if crop.kind != "face":
        return np.array([0.0, 0.0, 1.0])
    low, high = np.split(bounding_box(face.points), 2)
    width = float((high - low).max()) * (crop.margin or 1.0)
    left, top = (low + high) / 2 - width / 2
    return np.array([left, top, width]) / face.image.shape[1]


def cut(frame: np.ndarray, window: np.ndarray, size: int) -> np.ndarray:
    """Cut a square out of a frame; its edge is continued where the square reaches outside.

    Args:
        frame: (H, W, 3) uint8.
        window: (3,) left, top and width of the square as fractions of the frame's width.
        size: Pixels of the result.

    Returns:
        (3, size, size) uint8.
    """
    import cv2

    height, width = frame.shape[:2]
    left, top, wide = window * width
    if (left, top, wide) == (0, 0, width) and height == width:
        if width != size:
            frame = cv2.resize(frame, (size, size), interpolation=cv2.INTER_AREA if width > size else cv2.INTER_LINEAR)
        return np.ascontiguousarray(frame.transpose(2, 0, 1))
    x, y, s = round(left), round(top), max(round(wide), 1)
    pads = [max(-y, 0), max(y + s - height, 0), max(-x, 0), max(x + s - width, 0)]
    part = frame[max(y, 0) : min(y + s, height), max(x, 0) : min(x + s, width)]
    if any(pads):
        part = cv2.copyMakeBorder(part, pads[0], pads[1], pads[2], pads[3], cv2.BORDER_REPLICATE)
    part = cv2.resize(part, (size, size), interpolation=cv2.INTER_AREA if s > size else cv2.INTER_LINEAR)
    return np.ascontiguousarray(part.transpose(2, 0, 1))


def square(frame: np.ndarray, size: int) -> np.ndarray:
    """Bring a frame to the square that metrics see of it: its whole width from the top, as `cut` does it.

    Args:
        frame: (H, W, 3) uint8.
        size: Pixels of the result.

    Returns:
        (size, size, 3) uint8.
    """
    return np.ascontiguousarray(cut(frame, np.array([0.0, 0.0, 1.0]), size).transpose(1, 2, 0))


def in_crop(points: np.ndarray, picture_width: int, window: np.ndarray, size: int) -> np.ndarray:
    """Carry points from a picture into a crop of it.

    Args:
        points: (T, 478, 3) pixels of the picture.
        picture_width: Width of the picture in pixels.
        window: (3,) left, top and width of the crop as fractions of that width.
        size: Pixels of the crop.

    Returns:
        (T, 478, 3) float32 pixels of the crop.
    """
    left, top, width = window * picture_width
    return np.asarray((points - np.array([left, top, 0], np.float32)) * np.float32(size / width), np.float32)
