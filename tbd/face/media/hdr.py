"""High dynamic range (PQ and HLG) → sRGB: phones record faces in it, and read as plain video they look grey and dull."""

from functools import lru_cache
from typing import Any

import numpy as np

_PQ, _HLG = 16, 18
"""Transfer characteristics (ITU-T H.273, table 3)."""
_WHITE = 203.0
"""Nits of white paper (ITU-R BT.2408)."""
_PEAK = 1000.0
"""Nits of the screen that HLG is meant for (ITU-R BT.2100, table 5)."""
_KNEE = 0.6
"""The part of white from which highlights are compressed."""
_TO_709 = np.float32([[1.6605, -0.5876, -0.0728], [-0.1246, 1.1329, -0.0083], [-0.0182, -0.1006, 1.1187]])
"""Linear BT.2020 → BT.709 (ITU-R BT.2087)."""
_LUMA = np.float32([0.2627, 0.6780, 0.0593])
"""Of BT.2020."""
_STEPS = 4096
"""Of the table for sRGB's curve, a sixteenth of a level each."""


def is_hdr(frame: Any) -> bool:
    """Whether a PyAV frame is in PQ or HLG."""
    return frame.color_trc in (_PQ, _HLG)


def tone_mapped(frame: Any) -> np.ndarray:
    """Show a frame of high dynamic range on an ordinary screen.

    Light up to six tenths of white paper (203 nits) stays as it is; brighter light is compressed, its hue kept. The colours of
    BT.2020 become those of sRGB; what lies outside them is clipped.

    Args:
        frame: A PyAV frame in PQ or HLG.

    Returns:
        (H, W, 3) uint8 sRGB.
    """
    import cv2

    coded = frame.to_ndarray(format="rgb48le")
    light = _light(frame.color_trc)[coded]  # (H, W, 3), white = 1
    if frame.color_trc == _HLG:
        light *= ((light @ _LUMA) ** 0.2 * (_PEAK / _WHITE))[..., None]
    linear = np.maximum(cv2.transform(light, _TO_709), 0)
    brightest = np.maximum(linear.max(2, keepdims=True), 1e-6)
    over = np.maximum(brightest - _KNEE, 0) / (1 - _KNEE)
    linear *= (np.minimum(brightest, _KNEE) + (1 - _KNEE) * over / (1 + over)) / brightest
    return _srgb()[(np.sqrt(linear) * (_STEPS - 1) + 0.5).astype(np.uint16)]


@lru_cache
def _light(transfer: int) -> np.ndarray:
    """(65536,) float32: light of each code of 16 bits; of PQ where white is 1, of HLG the scene's in 0..1."""
    code = np.linspace(0, 1, 1 << 16)
    if transfer == _PQ:
        m1, m2, c1, c2, c3 = 2610 / 16384, 2523 / 32, 3424 / 4096, 2413 / 128, 2392 / 128  # SMPTE ST 2084
        power = code ** (1 / m2)
        return (10_000 / _WHITE * (np.maximum(power - c1, 0) / (c2 - c3 * power)) ** (1 / m1)).astype(np.float32)
    a, b, c = 0.17883277, 0.28466892, 0.55991073  # ARIB STD-B67
    return np.where(code <= 0.5, code**2 / 3, (np.exp((code - c) / a) + b) / 12).astype(np.float32)


@lru_cache
def _srgb() -> np.ndarray:
    """(`_STEPS`,) uint8: sRGB's level of the square of each step, since a table of light itself is too coarse in the dark."""
    light = np.linspace(0, 1, _STEPS) ** 2
    return np.rint(255 * np.where(light <= 0.0031308, 12.92 * light, 1.055 * light ** (1 / 2.4) - 0.055)).astype(np.uint8)
