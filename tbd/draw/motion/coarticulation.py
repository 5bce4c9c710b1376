"""Where a feeling and speech want the same muscles.

A smile gives way while lips round and comes a little where sounds stretch them, and shows the upper teeth; wide lips round less; a jaw that
a feeling drops opens farther for each sound and hangs in pauses; brows that frown raise no eyebrow at a stressed word, and startled ones
stand.
Needs numpy alone.
"""

import numpy as np

from tbd.face.channels import INDEX
from tbd.utils.tracks import smoothstep

_ROUNDING = [INDEX[name] for name in ("mouthPucker", "mouthFunnel")]
_GIVES = {"mouthSmile": 0.75, "mouthDimple": 0.75, "mouthStretch": 0.5, "mouthFrown": 0.4}
"""Movements that draw lips wide, and the share of each that fully rounded lips take."""
_SOME, _FULL = 0.12, 0.38
"""Rounding from which lips take some of it, and with which they take all that they do: the median and the 95th percentile, about, of what
the packaged model draws of plain speech."""

JAW = INDEX["jawOpen"]
_WIDE = ((0, 0.8), (1, 1.0))
"""Of `_SPREAD`, how wide a plan's stretch and smile make the lips."""
_UNROUNDS = 0.65
"""Share of a sound's rounding that wide lips lose. The landmarker reads mouthPucker at 0.00 to 0.10 (85th percentile) in MEAD's four happy
speakers, at 0.02 and 0.30 in two angry clips and at 0.02 in the fear of one actor (0.87 in another one's), and at 0.33 and 0.65 in two
neutral clips."""

_SPREAD = [[INDEX[f"{name}{side}"] for side in ("Left", "Right")] for name in ("mouthStretch", "mouthSmile")]
_SPREADS = 2.0
"""How far lips that a sound stretches are drawn into a smile as well, as a multiple of the stretch."""
_UPPER_LIP = [INDEX["mouthUpperUpLeft"], INDEX["mouthUpperUpRight"]]
_NAMES = ("mouthFrown", "mouthPress", "mouthStretch", "noseSneer", "browDown")
_ELSEWHERE = [JAW] + [INDEX[name + side] for name in _NAMES for side in ("Left", "Right")]
_DOWN = 0.3
"""Of a face of which a plan asks so much, the corners of the mouth go nowhere else: bared teeth under a frown are no smile, nor is a
dropped jaw (MEAD's surprised actors: 0.01 at the 85th percentile)."""

_OPENS = 0.6
"""Share of the jaw that a model draws for sounds by which it opens."""
_PARTS = 0.4
"""Share of what a model parts lips by for sounds, beside the jaw, by which they part: it holds them 0.08 apart below and 0.05 above at the
median of plain speech, filmed people 0.01 and 0.00, and the landmarker takes it for the jaw's (without it it reads a quarter less)."""
_PARTING = [INDEX[f"{name}{side}"] for name in ("mouthUpperUp", "mouthLowerDown") for side in ("Left", "Right")]
_FELT = 0.3
"""Of a mouth of which a plan asks so much, lips part as a model draws them: who feels something speaks with larger movements."""
_CLOSES = (([INDEX["mouthPressLeft"], INDEX["mouthPressRight"]], 0.12), ([INDEX["mouthRollLower"]], 0.2))
"""Channels by which lips close or bite, and from which value on they do."""
_SHUT, _APART = 0.03, 0.06
"""A jaw that is open no farther than the first is shut; beyond it by the second it is open."""
_HANGS = 1.0
"""Share of what a plan drops the jaw by that is added to what is drawn in pauses, which holds a fifth of it already."""
_HELD_SHARE = 0.12
"""Share of a plan's drop that a model draws at every sound; what is beyond opens for the sound."""
_OPENS_FARTHER, _DROPPED, _WIDEST = 3.0, 0.2, 0.54
"""By how much farther a jaw opens for sounds that a plan drops far, relative; the drop with which it does by three quarters of that (plans
of surprise and fear drop it by 0.2); and how far it opens at most. MEAD's actors open theirs by 0.33 to 0.44 and 0.25 to 0.32 (medians) and
by 0.54 and 0.45 (85th percentiles)."""
_ROUNDS, _DROPS = 2.0, 0.15
"""Multiple of a plan's rounding that is added to that of sounds, where it drops the jaw by the second: a plan for speech keeps 0.45 of a
feeling's, and a model draws a third of that beside sounds. Three surprised people on film are read with a pucker of 0.16 (median) and 0.82
(85th percentile), drawn ones with 0.04 and 0.55 while the multiple was 1.2. Above 2 the lower lip comes to a point below the teeth."""
_TEETH = 0.4
"""How far the upper lip of a full smile is raised where lips are apart: of MEAD's four happy speakers the landmarker reads mouthUpperUp at
0.31, 0.34, 0.48 and 0.69 (medians), a model draws 0.08."""

