"""THEval's measures of motion and sound (Quignon et al. 2025, arXiv 2511.04520): five of its eight, and how it sums them up.

The arithmetic is that of the authors' published program. *Theirs*: MediaPipe's mesh, the same points, the same formulas. *Different*:
speech is found by the level of the sound (`tbd.metrics.dynamics.silent_frames`), not by silero's network; the head's pose is our tracker's
and its place the middle of the mesh's bounds, not FaceXFormer's and RetinaFace's. The other three are networks of the package pyiqa:
`tbd.metrics.NoReferenceQuality`. Each is compared with the recorded clips' own value.
"""

import math
from collections.abc import Mapping
from itertools import combinations

import numpy as np

from tbd.errors import InputError
from tbd.face.channels import HEAD, INDEX
from tbd.media.rates import FPS, SAMPLE_RATE
from tbd.metrics.base import Array, ClipMean, Unmeasurable, tensor
from tbd.metrics.dynamics import silent_frames
from tbd.utils.tracks import runs

LIPS = (0, 13, 14, 17, 37, 39, 40, 61, 78, 80, 81, 82, 84, 87, 88, 91, 95, 146, 178, 181, 185, 191, 267, 269, 270, 291, 308, 310, 311, 312,
         314, 317, 318, 321, 324, 375, 402, 405, 409, 415)  # fmt: skip
_OUTER_EYE_CORNERS = (33, 263)
_EYE_CORNERS = ((33, 133), (362, 263))
_EYES = (
    (7, 33, 133, 144, 145, 153, 154, 155, 157, 158, 159, 160, 161, 163, 173, 246),
    (249, 263, 362, 373, 374, 380, 381, 382, 384, 385, 386, 387, 388, 390, 398, 466),
)
_BROWS = ((46, 52, 53, 55, 63, 65, 66, 70, 105, 107), (276, 282, 283, 285, 293, 295, 296, 300, 334, 336))
_UPPER_LIP = (191, 80, 81, 82, 13, 312, 311, 310)
_LOWER_LIP = (95, 88, 178, 87, 14, 317, 402, 318)
_MOST_FRAMES = 500
_SHORTEST_SILENCE = 0.3
"""Seconds."""
_LEAST_SPEECH = 0.1
"""Part of a clip's frames."""
_LOUDNESS = 0.05
"""Seconds over which, and between which, loudness is taken."""


def _mesh(points: Array) -> np.ndarray:
    """(T, 478, 2) float64 of a mesh; the 68 points of dlib lack what is read here."""
    values = tensor(points).cpu().numpy()
    if values.shape[1] == 68:
        raise InputError(
            "THEval's measures read MediaPipe's mesh of 478 points; dlib's 68 lack the brows' and lips' points that they need."
        )
    return values[..., :2]


def _seen(points: np.ndarray) -> np.ndarray:
    return np.isfinite(points).all((1, 2))


class LipShapeVariance(ClipMean):
    """THEval's lip dynamics: the variance over time of all distances between lip points, averaged over them, of the first 500 frames.

    Distances are in those of the outer eye corners, squared. Neither high nor low is good as such: compare with the recorded clips.

    Example:
        >>> metric = LipShapeVariance()
        >>> metric.update(np.random.default_rng(0).random((1, 478, 3)).repeat(10, 0))  # stands still
        >>> float(metric.compute())
        0.0
    """

    reads = ("preds.points",)
    unit = "eye distance²"
    higher_is_better = None
    plot_lower_bound = 0.0

    def measure(self, preds: Array) -> dict[str, float]:
        """Measure one clip.

        Args:
            preds: (T, 478, 3) pixels, NaN where no face was seen.

        Returns:
            ``value``, the variance.

        Raises:
            Unmeasurable: If no face is seen.
        """
        points = _mesh(preds)[:_MOST_FRAMES]
        points = points[_seen(points)]
        if not len(points):
            raise Unmeasurable("No face was seen in the clip.")
        lips, first, second = points[:, LIPS], *np.array(list(combinations(range(len(LIPS)), 2))).T
        scale = np.linalg.norm(np.diff(points[:, _OUTER_EYE_CORNERS], axis=1)[:, 0], axis=-1)
        shapes = np.linalg.norm(lips[:, first] - lips[:, second], axis=-1) / scale[:, None]  # (T, 780)
        return {"value": float(shapes.var(0).mean())}


