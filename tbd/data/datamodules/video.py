"""`VideoCacheDataModule`: the video model's batches from the features that `tbd preprocess features --vae … --coarse` keeps in a cache."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tbd.data.datamodules.base import with_val
from tbd.data.datamodules.prepared import splits_of
from tbd.data.datasets.packed import TrainingClip
from tbd.data.datasets.video import VideoClip, VideoDataModule
from tbd.data.plans import PlanOfRecord, PlanSource
from tbd.data.preprocess.cache import Cache
from tbd.data.preprocess.portrait_features import feature_name
from tbd.data.splits import Split
from tbd.errors import InputError
from tbd.think.plan import MusclePlan


class VideoCacheDataModule(VideoDataModule):
    """Windows of a cache's latents, of any data set.

    Args:
        root: The cache.
        split_file: Name of packaged splits, or a .json file; those that the data set names for itself where not given.
        latents: Name of the features, ``vae@<weights>-<size>`` (see `tbd.data.preprocess.features`); the cache's only ones where not given.
        shortest: Clips with fewer frames are left out; a window's frames where not given.
        plans: Where plans come from, as in `tbd.data.datamodules.prepared.CacheDataModule`.
        kwargs: See `VideoDataModule`.
    """

    def __init__(
        self,
        root: str,
        split_file: str | None = None,
        latents: str | None = None,
        shortest: int | None = None,
        plans: PlanSource = "label",
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.root, self.split_file, self.latents, self.shortest = Path(root), split_file, latents, shortest
        self.plans = plans

    def clips(self, split: Split) -> Sequence[VideoClip]:
        """List the clips of a split whose latents are there.

        Args:
            split: Which.

        Returns:
            The clips, ordered by name.

        Raises:
            InputError: If there are none, or files are gone.
        """
        cache, plan_of = Cache(self.root), PlanOfRecord(self.plans, self.root)
        splits = splits_of(cache, self.split_file)
        latents = self.latents or _only_latents(cache)
        names = {kind: feature_name(kind, latents) for kind in ("portrait", "coarse", "regions")} | {"frames": latents}
        records = {r.clip: r for r in cache.records() if r.ready and all(name in r.features for name in names.values())}
        if not records:
            raise InputError(f"{self.root} holds no clip with {latents} and what belongs to it{_there(cache)}; {_how(self.root)}")
        least = self.shortest or self.window_frames
        usable = [r for r in records.values() if r.frames >= least]
        rows = [TrainingClip(r.clip, splits.split_of(r) or "", r.person, r.frames, Path()) for r in usable]
        chosen = [records[row.name] for row in with_val(rows) if row.split == split]
        if not chosen:
            raise InputError(f"{self.root} has no clip of {least} frames or more in the split {split} of {splits.name}.")
        cache.require(chosen, ("audio", "features"))
        lips = feature_name("lips_and_head", latents)
        return [
            VideoClip(
                name=r.clip,
                **{kind: cache.path(r.features[names[kind]]) for kind in ("frames", "coarse", "portrait")},
                region_masks=cache.path(r.features[names["regions"]]),
                audio=cache.path(r.audio) if r.audio else None,
                plan=plan_of(r) or MusclePlan(),
                neutral_coarse=cache.path(r.features[lips]) if lips in r.features else None,
                video=cache.path(r.videos[size]) if (size := latents.rpartition("-")[2]) in r.videos else None,
            )
            for r in chosen
        ]


def _only_latents(cache: Cache) -> str:
    """Name the cache's latents, where there are one network's alone."""
    names = _latents(cache)
    if len(names) != 1:
        how = "choose with --data.init_args.latents." if names else _how(cache.root)
        raise InputError(f"{cache.root} holds {'several' if names else 'no'} latents{_there(cache)}; {how}")
    return names[0]


def _latents(cache: Cache) -> list[str]:
    return sorted({name for r in cache.records() if r.ready for name in r.features if name.startswith("vae@")})


def _there(cache: Cache) -> str:
    """List the latents that there are, and what the user called their networks."""
    notes = {name: cache.path(f"features/{name}/source.txt") for name in _latents(cache)}
    listed = [f"{name} of {note.read_text(encoding='utf-8').strip()}" if note.is_file() else name for name, note in notes.items()]
    return f" (there are {', '.join(listed)})" if listed else ""


def _how(root: Path) -> str:
    return f"`tbd preprocess features {root} --vae AUTOENCODER --coarse` makes them."
