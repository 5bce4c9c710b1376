"""Arguments that are one of a few words: a typing error in one is refused, not taken for another."""

import inspect
from collections.abc import Callable
from functools import wraps
from types import UnionType
from typing import Any, Literal, ParamSpec, TypeVar, Union, get_args, get_origin

from tbd.errors import InputError

P = ParamSpec("P")
R = TypeVar("R")


def allowed_values(annotation: Any) -> tuple[Any, ...] | None:
    """List the values that an annotation of `Literal` allows.

    Args:
        annotation: Any annotation.

    Returns:
        The values, None among them where the annotation is optional; None where it is no `Literal`.

    Example:
        >>> allowed_values(Literal["alex", "vgg"]), allowed_values(Literal[7, 8] | None), allowed_values(int)
        (('alex', 'vgg'), (7, 8, None), None)
    """
    if get_origin(annotation) is Literal:
        return get_args(annotation)
    if get_origin(annotation) in (Union, UnionType):
        parts = [(None,) if part is type(None) else allowed_values(part) for part in get_args(annotation)]
        if all(part is not None for part in parts):
            return tuple(value for part in parts for value in part or ())
    return None


def checks_literals(function: Callable[P, R]) -> Callable[P, R]:
    """Make a function refuse values that its annotations of `Literal` do not allow.

    Args:
        function: Any function or method.

    Returns:
        The same function, which raises `InputError` for such a value; `function` itself where nothing is to check.

    Example:
        >>> @checks_literals
        ... def mean(over: Literal["frames", "clips"] = "clips"):
        ...     return over
        >>> mean("frame")
        Traceback (most recent call last):
        tbd.errors.InputError: mean: over='frame' is none of 'frames', 'clips'.
    """
    signature = inspect.signature(function)
    allowed = {name: values for name, p in signature.parameters.items() if (values := allowed_values(p.annotation)) is not None}
    if not allowed:
        return function
    what = function.__qualname__.removesuffix(".__init__")

    @wraps(function)
    def checked(*args: P.args, **kwargs: P.kwargs) -> R:
        given = signature.bind_partial(*args, **kwargs).arguments
        for name, values in allowed.items():
            # `in` alone would take True for 1
            if name in given and not any(type(given[name]) is type(value) and given[name] == value for value in values):
                raise InputError(f"{what}: {name}={given[name]!r} is none of {', '.join(map(repr, values))}.")
        return function(*args, **kwargs)

    return checked