class EyebrowActivity(ClipMean):
    """THEval's eyebrow dynamics: the mean change from frame to frame of the distance of brow and eye, in distances of the eyes.

    Compare with the recorded clips; tracking adds its own jitter.

    Example:
        >>> metric = EyebrowActivity()
        >>> metric.update(np.random.default_rng(0).random((1, 478, 3)).repeat(10, 0))  # stands still
        >>> float(metric.compute())
        0.0
    """

    reads = ("preds.points",)
    unit = "eye distance"
    higher_is_better = None
    plot_lower_bound = 0.0

    def measure(self, preds: Array) -> dict[str, float]:
        """Measure one clip.

        Args:
            preds: (T, 478, 3) pixels, NaN where no face was seen.

        Returns:
            ``value``, the change.

        Raises:
            Unmeasurable: If fewer than two frames show a face.
        """
        points = _mesh(preds)
        points = points[_seen(points)]
        if len(points) < 2:
            raise Unmeasurable("Fewer than two frames show a face.")
        eyes, brows = ([points[:, side].mean(1) for side in sides] for sides in (_EYES, _BROWS))
        scale = np.linalg.norm(eyes[0] - eyes[1], axis=-1)
        changes = [np.abs(np.diff(np.linalg.norm(brow - eye, axis=-1) / scale)) for brow, eye in zip(brows, eyes)]
        return {"value": float(np.concatenate(changes).mean())}


class HeadMotionComplexity(ClipMean):
    """THEval's head motion dynamics: √(s · v + p), compared with the recorded clips'.

    s is the standard deviation of the head's angles in degrees and v the variance of their change from frame to frame, each averaged
    over pitch, yaw and roll; p is the variance of the face's place in pixels, averaged over x and y, so that the number belongs to a size
    of pictures.

    Example:
        >>> metric = HeadMotionComplexity()
        >>> metric.update(np.zeros((10, 58), np.float32), np.random.default_rng(0).random((1, 478, 3)).repeat(10, 0))  # stands still
        >>> float(metric.compute())
        0.0
    """

    reads = ("preds.motion", "preds.points")
    unit = ""
    higher_is_better = None
    plot_lower_bound = 0.0

    def measure(self, motion: Array, points: Array) -> dict[str, float]:
        """Measure one clip.

        Args:
            motion: (T, 58).
            points: (T, 478, 3) pixels, NaN where no face was seen.

        Returns:
            ``value``.

        Raises:
            Unmeasurable: If fewer than three frames show a face.
        """
        mesh = _mesh(points)
        length = min(len(motion), len(mesh))
        seen = _seen(mesh[:length])
        if seen.sum() < 3:
            raise Unmeasurable("Fewer than three frames show a face.")
        angles = np.rad2deg(tensor(motion).cpu().numpy()[:length][seen][:, [INDEX[name] for name in HEAD[:3]]])
        faces = mesh[:length][seen]
        places = (faces.min(1) + faces.max(1)) / 2
        spread, change = angles.std(0).mean(), np.diff(angles, axis=0).var(0).mean()
        return {"value": float(np.sqrt(spread * change + places.var(0).mean()))}


class SilentLipDeviation(ClipMean):
    """THEval's silent lip stability: the median distance of the lips' gap from its mean, in silences of 0.3 s or more.

    The gap is the mean of eight vertical distances of the inner lips, in distances of the outer eye corners. Compare with the recorded
    clips.

    Example:
        >>> metric, still = SilentLipDeviation(), np.random.default_rng(0).random((1, 478, 3)).repeat(25, 0)
        >>> metric.update(still, np.zeros(16000, np.float32))
        >>> float(metric.compute())
        0.0
    """

    reads = ("preds.points", "preds.audio")
    unit = "eye distance"
    higher_is_better = None
    plot_lower_bound = 0.0

    def measure(self, points: Array, audio: Array) -> dict[str, float]:
        """Measure one clip.

        Args:
            points: (T, 478, 3) pixels, NaN where no face was seen.
            audio: (N,) at 16 kHz.

        Returns:
            ``value``, the deviation.

        Raises:
            Unmeasurable: If there is no such silence in which two frames show a face.
        """
        mesh = _mesh(points)
        silent = np.zeros(len(mesh), bool)
        for start, end in runs(silent_frames(audio, len(mesh)), math.ceil(_SHORTEST_SILENCE * FPS)):
            silent[start:end] = True
        mesh = mesh[silent & _seen(mesh)]
        if len(mesh) < 2:
            raise Unmeasurable("The clip has no silence of 0.3 s in which a face is seen.")
        scale = np.linalg.norm(np.diff(mesh[:, _OUTER_EYE_CORNERS], axis=1)[:, 0], axis=-1)
        gap = np.abs(mesh[:, _UPPER_LIP, 1] - mesh[:, _LOWER_LIP, 1]).mean(1) / scale
        return {"value": float(np.median(np.abs(gap - gap.mean())))}


