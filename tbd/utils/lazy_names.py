"""Names that a package offers and whose modules are imported when they are asked for (PEP 562), so that the package itself is cheap."""

import importlib
import sys
from collections.abc import Callable, Mapping
from typing import Any


def lazy_names(package: str, modules: Mapping[str, str]) -> tuple[Callable[[str], Any], Callable[[], list[str]]]:
    """Make the ``__getattr__`` and the ``__dir__`` of a package.

    Args:
        package: Its name.
        modules: Name → module that has it.

    Returns:
        The two functions.

    Example:
        >>> find, _ = lazy_names("tbd", {"InputError": "tbd.errors"})
        >>> find("InputError").__name__
        'InputError'
    """

    def find(name: str) -> Any:
        if name not in modules:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        return getattr(importlib.import_module(modules[name]), name)

    return find, lambda: sorted({*vars(sys.modules[package]), *modules})
