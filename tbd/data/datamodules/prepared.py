"""`CacheDataModule`: training batches from a cache that `tbd preprocess` wrote, whatever data set it holds."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tbd.data.datamodules.base import MotionDataModule
from tbd.data.datasets.packed import TrainingClip
from tbd.data.plans import PlanOfRecord, PlanSource
from tbd.data.preprocess.cache import Cache
from tbd.data.records import ClipRecord
from tbd.data.splits import DatasetSplits, default_splits, load_splits
from tbd.errors import InputError


class CacheDataModule(MotionDataModule):
    """Windows of a prepared cache, of any data set.

    Args:
        root: The cache.
        split_file: Name of packaged splits or a .json file of your own, from here or from `root`; those that the data set names for
            itself where not given.
        tracker: Whose motion, ``face_mesh`` or ``face_landmarker``, with a version where the cache holds several.
        emotions: Take only clips of these labels.
        levels: Take only clips of these levels.
        sound_only: Whether to leave clips without sound out; otherwise they are silent.
        plans: Where plans come from: ``label`` for a clip's text, or else its label and level; ``measured`` for what its own face
            was measured to do (`tbd preprocess plans`), with motion relative to the same resting face; ``none`` to withhold them.
        kwargs: See `MotionDataModule`.
    """

    dataset: str | None = None
    """The `ClipRecord.source` that a cache must hold; any where None."""

    def __init__(
        self,
        root: str,
        split_file: str | None = None,
        tracker: str = "face_mesh",
        emotions: Sequence[str] | None = None,
        levels: Sequence[int] | None = None,
        sound_only: bool = True,
        plans: PlanSource = "label",
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.root, self.split_file, self.tracker, self.sound_only = Path(root), split_file, tracker, sound_only
        self.emotions, self.levels, self.plans = emotions, levels, plans

    def records(self) -> list[ClipRecord]:
        """Read the manifest's rows that are ready.

        Returns:
            The rows, ordered by clip.

        Raises:
            InputError: If there are none, their files are gone, or the cache holds another data set.
        """
        cache = Cache(self.root)
        held = cache.config["source"]
        if self.dataset not in (None, held):
            raise InputError(f"{self.root} holds {held}, and {type(self).__name__} reads {self.dataset}.")
        records = [r for r in cache.records() if r.ready]
        if not records:
            raise InputError(f"{self.root} holds no clip that is ready; `tbd preprocess report {self.root}` says why.")
        cache.require(records, ("audio", "motions", *["videos"] * bool(self.video_frames)))
        return records

    def clips(self) -> list[TrainingClip]:
        """See `MotionDataModule.clips`."""
        records, splits = self.records(), splits_of(Cache(self.root), self.split_file)
        plan_of = PlanOfRecord(self.plans, self.root, self.tracker)
        return [
            TrainingClip(
                name=r.clip,
                split=(splits.split_of(r) or "") if self._wants(r) else "",
                person=r.person,
                frames=r.frames,
                motion=self.root / r.file("motions", self.tracker),
                audio=self.root / r.audio if r.audio else None,
                plan=plan_of(r),
                measured=plan_of.measured_file(r),
                emotion=r.emotion,
                video=self.root / r.file("videos", str(self.video_size)) if self.video_frames else None,
            )
            for r in records
        ]

    def _wants(self, record: ClipRecord) -> bool:
        return (
            bool(record.audio or not self.sound_only)
            and (self.emotions is None or record.emotion in self.emotions)
            and (self.levels is None or record.level in self.levels)
        )

    @property
    def packed(self) -> tuple[Path, str]:
        """Folder and name of the pack: all clips of the cache, so that splits share one."""
        return self.root / "packed", self.tracker + ("-relative" if self.plans == "measured" else "")


def splits_of(cache: Cache, name: str | None) -> DatasetSplits:
    """Load the splits of a cache.

    Args:
        cache: The cache.
        name: Name or file of splits; those that the data set names for itself where None.

    Returns:
        The splits.

    Raises:
        InputError: If there are no such splits, or they divide another data set.
    """
    dataset = cache.config["source"]
    splits = default_splits(dataset) if name is None else load_splits(name, cache.root)
    if splits.dataset != dataset:
        raise InputError(f"The splits {splits.name} divide {splits.dataset}, and {cache.root} holds {dataset}.")
    return splits
