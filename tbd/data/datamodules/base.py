"""`MotionDataModule`: the base of every data set's DataModule. A new one lists its clips."""

from abc import abstractmethod
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, SequentialSampler

from tbd.data.completeness import PlanCompleteness
from tbd.data.datasets.frames import FrameReader, VideoClips
from tbd.data.datasets.motion import ClipDataset, WindowDataset, identity_collate, unwrap_collate
from tbd.data.datasets.packed import Pack, TrainingClip, load_pack, pack
from tbd.data.datasets.samplers import EpochSampler, EvaluationSampler, ResumableLoader, SeededDataModule, is_overfitting
from tbd.data.datasets.whole_clips import PerformedClips
from tbd.data.splits import Split
from tbd.draw.augmentation import augmented
from tbd.draw.conditioning.plan_tensors import PlanTensors
from tbd.draw.randomness import run_seed
from tbd.errors import InputError
from tbd.speech.recognizer import PhoneRecognizer
from tbd.think.plan import MusclePlan
from tbd.utils.input_checks import require_at_least

Balance = Literal["windows", "person", "emotion"]
_SPLITS_OF_STAGE: dict[str, tuple[Split, ...]] = {"fit": ("train", "val"), "validate": ("val",), "test": ("test",), "predict": ("test",)}
_VAL_SHARE = 50
"""Where splits name no clips for validation, one training clip in so many is kept for it."""


