"""From class_path and init_args to an object, as LightningCLI does it: type hints are the schema."""

import importlib
from typing import TypeVar

from jsonargparse import ArgumentError, ArgumentParser

from tbd.errors import InputError
from tbd.evaluation.protocol import Component

T = TypeVar("T")


def build(component: Component, base: type[T], what: str) -> T:
    """An object of a class that is named.

    Args:
        component: class and arguments; arguments may be components in turn.
        base: what it must be.
        what: how messages call it.

    Raises:
        InputError: there is no such class, it is none of `base`, or it takes other arguments. What the class itself raises
            passes through.
    """
    kind = import_class(component.class_path)
    if not (isinstance(kind, type) and issubclass(kind, base)):
        raise InputError(f"{what} names {component.class_path}, which is no {base.__module__}.{base.__name__}.")
    parser = ArgumentParser(exit_on_error=False)
    parser.add_class_arguments(kind, "made")
    try:
        values = parser.parse_object({"made": component.init_args})
    except ArgumentError as error:
        raise InputError(f"{what} cannot be made from {component.class_path}: {' '.join(str(error).split())}") from error
    return parser.instantiate(values).made


def import_class(path: str) -> type:
    """A class by its dotted path.

    Raises:
        InputError: there is none.
    """
    module, _, name = path.rpartition(".")
    try:
        return getattr(importlib.import_module(module), name)
    except (ImportError, AttributeError, ValueError) as error:
        raise InputError(f"There is no class {path}: {error}.") from error
