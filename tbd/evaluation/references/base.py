"""References: the true clips that a protocol compares predictions with, and what a model may know of each."""

import inspect
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from typing import TypeVar

import numpy as np

from tbd.errors import InputError
from tbd.face.geometry import FaceGeometry
from tbd.face.motion import Motion
from tbd.think.emotions import EMOTIONS
from tbd.think.plan import MusclePlan
from tbd.utils.class_path import Component, build, import_class

T = TypeVar("T")


class ReferenceClip(ABC):
    """One true clip: what a model is given (voice, plan, portrait), and what really happened (video, motion).

    Args:
        id: Name of the clip and of its prediction.
        emotion: One of `EMOTIONS`, or None where there is no label.
        level: MEAD's level of intensity, 1 to 3, or None.
    """

    def __init__(self, id: str, emotion: str | None = None, level: int | None = None) -> None:
        self.id, self.emotion, self.level = id, emotion, level

    @abstractmethod
    def frames(self) -> int:
        """Return the number of frames at 25 a second."""

    @abstractmethod
    def audio(self) -> np.ndarray:
        """Read the voice, (N,) float32 at 16 kHz."""

    @abstractmethod
    def face(self, size: int) -> FaceGeometry:
        """Find the portrait that is to speak.

        Args:
            size: Pixels of the square picture, which is framed as `video` is.

        Returns:
            Picture and mesh.
        """

    def plan(self) -> MusclePlan:
        """Return the clip's plan: by default that of its label, as in training."""
        from tbd.think.labels import plan_from_label

        return plan_from_label(self.emotion or "neutral", self.level)

    def video(self, size: int, numbers: np.ndarray | None = None) -> Iterator[np.ndarray] | None:
        """Read the true frames.

        Args:
            size: Pixels of the square frames.
            numbers: Numbers of the frames to read, ascending; None for all.

        Returns:
            (size, size, 3) uint8 frames, one by one, or None where there are none.
        """
        return None

    def crop_source(self, frame: np.ndarray, size: int) -> np.ndarray | None:
        """Crop a frame of the source's whole picture as `video` crops the true frames.

        Args:
            frame: (H, W, 3) uint8, of the source's aspect ratio and of any size.
            size: Pixels of the square.

        Returns:
            (size, size, 3) uint8; None where the true frames are no crop, or the frame has another aspect ratio.
        """
        return None

    def motion(self) -> Motion | None:
        """Read the true motion; None where it is not known and must be tracked."""
        return None

    def bilabials(self) -> np.ndarray | None:
        """Return (K, 2) seconds in which b, p and m are spoken; None where that is not known."""
        return None


class Reference(ABC):
    """A set of true clips. Its argument ``root`` is the folder that `--reference` gives."""

    @abstractmethod
    def clips(self) -> Sequence[ReferenceClip]:
        """List the clips, ordered by id. Their files are read only when a clip's methods are called.

        Returns:
            All clips of the protocol's split.

        Raises:
            InputError: If the files are missing, or are not what they should be.
        """

    def content(self) -> str | None:
        """Return `checksum_of_files` of the files, where they are few enough to read; None otherwise."""
        return None


def spread_evenly(items: Sequence[T], count: int | None) -> list[T]:
    """Take some of many.

    Args:
        items: All, in order.
        count: How many to take; all where None, 0, or more than there are.

    Returns:
        The first, and others at even distances.

    Example:
        >>> spread_evenly("abcdef", 3)
        ['a', 'c', 'e']
    """
    count = min(count or len(items), len(items))
    return [items[i * len(items) // count] for i in range(count)]


def read_label(name: str) -> tuple[str | None, int | None]:
    """Read emotion and level from a clip name of MEAD's form.

    Args:
        name: Such as ``M030_sad_3_001``.

    Returns:
        Emotion and level, each None where the name does not have it.

    Example:
        >>> read_label("M030_sad_3_001"), read_label("WDA_KatieHill_000")
        (('sad', 3), (None, None))
    """
    parts = name.split("_")
    emotion = next((part for part in parts if part in EMOTIONS), None)
    if emotion is None:
        return None, None
    after = parts[parts.index(emotion) + 1 :]
    return emotion, int(after[0]) if after and after[0] in ("1", "2", "3") else None


def build_reference(component: Component, root: str | None) -> Reference:
    """Build a protocol's reference over the folder that `--reference` gives.

    Args:
        component: Class and arguments, as the protocol has them.
        root: The folder; None where none was given.

    Returns:
        The reference.

    Raises:
        InputError: If the class cannot be built, or needs a folder and none was given.
    """
    kind = import_class(component.class_path)
    if root is None and inspect.signature(kind).parameters["root"].default is inspect.Parameter.empty:
        raise InputError(f"--reference is missing: {(inspect.getdoc(kind) or kind.__name__).splitlines()[0]} Name its folder.")
    given = {} if root is None else {"root": root}
    return build(component.model_copy(update={"init_args": {**component.init_args, **given}}), Reference, "The protocol's reference")
