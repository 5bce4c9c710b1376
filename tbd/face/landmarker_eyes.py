"""Lids and gaze as MediaPipe's landmarker reads them → on ARKit's scale, where a lid at 1 is shut. Needs numpy and scipy.

The landmarker reads a lid that is shut as 0.6, one that is at rest as anything up to 0.3, and three of its channels (eyeBlink, eyeLookDown,
eyeSquint) read one thing: how far the lids have come together. Drawn as they come, resting eyes are half closed, since each of
the three closes a drawn eye, and blinks stay half open.
"""

import numpy as np

from tbd.face import topology
from tbd.face.channels import BLENDSHAPES, INDEX
from tbd.face.rigging.eyes import LID_FOLLOWS_DRAWN, LID_SQUINT_DRAWN
from tbd.media.rates import FPS
from tbd.utils.tracks import runs

SCALED = np.array([name.startswith(("eyeBlink", "eyeLook", "eyeSquint")) for name in BLENDSHAPES])
"""(52,) which channels `scale_eyes` sets."""
_SHUT = (0.45, 0.58, 0.75)
"""What is read of lids that are shut, at least, mostly and at most: of twelve portraits that were drawn shut 0.47 to 0.72, 0.61 at the
median and 0.58 at a closure of 0.8; of the blinks of 101 filmed clips 0.54 at the median, since few frames catch a blink at its end."""
_REST = {"across": (50, 0.25), "down": (50, 0.35), "eyeSquint": (20, 0.45), "eyeBlink": (50, 0.4)}
"""The percentile of a clip that counts as its rest, and how much may be read of a face at rest: medians of 101 clips are 0.13 for lids
(nine in ten below 0.33, and of one with narrow eyes that are open 0.44), 0.39 for a squint, 0.1 across and 0.22 down."""
_READ, _CLOSED = (0.0, 0.17, 0.39, 0.6, 0.76, 0.92), (0.0, 0.2, 0.4, 0.5, 0.7, 1.0)
"""Reading between rest and shut, and how far the lids are closed: as the twelve portraits were drawn, but at the end, where a person's
blinks end shut, and 0.94 is read of a lid that is drawn at 0.8."""
_BLINK = 0.6
"""Seconds: lids that are closed for longer are held closed."""
_BLINKS = 0.12
"""Reading beyond what is held from which lids close for an instant."""
_ACROSS, _DOWN, _UP = 1.6, 1.75, 2.5
"""Gaze over what is read of it: of twelve portraits drawn looking aside at 0.4, 0.6, 0.8 and 1 the landmarker reads 0.16, 0.3, 0.46
and 0.56, looking down half of it at most, looking up less."""
_LOOSE = 0.1
"""Openings of an eye by which gaze and squint may close it further than the lids are read to be."""


def scale_eyes(read: np.ndarray, at_rest: np.ndarray | None = None) -> np.ndarray:
    """Turn what the landmarker reads of lids and gaze into coefficients.

    What is read of the clip's own resting face counts as 0, as far as people at rest are so read. What closes for an instant is a blink,
    and reaches 1 where this person's blinks end; the gaze and a squint stay through it as they were. What is closed for longer is first
    what gaze and squint do to a lid, and eyeBlink what they leave.

    Args:
        read: (T, 52) coefficients as read, frame by frame at 25 a second.
        at_rest: (52,) what is read of the person at rest, if it is known.

    Returns:
        (T, 52) a copy with other lids and gaze.
    """
    out = np.array(read, np.float64)
    if not len(out):
        return out
    eyes = _eyes(out)
    blinks, peaks = _find_blinks(eyes["eyeBlink"].min(1))
    zero = _rest({name: values[~blinks] for name, values in eyes.items()} if not blinks.all() else eyes)
    if at_rest is not None:
        zero = {name: values[0] for name, values in _eyes(np.asarray(at_rest, np.float64)[None]).items()}
    shut = float(np.clip(np.quantile(peaks, 0.8), _SHUT[0], _SHUT[2])) if peaks else _SHUT[1]
    closed = np.interp((eyes["eyeBlink"] - zero["eyeBlink"]) / np.maximum(shut - zero["eyeBlink"], 0.15), _READ, _CLOSED)
    across, down, squint = (_through(eyes[name] - zero[name], blinks) for name in ("across", "down", "eyeSquint"))
    _write(out, across[:, 0], down[:, 0], squint, closed)
    return out


