"""diffusers' noise schedulers, without two seconds of imports that drawing motion does without.

Diffusers imports PyTorch's compiler for one function that marks networks for it, and each scheduler `scipy.stats` for one way of spacing
its steps. Here both are imported when they are used. Modules from which a drawing begins import schedulers from here; wherever diffusers
or the compiler has been imported before, nothing is different.
"""

import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import TypeVar

import torch  # before anything stands in for its parts

T = TypeVar("T")

__all__ = ["DPMSolverMultistepScheduler", "FlowMatchEulerDiscreteScheduler", "SchedulerMixin"]


def _allow_in_graph(part: T) -> T:
    """Mark a part of a network for PyTorch's compiler, as the function does in whose place this one is.

    Args:
        part: A class or function.

    Returns:
        The same.
    """
    marked: T = torch._dynamo.allow_in_graph(part)  # which imports the compiler
    return marked


@contextmanager
def _others_imported_when_used() -> Iterator[None]:
    """Let modules be found that are imported when something of them is used; nobody else looks for them meanwhile."""
    if threading.active_count() > 1:
        yield
        return
    compiler, statistics = ModuleType("torch._dynamo"), ModuleType("scipy.stats")
    compiler.allow_in_graph = _allow_in_graph  # type: ignore[attr-defined]
    stand_ins = {module.__name__: module for module in (compiler, statistics) if module.__name__ not in sys.modules}
    sys.modules.update(stand_ins)
    try:
        yield
    finally:  # both packages import their parts when these are asked for, once no module of that name is there
        for name in stand_ins:
            del sys.modules[name]


with _others_imported_when_used():
    from diffusers import (
        DPMSolverMultistepScheduler,  # the packaged model's
        FlowMatchEulerDiscreteScheduler,
        SchedulerMixin,
    )
