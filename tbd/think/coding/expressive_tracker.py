"""`ExpressiveTracker`: a face's shape, and what it looks like, together.

A mesh shows where points are. It has no sneer and no raised cheek, shows half of a frown, and cannot tell low brows from lowered ones in a
person it never saw at rest; furrows and folds would, and a network that has learnt to name emotions from pictures has learnt to see them
(EMOCA's argument: Daněček, Black, Bolkart 2022, arXiv 2204.11312). What it names has a FACS prototype. Where a mesh is blind, a channel is
mostly what the prototypes of the named emotions say; where it sees, as at the jaw, mostly what it sees.

Such a network names resting faces too, one person's angry and another one's sad, since brows lie low or lips droop by nature. So its
probabilities count by how far they go beyond those of the same person at rest or, of a stranger, beyond what resting people are taken for.
"""

import os
from dataclasses import replace
from functools import cache

import numpy as np

from tbd.face.channels import BLENDSHAPES
from tbd.face.fit import ClipFit
from tbd.face.mesh import FaceDetection, FaceModel
from tbd.face.neutral import NeutralFace
from tbd.face.tracker import Tracker, default_tracker
from tbd.face.tracking.detection_file import DetectionRows
from tbd.media.rates import FPS
from tbd.think.coding.emotion_reader import EmotionReader, FacexReader
from tbd.think.emotions import EMOTION_SPECS, Emotion
from tbd.think.facs import perform
from tbd.think.plan import MuscleAction, MusclePlan

_EVERY = 5
"""Frames from one reading to the next: an emotion changes in tenths of a second, and a reading takes as long as the mesh does."""
_STEADY = 0.4 * FPS
"""Frames, standard deviation of the Gaussian by which readings are smoothed: a syllable's mouth shape is no emotion."""
_AT_REST: dict[Emotion, float] = {"happy": 0.05, "disgusted": 0.2, "fear": 0.3, "surprised": 0.3}
_AT_REST_OTHERWISE = 0.4
"""Up to which probability an emotion is what strangers at rest are taken for: of 22 neutral clips of 15 people, who talk, those of eight
people have anger at 0.33 to 0.44 and sadness at 0.32, of the other seven sadness at up to 0.59; smiles are seldom mistaken."""
_WAVERS, _ROOM = 0.1, 0.2
"""By how much another clip of a person at rest goes beyond the first, and the least that counts as the way from rest to full expression."""
_SURE = 3.0
"""What lies beyond rest counts so many times, up to 1: the network spreads one emotion over its neighbours, and calls film neutral."""
_BLIND = {
    "brow": 0.9, "noseSneer": 1.0, "cheekSquint": 1.0, "eyeSquint": 0.9, "eyeWide": 0.9, "mouthFrown": 0.9, "mouthStretch": 0.8,
    "mouthShrug": 0.8, "mouthUpperUp": 0.6, "mouthSmile": 0.6, "mouthDimple": 0.6, "mouthFunnel": 0.4, "mouthLowerDown": 0.4,
    "jawOpen": 0.4, "mouthPress": 0.4,
}  # fmt: skip
"""How little a mesh tells of a channel, by the start of its name; of others it tells all. These and the figures above were set on the clips
of `benchmarks.tracking_expression --split tuned`."""
_SPEAKING = ("jaw", "mouthLower", "mouthUpper", "mouthFunnel", "mouthPress")
"""Channels with which people also speak: appearance may raise them and never lowers them."""
_SMILE = (0.5, 0.7)
"""A smile is the one expression that a mesh shows well: from the first coefficient on it speaks against any other emotion, at the second it
settles the matter. Meshes show angry and weeping faces smiles of up to 0.42, and smiling ones 0.53 to 0.79 (tuned clips)."""


class ExpressiveTracker(Tracker):
    """A tracker of shapes, and an emotion reader for what they do not show. Coefficients are absolute.

    It follows what an emotion's prototype says where the mesh is blind, so it tells emotions apart that the mesh alone gives the same
    coefficients, and it does not tell one person's sneer from another's. Metrics measure with `FaceMeshTracker`, as ever.

    Args:
        landmarker: A ``face_landmarker.task`` file; MediaPipe's landmarker then reads shapes instead of the face mesh, and better.
        reader: Reads the emotion; `FacexReader` by default, made with the first clip.

    Raises:
        InputError: If the landmarker's file does not exist.

    Example:
        >>> tracker = ExpressiveTracker()
        >>> tracker.name, tracker.base.name
        ('face_mesh_expressive', 'face_mesh')
    """

    def __init__(self, landmarker: str | os.PathLike | None = None, reader: EmotionReader | None = None) -> None:
        self.base = default_tracker(landmarker)
        self.name = f"{self.base.name}_expressive"
        self._reader = reader

    @property
    def reader(self) -> EmotionReader:
        """The reader."""
        if self._reader is None:
            self._reader = FacexReader()
        return self._reader

    def open(self, video: bool) -> FaceModel:
        """Make the base's model; with a video's frames come what they look like."""
        model = self.base.open(video)
        return _ReadingModel(model, self.reader) if video else model

    def solve(self, detections: DetectionRows, neutral: NeutralFace | None = None) -> ClipFit:
        """Solve as the base does, then correct by appearance what shapes do not show.

        Args:
            detections: The base's detections with what they look like.
            neutral: The person at rest, `neutral_face`; what they look like there counts as 0.

        Returns:
            Coefficients and poses, a row for each frame of `detections`.
        """
        fit = self.base.solve(detections, neutral)
        emotions = self.reader.emotions
        at_rest = None if neutral is None or neutral.appearance is None else neutral.appearance[: len(emotions)]
        expected = expect(_steady(detections.appearance[:, : len(emotions)].astype(np.float64)), emotions, at_rest)
        smiles = _steady(_smiling(fit.blendshapes))[:, None]
        expected = (1 - smiles) * expected + smiles * _prototype("happy")
        return replace(fit, blendshapes=correct_by_appearance(fit.blendshapes, expected))

    def reference(self, neutral: NeutralFace | None) -> str:
        """Name what the coefficients are measured against, for the metadata."""
        return self.base.reference(neutral)

    def remove_jitter(self, values: np.ndarray) -> np.ndarray:
        """Smooth (T, 58) values of a motion as the base does."""
        return self.base.remove_jitter(values)


