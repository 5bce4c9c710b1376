"""Portraits, meshes, pixels. No learning happens here."""

from tbd.face.motion import CHANNELS, Motion
from tbd.media.rates import FPS

__all__ = ["CHANNELS", "FPS", "Motion"]