_RAISED = [INDEX[name] for name in ("browInnerUp", "browOuterUpLeft", "browOuterUpRight")]
_LOWERED = [INDEX[name] for name in ("browDownLeft", "browDownRight")]
_FROWNS = 0.5
"""A frown of which a plan asks so much holds the brows."""
_NOSE = [INDEX[name] for name in ("noseSneerLeft", "noseSneerRight")]
_WRINKLED = 1.0
"""Share of what a plan wrinkles the nose and lowers the brows by that stands throughout: no sound needs it, and a model draws 0.5 to 1 of
it beside others."""
_LIDS = [INDEX[name] for name in ("eyeWideLeft", "eyeWideRight")]
_BLINKS = [INDEX[name] for name in ("eyeBlinkLeft", "eyeBlinkRight")]
_STARTLED = 0.4
"""A plan that widens the lids so far is startled, and its lids and raised brows stand as it has them: a model draws 0.85 to 1.04 of it from
word to word."""


def give_way(values: np.ndarray, planned: np.ndarray, amount: float = 1.0) -> np.ndarray:
    """Let what draws lips wide give way to the rounding of speech.

    The procedural corpus adds feeling to speech, so a model that learnt from it holds a smile through every vowel. Filmed people do not:
    in four clips of MEAD's actors who speak happily (18 s, MediaPipe's landmarker) a smile is 0.34 to 0.56 with a deviation of 0.25, near
    0.8 between rounded sounds and under 0.25 in them, while the lids keep what they hold (deviations of 0.03 to 0.13).

    Args:
        values: (T, 58) motion.
        planned: (T, 58) what the plan alone asks for; lips that it rounds are no speech.
        amount: How much gives way, 1 as people's; 0: nothing.

    Returns:
        (T, 58) float32.

    Example:
        >>> lips = np.zeros((2, 58), np.float32)
        >>> lips[:, INDEX["mouthSmileLeft"]], lips[1, INDEX["mouthPucker"]] = 0.8, 0.5
        >>> give_way(lips, np.zeros((2, 58)))[:, INDEX["mouthSmileLeft"]].round(2).tolist()
        [0.800000011920929, 0.20000000298023224]
    """
    out = np.array(values, np.float32)
    spoken = np.clip(out[:, _ROUNDING] - planned[:, _ROUNDING], 0, None).max(-1, initial=0)
    share = amount * smoothstep((spoken - _SOME) / (_FULL - _SOME))
    for name, most in _GIVES.items():
        for side in ("Left", "Right"):
            out[:, INDEX[name + side]] *= np.clip(1 - most * share, 0, 1)
    return out