def correct_by_appearance(seen: np.ndarray, expected: np.ndarray) -> np.ndarray:
    """Weigh what a mesh shows against what the face looks like.

    A channel is raised as far as a named emotion has it, and lowered as far as an emotion was named that lacks it: a face that looks like
    none keeps what its mesh shows.

    Args:
        seen: (T, 52) coefficients by the mesh.
        expected: (T, 52) coefficients of the emotions that the face looks like, `expect`.

    Returns:
        (T, 52) coefficients in 0..1.
    """
    blind, speaking = _tables()
    named = expected.max(1, keepdims=True)  # a prototype has a muscle at full strength, so this is how sure the emotion is
    raised, lowered = np.maximum(expected - seen, 0), np.maximum(seen - expected, 0) * named * ~speaking
    return np.clip(seen + blind * (raised - lowered), 0, 1)


def expect(probabilities: np.ndarray, emotions: tuple[Emotion, ...], at_rest: np.ndarray | None = None) -> np.ndarray:
    """Compute the coefficients of a face that looks like several emotions.

    Args:
        probabilities: (..., E) of the emotions.
        emotions: Their names.
        at_rest: (E,) of the same person at rest; by default what people at large are taken for.

    Returns:
        (..., 52) coefficients in 0..1.
    """
    people = np.array([_AT_REST.get(emotion, _AT_REST_OTHERWISE) for emotion in emotions])
    nothing = people if at_rest is None else at_rest + _WAVERS
    degrees = np.clip(_SURE * (probabilities - nothing) / np.maximum(1 - nothing, _ROOM), 0, 1)
    return np.clip(degrees @ np.stack([_prototype(emotion) for emotion in emotions]), 0, 1)


class _ReadingModel(FaceModel):
    """A model that says, with every so many frames, what its face looks like."""

    def __init__(self, mesh: FaceModel, reader: EmotionReader) -> None:
        self._mesh, self._reader = mesh, reader
        self._appearance: np.ndarray | None = None
        self._age = 0

    def __enter__(self) -> "FaceModel":
        self._mesh.__enter__()
        return self

    def __exit__(self, *error: object) -> None:
        """Close the mesh model."""
        self._mesh.__exit__(*error)

    def reset(self) -> None:
        """Forget the previous frame's place; how the face looked may stand, since a window that moves is no other face."""
        self._mesh.reset()

    def __call__(self, image: np.ndarray) -> FaceDetection | None:
        """Locate the face in an (H, W, 3) uint8 RGB image; None where there is none."""
        found = self._mesh(image)
        if found is None:
            self._appearance = None
            return None
        self._age += 1
        if self._appearance is None or self._age >= _EVERY:
            self._appearance = self._reader(image, found.points).astype(np.float32)
            self._age = 0
        return replace(found, appearance=self._appearance)


def _smiling(seen: np.ndarray) -> np.ndarray:
    """(T, 52) coefficients → (T,) 0..1, how surely they smile."""
    smile = seen[:, [BLENDSHAPES.index("mouthSmileLeft"), BLENDSHAPES.index("mouthSmileRight")]].mean(1)
    return np.clip((smile - _SMILE[0]) / (_SMILE[1] - _SMILE[0]), 0, 1)


def _steady(values: np.ndarray) -> np.ndarray:
    """(T, …) values without what changes faster than an emotion."""
    from scipy.ndimage import gaussian_filter1d

    return gaussian_filter1d(values, _STEADY, axis=0, mode="nearest")


@cache
def _prototype(emotion: Emotion) -> np.ndarray:
    """(52,) coefficients of an emotion's canonical prototype at full strength."""
    if emotion == "neutral":
        return np.zeros(len(BLENDSHAPES))
    actions = tuple(MuscleAction(unit=unit, side=side, intensity=level) for unit, side, level in EMOTION_SPECS[emotion].prototypes[0])
    return perform(MusclePlan(emotions={emotion: 1.0}, actions=actions), 1)[0, : len(BLENDSHAPES)].astype(np.float64)


@cache
def _tables() -> tuple[np.ndarray, np.ndarray]:
    """(52,) `_BLIND`, and (52,) whether a channel speaks."""
    blind = [next((value for start, value in _BLIND.items() if name.startswith(start)), 0.0) for name in BLENDSHAPES]
    return np.array(blind), np.array([name.startswith(_SPEAKING) for name in BLENDSHAPES])
