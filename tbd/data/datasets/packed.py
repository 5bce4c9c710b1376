"""Clips packed end to end in two flat arrays beside their manifest, memory-mapped: reading a window is one slice.

packed/<name>-audio.npy     (frames · 640,) int16
packed/<name>-motion.npy    (frames, 58) float16
packed/<name>.json          which clips lie there, written last

and, where phones were recognized,

packed/<name>-<recognizer>.npy     (frames · 4,) uint8
packed/<name>-<recognizer>.json
"""

import functools
import json
import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypedDict

import numpy as np
import torch
from torch import Tensor
from typing_extensions import NotRequired

from tbd.data.measured_plans import MeasuredPlan
from tbd.errors import InputError
from tbd.face.channels import CHANNELS
from tbd.face.motion import Motion
from tbd.media.rates import SAMPLES_PER_FRAME
from tbd.media.wav import read_samples
from tbd.speech.alignment import PHONES_PER_FRAME, phone_track
from tbd.speech.recognizer import PhoneRecognizer
from tbd.think.plan import MusclePlan
from tbd.utils.atomic import atomic_output
from tbd.utils.jobs.multiprocessing import parallel_map

_WORTH_A_PROCESS = 32
"""Clips; fewer are recognized before another process has started."""


@dataclass(frozen=True)
class TrainingClip:
    """A clip as a DataModule sees it, whatever data set it is from.

    Args:
        name: Unique within the data set.
        split: ``train``, ``val`` or ``test``; empty where it belongs to none.
        person: Who speaks.
        frames: Number of frames of its motion.
        motion: The motion's file.
        audio: A 16 kHz mono wave file; None for silence.
        plan: The emotion and the muscles that show it; None where they are not known.
        emotion: Its label, or empty.
        video: The clip's video, where frames are wanted.
        phones: A file of the true times of its phones, where they are known.
        measured: The file of its measured plan, whose rest is taken off the motion; None for the motion as it is.
    """

    name: str
    split: str
    person: str
    frames: int
    motion: Path
    audio: Path | None = None
    plan: MusclePlan | None = None
    emotion: str = ""
    video: Path | None = None
    phones: Path | None = None
    measured: Path | None = None


class PackedWindows(TypedDict):
    """Windows of a pack: ``audio``, ``motion``, ``mask`` and, where phones were recognized, ``phones``, as `MotionBatch` has them."""

    audio: Tensor
    motion: Tensor
    mask: Tensor
    phones: NotRequired[Tensor]


