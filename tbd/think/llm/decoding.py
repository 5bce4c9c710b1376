"""`ChatModel`: a `transformers` chat model that writes within a grammar."""

import importlib.util
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import huggingface_hub
import llguidance
import llguidance.hf
import torch
from safetensors import SafetensorError
from torch import Tensor
from transformers import (
    AutoModelForCausalLM,
    AutoTokenizer,
    LogitsProcessor,
    LogitsProcessorList,
    PreTrainedModel,
    PreTrainedTokenizerBase,
    StoppingCriteria,
    StoppingCriteriaList,
)

from tbd.errors import InputError, TBDError
from tbd.think.llm.planner import Deadline
from tbd.think.llm.prompt import Message

_BROKEN = (OSError, ValueError, KeyError, ImportError, SafetensorError)
"""What loading raises for files that hold no model."""


class ChatModel:
    """A causal language model and its tokenizer.

    Args:
        name: A folder, a ``.gguf`` file, or a repository on the Hugging Face hub.
        device: Where it runs; by default a GPU where there is one.
        dtype: Of its weights; ``"auto"`` is the checkpoint's.

    Raises:
        InputError: If it is neither here nor can be fetched, or it is no model that can be used.
    """

    def __init__(self, name: str, device: str | None = None, dtype: str = "auto") -> None:
        if dtype != "auto" and not isinstance(getattr(torch, dtype, None), torch.dtype):
            raise InputError(f"There is no dtype {dtype}; give auto, float32, float16 or bfloat16.")
        self.device = _device(device)
        self.tokenizer, model = _load(name, dtype)
        self.model = model.eval().to(self.device)
        # the model's is often padded beyond the tokenizer's; that of a .gguf file may be a token short of it
        self.vocabulary = max(model.get_output_embeddings().weight.shape[0], len(self.tokenizer))
        self.ends = _ends(self.tokenizer, model)
        try:
            fast: Any = self.tokenizer  # what it refuses it raises for
            self.constraint = llguidance.hf.from_tokenizer(fast, n_vocab=self.vocabulary, eos_token=self.ends)
        except ValueError as error:
            raise InputError(f"The tokenizer of {name} cannot be constrained ({error}); take a model with a fast tokenizer.") from error

    @torch.inference_mode()
    def write(self, messages: Sequence[Message], grammar: str, limit: int, seed: int, deadline: Deadline) -> tuple[str, bool]:
        """What the model answers.

        Args:
            messages: The conversation so far.
            grammar: Llguidance's, which the answer follows.
            limit: Tokens after which the answer is cut off.
            seed: 0 takes the likeliest token each time, others draw.
            deadline: By when.

        Returns:
            The answer, and whether it is complete.

        Raises:
            InputError: If the model cannot read this many tokens.
            TBDError: If the deadline passed.
        """
        prompt = torch.tensor([self._encode(messages)], device=self.device)  # (1, N)
        self._check_length(prompt.shape[1], limit)
        matcher = llguidance.LLMatcher(self.constraint, grammar)
        chosen = {"do_sample": False} if seed == 0 else {"do_sample": True, "temperature": 0.7}
        with torch.random.fork_rng(devices=[self.device] if self.device.type == "cuda" else []):
            torch.manual_seed(seed)
            answer = self.model.generate(
                prompt,
                attention_mask=torch.ones_like(prompt),
                max_new_tokens=limit,
                logits_processor=LogitsProcessorList([_Allow(matcher, self.vocabulary)]),
                stopping_criteria=StoppingCriteriaList([_Stop(matcher, deadline)]),
                pad_token_id=self.ends[0],
                eos_token_id=self.ends,
                repetition_penalty=1.0,  # it would count against the schema's own words
                **chosen,
            )
        if matcher.is_error():
            raise TBDError(f"The language model cannot be held to the plan's form ({_first_line(matcher.get_error())}).")
        if not matcher.is_stopped() and not deadline.left:
            raise deadline.passed()
        text = self.tokenizer.decode(answer[0, prompt.shape[1] :], skip_special_tokens=True)
        assert isinstance(text, str)  # of one answer
        return text, matcher.is_stopped()

    def _encode(self, messages: Sequence[Message]) -> list[int]:
        """Token ids of the conversation, up to where the answer begins."""
        if not self.tokenizer.chat_template:
            text = "".join(f"{message['content']}\n\n" for message in messages)
            return self.tokenizer(text)["input_ids"]
        options: dict[str, Any] = {"add_generation_prompt": True, "tokenize": True, "return_dict": True, "enable_thinking": False}
        try:
            encoded: Any = self.tokenizer.apply_chat_template(list(messages), **options)
        except Exception:  # templates raise whatever they like; most that do know no system role
            system, first, *rest = messages
            joined = {"role": "user", "content": f"{system['content']}\n\n{first['content']}"}
            encoded = self.tokenizer.apply_chat_template([joined, *rest], **options)
        ids: list[int] = encoded["input_ids"]
        return ids

    def _check_length(self, tokens: int, limit: int) -> None:
        longest = getattr(self.model.config.get_text_config(), "max_position_embeddings", None)
        if longest and tokens + limit > longest:
            raise InputError(
                f"The model reads and writes {longest} tokens at most, but the prompt has {tokens} and its answer may have {limit}; "
                "take a model with a longer context, or give a shorter prompt."
            )


