"""`VideoPredictor`: a video model, published or trained, as a predictor."""

from typing import TYPE_CHECKING

import numpy as np
from typing_extensions import override

from tbd import MOTION_MODEL
from tbd.draw.guidance.base import Guidance
from tbd.evaluation.predictors import Outcome, Predictor
from tbd.evaluation.references.base import ReferenceClip
from tbd.face.motion import Motion
from tbd.think.plan import MusclePlan

if TYPE_CHECKING:
    from tbd.draw.motion.sampler import MotionSampler


class VideoPredictor(Predictor):
    """A video model.

    Args:
        checkpoint: ``hallo`` or ``emocast``, an exported folder, a run's checkpoint, or a hub repository.
        guidance: How the video model's branches are combined, instead of its own guidance.
        num_inference_steps: Denoising steps of the video model, instead of its own number.
        motion_model: What draws the motion of a video model that reads coarse frames.
        low_memory: Whether to draw more slowly, in less memory.
    """

    def __init__(
        self,
        checkpoint: str,
        guidance: Guidance | None = None,
        num_inference_steps: int | None = None,
        motion_model: str = MOTION_MODEL,
        low_memory: bool = False,
    ) -> None:
        from tbd.draw.motion.loading import load_motion_model
        from tbd.draw.video.loading import load_video_model

        self.checkpoint, self.motion_name, self.guidance = checkpoint, motion_model, guidance
        self.num_inference_steps, self.low_memory = num_inference_steps, low_memory
        self.model = load_video_model(checkpoint)
        self.motion_model = load_motion_model(motion_model) if self.model.denoiser.reads_hint else None

    @override
    def to(self, device: str) -> "VideoPredictor":
        self.model.to(device)
        if self.motion_model is not None:
            self.motion_model.to(device)
        return self

    @override
    def weights(self) -> dict[str, str]:
        from tbd.draw.pretrained import checksum_of_weights

        of_motion = {} if self.motion_model is None else {self.motion_name: checksum_of_weights(self.motion_model)}
        return {self.checkpoint: checksum_of_weights(self.model), **of_motion}

    @override
    def predict(self, clip: ReferenceClip, size: int, seed: int) -> Outcome:
        from tbd.draw.video.renderer import VideoRenderer

        plan, audio = clip.plan(), clip.audio()
        # as `TalkingHeadPipeline` draws them
        motion, neutral = Motion.zeros(clip.frames()), None
        if self.motion_model is not None:
            motion = _drawn(self.motion_model, audio, plan, seed)
            neutral = _drawn(self.motion_model, audio, MusclePlan(), seed) if self.model.hints.needs_neutral else None
        renderer = VideoRenderer(self.model, plan, audio, seed, self.guidance, self.num_inference_steps, self.low_memory, neutral)
        return Outcome(renderer.render(clip.face(size), motion))  # without a motion file there is no place for the windows' seams


def _drawn(model: "MotionSampler", audio: np.ndarray, plan: MusclePlan, seed: int) -> Motion:
    return Motion(np.concatenate([piece.values for piece in model.generate(audio, plan, seed)]))
