"""`VideoCacheDataModule`: the video model's batches from the features that `tbd preprocess features --vae … --coarse` keeps in a cache."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tbd.data.cache import Cache
from tbd.data.module import with_val
from tbd.data.packing import TrainingClip
from tbd.data.portrait_features import feature_name
from tbd.data.prepared import Plans
from tbd.data.splits import load_split
from tbd.data.video_windows import VideoClip, VideoDataModule
from tbd.errors import InputError
from tbd.think.plan import MusclePlan


class VideoCacheDataModule(VideoDataModule):
    """Windows of a cache's latents, for MEAD, HDTF and folders alike.

    Args:
        root: the cache.
        split: name of a packaged split, or a .json file.
        latents: name of the features, ``vae@<model>-<size>``.
        shortest: clips with fewer frames are left out; a window's frames where not given.
        kwargs: see `VideoDataModule`.
    """

    def __init__(
        self,
        root: str,
        split: str,
        latents: str = "vae@sd-vae-ft-mse-512",
        shortest: int | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.root, self.split, self.latents, self.shortest = Path(root), split, latents, shortest

    def clips(self, split: str) -> Sequence[VideoClip]:
        """The clips of one side whose latents are there.

        Raises:
            InputError: there are none, or files are gone.
        """
        cache, sides, plan_of = Cache(self.root), load_split(self.split), Plans()
        names = {kind: feature_name(kind, self.latents) for kind in ("portrait", "coarse", "regions")} | {"frames": self.latents}
        records = {r.clip: r for r in cache.records() if r.ready and all(name in r.features for name in names.values())}
        if not records:
            model, _, size = self.latents.removeprefix("vae@").rpartition("-")
            raise InputError(
                f"{self.root} holds no clip with {self.latents} and what belongs to it; run `tbd preprocess features {self.root} "
                f"--vae {model} --size {size} --coarse`."
            )
        least = self.shortest or self.window_frames
        usable = [r for r in records.values() if r.frames >= least]
        rows = [TrainingClip(r.clip, sides.side(r) or "", r.person, r.frames, Path()) for r in usable]
        chosen = [records[row.name] for row in with_val(rows) if row.side == split]
        if not chosen:
            raise InputError(f"{self.root} has no clip of {least} frames or more on the side {split} of {self.split}.")
        cache.require(chosen, ("audio", "features"))
        return [
            VideoClip(
                name=r.clip,
                **{kind: cache.path(r.features[names[kind]]) for kind in ("frames", "coarse", "portrait")},
                region_masks=cache.path(r.features[names["regions"]]),
                audio=cache.path(r.audio) if r.audio else None,
                plan=plan_of(r) or MusclePlan(),
                video=cache.path(r.videos[size]) if (size := self.latents.rpartition("-")[2]) in r.videos else None,
            )
            for r in chosen
        ]