class _Allow(LogitsProcessor):
    """Only tokens that the grammar allows next."""

    def __init__(self, matcher: llguidance.LLMatcher, vocabulary: int) -> None:
        self.matcher, self.vocabulary = matcher, vocabulary

    def __call__(self, input_ids: Tensor, scores: Tensor) -> Tensor:
        bits = torch.zeros(-(-self.vocabulary // 32), dtype=torch.int32)
        self.matcher.unsafe_compute_mask_ptr(bits.data_ptr(), bits.numel() * 4)
        allowed = (bits[:, None] >> torch.arange(32) & 1).bool().flatten()[: scores.shape[1]]  # (V,)
        return scores.masked_fill(~allowed.to(scores.device), -torch.inf)  # (1, V)


class _Stop(StoppingCriteria):
    """Tells the grammar each token, and ends when it is complete or the time is over."""

    def __init__(self, matcher: llguidance.LLMatcher, deadline: Deadline) -> None:
        self.matcher = matcher
        self.deadline = deadline

    def __call__(self, input_ids: Tensor, scores: Tensor, **_) -> Tensor:
        self.matcher.consume_token(int(input_ids[0, -1]))
        return torch.tensor([self.matcher.is_stopped() or not self.deadline.left], device=input_ids.device)  # (1,)


def _ends(tokenizer: PreTrainedTokenizerBase, model: PreTrainedModel) -> list[int]:
    """The tokens that end an answer: chat models often have one for a turn beside the one for a text."""
    own = model.generation_config.eos_token_id
    ends = [tokenizer.eos_token_id, *([own] if isinstance(own, int) else own or [])]
    ends = list(dict.fromkeys(end for end in ends if end is not None))
    if not ends:
        raise InputError("The language model has no token that ends an answer; take a chat model.")
    return ends


def _device(name: str | None) -> torch.device:
    if name is None:
        return torch.device("cuda" if torch.cuda.is_available() else "mps" if torch.backends.mps.is_available() else "cpu")
    try:
        torch.empty(0, device=name)
    except (RuntimeError, AssertionError) as error:
        raise InputError(f"There is no device {name} here; give cpu, or leave it out.") from error
    return torch.device(name)


def _load(name: str, dtype: str) -> tuple[PreTrainedTokenizerBase, PreTrainedModel]:
    """Tokenizer and model: from the folder or the hub's cache, else from the hub."""
    local = Path(name).expanduser()
    if local.suffix.lower() == ".gguf":
        return _read_gguf(local, dtype)
    if not name or (not local.is_dir() and (name.startswith((".", "/", "~")) or name.count("/") > 1)):
        raise InputError(
            f"There is no language model in a folder {name!r}; give a folder, a .gguf file, or a hub repository such as owner/model."
        )
    if not local.is_dir():
        with suppress(*_BROKEN):
            return _read(name, dtype, local_files_only=True)
        try:
            huggingface_hub.model_info(name, timeout=10)  # loading would try for a minute to reach a hub that is not there
        except Exception as error:  # the HTTP library has kinds of its own
            raise InputError(
                f"The language model {name} is neither a folder nor in the Hugging Face cache, and it could not be fetched; "
                f"give a folder, or run `hf download {name}` where there is a network."
            ) from error
    try:
        return _read(str(local) if local.is_dir() else name, dtype)
    except _BROKEN as error:
        raise InputError(f"{name} holds no chat model of transformers ({_first_line(error)}).") from error


def _read_gguf(file: Path, dtype: str) -> tuple[PreTrainedTokenizerBase, PreTrainedModel]:
    """llama.cpp's format; `transformers` unpacks its quantized weights."""
    if not file.is_file():
        raise InputError(f"There is no language model {file}.")
    for package in ("gguf", "accelerate"):
        if importlib.util.find_spec(package) is None:
            raise InputError(f"{file} needs the package {package}; `pip install 'tbd[gguf]'` brings it.")
    try:
        return _read(str(file.parent), "float32" if dtype == "auto" else dtype, gguf_file=file.name)
    except Exception as error:  # parsers of broken files raise whatever they like
        raise InputError(f"{file} holds no chat model that transformers can unpack ({_first_line(error)}).") from error


def _read(source: str, dtype: str, **options: bool | str) -> tuple[PreTrainedTokenizerBase, PreTrainedModel]:
    tokenizer = AutoTokenizer.from_pretrained(source, **options)
    return tokenizer, AutoModelForCausalLM.from_pretrained(source, dtype=dtype, **options)


def _first_line(error: object) -> str:
    return " ".join(str(error).split(". ")[0].split())[:200].rstrip(".")
