"""`speech_lips`: lips and jaw from phones, by targets per sound that are blended by dominance.

The method is Cohen and Massaro's (1993, *Modeling coarticulation in synthetic visual speech*).

Each sound pulls every articulator towards a target, with a strength that falls off before and after it; where sounds
overlap, the stronger one wins in proportion. Three facts are not left to the blend, since the eye forgives no error there:
lips touch for p, b and m; the lower lip meets the teeth for f and v; a mouth at rest is closed.

The jaw's targets are in the units in which MediaPipe's landmarker reports jawOpen in conversational speech (median 0.1,
90th percentile 0.25, 99th 0.5, on the development clips); the order of the vowels follows measured jaw heights (Keating,
Lindblom, Lubker and Kreiman 1994).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.ndimage import gaussian_filter1d, grey_closing

from tbd.face.channels import INDEX
from tbd.media.rates import FPS, SAMPLES_PER_FRAME
from tbd.speech.phones import BREATH, SILENCE, Phone

RATE = 100
"""Samples a second at which articulators are blended before frames are taken."""

ARTICULATORS = ("jaw", "pucker", "funnel", "spread", "upper", "lower", "shrug", "tongue")
"""What a viseme sets, in this order."""

# jaw  pucker funnel spread upper lower shrug tongue | strength of the jaw, the rounding, the lips' height
_VISEMES: dict[str, tuple[float, ...]] = {
    "silence":      (0.015, 0.00, 0.00, 0.00, 0.00, 0.00, 0.00, 0.00, 2.0, 0.6, 2.0),
    "breath":       (0.09, 0.00, 0.00, 0.04, 0.03, 0.05, 0.00, 0.00, 2.0, 0.4, 1.5),
    "bilabial":     (0.03, 0.04, 0.00, 0.00, 0.00, 0.00, 0.08, 0.00, 5.0, 0.3, 4.0),
    "labiodental":  (0.06, 0.00, 0.04, 0.04, 0.14, 0.00, 0.10, 0.00, 4.0, 0.6, 4.0),
    "dental":       (0.12, 0.00, 0.00, 0.08, 0.07, 0.10, 0.00, 0.18, 2.0, 0.4, 1.5),
    "alveolar":     (0.09, 0.00, 0.00, 0.06, 0.05, 0.09, 0.00, 0.00, 1.4, 0.2, 0.8),
    "lateral":      (0.14, 0.00, 0.00, 0.04, 0.04, 0.10, 0.00, 0.10, 1.2, 0.2, 0.8),
    "sibilant":     (0.06, 0.00, 0.04, 0.16, 0.09, 0.14, 0.00, 0.00, 3.5, 0.9, 2.0),
    "postalveolar": (0.07, 0.20, 0.48, 0.00, 0.12, 0.12, 0.05, 0.00, 3.0, 3.0, 2.0),
    "alveolopalatal": (0.06, 0.02, 0.12, 0.14, 0.09, 0.13, 0.00, 0.00, 3.2, 1.2, 2.0),
    "velar":        (0.13, 0.00, 0.00, 0.02, 0.03, 0.05, 0.00, 0.00, 0.6, 0.1, 0.4),
    "palatal":      (0.11, 0.00, 0.00, 0.18, 0.05, 0.08, 0.00, 0.00, 1.2, 0.8, 0.8),
    "rhotic":       (0.11, 0.20, 0.26, 0.00, 0.05, 0.07, 0.00, 0.00, 1.4, 1.6, 1.0),
    "uvular":       (0.15, 0.00, 0.02, 0.00, 0.03, 0.06, 0.00, 0.00, 0.8, 0.2, 0.5),
    "glottal":      (0.18, 0.00, 0.00, 0.00, 0.03, 0.05, 0.00, 0.00, 0.3, 0.1, 0.2),
    "labiovelar":   (0.07, 0.60, 0.25, 0.00, 0.00, 0.02, 0.04, 0.00, 3.0, 5.0, 2.0),
    "open":         (0.46, 0.00, 0.05, 0.02, 0.07, 0.15, 0.00, 0.00, 2.6, 0.8, 1.6),
    "near_open":    (0.48, 0.00, 0.02, 0.14, 0.12, 0.20, 0.00, 0.00, 3.6, 0.9, 1.6),
    "open_mid":     (0.27, 0.00, 0.02, 0.05, 0.06, 0.13, 0.00, 0.00, 2.0, 0.6, 1.3),
    "front_mid":    (0.27, 0.00, 0.00, 0.12, 0.08, 0.15, 0.00, 0.00, 2.2, 0.8, 1.4),
    "front_close_mid": (0.20, 0.00, 0.00, 0.18, 0.07, 0.12, 0.00, 0.00, 2.0, 0.9, 1.3),
    "near_close":   (0.16, 0.00, 0.00, 0.14, 0.06, 0.11, 0.00, 0.00, 1.6, 0.8, 1.1),
    "close":        (0.12, 0.00, 0.00, 0.30, 0.07, 0.11, 0.00, 0.00, 2.0, 1.2, 1.3),
    "central":      (0.16, 0.00, 0.02, 0.03, 0.04, 0.07, 0.00, 0.00, 0.8, 0.3, 0.6),
    "rhotic_vowel": (0.17, 0.16, 0.22, 0.00, 0.05, 0.09, 0.00, 0.00, 1.6, 1.4, 1.1),
    "open_round":   (0.31, 0.14, 0.34, 0.00, 0.04, 0.10, 0.00, 0.00, 2.0, 2.4, 1.4),
    "mid_round":    (0.22, 0.32, 0.38, 0.00, 0.02, 0.06, 0.00, 0.00, 2.2, 3.4, 1.4),
    "near_round":   (0.15, 0.30, 0.26, 0.00, 0.02, 0.05, 0.00, 0.00, 1.6, 2.2, 1.1),
    "close_round":  (0.11, 0.56, 0.30, 0.00, 0.01, 0.03, 0.02, 0.00, 2.0, 4.0, 1.4),
    "front_round":  (0.13, 0.45, 0.28, 0.00, 0.02, 0.04, 0.00, 0.00, 2.0, 3.6, 1.4),
}  # fmt: skip

_SOUNDS = {
    "breath": BREATH,
    "bilabial": "pbmɸβʙ", "labiodental": "fvʋɱ", "dental": "θð", "alveolar": "tdnɾʈɖɳ", "lateral": "lɫɭʎɬɮ", "sibilant": "sz",
    "postalveolar": "ʃʒʂʐ", "alveolopalatal": "ɕʑ", "velar": "kɡgŋxɣ", "palatal": "jɲçcɟʝ", "rhotic": "ɹrɻɽ", "uvular": "ʁʀqχ",
    "glottal": "hɦʔ", "labiovelar": "wʍɥ", "open": "aɑ", "near_open": "æ", "open_mid": "ʌɐɜ", "front_mid": "ɛ",
    "front_close_mid": "eɤ", "near_close": "ɪɨɯᵻ", "close": "i", "central": "əɘ", "rhotic_vowel": "ɝɚ", "open_round": "ɔɒ",
    "mid_round": "oɵ", "near_round": "ʊʉ", "close_round": "u", "front_round": "yøœʏ",
}  # fmt: skip
_VISEME_OF = {symbol: viseme for viseme, symbols in _SOUNDS.items() for symbol in symbols}
VOWELS = frozenset("aɑæʌɐɜɛeɤɪɨɯᵻiəɘɝɚɔɒoɵʊʉuyøœʏ")
"""Base symbols of vowels."""
BILABIALS = frozenset(_SOUNDS["bilabial"])
"""Base symbols of the sounds for which the lips touch."""
LABIODENTALS = frozenset(_SOUNDS["labiodental"])
"""Base symbols of the sounds for which the lower lip meets the upper teeth."""

# Seconds over which the strength falls by e, before and after a sound. Rounding spreads ahead by 150-200 ms and more than it
# lingers (Perkell and Matthies 1992); the jaw is slower than the lips.
_REACH = {"jaw": (0.065, 0.070), "round": (0.110, 0.070), "height": (0.045, 0.050)}
_GROUP_OF = ("jaw", "round", "round", "round", "height", "height", "height", "height")
_ANTICIPATION, _RELEASE = 0.10, 0.14
"""Seconds that a mouth opens before the sound, and takes to rest after it (80-120 ms is seen in tracked speakers)."""


@dataclass(frozen=True)
class Articulation:
    """How a speaker articulates, which sound does not show.

    Args:
        jaw: Scale of the jaw's opening; 1 is average.
        lips: Scale of the lips' rounding and spreading; 1 is average.
    """

    jaw: float = 1.0
    lips: float = 1.0


AVERAGE = Articulation()


@dataclass(frozen=True)
class Lips:
    """Motion of a mouth that speaks.

    Args:
        values: (T, 58) float32 motion, zero but for jaw, lips and tongue, in 0..1.
        closed: (T,) how far the lips are in contact for p, b and m: 1 touching, 0 free.
        bitten: (T,) how far the lower lip meets the teeth for f and v.
        speaking: (T,) how far the mouth is articulating: 0 in a pause, 1 within speech.
    """

    values: np.ndarray
    closed: np.ndarray
    bitten: np.ndarray
    speaking: np.ndarray


@dataclass(frozen=True)
class _Unit:
    """A stretch of a phone with one viseme: diphthongs have two, most phones one."""

    start: float
    end: float
    symbol: str

    @property
    def row(self) -> tuple[float, ...]:
        return _VISEMES["silence" if self.symbol == SILENCE else _VISEME_OF.get(self.symbol, "central")]


def base_symbols(symbol: str) -> str:
    """Reduce an IPA symbol to the letters that have a viseme.

    Args:
        symbol: Of a phone, such as ``tʃʰ``.

    Returns:
        The letters, without length, tone, stress and aspiration.

    Example:
        >>> base_symbols("aɪ"), base_symbols("tʃʰ"), base_symbols("iː5")
        ('aɪ', 'tʃ', 'i')
    """
    return "".join(c for c in symbol if c in _VISEME_OF)


def bilabial_times(phones: Sequence[Phone]) -> np.ndarray:
    """Find the sounds for which the lips touch.

    Args:
        phones: In order.

    Returns:
        (K, 2) start and end in seconds.

    Example:
        >>> bilabial_times([Phone(0.0, 0.1, "m"), Phone(0.1, 0.3, "aɪ"), Phone(0.3, 0.4, "p")])
        array([[0. , 0.1], [0.3, 0.4]])
    """
    return np.array([(p.start, p.end) for p in phones if BILABIALS & set(base_symbols(p.symbol))], float).reshape(-1, 2)


def speech_lips(phones: Sequence[Phone], loudness: np.ndarray, articulation: Articulation = AVERAGE) -> Lips:
    """Move the mouth to say `phones`.

    Args:
        phones: In order, without gaps.
        loudness: (T,) of the sound per frame, decibels relative to its loud moments (see `loudness_of`); it sets T, and louder
            syllables open the jaw further.
        articulation: The speaker's habits.

    Returns:
        T frames of lips, jaw and tongue.

    Example:
        >>> mouth = speech_lips([Phone(0.0, 0.2, ""), Phone(0.2, 0.3, "m"), Phone(0.3, 0.5, "ɑ"), Phone(0.5, 0.8, "")], np.zeros(20))
        >>> bool(mouth.values[6, INDEX["jawOpen"]] < 0.05 < mouth.values[10, INDEX["jawOpen"]])
        True
    """
    frames = len(loudness)
    units = [u for phone in phones for u in _units(phone)]
    times = np.arange(int(frames * RATE / FPS)) / RATE
    tracks = dict(zip(ARTICULATORS, _blend(units, times).T))
    effort = np.interp(times, np.arange(frames) / FPS, _effort(loudness))
    jaw = _JAW_REST + (tracks["jaw"] - _JAW_REST) * effort * _undershoot(units, times) * articulation.jaw
    tracks["jaw"] = 0.3 * (np.maximum(jaw, 0) / 0.3) ** _CONTRAST
    for name in ("pucker", "funnel", "spread", "upper", "lower"):
        tracks[name] = tracks[name] * articulation.lips * (0.5 + 0.5 * effort)
    tracks = {k: gaussian_filter1d(v, 0.022 * RATE)[:: RATE // FPS][:frames] for k, v in tracks.items()}
    closed, bitten = _contact(units, BILABIALS, frames), _contact(units, LABIODENTALS, frames)
    return Lips(_to_channels(tracks, closed, bitten), closed, bitten, _speaking(units, frames))


_JAW_REST = _VISEMES["silence"][0]
_CONTRAST = 1.25  # blending evens out; tracked jaws have more small and more large openings than a mean of targets


def loudness_of(audio: np.ndarray, frames: int) -> np.ndarray:
    """Measure loudness, smoothed over a syllable.

    Args:
        audio: (N,) float32 at 16 kHz.
        frames: How many to measure, at 25 a second; silence follows the audio's end.

    Returns:
        (frames,) decibels under the sound's loud moments (95th percentile), -60..6.
    """
    padded = np.zeros(frames * SAMPLES_PER_FRAME, np.float32)
    padded[: min(len(audio), len(padded))] = audio[: len(padded)]
    power = gaussian_filter1d(np.square(padded.reshape(frames, SAMPLES_PER_FRAME)).mean(1), 1.2)
    level = 10 * np.log10(power + 1e-10)
    return np.clip(level - np.percentile(level, 95), -60, 6)


def _units(phone: Phone) -> Iterator[_Unit]:
    letters = base_symbols(phone.symbol)
    if phone.symbol == SILENCE or not letters:
        yield _Unit(phone.start, phone.end, SILENCE if phone.symbol == SILENCE else "ə")
        return
    # The nucleus of a diphthong lasts longer than its glide; the stop of an affricate is shorter than its friction.
    weights = np.array([1.0 if c in VOWELS else 0.6 for c in letters]) * np.linspace(1.2, 0.8, len(letters))
    edges = phone.start + phone.duration * np.concatenate([[0], np.cumsum(weights) / weights.sum()])
    for letter, start, end in zip(letters, edges, edges[1:]):
        yield _Unit(start, end, letter)


def _blend(units: Sequence[_Unit], times: np.ndarray) -> np.ndarray:
    """(N, 8) articulators at `times`: the mean of the units' targets, weighted by their dominance then."""
    rows = np.array([u.row for u in units])  # (U, 11)
    start, end = np.array([u.start for u in units]), np.array([u.end for u in units])
    silent = np.array([u.symbol == SILENCE for u in units])
    # A pause holds its target but for its edges, where the mouth still closes or opens already; other sounds hold theirs
    # in the middle half. A pause shorter than both edges holds it nowhere, and pulls less.
    core = np.where(silent, np.minimum(_RELEASE, (end - start) * 0.6), (end - start) * 0.25)
    start, end = start + core, end - np.where(silent, np.minimum(_ANTICIPATION, (end - start) * 0.4), core)
    strength = rows[:, 8:] * np.where(silent, np.clip((end - start + 0.1) / 0.25, 0.15, 1.5), 1)[:, None]
    before, after = np.maximum(start[:, None] - times, 0), np.maximum(times - end[:, None], 0)  # (U, N)
    output = np.empty((len(times), len(ARTICULATORS)))
    for g, (group, (ahead, behind)) in enumerate(_REACH.items()):
        columns = [i for i, name in enumerate(_GROUP_OF) if name == group]
        dominance = strength[:, g, None] * np.exp(-before / ahead - after / behind) + 1e-9  # (U, N)
        output[:, columns] = (dominance.T @ rows[:, columns]) / dominance.sum(0)[:, None]
    return output


