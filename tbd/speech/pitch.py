"""The pitch of a voice, and how periodic it is, a hundred times a second.

Boersma 1993, *Accurate short-term analysis of the fundamental frequency and the harmonics-to-noise ratio of a sampled sound*: the
autocorrelation of a windowed frame, divided by that of the window, and the cheapest path through its peaks. It needs no fundamental in
the sound, which a telephone cuts. Praat's own code is GPL and openSMILE's is not for commercial use, so neither can be a dependency;
that the two agree is measured in ``docs/voice.md``.
"""

from typing import NamedTuple

import numpy as np
from scipy import fft

from tbd.media.rates import SAMPLE_RATE

RATE = 100
"""Frames a second."""
HOP = SAMPLE_RATE // RATE
LOWEST, HIGHEST = 65.0, 650.0
"""Hertz: a deep male voice, and a scream."""
_WINDOW = 3 * int(SAMPLE_RATE / LOWEST)  # three periods of the lowest pitch
_SIZE = 1280  # of the transform: window and longest lag fit without wrapping
_CANDIDATES = 6
_VOICED = 0.45  # of Praat's settings
_OCTAVE = 0.01
_JUMP = 0.35
_SWITCH = 0.14
_SILENT = 0.03
_BLOCK = 2000  # frames at once, 20 s: no more memory for an hour than for a minute


class Pitch(NamedTuple):
    """A pitch track.

    Args:
        hertz: (T,) fundamental frequency; NaN where the voice is silent or unvoiced.
        periodicity: (T,) autocorrelation at the period, 0 noise .. 1 a perfect tone.
    """

    hertz: np.ndarray
    periodicity: np.ndarray


def frames_of(audio: np.ndarray, window: int) -> np.ndarray:
    """Cut a sound into overlapping frames, `RATE` a second, each centred on its time.

    Args:
        audio: (N,) samples at 16 kHz.
        window: W, samples of a frame.

    Returns:
        (⌈N / 160⌉, W), a view.
    """
    count = -(-len(audio) // HOP)
    padded = np.pad(audio, (window // 2, window + HOP))
    return np.lib.stride_tricks.sliding_window_view(padded, window)[HOP // 2 :: HOP][:count]


def track_pitch(audio: np.ndarray) -> Pitch:
    """Track the pitch of a voice.

    Args:
        audio: (N,) float samples at 16 kHz.

    Returns:
        ⌈N / 160⌉ frames.

    Example:
        >>> tone = np.sin(2 * np.pi * 200 * np.arange(16000) / 16000)
        >>> round(float(np.nanmedian(track_pitch(tone).hertz)))
        200
    """
    peak = float(np.abs(audio).max(initial=0))
    frames = frames_of(np.asarray(audio, np.float32), _WINDOW)
    if peak == 0 or not len(frames):
        return Pitch(np.full(len(frames), np.nan), np.zeros(len(frames)))
    blocks = [_candidates(frames[i : i + _BLOCK], peak) for i in range(0, len(frames), _BLOCK)]
    hertz, strength, unvoiced = (np.concatenate(parts) for parts in zip(*blocks))
    return _path(hertz, strength, unvoiced)


def _candidates(frames: np.ndarray, peak: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(B, C) frequencies and strengths of the autocorrelation's peaks, and (B,) how likely a frame is unvoiced."""
    taper = np.hanning(_WINDOW).astype(np.float32)
    centred = frames - frames.mean(1, keepdims=True)
    loudness = np.abs(centred).max(1) / peak
    correlation = _autocorrelation(centred * taper) / _autocorrelation(taper[None])
    low, high = int(SAMPLE_RATE / HIGHEST), int(SAMPLE_RATE / LOWEST) + 1
    before, here, after = correlation[:, low - 1 : high - 1], correlation[:, low:high], correlation[:, low + 1 : high + 1]
    is_peak = (here > before) & (here >= after) & (here > 0.5 * _VOICED)
    scores = np.where(is_peak, here + _OCTAVE * np.log2(HIGHEST / (SAMPLE_RATE / np.arange(low, high))) * -1, -np.inf)
    best = np.argpartition(-scores, _CANDIDATES, axis=1)[:, :_CANDIDATES]
    left, middle, right = (np.take_along_axis(part, best, 1) for part in (before, here, after))
    curve = 2 * middle - left - right
    shift = np.where(curve > 0, 0.5 * (right - left) / np.maximum(curve, 1e-9), 0)
    hertz = SAMPLE_RATE / (best + low + np.clip(shift, -0.5, 0.5))
    found = np.isfinite(np.take_along_axis(scores, best, 1))
    strength = np.where(found, np.minimum(middle + 0.25 * (right - left) * shift, 1.0), -np.inf)
    unvoiced = _VOICED + np.maximum(0, 2 - loudness / (_SILENT / (1 + _VOICED)))
    return hertz, strength, unvoiced


def _autocorrelation(frames: np.ndarray) -> np.ndarray:
    """(B, lags) autocorrelation, 1 at lag 0."""
    power = np.square(np.abs(fft.rfft(frames, _SIZE)))
    correlation = fft.irfft(power, _SIZE)[:, : _WINDOW // 2 + 2]
    return correlation / np.maximum(correlation[:, :1], 1e-12)


def _path(hertz: np.ndarray, strength: np.ndarray, unvoiced: np.ndarray) -> Pitch:
    """The path that pays least for jumps of pitch and changes of voicing (Viterbi); its last state is "unvoiced"."""
    count, width = len(hertz), hertz.shape[1] + 1
    octave = np.where(np.isfinite(strength), -_OCTAVE * np.log2(HIGHEST / hertz), -np.inf)
    local = np.concatenate([np.nan_to_num(strength + octave, neginf=-1e6), unvoiced[:, None]], 1)
    logs = np.log2(hertz)
    total, back = local[0], np.zeros((count, width), np.int8)
    cost = np.zeros((width, width))
    cost[-1, :-1] = cost[:-1, -1] = _SWITCH
    for t in range(1, count):
        cost[:-1, :-1] = _JUMP * np.abs(logs[t - 1][:, None] - logs[t][None])
        reached = total[:, None] - cost
        back[t] = reached.argmax(0)
        total = reached.max(0) + local[t]
    state = np.zeros(count, int)
    state[-1] = int(total.argmax())
    for t in range(count - 1, 0, -1):
        state[t - 1] = back[t, state[t]]
    voiced = state < width - 1
    index = np.minimum(state, width - 2)[:, None]
    chosen = np.take_along_axis(hertz, index, 1)[:, 0]
    periodicity = np.where(voiced, np.take_along_axis(strength, index, 1)[:, 0], np.maximum(strength.max(1), 0))
    return Pitch(np.where(voiced, chosen, np.nan), np.clip(np.nan_to_num(periodicity, neginf=0.0), 0, 1))
