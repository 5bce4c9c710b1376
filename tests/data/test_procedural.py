"""The DataModule on a corpus of a few kilobytes, made here in the layout that `tbd synthesize` writes."""

import csv
import wave
from pathlib import Path

import numpy as np
import pytest
import torch

from tbd.data.procedural import ProceduralDataModule, load_packed
from tbd.errors import InputError
from tbd.face.motion import Motion
from tbd.think.plan import MuscleAction, MusclePlan

CLIPS = {"P001_happy_1_001": ("train", 60), "P001_sad_2_001": ("train", 45), "P002_neutral_1_001": ("val", 33), "P002_fear_3_001": ("test", 20)}


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    rows = []
    for i, (clip, (split, frames)) in enumerate(CLIPS.items()):
        paths = {kind: f"{kind}/{clip}.{suffix}" for kind, suffix in (("audio", "wav"), ("motion", "npz"), ("plan", "json"))}
        for path in paths.values():
            (tmp_path / path).parent.mkdir(exist_ok=True)
        with wave.open(str(tmp_path / paths["audio"]), "wb") as file:
            file.setparams((1, 2, 16000, 0, "NONE", ""))
            file.writeframes(np.full(frames * 640 - 100, i + 1, np.int16).tobytes())
        Motion(np.full((frames, 58), i / 10, np.float32)).save(tmp_path / paths["motion"])
        MusclePlan(actions=(MuscleAction(unit=12, intensity=0.5),) * i).save(tmp_path / paths["plan"])
        rows.append({"clip": clip, "split": split, "frames": frames, **paths})
    with open(tmp_path / "manifest.csv", "w", newline="") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        writer.writerows(rows)
    return tmp_path


def test_packing_keeps_every_clip(corpus):
    data = ProceduralDataModule(str(corpus), window_frames=20, context_frames=2, batch_size=2)
    data.prepare_data()
    audio, motion, lengths, plans = load_packed(corpus, "train")
    assert lengths == [60, 45] and audio.shape == (105 * 640,) and motion.shape == (105, 58)
    assert (audio[: 60 * 640 - 100] == 1).all() and (audio[60 * 640 - 100 : 60 * 640] == 0).all() and (audio[60 * 640 : -100] == 2).all()
    assert torch.allclose(motion[60:].float(), torch.tensor(0.1), atol=1e-3)
    assert (plans.unit > 0).sum(1).tolist() == [0, 1]


def test_batches(corpus):
    data = ProceduralDataModule(str(corpus), window_frames=20, context_frames=2, batch_size=2)
    data.prepare_data()
    data.setup("fit")
    batch = next(iter(data.train_dataloader()))
    assert batch["audio"].shape == (2, 24 * 640) and batch["motion"].shape == (2, 20, 58) and batch["mask"].shape == (2, 20)
    assert sum(len(b["motion"]) for b in data.val_dataloader()) == 2  # 33 frames in windows of 20


def test_missing_corpus_says_what_to_run(tmp_path):
    with pytest.raises(InputError, match="tbd synthesize"):
        ProceduralDataModule(str(tmp_path)).prepare_data()