def _effort(loudness: np.ndarray) -> np.ndarray:
    """(T,) factor on articulation, 0.5..1.15: the jaw opens further for louder syllables (Schulman 1989).

    A fall of 20 dB takes away a quarter: on the development clips, aligned by a recognizer, tracked jaws followed the
    vowels, and more of the loudness made them worse.
    """
    return np.clip(1 + (loudness + 4) / 80, 0.5, 1.15)


def _undershoot(units: Sequence[_Unit], times: np.ndarray) -> np.ndarray:
    """(N,) factor, 0.75..1.15: fast speech moves less (Lindblom 1963). 13 sounds a second are usual."""
    spoken = [u for u in units if u.symbol not in (SILENCE, BREATH)]
    if not spoken:
        return np.ones(len(times))
    middles = np.array([(u.start + u.end) / 2 for u in spoken])
    spans = gaussian_filter1d(np.array([u.end - u.start for u in spoken]), 3, mode="nearest")
    return np.interp(times, middles, np.clip((spans * 13) ** 0.5, 0.75, 1.15))


def _contact(units: Sequence[_Unit], sounds: frozenset[str], frames: int) -> np.ndarray:
    """(frames,) how far the lips are in contact for `sounds`: 1 throughout each, rising over 60 ms before, falling after.

    A sound shorter than a frame still gets the frame nearest to its middle, or 25 frames a second would miss it.
    """
    times, contact = np.arange(frames) / FPS, np.zeros(frames)
    for unit in units:
        if unit.symbol in sounds:
            # The lips have parted by the end of the sound, at the burst of a stop.
            end = max(unit.start, unit.end - 0.25 * (unit.end - unit.start))
            distance = np.maximum(unit.start - times, 0) + np.maximum(times - end, 0)
            contact = np.maximum(contact, 0.5 + 0.5 * np.cos(np.pi * np.clip(distance / 0.07, 0, 1)))
            contact[min(frames - 1, round((unit.start + end) / 2 * FPS))] = 1
    return contact


