"""CUDA graphs for what does not train: thousands of kernel launches become one."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

_WARM = 3
"""Calls before a capture, in which libraries choose their kernels."""


@dataclass
class _Captured:
    graph: torch.cuda.CUDAGraph
    given: Tensor
    kept: dict[str, Tensor]


class CUDAGraphRunner:
    """A function of one CUDA tensor, captured at the first call for each size and replayed at the others.

    What it returns is overwritten by the next call of the same size: it must have been used, backward pass included, by then. The
    function takes no gradient, is deterministic, and reads weights that stay where they are in memory.

    Args:
        call: The function, (B, ...) → named tensors.
    """

    def __init__(self, call: Callable[[Tensor], dict[str, Tensor]]) -> None:
        self.call = call
        self.captured: dict[tuple, _Captured] = {}

    @torch.no_grad()
    def __call__(self, x: Tensor) -> dict[str, Tensor]:
        """Run the function by replaying its graph."""
        key = (x.shape, x.dtype, torch.is_autocast_enabled("cuda"), torch.get_autocast_dtype("cuda"))
        if key not in self.captured:
            self.captured[key] = self._capture(x)
        found = self.captured[key]
        found.given.copy_(x)
        found.graph.replay()
        return found.kept

    def _capture(self, x: Tensor) -> _Captured:
        given, graph = x.clone(), torch.cuda.CUDAGraph()
        beside = torch.cuda.Stream(x.device)
        beside.wait_stream(torch.cuda.current_stream(x.device))
        with torch.cuda.stream(beside):
            for _ in range(_WARM):
                self.call(given)
        torch.cuda.current_stream(x.device).wait_stream(beside)
        # other threads, such as a loader's or NCCL's, may use the device meanwhile
        with torch.cuda.graph(graph, capture_error_mode="thread_local"):
            kept = self.call(given)
        return _Captured(graph, given, kept)
