"""Imports that a library does for something that is seldom used, put off until it is."""

import importlib
import sys
import threading
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from types import ModuleType
from typing import Any


@contextmanager
def imported_when_used(modules: Mapping[str, Collection[str]]) -> Iterator[None]:
    """Let what is imported in the block have stand-ins for other modules, which are imported once something of them is used.

    A stand-in gives whatever the module has. After the block, whoever imports the module gets the module itself. Nothing is put off where
    the process has other threads, which may import at the same time.

    Args:
        modules: Name of a module → names of functions that are imported from it one by one (``from module import function``). A module that
            is imported already is taken as it is.

    Example:
        >>> with imported_when_used({"colorsys": ["rgb_to_hsv"]}):
        ...     import colorsys
        ...     from colorsys import rgb_to_hsv
        >>> rgb_to_hsv(1, 1, 1), colorsys.rgb_to_yiq(0, 0, 0)  # which imports it
        ((0.0, 0.0, 1), (0.0, 0.0, 0.0))
    """
    alone = threading.active_count() == 1
    stand_ins = {name: _StandIn(name) for name in modules if alone and name not in sys.modules}
    for name, stand_in in stand_ins.items():
        vars(stand_in).update({function: _used_later(stand_in, function) for function in modules[name]})
        parent, _, child = name.rpartition(".")
        if parent in stand_ins:  # or `import parent.child as name` would use the parent
            setattr(stand_ins[parent], child, stand_in)
    sys.modules.update(stand_ins)
    try:
        yield
    finally:
        for name, stand_in in stand_ins.items():
            if sys.modules.get(name) is stand_in:
                del sys.modules[name]


class _StandIn(ModuleType):
    """In the place of a module that is imported when something of it is asked for."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):  # which is asked of all modules, not to use them
            raise AttributeError(name)
        return getattr(_import(self), name)


def _import(stand_in: _StandIn) -> ModuleType:
    if sys.modules.get(stand_in.__name__) is stand_in:
        del sys.modules[stand_in.__name__]
    return importlib.import_module(stand_in.__name__)


def _used_later(stand_in: _StandIn, function: str) -> Callable[..., Any]:
    def call(*args: Any, **options: Any) -> Any:
        return getattr(_import(stand_in), function)(*args, **options)

    return call
