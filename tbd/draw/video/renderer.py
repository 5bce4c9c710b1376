"""`VideoRenderer`: the latent video model as a renderer, so that it takes the mesh warp's place."""

import os
from collections.abc import Iterator

import numpy as np
import torch

from tbd.draw.export import load_model
from tbd.draw.guidance.base import Guidance
from tbd.draw.video.diffusion import VideoDiffusion
from tbd.errors import InputError
from tbd.face.geometry import FaceGeometry
from tbd.face.motion import Motion
from tbd.face.regions import movement_masks
from tbd.face.render.coarse import render_coarse
from tbd.face.render.renderer import Renderer
from tbd.think.facs import REGION_CHANNELS
from tbd.think.plan import MusclePlan


class VideoRenderer(Renderer):
    """Draws every frame anew: the motion says roughly where things are, the plan and the voice how they look.

    Args:
        model: what draws.
        plan: what is felt and which muscles move.
        audio: (N,) float32 samples at 16 kHz; the motion has ceil(N / 640) frames.
        seed: the same seed, the same video.
        guidance: instead of the model's own.
        num_inference_steps: instead of the model's own.
    """

    def __init__(
        self,
        model: VideoDiffusion,
        plan: MusclePlan,
        audio: np.ndarray,
        seed: int = 0,
        guidance: Guidance | None = None,
        num_inference_steps: int | None = None,
    ) -> None:
        self.model, self.plan, self.audio = model, plan, audio
        self.seed, self.guidance, self.num_inference_steps = seed, guidance, num_inference_steps

    def render(self, face: FaceGeometry, motion: Motion) -> Iterator[np.ndarray]:
        device, factor = self.model.device, self.model.autoencoder.factor
        height, width = (side // factor for side in face.image.shape[:2])
        masks = movement_masks(face, REGION_CHANNELS, height, width)
        frames = self.model.generate(
            face.image, render_coarse(face, motion), masks, self.audio, self.plan, self.seed, self.guidance, self.num_inference_steps
        )
        while True:
            # entered for each frame anew, since who asks for frames has an autocast of his own
            try:
                with torch.autocast(device.type, torch.bfloat16, enabled=device.type == "cuda"):
                    frame = next(frames, None)
            except torch.OutOfMemoryError as error:
                height, width = face.image.shape[:2]
                raise InputError(
                    f"The GPU's memory does not suffice for windows of {self.model.window_frames} frames at {height}×{width}; give --size "
                    f"{max(height // 2, 64)}."
                ) from error
            if frame is None:
                return
            yield frame


def load_video_model(checkpoint: str | os.PathLike) -> VideoDiffusion:
    """A trained video model, on the GPU where there is one; `checkpoint` as for `load_model`.

    Raises:
        InputError: there is no such model, or the GPU is too small for it.
    """
    model = load_model(checkpoint, VideoDiffusion)
    if not torch.cuda.is_available():
        return model
    try:
        model.to("cuda").denoiser.to(torch.bfloat16)  # its products are in bf16 anyway
        return model
    except torch.OutOfMemoryError as error:
        need = sum(p.numel() * p.element_size() for p in model.parameters()) / 2**30
        free = torch.cuda.mem_get_info()[0] / 2**30
        raise InputError(f"The video model takes {need:.1f} GiB and the GPU has {free:.1f} free; close what else runs there.") from error