@dataclass
class Pack:
    """Clips that lie end to end.

    Args:
        audio: (samples,) int16, every clip padded or cut to its frames · 640.
        motion: (frames, 58) float16 or float32.
        first: (K,) int64, each clip's first frame.
        length: (K,) int64, each clip's number of frames.
        phones: (frames · 4,) uint8, indices into `tbd.speech.alignment.SYMBOLS`; None where none were recognized.

    Example:
        >>> pack = Pack.of(torch.zeros(5 * 640, dtype=torch.int16), torch.zeros(5, 58), [2, 3])
        >>> window = pack.cut(torch.tensor([1]), torch.tensor([1]), frames=4, context=0)
        >>> window["mask"].tolist(), tuple(window["audio"].shape)
        ([[1.0, 1.0, 0.0, 0.0]], (1, 2560))
    """

    audio: Tensor
    motion: Tensor
    first: Tensor
    length: Tensor
    phones: Tensor | None = None

    @classmethod
    def of(cls, audio: Tensor, motion: Tensor, lengths: Sequence[int], phones: Tensor | None = None) -> "Pack":
        """Make a pack from the lengths of its clips.

        Args:
            audio: (samples,) int16.
            motion: (frames, 58).
            lengths: Number of frames of each clip.
            phones: (frames · 4,) uint8, or None.

        Returns:
            The pack.
        """
        length = torch.as_tensor(np.asarray(lengths, np.int64), device=audio.device)
        return cls(audio, motion, length.cumsum(0) - length, length, phones)

    def to(self, device: torch.device | str) -> "Pack":
        """Copy to a device."""
        phones = None if self.phones is None else self.phones.to(device)
        return Pack(self.audio.to(device), self.motion.to(device), self.first.to(device), self.length.to(device), phones)

    def cut(self, clip: Tensor, start: Tensor, frames: int, context: int) -> PackedWindows:
        """Cut windows: one gather on a GPU; on a CPU, where memory is read in runs, a copy each, which is ten times as fast there.

        Args:
            clip: (B,) int64.
            start: (B,) int64, the window's first frame in its clip.
            frames: T.
            context: Frames of audio before and after the window.

        Returns:
            The windows.
        """
        return (self.copied if self.audio.device.type == "cpu" else self.gathered)(clip, start, frames, context)

    def gathered(self, clip: Tensor, start: Tensor, frames: int, context: int) -> PackedWindows:
        """Do what `cut` does by one gather, on any device.

        Args:
            clip: (B,) int64.
            start: (B,) int64, the window's first frame in its clip.
            frames: T.
            context: Frames of audio before and after the window.

        Returns:
            The windows.
        """
        first, length = self.first[clip][:, None], self.length[clip][:, None]
        places = start[:, None] + torch.arange(frames, device=start.device)  # (B, T)

        def around(track: Tensor, rate: int) -> Tensor:
            """(B, (T + 2·context)·rate), 0 outside the clip."""
            at = (start - context)[:, None] * rate + torch.arange((frames + 2 * context) * rate, device=start.device)
            there = (at >= 0) & (at < length * rate)
            return track[first * rate + at.clamp(min=0).minimum(length * rate - 1)] * there

        cut: PackedWindows = {
            "audio": around(self.audio, SAMPLES_PER_FRAME).float() / 32768,
            "motion": self.motion[first + places.minimum(length - 1)].float(),
            "mask": (places < length).float(),
        }
        if self.phones is not None:
            cut["phones"] = around(self.phones, PHONES_PER_FRAME)
        return cut

    def copied(self, clip: Tensor, start: Tensor, frames: int, context: int) -> PackedWindows:
        """Do what `cut` does by a copy for each window, on a CPU.

        Args:
            clip: (B,) int64.
            start: (B,) int64, the window's first frame in its clip.
            frames: T.
            context: Frames of audio before and after the window.

        Returns:
            The windows.
        """
        wanted = frames + 2 * context
        motion, mask = torch.empty(len(clip), frames, self.motion.shape[1]), torch.zeros(len(clip), frames)
        around = [(torch.zeros(len(clip), wanted * SAMPLES_PER_FRAME), self.audio, SAMPLES_PER_FRAME)]
        if self.phones is not None:
            around.append((torch.zeros(len(clip), wanted * PHONES_PER_FRAME, dtype=torch.uint8), self.phones, PHONES_PER_FRAME))
        for i, (first, length, begin) in enumerate(zip(self.first[clip].tolist(), self.length[clip].tolist(), start.tolist())):
            there = min(length - begin, frames)
            motion[i, :there] = self.motion[first + begin : first + begin + there]
            motion[i, there:] = motion[i, there - 1]
            mask[i, :there] = 1
            offset = begin - context
            low, high = max(offset, 0), min(offset + wanted, length)
            for out, track, rate in around:
                out[i, (low - offset) * rate : (high - offset) * rate] = track[(first + low) * rate : (first + high) * rate]
        cut: PackedWindows = {"audio": around[0][0].div_(32768), "motion": motion, "mask": mask}
        if self.phones is not None:
            cut["phones"] = around[1][0]
        return cut


def pack(folder: Path, name: str, clips: Sequence[TrainingClip], recognizer: PhoneRecognizer | None = None) -> None:
    """Write a pack unless it is there and holds these very clips.

    Args:
        folder: Where to write.
        name: Of the pack.
        clips: What it holds.
        recognizer: Recognizes the phones of every clip, on all processors, which are packed as well.

    Raises:
        InputError: If a file cannot be read, or the folder not written.
    """

    def motion_and_audio() -> None:
        _lay(folder / f"{name}-audio.npy", clips, SAMPLES_PER_FRAME, np.int16, (), _read_audio)
        _lay(folder / f"{name}-motion.npy", clips, 1, np.float16, (len(CHANNELS),), _read_motion)

    _unless_there(folder / f"{name}.json", clips, motion_and_audio)
    if recognizer is not None:
        path = folder / f"{name}-{recognizer.name}.npy"
        _unless_there(path.with_suffix(".json"), clips, functools.partial(_pack_phones, path, clips, recognizer))


