"""Think-Before-Draw: a portrait, a voice and a sentence about a feeling become a talking face."""

__version__ = "0.1.0"

MOTION_MODEL = "motion_base"
"""The packaged motion model, which draws where no other is named."""
