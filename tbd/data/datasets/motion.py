"""`WindowDataset`: windows cut from clips of speech and motion, the batches that `MotionDiffusion` trains on."""

from collections.abc import Sequence
from typing import TypedDict, TypeVar

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import Dataset
from typing_extensions import NotRequired

from tbd.data.datasets.frames import VideoClips
from tbd.data.datasets.packed import Pack, PackedWindows
from tbd.draw.conditioning.plan_tensors import PlanTensors
from tbd.draw.motion.normalization import least_deviation
from tbd.face.motion import CHANNELS
from tbd.media.rates import FPS

_BLOCK = 1 << 18
"""Frames of motion that are read at once for statistics."""


T = TypeVar("T")


class MotionBatch(TypedDict):
    """One batch of windows, the same from every DataModule.

    audio: (B, (T + 2·context)·640) float32 at 16 kHz in −1..1, silence where the clip has no sound.
    motion: (B, T, 58) float32 at 25 fps, the channels of `tbd.face.channels.CHANNELS`.
    plan: the B clips' plans, their times in seconds from the start of the window.
    planned: (B,) float32, 1 where the plan is known, 0 where the data set has no label: a module withholds it there.
    mask: (B, T) float32, 1 at frames that the clip has, 0 at padding.
    clip: (B,) int64, indices into `MotionDataModule.names`.
    start: (B,) int64, the window's first frame in its clip.
    id: (B,) int64, the samples' numbers, which seed all randomness in `tbd.draw.randomness`; in validation the windows' own.
        They stay on the CPU, which seeds generators with them, or each step would wait for the previous one.
    phones: (B, (T + 2·context)·4) uint8, indices into `tbd.speech.alignment.SYMBOLS`, only where the DataModule has a recognizer.
    video: (B, F, 3, H, W) float32 in 0..1, only where the DataModule has `video_frames`.
    video_frames: (B, F) int64, which of the window's T frames these are.
    """

    audio: Tensor
    motion: Tensor
    plan: PlanTensors
    planned: Tensor
    mask: Tensor
    clip: Tensor
    start: Tensor
    id: Tensor
    phones: NotRequired[Tensor]
    video: NotRequired[Tensor]
    video_frames: NotRequired[Tensor]


