"""Windows cut from clips of speech and motion: the batches that `MotionDiffusion` trains on."""

from collections.abc import Sequence
from typing import TypedDict

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import Dataset

from tbd.face.motion import CHANNELS, FPS, SAMPLES_PER_FRAME
from tbd.think.encoder import PlanTensors


class MotionBatch(TypedDict):
    """One batch of windows, the same from every DataModule.

    audio: (B, (T + 2·context)·640) float32 at 16 kHz in −1..1, silence where the clip has no sound.
    motion: (B, T, 58) float32 at 25 fps, the channels of `tbd.face.motion.CHANNELS`.
    plan: the B clips' plans, their times in seconds from the start of the window.
    mask: (B, T) float32, 1 at frames that the clip has, 0 at padding.
    """

    audio: Tensor
    motion: Tensor
    plan: PlanTensors
    mask: Tensor


class WindowDataset(Dataset):
    """Windows over clips that lie end to end in two long arrays.

    The arrays may be memory-mapped, in memory, or on a GPU: a batch is one gather, so that a small model is never kept
    waiting (see `benchmarks/`). Indexed by a list of window numbers, it gives a `MotionBatch`.

    Args:
        audio: (samples,) int16, every clip padded or cut to its frames · 640.
        motion: (frames, 58) float16 or float32.
        lengths: frames of each clip.
        plans: one plan per clip, times in seconds from the start of the clip.
        window_frames: T.
        context_frames: frames of audio on either side.
        jitter: start windows anywhere (training) instead of on a fixed grid.
        passes: how often the clips are passed over in one epoch.
    """

    def __init__(
        self,
        audio: Tensor,
        motion: Tensor,
        lengths: Sequence[int],
        plans: PlanTensors,
        window_frames: int,
        context_frames: int,
        jitter: bool,
        passes: int = 1,
    ) -> None:
        self.audio, self.motion, self.plans = audio, motion, plans
        self.window_frames, self.context_frames, self.jitter = window_frames, context_frames, jitter
        lengths = np.asarray(lengths)
        windows = np.maximum(np.ceil(lengths / window_frames), 1).astype(int)
        device = audio.device
        self.clip = torch.from_numpy(np.tile(np.repeat(np.arange(len(lengths)), windows), passes)).to(device)
        self.place = torch.from_numpy(np.tile(np.concatenate([np.arange(n) for n in windows]), passes)).to(device)
        self.first = torch.from_numpy(np.concatenate([[0], np.cumsum(lengths)[:-1]])).to(device)
        self.length = torch.from_numpy(lengths).to(device)

    def __len__(self) -> int:
        return len(self.clip)

    def __getitem__(self, index: int) -> MotionBatch:
        return self.__getitems__([index])

    def __getitems__(self, indices: list[int]) -> MotionBatch:
        rows = torch.as_tensor(indices, device=self.clip.device)
        clip, t, c = self.clip[rows], self.window_frames, self.context_frames
        length = self.length[clip]
        if self.jitter:
            room = (length - t).clamp(min=0)
            # a tenth begin at the beginning, as every recording does
            where = (torch.rand(len(rows), device=room.device) * 1.1 - 0.1).clamp(min=0)
            start = (where * (room + 1)).long().minimum(room)
        else:
            start = self.place[rows] * t
        frames = start[:, None] + torch.arange(t, device=start.device)
        mask = frames < length[:, None]
        motion = self.motion[(self.first[clip][:, None] + frames.minimum(length[:, None] - 1))].float()
        samples = (start - c)[:, None] * SAMPLES_PER_FRAME + torch.arange((t + 2 * c) * SAMPLES_PER_FRAME, device=start.device)
        there = (samples >= 0) & (samples < length[:, None] * SAMPLES_PER_FRAME)
        places = self.first[clip][:, None] * SAMPLES_PER_FRAME + samples.clamp(min=0).minimum(length[:, None] * SAMPLES_PER_FRAME - 1)
        audio = self.audio[places].float() / 32768 * there
        return {"audio": audio, "motion": motion, "plan": self.plans[clip].shifted(start / FPS), "mask": mask.float()}

    def statistics(self) -> tuple[Tensor, Tensor]:
        """Mean and standard deviation of each channel, (58,) each.

        Channels that hardly move get a floor, or their noise would weigh as much as the jaw.
        """
        motion = self.motion.double() if self.motion.device.type == "cpu" else self.motion.float()
        mean, std = motion.mean(0).float(), motion.std(0, correction=0).float()
        floor = torch.full_like(std, 0.03)
        floor[[CHANNELS.index(name) for name in CHANNELS if name.startswith("head")]] = 0.01
        return mean, std.maximum(floor)


def as_is(batch: MotionBatch) -> MotionBatch:
    """The collate function for a dataset that hands out whole batches."""
    return batch
