"""Spellings of the motion channels: ``EyeBlink_L``, ``bs.eye-blink-left`` and ``ARKit_eyeBlinkLeft`` are one channel."""

import difflib
import functools
import re
from typing import NamedTuple

from tbd.face.channels import BLENDSHAPES, CHANNELS, HEAD


class Meaning(NamedTuple):
    """The channel that a column holds.

    Args:
        channel: The motion channel.
        half: Whether it is the left or right half of a channel that ARKit does not split, such as ``browInnerUp_L``.
    """

    channel: str
    half: bool = False


_PREFIXES = ("arkit", "blendshapes", "blendshape", "blendshapeweights", "bs", "shapekey", "shape", "key", "face", "weights", "weight")
_SUFFIXES = ("weight", "value", "score", "coefficient", "arkit", "deg", "degrees", "rad", "radians", "percent")
_UNUSED = re.compile(r"(left|right)eye(yaw|pitch|roll)|blendshapecount|shapecount|_?neutral|")
"""Columns that need no note: the eyes' angles say the same as the eyeLook channels, `_neutral` is MediaPipe's remainder."""


def _spellings() -> dict[str, Meaning]:
    found = {}
    for channel in BLENDSHAPES:
        plain = channel.lower()
        found[plain] = Meaning(channel)
        side = next((s for s in ("left", "right") if plain.endswith(s)), None)
        if side is not None:
            stem = plain.removesuffix(side)
            found |= {stem + side[0]: Meaning(channel), side + stem: Meaning(channel), f"{stem}{side}side": Meaning(channel)}
    for channel in BLENDSHAPES:
        if not channel.endswith(("Left", "Right")):
            for side in ("left", "right", "l", "r"):
                found.setdefault(channel.lower() + side, Meaning(channel, half=True))
    for channel in HEAD:
        found[channel.lower()] = Meaning(channel)
        if channel[-1] not in "XYZ":
            angle = channel.removeprefix("head").lower()
            found |= {key: Meaning(channel) for key in (angle, f"headrotation{angle}", f"headrot{angle}", f"headangle{angle}")}
    return found


_SPELLINGS = _spellings()


def plain(name: str) -> str:
    """Reduce a column's name to its letters and digits.

    Args:
        name: As the file spells it.

    Returns:
        The name without case, separators, brackets and what stands in them.

    Example:
        >>> plain(" Eye_Blink-Left (0..1)")
        'eyeblinkleft'
    """
    return re.sub(r"[^a-z0-9]", "", re.sub(r"[(\[].*?[)\]]", "", name).lower())


@functools.lru_cache(4096)
def meaning(name: str) -> Meaning | None:
    """Find the channel that a column holds.

    Args:
        name: As the file spells it.

    Returns:
        The channel, or None where the name belongs to no channel.

    Example:
        >>> [meaning(n).channel for n in ("EyeBlinkLeft", "jaw_L", "blendShape.mouthSmile-R", "BS_tongue out", "L_browDown")]
        ['eyeBlinkLeft', 'jawLeft', 'mouthSmileRight', 'tongueOut', 'browDownLeft']
    """
    bare = re.sub(r"[(\[].*?[)\]]", "", name).strip()
    for part in reversed(re.split(r"[.:/|]", bare)):
        moved = re.sub(r"^([LlRr])[_\-\s]+(.+)$", r"\2_\1", part.strip())
        found = _lookup(plain(moved).lstrip("0123456789"))
        if found is not None:
            return found
    return None


def _lookup(key: str) -> Meaning | None:
    for prefix in ("", *_PREFIXES):
        for suffix in ("", *_SUFFIXES):
            if key.startswith(prefix) and key.endswith(suffix):
                found = _SPELLINGS.get(key[len(prefix) :].removesuffix(suffix))
                if found is not None:
                    return found
    return None


def is_unused(name: str) -> bool:
    """Tell whether a column is known and holds nothing that a motion needs."""
    return _UNUSED.fullmatch(plain(name)) is not None


def nearest(name: str) -> str | None:
    """Return the channel that a misspelt name probably means, or None."""
    near = difflib.get_close_matches(plain(name), [c.lower() for c in CHANNELS], 1, 0.85)
    return next((c for c in CHANNELS if near and c.lower() == near[0]), None)


def unit(name: str) -> str | None:
    """Find the unit that a column's name ends in.

    Args:
        name: As the file spells it.

    Returns:
        ``s``, ``ms``, ``us``, ``ns``, ``frames``, ``percent``, ``deg``, ``rad``, or None.

    Example:
        >>> unit("Time (s)"), unit("timestamp_ms"), unit("headYaw [deg]"), unit("jawOpen (%)"), unit("jawOpen")
        ('s', 'ms', 'deg', 'percent', None)
    """
    match = re.search(r"[(\[]\s*([^)\]]*?)\s*[)\]]\s*$|_([a-zA-Zµ%°]+)\s*$", name)
    if match is None:
        return None
    word = (match[1] if match[1] is not None else match[2]).lower().rstrip(".")
    return next((u for u, words in _UNITS.items() if word in words), None)


_UNITS = {
    "s": ("s", "sec", "secs", "second", "seconds"),
    "ms": ("ms", "msec", "millis", "millisecond", "milliseconds"),
    "us": ("us", "µs", "usec", "micros", "microseconds"),
    "ns": ("ns", "nsec", "nanos", "nanoseconds"),
    "frames": ("frame", "frames", "f"),
    "percent": ("%", "percent", "pct", "0-100", "0..100"),
    "deg": ("deg", "degree", "degrees", "°"),
    "rad": ("rad", "radian", "radians"),
}
