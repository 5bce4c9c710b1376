"""`Shard`: one part of a list that several machines share out, with nothing to agree on but how many they are."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

from tbd.errors import InputError

T = TypeVar("T")


@dataclass(frozen=True)
class Shard:
    """One of `count` parts.

    Args:
        index: Which, from 1.
        count: How many there are.

    Raises:
        InputError: If there is no such part.

    Example:
        >>> Shard.parse("2/3").of(["a", "b", "c", "d", "e"])
        ['b', 'e']
        >>> str(Shard(2, 3))
        '2/3'
    """

    index: int
    count: int

    def __post_init__(self) -> None:
        if not 1 <= self.index <= self.count:
            raise InputError(f"There is no shard {self.index} of {self.count}; shards are numbered from 1/{max(self.count, 1)} on.")

    @classmethod
    def parse(cls, text: str) -> "Shard":
        """Read what `str` wrote.

        Args:
            text: Such as ``3/16``.

        Returns:
            The shard.

        Raises:
            InputError: If the text is no shard.
        """
        match = re.fullmatch(r"\s*(\d+)\s*/\s*(\d+)\s*", text)
        if match is None:
            raise InputError(f"{text!r} is no shard; the third of sixteen is 3/16.")
        return cls(int(match[1]), int(match[2]))

    def __str__(self) -> str:
        return f"{self.index}/{self.count}"

    def of(self, items: Sequence[T]) -> list[T]:
        """Choose the shard's items: every item is in one shard, the same wherever the list is the same."""
        return list(items[self.index - 1 :: self.count])


def within(shard: Shard | None, count: int) -> str:
    """Say within a sentence on all items how many are one's own.

    Args:
        shard: One's own; None for all items.
        count: How many it has.

    Returns:
        Words to follow the number of all; none without a shard.

    Example:
        >>> f"16 clips{within(Shard(2, 8), 2)}"
        '16 clips, 2 of them in shard 2/8'
    """
    return "" if shard is None else f", {count} of them in shard {shard}"
