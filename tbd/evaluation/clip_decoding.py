"""One pass over a clip's frames: cut for the metrics that look at pixels, followed by the tracker, kept for that clip alone."""

import os
from collections import Counter
from collections.abc import Callable, Iterable
from contextlib import ExitStack
from dataclasses import dataclass, field
from itertools import count
from math import ceil
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from tbd.errors import InputError
from tbd.evaluation.protocol import Crop
from tbd.face.geometry import NUM_POINTS, FaceGeometry
from tbd.face.mesh import bounds
from tbd.face.motion import Motion
from tbd.media.rates import FPS

if TYPE_CHECKING:
    from tbd.face.tracker import Tracking


class Length(NamedTuple):
    """What a video's packets tell without decoding.

    Args:
        frames: at 25 a second, as `tbd.media.read_video` will give them, to within one.
        rate: of the file.
        missing: coded frames that the file declares and does not hold.
    """

    frames: int
    rate: float
    missing: int


def count_frames(path: str | os.PathLike) -> Length:
    """Count a video's frames by reading it, without decoding.

    Raises:
        InputError: the file is missing, cannot be read, or holds no moving pictures.
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
    """What one metric, or several, see of a clip's frames.

    Args:
        crop: how they are cut.
        frames: how many, evenly chosen from first to last; None for all.
        paired: Whether each is compared with a frame of the other clip.
    """

    crop: Crop
    frames: int | None = None
    paired: bool = True

    def choose(self, rows: np.ndarray) -> np.ndarray:
        """Of the rows of a clip, those in view."""
        if self.frames is None:
            return rows
        return rows[np.linspace(0, len(rows) - 1, min(self.frames, len(rows))).round().astype(int)]


@dataclass
class DecodedClip:
    """What was seen of one clip.

    Args:
        frames: view → (T, 3, size, size) uint8 RGB.
        faces: (F, 3, 224, 224) uint8 chips of the frames with a face, or None where nobody asked.
        points: (T, 478, 3) float32 pixels, NaN where no face was seen; None where nobody asked.
        motion: tracked, where asked.
        width: Pixels of the pictures that `points` are in.
        height: pixels of the pictures' height.
        lost: frames without a face.
        length: frames looked at.
    """

    frames: dict[View, np.ndarray] = field(default_factory=dict)
    faces: np.ndarray | None = None
    points: np.ndarray | None = None
    motion: Motion | None = None
    width: int = 0
    height: int = 0
    lost: int = 0
    length: int = 0


Chips = Callable[[np.ndarray, np.ndarray], np.ndarray]
"""(T, 3, H, W) uint8 frames and (T, 478, 3) points → (F, 3, 224, 224) uint8."""


def decode_clip(
    frames: Iterable[np.ndarray],
    views: dict[View, tuple[np.ndarray, np.ndarray]],
    numbers: Iterable[int] | None = None,
    track: bool = False,
    chips: Chips | None = None,
    source: str = "the video",
) -> DecodedClip:
    """Look at each frame once.

    Args:
        frames: (H, W, 3) uint8 RGB, all of one shape.
        views: what to keep: view → left, top, side of its square in parts of the frame's width, and the numbers of its frames.
            Of a view whose crop is EAT's neither counts: all frames with a face are kept; it needs `track`.
        numbers: of the frames, where they are not 0, 1, 2, …
        track: follow the face.
        chips: cut face chips; needs `track`.
        source: what messages call the clip.

    Raises:
        InputError: there are no frames, or `track` finds a face in fewer than half of them.
    """
    seen = DecodedClip()
    kept: dict[View, list[np.ndarray]] = {view: [] for view in views}
    aligned = {view: _aligner(view.crop) for view in views if view.crop.kind == "eat"}
    wanted = {view: Counter(map(int, rows)) for view, (_, rows) in views.items() if view not in aligned}
    points: list[np.ndarray] = []
    faces: list[Any] = []
    with ExitStack() as stack:
        tracking = _tracking(stack, source) if track else None
        for number, frame in zip(count() if numbers is None else numbers, frames):
            seen.length, (seen.height, seen.width) = seen.length + 1, frame.shape[:2]
            for view, times in wanted.items():
                if times[number]:  # twice or more where a portrait stands for a clip
                    kept[view] += [cut(frame, views[view][0], view.crop.size)] * times[number]
            if tracking is not None:
                detection = tracking.add(frame)
                points.append(_UNSEEN if detection is None else detection.points)
                for view, align in aligned.items():
                    kept[view] += [] if detection is None else [align(frame, detection.points)]
                if chips is not None and detection is not None:
                    faces.append(np.asarray(chips(frame.transpose(2, 0, 1)[None], detection.points[None])))
        if not seen.length:
            raise InputError(f"There are no frames in {source}; give a video.")
        if tracking is not None:
            seen.motion, seen.points, seen.lost = tracking.motion(), np.stack(points), len(points) - sum(tracking.seen)
            seen.faces = np.concatenate(faces) if faces else None
    seen.frames = {view: np.stack(pictures) for view, pictures in kept.items() if pictures}
    return seen


_UNSEEN = np.full((NUM_POINTS, 3), np.nan, np.float32)


def _tracking(stack: ExitStack, source: str) -> "Tracking":
    """Relative to the film's own rest, since known motions are relative to the portrait that a film was drawn from."""
    from tbd.face.tracker import FaceMeshTracker, Tracking

    return stack.enter_context(Tracking(FaceMeshTracker(absolute=False), source))


