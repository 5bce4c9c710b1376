"""`Prompt`: the instructions to a language model, in a file that a researcher can edit; and its reasoning, read back as steps."""

import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tbd.errors import InputError
from tbd.think.action_units import ACTION_UNITS, EITHER, ONE, REGIONS, TOGETHER
from tbd.think.emotions import EMOTION_SPECS, EMOTIONS
from tbd.think.plan import Step
from tbd.think.rules.lexicon import ASSETS
from tbd.think.rules.tokenizer import WORD_LIMIT, cut_short

PROMPT = ASSETS / "prompt.md"
CHARACTER_LIMIT = 4000
"""Characters that are read, for texts whose words are endless or not divided by spaces."""

Message = dict[str, Any]
"""``{"role": "system" | "user" | "assistant", "content": …}``, as chat templates and servers take it; the content is text, or a list of
parts where a model sees or hears (`tbd.think.llm.observations`)."""

_PARTS = ("system", "reason", "plan")


@dataclass(frozen=True)
class Prompt:
    """Two requests, one after the other: to reason in named steps, then to write the plan as JSON.

    The file has three parts, each under a line ``# system``, ``# reason`` or ``# plan``. Lines ``## Title`` under
    ``# reason`` name the steps. ``{{text}}``, ``{{duration}}``, ``{{steps}}``, ``{{units}}``, ``{{emotions}}`` and
    ``{{regions}}`` are filled in; comments (``<!-- … -->``) are left out.

    Args:
        system: Who the model is and what it knows.
        reason: The first request.
        plan: The second request.
        steps: Titles of the reasoning's steps.

    Example:
        >>> prompt = Prompt.load()
        >>> prompt.steps[0]
        'What is felt'
        >>> [message["role"] for message in prompt.ask("quietly furious", duration=4)]
        ['system', 'user']
    """

    system: str
    reason: str
    plan: str
    steps: tuple[str, ...]

    @classmethod
    def load(cls, path: str | os.PathLike | None = None) -> "Prompt":
        """Read a prompt file, tbd's own by default.

        Args:
            path: The file; None is tbd's own.

        Returns:
            The prompt.

        Raises:
            InputError: If the file cannot be read, lacks a part, a step or ``{{text}}``, or has a placeholder that nothing fills.
        """
        path = Path(path or PROMPT)
        try:
            text = path.read_text(encoding="utf-8")
        except FileNotFoundError:
            raise InputError(f"There is no prompt file {path}.") from None
        except (OSError, UnicodeDecodeError) as error:
            raise InputError(f"Cannot read the prompt {path}: {getattr(error, 'strerror', None) or 'it is no UTF-8 text'}.") from error
        pieces = re.split(r"^# (.+)$", re.sub(r"<!--.*?-->", "", text, flags=re.S), flags=re.M)
        parts = {name.strip().lower(): body.strip() for name, body in zip(pieces[1::2], pieces[2::2])}
        for name in _PARTS:
            if not parts.get(name):
                raise InputError(f"The prompt {path} has no part “# {name}”; it needs {', '.join(f'# {p}' for p in _PARTS)}.")
        steps = tuple(title.strip() for title in re.findall(r"^## (.+)$", parts["reason"], flags=re.M))
        if not steps:
            raise InputError(f"The prompt {path} names no step of reasoning; give each one a line “## Title” under “# reason”.")
        if "{{text}}" not in parts["reason"]:
            raise InputError(f"The prompt {path} never shows the sentence; put {{{{text}}}} under “# reason”.")
        known = {"text", "duration", "steps", *_knowledge()}
        for unknown in sorted(set(re.findall(r"{{(.*?)}}", "".join(parts.values()))) - known):
            raise InputError(f"Nothing fills {{{{{unknown}}}}} in the prompt {path}; known are {', '.join(sorted(known))}.")
        return cls(parts["system"], parts["reason"], parts["plan"], steps)

    def ask(self, text: str, duration: float | None = None) -> list[Message]:
        """Write the messages that ask for the reasoning.

        Args:
            text: The sentence, which `shorten` has made safe.
            duration: Seconds of audio, where known.

        Returns:
            A system and a user message.
        """
        said = "not known" if duration is None else f"{duration:g} seconds"
        values = {**_knowledge(), "steps": ", ".join(self.steps), "duration": said, "text": text}
        return [{"role": "system", "content": _fill(self.system, values)}, {"role": "user", "content": _fill(self.reason, values)}]

    def ask_plan(self, asked: list[Message], reasoning: str) -> list[Message]:
        """Write the messages that ask for the plan, after the reasoning.

        Args:
            asked: The messages of `ask`.
            reasoning: The model's answer to them.

        Returns:
            The conversation with the second request at its end.
        """
        return [*asked, {"role": "assistant", "content": reasoning}, {"role": "user", "content": _fill(self.plan, _knowledge())}]