def flatten_rounding(values: np.ndarray, planned: np.ndarray, amount: float = 1.0) -> np.ndarray:
    """Let sounds round lips less that a plan draws wide.

    Args:
        values: (T, 58) motion.
        planned: (T, 58) what the plan alone asks for; lips that it rounds itself stay so.
        amount: How much of the rounding is lost, 1 as people's; 0: nothing.

    Returns:
        (T, 58) float32.

    Example:
        >>> lips, plan = np.zeros((1, 58), np.float32), np.zeros((1, 58))
        >>> lips[:, INDEX["mouthPucker"]], plan[:, _SPREAD[1]] = 0.4, 1.0
        >>> flatten_rounding(lips, plan)[:, INDEX["mouthPucker"]].round(2).tolist()
        [0.14000000059604645]
    """
    out = np.array(values, np.float32)
    wide = np.clip(sum(share * planned[:, _SPREAD[at]].mean(-1, keepdims=True) for at, share in _WIDE), 0, 1)
    spoken = np.clip(out[:, _ROUNDING] - planned[:, _ROUNDING], 0, None)
    out[:, _ROUNDING] -= np.clip(_UNROUNDS * amount * wide, 0, 1) * spoken
    return out


def spread_lips(values: np.ndarray, planned: np.ndarray, amount: float = 1.0) -> np.ndarray:
    """Let lips that a sound stretches be drawn into a smile as well.

    Filmed people's mouthSmile, by MediaPipe's landmarker, moves at the rate of their words (deviations of 0.09 and 0.07 at 0.6 to 1.2 and
    1.2 to 2.4 Hz in 42 clips) and with the sounds that stretch lips. The procedural corpus gives most of that to mouthStretch, which the
    landmarker hardly sees move on anybody (0.02), and so does a model that learnt from it.

    Args:
        values: (T, 58) motion.
        planned: (T, 58) what the plan alone asks for; lips that it stretches are no speech, and corners that it draws down or presses stay.
        amount: How much they are drawn, 1 as people's; 0: not at all.

    Returns:
        (T, 58) float32.

    Example:
        >>> lips = np.zeros((1, 58), np.float32)
        >>> lips[:, [INDEX["mouthStretchLeft"], INDEX["mouthStretchRight"]]] = 0.1
        >>> spread_lips(lips, np.zeros((1, 58)))[:, INDEX["mouthSmileLeft"]].round(2).tolist()
        [0.20000000298023224]
    """
    stretch, smile = _SPREAD
    out = np.array(values, np.float32)
    spoken = np.clip(out[:, stretch] - planned[:, stretch], 0, None).mean(-1, keepdims=True)
    free = 1 - smoothstep(planned[:, _ELSEWHERE].max(-1, keepdims=True) / _DOWN)
    out[:, smile] += np.clip(1 - out[:, smile], 0, 1) * np.clip(_SPREADS * amount * free * spoken, 0, 1)
    return out


def ease_jaw(values: np.ndarray, amount: float = 1.0) -> np.ndarray:
    """Let the jaw open for sounds as far as people's do.

    The 95th percentile of filmed people's jawOpen is 0.22 in neutral speech (70 clips, MediaPipe's landmarker), that of what the packaged
    model draws 0.32, since it exaggerates the voice. On a face the landmarker reads even more of it, as the other movements of drawn lips
    part them as well: 0.47, where the same people's films say 0.19 (23 clips, each drawn on its person's own face).

    Args:
        values: (T, 58) motion. What a plan drops the jaw by comes with `hang_jaw`, after this.
        amount: How much is taken, 1 as people's; 0: nothing.

    Returns:
        (T, 58) float32.

    Example:
        >>> ease_jaw(np.full((1, 58), 0.5, np.float32))[:, JAW].round(2).tolist()
        [0.30000001192092896]
    """
    out = np.array(values, np.float32)
    out[:, JAW] *= 1 - np.clip(amount * (1 - _OPENS), 0, 1)
    return out


