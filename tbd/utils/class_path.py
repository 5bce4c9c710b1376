"""From class_path and init_args to an object, as LightningCLI does it: type hints are the schema."""

import difflib
import importlib
import inspect
import re
from typing import Any, TypeVar

from jsonargparse import ArgumentError, ArgumentParser
from pydantic import BaseModel, ConfigDict

from tbd.errors import InputError

T = TypeVar("T")


class Component(BaseModel):
    """A class with its arguments, as LightningCLI writes them."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    class_path: str
    init_args: dict[str, Any] = {}


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
    require_known(component, kind, what)
    try:
        values = parser.parse_object({"made": component.init_args})
    except ArgumentError as error:
        raise InputError(f"{what}: {component.class_path} cannot be made: {explain(error)}") from error
    return parser.instantiate(values).made


def require_known(component: Component, kind: type, what: str) -> None:
    """Refuse arguments that a class does not name, with the nearest that it does.

    Args:
        component: Class path and arguments.
        kind: The class.
        what: How messages call it.

    Raises:
        InputError: There are such arguments.
    """
    parameters = inspect.signature(kind).parameters
    if any(p.kind is p.VAR_KEYWORD for p in parameters.values()):
        return
    for name in component.init_args:
        if name not in parameters:
            near = difflib.get_close_matches(name, parameters, 1)
            takes = f"did you mean {near[0]}?" if near else f"it takes {', '.join(parameters) or 'none'}."
            raise InputError(f"{what}: {component.class_path} takes no argument {name}; {takes}")


def explain(error: Exception) -> str:
    """jsonargparse's complaint in one line, without its headings and our own parser's keys.

    Args:
        error: What it raised.

    Returns:
        Such as ``level is to be int, not 'x'``.
    """
    text = " ".join(str(error).split()).replace('"made.', '"').replace("made.", "")
    wrong = re.search(r'(?:Parser key|[Kk]ey) "([\w.]+)":? Expected an? <class \'(?:[\w.]*\.)?(\w+)\'>\.? Got value: (.*)$', text)
    if wrong is not None:
        return f"{wrong[1]} must be {wrong[2]}, not {wrong[3]!r}."
    missing = re.search(r'[Kk]ey "([\w.]+)" is required', text)
    if missing is not None:
        return f"its argument {missing[1]} is missing."
    return text[:300]


def _not_imported(error: Exception, module: str) -> str:
    name = getattr(error, "name", None) or ""
    if not module or isinstance(error, ValueError):
        return "a class path is a module and a class, such as my_module.MyClass"
    if isinstance(error, ModuleNotFoundError) and name:
        own = module == name or module.startswith(f"{name}.")
        return f"there is no module {name}" if own else f"{module} needs the module {name}, which is not installed"
    return str(error).rstrip(".")


def import_class(path: str) -> type:
    """A class by its dotted path.

    Raises:
        InputError: there is none.
    """
    module, _, name = path.rpartition(".")
    try:
        found = importlib.import_module(module)
    except (ImportError, ValueError) as error:
        raise InputError(f"There is no class {path}: {_not_imported(error, module)}.") from error
    except Exception as error:  # a stranger's module may raise anything
        raise InputError(f"The module {module} of {path} cannot be imported: {type(error).__name__}: {error}.") from error
    if not hasattr(found, name):
        classes = [n for n, v in vars(found).items() if isinstance(v, type)]
        near = difflib.get_close_matches(name, classes, 1)
        raise InputError(f"There is no class {path}: {module} has no {name}{f'; did you mean {near[0]}?' if near else '.'}")
    return getattr(found, name)
