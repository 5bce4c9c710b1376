"""`synthesize_motion`: motion with known causes: lips from phones, expression from a plan, and the movements of any speaker.

Blinks, gaze, head and brows follow what is known of speakers: blinks 15-20 a minute, quick to close and slower to open,
more often at phrase boundaries; fixations with jumps between them; nods and brow raises on accented syllables (Munhall et
al. 2004, Swerts and Krahmer 2008). The emotion changes them. Random motion has zero mean over a clip, so that a portrait
does not drift from its own pose.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass

import numpy as np
from scipy.ndimage import gaussian_filter1d

from tbd.data.synthetic.visemes import AVERAGE, VOWELS, Articulation, Lips, base_symbols, close_jaw, loudness_of, speech_lips
from tbd.face.channels import BLENDSHAPES, INDEX
from tbd.face.motion import Motion
from tbd.media.rates import FPS, SAMPLES_PER_FRAME
from tbd.speech.phones import SILENCE, Phone
from tbd.think.emotion_spec import AffectProfile
from tbd.think.emotions import EMOTION_SPECS
from tbd.think.facs import perform
from tbd.think.plan import MusclePlan

_BLINKS_A_MINUTE = 17.0
_EYE_SPAN = 0.5  # radians that the gaze turns from rest to eyeLookOut = 1, about 30 degrees

# The share of an expression that is left while its owner speaks: the jaw belongs to the words, as does whatever seals the
# lips. In a pause all of it shows.
_YIELDING = {"jawOpen": 0.3, "mouthPress": 0.6, "mouthRollLower": 0.5, "mouthRollUpper": 0.5, "mouthPucker": 0.6, "mouthFunnel": 0.6,
             "tongueOut": 0.5, "mouthShrugLower": 0.7, "mouthClose": 0.3, "mouthLowerDown": 0.85, "cheekPuff": 0.7}  # fmt: skip
# What parts the lips, and how much of it waits while they touch.
_PARTING = {"mouthLowerDown": 1.0, "mouthUpperUp": 1.0, "mouthFunnel": 1.0, "tongueOut": 1.0, "mouthStretch": 0.6, "noseSneer": 0.5}


def synthesize_motion(
    phones: Sequence[Phone], audio: np.ndarray, plan: MusclePlan, rng: np.random.Generator, articulation: Articulation = AVERAGE
) -> Motion:
    """Animate a face that says `phones` with the expression of `plan`.

    Args:
        phones: From start to end of the audio.
        audio: (N,) float32 at 16 kHz, in which the phones are spoken.
        plan: The muscles and the emotion.
        rng: Source of randomness for blinks, gaze and head.
        articulation: The speaker's habits.

    Returns:
        ``ceil(N / 640)`` frames, blendshapes in 0..1.

    Example:
        >>> phones = [Phone(0.0, 0.2, SILENCE), Phone(0.2, 0.6, "ɑ"), Phone(0.6, 0.8, SILENCE)]
        >>> len(synthesize_motion(phones, np.zeros(12800, np.float32), MusclePlan(), np.random.default_rng(0)))
        20
    """
    frames = -(-len(audio) // SAMPLES_PER_FRAME)
    profile = _profile_over(plan, frames)
    loudness = loudness_of(audio, frames)
    jaw = articulation.jaw * float(profile["jaw"].mean())
    lips = speech_lips(phones, loudness, Articulation(jaw, articulation.lips))
    values = combine(lips, _alive(perform(plan, frames), rng))
    accents = find_accents(phones, loudness, rng)
    head = _head(frames, accents, profile, rng)
    values[:, len(BLENDSHAPES) :] += head
    _raise_brows(values, accents, profile, rng)
    _look(values, head, profile, rng)
    _blink(values, phones, profile, rng)
    return Motion(np.clip(values, -1, 1)).clamped()


def combine(lips: Lips, expression: np.ndarray) -> np.ndarray:
    """Combine speech and expression; the lips still touch for p, b, m and still meet the teeth for f, v.

    Args:
        lips: Motion of the mouth in speech.
        expression: (T, 58) motion of the plan's muscles.

    Returns:
        (T, 58) float32. Blendshapes combine as ``1 - (1 - a)(1 - b)``, the expression's jaw and lip seals at a part while the mouth speaks.
    """
    shown = expression.astype(np.float32).copy()
    for name, share in _YIELDING.items():
        shown[:, _columns(name)] *= (1 - (1 - share) * lips.speaking)[:, None]
    for name, share in _PARTING.items():
        shown[:, _columns(name)] *= (1 - share * np.maximum(lips.closed, 0.6 * lips.bitten))[:, None]
    # A vowel opens what the expression presses together.
    opening = np.clip(lips.values[:, INDEX["jawOpen"]] / 0.3, 0, 1) * (1 - lips.closed)
    for name in ("mouthPress", "mouthRollLower", "mouthRollUpper", "mouthShrugLower"):
        shown[:, _columns(name)] *= (1 - 0.5 * opening)[:, None]
    shapes = slice(0, len(BLENDSHAPES))
    values = shown.copy()
    values[:, shapes] = 1 - (1 - shown[:, shapes]) * (1 - lips.values[:, shapes])
    jaw = close_jaw(values[:, INDEX["jawOpen"]], lips.closed, lips.bitten)
    values[:, INDEX["jawOpen"]] = jaw
    values[:, INDEX["mouthClose"]] = np.maximum(shown[:, INDEX["mouthClose"]] * (1 - lips.closed), jaw * lips.closed)
    return values


@dataclass(frozen=True)
class Accent:
    """A syllable that stands out.

    Args:
        time: In seconds.
        strength: 0..1.
    """

    time: float
    strength: float


def find_accents(phones: Sequence[Phone], loudness: np.ndarray, rng: np.random.Generator) -> list[Accent]:
    """Find accented vowels: louder and longer than others, at least 0.35 s apart, at most a third of the vowels.

    Args:
        phones: In order.
        loudness: (T,) decibels per frame, see `tbd.data.synthetic.visemes.loudness_of`.
        rng: Source of randomness, since speakers do not accent every loud vowel.

    Returns:
        The accents, in order; none where there are fewer than three vowels.
    """
    vowels = [p for p in phones if set(base_symbols(p.symbol)) & VOWELS]
    if len(vowels) < 3:
        return []
    level = np.array([loudness[min(len(loudness) - 1, round((p.start + p.end) / 2 * FPS))] for p in vowels])
    length = np.log([max(p.duration, 0.02) for p in vowels])
    score = _standard(level) + _standard(length) + np.array([0.8 * p.stress for p in vowels]) + 0.4 * rng.standard_normal(len(vowels))
    chosen: list[Accent] = []
    for i in np.argsort(-score)[: max(1, len(vowels) // 3)]:
        time = vowels[i].start + 0.4 * vowels[i].duration
        if all(abs(time - a.time) > 0.35 for a in chosen):
            chosen.append(Accent(time, float(np.clip(0.5 + 0.25 * score[i], 0.1, 1))))
    return sorted(chosen, key=lambda a: a.time)


def _profile_over(plan: MusclePlan, frames: int) -> dict[str, np.ndarray]:
    """Each field of `AffectProfile` over time, (T,): the emotions' profiles mixed by their weights, eased over a second."""
    times = np.arange(frames) / FPS
    neutral = asdict(AffectProfile())
    fields = {name: np.full(frames, rest, np.float64) for name, rest in neutral.items()}
    for segment in plan.timeline():
        inside = (times >= segment.start) & (times < (np.inf if segment.end is None else segment.end))
        for name, track in fields.items():
            rest = neutral[name]
            shift = sum(w * (getattr(EMOTION_SPECS[e].affect, name) - rest) for e, w in segment.emotions.items())
            track[inside] = rest + segment.intensity * shift
    return {name: gaussian_filter1d(track, 0.4 * FPS, mode="nearest") for name, track in fields.items()}


