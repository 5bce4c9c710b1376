"""References over a cache that `tbd preprocess` wrote: MEAD, HDTF or a folder of one's own."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from typing_extensions import override

from tbd.data.splits import Split, load_splits
from tbd.errors import InputError
from tbd.evaluation.references.base import Reference, ReferenceClip, read_label
from tbd.evaluation.references.frames import locate_face, resize, select_frames
from tbd.face.geometry import FaceGeometry
from tbd.media.rates import FPS
from tbd.think.plan import MusclePlan

if TYPE_CHECKING:
    from tbd.data.preprocess.cache import Cache
    from tbd.data.records import ClipRecord


class CacheReference(Reference):
    """The clips of one split (train, val or test) in a cache that `tbd preprocess` wrote.

    A clip that the split lists and the cache lacks stays in the list, so that it is counted.

    Args:
        root: Folder of the cache.
        split_file: What divides the data set: a packaged name such as ``mead_actor``, or a file's path.
        split: ``train``, ``val`` or ``test``.
    """

    def __init__(self, root: str, split_file: str, split: Split = "test") -> None:
        self.root, self.split_file, self.split = root, split_file, split

    @override
    def clips(self) -> Sequence[ReferenceClip]:
        from tbd.data.preprocess.cache import Cache

        cache, splits = Cache(self.root), load_splits(self.split_file)
        records = {record.clip: record for record in cache.records() if splits.split_of(record) == self.split}
        listed = splits.members.get(self.split, ()) if splits.by == "clip" else ()
        names = sorted({*records, *listed})
        if not names:
            raise InputError(
                f"{self.root} holds no clip of the split {self.split} of {splits.name}; prepare {splits.dataset} with `tbd preprocess`."
            )
        return [CacheClip(cache, name, records.get(name)) for name in names]


class CacheClip(ReferenceClip):
    """One record of a prepared cache, whose videos are cropped already.

    Args:
        cache: The cache.
        clip: Id of the clip.
        record: Its record; None where the cache lacks the clip.
    """

    def __init__(self, cache: "Cache", clip: str, record: "ClipRecord | None") -> None:
        emotion, level = (record.emotion or None, record.level or None) if record else read_label(clip)
        super().__init__(clip, emotion, level)
        self._cache, self._record = cache, record

    def _ready(self) -> "ClipRecord":
        if self._record is None:
            raise InputError(f"{self._cache.root} does not have {self.id}; add it to the raw data and prepare it with `tbd preprocess`.")
        if not self._record.ready:
            raise InputError(f"{self.id} could not be prepared: {self._record.reason or self._record.status}")
        return self._record

    @override
    def frames(self) -> int:
        return self._ready().frames

    @override
    def audio(self) -> np.ndarray:
        from tbd.media import read_audio

        if not self._ready().audio:
            raise InputError(f"{self.id} has no sound in {self._cache.root}.")
        return read_audio(self._cache.path(self._ready().audio))

    @override
    def plan(self) -> MusclePlan:
        from tbd.think import KnowledgePlanner

        if self._ready().text:
            return KnowledgePlanner().plan(self._ready().text, duration=self.frames() / FPS)
        return super().plan()

    def _video(self, size: int) -> Path:
        """The file of that size, or of the largest."""
        held = self._ready().videos
        if not held:
            raise InputError(f"{self.id} has no video in {self._cache.root}; run `tbd preprocess` with --video-sizes {size}.")
        return self._cache.path(held.get(str(size)) or held[max(held, key=int)])

    @override
    def face(self, size: int) -> FaceGeometry:
        from tbd.media import read_video

        path = self._video(size)
        first = locate_face(str(path), lambda: next(iter(read_video(path))))
        return first.cropped(0, 0, resize(first.image, size), size / first.image.shape[1])

    @override
    def video(self, size: int, numbers: np.ndarray | None = None) -> Iterator[np.ndarray]:
        from tbd.media import read_video

        return (resize(frame, size) for frame in select_frames(read_video(self._video(size)), numbers))
