"""Clips packed end to end in two flat arrays beside their manifest, memory-mapped: reading a window is one slice.

packed/<name>-audio.npy     (frames · 640,) int16
packed/<name>-motion.npy    (frames, 58) float16
packed/<name>.json          which clips lie there, written last
"""

import json
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from tbd.errors import InputError
from tbd.face.motion import CHANNELS, SAMPLES_PER_FRAME, Motion
from tbd.face.sound import read_samples
from tbd.files import atomic_output
from tbd.think.plan import MusclePlan


@dataclass(frozen=True)
class TrainingClip:
    """A clip as a DataModule sees it, whatever data set it is from.

    Args:
        name: unique within the data set.
        side: ``train``, ``val`` or ``test``; empty where it belongs to none.
        person: who speaks.
        frames: of its motion.
        motion: the file.
        audio: a 16 kHz mono wave file; None for silence.
        plan: what is felt and which muscles show it; None where nobody knows.
        emotion: its label, or empty.
        video: the clip's pictures, where they are wanted.
    """

    name: str
    side: str
    person: str
    frames: int
    motion: Path
    audio: Path | None = None
    plan: MusclePlan | None = None
    emotion: str = ""
    video: Path | None = None


@dataclass
class Pack:
    """Clips that lie end to end.

    Args:
        audio: (samples,) int16, every clip padded or cut to its frames · 640.
        motion: (frames, 58) float16 or float32.
        first: (K,) int64, each clip's first frame.
        length: (K,) int64, each clip's frames.
    """

    audio: Tensor
    motion: Tensor
    first: Tensor
    length: Tensor

    @classmethod
    def of(cls, audio: Tensor, motion: Tensor, lengths: Sequence[int]) -> "Pack":
        length = torch.as_tensor(np.asarray(lengths, np.int64), device=audio.device)
        return cls(audio, motion, length.cumsum(0) - length, length)

    def to(self, device: torch.device | str) -> "Pack":
        return Pack(self.audio.to(device), self.motion.to(device), self.first.to(device), self.length.to(device))

    def cut(self, clip: Tensor, start: Tensor, frames: int, context: int) -> tuple[Tensor, Tensor, Tensor]:
        """Windows: one gather on a GPU; on a CPU, where memory is read in runs, a copy each, which is ten times as fast there.

        Args:
            clip: (B,) int64.
            start: (B,) int64, the window's first frame in its clip.
            frames: T.
            context: frames of audio on either side.

        Returns:
            Audio (B, (T + 2·context)·640) float32, motion (B, T, 58) float32, mask (B, T) float32; see `MotionBatch`.
        """
        return (self.copied if self.audio.device.type == "cpu" else self.gathered)(clip, start, frames, context)

    def gathered(self, clip: Tensor, start: Tensor, frames: int, context: int) -> tuple[Tensor, Tensor, Tensor]:
        """`cut` on any device."""
        first, length = self.first[clip][:, None], self.length[clip][:, None]
        places = start[:, None] + torch.arange(frames, device=start.device)  # (B, T)
        motion = self.motion[first + places.minimum(length - 1)].float()
        wanted = (frames + 2 * context) * SAMPLES_PER_FRAME
        samples = (start - context)[:, None] * SAMPLES_PER_FRAME + torch.arange(wanted, device=start.device)
        there = (samples >= 0) & (samples < length * SAMPLES_PER_FRAME)
        heard = self.audio[first * SAMPLES_PER_FRAME + samples.clamp(min=0).minimum(length * SAMPLES_PER_FRAME - 1)]
        return heard.float() / 32768 * there, motion, (places < length).float()

    def copied(self, clip: Tensor, start: Tensor, frames: int, context: int) -> tuple[Tensor, Tensor, Tensor]:
        """`cut` on a CPU."""
        wanted = (frames + 2 * context) * SAMPLES_PER_FRAME
        audio = torch.zeros(len(clip), wanted)
        motion = torch.empty(len(clip), frames, self.motion.shape[1])
        mask = torch.zeros(len(clip), frames)
        for i, (first, length, begin) in enumerate(zip(self.first[clip].tolist(), self.length[clip].tolist(), start.tolist())):
            there = min(length - begin, frames)
            motion[i, :there] = self.motion[first + begin : first + begin + there]
            motion[i, there:] = motion[i, there - 1]
            mask[i, :there] = 1
            offset = (begin - context) * SAMPLES_PER_FRAME
            low, high = max(offset, 0), min(offset + wanted, length * SAMPLES_PER_FRAME)
            audio[i, low - offset : high - offset] = self.audio[first * SAMPLES_PER_FRAME + low : first * SAMPLES_PER_FRAME + high]
        return audio.div_(32768), motion, mask


def pack(folder: Path, name: str, clips: Sequence[TrainingClip]) -> None:
    """Write a pack unless it is there and holds these very clips.

    Raises:
        InputError: a file cannot be read, or the folder not written.
    """
    about = {
        "clips": [clip.name for clip in clips],
        "frames": [clip.frames for clip in clips],
        "written": [_written(clip) for clip in clips],
    }
    index = folder / f"{name}.json"
    if index.is_file() and json.loads(index.read_text()) == about:
        return
    index.unlink(missing_ok=True)  # from here on what lies there is no pack
    _lay(folder / f"{name}-audio.npy", clips, SAMPLES_PER_FRAME, np.int16, (), _read_audio)
    _lay(folder / f"{name}-motion.npy", clips, 1, np.float16, (len(CHANNELS),), _read_motion)
    with atomic_output(index) as temporary:
        temporary.write_text(json.dumps(about))


def load_pack(folder: Path, name: str) -> Pack:
    """What `pack` wrote, memory-mapped."""
    lengths = json.loads((folder / f"{name}.json").read_text())["frames"]
    # copy-on-write, since torch has no read-only tensors
    audio, motion = (torch.from_numpy(np.load(folder / f"{name}-{kind}.npy", mmap_mode="c")) for kind in ("audio", "motion"))
    return Pack.of(audio, motion, lengths)


def _lay(path: Path, clips: Sequence[TrainingClip], rate: int, dtype: type, shape: tuple[int, ...], read: Callable) -> None:
    """One array of all clips, `rate` rows a frame."""
    first = np.concatenate([[0], np.cumsum([clip.frames for clip in clips])]).astype(int) * rate
    with atomic_output(path) as temporary:
        out = np.lib.format.open_memmap(temporary, "w+", dtype, (int(first[-1]), *shape))

        def place(i: int) -> None:
            piece = read(clips[i])[: first[i + 1] - first[i]]
            out[first[i] : first[i] + len(piece)] = piece

        with ThreadPoolExecutor(8) as pool:
            list(pool.map(place, range(len(clips))))
        out.flush()


def _written(clip: TrainingClip) -> int:
    """When a clip's motion was written; a clip that was prepared anew is packed anew."""
    try:
        return clip.motion.stat().st_mtime_ns
    except OSError:
        raise InputError(f"There is no motion file {clip.motion} that the manifest names; prepare or synthesize the clip again.") from None


def _read_audio(clip: TrainingClip) -> np.ndarray:
    """(N,) int16."""
    return np.zeros(0, np.int16) if clip.audio is None else read_samples(clip.audio)


def _read_motion(clip: TrainingClip) -> np.ndarray:
    return Motion.load(clip.motion).values