class WindowDataset(Dataset):
    """Windows over some clips of one or more packs.

    The packs may be memory-mapped, in memory, or on a GPU: a batch is one gather, so that a small model is never kept
    waiting (see `benchmarks/`). Indexed by a list of window numbers, it gives a `MotionBatch`.

    Where a window starts depends on its number alone, so that batches are the same for any number of workers and devices. With
    `jitter`, numbers beyond the length of the dataset are the same windows with other starts: `EpochSampler` counts on from
    epoch to epoch.

    Args:
        packs: The clips, numbered on from one pack to the next.
        plans: One plan per clip, times in seconds from the start of the clip.
        window_frames: T.
        context_frames: Frames of audio before and after the window.
        jitter: Whether to start windows anywhere (training) instead of on a fixed grid.
        clips: Indices of those to take; all where not given.
        planned: For every clip, whether its plan is known; all where not given.
        seed: Of the jitter.
        videos: Whose frames to add to the batches.
    """

    def __init__(
        self,
        packs: Pack | Sequence[Pack],
        plans: PlanTensors,
        window_frames: int,
        context_frames: int,
        jitter: bool,
        clips: Sequence[int] | None = None,
        planned: Sequence[bool] | None = None,
        seed: int = 0,
        videos: VideoClips | None = None,
    ) -> None:
        self.packs = [packs] if isinstance(packs, Pack) else list(packs)
        device = self.packs[0].audio.device
        self.plans, self.seed, self.videos = plans.to(device), seed, videos
        self.window_frames, self.context_frames, self.jitter = window_frames, context_frames, jitter
        self.length = torch.cat([p.length for p in self.packs])
        self.pack = torch.repeat_interleave(torch.tensor([len(p.length) for p in self.packs])).to(device)
        self.offsets = np.concatenate([[0], np.cumsum([len(p.length) for p in self.packs])]).tolist()
        self.planned = torch.ones_like(self.length) if planned is None else torch.tensor([bool(p) for p in planned], device=device)
        chosen = torch.arange(len(self.length)) if clips is None else torch.as_tensor(np.asarray(clips, np.int64))
        windows = np.maximum(np.ceil(self.length.cpu().numpy()[chosen.numpy()] / window_frames), 1).astype(int)
        self.clip = chosen.repeat_interleave(torch.from_numpy(windows)).to(device)
        self.place = torch.from_numpy(np.concatenate([np.zeros(0, int), *(np.arange(n) for n in windows)])).to(device)

    def __len__(self) -> int:
        return len(self.clip)

    def __getitem__(self, index: int) -> MotionBatch:
        return self.__getitems__([index])

    def __getitems__(self, indices: list[int]) -> MotionBatch:
        numbers = torch.as_tensor(indices, device=self.clip.device)
        rows = numbers % len(self)
        return self.batch(self.clip[rows], self._starts(numbers, rows), self.window_frames, torch.as_tensor(indices))

    def _starts(self, numbers: Tensor, rows: Tensor) -> Tensor:
        """(B,) first frames."""
        if not self.jitter:
            return self.place[rows] * self.window_frames
        room = (self.length[self.clip[rows]] - self.window_frames).clamp(min=0)
        # a tenth begin at the beginning, as every recording does
        where = (uniform(numbers, self.seed) * 1.1 - 0.1).clamp(min=0)
        return (where * (room + 1)).long().minimum(room)

    def batch(self, clip: Tensor, start: Tensor, frames: int, numbers: Tensor | None = None) -> MotionBatch:
        """Cut windows.

        Args:
            clip: (B,) indices of clips.
            start: (B,) their windows' first frames.
            frames: T.
            numbers: (B,) the samples' numbers; the clips' where not given.

        Returns:
            The batch.
        """
        cut = self._cut(clip, start, frames)
        batch: MotionBatch = {
            "audio": cut["audio"],
            "motion": cut["motion"],
            "mask": cut["mask"],
            "plan": self.plans[clip].shifted(start / FPS),
            "planned": self.planned[clip].float(),
            "clip": clip,
            "start": start,
            "id": clip.cpu() if numbers is None else numbers,
        }
        if "phones" in cut:
            batch["phones"] = cut["phones"]
        if self.videos is not None:
            lengths = self.length[clip].tolist()
            batch["video"], batch["video_frames"] = self.videos.read(clip.tolist(), start.tolist(), lengths, frames)
        return batch

    def _cut(self, clip: Tensor, start: Tensor, frames: int) -> PackedWindows:
        if len(self.packs) == 1:
            return self.packs[0].cut(clip, start, frames, self.context_frames)
        order: list[Tensor] = []
        parts: list[PackedWindows] = []
        for k, pack in enumerate(self.packs):
            own = torch.nonzero(self.pack[clip] == k)[:, 0]
            if len(own):
                order.append(own)
                parts.append(pack.cut(clip[own] - self.offsets[k], start[own], frames, self.context_frames))
        back = torch.cat(order).argsort()
        joined: PackedWindows = {
            "audio": torch.cat([part["audio"] for part in parts])[back],
            "motion": torch.cat([part["motion"] for part in parts])[back],
            "mask": torch.cat([part["mask"] for part in parts])[back],
        }
        if "phones" in parts[0]:
            joined["phones"] = torch.cat([part["phones"] for part in parts])[back]
        return joined

    def statistics(self, weights: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Compute mean and standard deviation of each channel over the chosen clips.

        Channels that hardly move get a floor, or their noise would weigh as much as the jaw.

        Args:
            weights: How often `EpochSampler` takes each window, relative to the others; equally where not given.

        Returns:
            (58,) each.
        """
        weight = torch.zeros(len(self.length), dtype=torch.float64, device=self.clip.device)
        if weights is None:
            weight[self.clip] = 1
        else:
            weight.index_add_(0, self.clip, weights.double().to(weight.device))
            weight /= self.length
        total, mean, square = (torch.zeros(size, dtype=torch.float64, device=weight.device) for size in ((), len(CHANNELS), len(CHANNELS)))
        for k, pack in enumerate(self.packs):
            per_frame = weight[self.offsets[k] : self.offsets[k + 1]].repeat_interleave(pack.length)
            for part, motion in zip(per_frame.split(_BLOCK), pack.motion.split(_BLOCK)):
                # the first moments about 0 are small enough for float32 on a GPU, which may have no float64 to spare
                motion = motion.double() if motion.device.type == "cpu" else motion.float()
                part = part.to(motion.dtype)
                total = total + part.sum().double()
                mean, square = mean + (part @ motion).double(), square + (part @ motion.square()).double()
        mean, square = mean / total, square / total
        std = (square - mean.square()).clamp(min=0).sqrt().float()
        return mean.float(), std.maximum(least_deviation().to(std.device))


class ClipDataset(Dataset):
    """Whole clips, each a `MotionBatch` of one: what `predict` goes through.

    Args:
        windows: The dataset whose clips these are.
    """

    def __init__(self, windows: WindowDataset) -> None:
        self.windows, self.clips = windows, windows.clip.unique()

    def __len__(self) -> int:
        return len(self.clips)

    def __getitem__(self, index: int) -> MotionBatch:
        clip = self.clips[index][None]
        return self.windows.batch(clip, torch.zeros_like(clip), int(self.windows.length[clip]))


def uniform(numbers: Tensor, seed: int) -> Tensor:
    """Hash numbers to 0..1, by the number and the seed alone, on any device.

    Args:
        numbers: (B,) int64, at least 0.
        seed: Another seed gives other numbers.

    Returns:
        (B,) float32, below 1.

    Example:
        >>> uniform(torch.arange(3), seed=1)
        tensor([0.3752, 0.8854, 0.7750])
    """
    mask = 0xFFFFFFFF  # arithmetic on 32 bits, which fits into int64
    x = (numbers * 0x9E3779B1 + seed * 0x85EBCA77 + 1) & mask
    for _ in range(2):
        x = ((x ^ (x >> 16)) * 0x45D9F3B) & mask
    return ((x ^ (x >> 16)) >> 8).float() / 2**24


def identity_collate(batch: T) -> T:
    """Collate for a dataset that hands out whole batches."""
    return batch


def unwrap_collate(batches: list[MotionBatch]) -> MotionBatch:
    """Collate for a dataset whose items are batches of one."""
    return batches[0]
