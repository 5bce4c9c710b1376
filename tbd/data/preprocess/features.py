"""Latents and features of pretrained networks, kept beside the clips that they are of: what large models train on.

features/vae@<weights>-<size>/<person>/<clip>.npy      (frames, C, h, w) float16, latents times the autoencoder's scaling factor
features/wav2vec2@<weights>/<person>/<clip>.npy        (frames, D) float16, hidden states brought to 25 a second
features/<name>/source.txt                             what the network was called when its features were made

<weights> is the network's `fingerprint`: the same weights have one name wherever they lie, and two networks never share one.
"""

import os
from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from rich.console import Console
from torch.nn import functional as F

from tbd.data.preprocess.cache import Cache
from tbd.data.preprocess.locking import locked
from tbd.data.records import ClipRecord
from tbd.draw.pretrained import fingerprint, from_source
from tbd.errors import InputError, TBDError
from tbd.media import read_audio, read_video
from tbd.media.rates import SAMPLES_PER_FRAME
from tbd.utils.atomic import atomic_output
from tbd.utils.jobs.shards import Shard

_BATCH = 16
"""Frames that an autoencoder sees at once."""


class FeatureExtractor(ABC):
    """One pretrained network whose outputs are kept beside the clips."""

    name: str
    """Folder of the features; made of the network's weights, so that features of two networks never mix."""
    source: str = ""
    """What the user called the network: a folder, file or hub repository."""
    needs: str = "its kind of file"
    """What a clip must have, for messages."""

    @abstractmethod
    def accepts(self, record: ClipRecord) -> bool:
        """Check that a clip has what the network needs."""

    @abstractmethod
    def extract(self, cache: Cache, record: ClipRecord) -> np.ndarray:
        """Run the network on a clip.

        Args:
            cache: The cache.
            record: A clip of it that `accepts`.

        Returns:
            (frames, ...) float16.
        """


class VAELatents(FeatureExtractor):
    """Latents of diffusers' `AutoencoderKL`: the means of its posterior, times its scaling factor.

    Args:
        model: A folder, file or hub repository of it, or of a whole Stable Diffusion.
        size: Height and width of the videos in pixels.
        device: Where it runs.
    """

    def __init__(self, model: str | os.PathLike, size: int = 512, device: str = "cpu") -> None:
        from diffusers import AutoencoderKL

        self.vae = _loaded(AutoencoderKL, model, device)
        self.size, self.device, self.source = str(size), device, str(model)
        self.name, self.needs = f"vae@{fingerprint(self.vae)}-{size}", f"a video of {size} pixels"

    def accepts(self, record: ClipRecord) -> bool:
        """Check that the clip has a video of that size."""
        return self.size in record.videos

    def extract(self, cache: Cache, record: ClipRecord) -> np.ndarray:
        """Run the network on a clip.

        Args:
            cache: The cache.
            record: A clip of it that `accepts`.

        Returns:
            (frames, C, h, w) float16.
        """
        return self.encode(read_video(cache.path(record.videos[self.size])))

    @torch.no_grad()
    def encode(self, frames: Iterable[np.ndarray]) -> np.ndarray:
        """Encode frames in batches.

        Args:
            frames: (H, W, 3) uint8 RGB, one by one.

        Returns:
            (N, C, h, w) float16.
        """
        latents = []
        for batch in _batches(frames, _BATCH):
            pixels = torch.from_numpy(np.stack(batch)).to(self.device).permute(0, 3, 1, 2).to(self.vae.dtype) / 127.5 - 1  # (F, 3, H, W)
            latents.append((self.vae.encode(pixels).latent_dist.mean * self.vae.config.scaling_factor).half().cpu())
        return torch.cat(latents).numpy()


