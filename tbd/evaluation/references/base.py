"""References: the true clips that a protocol compares predictions with, and what a model may know of each."""

import inspect
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence

import numpy as np

from tbd.errors import InputError
from tbd.face.geometry import FaceGeometry
from tbd.face.motion import Motion
from tbd.think.emotions import EMOTIONS
from tbd.think.plan import MusclePlan
from tbd.utils.class_path import Component, build, import_class


class ReferenceClip(ABC):
    """One true clip: what a model is given (voice, plan, portrait), and what really happened (video, motion).

    Args:
        id: names the clip and its prediction.
        emotion: one of `EMOTIONS`, or None where nobody says.
        level: MEAD's 1..3, or None.
    """

    def __init__(self, id: str, emotion: str | None = None, level: int | None = None) -> None:
        self.id, self.emotion, self.level = id, emotion, level

    @abstractmethod
    def frames(self) -> int:
        """At 25 a second."""

    @abstractmethod
    def audio(self) -> np.ndarray:
        """(N,) float32 at 16 kHz."""

    @abstractmethod
    def face(self, size: int) -> FaceGeometry:
        """The portrait that is to speak, in a square picture of `size` pixels, framed as `video` is."""

    def plan(self) -> MusclePlan:
        """Plan of the clip: by default that of its label, as in training."""
        from tbd.think.labels import plan_from_label

        return plan_from_label(self.emotion or "neutral", self.level)

    def video(self, size: int, numbers: np.ndarray | None = None) -> Iterator[np.ndarray] | None:
        """The true frames, (size, size, 3) uint8, or None where there are none.

        Args:
            size: pixels.
            numbers: of the frames that are wanted, ascending; all where not given.
        """
        return None

    def motion(self) -> Motion | None:
        """The true motion, where it is known and need not be tracked."""
        return None

    def bilabials(self) -> np.ndarray | None:
        """(K, 2) seconds in which b, p and m are said, where that is known."""
        return None


class Reference(ABC):
    """A set of true clips. Its ``root`` is what `--reference` gives."""

    @abstractmethod
    def clips(self) -> Sequence[ReferenceClip]:
        """All of the split, ordered by id. Light: files are read when a clip is asked for them.

        Raises:
            InputError: the files are not there or not what they should be.
        """

    def content(self) -> str | None:
        """`checksum_of_files` of the files, where they are few enough to read; None otherwise."""
        return None


def read_label(name: str) -> tuple[str | None, int | None]:
    """Emotion and level of a clip named as MEAD's are.

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
    """A protocol's reference over the folder that `--reference` gives.

    Raises:
        InputError: the class cannot be built, or needs a folder and none was given.
    """
    kind = import_class(component.class_path)
    if root is None and inspect.signature(kind).parameters["root"].default is inspect.Parameter.empty:
        raise InputError(f"--reference is missing: {(inspect.getdoc(kind) or kind.__name__).splitlines()[0]} Name its folder.")
    given = {} if root is None else {"root": root}
    return build(component.model_copy(update={"init_args": {**component.init_args, **given}}), Reference, "The protocol's reference")
