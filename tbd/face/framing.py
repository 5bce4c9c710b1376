"""What of a photograph a video shows: head and shoulders in a square, or the whole picture in which the head moves."""

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from tbd.errors import InputError
from tbd.face.geometry import FaceGeometry
from tbd.face.portrait import HEADROOM, WHOLE_FACE, crop_portrait, cut_window, move_inside, portrait_window
from tbd.utils.tracks import smoothstep

Frame = Literal["portrait", "full"]
LONGEST = 1920
"""Pixels of the longer side of a video of the whole picture where no size is given; a smaller picture keeps its own."""
SQUARE = 512
"""Pixels of the longer side of a video of head and shoulders where no size is given."""
_REACH = 3.9
"""Inter-ocular distances from between the eyes beyond which nothing moves with a head, as `tbd.face.render.head` has it."""
_FADE = 0.35
"""Inter-ocular distances over which the part that moves goes over into one that does not, where somebody else stands beside."""
_LEAST, _MOST = 64, 2048


@dataclass(frozen=True)
class Framing:
    """What a video shows.

    Args:
        frame: ``portrait``, head and shoulders; or ``full``, as much of the picture as there is.
        aspect: Width and height in any unit; None for a square, or the whole picture's own.
        size: Pixels of the longer side, 64 to 2048; None for 512, or the whole picture's own up to 1920.

    Raises:
        InputError: If a value is out of range.

    Example:
        >>> Framing("full", aspect=parse_aspect("9:16"), size=1280).shape(1000, 1000)
        (1280, 720)
    """

    frame: Frame = "portrait"
    aspect: tuple[float, float] | None = None
    size: int | None = None

    def __post_init__(self) -> None:
        if self.frame not in ("portrait", "full"):
            raise InputError(f"--frame is portrait or full, not {self.frame!r}.")
        if self.size is not None and not _LEAST <= self.size <= _MOST:
            raise InputError(f"--size is a number of pixels from {_LEAST} to {_MOST}, not {self.size}.")

    @property
    def is_square_portrait(self) -> bool:
        """Whether it is the square of head and shoulders that all renderers draw."""
        return self.frame == "portrait" and (self.aspect is None or self.aspect[0] == self.aspect[1])

    def window(self, face: FaceGeometry) -> tuple[float, float, float, float]:
        """Find the part of a picture that is shown.

        Args:
            face: The face in the whole picture.

        Returns:
            Left, top, width and height in pixels of the picture. It lies within the picture, but where that would cut the face.
        """
        height, width = face.image.shape[:2]
        if self.frame == "full" and self.aspect is None:
            return 0.0, 0.0, float(width), float(height)
        wide, high = self.aspect or (1.0, 1.0)
        left, top, side = portrait_window(face.points, face.image.shape)
        within = min(width / wide, height / high)
        unit = within if self.frame == "full" else min(side / np.sqrt(wide * high), within)  # a portrait has the square's area
        unit = max(unit, WHOLE_FACE * float(np.ptp(face.points[:, :2], 0).max()) / min(wide, high))
        shown = unit * np.array([wide, high])
        corner = np.array([left, top]) + (side - shown) * [0.5, 0.45]
        return *move_inside(corner, np.array([width, height]) - shown), float(shown[0]), float(shown[1])

    def shape(self, height: float, width: float) -> tuple[int, int]:
        """Choose the video's size for what is shown.

        Args:
            height: Of the part that is shown, in pixels of the picture.
            width: Likewise.

        Returns:
            Rows and columns, both even.
        """
        if self.aspect is not None:
            width, height = self.aspect[0] * height / self.aspect[1], height
        longer = self.size or (SQUARE if self.frame == "portrait" else min(LONGEST, round(max(height, width))))
        zoom = longer / max(height, width)
        rows, columns = (max(2 * round(side * zoom / 2), 16) for side in (height, width))
        return rows, columns


@dataclass(frozen=True)
class FramedFace:
    """A picture as a video shows it, and the part of it in which a head moves.

    Args:
        picture: (H, W, 3) uint8 RGB.
        face: The face in the part that moves, for a renderer.
        corner: Left and top of that part, in pixels of the picture.
        share: (h, w, 1) float32 0..1, how far that part is shown, where it ends before the head's influence does; None for all of it.
    """

    picture: np.ndarray
    face: FaceGeometry
    corner: tuple[int, int]
    share: np.ndarray | None = None

    def complete(self, frame: np.ndarray) -> np.ndarray:
        """Put a frame of the part that moves back into the picture.

        Args:
            frame: (h, w, 3) uint8 RGB, as a renderer draws `face`.

        Returns:
            (H, W, 3) uint8 RGB.
        """
        if frame.shape == self.picture.shape:
            return frame
        whole, (left, top) = self.picture.copy(), self.corner
        if self.share is not None:
            still = self.face.image.astype(np.float32)
            frame = (still + self.share * (frame - still) + 0.5).astype(np.uint8)
        whole[top : top + frame.shape[0], left : left + frame.shape[1]] = frame
        return whole


