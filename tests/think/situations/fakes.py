"""An encoder that knows words instead of meanings, and heads that read them, so that what follows can be tested by itself."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from safetensors.numpy import save_file

from tbd.think.emotions import EMOTIONS
from tbd.think.situations.classifier import SCALES, SituationClassifier
from tbd.think.situations.encoder import Parameters, SentenceEncoder
from tbd.think.situations.planner import SituationPlanner


class KeywordEncoder(SentenceEncoder):
    """Vectors along the emotion of the first keyword that a sentence has; the last axis where it has none."""

    def __init__(self, keywords: Mapping[str, str]) -> None:
        self.keywords = keywords
        self.seen: list[str] = []

    def encode(self, texts: Sequence[str], parameters: Parameters) -> np.ndarray:
        vectors = np.zeros((len(texts), len(EMOTIONS) + 1), np.float32)
        for row, text in zip(vectors, texts):
            self.seen.append(text)
            row[next((EMOTIONS.index(emotion) for word, emotion in self.keywords.items() if word in text.lower()), -1)] = 1
        return vectors


def weights(path: Path, sharpness: float = 4.0, hidden: float = -5.0, members: int = 1) -> Path:
    """Heads for `KeywordEncoder`: logits along its axes, intensity 0.5, valence and arousal -0.5."""
    size = len(EMOTIONS) + 1
    head = np.zeros((len(EMOTIONS) + SCALES, size), np.float32)
    head[: len(EMOTIONS), : len(EMOTIONS)] = sharpness * np.eye(len(EMOTIONS))
    bias = np.array([0.0] * len(EMOTIONS) + [0.0, -0.549, -0.549, hidden], np.float32)
    tensors = {"temperature": np.ones(1, np.float32)}
    for member in range(members):
        tensors |= {f"{member}/head.weight": head, f"{member}/head.bias": bias, f"{member}/head.centre": np.zeros(size, np.float32)}
    save_file(tensors, path)
    return path


def planner(folder: Path, keywords: Mapping[str, str], sharpness: float = 4.0, hidden: float = -5.0) -> SituationPlanner:
    """A planner that infers by keywords."""
    made = SituationPlanner(encoder := KeywordEncoder(keywords))
    made.__dict__["classifier"] = SituationClassifier(encoder, weights(folder / "heads.safetensors", sharpness, hidden))
    return made
