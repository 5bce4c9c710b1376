"""What all references do with pictures: find the face, pick frames, bring them to the protocol's size."""

from collections.abc import Callable, Iterable, Iterator

import numpy as np

from tbd.face.geometry import FaceGeometry

_LAST_LOCATED: dict[str, FaceGeometry] = {}


def locate_face(name: str, image: Callable[[], np.ndarray]) -> FaceGeometry:
    """Find the face in a picture. The last result is kept, since many clips share a portrait.

    Args:
        name: Key of the picture, and its name in messages.
        image: Reads the picture, (H, W, 3) uint8; called only if the last picture had another name.

    Returns:
        The face in the uncropped picture.

    Raises:
        InputError: If there is no face in it.
    """
    from tbd.face.tracker import FaceMeshTracker

    if name not in _LAST_LOCATED:
        _LAST_LOCATED.clear()
        _LAST_LOCATED[name] = FaceMeshTracker().locate(image(), name)
    return _LAST_LOCATED[name]


def select_frames(frames: Iterable[np.ndarray], numbers: np.ndarray | None) -> Iterator[np.ndarray]:
    """Pick frames by their numbers.

    Args:
        frames: All frames of a clip.
        numbers: Which of them, counted from 0; None for all.

    Yields:
        The chosen frames in the clip's order, each once.

    Example:
        >>> list(select_frames("abcd", np.array([1, 3])))
        ['b', 'd']
    """
    if numbers is None:
        yield from frames
        return
    wanted = set(map(int, numbers))
    yield from (frame for number, frame in enumerate(frames) if number in wanted)


def resize(image: np.ndarray, size: int) -> np.ndarray:
    """Bring a picture to a square, averaging areas where it shrinks.

    Args:
        image: (H, W, 3) uint8; its aspect ratio is not kept.
        size: Pixels of the square.

    Returns:
        (size, size, 3) uint8.
    """
    import cv2

    if image.shape[:2] == (size, size):
        return image
    return cv2.resize(image, (size, size), interpolation=cv2.INTER_AREA if min(image.shape[:2]) > size else cv2.INTER_CUBIC)
