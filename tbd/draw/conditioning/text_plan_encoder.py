"""`TextPlanEncoder`: a plan's captions through CLIP, T5 or another text model of `transformers`."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.utils.rnn import pad_sequence

from tbd.draw.conditioning.plan_encoder import PlanEmbeds, PlanEncoder
from tbd.draw.conditioning.plan_tensors import PlanTensors
from tbd.errors import InputError, first_line
from tbd.think.action_units import REGIONS
from tbd.utils.hub import hub_folder, snapshot_folder, weight_file

if TYPE_CHECKING:  # whose import takes seconds
    from transformers import PreTrainedModel


class TextPlanEncoder(PlanEncoder):
    """Encodes a plan's captions (`tbd.draw.conditioning.captions`): one for each segment, one for each region with an action.

    A text's last hidden states are its tokens, mapped to `dim` by a learnt layer. They share one presence, so that a long
    text weighs no more than a short one: a segment's tokens that of the segment times its intensity, a region's tokens that of
    the region's strongest action. So times and intensities act without being written. Local tokens are ordered by region as in
    `REGIONS`, each with its region's embedding, behind one token that is always present and marks that the muscles are given.

    A frozen text model is no part of the module: it is loaded when the first plan is read, so that building a model from its
    configuration fetches nothing, and checkpoints hold its name, not its weights. A trained one is loaded at once, since the
    optimiser must know it, and is saved like any other part.

    Args:
        dim: Width of the tokens.
        text_model: A folder with configuration, weights and tokenizer, or a hub name. Of a model of text and images the text
            half is used, of an encoder and decoder the encoder.
        width: Width of the text model's hidden states.
        trained: Whether to train the text model too.
        max_tokens: Most tokens that are read of a text.
        cache_size: Number of texts whose features a frozen model caches; 2 kB for each token where the width is 512.

    Raises:
        InputError: If the text model, when it is loaded, is missing or of another width.
    """

    hub_arguments = ("text_model",)
    """See `tbd.utils.hub`."""

    def __init__(
        self,
        dim: int = 320,
        text_model: str = "openai/clip-vit-base-patch32",
        width: int = 512,
        trained: bool = False,
        max_tokens: int = 77,
        cache_size: int = 8192,
    ) -> None:
        super().__init__()
        self.dim = dim
        self.reader = TextReader(text_model, width, trained, max_tokens, cache_size)
        self.text_model = self.reader.load()[0] if trained else None
        self.project = nn.Sequential(nn.LayerNorm(width), nn.Linear(width, dim))
        self.region = nn.Embedding(len(REGIONS), dim)
        self.muscles_given = nn.Parameter(torch.randn(dim))

    def forward(self, plans: PlanTensors, times: Tensor) -> PlanEmbeds:
        """Encode a batch; see `PlanEncoder.forward`.

        Args:
            plans: B plans in window time.
            times: (T,) seconds of the window's frames.

        Returns:
            S·L global and 1 + 5·L local tokens, L of them for each text.
        """
        s = plans.segment_text.shape[1]
        places = torch.cat([plans.segment_text, plans.region_text], 1)  # (B, S+5)
        distinct, places = places.unique(return_inverse=True)  # (U,), (B, S+5)
        features, mask = self.reader([plans.texts[i] for i in distinct.tolist()], places.device)  # (U, L, W), (U, L)
        tokens = self.project(features)[places]  # (B, S+5, L, D)
        segments = plans.segment_presence(times) * plans.emotion.sum(-1, keepdim=True)  # (B, S, T)
        presence = torch.cat([segments, plans.region_presence(times)], 1)  # (B, S+5, T)
        shares = (mask / mask.sum(-1, keepdim=True))[places]  # (B, S+5, L)
        presence = shares[..., None] * presence[:, :, None]  # (B, S+5, L, T)
        local = (tokens[:, s:] + self.region.weight[:, None]).flatten(1, 2)  # (B, 5L, D)
        local_presence = presence[:, s:].flatten(1, 2)  # (B, 5L, T)
        region = torch.arange(len(REGIONS), device=local.device).repeat_interleave(tokens.shape[2]).expand(len(local), -1)  # (B, 5L)
        return PlanEmbeds(
            tokens[:, :s].flatten(1, 2),  # (B, SL, D)
            presence[:, :s].flatten(1, 2),  # (B, SL, T)
            torch.cat([self.muscles_given.expand(len(local), 1, -1), local], 1),  # (B, 1+5L, D)
            torch.cat([torch.ones_like(local_presence[:, :1]), local_presence], 1),  # (B, 1+5L, T)
            F.pad(region, (1, 0), value=len(REGIONS)),  # (B, 1+5L)
        )


class TextReader:
    """A text model and its tokenizer: texts → hidden states. Loads them when first needed.

    Copies and pickles of a frozen one load it again instead of carrying its weights. For the arguments see `TextPlanEncoder`; where
    `padded`, every text has `max_tokens` tokens, and the padding's hidden states are given as well.
    """

    def __init__(self, name: str, width: int, trained: bool, max_tokens: int, cache_size: int, padded: bool = False) -> None:
        self.name, self.width, self.trained, self.max_tokens, self.cache_size = name, width, trained, max_tokens, cache_size
        self.padded = padded
        self._parts: tuple[PreTrainedModel, Any] | None = None
        self._cache: dict[str, Tensor] = {}

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_cache": {}, "_parts": self._parts if self.trained else None}

    def load(self) -> tuple["PreTrainedModel", Any]:
        """Load the text model and its tokenizer, once.

        Returns:
            Both.

        Raises:
            InputError: If the model is missing or of another width.
        """
        if self._parts is None:
            model, tokenizer = load_text_model(self.name)
            if model.config.hidden_size != self.width:
                raise InputError(f"The text model {self.name} has width {model.config.hidden_size}, not {self.width}: set width to it.")
            self._parts = (model if self.trained else model.eval().requires_grad_(False)), tokenizer
        return self._parts

    def __call__(self, texts: Sequence[str], device: torch.device) -> tuple[Tensor, Tensor]:
        """Features (U, L, W) float32, zeros beyond a text's end, and mask (U, L), 1 at its tokens."""
        if self.trained:
            rows = self._read(texts, device)
        else:
            # what validation's inference mode makes can later neither be moved nor trained on
            with torch.inference_mode(False), torch.no_grad():
                rows = self._remembered(texts, device)
        lengths = torch.tensor([len(row) for row in rows], device=device)
        features = pad_sequence([row.to(device) for row in rows], batch_first=True)  # (U, L, W)
        return features, (torch.arange(features.shape[1], device=device) < lengths[:, None]).float()

    def _remembered(self, texts: Sequence[str], device: torch.device) -> list[Tensor]:
        new = [text for text in texts if text not in self._cache]
        found = {text: self._cache[text] for text in texts if text in self._cache} | dict(zip(new, self._read(new, device)))
        self._cache.update((text, found[text]) for text in new)
        while len(self._cache) > self.cache_size:
            self._cache.pop(next(iter(self._cache)))  # the oldest
        return [found[text] for text in texts]

    def _read(self, texts: Sequence[str], device: torch.device) -> list[Tensor]:
        """Each text's hidden states, (its tokens, W)."""
        if not texts:
            return []
        model, tokenizer = self.load()
        padding = "max_length" if self.padded else True
        words = tokenizer(list(texts), padding=padding, truncation=True, max_length=self.max_tokens, return_tensors="pt").to(device)
        with torch.autocast(device.type, enabled=False):  # T5 overflows in half precision
            model.to(device)  # type: ignore[arg-type]  # transformers wraps the method and loses its signature
            hidden = model(input_ids=words.input_ids, attention_mask=words.attention_mask).last_hidden_state.float()
        return list(hidden) if self.padded else [row[kept] for row, kept in zip(hidden, words.attention_mask.bool())]


