"""`synthesize_motion`: motion with known causes: lips from phones, expression from a plan, and the movements of any speaker."""

from collections.abc import Sequence
from dataclasses import asdict, replace

import numpy as np
from scipy.ndimage import gaussian_filter1d

from tbd.data.synthetic.spontaneous import (
    STILL,
    Accent,
    Liveliness,
    accented,
    blink,
    look,
    move_head,
    pass_over,
    raise_brows,
    wander,
)
from tbd.data.synthetic.visemes import AVERAGE, VOWELS, Articulation, Lips, base_symbols, close_jaw, loudness_of, speech_lips
from tbd.face.channels import BLENDSHAPES, INDEX
from tbd.face.motion import Motion
from tbd.media.rates import FPS, SAMPLES_PER_FRAME
from tbd.speech.phones import Phone
from tbd.think.emotion_spec import AffectProfile
from tbd.think.emotions import EMOTION_SPECS
from tbd.think.facs import perform
from tbd.think.plan import MusclePlan

# The share of an expression that is left while its owner speaks: the jaw belongs to the words, as does whatever seals the
# lips. In a pause all of it shows.
_YIELDING = {"jawOpen": 0.3, "mouthPress": 0.6, "mouthRollLower": 0.5, "mouthRollUpper": 0.5, "mouthPucker": 0.6, "mouthFunnel": 0.6,
             "tongueOut": 0.5, "mouthShrugLower": 0.7, "mouthClose": 0.3, "mouthLowerDown": 0.85, "cheekPuff": 0.7}  # fmt: skip
# What parts the lips, and how much of it waits while they touch.
_PARTING = {"mouthLowerDown": 1.0, "mouthUpperUp": 1.0, "mouthFunnel": 1.0, "tongueOut": 1.0, "mouthStretch": 0.6, "noseSneer": 0.5}


def synthesize_motion(
    phones: Sequence[Phone],
    audio: np.ndarray,
    plan: MusclePlan,
    rng: np.random.Generator,
    articulation: Articulation = AVERAGE,
    liveliness: Liveliness = STILL,
) -> Motion:
    """Animate a face that says `phones` with the expression of `plan`.

    Args:
        phones: From start to end of the audio.
        audio: (N,) float32 at 16 kHz, in which the phones are spoken.
        plan: The muscles and the emotion.
        rng: Source of randomness for blinks, gaze and head.
        articulation: The speaker's habits.
        liveliness: How much the speaker moves beside words and expression.

    Returns:
        ``ceil(N / 640)`` frames, blendshapes in 0..1.

    Example:
        >>> from tbd.speech.phones import SILENCE
        >>> phones = [Phone(0.0, 0.2, SILENCE), Phone(0.2, 0.6, "ɑ"), Phone(0.6, 0.8, SILENCE)]
        >>> len(synthesize_motion(phones, np.zeros(12800, np.float32), MusclePlan(), np.random.default_rng(0)))
        20
    """
    frames = -(-len(audio) // SAMPLES_PER_FRAME)
    profile = _profile_over(plan, frames)
    loudness = loudness_of(audio, frames)
    jaw = articulation.jaw * float(profile["jaw"].mean())
    lips = speech_lips(phones, loudness, Articulation(jaw, articulation.lips))
    lips = replace(lips, values=_tilted(lips.values, 1.5 * liveliness.tilt, _LOPSIDED))
    accents = find_accents(phones, loudness, rng)
    values = combine(lips, _alive(perform(plan, frames), accents, lips.speaking, liveliness, rng))
    head = move_head(frames, accents, lips.speaking, profile, liveliness, rng)
    values[:, len(BLENDSHAPES) :] += head
    raise_brows(values, accents, profile, rng)
    pass_over(values, accents, profile, liveliness, rng)
    look(values, head, profile, liveliness, rng)
    blink(values, phones, profile, liveliness, rng)
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


def _alive(
    expression: np.ndarray, accents: Sequence[Accent], speaking: np.ndarray, liveliness: Liveliness, rng: np.random.Generator
) -> np.ndarray:
    """Let an expression live: it swells with accents, eases in pauses, and one half of the face shows more of it than the other.

    Beside that it varies slowly by 6 %, since no muscle holds perfectly still.
    """
    level = 1 + 0.06 * wander(len(expression), 0.8, rng)
    if liveliness.swell > 0:
        stress = np.clip(accented(len(expression), accents, 0.35), 0, 1)
        pause = 1 - gaussian_filter1d(speaking, 0.25 * FPS, mode="nearest")
        level *= 1 + liveliness.swell * (stress - stress.mean() - 0.5 * pause + 0.8 * wander(len(expression), 1.6, rng))
    lived = expression * np.clip(level, 0.2, 1.6)[:, None]
    return _tilted(lived, liveliness.tilt, ("brow", "cheek", "mouth", "nose", "eyeSquint", "eyeWide"))


# What speech moves on both sides, but for what touches in p, b, m, f and v.
_LOPSIDED = ("mouthSmile", "mouthStretch", "mouthUpperUp", "mouthLowerDown", "mouthDimple")


def _tilted(values: np.ndarray, tilt: float, names: tuple[str, ...]) -> np.ndarray:
    """Let the left half of the channels that begin with these names move more, and the right half less."""
    if not tilt:
        return values
    values = values.copy()
    for channel, column in INDEX.items():
        if channel.startswith(names) and channel.endswith(("Left", "Right")):
            values[:, column] *= 1 + tilt * (1 if channel.endswith("Left") else -1)
    return values


def _columns(name: str) -> list[int]:
    """Columns of a channel, or of its left and right half."""
    return [INDEX[channel] for channel in (name, f"{name}Left", f"{name}Right") if channel in INDEX]


def _standard(x: np.ndarray) -> np.ndarray:
    return (x - x.mean()) / (x.std() + 1e-6)
