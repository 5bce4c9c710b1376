"""Think-Before-Draw: a portrait, a voice and a sentence about a feeling become a talking face.

`TalkingHeadPipeline`, `MusclePlan`, `Motion`, `MotionDiffusion` and `VideoDiffusion` can be imported from here. Their modules are
imported when they are asked for, so that `import tbd` stays cheap.
"""

from typing import TYPE_CHECKING

from tbd.utils.lazy_names import lazy_names

if TYPE_CHECKING:
    from tbd.draw.motion.diffusion import MotionDiffusion
    from tbd.draw.video.diffusion import VideoDiffusion
    from tbd.face.motion import Motion
    from tbd.pipeline import TalkingHeadPipeline
    from tbd.think.plan import MusclePlan

__all__ = ["Motion", "MotionDiffusion", "MusclePlan", "TalkingHeadPipeline", "VideoDiffusion"]
__version__ = "0.1.0"

MOTION_MODEL = "motion_base"
"""The packaged motion model, which draws if no other is named."""
DEFAULT_SEED = 1
"""Of the noise from which `TalkingHeadPipeline` and ``tbd generate`` draw where no seed is given. Every seed is a manner of moving
beside the words, as different as people's are; with this one the packaged model moves head, brows and cheeks, and blinks, about as its
median over seeds."""

__getattr__, __dir__ = lazy_names(
    __name__,
    {
        "Motion": "tbd.face.motion",
        "MotionDiffusion": "tbd.draw.motion.diffusion",
        "MusclePlan": "tbd.think.plan",
        "TalkingHeadPipeline": "tbd.pipeline",
        "VideoDiffusion": "tbd.draw.video.diffusion",
    },
)