def load_text_model(name: str) -> tuple["PreTrainedModel", Any]:
    """Load a text model and its tokenizer.

    Args:
        name: A folder or hub name: of a text model, of one of text and images, or of a whole diffusers pipeline.

    Returns:
        The model in float32, and the tokenizer.

    Raises:
        InputError: If it is not there.
    """
    from transformers import MODEL_FOR_TEXT_ENCODING_MAPPING, AutoConfig, AutoModel, AutoModelForTextEncoding, AutoTokenizer

    root = Path(name).expanduser()
    if root.is_file():
        raise InputError(f"{name} is a single file; a text model is a folder with configuration, weights and tokenizer.")
    folder = snapshot_folder(root) if root.is_dir() else hub_folder(name, "text model", _text_files)
    weights, tokenizer = (folder / part if (folder / part).is_dir() else folder for part in ("text_encoder", "tokenizer"))
    try:
        config = AutoConfig.from_pretrained(weights)
        config = getattr(config, "text_config", config)
        # the mapping knows where the encoder is half of a model
        kind = AutoModelForTextEncoding if type(config) in MODEL_FOR_TEXT_ENCODING_MAPPING else AutoModel
        model = kind.from_pretrained(weights, config=config, **weight_file(os.listdir(weights)))
        return model.float(), AutoTokenizer.from_pretrained(tokenizer)
    except (OSError, ValueError) as error:
        raise InputError(
            f"{name} holds no text model with configuration, weights and tokenizer ({first_line(error)}); "
            "give text_model the folder of a downloaded one, such as CLIP or T5, or of a whole Stable Diffusion."
        ) from error


def _text_files(paths: Sequence[str]) -> list[str]:
    """The files of a repository that hold its text model: of a pipeline two folders, else all at the top but other frameworks' weights."""
    parts = [path for path in paths if path.startswith(("text_encoder/", "tokenizer/"))]
    top = [path for path in paths if "/" not in path and not path.endswith((".h5", ".msgpack", ".ot", ".onnx", ".ckpt"))]
    return parts or (top if "config.json" in top else [])