def shorten(text: str) -> tuple[str, tuple[str, ...]]:
    """The sentence as a model may see it, and notes on what was left out.

    It is cut to `WORD_LIMIT` words and `CHARACTER_LIMIT` characters. Angle brackets that open become ‹, so that no text
    can close the quotation it stands in or speak a chat template's markers.

    Args:
        text: The sentence as the user wrote it.

    Returns:
        The text for the model, and notes for the user.

    Example:
        >>> shorten("sad </sentence> <|system|>")
        ('sad ‹/sentence> ‹|system|>', ())
    """
    words = text.encode("utf-8", "replace").decode().replace("\0", " ").split()
    kept = " ".join(words[:WORD_LIMIT])
    notes: tuple[str, ...] = ()
    if len(words) > WORD_LIMIT:
        notes = (cut_short(WORD_LIMIT),)
    elif len(kept) > CHARACTER_LIMIT:
        notes = (cut_short(CHARACTER_LIMIT, "characters"),)
    return kept[:CHARACTER_LIMIT].replace("<", "‹"), notes


def read_steps(text: str, titles: tuple[str, ...]) -> tuple[Step, ...]:
    r"""A model's reasoning as steps. Titles may be marked in any of the ways that models like.

    What stands before the first title, or everything where there is none, is a step "Reasoning".

    Args:
        text: The model's answer.
        titles: Titles of the steps that it was asked for.

    Returns:
        The steps that have text, in the order of the answer.

    Example:
        >>> [(s.title, s.text) for s in read_steps("**What is felt:** rage\n2. which muscles\nAU4", ("What is felt", "Which muscles"))]
        [('What is felt', 'rage'), ('Which muscles', 'AU4')]
    """
    text = re.sub(r"<think>.*?(</think>|\Z)", "", text, flags=re.S)
    text = re.sub(r"[\x00-\x08\x0b-\x1f\x7f]", "", text)  # a terminal would obey them
    marked = rf"^[ \t]*(?:[#*]+[ \t]*|\d+[.)][ \t]*)*({'|'.join(map(re.escape, titles))})(?:[ \t]*[:*]+|[ \t]*$)"
    pieces = re.split(marked, text, flags=re.M | re.I)
    names = {title.lower(): title for title in titles}
    found = [("Reasoning", pieces[0]), *((names[title.lower()], said) for title, said in zip(pieces[1::2], pieces[2::2]))]
    return tuple(Step(title=title, text=said.strip()) for title, said in found if said.strip())


def _fill(template: str, values: dict[str, str]) -> str:
    """Fill ``{{name}}`` in one pass: what is filled in is not looked at again."""
    return re.sub(r"{{(\w+)}}", lambda match: values[match[1]], template)


def _knowledge() -> dict[str, str]:
    """What the tables of `tbd.think.facs` know, in words."""
    sides = {EITHER: "both, left or right", TOGETHER: "both", ONE: "left or right"}
    units = [f"AU{u.number} {u.name} ({u.region}; {sides[u.sides]}): {u.movement}" for u in ACTION_UNITS.values()]
    emotions = [f"{emotion}: {', '.join(map(_pull, EMOTION_SPECS[emotion].prototypes[0])) or 'no muscle'}" for emotion in EMOTIONS]
    return {"units": "\n".join(units), "emotions": "\n".join(emotions), "regions": ", ".join(REGIONS)}


def _pull(pull: tuple[int, str, float]) -> str:
    unit, side, level = pull
    return f"AU{unit} {level:.1f}" if side == "both" else f"AU{unit} on the {side} {level:.1f}"
