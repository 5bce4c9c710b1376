"""The options that choose a planner, of every command that thinks."""

import inspect
from typing import TYPE_CHECKING, Any

from tbd.cli.options.components import add_slot, chosen, class_of, made
from tbd.errors import InputError

if TYPE_CHECKING:
    from jsonargparse import ArgumentParser, Namespace

    from tbd.think.planner import Planner

_SHORTHANDS = ("model", "url", "prompt", "timeout")
"""Options that are arguments of a planner."""


def add_planner_options(parser: "ArgumentParser", observes: bool = False) -> None:
    """Add ``--planner`` and the options that are short for a planner's arguments.

    Args:
        parser: Of a command.
        observes: Whether the command has a portrait and a voice that a planner may be shown and given.
    """
    add_slot(parser, "planner", "rules and an encoder for situations, rules alone, a language model here, or one on a server", "situations")
    parser.add_argument("--model", help="language_model: a folder or hub repository; server: the model's name there")
    parser.add_argument("--url", help="server: its URL, such as http://localhost:8000/v1; a key is read from TBD_API_KEY or OPENAI_API_KEY")
    parser.add_argument(
        "--prompt", metavar="FILE", help="language_model, server: instructions to the model, instead of assets/think/prompt.md"
    )
    parser.add_argument("--timeout", type=float, metavar="SECONDS", help="language_model, server: how long a plan may take (default: 300)")
    if observes:
        parser.add_argument("--see", choices=["portrait"], help="server: show the model the portrait as well")
        parser.add_argument("--hear", action="store_true", help="server: give the model the voice as well")


def add_voice_options(parser: "ArgumentParser", default: str | None = None) -> None:
    """Add ``--emotion-from`` and ``--voice-reader``.

    Args:
        parser: Of a command.
        default: Of ``--emotion-from``; None leaves open whether it was given.
    """
    parser.add_argument(
        "--emotion-from",
        choices=["text", "voice", "both"],
        default=default,
        help="both (the default): the text decides what is felt, the voice how strongly and when, as far as the text leaves it open; "
        "without a text the feeling is heard in the voice. text or voice: that alone",
    )
    add_slot(parser, "voice_reader", "hears how something is said", "prosodic")


def asks_for_planner(options: "Namespace | dict[str, Any]") -> bool:
    """Return whether any option asks for another planner than the packaged one."""
    shorthands = any(options.get(name) not in (None, False) for name in (*_SHORTHANDS, "see", "hear"))
    return options["planner"] not in (None, "situations") or shorthands


def chosen_planner(options: "Namespace | dict[str, Any]") -> "Planner":
    """Make the planner that the options choose.

    Args:
        options: Those of `add_planner_options`.

    Returns:
        The planner.

    Raises:
        InputError: If an option is not one of this planner's, one that it needs is missing, or the planner cannot be made.
    """
    component = chosen(options["planner"], "planner", "situations")
    named = options["planner"] if isinstance(options["planner"], str) else component.class_path
    given = {name: options[name] for name in _SHORTHANDS if options[name] is not None}
    given |= {"see": True} if options.get("see") else {}
    given |= {"hear": True} if options.get("hear") else {}
    taken = inspect.signature(class_of(component, "planner")).parameters
    for name in given:
        if name not in taken:
            more = "; the model that draws the motion is --motion-model" if name == "model" and "motion_model" in options else ""
            raise InputError(f"--{name} is nothing that --planner {named} takes; leave it out or choose another planner{more}.")
    component.init_args.update(given)
    for name, parameter in taken.items():
        if parameter.default is parameter.empty and parameter.kind is parameter.POSITIONAL_OR_KEYWORD and name not in component.init_args:
            option = f"--{name}" if name in _SHORTHANDS else f"--planner.{name}"
            raise InputError(f"--planner {named} needs {option}; `tbd think --help` says what it is.")
    planner: Planner = made(component, "planner")
    return planner
