"""Text models of a few kilobytes with random weights, saved as folders that `transformers` loads like any other."""

import functools
import tempfile
from pathlib import Path

import torch

from tbd.draw.conditioning.text_plan_encoder import TextPlanEncoder
from tbd.think.action_units import ACTION_UNITS

WIDTH = 16
_FOLDERS = tempfile.TemporaryDirectory(prefix="tbd-text-")


def tiny_text_encoder(kind: str, dim: int = 16, **options) -> TextPlanEncoder:
    """`kind` is clip (text alone), clip-whole (with its images' half), or t5."""
    torch.manual_seed(0)
    return TextPlanEncoder(dim, str(text_model_folder(kind)), WIDTH, **options)


@functools.cache
def text_model_folder(kind: str) -> Path:
    from transformers import CLIPConfig, CLIPModel, CLIPTextConfig, CLIPTextModel, PreTrainedTokenizerFast, T5Config, T5Model

    folder, words = Path(_FOLDERS.name) / kind, _tokenizer()
    small = {"num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 32, "hidden_size": WIDTH}
    text = {**small, "vocab_size": words.get_vocab_size(), "max_position_embeddings": 77, "bos_token_id": 2, "eos_token_id": 3}
    t5 = {"d_model": WIDTH, "d_kv": 8, "d_ff": 32, "num_layers": 1, "num_heads": 2, "vocab_size": words.get_vocab_size()}
    torch.manual_seed(0)
    model = {
        "clip": lambda: CLIPTextModel(CLIPTextConfig(**text, pad_token_id=0)),
        "clip-whole": lambda: CLIPModel(CLIPConfig(text_config=text, vision_config={**small, "image_size": 8, "patch_size": 4})),
        "t5": lambda: T5Model(T5Config(**t5, decoder_start_token_id=0)),
    }[kind]()
    model.save_pretrained(folder)
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=words, pad_token="[PAD]", unk_token="[UNK]", bos_token="[BOS]", eos_token="[EOS]")
    tokenizer.save_pretrained(folder)
    return folder


def _tokenizer():
    """Whole words of the action units' movements, and a few of feelings."""
    from tokenizers import Tokenizer, models, pre_tokenizers, processors

    text = " ".join(unit.movement for unit in ACTION_UNITS.values()) + (
        " a an face neutral happy sad angry fearful barely slightly moderately markedly clearly strongly very utterly on left right"
    )
    words = dict.fromkeys(["[PAD]", "[UNK]", "[BOS]", "[EOS]", *text.split()])
    tokenizer = Tokenizer(models.WordLevel({word: i for i, word in enumerate(words)}, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer.post_processor = processors.TemplateProcessing("[BOS] $A [EOS]", special_tokens=[("[BOS]", 2), ("[EOS]", 3)])
    return tokenizer
