"""Portraits, meshes, pixels. No learning happens here."""

from tbd.face.motion import CHANNELS, FPS, Motion

__all__ = ["CHANNELS", "FPS", "Motion"]
