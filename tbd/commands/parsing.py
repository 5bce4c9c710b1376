"""What a parser refuses, in one sentence: what was wrong, and what would be right."""

import difflib
import re
from collections.abc import Sequence
from typing import Any

from jsonargparse import ArgumentError

from tbd.commands.slots import fold
from tbd.errors import InputError
from tbd.misfits import explained

_KIND = {"int": "a whole number", "float": "a number", "bool": "true or false", "str": "text", "dict": "names and values"}


def parse(parser: Any, argv: Sequence[str], name: str) -> Any:
    """Parse a command's options.

    Args:
        parser: jsonargparse's, made with ``exit_on_error=False``.
        argv: The options.
        name: Of the command, for messages.

    Returns:
        The parsed values.

    Raises:
        InputError: They do not fit the command.
    """
    try:
        with explained(argv, parser):
            return parser.parse_args(fold(argv))
    except ArgumentError as error:
        raise InputError(_sentence(str(error), _options(parser), name)) from None


def _options(parser: Any) -> list[str]:
    """All options, those of inner commands included."""
    found = []
    for action in parser._actions:
        found += action.option_strings
        for inner in (action.choices or {}).values() if isinstance(action.choices, dict) else ():
            found += _options(inner)
    return found


def _sentence(said: str, options: Sequence[str], name: str) -> str:
    text = " ".join(said.split())
    for pattern, explain in _EXPLAINED:
        match = re.search(pattern, text)
        if match is not None:
            return explain(match, options, name)
    return f"{text[:300].rstrip('.')}. `tbd {name} --help` lists what it takes."


def _unrecognized(match: re.Match, options: Sequence[str], name: str) -> str:
    word = match[1].partition("=")[0]
    near = difflib.get_close_matches(word, options, 1) or [o for o in options if word.startswith("--") and o.startswith(word)][:1]
    what = f"There is no option {word}" if word.startswith("-") else f"{word!r} belongs to no option"
    return f"{what}; {f'did you mean {near[0]}? ' if near else ''}`tbd {name} --help` lists what it takes."


def _missing(match: re.Match, options: Sequence[str], name: str) -> str:
    names = [part.strip().rpartition(".")[2].replace("_", "-") for part in match[1].split(",")]
    given = [f"--{n}" if f"--{n}" in options else n.upper() for n in names]
    return f"{', '.join(given)} {'is' if len(given) == 1 else 'are'} missing; `tbd {name} --help` says what is needed."


def _wrong_kind(match: re.Match, options: Sequence[str], name: str) -> str:
    return f"{_option(match[1], options)} takes {_KIND.get(match[2], match[2])}, not {match[3]!r}."


def _wrong_choice(match: re.Match, options: Sequence[str], name: str) -> str:
    choices = re.findall(r"'([^']+)'", match[3])
    near = difflib.get_close_matches(match[2], choices, 1)
    return f"{match[1]} is one of {', '.join(choices)}, not {match[2]!r}{f'; did you mean {near[0]}?' if near else '.'}"


def _no_command(match: re.Match, options: Sequence[str], name: str) -> str:
    return f"Say which: `tbd {name} {match[1].replace(',', '|')}`."


def _no_value(match: re.Match, options: Sequence[str], name: str) -> str:
    return f"{match[1]} needs a value."


def _no_file(match: re.Match, options: Sequence[str], name: str) -> str:
    return f"There is no file {match[2]} ({_option(match[1], options)})."


def _no_class(match: re.Match, options: Sequence[str], name: str) -> str:
    reason = match[2].strip().rstrip(".")
    return f"{_option(match[1], options)}: {reason}."


def _option(key: str, options: Sequence[str]) -> str:
    option = f"--{key.rpartition('.')[2].replace('_', '-')}"
    return option if option in options else key


_EXPLAINED = (
    (r"unrecognized arguments: (\S+)", _unrecognized),
    (r"following arguments are required: (.+)$", _missing),
    (r"argument (\S+): invalid choice: '?(.*?)'? \(choose from (.*)\)", _wrong_choice),
    (r"to be one of \{(.+?)\}, but it was not provided", _no_command),
    (r"argument (\S+): expected .*argument", _no_value),
    (r"key \"([\w.]+)\": File does not exist: '(.+?)'", _no_file),
    (r"key \"([\w.]+)\":? Expected an? <class '(?:[\w.]*\.)?(\w+)'>\.? Got value: (.*)$", _wrong_kind),
    (r"key \"([\w.]+)\":.* - (Expected a dot import path string.*|Problem with given class_path.*|Import path .*)$", _no_class),
)
