"""Numbers without names: which order of ARKit's blendshapes they follow."""

import numpy as np

from tbd.errors import InputError
from tbd.face.channels import BLENDSHAPES, CHANNELS, HEAD
from tbd.face.motion_io import live_link
from tbd.face.motion_io.table import Table
from tbd.utils.user_warnings import warn

_NO_TONGUE = tuple(c for c in BLENDSHAPES if c != "tongueOut")
_ORDERS: dict[int, dict[str, tuple[str, ...]]] = {
    51: {"alphabetical, without tongueOut": _NO_TONGUE, "Live Link Face's, without tongueOut": live_link.SHAPES[:-1]},
    52: {"alphabetical": BLENDSHAPES, "Live Link Face's": live_link.SHAPES, "MediaPipe's": ("_neutral", *_NO_TONGUE)},
    55: {"alphabetical, then pitch, yaw, roll": (*BLENDSHAPES, *HEAD[:3])},
    58: {"tbd's": CHANNELS},
    61: {"Live Link Face's": tuple(live_link.COLUMNS[2:])},
}
"""Number of columns → name of an order → columns."""
COUNTS = frozenset(_ORDERS)


def table_of(path: str, values: np.ndarray, where: list[str], rate: float | None = None) -> Table:
    """Name the columns of bare numbers.

    Args:
        path: The file's path, for messages.
        values: (R, C) float64.
        where: (R,) names of the rows for messages, such as ``line 7``.
        rate: Rows a second, where it is known.

    Returns:
        The table, its columns named by the order in which left and right go together best.

    Raises:
        InputError: If no order has so many columns.
    """
    seconds = None
    if values.shape[1] - 1 in _ORDERS and _counts_up(values[:, 0]):
        seconds, values = values[:, 0], values[:, 1:]
    orders = _ORDERS.get(values.shape[1])
    if orders is None:
        raise InputError(
            f"{path} has {values.shape[1]} columns without names; 52 blendshapes, 58 channels or Live Link Face's 61 would be "
            "understood, and a header of names makes any other table readable."
        )
    if not np.isfinite(values).any():
        raise InputError(f"{path} holds no frames." if not len(values) else f"{path} holds no numbers.")
    name = min(orders, key=lambda n: _asymmetry(values, orders[n]))
    warn(f"{path}: its columns have no names; their order is taken as {name}.")
    return Table(path, list(orders[name]), values, where, seconds, rate)


def _counts_up(column: np.ndarray) -> bool:
    """Tell whether a column is a clock, such as 0, 1/25, 2/25."""
    return len(column) > 1 and bool((np.diff(column) > 0).all()) and column[-1] > column[0]


def _asymmetry(values: np.ndarray, order: tuple[str, ...]) -> float:
    """How far left and right lie apart, as a part of all movement: faces are nearly symmetric, wrong orders are not."""
    at = {channel: i for i, channel in enumerate(order)}
    lefts = [c for c in at if c.endswith("Left") and not c.startswith(("jaw", "eyeLookIn", "eyeLookOut"))]
    pairs = [(at[c], at[f"{c.removesuffix('Left')}Right"]) for c in lefts]
    return float(np.mean([np.nan_to_num(np.abs(values[:, a] - values[:, b])).mean() for a, b in pairs]))
