"""`VideoDataModule`: windows of video with portraits, coarse frames, sound and plans, the batches that `VideoDiffusion` trains on."""

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypedDict

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset, SequentialSampler
from typing_extensions import NotRequired

from tbd.data.datasets.motion import identity_collate
from tbd.data.datasets.samplers import EpochSampler, EvaluationSampler, ResumableLoader, SeededDataModule, is_overfitting
from tbd.data.splits import Split
from tbd.draw.conditioning.plan_tensors import PlanTensors
from tbd.draw.randomness import run_seed
from tbd.errors import InputError
from tbd.media.rates import FPS, SAMPLES_PER_FRAME
from tbd.media.wav import read_samples
from tbd.think.plan import MusclePlan
from tbd.utils.input_checks import require_at_least


class VideoBatch(TypedDict):
    """One batch of windows, the same from every DataModule.

    frames: (B, T, 3, H, W) uint8 RGB, or (B, T, C, h, w) float32 cached latents, scaled to about unit variance.
    coarse: the same of the coarse, mesh-warped portrait.
    portrait: (B, 3, H, W) or (B, C, h, w), the image that is animated.
    region_masks: (B, 5, h, w) float32 0..1 over the latent: how far each region of `REGIONS` reaches.
    audio: (B, (T + 2·context)·640) float32 at 16 kHz in −1..1, silence outside the clip.
    plan: the B clips' plans, their times in seconds from the start of the window.
    neutral_coarse: as `coarse`, of lips and head alone; only of clips that have it.
    id: (B,) int64, the samples' numbers: epoch · length of the dataset + window. All randomness in training depends on them.
    """

    frames: Tensor
    coarse: Tensor
    portrait: Tensor
    region_masks: Tensor
    audio: Tensor
    plan: PlanTensors
    id: Tensor
    neutral_coarse: NotRequired[Tensor]


@dataclass(frozen=True)
class WholeClip:
    """One clip of a test.

    Args:
        name: Unique; the noise that generation starts from depends on it.
        frames: (N, 3, H, W) uint8 RGB, or (N, C, h, w) float32 latents.
        coarse: The same of the coarse, mesh-warped portrait.
        portrait: (3, H, W) or (C, h, w).
        region_masks: (5, h, w) float32 0..1.
        audio: (N·640,) float32 at 16 kHz.
        plan: Its times are seconds from the clip's start.
        video: The true frames as a file, where `frames` are latents and there is one.
        neutral_coarse: As `coarse`, of lips and head alone; None where no model reads it.
    """

    name: str
    frames: Tensor
    coarse: Tensor
    portrait: Tensor
    region_masks: Tensor
    audio: np.ndarray
    plan: MusclePlan
    video: Path | None = None
    neutral_coarse: Tensor | None = None


@dataclass(frozen=True)
class VideoClip:
    """One clip: arrays, or the ``.npy`` and ``.wav`` files that hold them and are opened when they are read.

    Args:
        name: For messages.
        frames: (N, 3, H, W) uint8, or (N, C, h, w) float16 latents.
        coarse: The same shape.
        portrait: (3, H, W) or (C, h, w).
        region_masks: (5, h, w) 0..1.
        audio: (N·640,) int16 at 16 kHz; None for silence.
        plan: Its times are seconds from the clip's start.
        video: The frames as a video file, where `frames` are latents; tests compare with it.
        neutral_coarse: As `coarse`, of lips and head alone; None where no model reads it.
    """

    name: str
    frames: np.ndarray | Path
    coarse: np.ndarray | Path
    portrait: np.ndarray | Path
    region_masks: np.ndarray | Path
    audio: np.ndarray | Path | None
    plan: MusclePlan
    video: Path | None = None
    neutral_coarse: np.ndarray | Path | None = None

    def array(self, name: str) -> np.ndarray:
        """Open one of the arrays; a file's is memory-mapped."""
        value = getattr(self, name)
        return np.load(value, mmap_mode="r") if isinstance(value, Path) else value

    def sound(self, start: int, stop: int) -> np.ndarray:
        """Read audio samples, silence outside the clip.

        Args:
            start: First sample; may be negative.
            stop: Sample after the last.

        Returns:
            (stop − start,) int16.
        """
        low = max(start, 0)
        if self.audio is None:
            inside = np.zeros(0, np.int16)
        elif isinstance(self.audio, Path):
            inside = read_samples(self.audio, low, stop)
        else:
            inside = self.audio[low : max(stop, 0)]
        before = min(low - start, stop - start)
        return np.pad(inside, (before, stop - start - before - len(inside)))


