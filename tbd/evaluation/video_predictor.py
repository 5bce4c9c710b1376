"""`VideoPredictor`: a video model, published or trained, as a predictor."""

import numpy as np
from typing_extensions import override

from tbd import MOTION_MODEL
from tbd.draw.guidance.base import Guidance
from tbd.evaluation.predictors import Outcome, Predictor
from tbd.evaluation.references.base import ReferenceClip
from tbd.face.motion import Motion


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
        if self.motion_model is None:
            motion = Motion.zeros(clip.frames())
        else:
            motion = Motion(np.concatenate([piece.values for piece in self.motion_model.generate(audio, plan, seed)]))
        renderer = VideoRenderer(self.model, plan, audio, seed, self.guidance, self.num_inference_steps, self.low_memory)
        new = self.model.window_frames - self.model.past_frames
        return Outcome(renderer.render(clip.face(size), motion), seams=tuple(range(new, len(motion), new)))
