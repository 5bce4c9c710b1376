"""`VideoRenderer`: the latent video model as a renderer, so that it takes the mesh warp's place."""

from collections.abc import Iterator

import numpy as np
import torch

from tbd import DEFAULT_SEED
from tbd.draw.guidance.base import Guidance
from tbd.draw.video.diffusion import VideoDiffusion
from tbd.errors import InputError
from tbd.face.geometry import FaceGeometry
from tbd.face.motion import Motion
from tbd.face.regions import movement_masks
from tbd.face.render.coarse import lips_and_head, render_coarse
from tbd.face.render.renderer import Renderer
from tbd.think.facs import REGION_CHANNELS
from tbd.think.plan import MusclePlan


class VideoRenderer(Renderer):
    """Draws every frame anew: the motion gives the coarse geometry, plan and audio the appearance.

    Args:
        model: The video model.
        plan: The muscle plan, its times in seconds from the start.
        audio: (N,) float32 samples at 16 kHz; the motion has ceil(N / 640) frames.
        seed: The same seed gives the same video.
        guidance: How the branches are combined; None for the model's own.
        num_inference_steps: Denoising steps; None for the model's own number.
        low_memory: Whether to run the branches of a step one after the other, and to decode frame by frame: slower, in less memory.
        neutral_motion: The motion that a neutral plan makes of the same audio, for a model whose branches without a plan are given its
            coarse frames; None takes the motion's own lips and head for it.
    """

    def __init__(
        self,
        model: VideoDiffusion,
        plan: MusclePlan,
        audio: np.ndarray,
        seed: int = DEFAULT_SEED,
        guidance: Guidance | None = None,
        num_inference_steps: int | None = None,
        low_memory: bool = False,
        neutral_motion: Motion | None = None,
    ) -> None:
        self.neutral_motion = neutral_motion
        self.low_memory = low_memory
        if low_memory:
            model.autoencoder.chunk = 1
        self.model, self.plan, self.audio = model, plan, audio
        self.seed, self.guidance, self.num_inference_steps = seed, guidance, num_inference_steps

    def render(self, face: FaceGeometry, motion: Motion) -> Iterator[np.ndarray]:
        """Draw the frames of a motion; see `Renderer.render`.

        Args:
            face: The portrait and its mesh.
            motion: The motion.

        Yields:
            (H, W, 3) uint8 RGB frames.

        Raises:
            InputError: If the GPU's memory does not suffice.
        """
        device, factor = self.model.device, self.model.autoencoder.factor
        height, width = (side // factor for side in face.image.shape[:2])
        masks = movement_masks(face, REGION_CHANNELS, height, width)
        features = self.model.denoiser.read_portrait(face)
        coarse, neutral = self._coarse(face, motion)
        given = (face.image, coarse, masks, self.audio, self.plan, self.seed, self.guidance, self.num_inference_steps)
        frames = self.model.generate(*given, sequential=self.low_memory, neutral_coarse=neutral, portrait_features=features)
        while True:
            # entered for each frame anew, since the caller may have an autocast of its own between frames
            try:
                with torch.autocast(device.type, torch.bfloat16, enabled=device.type == "cuda"):
                    frame = next(frames, None)
            except torch.OutOfMemoryError as error:
                height, width = face.image.shape[:2]
                way = f"--size {max(height // 2, 64)}" if self.low_memory else "--low-memory"
                raise InputError(
                    f"The GPU's memory does not suffice for windows of {self.model.window_frames} frames at {height}×{width}; give {way}."
                ) from error
            if frame is None:
                return
            yield frame

    def _coarse(self, face: FaceGeometry, motion: Motion) -> tuple[Iterator[np.ndarray], Iterator[np.ndarray] | None]:
        """The coarse frames with a plan and, where they differ, without."""
        hints = self.model.hints
        neutral = lips_and_head(motion)
        if self.neutral_motion is not None:
            neutral = Motion(self.neutral_motion.values.copy())
            neutral.head[:] = motion.head  # the head's own, and as much of it as was asked for
        coarse = render_coarse(face, motion if hints.with_plan == "all" else lips_and_head(neutral))
        if not hints.own_without_plan:
            return coarse, None
        return coarse, render_coarse(face, neutral if hints.without_plan == "all" else lips_and_head(neutral))