class LoudnessLipDifference(ClipMean):
    """THEval's lip sync: the mean difference, over frames with speech, of the lips' gap and the sound's loudness, each scaled to 0..1.

    It measures that lips open with the sound, not which sound is said; recorded clips are not at 0, so compare with them.

    Example:
        >>> metric, points = LoudnessLipDifference(), np.random.default_rng(0).random((50, 478, 3))
        >>> metric.update(points, np.random.default_rng(1).uniform(-1, 1, 32000).astype(np.float32))
        >>> 0 < float(metric.compute()) < 1
        True
    """

    reads = ("preds.points", "preds.audio")
    unit = ""
    higher_is_better = False
    plot_lower_bound, plot_upper_bound = 0.0, 1.0

    def measure(self, points: Array, audio: Array) -> dict[str, float]:
        """Measure one clip.

        Args:
            points: (T, 478, 3) pixels, NaN where no face was seen.
            audio: (N,) at 16 kHz.

        Returns:
            ``value``, the difference, 0..1.

        Raises:
            Unmeasurable: If a tenth of the clip or less is speech in which a face is seen, or the lips or the sound do not change.
        """
        mesh = _mesh(points)
        spoken = ~silent_frames(audio, len(mesh))
        used = spoken & _seen(mesh)
        if spoken.mean() < _LEAST_SPEECH or used.sum() < 2:
            raise Unmeasurable("The clip has too little speech in which a face is seen.")
        corners = [mesh[:, side, 0].mean(1) for side in _EYE_CORNERS]
        gap = np.abs(mesh[:, _UPPER_LIP, 1].mean(1) - mesh[:, _LOWER_LIP, 1].mean(1)) / np.abs(corners[0] - corners[1])
        loud = _loudness(tensor(audio).cpu().numpy(), len(mesh))
        opened, louder = (_scaled(values[used]) for values in (gap, loud))
        return {"value": float(np.abs(opened - louder).mean())}


def _scaled(values: np.ndarray) -> np.ndarray:
    span = values.max() - values.min()
    if span <= 0:
        raise Unmeasurable("The lips or the sound do not change, so there is nothing to compare.")
    return (values - values.min()) / span


def _loudness(audio: np.ndarray, frames: int) -> np.ndarray:
    """(T,) root mean square of the 50 ms around each twentieth of a second (zeros beyond the ends), at the frames' times in between."""
    step = int(SAMPLE_RATE * _LOUDNESS)
    padded = np.pad(audio.astype(np.float64), step // 2)
    edges = np.arange(0, len(padded) - step + 1, step)
    levels = np.array([np.sqrt(np.square(padded[a : a + step]).mean()) for a in edges])
    return np.interp(np.arange(frames) / FPS, edges / SAMPLE_RATE, levels)


def theval_score(values: Mapping[str, float], truth: Mapping[str, float]) -> float:
    """Sum up as THEval does: the mean over its measures of 1 − |value − truth| / |truth|; higher is better, at most 1.

    Args:
        values: Measure → a method's number.
        truth: The same of the recorded clips.

    Returns:
        The score. With fewer than THEval's eight measures it is no THEval score; say which it is of.

    Raises:
        InputError: If a measure is in one of the two alone, there is none, or the truth's is 0.

    Example:
        >>> theval_score({"lips": 0.5, "head": 3.0}, {"lips": 1.0, "head": 2.0})
        0.5
    """
    if not values or set(values) != set(truth):
        raise InputError("A score is of the same measures of a method and of the truth, one at least.")
    if any(truth[name] == 0 for name in values):
        raise InputError(f"The truth's {next(name for name in values if truth[name] == 0)} is 0, by which no score can be divided.")
    return float(np.mean([1 - abs(values[name] - truth[name]) / abs(truth[name]) for name in values]))