def _aligner(crop: Crop) -> Callable[[np.ndarray, np.ndarray], np.ndarray]:
    """(H, W, 3) uint8 and (478, 3) points → (3, 128, 128) uint8."""
    from tbd.metrics.crops import eat_faces
    from tbd.metrics.landmarks import eat_template, load_template

    template = eat_template() if crop.template is None else load_template(crop.template)
    return lambda frame, points: eat_faces(frame.transpose(2, 0, 1)[None], points[None], template, two_templates=True)[0].numpy()


def window_of(crop: Crop, face: FaceGeometry) -> np.ndarray:
    """Left, top, side of a crop's square in parts of the picture's width, for the clip of that face."""
    if crop.kind != "face":
        return np.array([0.0, 0.0, 1.0])
    low, high = np.split(bounds(face.points), 2)
    side = float((high - low).max()) * (crop.margin or 1.0)
    left, top = (low + high) / 2 - side / 2
    return np.array([left, top, side]) / face.image.shape[1]


def cut(frame: np.ndarray, window: np.ndarray, size: int) -> np.ndarray:
    """(H, W, 3) uint8 → (3, size, size) uint8: the window's square, its edge continued where it reaches outside."""
    import cv2

    height, width = frame.shape[:2]
    left, top, side = window * width
    if (left, top, side) == (0, 0, width) and height == width:
        if width != size:
            frame = cv2.resize(frame, (size, size), interpolation=cv2.INTER_AREA if width > size else cv2.INTER_LINEAR)
        return np.ascontiguousarray(frame.transpose(2, 0, 1))
    x, y, s = round(left), round(top), max(round(side), 1)
    pads = [max(-y, 0), max(y + s - height, 0), max(-x, 0), max(x + s - width, 0)]
    part = frame[max(y, 0) : min(y + s, height), max(x, 0) : min(x + s, width)]
    if any(pads):
        part = cv2.copyMakeBorder(part, *pads, cv2.BORDER_REPLICATE)
    part = cv2.resize(part, (size, size), interpolation=cv2.INTER_AREA if s > size else cv2.INTER_LINEAR)
    return np.ascontiguousarray(part.transpose(2, 0, 1))


def in_crop(points: np.ndarray, side: int, window: np.ndarray, size: int) -> np.ndarray:
    """(T, 478, 3) pixels of a picture of `side` → pixels of the crop."""
    left, top, width = window * side
    return ((points - np.float32([left, top, 0])) * np.float32(size / width)).astype(np.float32)
