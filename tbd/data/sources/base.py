"""`RawSource`: a data set as it was downloaded; its scan finds raw clips before anything is decoded.

No model and no torch, since every worker imports it.
"""

from abc import ABC, abstractmethod
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import ClassVar

from tbd.data.records import ClipRecord
from tbd.data.sources.files import RawFile
from tbd.data.sources.registry import DATASETS, dataset_name
from tbd.errors import InputError
from tbd.utils.class_path import import_class


@dataclass(frozen=True)
class RawClip:
    """A clip to be prepared.

    Args:
        record: What its name says; files and measurements are still empty.
        video: The video file.
        audio: The sound where it is a file of its own; otherwise that of the video is taken.
        start: Second of the video at which the clip begins.
        end: Second of the video at which the clip ends; None for the video's end.
        box: Left, top and width of the square that holds the face, in pixels at `box_height`.
        box_height: Height of the video that `box` was measured on; 0 for the file's own.
        zoom: How much larger than the face's box the data set's own crop is.
        neutrals: Clips of the same person at rest, seen from the same camera, to measure expressions against; the first usable one
            is taken.
    """

    record: ClipRecord
    video: RawFile
    audio: RawFile | None = None
    start: float = 0.0
    end: float | None = None
    box: tuple[int, int, int] | None = None
    box_height: int = 0
    zoom: float = 1.2
    neutrals: tuple[RawFile, ...] = ()


@dataclass
class Scan:
    """What is in a raw tree.

    Args:
        clips: The clips to prepare.
        problems: What is wrong with files that are no clips: path or name → one sentence.
        counts: Figures for the report: what is counted, in words → how many.
    """

    clips: list[RawClip] = field(default_factory=list)
    problems: dict[str, str] = field(default_factory=dict)
    counts: dict[str, int] = field(default_factory=dict)


class RawSource(ABC):
    """A data set as it was downloaded: where its clips are, and what their names say.

    The first line of a subclass's docstring and its ``Args`` are the help of `tbd preprocess`; a line in `tbd.data.sources.registry` gives
    it a name.
    """

    default_splits: ClassVar[str | None] = None
    """The packaged splits that training uses by default; None: every clip trains."""

    @property
    def name(self) -> str:
        """`ClipRecord.source` of its clips: the registered name, or the class path."""
        return dataset_name(type(self))

    @abstractmethod
    def scan(self, skip: Path | None = None) -> Scan:
        """Look through the tree, without decoding anything.

        Args:
            skip: A folder to leave aside: the cache that is written.

        Returns:
            The clips, and what is wrong with other files.

        Raises:
            InputError: If the tree is missing, empty, or not this data set.
        """

    @classmethod
    def video_of(cls, clip: str) -> str:
        """Name the recording that a clip was cut from, by the clip's name alone; the clip itself unless a data set cuts recordings."""
        return clip

    @classmethod
    def person_of(cls, video: str) -> str:
        """Name who is seen in a recording, by the recording's name alone; empty where names do not say."""
        return ""

    def record(
        self, file: RawFile, clip: str, person: str, video: str = "", *, emotion: str = "", level: int = 0, view: str = "", number: int = 0
    ) -> ClipRecord:
        """Start the record of a clip of this data set.

        Args:
            file: The video file.
            clip: A name that is unique in the data set and may name a file.
            person: Who is seen.
            video: The recording that the clip was cut from; the clip itself where not given.
            emotion: One of `tbd.think.emotions.EMOTIONS`, or empty.
            level: MEAD's 1, 2 or 3, or 0.
            view: The camera, where there are several.
            number: Running number of the clip.

        Returns:
            The record, not yet prepared.
        """
        return ClipRecord(clip, self.name, person, video or clip, emotion, level, view, number, origin=file.name, origin_bytes=file.size)


def source_class(dataset: str) -> type[RawSource]:
    """Find the class of a data set.

    Args:
        dataset: A registered name, or a class path.

    Returns:
        The class.

    Raises:
        InputError: If there is none.

    Example:
        >>> source_class("mead").default_splits
        'mead_actor'
    """
    if dataset not in DATASETS and "." not in dataset:
        raise InputError(f"There is no data set {dataset!r}; name one of {', '.join(DATASETS)}, or the class path of a RawSource of yours.")
    kind = import_class(DATASETS.get(dataset, dataset))
    if not (isinstance(kind, type) and issubclass(kind, RawSource)):
        raise InputError(f"{dataset} is no data set; a data set is a subclass of {RawSource.__module__}.{RawSource.__name__}.")
    return kind


_NEUTRALS = 3
"""Neutral clips of a person that are tried."""


def with_neutrals(clips: list[RawClip]) -> list[RawClip]:
    """Give each clip the neutral clips of its person and camera, where labels name some."""
    at_rest: dict[tuple[str, str], list[RawFile]] = {}
    for raw in sorted(clips, key=lambda raw: (raw.record.level, raw.record.number, raw.record.clip)):
        if raw.record.emotion == "neutral" and raw.end is None:
            at_rest.setdefault((raw.record.person, raw.record.view), []).append(raw.video)
    return [replace(raw, neutrals=tuple(at_rest.get((raw.record.person, raw.record.view), [])[:_NEUTRALS])) for raw in clips]
