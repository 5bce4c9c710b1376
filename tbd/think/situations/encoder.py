"""Sentence encoders: text in any of a hundred languages → a vector. All are multilingual-e5-small; they differ in who carries it."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence

import numpy as np

MODEL = "intfloat/multilingual-e5-small"
"""Repository of the original model (Wang et al. 2024, *Multilingual E5 Text Embeddings*; MIT)."""
PREFIX = "query: "
"""What the model was trained to see before a text."""
Parameters = Mapping[str, np.ndarray]
"""Biases and norms by the original model's names, such as ``encoder.layer.0.output.dense.bias``."""


class SentenceEncoder(ABC):
    """Turns sentences into vectors, with some of its parameters replaced: those that were tuned for what the vectors are used for."""

    @abstractmethod
    def encode(self, texts: Sequence[str], parameters: Parameters) -> np.ndarray:
        """Encode sentences.

        Args:
            texts: Sentences, in any language.
            parameters: Biases and norms that replace the model's own; the same names at every call.

        Returns:
            Vectors of length 1.

        Shape:
            (N, D) for N texts.
        """