class MotionDataModule(SeededDataModule):
    """Windows of speech, motion and plans; see `MotionBatch`.

    The clips are packed into flat arrays beside their manifest the first time that they are used, and again when they change.

    Args:
        window_frames: Frames of a window (T); the model's where not given.
        context_frames: Frames of audio before and after it; the model's where not given.
        batch_size: Windows per batch, on each device.
        num_workers: Loader processes; leave 0 where the clips are resident.
        resident: Whether to keep the clips on the training device, so that a batch is one gather there: 2 GB for every 15 hours.
        passes: How often an epoch passes over the training clips; more where they are few and starting an epoch costs.
        augment: Changes the waveforms of training batches, on the training device: (B, N) → (B, N).
        balance: What training samples equally often: every window; every person; or every emotion of every person.
        video_frames: Number of frames of each window's video that its batch holds, evenly spread; 0 for none.
        video_size: Height and width of these frames in pixels; a size that the cache was prepared with.
        reader: How frames are read; by PyAV where not given.
        recognizer: Recognizes the phones of every clip, once, for an audio encoder that takes phones.
        val_windows: Windows that a validation goes through, evenly spread over the clips; all where not given. Unlike the trainer's
            ``limit_val_batches`` these are the same for any batch size and number of processes.
        completeness: How much of its plan each training and validation window is given, while its motion keeps all; all of it where not
            given. Whole clips, on which models are tested, keep their plans.
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
        completeness: PlanCompleteness | None = None,
    ) -> None:
        super().__init__()
        require_at_least(
            1, window_frames=window_frames, batch_size=batch_size, passes=passes, video_size=video_size, val_windows=val_windows
        )
        require_at_least(0, context_frames=context_frames, num_workers=num_workers, video_frames=video_frames)
        self.window_frames, self.context_frames, self.batch_size = window_frames, context_frames, batch_size
        self.num_workers, self.resident, self.passes, self.augment, self.balance = num_workers, resident, passes, augment, balance
        self.video_frames, self.video_size, self.reader = video_frames, video_size, reader
        self.recognizer, self.val_windows, self.completeness = recognizer, val_windows, completeness
        self.seed = run_seed()

    # -- what a data set declares --------------------------------------------------------------------------------------

    @abstractmethod
    def clips(self) -> list[TrainingClip]:
        """List every usable clip of all splits.

        Returns:
            The clips, in a fixed order.

        Raises:
            InputError: If there are none.
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
        """Open what `prepare_data` packed; the clips of all packs together are those of `clips`, in order."""
        return [load_pack(*self.packed, self.recognizer)]

    def _window(self) -> tuple[int, int]:
        """Frames of a window, and of the audio before and after it."""
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
        """Make the datasets of a stage.

        Args:
            stage: ``fit``, ``validate``, ``test`` or ``predict``.

        Raises:
            InputError: If a split has no clips, or the lengths of windows are not known.
        """
        clips = with_val(self.clips())
        device = self.trainer.strategy.root_device if self.resident and self.trainer is not None else torch.device("cpu")
        packs = [p.to(device) for p in self.packs()]
        plans = PlanTensors.collate([clip.plan or MusclePlan() for clip in clips])
        videos = VideoClips([clip.video for clip in clips], self.video_frames, self.reader) if self.video_frames else None
        self.names, self.datasets, self.seed = [clip.name for clip in clips], {}, run_seed()
        self.performed = {split: PerformedClips([clip for clip in clips if clip.split == split]) for split in _SPLITS_OF_STAGE[stage]}
        for split in _SPLITS_OF_STAGE[stage]:
            own = [i for i, clip in enumerate(clips) if clip.split == split]
            if not own and split == "val" and stage == "fit":
                continue  # a single clip to overfit
            if not own:
                raise InputError(f"{type(self).__name__} has no clips in the split {split}: {_counted(clips)}.")
            self.datasets[split] = WindowDataset(
                packs,
                plans,
                *self._window(),
                jitter=split == "train",
                clips=own,
                planned=[clip.plan is not None for clip in clips],
                seed=self.seed,
                videos=videos,
            )
        self.weights = self._weights(clips) if "train" in self.datasets else None

    def _weights(self, clips: Sequence[TrainingClip]) -> Tensor | None:
        """(N,) how often each training window is sampled, relative to the others; None for equally."""
        if self.balance == "windows":
            return None
        groups = [(clip.person,) if self.balance == "person" else (clip.person, clip.emotion) for clip in clips]
        windows = [groups[i] for i in self.datasets["train"].clip.tolist()]
        sizes = Counter(windows)
        return torch.tensor([1 / sizes[group] for group in windows], dtype=torch.float64)

    def statistics(self) -> tuple[Tensor, Tensor]:
        """Compute mean and standard deviation of the training motion, (58,) each."""
        return self.datasets["train"].statistics(self.weights)

    def train_dataloader(self) -> DataLoader:
        """Windows in an order that checkpoints remember."""
        data = self.datasets["train"]
        if is_overfitting(self.trainer):
            return DataLoader(data, sampler=SequentialSampler(data), drop_last=True, **self._options())
        sampler = EpochSampler(len(data), self.batch_size, self.seed, *self.process(), self.weights, self.passes)
        return ResumableLoader(data, sampler, self.trainer, drop_last=True, **self._options())

    def val_dataloader(self) -> DataLoader | list[DataLoader]:
        """Windows; and a second loader of whole clips, where the model generates some at each validation."""
        if "val" not in self.datasets:
            return []
        data = self.datasets["val"]
        sampler = EvaluationSampler(len(data), self.val_windows, *self.process(), self.batch_size)
        windows = DataLoader(data, sampler=sampler, **self._options())
        model = None if self.trainer is None else self.trainer.lightning_module
        clips = getattr(model, "validation_clips", 0)
        return [windows, self._performed("val", clips)] if clips else windows

    def test_dataloader(self) -> DataLoader:
        """Whole clips, each a `PerformedClip`; a batch is a list of them."""
        return self._performed("test")

    def _performed(self, split: Split, count: int | None = None) -> DataLoader:
        data, (rank, world) = self.performed[split], self.process()
        sampler = EvaluationSampler(len(data), count, rank, world)
        return DataLoader(data, batch_size=min(self.batch_size, len(sampler)), sampler=sampler, collate_fn=identity_collate)

    def predict_dataloader(self) -> DataLoader:
        """Whole clips, one a batch; Lightning gives each to one device, once."""
        return DataLoader(ClipDataset(self.datasets["test"]), batch_size=1, num_workers=self._workers, collate_fn=unwrap_collate)

    @property
    def _workers(self) -> int:
        return 0 if self.resident else self.num_workers

    def _options(self) -> dict[str, Any]:
        workers = self._workers
        return {"batch_size": self.batch_size, "num_workers": workers, "collate_fn": identity_collate, "persistent_workers": workers > 0}

    def transfer_batch_to_device(self, batch: Any, device: torch.device, dataloader_idx: int) -> Any:
        """Move a batch of windows; the samples' numbers stay on the CPU.

        Args:
            batch: A `MotionBatch`, or a list of whole clips, which stay where they are.
            device: Where to.
            dataloader_idx: Lightning's.

        Returns:
            The batch.
        """
        if isinstance(batch, list):
            return batch
        return {key: value if key == "id" else value.to(device) for key, value in batch.items()}

    def on_after_batch_transfer(self, batch: Any, dataloader_idx: int) -> Any:
        """Augment the audio of training batches, withhold parts of plans, and scale frames to 0..1.

        Args:
            batch: A `MotionBatch`, or a list of whole clips.
            dataloader_idx: Lightning's.

        Returns:
            The batch.
        """
        if isinstance(batch, list):
            return batch
        if self.augment is not None and self.trainer is not None and self.trainer.training:
            batch["audio"] = augmented(self.augment, batch["audio"], batch["id"], self.seed)
        if self.completeness is not None and self.trainer is not None and (self.trainer.training or self.trainer.validating):
            batch["plan"] = self.completeness.apply(batch["plan"], batch["id"], self.seed)
        if "video" in batch:
            batch["video"] = batch["video"].float() / 255
        return batch


def with_val(clips: Sequence[TrainingClip]) -> list[TrainingClip]:
    """Keep every fiftieth training clip (and at least one) for validation, where none is."""
    training = [clip for clip in clips if clip.split == "train"]
    if len(training) < 2 or any(clip.split == "val" for clip in clips):
        return list(clips)
    chosen = {clip.name for clip in training[_VAL_SHARE // 2 :: _VAL_SHARE] or training[-1:]}
    return [replace(clip, split="val") if clip.name in chosen else clip for clip in clips]


def _counted(clips: Sequence[TrainingClip]) -> str:
    counts = Counter(clip.split or "none" for clip in clips)
    return ", ".join(f"{count} in {split}" for split, count in sorted(counts.items())) or "no clips at all"
