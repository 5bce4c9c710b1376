"""diffusers' noise schedulers, without two seconds of imports that drawing motion does without.

Diffusers imports PyTorch's compiler for one function that marks networks for it, each scheduler imports `scipy.stats` for one way of
spacing its steps, and which distribution brings which package is read from the files of all that are installed, for packages that are
seldom there. Here all three are done when they are used. Modules from which a drawing begins import schedulers from here; wherever
diffusers or the compiler has been imported before, nothing is different.
"""

import importlib.metadata
from collections import UserDict
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch  # noqa: F401  # before anything stands in for its parts

from tbd.utils.late_imports import imported_when_used

__all__ = ["DPMSolverMultistepScheduler", "FlowMatchEulerDiscreteScheduler", "SchedulerMixin"]


class _Distributions(UserDict):
    """Package → the distributions that bring it, read from their files when it is asked for."""

    def __init__(self) -> None:
        pass

    def __getattr__(self, name: str) -> Any:
        if name != "data":  # which `UserDict` keeps its items in
            raise AttributeError(name)
        self.data: Any = importlib.metadata.packages_distributions()
        return self.data


@contextmanager
def _distributions_read_when_used() -> Iterator[None]:
    read = importlib.metadata.packages_distributions
    importlib.metadata.packages_distributions = _Distributions
    try:
        yield
    finally:
        importlib.metadata.packages_distributions = read


_LATE = {"torch._dynamo": ["allow_in_graph"], "scipy.stats": []}

with imported_when_used(_LATE), _distributions_read_when_used():
    from diffusers import (
        DPMSolverMultistepScheduler,  # the packaged model's
        FlowMatchEulerDiscreteScheduler,
        SchedulerMixin,
    )
