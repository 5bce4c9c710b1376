"""Fixtures that every test may use."""

import copy
import csv
import gc
import os
import shutil
import signal
import sys
import wave
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path
from typing import Any

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


# Tiny tensors are slower on many threads, above all where other tests run as well; torch reads it once, when it is imported, and
# processes that tests start inherit it.
os.environ.setdefault("OMP_NUM_THREADS", "1")
# Each of the many processes that tests start would compile the package anew, which takes a tenth of its imports.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)


def pytest_configure() -> None:
    """A shell ignores Ctrl-C for what it starts in the background, and tests that send it would wait for nothing."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    gc.set_threshold(10_000)  # as `tbd.__main__` does


def pytest_collection_finish() -> None:
    """Leave what is there before the first test out of the search for garbage, which took an eighth of the tests' time."""
    gc.collect()
    gc.freeze()


_KEPT = 24
"""Prepared portraits, of some ten megabytes each."""


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Prepare a portrait once for all tests that draw it: that takes seconds, and drawing keeps no state."""
    module = sys.modules.get("tbd.face.render.renderer")  # tests that draw nothing need not import it
    if module is None or hasattr(module.MeshWarpRenderer._warper, "kept"):
        return
    prepare, kept = module.MeshWarpRenderer._warper, OrderedDict()

    def prepare_once(renderer: Any, face: Any) -> Any:
        options = (renderer.neutralize, renderer.shading, renderer.close_lips, renderer.open_eyes, renderer.cells)
        values = (value for _, value in sorted(vars(face).items()))
        key = (options, *((v.shape, str(v.dtype), v.tobytes()) if isinstance(v, np.ndarray) else repr(v) for v in values))
        if key not in kept:
            kept[key] = prepare(renderer, copy.deepcopy(face))  # a test may change its own
            while len(kept) > _KEPT:
                kept.popitem(last=False)
        kept.move_to_end(key)
        return kept[key]

    prepare_once.kept = kept
    module.MeshWarpRenderer._warper = prepare_once


@pytest.fixture(scope="session")
def make_once(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str, Callable[[Path], Any]], Path]:
    """Name, maker of a folder → the folder, made once for all processes of a run; tests that write into it copy it."""
    from filelock import FileLock

    base = tmp_path_factory.getbasetemp()
    root = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base

    def make(name: str, maker: Callable[[Path], Any]) -> Path:
        folder, done = root / f"once-{name}", root / f"once-{name}.done"
        with FileLock(root / f"once-{name}.lock"):
            if not done.exists():
                shutil.rmtree(folder, ignore_errors=True)  # a maker that failed may have left something
                folder.mkdir()
                maker(folder)
                done.touch()
        return folder

    return make


@pytest.fixture(scope="session")
def shared() -> Path:
    """Real clips, portraits and speech on the developers' machines; the project must stand without them."""
    path = Path(os.environ.get("TBD_SHARED", Path(__file__).resolve().parents[2] / "shared"))
    if not (path / "data").is_dir():
        pytest.skip(f"development material is not here ({path}); set TBD_SHARED to the folder that has it")
    return path


MEAD_CACHE = {
    "M005_happy_3_001": 60, "M005_sad_1_002": 45, "M005_neutral_1_001": 30, "W011_happy_2_001": 50,
    "M013_fear_3_001": 33, "M003_angry_1_001": 20, "W009_neutral_1_003": 70,
}  # fmt: skip
"""Clip → frames of `mead_cache`. M013 is for validation and M003 and W009 for the test of the splits mead_actor."""


def hear_interrupts() -> None:
    """For a child's start: whoever runs these tests in the background has had Ctrl-C turned off, and children inherit that."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def write_cache(root: Path, source: str, clips: dict[str, int], **values: str) -> Path:
    """A cache of motion and sound without pictures, in which each clip's channels and samples are its number."""
    from tbd.data.preprocess.cache import Cache
    from tbd.data.preprocess.sound import save_sound
    from tbd.data.records import ClipRecord
    from tbd.data.sources.base import source_class
    from tbd.data.sources.naming import mead_name

    cache = Cache.claim(root, source=source, sizes=[256], crop="portrait-1")
    for i, (clip, frames) in enumerate(clips.items()):
        kind = source_class(source)
        video = kind.video_of(clip)
        person = kind.person_of(video) or clip
        label = {k: v for k, v in (mead_name(clip)._asdict() if source == "mead" else {}).items() if k != "actor"}
        end = f"{person}/{clip}"
        record = ClipRecord(
            clip, source, person, video, **label, **values, status="ready", frames=frames, seconds=frames / 25,
            audio=f"audio/{end}.wav", motions={"face_mesh@mediapipe-0": f"motion/face_mesh@mediapipe-0/{end}.npz"},
        )  # fmt: skip
        Motion(np.full((frames, 58), i / 10, np.float32)).save(cache.path(record.file("motions", "face_mesh")))
        save_sound(cache.path(record.audio), np.full(frames * 640, (i + 1) / 32767))
        cache.save_record(record)
    cache.write_manifest()
    return root


@pytest.fixture
def mead_cache(tmp_path: Path) -> Path:
    """A prepared MEAD of `MEAD_CACHE`."""
    return write_cache(tmp_path / "mead", "mead", MEAD_CACHE)


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    """A corpus of a few kilobytes in the layout that `tbd synthesize` writes: name → split and frames are in `CLIPS`."""
    tmp_path = tmp_path / "corpus"
    tmp_path.mkdir()
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
