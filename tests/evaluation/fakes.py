"""A reference of tiny clips in known motion, and a protocol over it: all of `tbd.evaluation` in milliseconds."""

from collections.abc import Iterator, Sequence
from functools import lru_cache
from pathlib import Path

import numpy as np
import yaml

from tbd.errors import InputError
from tbd.evaluation.predictors import Outcome, Predictor
from tbd.evaluation.protocol import Protocol, parse_protocol
from tbd.evaluation.references.base import Reference, ReferenceClip
from tbd.face.geometry import FaceGeometry
from tbd.face.motion import Motion
from tbd.metrics.base import ClipMean
from tbd.think import emotions as tbd_emotions
from tbd.think.plan import MuscleAction, MusclePlan

EMOTIONS = ("happy", "sad", "angry", "neutral", "fear")
SIZE = 64


class FakeClip(ReferenceClip):
    """A jaw that opens and closes, a square that moves with it, a hum that swells with it."""

    def __init__(self, number: int, frames: int) -> None:
        super().__init__(f"F{number:03d}_{EMOTIONS[number % 5]}_{number % 3 + 1}_001", EMOTIONS[number % 5], number % 3 + 1)
        self.number, self._frames = number, frames

    def frames(self) -> int:
        return self._frames

    def motion(self) -> Motion:
        motion, t = Motion.zeros(self._frames), np.arange(self._frames)
        motion["jawOpen"] = 0.3 + 0.3 * np.sin(t * (0.6 + 0.1 * self.number))
        motion["mouthSmileLeft"] = motion["mouthSmileRight"] = 0.5 * np.clip(t / 10, 0, 1) * (self.emotion == "happy")
        motion["headYaw"] = 0.1 * np.sin(t / 5)
        return motion

    def audio(self) -> np.ndarray:
        swell = np.repeat(self.motion()["jawOpen"], 640)
        return (0.5 * swell * np.sin(np.arange(len(swell)) * 0.1)).astype(np.float32)

    def plan(self) -> MusclePlan:
        return MusclePlan(actions=(MuscleAction(unit=12, intensity=0.5, onset=0.0, apex=0.4, offset=0.8),))

    def face(self, size: int) -> FaceGeometry:
        raise InputError("a fake clip has no face")

    def video(self, size: int, numbers: np.ndarray | None = None) -> Iterator[np.ndarray]:
        jaw = self.motion()["jawOpen"]
        for value in jaw if numbers is None else jaw[numbers]:
            yield picture(size, float(value))