class Wav2Vec2Features(FeatureExtractor):
    """Hidden states of transformers' `Wav2Vec2Model` (or its kin: HuBERT, WavLM), interpolated to one a frame.

    Args:
        model: A folder or hub repository.
        layer: Which of the hidden states; −1 is the last.
        device: Where it runs.
    """

    def __init__(self, model: str | os.PathLike, layer: int = -1, device: str = "cpu") -> None:
        from transformers import AutoModel, PreTrainedModel

        self.model: PreTrainedModel = _loaded(AutoModel, model, device)
        self.layer, self.device, self.source, self.needs = layer, device, str(model), "sound"
        self.name = f"wav2vec2@{fingerprint(self.model)}" + ("" if layer == -1 else f"-{layer}")

    def accepts(self, record: ClipRecord) -> bool:
        """Check that the clip has sound."""
        return bool(record.audio)

    @torch.no_grad()
    def extract(self, cache: Cache, record: ClipRecord) -> np.ndarray:
        """Run the network on a clip.

        Args:
            cache: The cache.
            record: A clip of it that `accepts`.

        Returns:
            (frames, D) float16.
        """
        sound = torch.from_numpy(read_audio(cache.path(record.audio)))[: record.frames * SAMPLES_PER_FRAME].to(
            self.device, self.model.dtype
        )
        # as its own feature extractor does: no mean, unit variance
        sound = (sound - sound.mean()) / (sound.var(correction=0) + 1e-7).sqrt()
        states = self.model(sound[None], output_hidden_states=True).hidden_states[self.layer]  # (1, about 2·frames, D)
        return F.interpolate(states.float().mT, record.frames, mode="linear")[0].T.half().cpu().numpy()  # (frames, D)


def extract_features(
    root: str | os.PathLike, extractors: Sequence[FeatureExtractor], console: Console | None = None, shard: Shard | None = None
) -> Cache:
    """Add features to a cache, those that are missing.

    Args:
        root: The cache.
        extractors: The networks.
        console: Where progress goes.
        shard: The part of the clips to do, where several machines share them out; all where not given.

    Returns:
        The cache, its manifest written.

    Raises:
        InputError: If there is no cache, or another process is preparing it.
        TBDError: If no clip has what a network needs.
    """
    from rich.progress import track

    console = console or Console()
    cache = Cache(root)
    with locked(cache, shard):
        ready = [record for record in cache.records() if record.ready]
        records = ready if shard is None else shard.of(ready)
        try:
            for extractor in extractors:
                _note_source(cache, extractor)
                todo = [r for r in records if extractor.accepts(r) and not _there(cache, r, extractor.name)]
                for record in track(todo, extractor.name, console=console, transient=True):
                    path = f"features/{extractor.name}/{record.person}/{record.clip}.npy"
                    with atomic_output(cache.path(path)) as temporary:
                        np.save(temporary, extractor.extract(cache, record))
                    current = cache.load_record(record) or record
                    cache.save_record(replace(current, features={**current.features, extractor.name: path}))
                _require_some(extractor, ready, cache)
                console.print(
                    f"{extractor.name}: {len(todo)} clips done, {len(records) - len(todo)} there before or without what it needs."
                )
        finally:
            cache.write_manifest()
    return cache


def _note_source(cache: Cache, extractor: FeatureExtractor) -> None:
    """Keep what the user called a network beside its features, for people: the name is made of its weights."""
    path = cache.path(f"features/{extractor.name}/source.txt")
    if extractor.source and not path.exists():
        with atomic_output(path) as temporary:
            temporary.write_text(extractor.source + "\n", encoding="utf-8")


def _require_some(extractor: FeatureExtractor, records: Sequence[ClipRecord], cache: Cache) -> None:
    """Raise `TBDError` where no clip has what a network needs."""
    if not any(extractor.accepts(record) for record in records):
        raise TBDError(
            f"{extractor.name}: 0 clips done, since none of the {len(records)} ready clips of {cache.root} has what it needs "
            f"({extractor.needs})."
        )


def video_size(cache: Cache, size: int | None) -> int:
    """Choose the size of the videos that networks see.

    Args:
        cache: A prepared cache.
        size: The wanted one in pixels; the largest of the cache where not given.

    Returns:
        A size of the cache.

    Raises:
        InputError: If the cache has no videos of that size.
    """
    sizes = sorted(cache.config.get("sizes", ()))
    if not sizes or size not in (None, *sizes):
        there = " and ".join(map(str, sizes)) or "no videos"
        raise InputError(f"{cache.root} has {there}, not videos of {size} pixels; leave --size out or name one of these.")
    return sizes[-1] if size is None else size


def _there(cache: Cache, record: ClipRecord, name: str) -> bool:
    return name in record.features and cache.path(record.features[name]).is_file()


def _loaded(kind: Any, model: str | os.PathLike, device: str) -> Any:
    return from_source(kind, model).to(device).eval().requires_grad_(False)


def _batches(frames: Iterable[np.ndarray], size: int) -> Iterable[list[np.ndarray]]:
    batch = []
    for frame in frames:
        batch.append(frame)
        if len(batch) == size:
            yield batch
            batch = []
    if batch:
        yield batch