def load_pack(folder: Path, name: str, recognizer: PhoneRecognizer | None = None) -> Pack:
    """Open what `pack` wrote, memory-mapped.

    Args:
        folder: Where it lies.
        name: Of the pack.
        recognizer: Whose phones to load; none where None.

    Returns:
        The pack.
    """
    lengths = json.loads((folder / f"{name}.json").read_text())["frames"]

    def mapped(kind: str) -> Tensor:
        return torch.from_numpy(np.load(folder / f"{name}-{kind}.npy", mmap_mode="c"))  # copy-on-write: torch has no read-only tensors

    return Pack.of(mapped("audio"), mapped("motion"), lengths, None if recognizer is None else mapped(recognizer.name))


def _unless_there(index: Path, clips: Sequence[TrainingClip], write: Callable[[], None]) -> None:
    about = {
        "clips": [clip.name for clip in clips],
        "frames": [clip.frames for clip in clips],
        "written": [_written(clip) for clip in clips],
        **({"measured": [_written(clip, "measured") for clip in clips]} if any(clip.measured for clip in clips) else {}),
    }
    if index.is_file() and json.loads(index.read_text()) == about:
        return
    index.unlink(missing_ok=True)  # from here on what lies there is no pack
    write()
    with atomic_output(index) as temporary:
        temporary.write_text(json.dumps(about))


def _pack_phones(path: Path, clips: Sequence[TrainingClip], recognizer: PhoneRecognizer) -> None:
    workers = min(os.cpu_count() or 1, 1 + len(clips) // _WORTH_A_PROCESS)
    tracks = dict(parallel_map(functools.partial(_recognize, recognizer), list(enumerate(clips)), workers))
    with atomic_output(path) as temporary:
        np.save(temporary, np.concatenate([tracks[i] for i in range(len(clips))]))


def _recognize(recognizer: PhoneRecognizer, item: tuple[int, TrainingClip]) -> tuple[int, np.ndarray]:
    """A clip's index and its phones, (frames · 4,) uint8."""
    index, clip = item
    audio = _read_audio(clip)[: clip.frames * SAMPLES_PER_FRAME].astype(np.float32) / 32768
    return index, phone_track(recognizer.listen(audio), clip.frames)


def _lay(path: Path, clips: Sequence[TrainingClip], rate: int, dtype: type, shape: tuple[int, ...], read: Callable) -> None:
    """Write one array of all clips, `rate` rows a frame."""
    first = np.concatenate([[0], np.cumsum([clip.frames for clip in clips])]).astype(int) * rate
    with atomic_output(path) as temporary:
        out = np.lib.format.open_memmap(temporary, "w+", dtype, (int(first[-1]), *shape))

        def place(i: int) -> None:
            piece = read(clips[i])[: first[i + 1] - first[i]]
            out[first[i] : first[i] + len(piece)] = piece

        with ThreadPoolExecutor(8) as pool:
            list(pool.map(place, range(len(clips))))
        out.flush()


def _written(clip: TrainingClip, kind: Literal["motion", "measured"] = "motion") -> int:
    """Time at which a file of a clip was written, 0 where it has none; a clip that was prepared or measured anew is packed anew."""
    path: Path | None = getattr(clip, kind)
    try:
        return 0 if path is None else path.stat().st_mtime_ns
    except OSError:
        raise InputError(f"There is no {kind} file {path} that the manifest names; prepare, measure or synthesize it again.") from None


def _read_audio(clip: TrainingClip) -> np.ndarray:
    """(N,) int16."""
    return np.zeros(0, np.int16) if clip.audio is None else read_samples(clip.audio)


def _read_motion(clip: TrainingClip) -> np.ndarray:
    motion = Motion.load(clip.motion)
    if len(motion) < clip.frames:  # the rest would be a face at rest, silently
        raise InputError(f"{clip.motion} has {len(motion)} frames, where the manifest says {clip.frames}; prepare or synthesize it again.")
    return (motion if clip.measured is None else MeasuredPlan.load(clip.measured).relative(motion)).values
