"""How `tbd COMMAND --help` writes options down. Imports jsonargparse, which a command's parser needs anyway."""

import textwrap
from argparse import SUPPRESS, Action
from typing import Any

from jsonargparse import DefaultHelpFormatter

_OWN = {
    "help": "show this help, and exit",
    "print_config": "print these options as YAML, for --config, and exit",
}
"""In the place of jsonargparse's own sentences."""
_NOTHING: tuple[Any, ...] = ("", [], {}, SUPPRESS)
"""Defaults that need not be said, beside None and False."""


class HelpFormatter(DefaultHelpFormatter):
    """Says of an option what its author wrote, whether it is required, and its default where there is one.

    Types are left out: the words and the default tell them, and a wrong one is refused with its name.
    """

    def _get_help_string(self, action: Action) -> str:
        text = _OWN.get(action.dest, action.help or "")
        if not text or "(default:" in text:
            return text
        if action.required:
            return text if action.nargs == "*" else f"{text} (required)"
        if action.default is None or action.default is False or action.default in _NOTHING:
            return text
        return f"{text} (default: {_written(action.default)})"

    def _split_lines(self, text: str, width: int) -> list[str]:
        """Names with hyphens stay whole."""
        return textwrap.wrap(" ".join(text.split()), width, break_on_hyphens=False)


def _written(value: Any) -> str:
    """A default as one would type it."""
    if isinstance(value, list):
        return " ".join(map(str, value))
    return str(getattr(value, "class_path", value))
