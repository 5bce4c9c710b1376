"""References over a cache that `tbd preprocess` wrote: MEAD, HDTF or a folder of one's own."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from typing_extensions import override

from tbd.data.measured_plans import MeasuredPlan
from tbd.data.splits import Split, load_splits
from tbd.errors import InputError
from tbd.evaluation.references.base import Reference, ReferenceClip, read_label
from tbd.evaluation.references.frames import locate_face, resize, select_frames
from tbd.face.geometry import FaceGeometry
from tbd.face.motion import Motion
from tbd.think.plan import MusclePlan

if TYPE_CHECKING:
    from tbd.data.plans import PlanOfRecord, PlanSource
    from tbd.data.preprocess.cache import Cache
    from tbd.data.records import ClipRecord


class CacheReference(Reference):
    """The clips of one split (train, val or test) in a cache that `tbd preprocess` wrote.

    Args:
        root: Folder of the cache.
        split_file: What divides the data set: a packaged name such as ``mead_actor``, or a file's path, from here or from `root`.
        split: ``train``, ``val`` or ``test``.
        plans: Where the clips' plans come from, as the data modules' ``plans``: ``label``, ``measured`` or ``none``, an empty plan.
        tracker: Whose motion in the cache is the true one (``face_mesh``), relative to the resting face where ``plans`` are measured;
            without a name none is, and motion is tracked in the videos where a protocol asks for it.
        ready_only: Leave out clips that the cache lacks or could not prepare. Otherwise they stay in the list, so that they are counted.
    """

    def __init__(
        self,
        root: str,
        split_file: str,
        split: Split = "test",
        plans: "PlanSource" = "label",
        tracker: str | None = None,
        ready_only: bool = False,
    ) -> None:
        self.root, self.split_file, self.split = root, split_file, split
        self.plans, self.tracker, self.ready_only = plans, tracker, ready_only

    @override
    def clips(self) -> Sequence[ReferenceClip]:
        from tbd.data.plans import PlanOfRecord
        from tbd.data.preprocess.cache import Cache

        cache, splits = Cache(self.root), load_splits(self.split_file, self.root)
        records = {record.clip: record for record in cache.records() if splits.split_of(record) == self.split}
        listed = splits.members.get(self.split, ()) if splits.by == "clip" else ()
        names = sorted({*records, *listed})
        if self.ready_only:
            names = [name for name in names if name in records and records[name].ready]
        if not names:
            raise InputError(
                f"{self.root} holds no clip of the split {self.split} of {splits.name}; prepare {splits.dataset} with `tbd preprocess`."
            )
        plan_of = PlanOfRecord(self.plans, self.root, self.tracker or "")
        return [CacheClip(cache, name, records.get(name), plan_of, self.tracker) for name in names]


class CacheClip(ReferenceClip):
    """One record of a prepared cache, whose videos are cropped already.

    Args:
        cache: The cache.
        clip: Id of the clip.
        record: Its record; None where the cache lacks the clip.
        plan_of: Finds the plan of a record.
        tracker: Whose motion is the true one; None where none of the cache's is.
    """

    def __init__(self, cache: "Cache", clip: str, record: "ClipRecord | None", plan_of: "PlanOfRecord", tracker: str | None = None) -> None:
        emotion, level = (record.emotion or None, record.level or None) if record else read_label(clip)
        super().__init__(clip, emotion, level)
        self._cache, self._record, self._plan_of, self._tracker = cache, record, plan_of, tracker

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
        """Return the plan of the clip's record: neutral where there is no label, empty where plans are withheld or too little is seen."""
        plan = self._plan_of(self._ready())
        return plan if plan is not None else super().plan() if self._plan_of.source == "label" else MusclePlan()

    @override
    def motion(self) -> Motion | None:
        if self._tracker is None:
            return None
        motion = Motion.load(self._cache.path(self._ready().file("motions", self._tracker)))
        measured = self._plan_of.measured_file(self._ready())
        return motion if measured is None else MeasuredPlan.load(measured).relative(motion)

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