_SHORT_PAUSE = 0.6  # seconds


def _speaking(units: Sequence[_Unit], frames: int) -> np.ndarray:
    """(frames,) 1 within speech, 0 in pauses, with flanks of the time that a mouth takes to open and to rest.

    A mouth stays at work through short pauses: the jaw of a frightened speaker does not drop between two words.
    """
    times, speaking = np.arange(frames) / FPS, np.zeros(frames)
    for unit in units:
        if unit.symbol not in (SILENCE, BREATH):
            before, after = np.maximum(unit.start - times, 0) / (2 * _ANTICIPATION), np.maximum(times - unit.end, 0) / (2 * _RELEASE)
            speaking = np.maximum(speaking, 0.5 + 0.5 * np.cos(np.pi * np.clip(before + after, 0, 1)))
    return grey_closing(speaking, round(_SHORT_PAUSE * FPS))


def close_jaw(jaw: np.ndarray, closed: np.ndarray, bitten: np.ndarray) -> np.ndarray:
    """Lower jawOpen where lips touch: such lips look like a shut jaw to a tracker, though the teeth stay apart.

    Args:
        jaw: (T,) jawOpen.
        closed: (T,) how far the lips touch, see `Lips`.
        bitten: (T,) how far the lower lip meets the teeth, see `Lips`.

    Returns:
        (T,) jawOpen.
    """
    jaw = jaw * (1 - closed) + np.minimum(jaw, 0.015 + 0.12 * jaw) * closed
    return jaw * (1 - bitten) + np.minimum(jaw, 0.08) * bitten