def _eyes(values: np.ndarray) -> dict[str, np.ndarray]:
    """(T, 52) → what is read of squint and lids, (T, 2), and of the gaze to the subject's left and down, (T, 1): both eyes move as one."""
    out, into, up, down = (_sides(values, f"eyeLook{way}") for way in ("Out", "In", "Up", "Down"))
    leftwards = np.array([topology.outwards(side) for side in topology.SIDES])
    across, down = ((out - into) * leftwards).mean(1, keepdims=True), (down - up).mean(1, keepdims=True)
    return {"across": across, "down": down, "eyeSquint": _sides(values, "eyeSquint"), "eyeBlink": _sides(values, "eyeBlink")}


def _rest(eyes: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """What is read of a face at rest, of `_eyes` of frames without blinks."""
    return {name: np.clip(np.percentile(values, _REST[name][0], axis=0), -_REST[name][1], _REST[name][1]) for name, values in eyes.items()}


def _write(out: np.ndarray, across: np.ndarray, down: np.ndarray, squint: np.ndarray, closed: np.ndarray) -> None:
    """Set the channels of lids and gaze. In place."""
    lowered = np.clip(_DOWN * down, 0, 1)[:, None]
    squint = np.clip(squint, 0, 1)
    drawn = _share(LID_FOLLOWS_DRAWN["Down"]) * lowered + _share(LID_SQUINT_DRAWN) * squint
    ease = np.minimum((closed + _LOOSE) / np.maximum(drawn, 1e-6), 1)
    lowered, squint, drawn = lowered * ease.mean(1, keepdims=True), squint * ease, drawn * ease
    blink = np.clip((closed - drawn) / np.maximum(1 - drawn, 0.05), 0, 1)
    for k, side in enumerate(topology.SIDES):
        outwards = across * topology.outwards(side) * _ACROSS
        out[:, INDEX[f"eyeBlink{side}"]], out[:, INDEX[f"eyeSquint{side}"]] = blink[:, k], squint[:, k]
        out[:, INDEX[f"eyeLookDown{side}"]] = lowered[:, 0]
        out[:, INDEX[f"eyeLookUp{side}"]] = np.clip(-_UP * down, 0, 1)
        out[:, INDEX[f"eyeLookOut{side}"]], out[:, INDEX[f"eyeLookIn{side}"]] = np.clip(outwards, 0, 1), np.clip(-outwards, 0, 1)


def _share(lids: tuple[float, float]) -> float:
    """How far an eye is closed whose lids (upper, lower) go so far, in its openings."""
    return lids[1] - lids[0]


def _sides(values: np.ndarray, name: str) -> np.ndarray:
    """(T, 52) → (T, 2) a channel of both sides."""
    return values[:, [INDEX[f"{name}{side}"] for side in topology.SIDES]]


def _find_blinks(lids: np.ndarray) -> tuple[np.ndarray, list[float]]:
    """(T,) bool, where both lids (T,) close for an instant, and what is read of each closure at its end."""
    from scipy.ndimage import binary_dilation, grey_opening

    window = round(_BLINK * FPS)
    if len(lids) < window:
        return np.zeros(len(lids), bool), []
    brief = lids - grey_opening(lids, window, mode="nearest") > _BLINKS
    peaks = [float(lids[first:last].max()) for first, last in runs(brief, 1)]
    return binary_dilation(brief, iterations=3), [peak for peak in peaks if peak > _SHUT[0] - 0.1]


def _through(values: np.ndarray, blinks: np.ndarray) -> np.ndarray:
    """(T, K) what is read about blinks, in place of what is read in them."""
    if blinks.all() or not blinks.any():
        return values
    frames = np.arange(len(values))
    return np.stack([np.where(blinks, np.interp(frames, frames[~blinks], column[~blinks]), column) for column in values.T], 1)