def ease_lips(values: np.ndarray, planned: np.ndarray, amount: float = 1.0) -> np.ndarray:
    """Let lips part for the sounds of plain speech as far as people's do.

    Args:
        values: (T, 58) motion.
        planned: (T, 58) what the plan alone asks for; where it moves the mouth, lips part as they come.
        amount: How much is taken, 1 as people's; 0: nothing.

    Returns:
        (T, 58) float32.

    Example:
        >>> lips, smile = np.zeros((1, 58), np.float32), np.zeros((1, 58))
        >>> lips[:, _PARTING], smile[:, _SPREAD[1]] = 0.1, 0.6
        >>> [ease_lips(lips, plan)[0, _PARTING[0]].round(2).item() for plan in (np.zeros((1, 58)), smile)]
        [0.03999999910593033, 0.10000000149011612]
    """
    out = np.array(values, np.float32)
    felt = smoothstep(planned[:, _ELSEWHERE + _SPREAD[1] + _PARTING].max(-1, keepdims=True) / _FELT)
    beside = np.clip(out[:, _PARTING] - planned[:, _PARTING], 0, None)
    out[:, _PARTING] -= np.clip(amount * (1 - _PARTS), 0, 1) * (1 - felt) * beside
    return out


def bare_teeth(values: np.ndarray, planned: np.ndarray, amount: float = 1.0) -> np.ndarray:
    """Let the upper lip of a smiling speaker show the teeth wherever sounds leave lips apart.

    Args:
        values: (T, 58) motion.
        planned: (T, 58) what the plan alone asks for.
        amount: How far it is raised, 1 as people's; 0: as it comes.

    Returns:
        (T, 58) float32.

    Example:
        >>> lips = np.zeros((2, 58), np.float32)
        >>> lips[:, _SPREAD[1]], lips[1, JAW] = 0.8, 0.1
        >>> bare_teeth(lips, lips)[:, INDEX["mouthUpperUpLeft"]].round(2).tolist()
        [0.0, 0.3199999928474426]
    """
    out = np.array(values, np.float32)
    apart = _closing(out, planned) * smoothstep((out[:, JAW] - _SHUT) / _APART)
    smile = np.minimum(out[:, _SPREAD[1]], planned[:, _SPREAD[1]])
    out[:, _UPPER_LIP] = np.maximum(out[:, _UPPER_LIP], np.clip(_TEETH * amount * smile * apart[:, None], 0, 1))
    return out


def hang_jaw(values: np.ndarray, planned: np.ndarray, amount: float = 1.0, speaking: np.ndarray | float = 0.0) -> np.ndarray:
    """Let the jaw of a feeling hang wherever sounds leave lips apart.

    Between words it hangs as it is asked to. While lips speak it opens farther for each sound by a factor, since a jaw that hangs at
    every sound alike follows none: of two recordings, spoken in anger, fear and surprise at full strength, it then followed the speaker's
    with 0.30, 0.29 and 0.23, where the model's own followed with 0.58, 0.57 and 0.53; now with 0.53, 0.59 and 0.50.

    A model that learnt speech draws a fifth of a jaw that a plan drops (AU26: 0.22), since most of its speech is said without. An actor of
    MEAD opens hers by 0.25 in neutral speech, 0.33 in surprise, 0.36 in anger and 0.25 in fear; another one by 0.44 in surprise and 0.32 in
    fear (medians, by MediaPipe's landmarker). Lips still close for p, b and m, and bite for f and v.

    Args:
        values: (T, 58) motion.
        planned: (T, 58) what the plan alone asks for.
        amount: How much it hangs, 1 as people's; 0: as it comes.
        speaking: (T,) 0: in a pause, to 1: speaking; see `tbd.draw.motion.speaking`.

    Returns:
        (T, 58) float32.

    Example:
        >>> lips, plan = np.zeros((3, 58), np.float32), np.zeros((3, 58))
        >>> lips[:, JAW], plan[:, JAW] = 0.2, 0.3
        >>> lips[1, [INDEX["mouthPressLeft"], INDEX["mouthPressRight"]]] = 0.3
        >>> lips[2, JAW] = 0.02
        >>> hang_jaw(lips, plan)[:, JAW].round(2).tolist()
        [0.4399999976158142, 0.20000000298023224, 0.019999999552965164]
        >>> hang_jaw(lips, plan, speaking=1.0)[:, JAW].round(2).tolist()
        [0.5, 0.20000000298023224, 0.019999999552965164]
    """
    out = np.array(values, np.float32)
    jaw, drop, apart = out[:, JAW], amount * planned[:, JAW], _closing(out, planned)
    between = (1 - jaw) * np.clip(_HANGS * drop * smoothstep((jaw - _SHUT) / _APART), 0, 1)
    stands = np.minimum(jaw, _SHUT + _HELD_SHARE * drop)
    wanted = stands + (jaw - stands) * (1 + _OPENS_FARTHER * np.tanh(drop / _DROPPED))
    easy, hard = 0.6 * _WIDEST, 0.4 * _WIDEST  # most of the way as wanted, the rest against resistance
    within = np.maximum(np.minimum(wanted, easy + hard * np.tanh(np.maximum(wanted - easy, 0) / hard)), jaw) - jaw
    out[:, JAW] += apart * np.where(drop > 0, between + speaking * (within - between), 0)
    open_ = (apart * smoothstep((out[:, JAW] - _SHUT) / _APART) * smoothstep(drop / _DROPS))[:, None]
    out[:, _ROUNDING] += (1 - out[:, _ROUNDING]) * np.clip(_ROUNDS * open_ * planned[:, _ROUNDING], 0, 1)
    return out


