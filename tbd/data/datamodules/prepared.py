"""`CacheDataModule`: training batches from a cache that `tbd preprocess` wrote, whatever data set it holds."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from tbd.data.datamodules.base import MotionDataModule
from tbd.data.datasets.packed import TrainingClip
from tbd.data.preprocess.cache import Cache, ClipRecord
from tbd.data.splits import load_split
from tbd.data.synthetic.plans import label_plan
from tbd.errors import InputError
from tbd.think.plan import MusclePlan


class CacheDataModule(MotionDataModule):
    """Windows of a prepared cache. A data set's own class says which source and split are its own.

    Args:
        root: a cache.
        split: the name of a packaged split or a .json file of your own.
        tracker: whose motion, ``face_mesh`` or ``face_landmarker``, with a version where the cache holds several.
        emotions: take only clips of these labels.
        levels: take only clips of these levels.
        sound_only: leave clips without sound out; otherwise they are silent.
        kwargs: see `MotionDataModule`.
    """

    source: str = ""
    """`ClipRecord.source` of the data set; the command that prepares it is called the same."""

    def __init__(
        self,
        root: str,
        split: str,
        tracker: str = "face_mesh",
        emotions: Sequence[str] | None = None,
        levels: Sequence[int] | None = None,
        sound_only: bool = True,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.root, self.split, self.tracker, self.sound_only = Path(root), split, tracker, sound_only
        self.emotions, self.levels = emotions, levels

    def records(self) -> list[ClipRecord]:
        """The manifest's rows that are ready and tracked.

        Raises:
            InputError: there are none, their files are gone, or the cache holds another data set.
        """
        cache = Cache(self.root)
        if cache.about["recipe"]["source"] != self.source:
            raise InputError(f"{self.root} holds {cache.about['recipe']['source']}, and {type(self).__name__} reads {self.source}.")
        records = [r for r in cache.records() if r.ready]
        if not records:
            raise InputError(f"{self.root} holds no clip that is ready; `tbd preprocess report {self.root}` says why.")
        cache.require(records, ("audio", "motions", *["videos"] * bool(self.video_frames)))
        return records

    def clips(self) -> list[TrainingClip]:
        split, plan_of = load_split(self.split), Plans()
        if split.dataset != self.source:
            raise InputError(f"The split {split.name} divides {split.dataset}, and {type(self).__name__} reads {self.source}.")
        return [
            TrainingClip(
                name=r.clip,
                side=(split.side(r) or "") if self._wants(r) else "",
                person=r.person,
                frames=r.frames,
                motion=self.root / r.file("motions", self.tracker),
                audio=self.root / r.audio if r.audio else None,
                plan=plan_of(r),
                emotion=r.emotion,
                video=self.root / r.file("videos", str(self.video_size)) if self.video_frames else None,
            )
            for r in self.records()
        ]

    def _wants(self, record: ClipRecord) -> bool:
        return (
            bool(record.audio or not self.sound_only)
            and (self.emotions is None or record.emotion in self.emotions)
            and (self.levels is None or record.level in self.levels)
        )

    @property
    def packed(self) -> tuple[Path, str]:
        """All clips of the cache, so that splits share one pack."""
        return self.root / "packed", self.tracker


class Plans:
    """The plan of a record: thought from its text, or from its label and level; None where it has neither."""

    def __init__(self) -> None:
        self._thought: dict[tuple, MusclePlan | None] = {}
        self._planner: Callable | None = None

    def __call__(self, record: ClipRecord) -> MusclePlan | None:
        key = (record.text, round(record.seconds, 2)) if record.text else (record.emotion, record.level)
        if key not in self._thought:
            self._thought[key] = self._think(record)
        return self._thought[key]

    def _think(self, record: ClipRecord) -> MusclePlan | None:
        if not record.text:
            return label_plan(record.emotion, record.level or 2) if record.emotion else None
        if self._planner is None:
            from tbd.think import KnowledgePlanner

            self._planner = KnowledgePlanner().plan
        return self._planner(record.text, record.seconds)
