"""Whether a prediction's frames show what its reference's do: found by where the face lies in them."""

from collections.abc import Iterable, Iterator
from itertools import chain
from typing import NamedTuple

import numpy as np

from tbd.errors import InputError
from tbd.evaluation.clip_decoding import square
from tbd.evaluation.references.base import ReferenceClip
from tbd.face.geometry import bounding_box

_FARTHEST = 0.25
"""Widths of the face by which it may lie off its place in the portrait, or be larger or smaller: heads move."""
_SAME = 0.01
"""Widths of the face that a tracker takes the same face to lie elsewhere in other pixels: a crop must come nearer by more than that."""
_SQUEEZED = 0.15
"""Part by which the face's aspect ratio may differ from the portrait's: it does when a head turns or a mouth opens."""
_MIRRORED = 0.5
"""A first frame that differs from the mirrored portrait by less than this part of what it differs from the portrait is mirrored."""
_COMPARED = 64
"""Pixels of the square in which it is compared: movement and coding hardly show there, sides do."""
_TURN = " the portrait mirrored, its left for its right; turn them round"
_LOOKED_AT = 512
"""Pixels of the square in which the face is looked for, so that a small one is found."""


class Framed(NamedTuple):
    """A prediction's frames as they are to be compared.

    Args:
        frames: (H, W, 3) uint8.
        issue: What was found or done, where the video is not framed as the portrait is.
    """

    frames: Iterator[np.ndarray]
    issue: str | None = None


def frame_as_portrait(frames: Iterable[np.ndarray], clip: ReferenceClip, size: int, name: str) -> Framed:
    """Bring a prediction to the framing of its reference, if it shows the source's whole picture; say so where it shows another.

    The face in the first frame decides, by where the portrait has it. Without a portrait nothing is known.

    Args:
        frames: (H, W, 3) uint8 frames of the prediction.
        clip: The true clip.
        size: Pixels of the protocol's square frames.
        name: Name of the video in messages.

    Returns:
        The frames, and what is to be said about them.
    """
    rest = iter(frames)
    first = next(rest, None)
    if first is None:
        return Framed(iter(()))
    every = chain([first], rest)
    try:
        portrait = clip.face(size)
    except InputError:
        return Framed(every)
    aim = bounding_box(portrait.points) / size
    own = _box(square(first, _LOOKED_AT))
    source = clip.crop_source(first, _LOOKED_AT)
    cropped = None if source is None else _box(source)
    if cropped is not None and _distance(cropped, aim) < min(_distance(own, aim) - _SAME, _FARTHEST):
        done = f"{name} shows the source's whole picture; its frames were cropped as the true ones are"
        turned = _mirrored(_cropped(clip, first, size), portrait.image)
        return Framed((_cropped(clip, frame, size) for frame in every), f"{done}, and show{_TURN}" if turned else done)
    misplaced = _misplaced(own, aim, name)
    if misplaced is None and _mirrored(square(first, size), portrait.image):
        misplaced = f"{name} shows{_TURN}"
    return Framed(every, misplaced)


def _cropped(clip: ReferenceClip, frame: np.ndarray, size: int) -> np.ndarray:
    found = clip.crop_source(frame, size)
    assert found is not None, "all frames of a video have one shape"
    return found


def _box(image: np.ndarray) -> np.ndarray | None:
    """(4,) left, top, right, bottom of the face as fractions of the square; None where there is none."""
    from tbd.face.tracker import FaceMeshTracker

    try:
        return bounding_box(FaceMeshTracker().locate(np.ascontiguousarray(image), "a frame").points) / _LOOKED_AT
    except InputError:
        return None


def _distance(box: np.ndarray | None, aim: np.ndarray) -> float:
    """Of two faces: the greatest of the differences of their sides, in widths of the second."""
    return np.inf if box is None else float(np.abs(box - aim).max() / (aim[2] - aim[0]))


def _mirrored(first: np.ndarray, portrait: np.ndarray) -> bool:
    """Whether a picture is like the portrait's mirror image, and not like the portrait; faces without sides are like both."""
    import cv2

    small = [cv2.resize(image, (_COMPARED, _COMPARED), interpolation=cv2.INTER_AREA).astype(np.float64) for image in (first, portrait)]
    shown, right = (image - image.mean() for image in small)
    return float(np.square(shown - right[:, ::-1]).sum()) < _MIRRORED**2 * float(np.square(shown - right).sum())


def _misplaced(box: np.ndarray | None, aim: np.ndarray, name: str) -> str | None:
    if box is None:
        return f"{name} shows no face in its first frame, or a very small one; frame it as the portrait is framed"
    aspect, right = (float((b[2] - b[0]) / (b[3] - b[1])) for b in (box, aim))
    if abs(aspect / right - 1) > _SQUEEZED:
        done = "wider" if aspect > right else "narrower"
        return f"{name} shows the face {abs(aspect / right - 1):.0%} {done} than the portrait does; keep the portrait's aspect ratio"
    if _distance(box, aim) > _FARTHEST:
        return f"{name} shows the face elsewhere, or of another size, than the portrait does; frame it as the portrait is framed"
    return None
