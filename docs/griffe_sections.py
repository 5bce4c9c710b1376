"""Teaches griffe, which reads docstrings for the site, the two sections that Google style leaves open."""

import re
from typing import Any

import griffe

EXAMPLE = re.compile(r"^Example:[ \t]*$", re.MULTILINE)
"""Napoleon reads it as ``Examples:``; griffe would take the doctest for prose."""


class Sections(griffe.Extension):
    """Renames sections before griffe parses them."""

    def on_object(self, *, obj: griffe.Object, **_: Any) -> None:
        """Rename the sections of one docstring."""
        if obj.docstring is not None:
            obj.docstring.value = EXAMPLE.sub("Examples:", obj.docstring.value)
