"""`LanguageModelPlanner`: thinks with a language model on this machine."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tbd.think.llm.planner import REASONING_TOKENS, ChatPlanner, Deadline
from tbd.think.llm.prompt import Message
from tbd.think.llm.schema import LONGEST, AnswerError

STEP_LENGTH = 320
"""Characters that one step of the reasoning may have."""


class LanguageModelPlanner(ChatPlanner):
    """Thinks with any chat model of `transformers`.

    Both answers are decoded under constraint (llguidance): the reasoning has its steps in order, each bounded, and the
    JSON follows the schema, so a plan is valid however poor the model.
    The likeliest token is taken, so the same text gives the same plan.

    Args:
        model: A folder, a ``.gguf`` file, or a repository on the Hugging Face hub.
        prompt: A prompt file instead of tbd's own; see `tbd.think.llm.prompt.Prompt`.
        timeout: Seconds that one plan may take in all.
        device: ``"cpu"``, ``"cuda"``, ``"cuda:1"`` …; by default a GPU where there is one.
        dtype: ``"float32"``, ``"bfloat16"`` …; ``"auto"`` is the checkpoint's.
        retries: Further tries, with sampling, after an answer that cannot be used.

    Raises:
        InputError: If the model is neither here nor can be fetched, or cannot be used; the prompt or an option is bad.

    Example:
        >>> LanguageModelPlanner("nowhere/no-model.gguf")
        Traceback (most recent call last):
        tbd.errors.InputError: ...
        >>> plan = LanguageModelPlanner("models/chat").plan("quietly furious")  # doctest: +SKIP
    """

    def __init__(
        self,
        model: str,
        prompt: Path | None = None,
        timeout: float = 300.0,
        device: str | None = None,
        dtype: str = "auto",
        retries: int = 2,
    ) -> None:
        super().__init__(prompt, timeout, retries)
        from tbd.think.llm.decoding import ChatModel  # torch and transformers

        self.model = ChatModel(model, device, dtype)

    def _reason(self, messages: Sequence[Message], seed: int, deadline: Deadline) -> str:
        from llguidance import LLMatcher

        grammar = LLMatcher.grammar_from_lark(_steps_grammar(self.prompt.steps))
        return self.model.write(messages, grammar, REASONING_TOKENS, seed, deadline)[0]

    def _write_json(self, messages: Sequence[Message], schema: dict[str, Any], seed: int, deadline: Deadline) -> str:
        from llguidance import LLMatcher

        # white space between tokens would have no end
        grammar = LLMatcher.grammar_from_json_schema(schema, overrides={"whitespace_flexible": False})
        text, complete = self.model.write(messages, grammar, LONGEST, seed, deadline)
        if not complete:
            raise AnswerError(f"its plan breaks off after {LONGEST} tokens")
        return text


def _steps_grammar(titles: Sequence[str]) -> str:
    r"""A Lark grammar: every title as a heading, in order, each with some text below it.

    Example:
        >>> print(_steps_grammar(["What is felt", "Which muscles"]))
        start: "## What is felt\n" STEP "## Which muscles\n" LAST
        STEP: /[^#\s][^#]{0,318}\n/
        LAST: /[^#\s][^#]{0,319}/
    """
    headings = [json.dumps(f"## {title}\n", ensure_ascii=False) for title in titles]
    # a step ends with its line: headings start one
    step, last = rf"STEP: /[^#\s][^#]{{0,{STEP_LENGTH - 2}}}\n/", rf"LAST: /[^#\s][^#]{{0,{STEP_LENGTH - 1}}}/"
    return "\n".join((f"start: {' STEP '.join(headings)} LAST", *([step] if len(titles) > 1 else []), last))
