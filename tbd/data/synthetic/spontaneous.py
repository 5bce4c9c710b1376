"""What a speaker's face and head do beside words and expression: head, gaze, blinks, and passing movements of brows and cheeks.

Blinks are quick to close and slower to open, more often at phrase boundaries; fixations have jumps between them; nods and
brow raises fall on accented syllables (Munhall et al. 2004, Swerts and Krahmer 2008). The emotion changes them. Random motion
has zero mean over a clip, so that a portrait does not drift from its own pose.

How large and how fast all this is in an average speaker are medians that were measured on people filmed while they talked
(29 clips of 4.8 s and more, MediaPipe's landmarker): head 1.9°, 2.8° and 2.5° about pitch, yaw and roll, 12.7° a second; brows,
smile and squint with deviations of 0.065 to 0.12; 29 blinks a minute that last 0.155 s at half their depth; 0.8 jumps of the
gaze a second; left and right sides 0.043 apart. Trackers report some blinks and jumps that are none.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy.ndimage import gaussian_filter1d

from tbd.draw.motion.idle import GAZE, fixations
from tbd.face.channels import INDEX
from tbd.media.rates import FPS
from tbd.speech.phones import SILENCE, Phone
from tbd.utils.tracks import smoothstep

_EYE_SPAN = 0.5  # radians that the gaze turns from rest to eyeLookOut = 1, about 30 degrees


@dataclass(frozen=True)
class Liveliness:
    """How much a speaker moves beside words and expression. The defaults are those of one who keeps still.

    What a speaker makes of a plan's muscles is `tbd.data.synthetic.variation.PersonalStyle`, which a variation scales.

    Args:
        head: Amplitude of head motion; 1 is an average speaker's.
        face: Amplitude of passing movements of brows, lids and cheeks; 1 is an average speaker's.
        tilt: By how much the left half of the face moves more than the right, relative; negative moves less.
        blinks: A minute, of which those within half a second of another are left out.
        blink_seconds: Duration of a blink at half its depth.
        gaze: Deviation of the gaze between fixations, 0..1 of eyeLookOut.
        swell: By how much an expression rises with accents and falls in pauses, relative.
    """

    head: float = 0.35
    face: float = 0.0
    tilt: float = 0.0
    blinks: float = 17.0
    blink_seconds: float = 0.11
    gaze: float = 0.10
    swell: float = 0.0


STILL = Liveliness()
"""One who keeps still, so that what a plan does is seen by itself."""
AVERAGE_SPEAKER = Liveliness(1.0, 1.0, 0.0, 32.0, 0.15, 0.15, 0.2)
"""The median of filmed speakers."""


def sample_liveliness(rng: np.random.Generator) -> Liveliness:
    """Sample a speaker's own manner: people differ by a factor of about 1.5 either way.

    Args:
        rng: Source of randomness.

    Returns:
        The manner.
    """
    average = AVERAGE_SPEAKER
    return replace(
        average,
        head=average.head * rng.lognormal(0, 0.40),
        face=average.face * rng.lognormal(0, 0.35),
        tilt=float(np.clip(rng.normal(0, 0.15), -0.4, 0.4)),
        blinks=average.blinks * rng.lognormal(0, 0.35),
        blink_seconds=average.blink_seconds * rng.lognormal(0, 0.12),
        gaze=average.gaze * rng.lognormal(0, 0.25),
        swell=average.swell * rng.lognormal(0, 0.3),
    )


@dataclass(frozen=True)
class Accent:
    """A syllable that stands out.

    Args:
        time: In seconds.
        strength: 0..1.
    """

    time: float
    strength: float


def wander(frames: int, seconds: float, rng: np.random.Generator) -> np.ndarray:
    """Make smooth noise.

    Args:
        frames: T.
        seconds: Over which it changes.
        rng: Source of randomness.

    Returns:
        (T,) with zero mean and about unit deviation.
    """
    # Sampled longer than the clip, so that short clips are not flattened to their own mean.
    margin = int(4 * seconds * FPS)
    noise = gaussian_filter1d(rng.standard_normal(frames + 2 * margin), seconds * FPS / 2)[margin : margin + frames]
    noise /= np.sqrt(1 / (seconds * FPS * np.sqrt(np.pi)))  # deviation of white noise after a Gaussian of sigma seconds / 2
    return noise - noise.mean()


def accented(frames: int, accents: Sequence[Accent], width: float) -> np.ndarray:
    """Lay bumps on accents.

    Args:
        frames: T.
        accents: Where.
        width: In seconds.

    Returns:
        (T,) 0 away from accents, up to about their strength on them.
    """
    times = np.arange(frames) / FPS
    return sum((a.strength * np.exp(-(((times - a.time) / width) ** 2)) for a in accents), np.zeros(frames))


# Degrees about pitch, yaw and roll of an average speaker, without what accents add to pitch.
_HEAD = np.radians((2.0, 3.4, 2.9))
# Shares of the variance of head motion, and the seconds over which each changes: tracked heads' autocorrelation is 0.5 at
# a third of a second and 0.1 at three quarters.
_TEMPI = ((0.55, 0.40), (0.30, 0.9), (0.15, 2.4))


def move_head(
    frames: int,
    accents: Sequence[Accent],
    speaking: np.ndarray,
    profile: dict[str, np.ndarray],
    liveliness: Liveliness,
    rng: np.random.Generator,
) -> np.ndarray:
    """Sway, nod on accents, and hold the emotion's posture.

    Args:
        frames: T.
        accents: Where to nod.
        speaking: (T,) 1 in speech, 0 in pauses, where heads move about half as much.
        profile: Each field of `AffectProfile` over time, (T,).
        liveliness: The speaker's.
        rng: Source of randomness.

    Returns:
        (T, 6) float32 pitch, yaw, roll, x, y, z.
    """
    times, size = np.arange(frames) / FPS, profile["head"] * liveliness.head
    nod = np.zeros(frames)
    for accent in accents:
        width = 0.16 / np.interp(accent.time, times, np.sqrt(profile["nods"]))
        # The head goes down with the accent and comes back beyond its rest.
        shape = np.exp(-(((times - accent.time - 0.05) / width) ** 2)) - 0.4 * np.exp(-(((times - accent.time - 0.4) / 0.25) ** 2))
        nod += rng.normal(0.035, 0.015) * accent.strength * shape * profile["nods"]
    nod *= min(1.0, 0.6 + 0.4 * liveliness.head)
    # heads move in bouts, more while speaking
    activity = np.exp(0.5 * wander(frames, 1.5, rng)) * (0.55 + 0.45 * gaussian_filter1d(speaking, 0.2 * FPS, mode="nearest"))
    activity /= np.sqrt(np.mean(activity**2))
    turns = np.stack([sum(np.sqrt(share) * wander(frames, s, rng) for share, s in _TEMPI) * activity for _ in range(3)], 1)
    pitch, yaw, roll = (_HEAD * turns * size[:, None]).T
    pitch = pitch + nod - nod.mean()
    roll = roll - 0.15 * yaw
    # A head turns about the neck, so that the face moves sideways as it turns, and down as it bends.
    x = 0.45 * yaw - 0.2 * roll + 0.010 * wander(frames, 1.5, rng) * size
    y = -0.22 * pitch + 0.008 * wander(frames, 1.5, rng) * size
    moves = np.stack([pitch, yaw, roll, x, y, 0.02 * wander(frames, 1.5, rng) * size], 1)
    moves -= moves.mean(0)
    posture = np.stack([profile["pitch"], 0 * pitch, profile["roll"], 0 * pitch, 0 * pitch, profile["forward"]], 1)
    return (moves + posture).astype(np.float32)


def raise_brows(values: np.ndarray, accents: Sequence[Accent], profile: dict[str, np.ndarray], rng: np.random.Generator) -> None:
    """Raise the brows with some accents, in place.

    Args:
        values: (T, 58) motion.
        accents: Where.
        profile: Each field of `AffectProfile` over time, (T,).
        rng: Source of randomness.
    """
    times, lift = np.arange(len(values)) / FPS, np.zeros(len(values))
    for accent in accents:
        if rng.random() < 0.45:
            lift += rng.uniform(0.05, 0.22) * accent.strength * np.exp(-(((times - accent.time) / 0.2) ** 2))
    lift = np.clip(lift * profile["brows"], 0, 0.35)
    for name, share in (("browInnerUp", 0.8), ("browOuterUp", 1.0)):
        _add(values, name, share * lift, 0.0)


# Passing movements: how many a second, how long they take to come (and, half as long again, to go), how large, and what they move.
@dataclass(frozen=True)
class _Passing:
    rate: float
    rise: tuple[float, float]
    hold: tuple[float, float]
    size: float
    moves: dict[str, float]
    field: str


_PASSING = (
    _Passing(0.40, (0.12, 0.35), (0.0, 0.6), 0.22, {"browInnerUp": 1.0, "browOuterUp": 0.8, "eyeWide": 0.5}, "brows"),
    _Passing(0.30, (0.15, 0.40), (0.1, 1.2), 0.20, {"browDown": 1.0, "eyeSquint": 0.6}, "frowns"),
    _Passing(0.30, (0.10, 0.30), (0.0, 0.8), 0.22, {"eyeSquint": 1.0, "cheekSquint": 0.3}, "squints"),
    _Passing(0.36, (0.15, 0.45), (0.0, 0.9), 0.28, {"mouthSmile": 1.0, "cheekSquint": 0.35, "eyeSquint": 0.25}, "smiles"),
    _Passing(0.15, (0.15, 0.30), (0.0, 0.5), 0.12, {"mouthFrown": 1.0, "mouthShrugLower": 0.4}, "frowns"),
)  # fmt: skip


def pass_over(
    values: np.ndarray, accents: Sequence[Accent], profile: dict[str, np.ndarray], liveliness: Liveliness, rng: np.random.Generator
) -> None:
    """Add movements of brows, lids and cheeks that come and go while people talk, in place; what an expression holds, moves less.

    Args:
        values: (T, 58) motion.
        accents: Near which two thirds of them happen.
        profile: Each field of `AffectProfile` over time, (T,).
        liveliness: The speaker's.
        rng: Source of randomness.
    """
    frames = len(values)
    if liveliness.face <= 0:
        return
    for passing in _PASSING:
        for _ in range(rng.poisson(passing.rate * frames / FPS)):
            at = rng.uniform(0, frames / FPS)
            if accents and rng.random() < 0.66:
                at = accents[rng.integers(len(accents))].time + rng.normal(-0.05, 0.1)
            rise, hold = rng.uniform(*passing.rise), rng.uniform(*passing.hold)
            share = profile[passing.field][min(max(int(at * FPS), 0), frames - 1)]
            size = min(passing.size * liveliness.face * share * rng.lognormal(0, 0.5), 0.7)
            shape = _come_and_go(np.arange(frames) / FPS - at, rise, hold)
            tilt = float(np.clip(liveliness.tilt + rng.normal(0, 0.3), -0.8, 0.8))
            for name, part in passing.moves.items():
                _add(values, name, size * part * shape, tilt)


def _come_and_go(times: np.ndarray, rise: float, hold: float) -> np.ndarray:
    """(T,) from 0 to 1 over `rise` seconds until time 0, 1 for `hold`, and back to 0 more slowly."""
    ramp = np.clip(1 + times / rise, 0, 1) * np.clip(1 - (times - hold) / (1.5 * rise), 0, 1)
    return smoothstep(ramp)


def _add(values: np.ndarray, name: str, amount: np.ndarray, tilt: float) -> None:
    """Add an amount (T,) to a channel, or to its left and right half, as far as these leave room. In place."""
    for channel, share in ((name, 1.0), (f"{name}Left", 1 + tilt), (f"{name}Right", 1 - tilt)):
        if channel in INDEX:
            column = INDEX[channel]
            values[:, column] = 1 - (1 - values[:, column]) * (1 - np.clip(share * amount, 0, 1))


def look(values: np.ndarray, head: np.ndarray, profile: dict[str, np.ndarray], liveliness: Liveliness, rng: np.random.Generator) -> None:
    """Add fixations, half of them on the viewer, and let the eyes hold their aim while the head moves, in place.

    Args:
        values: (T, 58) motion.
        head: (T, 6) its head.
        profile: Each field of `AffectProfile` over time, (T,).
        liveliness: The speaker's.
        rng: Source of randomness.
    """
    frames = len(values)
    aim = np.zeros((frames, 2))

    def duration(away: bool, start: float) -> int:
        return max(3, int(FPS * rng.lognormal(np.log((0.7 if away else 1.1) / profile["gaze"][int(start)]), 0.5)))

    for start, target in fixations(rng, (liveliness.gaze, 0.6 * liveliness.gaze), duration, frames):
        aim[int(start) :] = target
    aim -= aim.mean(0)
    aim = gaussian_filter1d(aim, 0.6, axis=0)  # a jump takes two frames
    steady = head - head.mean(0)
    left = aim[:, 0] - 0.8 * steady[:, 1] / _EYE_SPAN
    down = aim[:, 1] - 0.8 * steady[:, 0] / _EYE_SPAN + profile["gaze_down"]
    for name, (axis, sign) in GAZE.items():
        values[:, INDEX[name]] += np.maximum(sign * (left, down)[axis], 0)


def blink(
    values: np.ndarray, phones: Sequence[Phone], profile: dict[str, np.ndarray], liveliness: Liveliness, rng: np.random.Generator
) -> None:
    """Add blinks as a Poisson process, three times as likely at a pause, in place.

    Args:
        values: (T, 58) motion.
        phones: In order.
        profile: Each field of `AffectProfile` over time, (T,).
        liveliness: The speaker's.
        rng: Source of randomness.
    """
    frames = len(values)
    rate = np.full(frames, liveliness.blinks / 60 / FPS) * profile["blinks"]
    weight = np.full(frames, 0.8)
    for phone in phones:
        if phone.symbol == SILENCE:
            weight[round(phone.start * FPS) : round(phone.end * FPS) + 3] = 2.4
    peaks = np.flatnonzero(rng.random(frames) < rate * weight / weight.mean())
    close, last = np.zeros(frames), -FPS
    for peak in peaks:
        if peak - last < 0.5 * FPS:
            continue
        last = peak
        after = (np.arange(frames) - peak) / FPS
        depth, span = rng.uniform(0.85, 1.0), liveliness.blink_seconds * rng.lognormal(0, 0.15)
        # at half depth for 0.4 of the closing's and 0.3 of the opening's time, which is twice as long
        closing, opening = np.clip(1 + after / (1.09 * span), 0, 1), np.clip(1 - after / (2.0 * span), 0, 1)
        close = np.maximum(close, depth * np.where(after < 0, closing**1.5, opening**2))
    for name in ("eyeBlinkLeft", "eyeBlinkRight"):
        values[:, INDEX[name]] = np.maximum(values[:, INDEX[name]], close)
    for name in ("eyeWideLeft", "eyeWideRight"):
        values[:, INDEX[name]] *= 1 - close
    for name in ("eyeSquintLeft", "eyeSquintRight"):
        values[:, INDEX[name]] = np.maximum(values[:, INDEX[name]], 0.15 * close)
