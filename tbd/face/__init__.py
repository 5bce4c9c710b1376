"""Portraits, meshes, pixels. No learning happens here."""

from tbd.face.channels import CHANNELS
from tbd.face.motion import Motion
from tbd.media.rates import FPS

__all__ = ["CHANNELS", "FPS", "Motion"]
