"""What a clip does not show: the plan of a performance leaves it open rather than inventing it."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Literal

import numpy as np
from pydantic import BaseModel, ConfigDict
from scipy.ndimage import binary_closing

from tbd.face.channels import BLENDSHAPES, CHANNELS, INDEX
from tbd.face.motion import Motion
from tbd.media.rates import FPS
from tbd.think.coding.cleaning import find_blinks
from tbd.utils.tracks import runs

Part = Literal["face", "left", "right", "eyes"]
"""What is not seen: the whole face, one of its sides (the person's own), or the lids and the gaze."""

_FAR_SIDE, _PROFILE = np.radians(27), np.radians(60)
"""Turns of the head from which trackers guess at the far side of the face, and at all of it."""
_STEEP = np.radians(40)
"""Pitch from which the face is seen from above or from below."""
_AROUND_CUT = 2
"""Frames on each side of a cut in which two shots are mixed, by filters over time."""
_SHORTEST = 0.2
"""Seconds: what is hidden for less is bridged without a word."""
_LIDS_APART, _LIDS_MOVE = 0.3, 0.14
"""Correlation of both lids below which a tracker makes them up (seen: 0.7 to 0.98), where they move by so much (standard deviation)."""
_LID_NOISE = 0.09
"""Standard deviation of noise from frame to frame beyond that of lids that are seen (0.004 to 0.05)."""
_BLINKLESS = 25.0
"""Seconds without a blink that a person at 15 blinks a minute goes through once in 500 times."""
_FACING = np.radians(25)
"""Turns of the head up to which both lids are seen alike."""


class Unseen(BaseModel):
    """A part of the face that a stretch of a clip does not show.

    Args:
        part: Which.
        start: Seconds from the clip's start.
        end: Seconds.
        reason: Why, as the end of a sentence: "the head is turned away".
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    part: Part
    start: float
    end: float
    reason: str


def find_unseen(motion: Motion) -> list[Unseen]:
    """Find what a tracked clip does not show.

    Args:
        motion: A motion as a `tbd.face.tracker.Tracker` made it; its metadata say where the face was lost and where the picture cuts.

    Returns:
        The stretches, in order of time.
    """
    found = [*_lost(motion), *_cuts(motion), *_turned(motion), *_lids(motion)]
    return sorted(found, key=lambda u: (u.start, u.end, u.part))


def _lost(motion: Motion) -> Iterator[Unseen]:
    for start, end in motion.metadata.get("lost", ()):
        yield Unseen(part="face", start=start, end=end, reason="no face is found")


def _cuts(motion: Motion) -> Iterator[Unseen]:
    for second in motion.metadata.get("cuts", ()):
        start, end = max(second - _AROUND_CUT / FPS, 0.0), min(second + _AROUND_CUT / FPS, motion.duration)
        yield Unseen(part="face", start=round(start, 2), end=round(end, 2), reason="the picture cuts")


def head_angles(motion: Motion) -> np.ndarray:
    """Compute pitch, yaw and roll towards the camera.

    Args:
        motion: A tracked motion; without the resting pose in its metadata the head is taken to rest facing the camera.

    Returns:
        (T, 3) radians.
    """
    rest = motion.metadata.get("rest", {}).get("pitch_yaw_roll", (0.0, 0.0, 0.0))
    return motion.head[:, :3] + np.asarray(rest)


def _turned(motion: Motion) -> Iterator[Unseen]:
    pitch, yaw, _ = head_angles(motion).T
    away = (np.abs(yaw) > _PROFILE) | (np.abs(pitch) > _STEEP)
    yield from _spans(away, "face", "the head is turned away")
    # a head that turns to the person's left shows the camera their right side
    yield from _spans((yaw > _FAR_SIDE) & ~away, "left", "the head is turned, so this side is hidden")
    yield from _spans((yaw < -_FAR_SIDE) & ~away, "right", "the head is turned, so this side is hidden")


def _spans(mask: np.ndarray, part: Part, reason: str) -> Iterator[Unseen]:
    shortest = round(_SHORTEST * FPS)
    closed = binary_closing(np.pad(mask, shortest), np.ones(shortest))[shortest:-shortest] if mask.any() else mask
    for first, last in runs(closed, shortest):
        yield Unseen(part=part, start=first / FPS, end=last / FPS, reason=reason)


def _lids(motion: Motion) -> Iterator[Unseen]:
    """Lids that a tracker makes up, as behind glasses: they do not move together, flicker, or never blink."""
    facing = np.abs(head_angles(motion)[:, 1]) < _FACING
    if facing.sum() < FPS:
        return
    left, right = (motion[f"eyeBlink{side}"][facing].astype(np.float64) for side in ("Left", "Right"))
    noise = max(1.4826 * float(np.median(np.abs(np.diff(lid, 2)))) / 6**0.5 for lid in (left, right))
    moves = min(left.std(), right.std()) > _LIDS_MOVE
    whole = {"start": 0.0, "end": motion.duration}
    if noise > _LID_NOISE:
        yield Unseen(part="eyes", **whole, reason="the lids flicker, as behind glasses")
    elif moves and float(np.corrcoef(left, right)[0, 1]) < _LIDS_APART:
        yield Unseen(part="eyes", **whole, reason="the two lids move unlike each other, as behind glasses")
    elif len(left) >= _BLINKLESS * FPS and not find_blinks(np.minimum(left, right)).any():
        yield Unseen(part="eyes", **whole, reason=f"no blink is seen in {len(left) / FPS:.0f} s, as behind glasses")


def visible_channels(unseen: Iterable[Unseen], frames: int, sides: bool = False) -> np.ndarray:
    """Mark what can be seen.

    Args:
        unseen: Of a clip.
        frames: T.
        sides: Whether a hidden side counts as not seen, rather than as the mirror image of the other, see `mirror_hidden_sides`.

    Returns:
        (T, 58) bool.
    """
    visible = np.ones((frames, len(CHANNELS)), bool)
    for u in (u for u in unseen if sides or u.part not in ("left", "right")):
        visible[round(u.start * FPS) : round(u.end * FPS), _COLUMNS[u.part]] = False
    return visible


def _side(name: str, side: str) -> bool:
    return name.endswith(side) and name.removesuffix(side) not in ("mouth", "jaw")


_COLUMNS: dict[Part, list[int]] = {
    "face": list(range(len(CHANNELS))),
    "left": [INDEX[name] for name in BLENDSHAPES if _side(name, "Left")],
    "right": [INDEX[name] for name in BLENDSHAPES if _side(name, "Right")],
    "eyes": [INDEX[name] for name in BLENDSHAPES if name.startswith("eye")],
}


def mirror_hidden_sides(shapes: np.ndarray, unseen: Sequence[Unseen]) -> np.ndarray:
    """Replace a side that is hidden by the one that is seen, so that a plan leaves open what side a unit is on.

    Args:
        shapes: (T, 52) or more channels.
        unseen: Of the clip.

    Returns:
        A copy.
    """
    shapes = shapes.copy()
    for u in unseen:
        if u.part in ("left", "right"):
            other: Part = "right" if u.part == "left" else "left"
            rows = slice(round(u.start * FPS), round(u.end * FPS))
            shapes[rows, _COLUMNS[u.part]] = shapes[rows, _COLUMNS[other]]
    return shapes


def unseen_seconds(unseen: Iterable[Unseen], part: Part, frames: int) -> float:
    """Compute for how long a part is hidden, by itself or with the whole face.

    Args:
        unseen: Of a clip.
        part: The part.
        frames: T, of the clip.

    Returns:
        Seconds.
    """
    hidden = np.zeros(frames, bool)
    for u in unseen:
        if u.part in (part, "face"):
            hidden[round(u.start * FPS) : round(u.end * FPS)] = True
    return float(hidden.sum()) / FPS


def describe_unseen(unseen: Sequence[Unseen]) -> Iterator[str]:
    """Yield a sentence for each part and reason, with the times."""
    words = {"face": "The face is not seen", "left": "The left side of the face is not seen",
             "right": "The right side of the face is not seen", "eyes": "The lids and the gaze are not seen"}  # fmt: skip
    left_open = {"face": "no unit is coded there", "eyes": "none of their units is coded"}
    kinds: dict[tuple[Part, str], list[Unseen]] = {}
    for u in unseen:
        kinds.setdefault((u.part, u.reason), []).append(u)
    for (part, reason), spans in kinds.items():
        times = ", ".join(f"{u.start:.1f}–{u.end:.1f} s" for u in spans[:6]) + (" …" if len(spans) > 6 else "")
        yield f"{words[part]} ({times}): {reason}; {left_open.get(part, 'units are coded from the other side, as if on both')}."