def _alive(expression: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Vary an expression slowly by 6 %, the same on all of its channels, since no muscle holds perfectly still."""
    return expression * (1 + 0.06 * _wander(len(expression), 0.8, rng))[:, None]


def _wander(frames: int, seconds: float, rng: np.random.Generator) -> np.ndarray:
    """(T,) smooth noise with zero mean and about unit deviation that changes over `seconds`."""
    # Sampled longer than the clip, so that short clips are not flattened to their own mean.
    margin = int(4 * seconds * FPS)
    noise = gaussian_filter1d(rng.standard_normal(frames + 2 * margin), seconds * FPS / 2)[margin : margin + frames]
    noise /= np.sqrt(1 / (seconds * FPS * np.sqrt(np.pi)))  # deviation of white noise after a Gaussian of sigma seconds / 2
    return noise - noise.mean()


def _head(frames: int, accents: Sequence[Accent], profile: dict[str, np.ndarray], rng: np.random.Generator) -> np.ndarray:
    """(T, 6) sway, nods on accents, and the emotion's posture."""
    times, size = np.arange(frames) / FPS, profile["head"]
    nod = np.zeros(frames)
    for accent in accents:
        width = 0.16 / np.interp(accent.time, times, np.sqrt(profile["nods"]))
        # The head goes down with the accent and comes back beyond its rest.
        shape = np.exp(-(((times - accent.time - 0.05) / width) ** 2)) - 0.4 * np.exp(-(((times - accent.time - 0.4) / 0.25) ** 2))
        nod += rng.normal(0.035, 0.015) * accent.strength * shape * profile["nods"]
    pitch = 0.022 * _wander(frames, 1.6, rng) * size + nod - nod.mean()
    yaw = (0.030 * _wander(frames, 2.2, rng) + 0.008 * _wander(frames, 0.7, rng)) * size
    roll = (0.018 * _wander(frames, 2.0, rng) + 0.006 * _wander(frames, 0.7, rng)) * size
    moves = np.stack([pitch, yaw, roll,
                      0.05 * yaw + 0.010 * _wander(frames, 2.5, rng), -0.10 * pitch + 0.006 * _wander(frames, 2.5, rng),
                      0.012 * _wander(frames, 2.5, rng) * size], 1)  # fmt: skip
    moves -= moves.mean(0)
    posture = np.stack([profile["pitch"], 0 * pitch, profile["roll"], 0 * pitch, 0 * pitch, profile["forward"]], 1)
    return (moves + posture).astype(np.float32)


def _raise_brows(values: np.ndarray, accents: Sequence[Accent], profile: dict[str, np.ndarray], rng: np.random.Generator) -> None:
    """Raise the brows with some accents. In place."""
    times, lift = np.arange(len(values)) / FPS, np.zeros(len(values))
    for accent in accents:
        if rng.random() < 0.45:
            lift += rng.uniform(0.05, 0.22) * accent.strength * np.exp(-(((times - accent.time) / 0.2) ** 2))
    lift = np.clip(lift * profile["brows"], 0, 0.35)
    for name, share in (("browInnerUp", 0.8), ("browOuterUp", 1.0)):
        columns = _columns(name)
        values[:, columns] = 1 - (1 - values[:, columns]) * (1 - share * lift)[:, None]


def _look(values: np.ndarray, head: np.ndarray, profile: dict[str, np.ndarray], rng: np.random.Generator) -> None:
    """Add fixations, half of them on the viewer, and let the eyes hold their aim while the head moves. In place."""
    frames = len(values)
    aim = np.zeros((frames, 2))
    start = 0
    while start < frames:
        aim[start:] = 0 if rng.random() < 0.5 else rng.normal(0, (0.10, 0.06))
        start += max(3, int(FPS * rng.lognormal(np.log(1.1 / profile["gaze"][start]), 0.5)))
    aim -= aim.mean(0)
    aim = gaussian_filter1d(aim, 0.6, axis=0)  # a jump takes two frames
    steady = head - head.mean(0)
    left = aim[:, 0] - 0.8 * steady[:, 1] / _EYE_SPAN
    down = aim[:, 1] - 0.8 * steady[:, 0] / _EYE_SPAN + profile["gaze_down"]
    moves = {"eyeLookOutLeft": left, "eyeLookInRight": left, "eyeLookInLeft": -left, "eyeLookOutRight": -left,
             "eyeLookDownLeft": down, "eyeLookDownRight": down, "eyeLookUpLeft": -down, "eyeLookUpRight": -down}  # fmt: skip
    for name, move in moves.items():
        values[:, INDEX[name]] += np.maximum(move, 0)


def _blink(values: np.ndarray, phones: Sequence[Phone], profile: dict[str, np.ndarray], rng: np.random.Generator) -> None:
    """Add blinks as a Poisson process, three times as likely at a pause: 100 ms to close, 200 ms to open. In place."""
    frames = len(values)
    rate = np.full(frames, _BLINKS_A_MINUTE / 60 / FPS) * profile["blinks"]
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
        depth = rng.uniform(0.85, 1.0)
        closing, opening = np.clip(1 + after / 0.12, 0, 1), np.clip(1 - after / 0.22, 0, 1)
        close = np.maximum(close, depth * np.where(after < 0, closing**1.5, opening**2))
    for name in ("eyeBlinkLeft", "eyeBlinkRight"):
        values[:, INDEX[name]] = np.maximum(values[:, INDEX[name]], close)
    values[:, _columns("eyeWide")] *= (1 - close)[:, None]
    values[:, _columns("eyeSquint")] = np.maximum(values[:, _columns("eyeSquint")], 0.15 * close[:, None])


def _columns(name: str) -> list[int]:
    """Columns of a channel, or of its left and right half."""
    return [INDEX[channel] for channel in (name, f"{name}Left", f"{name}Right") if channel in INDEX]


def _standard(x: np.ndarray) -> np.ndarray:
    return (x - x.mean()) / (x.std() + 1e-6)
