"""`MotionDataModule`: what every data set's DataModule is made of. A new one says which clips it has."""

from abc import abstractmethod
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader

from tbd.data.datasets.frames import FrameReader, VideoClips
from tbd.data.datasets.motion import ClipDataset, WindowDataset, identity_collate, unwrap_collate
from tbd.data.datasets.packed import Pack, TrainingClip, load_pack, pack
from tbd.data.datasets.samplers import EpochSampler, EvaluationSampler, ResumableLoader, SeededDataModule
from tbd.data.datasets.whole_clips import PerformedClips
from tbd.draw.augmentation import augmented
from tbd.draw.conditioning.plan_tensors import PlanTensors
from tbd.draw.randomness import run_seed
from tbd.errors import InputError
from tbd.speech.recognizer import PhoneRecognizer
from tbd.think.plan import MusclePlan

Balance = Literal["windows", "person", "emotion"]
_SIDES = {"fit": ("train", "val"), "validate": ("val",), "test": ("test",), "predict": ("test",)}
_VAL_SHARE = 50
"""Where a split names no clips for validation, every so-manieth training clip is kept for it."""


class MotionDataModule(SeededDataModule):
    """Windows of speech, motion and plans; see `MotionBatch`.

    The clips are packed into flat arrays beside their manifest the first time that they are used, and again when they change.

    Args:
        window_frames: frames of a window (T); the model's where not given.
        context_frames: frames of audio on either side of it; the model's where not given.
        batch_size: windows per batch, on each device.
        num_workers: loader processes; leave 0 where the clips are resident.
        resident: keep the clips on the training device, so that a batch is one gather there: 2 GB for every 15 hours.
        passes: how often an epoch passes over the training clips; more where they are few and starting an epoch costs.
        augment: changes the waveforms of training batches, on the training device: (B, N) → (B, N).
        balance: what training draws equally often: every window; every person; or every emotion of every person.
        video_frames: add so many pictures of each window to its batch, evenly spread; 0 for none.
        video_size: of the pictures, in pixels; a size that the cache was prepared with.
        reader: how pictures are read; by PyAV where not given.
        recognizer: names the phones of every clip, once, for an audio encoder that is told them.
        val_windows: windows that a validation goes through, evenly spread over the clips; all where not given. Unlike the trainer's
            ``limit_val_batches`` these are the same for any batch size and number of processes.
    """

    def __init__(
        self,
        window_frames: int | None = None,
        context_frames: int | None = None,
        batch_size: int = 64,
        num_workers: int = 0,
        resident: bool = False,
        passes: int = 1,
        augment: nn.Module | None = None,
        balance: Balance = "windows",
        video_frames: int = 0,
        video_size: int = 256,
        reader: FrameReader | None = None,
        recognizer: PhoneRecognizer | None = None,
        val_windows: int | None = None,
    ) -> None:
        super().__init__()
        self.window_frames, self.context_frames, self.batch_size = window_frames, context_frames, batch_size
        self.num_workers, self.resident, self.passes, self.augment, self.balance = num_workers, resident, passes, augment, balance
        self.video_frames, self.video_size, self.reader = video_frames, video_size, reader
        self.recognizer, self.val_windows = recognizer, val_windows
        self.seed = run_seed()

    # -- what a data set says ------------------------------------------------------------------------------------------

    @abstractmethod
    def clips(self) -> list[TrainingClip]:
        """Every clip that can be used, in a fixed order, of all sides.

        Raises:
            InputError: there are none.
        """

    @property
    @abstractmethod
    def packed(self) -> tuple[Path, str]:
        """Folder and name of the pack."""

    # -- Lightning's hooks ---------------------------------------------------------------------------------------------

    def prepare_data(self) -> None:
        """Pack the clips, once per machine, and again when they have changed."""
        pack(*self.packed, self.clips(), self.recognizer)

    def packs(self) -> list[Pack]:
        """What `prepare_data` packed; the clips of all together are those of `clips`, in order."""
        return [load_pack(*self.packed, self.recognizer)]

    def _window(self) -> tuple[int, int]:
        """Frames of a window and of the audio on either side of it."""
        # an experiment's file hands both down, but jsonargparse drops interpolated values where --data names another class
        model = None if self.trainer is None else self.trainer.lightning_module
        frames = self.window_frames or getattr(model, "window_frames", None)
        context = (
            self.context_frames if self.context_frames is not None else getattr(getattr(model, "audio_encoder", None), "context", None)
        )
        if frames is None or context is None:
            raise InputError(f"{type(self).__name__} has no model to take window_frames and context_frames from; give both.")
        return frames, context

    def setup(self, stage: str) -> None:
        clips = with_val(self.clips())
        device = self.trainer.strategy.root_device if self.resident and self.trainer is not None else torch.device("cpu")
        packs = [p.to(device) for p in self.packs()]
        plans = PlanTensors.collate([clip.plan or MusclePlan() for clip in clips])
        videos = VideoClips([clip.video for clip in clips], self.video_frames, self.reader) if self.video_frames else None
        self.names, self.datasets, self.seed = [clip.name for clip in clips], {}, run_seed()
        self.performed = {side: PerformedClips([clip for clip in clips if clip.side == side]) for side in _SIDES[stage]}
        for side in _SIDES[stage]:
            own = [i for i, clip in enumerate(clips) if clip.side == side]
            if not own and side == "val" and stage == "fit":
                continue  # a single clip to learn by heart
            if not own:
                raise InputError(f"{type(self).__name__} has no clips on the side {side}: {_counted(clips)}.")
            self.datasets[side] = WindowDataset(
                packs,
                plans,
                *self._window(),
                jitter=side == "train",
                clips=own,
                planned=[clip.plan is not None for clip in clips],
                seed=self.seed,
                videos=videos,
            )
        self.weights = self._weights(clips) if "train" in self.datasets else None

    def _weights(self, clips: Sequence[TrainingClip]) -> Tensor | None:
        """(N,) how often each training window is drawn; None for alike."""
        if self.balance == "windows":
            return None
        groups = [clip.person if self.balance == "person" else (clip.person, clip.emotion) for clip in clips]
        windows = [groups[i] for i in self.datasets["train"].clip.tolist()]
        sizes = Counter(windows)
        return torch.tensor([1 / sizes[group] for group in windows], dtype=torch.float64)

    def statistics(self) -> tuple[Tensor, Tensor]:
        """Mean and standard deviation of the training motion, (58,) each."""
        return self.datasets["train"].statistics(self.weights)

    def train_dataloader(self) -> DataLoader:
        data = self.datasets["train"]
        sampler = EpochSampler(len(data), self.batch_size, self.seed, *self._process(), self.weights, self.passes)
        return ResumableLoader(data, trainer=self.trainer, sampler=sampler, drop_last=True, **self._options())

    def val_dataloader(self) -> DataLoader | list[DataLoader]:
        """Windows; and whole clips behind them, where the model draws some at each validation."""
        if "val" not in self.datasets:
            return []
        data = self.datasets["val"]
        sampler = EvaluationSampler(len(data), self.val_windows, *self._process(), self.batch_size)
        windows = DataLoader(data, sampler=sampler, **self._options())
        model = None if self.trainer is None else self.trainer.lightning_module
        clips = getattr(model, "validation_clips", 0)
        return [windows, self._performed("val", clips)] if clips else windows

    def test_dataloader(self) -> DataLoader:
        """Whole clips, each a `PerformedClip`; a batch is a list of them."""
        return self._performed("test")

    def _performed(self, side: str, count: int | None = None) -> DataLoader:
        data, (rank, world) = self.performed[side], self._process()
        sampler = EvaluationSampler(len(data), count, rank, world)
        return DataLoader(data, batch_size=min(self.batch_size, len(sampler)), sampler=sampler, collate_fn=identity_collate)

    def predict_dataloader(self) -> DataLoader:
        """Whole clips, one a batch; Lightning gives each to one device, once."""
        return DataLoader(ClipDataset(self.datasets["test"]), batch_size=1, num_workers=self._workers, collate_fn=unwrap_collate)

    @property
    def _workers(self) -> int:
        return 0 if self.resident else self.num_workers

    def _process(self) -> tuple[int, int]:
        """Rank and number of processes."""
        return (0, 1) if self.trainer is None else (self.trainer.global_rank, self.trainer.world_size)

    def _options(self) -> dict[str, Any]:
        workers = self._workers
        return {"batch_size": self.batch_size, "num_workers": workers, "collate_fn": identity_collate, "persistent_workers": workers > 0}

    def transfer_batch_to_device(self, batch: Any, device: torch.device, dataloader_idx: int) -> Any:
        if isinstance(batch, list):  # whole clips, which stay where they are until they are drawn
            return batch
        return {key: value if key == "id" else value.to(device) for key, value in batch.items()}

    def on_after_batch_transfer(self, batch: Any, dataloader_idx: int) -> Any:
        if isinstance(batch, list):
            return batch
        if self.augment is not None and self.trainer is not None and self.trainer.training:
            batch["audio"] = augmented(self.augment, batch["audio"], batch["id"], self.seed)
        if "video" in batch:
            batch["video"] = batch["video"].float() / 255
        return batch


def with_val(clips: Sequence[TrainingClip]) -> list[TrainingClip]:
    """The same clips; where none is for validation, every fiftieth of training (and at least one) is."""
    from dataclasses import replace

    training = [clip for clip in clips if clip.side == "train"]
    if len(training) < 2 or any(clip.side == "val" for clip in clips):
        return list(clips)
    chosen = {clip.name for clip in training[_VAL_SHARE // 2 :: _VAL_SHARE] or training[-1:]}
    return [replace(clip, side="val") if clip.name in chosen else clip for clip in clips]


def _counted(clips: Sequence[TrainingClip]) -> str:
    sides = Counter(clip.side or "no side" for clip in clips)
    return ", ".join(f"{count} on {side}" for side, count in sorted(sides.items())) or "no clips at all"
