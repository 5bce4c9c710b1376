"""`ChatPlanner`: a language model reasons in named steps, then writes the plan; what every such planner shares."""

import math
import time
from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tbd.errors import InputError, TBDError
from tbd.think.llm.prompt import Message, Prompt, read_steps, shorten
from tbd.think.llm.schema import AnswerError, Draft
from tbd.think.plan import MusclePlan, Step
from tbd.think.planner import Planner, check_duration

REASONING_TOKENS = 768
"""Tokens after which the reasoning is cut off."""


@dataclass(frozen=True)
class Deadline:
    """The time by which a plan must be done: `seconds` after `start`, which is on the clock of `time.monotonic`."""

    seconds: float
    start: float

    @property
    def left(self) -> float:
        """Seconds that remain, 0 when it has passed."""
        return max(0.0, self.start + self.seconds - time.monotonic())

    def passed(self) -> TBDError:
        """What to raise when it has."""
        return TBDError(
            f"The language model was not done within {self.seconds:g} s; allow more time (`--timeout`) or take a smaller model."
        )


class ChatPlanner(Planner):
    """Asks a chat model twice: for its reasoning, then for the plan as JSON.

    To write one, implement `_reason` and `_write_json`. An answer that is no plan is asked for again with the next seed.

    Args:
        prompt: A prompt file instead of tbd's own; see `Prompt`.
        timeout: Seconds that one plan may take in all.
        retries: Further tries after an answer that cannot be used.
    """

    def __init__(self, prompt: Path | None = None, timeout: float = 300.0, retries: int = 2) -> None:
        if not 0 < timeout < math.inf:
            raise InputError(f"A language model needs a time limit above 0 seconds; {timeout:g} was given.")
        if retries < 0:
            raise InputError(f"A language model needs 0 or more further tries; {retries} were given.")
        self.prompt = Prompt.load(prompt)
        self.timeout = timeout
        self.retries = retries

    @abstractmethod
    def _reason(self, messages: Sequence[Message], seed: int, deadline: Deadline) -> str:
        """At most about `REASONING_TOKENS` tokens. Seed 0 is the model's likeliest answer, others are drawn.

        Raises:
            AnswerError: If the answer cannot be used.
        """

    @abstractmethod
    def _write_json(self, messages: Sequence[Message], schema: dict[str, Any], seed: int, deadline: Deadline) -> str:
        """JSON that follows `schema`, or tries to. Raises as `_reason` does."""

    def plan(self, text: str, duration: float | None = None) -> MusclePlan:
        """Think in two requests: reasoning, then JSON; see `Planner.plan`.

        Args:
            text: What is felt, in words.
            duration: Seconds of audio that the plan is for, where known.

        Returns:
            The plan; a neutral one, with a note, where the text is empty.

        Raises:
            InputError: If the duration is not a positive number of seconds, or the model is not available as configured.
            TBDError: If no plan came within the time or the tries.
        """
        check_duration(duration)
        seen, notes = shorten(text)
        if not seen:
            return _neutral(text)
        asked = self.prompt.ask(seen, duration)
        deadline = Deadline(self.timeout, time.monotonic())
        for seed in range(self.retries + 1):
            try:
                reasoning = self._reason(asked, seed, deadline)
                steps = read_steps(reasoning, self.prompt.steps)
                if not steps:
                    raise AnswerError("it gave no reasoning")
                told = self.prompt.ask_plan(asked, "\n\n".join(f"## {step.title}\n{step.text}" for step in steps))
                return Draft.read(self._write_json(told, Draft.json_schema(), seed, deadline)).plan(text, steps, notes)
            except AnswerError as error:
                problem = str(error)
        tries = "one try" if self.retries == 0 else f"{self.retries + 1} tries"
        raise TBDError(f"The language model gave no plan in {tries}: {problem}.")


def _neutral(text: str) -> MusclePlan:
    """Nothing was said, so there is nothing to ask a model."""
    note = "The text is empty, so the face stays neutral. Try a feeling (“quietly furious”) or what the face does (“a small smile”)."
    steps = (Step(title="What is felt", text="Nothing is said about a feeling."), Step(title="What would help", text=note))
    return MusclePlan(text=text, reasoning=steps, description="A neutral face.", notes=(note,))
