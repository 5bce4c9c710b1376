"""`VideoPredictor`: a video model, published or trained, as a predictor."""

import hashlib

import numpy as np
import torch
from typing_extensions import override

from tbd import MOTION_MODEL
from tbd.draw.guidance.base import Guidance
from tbd.evaluation.predictors import Outcome, Predictor
from tbd.evaluation.references.base import ReferenceClip
from tbd.face.channels import CHANNELS
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

        self.checkpoint, self.guidance = checkpoint, guidance
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
        digest = hashlib.sha256()
        for key, value in sorted(self.model.state_dict().items()):
            digest.update(key.encode() + value.detach().cpu().contiguous().view(torch.uint8).numpy().tobytes())
        return {self.checkpoint: digest.hexdigest()}

    @override
    def predict(self, clip: ReferenceClip, size: int, seed: int) -> Outcome:
        from tbd.draw.video.renderer import VideoRenderer

        plan, audio = clip.plan(), clip.audio()
        if self.motion_model is None:
            motion = Motion(np.zeros((clip.frames(), len(CHANNELS)), np.float32))
        else:
            motion = Motion(np.concatenate([piece.values for piece in self.motion_model.generate(audio, plan, seed)]))
        renderer = VideoRenderer(self.model, plan, audio, seed, self.guidance, self.num_inference_steps, self.low_memory)
        new = self.model.window_frames - self.model.past_frames
        return Outcome(renderer.render(clip.face(size), motion), seams=tuple(range(new, len(motion), new)))
