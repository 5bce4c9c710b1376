"""`ChatModel`: a `transformers` chat model that writes within a grammar.

On a processor the time goes into the passes through the weights, so no pass is made twice and none for what is known: the head of the
prompt (the tables of FACS, the same for every sentence) is kept from one answer to the next, and tokens that the grammar leaves no
choice about (`"emotion": "`) are read together with the one before them.
"""

import importlib.util
import inspect
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path
from typing import Any

import huggingface_hub
import llguidance
import llguidance.hf
import torch
from safetensors import SafetensorError
from torch import Tensor
from transformers import (
    MODEL_FOR_CAUSAL_LM_MAPPING,
    MODEL_FOR_IMAGE_TEXT_TO_TEXT_MAPPING,
    AutoConfig,
    AutoModelForCausalLM,
    AutoModelForImageTextToText,
    AutoTokenizer,
    PreTrainedModel,
    PreTrainedTokenizerBase,
)

from tbd.errors import InputError, TBDError
from tbd.think.llm.growing_cache import make_cache
from tbd.think.llm.planner import Deadline
from tbd.think.llm.prompt import Message

_BROKEN = (OSError, ValueError, KeyError, ImportError, SafetensorError)
"""What loading raises for files that hold no model."""
CHUNK = 128
"""Tokens of a prompt that are read at once, always from a multiple of it: what is kept of one prompt for the next is then, to the last
bit, what reading it again would give. Between two chunks the time limit is looked at."""
_TEMPERATURE = 0.7
"""Of the draws of all tries but the first."""


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
        taken = inspect.signature(model.forward).parameters
        self._cache_name = "cache" if "cache" in taken else "past_key_values"  # renamed in transformers 5
        self._last_only = {"logits_to_keep": 1} if "logits_to_keep" in taken else {}
        self._cache: Any = make_cache(model)
        self._kept: list[int] = []  # whole chunks of the last prompt, which the cache begins with
        self._length = 0  # tokens that the cache holds

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
        prompt = self._encode(messages)
        self._check_length(len(prompt), limit)
        matcher = llguidance.LLMatcher(self.constraint, grammar)
        generator = torch.Generator(self.device).manual_seed(seed) if seed else None
        answer: list[int] = []
        logits = self._read_prompt(prompt, deadline)
        while len(answer) < limit:
            if not deadline.left:
                raise deadline.passed(len(answer))
            token = _choose(logits, self._allowed(matcher), generator)
            matcher.consume_token(token)
            forced = matcher.compute_ff_tokens()[: limit - len(answer) - 1]
            matcher.consume_tokens(forced)
            answer += [token, *forced]
            if matcher.is_error():
                raise TBDError(f"The language model cannot be held to the plan's form ({_first_line(matcher.get_error())}).")
            if matcher.is_stopped():
                break
            logits = self._pass([token, *forced])
        text = self.tokenizer.decode(answer, skip_special_tokens=True)
        assert isinstance(text, str)  # of one answer
        return text, matcher.is_stopped()

    def _read_prompt(self, prompt: Sequence[int], deadline: Deadline) -> Tensor:
        """(V,) logits after a prompt, of which the head is not read again where the last one had the same."""
        same = next((i for i, (a, b) in enumerate(zip(prompt, self._kept)) if a != b), min(len(prompt), len(self._kept)))
        self._keep(min(same, len(prompt) - 1) // CHUNK * CHUNK)
        logits = torch.empty(0)
        for start in range(len(self._kept), len(prompt), CHUNK):
            if not deadline.left:
                raise deadline.passed(0)
            chunk = prompt[start : start + CHUNK]
            logits = self._pass(chunk)
            self._kept += chunk if len(chunk) == CHUNK else []
        return logits

    def _keep(self, count: int) -> None:
        """Forget all but the first `count` tokens that were read; everything, where a model's memory cannot be cut."""
        surplus = self._length - count
        try:
            if not getattr(self._cache, "is_croppable", False):
                raise RuntimeError("it cannot be cut")
            self._cache.crop(-surplus)
        except RuntimeError:  # or it is a sliding window that has slid
            self._cache, count = make_cache(self.model), 0
        self._kept, self._length = self._kept[:count], count

    def _pass(self, tokens: Sequence[int]) -> Tensor:
        """(V,) logits after further tokens."""
        ids = torch.tensor([tokens], device=self.device)  # (1, n)
        output = self.model(ids, use_cache=True, **{self._cache_name: self._cache}, **self._last_only)
        self._cache = output[self._cache_name]
        self._length += len(tokens)
        return output.logits[0, -1]  # (V,)

    def _allowed(self, matcher: llguidance.LLMatcher) -> Tensor:
        """(V,) whether the grammar allows each token next."""
        bits = torch.zeros(-(-self.vocabulary // 32), dtype=torch.int32)
        matcher.unsafe_compute_mask_ptr(bits.data_ptr(), bits.numel() * 4)
        return (bits[:, None] >> torch.arange(32) & 1).bool().flatten().to(self.device)

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


def _choose(logits: Tensor, allowed: Tensor, generator: torch.Generator | None) -> int:
    """The likeliest token that is allowed, or one that is drawn."""
    masked = logits.float().masked_fill(~allowed[: len(logits)], -torch.inf)
    if generator is None:
        return int(masked.argmax())
    return int(torch.multinomial((masked / _TEMPERATURE).softmax(0), 1, generator=generator))


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
        with _parsed_once():
            return _read(str(file.parent), "float32" if dtype == "auto" else dtype, gguf_file=file.name)
    except Exception as error:  # parsers of broken files raise whatever they like
        raise InputError(f"{file} holds no chat model that transformers can unpack ({_first_line(error)}).") from error


@contextmanager
def _parsed_once() -> Iterator[None]:
    """`transformers` parses a .gguf file three times, and makes the table of its names for every module: 24 s where 11 s do."""
    import gguf

    calls = {name: getattr(gguf, name) for name in ("GGUFReader", "get_tensor_name_map")}
    try:
        for name, call in calls.items():
            setattr(gguf, name, cache(call))
        yield
    finally:
        for name, call in calls.items():
            setattr(gguf, name, call)


def _read(source: str, dtype: str, **options: bool | str) -> tuple[PreTrainedTokenizerBase, PreTrainedModel]:
    tokenizer = AutoTokenizer.from_pretrained(source, **options)
    if "gguf_file" not in options and _looks_at_pictures(source, **options):  # it is given none, and thinks from the words
        return tokenizer, AutoModelForImageTextToText.from_pretrained(source, dtype=dtype, **options)
    return tokenizer, AutoModelForCausalLM.from_pretrained(source, dtype=dtype, **options)


def _looks_at_pictures(source: str, **options: bool | str) -> bool:
    """Whether a model is one that `transformers` knows as a model of pictures and text alone."""
    kind = type(AutoConfig.from_pretrained(source, **options))
    return kind in MODEL_FOR_IMAGE_TEXT_TO_TEXT_MAPPING and kind not in MODEL_FOR_CAUSAL_LM_MAPPING


def _first_line(error: object) -> str:
    return " ".join(str(error).split(". ")[0].split())[:200].rstrip(".")
