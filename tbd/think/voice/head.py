"""Cues → arousal and emotions, with as much doubt as the cues leave.

``benchmarks/voice`` has the acting and the fit; ``assets/think/voice.safetensors`` what came of it, ``voice.md`` beside it its card.
"""

from pathlib import Path
from typing import NamedTuple

import numpy as np

from tbd.think.emotions import EMOTION_SPECS, EMOTIONS, Emotion
from tbd.think.voice.fitted_head import FittedHead
from tbd.think.voice.functionals import Functionals

WEIGHTS = Path(__file__).resolve().parents[2] / "assets" / "think" / "voice.safetensors"
AXES: dict[str, tuple[str, ...]] = {
    "effort": ("flux", "centroid", "alpha", "tilt"),
    "height": ("pitch",),
    "melody": ("pitch_range", "pitch_slope"),
    "tempo": ("rate",),
}
"""Standardized cues that are summed up, since single ones differ too much from voice to voice to tell emotions apart."""
_AROUSED = np.array([EMOTION_SPECS[emotion].arousal > 0.35 for emotion in EMOTIONS])


class VoiceEstimate(NamedTuple):
    """What the head makes of a stretch.

    Args:
        probabilities: How likely each emotion leads.
        arousal: -1 calm .. 1 excited.
        valence: -1 unpleasant .. 1 pleasant: that of the emotions, each by its probability.
        aroused: How likely it is more aroused than ordinary speech.
        axes: Each of `AXES` in standard deviations from ordinary speech.
    """

    probabilities: dict[Emotion, float]
    arousal: float
    valence: float
    aroused: float
    axes: dict[str, float]


class VoiceHead(FittedHead):
    """Arousal by a linear regression, emotions by Gaussians in the summed cues.

    Args:
        weights: What ``benchmarks.voice.train`` wrote.
    """

    def __init__(self, weights: Path = WEIGHTS) -> None:
        super().__init__(weights)

    def __call__(self, cues: Functionals) -> VoiceEstimate:
        """Judge a stretch by its cues."""
        tensors = self._tensors
        z = self.standardize(np.array(cues))
        score = float(z @ tensors["arousal.weight"] + tensors["arousal.bias"][0])
        slope, offset = tensors["aroused"]
        place = tensors["axes"] @ z
        likely = self._likely(place)
        aroused = 1 / (1 + np.exp(-(slope * score + offset)))
        likely = likely * np.where(_AROUSED, aroused, 1 - aroused)
        probabilities = {emotion: float(p) for emotion, p in zip(EMOTIONS, likely / likely.sum())}  # emotions are only ever appended
        valence = sum(EMOTION_SPECS[emotion].valence * p for emotion, p in probabilities.items())
        return VoiceEstimate(probabilities, float(np.tanh(score)), float(valence), float(aroused), dict(zip(AXES, place.tolist())))

    def _likely(self, place: np.ndarray) -> np.ndarray:
        """(emotions,) probabilities that sum to 1."""
        tensors = self._tensors
        away = place - tensors["means"]
        distance = np.einsum("ki,kij,kj->k", away, np.linalg.inv(tensors["covariances"]), away)
        density = -0.5 * (distance + np.linalg.slogdet(tensors["covariances"])[1]) / tensors["temperature"][0]
        kinds = tensors["priors"] * np.exp(density - density.max())
        likely = np.bincount(tensors["emotions"].astype(int), kinds, len(EMOTIONS))
        return likely / likely.sum()