def frame_face(face: FaceGeometry, framing: Framing) -> FramedFace:
    """Cut out what a video shows of a picture, and of that the part in which the head moves.

    The head drags hair, neck and background along as far as `_REACH`, and less and less the further from it: at the edge of the part that
    moves nothing does, so that no seam can be seen.

    Args:
        face: The face in the whole picture.
        framing: What is shown.

    Returns:
        The picture, and the face in the part that moves.
    """
    left, top, width, height = framing.window(face)
    rows, columns = framing.shape(height, width)
    picture, box = cut_window(face.image, (left, top, width, height), (columns, rows))
    zoom = columns / width
    shown = face.cropped(left, top, picture, zoom)
    low = np.floor(shown.origin - _REACH * shown.scale).astype(int)
    high = np.ceil(shown.origin + _REACH * shown.scale).astype(int)
    x0, y0 = (max(int(edge), start) for edge, start in zip(low, box[:2]))
    x1, y1 = (min(int(edge), end) for edge, end in zip(high, box[2:]))
    others = (np.array(face.metadata.get("other_faces", ()), float).reshape(-1, 4) - [left, top, left, top]) * zoom
    x0, y0, x1, y1, share = _apart_from(others, shown, (x0, y0, x1, y1))
    part = np.ascontiguousarray(picture[y0:y1, x0:x1])
    return FramedFace(picture, replace(shown.cropped(x0, y0, part), faces_seen=face.faces_seen, metadata=face.metadata), (x0, y0), share)


def cut_face(face: FaceGeometry, framing: Framing, headroom: float = HEADROOM) -> tuple[FaceGeometry, FramedFace | None]:
    """Cut out what a video shows of a picture: the square of head and shoulders, or something else.

    Args:
        face: The face in the whole picture.
        framing: What is shown.
        headroom: Side of the square of head and shoulders, in heights of the face.

    Returns:
        The face in the part that moves, and the whole of what is shown; None where it is the part that moves.
    """
    if framing.is_square_portrait:
        return crop_portrait(face, framing.size or SQUARE, headroom), None
    framed = frame_face(face, framing)
    return framed.face, framed


def _apart_from(others: np.ndarray, face: FaceGeometry, window: tuple[int, int, int, int]) -> tuple[int, int, int, int, np.ndarray | None]:
    """Keep still who stands beside: the window of the part that moves ends, softly, midway between two faces.

    Args:
        others: (N, 4) boxes of the other faces: left, top, right, bottom.
        face: The face that moves.
        window: Left, top, right, bottom of the part that moves.

    Returns:
        The window, and (h, w, 1) how far it is shown; None for all of it.
    """
    low, high = face.points[:, :2].min(0), face.points[:, :2].max(0)
    cut = list(window)
    for other in others:
        towards = (other[:2] + other[2:] - low - high) / 2
        axis = int(abs(towards[1]) > abs(towards[0]))
        if towards[axis] > 0:
            edge = max((high[axis] + other[axis]) / 2, high[axis])
            cut[axis + 2] = min(cut[axis + 2], int(edge))
        else:
            edge = min((low[axis] + other[axis + 2]) / 2, low[axis])
            cut[axis] = max(cut[axis], int(edge))
    x0, y0, x1, y1 = cut
    if tuple(cut) == window:
        return x0, y0, x1, y1, None
    fade = max(_FADE * face.scale, 1.0)
    x, y = np.arange(x0, x1) + 0.5, np.arange(y0, y1) + 0.5
    far = np.inf
    across = np.minimum(x - x0 if x0 > window[0] else np.full_like(x, far), x1 - x if x1 < window[2] else np.full_like(x, far))
    down = np.minimum(y - y0 if y0 > window[1] else np.full_like(y, far), y1 - y if y1 < window[3] else np.full_like(y, far))
    share = smoothstep(np.minimum(down[:, None], across[None]) / fade)[..., None].astype(np.float32)
    return x0, y0, x1, y1, share


def parse_aspect(text: str) -> tuple[float, float]:
    """Read the shape of a video.

    Args:
        text: Width and height, such as ``9:16`` or ``1.85:1``.

    Returns:
        Both.

    Raises:
        InputError: If it is no such pair, or one is more than four times the other.

    Example:
        >>> parse_aspect("9:16")
        (9.0, 16.0)
    """
    try:
        wide, high = (float(part) for part in text.replace("x", ":").replace("/", ":").split(":"))
    except ValueError:
        wide = high = 0.0
    if not (0 < wide <= 4 * high and 0 < high <= 4 * wide):
        raise InputError(f"--aspect is width:height, such as 9:16 or 4:3, neither more than four times the other, not {text!r}.")
    return wide, high