def _to_channels(tracks: dict[str, np.ndarray], closed: np.ndarray, bitten: np.ndarray) -> np.ndarray:
    """(T, 58) ARKit channels of articulator tracks, each (T,)."""
    part, jaw = 1 - closed, close_jaw(tracks["jaw"], closed, bitten)
    lower = tracks["lower"] * part * (1 - bitten)
    channels = {
        "jawOpen": jaw,
        "mouthClose": jaw * closed,
        "mouthPucker": tracks["pucker"],
        "mouthFunnel": tracks["funnel"] * part,
        "mouthPress": 0.30 * closed,
        "mouthRollLower": 0.14 * closed + 0.38 * bitten,
        "mouthRollUpper": 0.12 * closed,
        "mouthUpperUp": tracks["upper"] * part,
        "mouthLowerDown": lower,
        "mouthStretch": 0.6 * tracks["spread"] * part,
        "mouthSmile": 0.35 * tracks["spread"],
        "mouthDimple": 0.25 * tracks["spread"] * part,
        "mouthShrugUpper": tracks["shrug"],
        "tongueOut": 0.5 * tracks["tongue"] * part,
    }
    motion = np.zeros((len(closed), len(INDEX)), np.float32)
    for name, values in channels.items():
        for channel in (name, f"{name}Left", f"{name}Right"):
            if channel in INDEX:
                motion[:, INDEX[channel]] = values
    return np.clip(motion, 0, 1)
