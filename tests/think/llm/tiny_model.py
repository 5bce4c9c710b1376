"""A chat model of a few kilobytes with random weights: the worst model there is, through the code that loads real ones."""

from pathlib import Path

import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

from tbd.think.llm.prompt import PROMPT, Prompt
from tbd.think.llm.schema import Draft

CHAT = "{% for m in messages %}<|{{ m.role }}|>{{ m.content }}<|end|>{% endfor %}{% if add_generation_prompt %}<|assistant|>{% endif %}"
NO_SYSTEM = "{% if messages[0].role == 'system' %}{{ raise_exception('no system role') }}{% endif %}" + CHAT


def save_tiny_model(folder: Path, seed: int = 0, template: str | None = CHAT, context: int = 16384) -> Path:
    """Tokens are bytes and what is frequent in the prompt, so that prompts stay short."""
    torch.set_num_threads(1)
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    special = ["<|end|>", "<|system|>", "<|user|>", "<|assistant|>"]
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(vocab_size=1500, special_tokens=special, initial_alphabet=alphabet, show_progress=False)
    tokenizer.train_from_iterator(
        [PROMPT.read_text(encoding="utf-8"), *(m["content"] for m in Prompt.load().ask("sad")), str(Draft.json_schema())], trainer
    )
    fast = PreTrainedTokenizerFast(tokenizer_object=tokenizer, eos_token="<|end|>")
    fast.chat_template = template
    fast.save_pretrained(folder)
    torch.manual_seed(seed)
    size = {"hidden_size": 32, "intermediate_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2, "num_key_value_heads": 1}
    vocabulary = len(fast) + 13  # padded, as many are
    config = LlamaConfig(
        vocab_size=vocabulary, max_position_embeddings=context, eos_token_id=fast.eos_token_id, initializer_range=0.5, **size
    )
    LlamaForCausalLM(config).save_pretrained(folder)
    return folder
