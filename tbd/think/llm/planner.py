"""`ChatPlanner`: a language model reasons in named steps, then writes the plan; what every such planner shares."""

import math
import time
from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from tbd.errors import InputError, TBDError
from tbd.think.action_units import TRACE, Side
from tbd.think.emotions import EMOTION_SPECS
from tbd.think.llm.prompt import Message, Prompt, read_steps, shorten
from tbd.think.llm.schema import AnswerError, Draft
from tbd.think.plan import MuscleAction, MusclePlan, Step
from tbd.think.plan_checks import repair
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

    def passed(self, written: int | None = None) -> TBDError:
        """Word what to raise when it has.

        Args:
            written: Tokens of the answer that were there by then, where they are known.

        Returns:
            An error that says what helps.
        """
        so_far = "" if written is None else f" ({f'it had written {written} tokens' if written else 'it was still reading its prompt'})"
        return TBDError(
            f"The language model was not done within {self.seconds:g} s{so_far}; allow more time (`--timeout`) or take a smaller model."
        )


class ChatPlanner(Planner):
    """Asks a chat model twice: for its reasoning, then for the plan as JSON.

    To write one, implement `_reason` and `_write_json`. An answer that is no plan is asked for again with the next seed.

    Args:
        prompt: A prompt file instead of tbd's own; see `Prompt`.
        timeout: Seconds that one plan may take in all.
        retries: Number of further tries after an answer that cannot be used.
        see: Whether `plan` shows the model the portrait.
        hear: Whether it gives the model the voice.
    """

    def __init__(self, prompt: Path | None = None, timeout: float = 300.0, retries: int = 2, see: bool = False, hear: bool = False) -> None:
        if not 0 < timeout < math.inf:
            raise InputError(f"A language model needs a time limit above 0 seconds; {timeout:g} was given.")
        if retries < 0:
            raise InputError(f"A language model needs 0 or more further tries; {retries} were given.")
        self.prompt = Prompt.load(prompt)
        self.timeout = timeout
        self.retries = retries
        self.see, self.hear = see, hear
        self.observes = frozenset(name for name, wanted in (("portrait", see), ("voice", hear)) if wanted)

    @abstractmethod
    def _reason(self, messages: Sequence[Message], seed: int, deadline: Deadline) -> str:
        """At most about `REASONING_TOKENS` tokens. Seed 0 is the model's likeliest answer, others are drawn.

        Raises:
            AnswerError: If the answer cannot be used.
        """

    @abstractmethod
    def _write_json(self, messages: Sequence[Message], schema: dict[str, Any], seed: int, deadline: Deadline) -> str:
        """JSON that follows `schema`, or tries to. Raises as `_reason` does."""

    def plan(
        self, text: str, duration: float | None = None, *, voice: np.ndarray | None = None, portrait: np.ndarray | None = None
    ) -> MusclePlan:
        """Think; see `Planner.plan`.

        Args:
            text: What is felt, in words; may be empty where the model sees or hears.
            duration: Seconds of audio that the plan is for, where known.
            voice: (N,) float32 samples at 16 kHz, where the model is to hear them.
            portrait: (H, W, 3) uint8 RGB, where the model is to see it.

        Returns:
            The plan, mended where a face could not carry it out, with the muscles of its emotions where the model named none.

        Raises:
            InputError: If the duration is not a positive number of seconds, or the model cannot be had as it was asked for.
            TBDError: If no plan came within the time or the tries.
        """
        check_duration(duration)
        if not shorten(text)[0] and voice is None and portrait is None:
            return _neutral(text)
        return completed(self.draft(text, duration, voice=voice, portrait=portrait))

    def draft(
        self, text: str, duration: float | None = None, *, voice: np.ndarray | None = None, portrait: np.ndarray | None = None
    ) -> MusclePlan:
        """Ask for a plan, and leave it as the model wrote it.

        Args:
            text: As for `plan`, and so are the others; it may be empty only where the model sees or hears.
            duration: Seconds of audio that the plan is for, where known.
            voice: (N,) float32 samples at 16 kHz.
            portrait: (H, W, 3) uint8 RGB.

        Returns:
            The plan before `completed`: it may name no muscle, or muscles that hinder each other or speech.

        Raises:
            InputError: If the model cannot be had as it was asked for.
            TBDError: If no plan came within the time or the tries.
        """
        seen, notes = shorten(text)
        asked = self._asked(seen, duration, voice, portrait)
        deadline = Deadline(self.timeout, time.monotonic())
        for seed in range(self.retries + 1):
            try:
                reasoning = self._reason(asked, seed, deadline)
                steps = read_steps(reasoning, self.prompt.steps)
                if not steps:
                    raise AnswerError("it gave no reasoning")
                messages = self.prompt.ask_plan(asked, "\n\n".join(f"## {step.title}\n{step.text}" for step in steps))
                draft = Draft.read(self._write_json(messages, Draft.json_schema(), seed, deadline))
                return draft.plan(text, steps, notes)
            except AnswerError as error:
                problem = str(error)
        tries = "one try" if self.retries == 0 else f"{self.retries + 1} tries"
        raise TBDError(f"The language model gave no plan in {tries}: {problem}.")

    def _asked(self, text: str, duration: float | None, voice: np.ndarray | None, portrait: np.ndarray | None) -> list[Message]:
        """The messages that ask for the reasoning."""
        if voice is None and portrait is None:
            return self.prompt.ask(text, duration)
        from tbd.think.llm.observations import NO_SENTENCE, with_observations  # `tbd.media`, which no other plan needs

        return with_observations(self.prompt.ask(text or NO_SENTENCE, duration), voice, portrait)


