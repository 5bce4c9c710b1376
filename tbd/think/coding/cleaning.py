"""What a motion shows besides its expression is taken off first: blinks, speech, the resting face, tracker noise."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from scipy.ndimage import binary_dilation, gaussian_filter1d, grey_opening, median_filter, percentile_filter

from tbd.face.channels import BLENDSHAPES, INDEX
from tbd.media.rates import FPS

BLINK = 0.6
"""Seconds: lids that are closed for longer are held closed, not blinking."""
_BRIEF = 0.2
"""Closure beyond what is held from which lids blink."""
_PHRASE = 1.25
"""Seconds over which what speech does to a channel averages out: six syllables (Greenberg 1999: 200 ms each)."""
_SHARE, _ROUNDED = 40, 15
"""Percentiles over a phrase that stand for what is held, below the median, since speech comes on top; rounding, which comes and goes with
single vowels, must never leave."""
_SPEECH_LEVEL = {"jawOpen": 0.076, "mouthFunnel": 0.05, "mouthPucker": 0.1, "mouthLowerDown": 0.044, "mouthUpperUp": 0.033,
                 "mouthStretch": 0.012, "mouthSmile": 0.010, "mouthShrugUpper": 0.007, "mouthDimple": 0.005}  # fmt: skip
"""What that percentile is in neutral speech, over thirty utterances of the procedural corpus, by the start of a channel's name."""
_GLANCE = 0.8
"""Seconds: a gaze that is held for less is a glance; fixations in conversation last 0.3 to 0.4 s at the median."""
_STRESS = 0.5
"""Seconds: brows that are raised for less stress a word."""
_FLASH = 0.25
"""Height of a short brow raise from which it is an expression (an eyebrow flash) rather than the stress of a word."""
_SWAY = 0.9
"""Seconds: turns of the head that are held for less are nods and sway."""

_SILENT = ("mouthFrown", "mouthLeft", "mouthRight", "jawLeft", "jawRight", "jawForward")
SPEECH_CHANNELS = tuple(
    name for name in BLENDSHAPES if name.startswith(("jaw", "tongue", "mouth", "cheekPuff")) and not name.startswith(_SILENT)
)
"""Channels that articulation moves; the corners of the mouth go down, and the jaw sideways, in no sound."""
YIELDING = {"jawOpen": 0.6, "mouthClose": 0.6, "tongueOut": 0.6, "mouthFunnel": 0.6, "mouthPucker": 0.6, "mouthPress": 0.48,
            "mouthRoll": 0.4, "mouthShrugLower": 0.56, "cheekPuff": 0.7, "mouthLowerDown": 0.85}  # fmt: skip
"""What is left of an expression on a channel while its owner speaks, by the start of its name: lips that meet and part for the words let
go of what is pressed, rolled or pushed. Near the corpus's own rule (``_YIELDING`` of `tbd.data.synthetic.performance`) and not the same by
design: that one performs a plan frame by frame, this one undoes a percentile over a phrase, and of filmed faces as well. The jaw's is the
rule's square root, for a jaw that hangs while its owner talks is more often a loud voice."""


@dataclass(frozen=True)
class Cleaned:
    """A motion's expression alone.

    Args:
        shapes: (T, 52) blendshapes in 0..1, without blinks, speech and rest.
        head: (T, 6) radians and inter-ocular distances from the resting pose, without nods and sway.
        seen: (T, 52) how much each value says about the expression, 0..1: less where speech covers it.
        noise: (52,) standard deviation of the tracker's noise per channel.
        rest: (58,) the person's resting face and pose that were taken off.
    """

    shapes: np.ndarray
    head: np.ndarray
    seen: np.ndarray
    noise: np.ndarray
    rest: np.ndarray


def clean(values: np.ndarray, speaking: np.ndarray, rest: np.ndarray | None = None, visible: np.ndarray | None = None) -> Cleaned:
    """Take blinks, speech, rest and noise off a motion.

    Args:
        values: (T, 58) motion.
        speaking: (T,) bool, where the person speaks.
        rest: (58,) the person's resting face; zeros where the motion's coefficients are absolute and its pose is the portrait's.
        visible: (T, 58) bool, what can be seen; all where not given.

    Returns:
        The expression that is left.
    """
    rest = np.zeros(values.shape[1]) if rest is None else np.asarray(rest, np.float64)
    values = np.asarray(values, np.float64)
    shapes = values[:, : len(BLENDSHAPES)]
    noise = 1.4826 * np.median(np.abs(np.diff(shapes, 2, axis=0)), axis=0) / np.sqrt(6) if len(shapes) > 2 else np.zeros(shapes.shape[1])
    shapes = np.clip((shapes - rest[: len(BLENDSHAPES)]) / np.maximum(1 - rest[: len(BLENDSHAPES)], 0.2), 0, 1)
    shapes = median_filter(shapes, (min(5, len(shapes)), 1), mode="nearest")
    seen = np.ones_like(shapes)
    _remove_blinks(shapes, seen)
    _remove_speech(shapes, seen, speaking)
    _remove_brow_accents(shapes)
    _hold_gaze(shapes)
    if visible is not None:
        seen *= visible[:, : len(BLENDSHAPES)]
    head = _hold_head(values[:, len(BLENDSHAPES) :] - rest[len(BLENDSHAPES) :])
    return Cleaned(shapes, head, seen, noise, rest)


