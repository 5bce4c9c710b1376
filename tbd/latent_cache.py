"""`tbd preprocess latents`: what the video model trains on, computed once: latents of a cache's videos and their coarse twins.

Four features for each clip, named for the size and the autoencoder:

    frames@512@NAME      (N, C, h, w) float16 latents of the video
    coarse@512@NAME      the same of the clip's most restful frame, mesh-warped by the clip's motion
    portrait@512@NAME    (C, h, w) float16 latent of that frame
    regions@512@NAME     (5, h, w) float16, where in the latent each region of `REGIONS` lies
"""

import os
from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import islice
from pathlib import Path

import numpy as np
import torch
from rich.console import Console
from rich.progress import track

from tbd.data.cache import Cache, ClipRecord
from tbd.data.video_cache import KINDS, feature_name
from tbd.draw.latents import LatentCodec
from tbd.errors import InputError
from tbd.face.coarse import relative_to, render_coarse, resting_frame
from tbd.face.geometry import FaceGeometry
from tbd.face.media import read_video
from tbd.face.motion import Motion
from tbd.face.regions import movement_masks
from tbd.face.tracker import FaceMeshTracker, Tracker
from tbd.files import atomic_output
from tbd.think.action_units import REGIONS
from tbd.think.facs import CHANNEL_REGIONS

GROUPS = [[channel for channel, region in CHANNEL_REGIONS.items() if region == wanted] for wanted in REGIONS]
"""The motion channels of each region."""
_CHUNK = 16
"""Frames that are in memory at once."""


def region_masks(face: FaceGeometry, factor: int) -> np.ndarray:
    """(5, H/factor, W/factor) 0..1, where in a portrait's latent each region lies."""
    height, width = face.image.shape[:2]
    return movement_masks(face, GROUPS, height // factor, width // factor)


def cache_latents(
    cache: str | os.PathLike, autoencoder: str, size: int = 512, tracker: str = "face_mesh", device: str | None = None, quiet: bool = False
) -> None:
    """Compute what is missing of a cache's features; a second run takes up where the first stopped.

    Args:
        cache: a folder that `tbd preprocess` wrote.
        autoencoder: hub name or folder.
        size: of the videos in it.
        tracker: whose motion warps the portraits.
        device: ``cuda`` or ``cpu``; the best where not given.
        quiet: print nothing.

    Raises:
        InputError: there is no cache, no clip of that size, or no autoencoder.
    """
    prepared = Cache(cache)
    records = [record for record in prepared.records() if record.ready]
    if not records:
        raise InputError(f"{prepared.root} holds no clip that is ready; `tbd preprocess report {prepared.root}` says why.")
    codec = LatentCodec(autoencoder).to(device or ("cuda" if torch.cuda.is_available() else "cpu"))
    if size % codec.factor:
        raise InputError(f"--size {size} is no multiple of {codec.factor}, by which this autoencoder shrinks pictures.")
    locate, failed = FaceMeshTracker(), []
    console = Console(quiet=quiet)
    for record in track(records, "latents", console=console, transient=True):
        names = {kind: feature_name(kind, size, autoencoder) for kind in KINDS}
        paths = {name: f"features/{name}/{record.person}/{record.clip}.npy" for name in names.values()}
        if all(prepared.path(path).is_file() for path in paths.values()):
            continue
        try:
            _cache_clip(prepared, record, {kind: prepared.path(paths[name]) for kind, name in names.items()}, codec, size, tracker, locate)
        except InputError as error:
            failed.append(f"{record.clip}: {error}")
            continue
        prepared.save_record(replace(record, features={**record.features, **paths}))
    prepared.write_manifest()
    for line in failed:
        console.print(f"left out: {line}", highlight=False)
    console.print(f"[bold]{prepared.root}[/]  latents of {len(records) - len(failed)} of {len(records)} clips", highlight=False)


def _cache_clip(
    cache: Cache, record: ClipRecord, files: dict[str, Path], codec: LatentCodec, size: int, tracker: str, locate: Tracker
) -> None:
    video = cache.path(record.file("videos", str(size)))
    motion = Motion.load(cache.path(record.file("motions", tracker)))
    rest = resting_frame(motion)
    portrait = next(islice(iter(read_video(video)), rest, None))
    face = locate.locate(portrait, f"frame {rest} of {video}")
    arrays = {
        "portrait": _encoded(codec, [portrait])[0],
        "regions": region_masks(face, codec.factor),
        "coarse": _encoded(codec, render_coarse(face, relative_to(motion, rest))),
        "frames": _encoded(codec, islice(iter(read_video(video)), len(motion))),
    }
    if len(arrays["frames"]) != len(motion):
        raise InputError(f"{video} has {len(arrays['frames'])} frames and its motion {len(motion)}; prepare the clip again.")
    for kind, array in arrays.items():
        with atomic_output(files[kind]) as temporary:
            np.save(temporary, array.astype(np.float16))


def _encoded(codec: LatentCodec, frames: Iterable[np.ndarray]) -> np.ndarray:
    """(H, W, 3) uint8 frames → (N, C, h, w)."""
    device = codec.autoencoder.device
    parts = []
    for chunk in _chunks(iter(frames)):
        pixels = torch.from_numpy(np.stack(chunk)).permute(0, 3, 1, 2).to(device)
        with torch.autocast(device.type, torch.bfloat16, enabled=device.type == "cuda"):
            parts.append(codec.encode(pixels.float() / 255).float().cpu().numpy())
    return np.concatenate(parts)


def _chunks(frames: Iterator[np.ndarray]) -> Iterator[list[np.ndarray]]:
    while chunk := list(islice(frames, _CHUNK)):
        yield chunk