def completed(plan: MusclePlan) -> MusclePlan:
    """Mend and complete what a small model wrote.

    Args:
        plan: Any valid plan.

    Returns:
        The plan after `tbd.think.plan_checks.repair`; where it names a feeling and no muscle, with the muscles of its emotions'
        prototypes at its intensity. Notes say what was done.

    Example:
        >>> plan = completed(MusclePlan(emotions={"happy": 1.0}, intensity=0.5))
        >>> [(a.unit, a.intensity) for a in plan.actions]
        [(6, 0.4), (12, 0.5), (25, 0.25)]
        >>> plan.notes[0][:56]
        'The language model named a feeling and no muscle; the mu'
    """
    notes = list(plan.notes)
    if not plan.actions and plan.intensity > 0 and set(plan.emotions) != {"neutral"}:
        plan = plan.model_copy(update={"actions": _prototypical(plan)})
        notes.append("The language model named a feeling and no muscle; the muscles are those of the feeling's prototype.")
    mended, changes = repair(plan)
    notes += [f"The language model's plan was mended: {change}" for change in changes]
    return mended.model_copy(update={"notes": tuple(notes)})


def _prototypical(plan: MusclePlan) -> tuple[MuscleAction, ...]:
    """The first prototypes of a plan's emotions, each by its weight; of one unit and side the strongest."""
    levels: dict[tuple[int, Side], float] = {}
    for emotion, weight in plan.emotions.items():
        for unit, side, level in EMOTION_SPECS[emotion].prototypes[0]:
            levels[unit, side] = max(levels.get((unit, side), 0.0), round(level * weight * plan.intensity, 3))
    return tuple(MuscleAction(unit=unit, side=side, intensity=level) for (unit, side), level in levels.items() if level >= TRACE)


def _neutral(text: str) -> MusclePlan:
    """Nothing was said, so there is nothing to ask a model."""
    note = "The text is empty, so the face stays neutral. Try a feeling (“quietly furious”) or what the face does (“a small smile”)."
    steps = (Step(title="What is felt", text="Nothing is said about a feeling."), Step(title="What would help", text=note))
    return MusclePlan(text=text, reasoning=steps, description="A neutral face.", notes=(note,))
