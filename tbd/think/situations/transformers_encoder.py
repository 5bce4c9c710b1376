"""The original multilingual-e5-small, loaded by transformers."""

from collections.abc import Sequence

import numpy as np
from typing_extensions import override

from tbd.errors import InputError
from tbd.think.situations.encoder import MODEL, PREFIX, Parameters, SentenceEncoder


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

    @override
    def encode(self, texts: Sequence[str], parameters: Parameters) -> np.ndarray:
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
