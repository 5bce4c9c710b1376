"""What a tracker sees of a drawn performance on a filmed person's own face.

A coefficient that is drawn is no coefficient that is seen: a renderer has gains of its own, and a landmarker reads a smile or a jaw of many
movements at once. So a drawing is rendered on the calmest frame of the film that its sound is of, and tracked as the film was: person,
camera and tracker are the same, and what differs is the performance.
"""

from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import numpy as np

from tbd.data.sources.files import VIDEO_SUFFIXES
from tbd.errors import InputError
from tbd.face.motion import Motion
from tbd.face.portrait import crop_portrait
from tbd.face.render.renderer import MeshWarpRenderer
from tbd.face.tracker import FaceLandmarkerTracker, FaceMeshTracker
from tbd.media import read_video

SIZE = 512
_AT_REST = ("jawOpen", "browInnerUp", *(f"{name}{side}" for name in ("eyeBlink", "mouthSmile") for side in ("Left", "Right")),
            "mouthPucker", "mouthFunnel", "mouthUpperUpLeft", "mouthLowerDownLeft", "mouthRollLower", "mouthPressLeft")  # fmt: skip
_HEAD = ("headPitch", "headYaw", "headRoll")
_TURN = 2.0
"""How much a radian of the head counts beside a channel at full."""


def calmest_frame(tracked: Motion) -> int:
    """Number of the frame in which a face is nearest to rest and to the front.

    Example:
        >>> motion = Motion.zeros(3)
        >>> motion["jawOpen"][:], motion["headYaw"][2] = [0.3, 0.1, 0.1], 0.5
        >>> calmest_frame(motion)
        1
    """
    moved = np.sum([tracked[name] for name in _AT_REST], 0) + _TURN * np.sum([np.abs(tracked[name]) for name in _HEAD], 0)
    return int(moved.argmin())


def find_video(folder: Path, name: str) -> Path:
    """The film of a clip's name in a folder.

    Raises:
        InputError: If there is none.
    """
    found = sorted(path for path in folder.glob(f"{name}.*") if path.suffix.lower() in VIDEO_SUFFIXES)
    if not found:
        raise InputError(f"{folder} holds no film of the clip {name}.")
    return found[0]


def watch(video: Path, tracked: Motion, drawn: list[Motion], landmarker: Path) -> Iterator[Motion]:
    """Render drawings on a film's calmest frame, and track what is rendered.

    Args:
        video: The video of a clip.
        tracked: Its motion.
        drawn: Motions to render.
        landmarker: MediaPipe's face_landmarker.task.

    Yields:
        What is seen of each drawing; nothing where the calmest frame is no portrait, being turned too far or cut.
    """
    frame = next(islice(read_video(video), calmest_frame(tracked), None))
    try:
        face = crop_portrait(FaceMeshTracker().locate(frame, str(video)), SIZE)
    except InputError:
        return
    renderer = MeshWarpRenderer()
    for motion in drawn:
        yield FaceLandmarkerTracker(landmarker).track(renderer.render(face, motion), source=str(video))