def picture(size: int, value: float) -> np.ndarray:
    """(size, size, 3) uint8: soft stripes and a square whose height is `value`."""
    y, x = np.mgrid[:size, :size] / size
    frame = np.stack([120 + 60 * np.sin(9 * x), 120 + 60 * np.sin(9 * y), 120 + 60 * np.sin(5 * (x + y))], -1)
    frame[size // 4 : size // 4 + int(value * size / 2), size // 4 : size // 2] = (200, 60, 60)
    return frame.astype(np.uint8)


class FakeReference(Reference):
    """`count` clips; `root` is not looked at."""

    def __init__(self, root: str | None = None, count: int = 5, frames: int = 30) -> None:
        self.count, self.length = count, frames

    def clips(self) -> Sequence[ReferenceClip]:
        return [FakeClip(number, self.length) for number in range(self.count)]

    def content(self) -> str:
        return f"{self.count}x{self.length}"


class FaceClip(FakeClip):
    """The same motion on a face that a tracker finds."""

    def face(self, size: int) -> FaceGeometry:
        return portrait(size)

    def video(self, size: int, numbers: np.ndarray | None = None) -> Iterator[np.ndarray]:
        frames = film(self.number, self._frames, size)
        yield from frames if numbers is None else (frames[number] for number in numbers)


@lru_cache
def portrait(size: int) -> FaceGeometry:
    import skimage.data

    from tbd.face.portrait import crop_portrait
    from tbd.face.tracker import FaceMeshTracker

    return crop_portrait(FaceMeshTracker().locate(skimage.data.astronaut()), size)


@lru_cache
def film(number: int, frames: int, size: int) -> list[np.ndarray]:
    """The true frames of a `FaceClip`, drawn once."""
    from tbd.face.render.renderer import MeshWarpRenderer

    return list(MeshWarpRenderer().render(portrait(size), FakeClip(number, frames).motion()))


class FaceReference(FakeReference):
    """`count` clips with a face. Of the clip numbered `broken` nothing can be had."""

    def __init__(self, root: str | None = None, count: int = 2, frames: int = 12, broken: int | None = None) -> None:
        super().__init__(root, count, frames)
        self.broken = broken

    def clips(self) -> Sequence[ReferenceClip]:
        return [FakeClip(n, self.length) if n == self.broken else FaceClip(n, self.length) for n in range(self.count)]


class FaceCount(ClipMean):
    """How many face chips either side shows, and how wide they are."""

    reads = ("preds.faces", "target.faces")
    names = ("value", "target", "width")
    unit = ""
    higher_is_better = None

    def measure(self, faces: np.ndarray, target: np.ndarray) -> dict[str, float]:
        return {"value": len(faces), "target": len(target), "width": faces.shape[-1]}


class FramesAlone(ClipMean):
    """How many frames of the prediction are shown where nothing is compared with the truth, and their points."""

    reads = ("preds.frames", "preds.points")
    names = ("value", "points")
    unit = ""
    higher_is_better = None

    def measure(self, frames: np.ndarray, points: np.ndarray) -> dict[str, float]:
        return {"value": len(frames), "points": len(points)}


class FramePairs(ClipMean):
    """How many frames are compared, and how wide they are."""

    reads = ("preds.frames", "target.frames")
    names = ("value", "width")
    unit = ""
    higher_is_better = None

    def measure(self, preds: np.ndarray, target: np.ndarray) -> dict[str, float]:
        assert preds.shape == target.shape
        return {"value": len(preds), "width": preds.shape[-1]}


class Picky(ClipMean):
    """Somebody's metric, with a bug that one of the clips brings out."""

    reads = ("preds.audio", "target.emotion")
    unit = ""
    higher_is_better = None

    def measure(self, audio: np.ndarray, emotion: int) -> dict[str, float]:
        if tbd_emotions.EMOTIONS[emotion] == "angry":
            raise ZeroDivisionError("a bug")
        return {"value": float(np.abs(audio).max())}


class Refusing(Predictor):
    """Cannot predict the clip with number 1, and draws the seed into the others' motion."""

    def predict(self, clip: ReferenceClip, size: int, seed: int) -> Outcome:
        if clip.number == 1:
            raise InputError("this one is too hard")
        motion = Motion.zeros(clip.frames())
        motion["jawOpen"] = np.random.default_rng(seed).random(clip.frames())
        return Outcome((picture(size, float(v)) for v in motion["jawOpen"]), motion, (10,))


METRICS = {
    "aperture": ("ApertureCorrelation", {"max_lag": 6}, {}),
    "m-lmd": ("MouthLandmarkDistance", {"form": "inter-ocular"}, {}),
    "au-fidelity": ("ActionUnitFidelity", {}, {}),
    "fmd": ("FrechetMotionDistance", {}, {}),
    "separation": ("EmotionSeparation", {}, {}),
    "jerk": ("Jerk", {}, {"better": "reference"}),
    "seams": ("SeamJump", {}, {}),
    "silence": ("SilenceLipEnergy", {}, {}),
    "psnr": ("FramePSNR", {}, {"frames": 5}),
    "ssim": ("FrameSSIM", {}, {"frames": 5}),
    "sync-c": ("SyncNetConfidence", {"protocol": "wav2lip"}, {"weights": {"syncnet_v2": "unpublished"}}),
}


def protocol_values(**changes) -> dict:
    """A protocol over `FakeReference` as plain values."""
    metrics = [
        {"name": name, "metric": {"class_path": f"tbd.metrics.{kind}", "init_args": arguments}, "label": name.upper(), **more}
        for name, (kind, arguments, more) in METRICS.items()
    ]
    return {
        "name": "fake",
        "version": 1,
        "summary": "Fake clips.",
        "reference": {"class_path": "tests.evaluation.fakes.FakeReference", "init_args": {"count": 5}},
        "split": {"name": "fake", "clips": None, "names": None},
        "rate": 25,
        "size": SIZE,
        "crop": {"kind": "frame", "size": SIZE},
        "pose": "any",
        "motion": "file",
        "length_tolerance": 1,
        "pairing": "shorter",
        "seed": 3,
        "metrics": metrics,
        **changes,
    }


def fake_protocol(**changes) -> Protocol:
    return parse_protocol(yaml.safe_dump(protocol_values(**changes)))


def write_protocol(path: Path, **changes) -> Path:
    path.write_text(yaml.safe_dump(protocol_values(**changes)))
    return path