def _closing(values: np.ndarray, planned: np.ndarray) -> np.ndarray:
    """(T,) 1: lips may be apart, to 0: a sound closes or bites them."""
    closing = [np.clip(values[:, at] - planned[:, at], 0, None).mean(-1) / full for at, full in _CLOSES]
    return np.prod([1 - np.clip(share, 0, 1) for share in closing], 0)


def hold_brows(values: np.ndarray, planned: np.ndarray, amount: float = 1.0) -> np.ndarray:
    """Let brows, nose and widened lids stand as a plan holds them, whatever stress does.

    Speakers raise their brows at stressed words, a model also while it frowns. MediaPipe's landmarker reads a raised brow of 0.06 or less
    in nine of ten frames of MEAD's actors who are angry (31 frames, one actor) or disgusted (67, three).

    Args:
        values: (T, 58) motion.
        planned: (T, 58) what the plan alone asks for.
        amount: How far they stand, 1 as people's; 0: as it comes.

    Returns:
        (T, 58) float32.

    Example:
        >>> brows, plan = np.zeros((1, 58), np.float32), np.zeros((1, 58))
        >>> brows[:, INDEX["browInnerUp"]], plan[:, INDEX["browDownLeft"]], plan[:, INDEX["browDownRight"]] = 0.2, 0.8, 0.8
        >>> hold_brows(brows, plan)[:, INDEX["browInnerUp"]].tolist()
        [0.0]
    """
    out = np.array(values, np.float32)
    frown = np.clip(amount * smoothstep(planned[:, _LOWERED].mean(-1, keepdims=True) / _FROWNS), 0, 1)
    out[:, _RAISED] -= frown * np.clip(out[:, _RAISED] - planned[:, _RAISED], 0, None)
    for held in (_NOSE, _LOWERED):
        out[:, held] += min(amount, 1) * np.clip(_WRINKLED * planned[:, held] - out[:, held], 0, None)
    startled = np.clip(amount * smoothstep(planned[:, _LIDS].mean(-1, keepdims=True) / _STARTLED), 0, 1)
    open_ = 1 - np.clip(2 * out[:, _BLINKS].max(-1, keepdims=True), 0, 1)
    for held, share in ((_RAISED, startled), (_LIDS, startled * open_)):  # lids that blink let go
        out[:, held] += share * np.clip(planned[:, held] - out[:, held], 0, None)
    return out