def find_blinks(closed: np.ndarray) -> np.ndarray:
    """Find where lids are closed for an instant.

    Args:
        closed: (T,) eyeBlink of both eyes in 0..1, the lesser of the two.

    Returns:
        (T,) bool, from before the lids move until they are back.
    """
    held = grey_opening(closed, round(BLINK * FPS), mode="nearest") if len(closed) >= round(BLINK * FPS) else np.zeros_like(closed)
    return binary_dilation(closed - held > _BRIEF, iterations=3)


def _remove_blinks(shapes: np.ndarray, seen: np.ndarray) -> None:
    """Lids during a blink become what they are around it. In place."""
    both = shapes[:, [INDEX["eyeBlinkLeft"], INDEX["eyeBlinkRight"]]].min(1)  # a wink is no blink
    blinks = find_blinks(both)
    if blinks.all():
        return
    frames = np.arange(len(shapes))
    for name in BLENDSHAPES:
        if name.startswith(("eyeBlink", "eyeSquint", "eyeWide", "eyeLook", "cheekSquint")):
            column = INDEX[name]
            shapes[blinks, column] = np.interp(frames[blinks], frames[~blinks], shapes[~blinks, column])
            seen[blinks, column] = 0.3


def _remove_speech(shapes: np.ndarray, seen: np.ndarray, speaking: np.ndarray) -> None:
    """Articulation comes on top of an expression: what the mouth never leaves for longer than two syllables is held. In place."""
    if not speaking.any():
        return
    around = binary_dilation(speaking, iterations=2)
    window = min(2 * round(_PHRASE * FPS / 2) + 1, len(shapes))
    for name in SPEECH_CHANNELS:
        column = INDEX[name]
        usual = value_by_prefix(_SPEECH_LEVEL, name, 0.0)
        share = _ROUNDED if name in ("mouthFunnel", "mouthPucker") else _SHARE
        held = np.clip((percentile_filter(shapes[:, column], share, window, mode="nearest") - usual) / (1 - usual), 0, 1)
        left = value_by_prefix(YIELDING, name, 1.0)
        shapes[around, column] = np.minimum(gaussian_filter1d(held, 2, mode="nearest") / left, 1)[around]
        seen[around, column] = 0.5 * left


def _remove_brow_accents(shapes: np.ndarray) -> None:
    """Brows that go up for less than half a second stress a word. In place."""
    for name in ("browInnerUp", "browOuterUpLeft", "browOuterUpRight"):
        track = shapes[:, INDEX[name]]
        held = _held(track, _STRESS)
        # A strong raise is an expression even if it is short.
        shapes[:, INDEX[name]] = np.where(track - held > _FLASH, track, held)


def _hold_gaze(shapes: np.ndarray) -> None:
    """Of the gaze, where it stays. In place."""
    for name in BLENDSHAPES:
        if name.startswith("eyeLook"):
            shapes[:, INDEX[name]] = _held(shapes[:, INDEX[name]], _GLANCE)


def _hold_head(head: np.ndarray) -> np.ndarray:
    """(T, 6) → turns that are held."""
    return np.stack([_held(np.maximum(track, 0), _SWAY) - _held(np.maximum(-track, 0), _SWAY) for track in head.T], 1)


def _held(track: np.ndarray, seconds: float) -> np.ndarray:
    """(T,) what lasts for `seconds`; a track that is shorter than that as it is."""
    window = round(seconds * FPS)
    return grey_opening(track, window, mode="nearest") if len(track) >= window else track


def value_by_prefix(table: Mapping[str, float], name: str, default: float) -> float:
    """Look up the value of a channel in a table whose keys are the starts of channels' names.

    Args:
        table: Start of a name → value.
        name: The channel.
        default: The value of channels that no key fits.

    Returns:
        The value of the first key that fits.
    """
    return next((value for start, value in table.items() if name.startswith(start)), default)