class VideoWindows(Dataset):
    """Windows over clips. A list of sample numbers gives a `VideoBatch`.

    Args:
        clips: Clips of one size.
        window_frames: T.
        context_frames: Frames of audio before and after the window.
        jitter: Whether to start windows anywhere, as the sample's number decides (training), instead of on a fixed grid.
        seed: Of the jitter.

    Raises:
        InputError: If there is no clip, one is shorter than a window, or sizes are mixed.
    """

    def __init__(self, clips: Sequence[VideoClip], window_frames: int, context_frames: int, jitter: bool, seed: int = 0) -> None:
        self.clips, self.window_frames, self.context_frames = clips, window_frames, context_frames
        self.jitter, self.seed = jitter, seed
        if not clips:
            raise InputError("There are no clips to train on.")
        lengths = _lengths(clips)
        short = [i for i, length in enumerate(lengths) if length < window_frames]
        if short:
            raise InputError(
                f"Clip {clips[short[0]].name} has {lengths[short[0]]} frames, fewer than a window's {window_frames} (so have {len(short)} "
                "clips in all); leave them out, or lower window_frames."
            )
        self.lengths = lengths
        self.places = [(i, k * window_frames) for i, length in enumerate(lengths) for k in range(length // window_frames)]
        self.plans = PlanTensors.collate([clip.plan for clip in clips])

    def __len__(self) -> int:
        return len(self.places)

    def __getitem__(self, sample: int) -> VideoBatch:
        return self.__getitems__([sample])

    def __getitems__(self, samples: Sequence[int]) -> VideoBatch:
        t, places = self.window_frames, [self._place(sample) for sample in samples]
        clips = [self.clips[i] for i, _ in places]
        starts = torch.tensor([start for _, start in places])

        def stacked(name: str, windows: bool) -> Tensor:
            rows = (clip.array(name) for clip in clips)
            cut = [np.asarray(row[s : s + t] if windows else row) for row, (_, s) in zip(rows, places)]
            both = torch.from_numpy(np.stack(cut))
            return both if both.dtype == torch.uint8 else both.float()

        batch: VideoBatch = {
            "frames": stacked("frames", True),
            "coarse": stacked("coarse", True),
            "portrait": stacked("portrait", False),
            "region_masks": stacked("region_masks", False),
            "audio": torch.stack([self._sound(clip, start) for clip, (_, start) in zip(clips, places)]),
            "plan": self.plans[torch.tensor([i for i, _ in places])].shifted(starts / FPS),
            "id": torch.tensor(samples),
        }
        if all(clip.neutral_coarse is not None for clip in self.clips):
            batch["neutral_coarse"] = stacked("neutral_coarse", True)
        return batch

    def _place(self, sample: int) -> tuple[int, int]:
        """Clip and first frame of a sample."""
        clip, start = self.places[sample % len(self)]
        if self.jitter:
            room = self.lengths[clip] - self.window_frames
            start = int(np.random.default_rng((self.seed, sample)).integers(room + 1))
        return clip, start

    def _sound(self, clip: VideoClip, start: int) -> Tensor:
        low = (start - self.context_frames) * SAMPLES_PER_FRAME
        sound = clip.sound(low, low + (self.window_frames + 2 * self.context_frames) * SAMPLES_PER_FRAME)
        return torch.from_numpy(sound.astype(np.float32) / 32768)


def _lengths(clips: Sequence[VideoClip]) -> list[int]:
    """Number of frames of each clip, all of which must have one size."""
    wanted = clips[0].array("frames").shape[1:]
    lengths = []
    for clip in clips:
        for name in ("frames", "coarse", "portrait"):
            shape = clip.array(name).shape
            if shape[-3:] != wanted:
                raise InputError(
                    f"Clip {clip.name} has {name} of size {shape[-3:]}, {clips[0].name} frames of {wanted}; one run takes one size."
                )
        lengths.append(min(len(clip.array("frames")), len(clip.array("coarse"))))
    return lengths


class WholeClips(Dataset):
    """The clips of a split one by one, as `VideoDiffusion` is tested on them; each a `WholeClip`.

    Args:
        windows: The dataset whose clips these are.
    """

    def __init__(self, windows: VideoWindows) -> None:
        self.clips, self.lengths = windows.clips, windows.lengths

    def __len__(self) -> int:
        return len(self.clips)

    def __getitem__(self, index: int) -> WholeClip:
        clip, frames = self.clips[index], self.lengths[index]

        def whole(name: str) -> Tensor:
            array = torch.from_numpy(np.array(clip.array(name)))
            return array if array.dtype == torch.uint8 else array.float()

        sound = clip.sound(0, frames * SAMPLES_PER_FRAME).astype(np.float32) / 32768
        parts = {name: whole(name) for name in ("frames", "coarse", "portrait", "region_masks")}
        parts |= {"frames": parts["frames"][:frames], "coarse": parts["coarse"][:frames]}
        neutral = None if clip.neutral_coarse is None else whole("neutral_coarse")[:frames]
        return WholeClip(clip.name, **parts, audio=sound, plan=clip.plan, video=clip.video, neutral_coarse=neutral)


class VideoDataModule(SeededDataModule):
    """The base of every DataModule of `VideoClip`. A new one lists its clips.

    Args:
        window_frames: Frames of a window (T).
        context_frames: Frames of audio before and after it.
        batch_size: Windows per batch and process.
        num_workers: Loader processes.
        seed: Of order and jitter; that of ``seed_everything`` where not given.
        val_windows: Windows that a validation goes through, evenly spread over the clips; all where not given. Unlike the trainer's
            ``limit_val_batches`` these are the same for any batch size and number of processes.
    """

    def __init__(
        self,
        window_frames: int = 16,
        context_frames: int = 8,
        batch_size: int = 1,
        num_workers: int = 0,
        seed: int | None = None,
        val_windows: int | None = None,
    ) -> None:
        super().__init__()
        require_at_least(1, window_frames=window_frames, batch_size=batch_size, val_windows=val_windows)
        require_at_least(0, context_frames=context_frames, num_workers=num_workers)
        self.window_frames, self.context_frames = window_frames, context_frames
        self.batch_size, self.num_workers, self.seed, self.val_windows = batch_size, num_workers, run_seed(seed), val_windows

    @abstractmethod
    def clips(self, split: Split) -> Sequence[VideoClip]:
        """List the clips of a split."""

    def setup(self, stage: str) -> None:
        """Make the datasets of a stage.

        Args:
            stage: ``fit``, ``validate``, ``test`` or ``predict``.

        Raises:
            InputError: If a split has no clips, or they cannot be used together.
        """
        stages: dict[str, tuple[Split, ...]] = {"fit": ("train", "val"), "validate": ("val",), "test": ("test",), "predict": ("test",)}
        self.datasets = {
            split: VideoWindows(self.clips(split), self.window_frames, self.context_frames, split == "train", self.seed)
            for split in stages[stage]
        }

    def train_dataloader(self) -> DataLoader:
        """Windows in an order that checkpoints remember."""
        data = self.datasets["train"]
        if is_overfitting(self.trainer):
            return DataLoader(data, sampler=SequentialSampler(data), drop_last=True, batch_size=self.batch_size, **self._options())
        sampler = EpochSampler(len(data), self.batch_size, self.seed, *self.process())
        return ResumableLoader(data, sampler, self.trainer, batch_size=self.batch_size, drop_last=True, **self._options())

    def val_dataloader(self) -> DataLoader:
        """Every window once, or `val_windows` of them, whatever the number of processes."""
        data = self.datasets["val"]
        sampler = EvaluationSampler(len(data), self.val_windows, *self.process(), self.batch_size)
        return DataLoader(data, self.batch_size, sampler=sampler, **self._options())

    def test_dataloader(self) -> DataLoader:
        """Whole clips, one by one."""
        clips = WholeClips(self.datasets["test"])
        sampler = EvaluationSampler(len(clips), None, *self.process())
        return DataLoader(clips, batch_size=None, sampler=sampler)

    def predict_dataloader(self) -> DataLoader:
        """Whole clips, one by one."""
        return self.test_dataloader()

    def _options(self) -> dict[str, Any]:
        return {
            "num_workers": self.num_workers,
            "collate_fn": identity_collate,
            "persistent_workers": self.num_workers > 0,
            "pin_memory": False,
        }

    def transfer_batch_to_device(self, batch: Any, device: torch.device, dataloader_idx: int) -> Any:
        """Move a batch of windows; the samples' numbers stay on the CPU.

        Args:
            batch: A `VideoBatch`, or a `WholeClip`, which stays where it is.
            device: Where to.
            dataloader_idx: Lightning's.

        Returns:
            The batch.
        """
        if isinstance(batch, WholeClip):
            return batch
        return {key: value if key == "id" else value.to(device) for key, value in batch.items()}
