"""References over a folder of videos."""

from collections.abc import Iterator, Sequence
from functools import cached_property
from pathlib import Path

import numpy as np
from typing_extensions import override

from tbd.errors import InputError
from tbd.evaluation.references.base import Reference, ReferenceClip, read_label
from tbd.evaluation.references.frames import locate_face, resize, select_frames
from tbd.face.geometry import FaceGeometry
from tbd.utils.checksum import checksum_of_files

_SAME_ASPECT = 0.01
"""Relative difference of two aspect ratios that rounding to whole, even pixels may leave."""


class VideoReference(Reference):
    """Any folder of videos of talking faces, each compared with itself: its first frame is the portrait.

    Args:
        root: The folder. An emotion is read from a name of MEAD's form, ``M030_sad_3_001``.
        framed: See `VideoClip`.
    """

    def __init__(self, root: str, framed: bool = False) -> None:
        self.root, self.framed = Path(root), framed

    @override
    def clips(self) -> Sequence[ReferenceClip]:
        return [VideoClip(p.stem, p, self.framed, emotion=e, level=k) for p in self._files() for e, k in [read_label(p.stem)]]

    @override
    def content(self) -> str:
        return checksum_of_files(self._files(), self.root)

    def _files(self) -> list[Path]:
        from tbd.evaluation.predictions import VIDEOS

        found = sorted(p for p in self.root.glob("*") if p.suffix.lower() in VIDEOS) if self.root.is_dir() else []
        if not found:
            raise InputError(f"There are no videos in {self.root}; --reference is a folder of clips of talking faces.")
        return found


class VideoClip(ReferenceClip):
    """A real clip: a video of one talking face, with its sound. The portrait is its first frame.

    Args:
        id: Name of the clip.
        path: The video.
        framed: Whether the frames are already the square that a prediction should fill; otherwise the square of head and
            shoulders around the first frame's face is taken, and held.
        sound: Another file with the sound; None for the video's own.
        emotion: As in `ReferenceClip`.
        level: As in `ReferenceClip`.
    """

    def __init__(
        self, id: str, path: Path, framed: bool, sound: Path | None = None, emotion: str | None = None, level: int | None = None
    ) -> None:
        super().__init__(id, emotion, level)
        self.path, self.framed, self.sound = path, framed, sound or path

    @cached_property
    def _length(self) -> int:
        from tbd.evaluation.clip_decoding import count_frames

        return count_frames(self.path).frames

    @override
    def frames(self) -> int:
        return self._length

    @override
    def audio(self) -> np.ndarray:
        from tbd.media import read_audio

        return read_audio(self.sound)

    def _first(self) -> FaceGeometry:
        from tbd.media import read_video

        return locate_face(str(self.path), lambda: next(iter(read_video(self.path))))

    @override
    def face(self, size: int) -> FaceGeometry:
        from tbd.face.portrait import crop_portrait

        first = self._first()
        if not self.framed:
            return crop_portrait(first, size)
        return first.cropped(0, 0, resize(first.image, size), size / first.image.shape[1])

    @override
    def crop_source(self, frame: np.ndarray, size: int) -> np.ndarray | None:
        from tbd.face.portrait import crop_portrait_image

        if self.framed:
            return None
        first = self._first()
        (height, width), (own_height, own_width) = first.image.shape[:2], frame.shape[:2]
        if abs(own_width * height - own_height * width) > _SAME_ASPECT * own_width * height:
            return None
        scale = np.array([own_width / width, own_height / height], first.points.dtype)
        return crop_portrait_image(frame, first.points[:, :2] * scale, size)

    @override
    def video(self, size: int, numbers: np.ndarray | None = None) -> Iterator[np.ndarray]:
        from tbd.face.portrait import crop_portrait_image
        from tbd.media import read_video

        points = None if self.framed else self._first().points
        for frame in select_frames(read_video(self.path), numbers):
            yield resize(frame, size) if points is None else crop_portrait_image(frame, points, size)
