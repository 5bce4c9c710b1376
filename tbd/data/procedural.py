"""`ProceduralDataModule`: training batches from the corpus that `tbd synthesize` writes."""

import csv
import json
import wave
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import lightning as L
import numpy as np
import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader

from tbd.data.windows import MotionBatch, WindowDataset, as_is
from tbd.errors import InputError
from tbd.face.motion import CHANNELS, SAMPLES_PER_FRAME, Motion
from tbd.files import atomic_output
from tbd.think.encoder import PlanTensors
from tbd.think.plan import MusclePlan


class ProceduralDataModule(L.LightningDataModule):
    """Windows of procedural speech, motion and plans.

    The corpus is packed into two flat arrays beside its manifest the first time that it is used.

    Args:
        root: a folder that `tbd synthesize` wrote.
        window_frames: frames of a window (T).
        context_frames: frames of audio on either side of it.
        batch_size: windows per batch.
        num_workers: loader processes; leave 0 where the corpus is resident.
        resident: keep the corpus on the training device, so that a batch is one gather there: 2 GB for every 15 hours.
        passes: how often an epoch passes over the training clips; more where a corpus is small and starting an epoch costs.
        augment: changes the waveforms of training batches, on the training device: (B, N) → (B, N).
    """

    def __init__(
        self,
        root: str,
        window_frames: int = 110,
        context_frames: int = 8,
        batch_size: int = 64,
        num_workers: int = 0,
        resident: bool = False,
        passes: int = 1,
        augment: nn.Module | None = None,
    ) -> None:
        super().__init__()
        self.root, self.window_frames, self.context_frames = Path(root), window_frames, context_frames
        self.batch_size, self.num_workers, self.resident, self.passes, self.augment = batch_size, num_workers, resident, passes, augment

    def prepare_data(self) -> None:
        """Pack the corpus, once per machine, and again when it has grown."""
        rows = read_manifest(self.root)
        for split in ("train", "val", "test"):
            packed = self.root / f"packed-{split}.json"
            if not packed.is_file() or json.loads(packed.read_text())["clips"] != [row["clip"] for row in rows if row["split"] == split]:
                pack(self.root, split)

    def setup(self, stage: str) -> None:
        splits = {"fit": ("train", "val"), "validate": ("val",), "test": ("test",), "predict": ("test",)}[stage]
        device = self.trainer.strategy.root_device if self.resident and self.trainer is not None else torch.device("cpu")
        self.datasets = {split: self._dataset(split, device) for split in splits}

    def _dataset(self, split: str, device: torch.device) -> WindowDataset:
        audio, motion, lengths, plans = load_packed(self.root, split)
        train = split == "train"
        return WindowDataset(
            audio.to(device),
            motion.to(device),
            lengths,
            plans.to(device),
            self.window_frames,
            self.context_frames,
            train,
            self.passes if train else 1,
        )

    def statistics(self) -> tuple[Tensor, Tensor]:
        """Mean and standard deviation of the training motion, (58,) each."""
        return self.datasets["train"].statistics()

    def train_dataloader(self) -> DataLoader:
        return self._loader("train", shuffle=True)

    def val_dataloader(self) -> DataLoader:
        return self._loader("val")

    def test_dataloader(self) -> DataLoader:
        return self._loader("test")

    def predict_dataloader(self) -> DataLoader:
        return self._loader("test")

    def _loader(self, split: str, shuffle: bool = False) -> DataLoader:
        workers = 0 if self.resident else self.num_workers
        return DataLoader(
            self.datasets[split],
            self.batch_size,
            shuffle,
            num_workers=workers,
            collate_fn=as_is,
            drop_last=shuffle,
            persistent_workers=workers > 0,
        )

    def transfer_batch_to_device(self, batch: MotionBatch, device: torch.device, dataloader_idx: int) -> MotionBatch:
        return {key: value.to(device) for key, value in batch.items()}

    def on_after_batch_transfer(self, batch: MotionBatch, dataloader_idx: int) -> MotionBatch:
        if self.augment is not None and self.trainer is not None and self.trainer.training:
            batch["audio"] = self.augment.to(batch["audio"].device)(batch["audio"])
        return batch


def read_manifest(root: Path) -> list[dict[str, str]]:
    """The rows of a corpus's manifest.

    Raises:
        InputError: there is no corpus.
    """
    path = root / "manifest.csv"
    if not path.is_file():
        raise InputError(f"There is no corpus in {root}: run `tbd synthesize --output {root} --hours 2` first.")
    with open(path, newline="") as file:
        return list(csv.DictReader(file))


def pack(root: Path, split: str) -> None:
    """Lay a split's clips end to end: ``packed-SPLIT-audio.npy``, ``-motion.npy`` and, last, ``packed-SPLIT.json``."""
    rows = [row for row in read_manifest(root) if row["split"] == split]
    lengths = [int(row["frames"]) for row in rows]
    arrays = {"audio": (SAMPLES_PER_FRAME, np.int16, _read_audio), "motion": (1, np.float16, _read_motion)}
    for name, (rate, dtype, read) in arrays.items():
        shape = (sum(lengths) * rate,) + ((len(CHANNELS),) if name == "motion" else ())
        with atomic_output(root / f"packed-{split}-{name}.npy") as temporary:
            out = np.lib.format.open_memmap(temporary, "w+", dtype, shape)
            first = np.concatenate([[0], np.cumsum(lengths)]) * rate

            def place(i: int, out: np.ndarray = out, first: np.ndarray = first, read: Callable = read) -> None:
                piece = read(root, rows[i])[: first[i + 1] - first[i]]
                out[first[i] : first[i] + len(piece)] = piece

            with ThreadPoolExecutor(8) as pool:
                list(pool.map(place, range(len(rows))))
            out.flush()
    with atomic_output(root / f"packed-{split}.json") as temporary:
        temporary.write_text(json.dumps({"clips": [row["clip"] for row in rows], "frames": lengths}))


def load_packed(root: Path, split: str) -> tuple[Tensor, Tensor, list[int], PlanTensors]:
    """A packed split: memory-mapped audio (samples,) and motion (frames, 58), the clips' lengths in frames, their plans."""
    lengths = json.loads((root / f"packed-{split}.json").read_text())["frames"]
    # copy-on-write, since torch has no read-only tensors
    audio, motion = (torch.from_numpy(np.load(root / f"packed-{split}-{name}.npy", mmap_mode="c")) for name in ("audio", "motion"))
    plans = [MusclePlan.model_validate_json((root / row["plan"]).read_text()) for row in read_manifest(root) if row["split"] == split]
    return audio, motion, lengths, PlanTensors.collate(plans)


def _read_audio(root: Path, row: dict[str, str]) -> np.ndarray:
    """(N,) int16; the corpus's own wave files are 16 kHz mono."""
    with wave.open(str(root / row["audio"])) as file:
        return np.frombuffer(file.readframes(file.getnframes()), np.int16)


def _read_motion(root: Path, row: dict[str, str]) -> np.ndarray:
    return Motion.load(root / row["motion"]).values
