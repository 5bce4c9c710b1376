"""Means over samples that come out the same for any number of processes, any batch size and any order."""

import math
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor


def gather(value: Any) -> list[Any]:
    """Gather the values of all processes, by rank, on each of them; any object that can be pickled."""
    if not (torch.distributed.is_available() and torch.distributed.is_initialized()):
        return [value]
    values = [None] * torch.distributed.get_world_size()
    torch.distributed.all_gather_object(values, value)
    return values


class Tally:
    """Sums over samples, kept one by one under their numbers, so that one that comes twice counts once.

    A sampler may repeat samples to give all processes as many, and processes finish in no order; exact sums over the numbers in
    order change for neither.

    Example:
        >>> tally = Tally()
        >>> tally.add([0, 1], error=torch.tensor([1.0, 3.0]), frames=torch.tensor([1.0, 2.0]))
        >>> tally.add([1], error=torch.tensor([3.0]), frames=torch.tensor([2.0]))  # once more
        >>> tally.totals()
        {'error': 4.0, 'frames': 3.0}
    """

    def __init__(self) -> None:
        self.rows: dict[int | str, dict[str, Tensor]] = {}

    def __len__(self) -> int:
        return len(self.rows)

    def add(self, ids: Sequence[int | str], **values: Tensor) -> None:
        """Add B samples.

        Args:
            ids: B numbers or names.
            values: (B,) each, or (B, D) for sums of vectors.
        """
        columns = {name: column.detach().double().cpu() for name, column in values.items()}
        for i, number in enumerate(ids):
            self.rows[number] = {name: column[i] for name, column in columns.items()}

    def totals(self) -> dict[str, Any]:
        """Sum over the samples of all processes, and empty the tally.

        Returns:
            float for numbers, (D,) float64 for vectors.
        """
        rows: dict[int | str, dict[str, Tensor]] = {}
        for part in gather(self.rows):
            rows.update(part)
        self.rows = {}
        ordered = [rows[number] for number in sorted(rows, key=_order)]
        return {name: _total([row[name] for row in ordered]) for name in (ordered[0] if ordered else ())}


def _order(number: int | str) -> tuple[int, str]:
    """Numbers by size, names by letter."""
    return (number, "") if isinstance(number, int) else (0, number)


def _total(values: list[Tensor]) -> Any:
    return math.fsum(map(float, values)) if values[0].ndim == 0 else torch.stack(values).sum(0)
