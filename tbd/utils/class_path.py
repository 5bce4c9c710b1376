"""Build objects from class_path and init_args, as LightningCLI does: type hints are the schema."""

import difflib
import importlib
import inspect
import os
import re
from collections.abc import Mapping
from copy import deepcopy
from typing import Any, TypeVar

from jsonargparse import ArgumentError, ArgumentParser
from pydantic import BaseModel, ConfigDict

from tbd.errors import InputError

T = TypeVar("T")


class Component(BaseModel):
    """A class with its arguments, as LightningCLI writes them.

    Args:
        class_path: Dotted path of the class.
        init_args: Arguments of its constructor; may hold components in turn.

    Example:
        >>> build(Component(class_path="fractions.Fraction", init_args={"numerator": 3}), object, "The number")
        Fraction(3, 1)
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    class_path: str
    init_args: dict[str, Any] = {}


def build(component: Component, base: type[T], what: str) -> T:
    """Build the object that a component describes.

    Args:
        component: Class and arguments; arguments may be components in turn.
        base: Class that the object must be an instance of.
        what: Name of the component in messages.

    Returns:
        The object.

    Raises:
        InputError: If there is no such class, it is no subclass of `base`, or it takes other arguments. What the constructor
            raises passes through.
    """
    kind = import_class(component.class_path)
    if not (isinstance(kind, type) and issubclass(kind, base)):
        raise InputError(f"{what} names {component.class_path}, which is no {base.__module__}.{base.__name__}.")
    if not component.init_args and _needs_nothing(kind):
        return kind()  # the parser reads the signatures of all base classes, which takes a tenth of a second
    parser = ArgumentParser(exit_on_error=False)
    parser.add_class_arguments(kind, "made")
    require_known_arguments(component, kind, what)
    try:
        # the parser turns mappings in lists into its own kind, in place
        values = parser.parse_object({"made": deepcopy(component.init_args)})
    except ArgumentError as error:
        raise InputError(f"{what}: {component.class_path} cannot be made: {explain_argument_error(error)}") from error
    return parser.instantiate(values).made


def _needs_nothing(kind: type) -> bool:
    """Check whether a class can be called without arguments."""
    for parameter in inspect.signature(kind).parameters.values():
        if parameter.default is parameter.empty and parameter.kind not in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD):
            return False
    return True


def describe(made: object, what: str) -> Component:
    """Describe an object so that `build` makes an equal one.

    The arguments are read from attributes of the same names, or from the ``config`` of diffusers' classes.

    Args:
        made: The object.
        what: Name of the component in messages.

    Returns:
        Its class and those of its arguments that differ from their defaults.

    Raises:
        InputError: If the class cannot be imported by name, or an argument is not kept as a plain value under its own name.

    Example:
        >>> from tbd.think import KnowledgePlanner
        >>> describe(KnowledgePlanner(), "The planner")
        Component(class_path='tbd.think.planner.KnowledgePlanner', init_args={})
    """
    kind = type(made)
    path = f"{kind.__module__}.{kind.__qualname__}"
    if "<locals>" in path or kind.__module__ == "__main__":
        raise InputError(f"{what} cannot be described: {path} cannot be imported; define the class in a module.")
    config = getattr(made, "config", None)
    kept = config if isinstance(config, Mapping) else vars(made)
    arguments = {}
    for name, parameter in inspect.signature(kind).parameters.items():
        if parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD):
            continue
        if name not in kept or not _is_plain(kept[name]):
            raise InputError(f"{what} cannot be described: {path} does not keep its argument {name} as it was given.")
        value = os.fspath(kept[name]) if isinstance(kept[name], os.PathLike) else kept[name]
        if parameter.default is parameter.empty or value != parameter.default:
            arguments[name] = value
    return Component(class_path=path, init_args=arguments)


def _is_plain(value: Any) -> bool:
    if isinstance(value, Mapping):
        return all(isinstance(key, str) and _is_plain(own) for key, own in value.items())
    if isinstance(value, list | tuple):
        return all(map(_is_plain, value))
    return value is None or isinstance(value, str | int | float | os.PathLike)


def require_known_arguments(component: Component, kind: type, what: str) -> None:
    """Check that a class takes the arguments of a component.

    Args:
        component: Class path and arguments.
        kind: The class.
        what: Name of the component in messages.

    Raises:
        InputError: If it does not take one of them; the message names the nearest that it takes.
    """
    parameters = inspect.signature(kind).parameters
    if any(p.kind is p.VAR_KEYWORD for p in parameters.values()):
        return
    for name in component.init_args:
        if name not in parameters:
            near = difflib.get_close_matches(name, parameters, 1)
            takes = f"did you mean {near[0]}?" if near else f"it takes {', '.join(parameters) or 'none'}."
            raise InputError(f"{what}: {component.class_path} takes no argument {name}; {takes}")


def explain_argument_error(error: Exception) -> str:
    """Shorten an error of jsonargparse to one sentence, without its headings and our parser's keys.

    Args:
        error: What jsonargparse raised.

    Returns:
        Such as ``level must be int, not 'x'.``
    """
    text = " ".join(str(error).split()).replace('"made.', '"').replace("made.", "")
    wrong = re.search(r'(?:Parser key|[Kk]ey) "([\w.]+)":? Expected an? <class \'(?:[\w.]*\.)?(\w+)\'>\.? Got value: (.*)$', text)
    if wrong is not None:
        return f"{wrong[1]} must be {wrong[2]}, not {wrong[3]!r}."
    missing = re.search(r'[Kk]ey "([\w.]+)" is required', text)
    if missing is not None:
        return f"its argument {missing[1]} is missing."
    return text[:300]


def _import_failure(error: Exception, module: str) -> str:
    name = getattr(error, "name", None) or ""
    if not module or isinstance(error, ValueError):
        return "a class path is a module and a class, such as my_module.MyClass"
    if isinstance(error, ModuleNotFoundError) and name:
        own = module == name or module.startswith(f"{name}.")
        return f"there is no module {name}" if own else f"{module} needs the module {name}, which is not installed"
    return str(error).rstrip(".")


def import_class(path: str) -> type:
    """Import a class by its dotted path.

    Args:
        path: Module and class, such as ``torch.nn.Linear``.

    Returns:
        The class.

    Raises:
        InputError: If there is no such class, or its module cannot be imported.
    """
    module, _, name = path.rpartition(".")
    try:
        found = importlib.import_module(module)
    except (ImportError, ValueError) as error:
        raise InputError(f"There is no class {path}: {_import_failure(error, module)}.") from error
    except Exception as error:  # a user's module may raise anything
        raise InputError(f"The module {module} of {path} cannot be imported: {type(error).__name__}: {error}.") from error
    if not hasattr(found, name):
        classes = [n for n, v in vars(found).items() if isinstance(v, type)]
        near = difflib.get_close_matches(name, classes, 1)
        raise InputError(f"There is no class {path}: {module} has no {name}{f'; did you mean {near[0]}?' if near else '.'}")
    return getattr(found, name)
