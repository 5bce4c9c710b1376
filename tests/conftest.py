"""Fixtures that every test may use."""

import csv
import os
import wave
from pathlib import Path

import numpy as np
import pytest

from tbd.face.motion import Motion
from tbd.think.plan import MuscleAction, MusclePlan

CLIPS = {
    "P001_happy_1_001": ("train", 60),
    "P001_sad_2_001": ("train", 45),
    "P002_neutral_1_001": ("val", 33),
    "P002_fear_3_001": ("test", 20),
}


@pytest.fixture(scope="session")
def shared() -> Path:
    """Real clips, portraits and speech on the developers' machines; the project must stand without them."""
    path = Path(os.environ.get("TBD_SHARED", Path(__file__).resolve().parents[2] / "shared"))
    if not (path / "data").is_dir():
        pytest.skip(f"development material is not here ({path}); set TBD_SHARED to the folder that has it")
    return path


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    """A corpus of a few kilobytes in the layout that `tbd synthesize` writes: name → split and frames are in `CLIPS`."""
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
