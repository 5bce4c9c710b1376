"""Predictors: what `tbd predict` can run. Our models, and the baselines and bounds that every board needs."""

from abc import ABC, abstractmethod
from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar, Literal, NamedTuple

import numpy as np
from typing_extensions import override

from tbd import MOTION_MODEL
from tbd.draw.guidance.base import Guidance
from tbd.errors import InputError
from tbd.evaluation.references.base import ReferenceClip
from tbd.face.geometry import FaceGeometry
from tbd.face.motion import Motion
from tbd.face.render.renderer import MeshWarpRenderer, Renderer
from tbd.media.rates import SAMPLES_PER_FRAME
from tbd.think.plan import MusclePlan
from tbd.utils.options.literals import checks_literals


class Outcome(NamedTuple):
    """A predicted clip.

    Args:
        frames: (H, W, 3) uint8 RGB, one by one, at 25 a second.
        motion: The motion that moves them, where the predictor has one.
        seams: First frames of later windows, where it generates in windows.
    """

    frames: Iterator[np.ndarray]
    motion: Motion | None = None
    seams: tuple[int, ...] = ()


class FinishedVideo(NamedTuple):
    """A clip that another program has predicted and coded, which is kept as it is.

    Args:
        path: The video; it is moved.
        frames: Its number of frames.
        seconds: Wall time of the program.
        memory: Peak MB of its process tree.
        gpu_memory: Peak MB of the same on GPUs; 0 without one, or where it is not known.
        holder: Keeps the folder of `path` until the video was moved.
    """

    path: Path
    frames: int
    seconds: float
    memory: float
    gpu_memory: float = 0.0
    holder: Any = None


class PredictionError(InputError):
    """A clip that could not be predicted.

    Args:
        message: One sentence.
        log: What the program wrote, or its end; it is kept beside the predictions.
    """

    def __init__(self, message: str, log: str = "") -> None:
        super().__init__(message)
        self.log = log


class Predictor(ABC):
    """Predicts a clip from its portrait, its voice and its plan."""

    incidental: ClassVar[frozenset[str]] = frozenset()
    """Arguments on which no frame depends: a run may be taken up with others."""

    @abstractmethod
    def predict(self, clip: ReferenceClip, size: int, seed: int) -> Outcome | FinishedVideo:
        """Predict one clip.

        Args:
            clip: The inputs. All predictors but `GroundTruth` leave its video and motion alone.
            size: Pixels of the square frames.
            seed: Seed of this clip; the same seed gives the same frames on any device and in any order of clips.

        Returns:
            Frames and, where there is one, motion; or a video that is coded already.

        Raises:
            InputError: If this clip cannot be predicted; the others are.
        """

    def to(self, device: str) -> "Predictor":
        """Move to the device on which it should run, before the first clip."""
        return self

    def weights(self) -> dict[str, str]:
        """Return what was learnt, as name → sha256, so that a folder never mixes two trainings of one name."""
        return {}


class MotionPredictor(Predictor):
    """A predictor that generates a motion, which a renderer applies to the portrait.

    Args:
        renderer: Draws the frames; None for the mesh warp, with the portrait's own smile relaxed as the plan needs.
    """

    def __init__(self, renderer: Renderer | None = None) -> None:
        self.renderer = renderer

    @abstractmethod
    def generate_motion(self, clip: ReferenceClip, seed: int) -> tuple[Motion, tuple[int, ...]]:
        """Generate the motion of a clip.

        Args:
            clip: The inputs.
            seed: Seed of this clip.

        Returns:
            The motion, and the first frames of its later windows.
        """

    def plan_for(self, clip: ReferenceClip) -> MusclePlan:
        """Return the plan that conditions this predictor."""
        return clip.plan()

    @override
    def predict(self, clip: ReferenceClip, size: int, seed: int) -> Outcome:
        motion, seams = self.generate_motion(clip, seed)
        return Outcome(self._render(clip.face(size), motion, self.plan_for(clip)), motion, seams)

    def _render(self, face: FaceGeometry, motion: Motion, plan: MusclePlan) -> Iterator[np.ndarray]:
        from tbd.pipeline import warp_renderer

        renderer = self.renderer or warp_renderer(plan)
        return renderer.render(face, motion)


class ModelPredictor(MotionPredictor):
    """A motion model.

    Args:
        model: Packaged name, folder, or hub repository.
        guidance: Guidance instead of the model's own.
        plan: Whether the model is conditioned on the clip's plan, or on an empty one.
        num_inference_steps: Number of denoising steps instead of the model's own.
        renderer: See `MotionPredictor`.
    """

    @checks_literals
    def __init__(
        self,
        model: str = MOTION_MODEL,
        guidance: Guidance | None = None,
        plan: Literal["given", "none"] = "given",
        num_inference_steps: int | None = None,
        renderer: Renderer | None = None,
    ) -> None:
        from tbd.draw.motion.loading import load_motion_model

        super().__init__(renderer)
        self.model, self.name = load_motion_model(model), model
        self.guidance, self.plan, self.num_inference_steps = guidance, plan, num_inference_steps

    @override
    def to(self, device: str) -> "ModelPredictor":
        self.model.to(device)
        return self

    @override
    def weights(self) -> dict[str, str]:
        from tbd.draw.pretrained import checksum_of_weights

        return {self.name: checksum_of_weights(self.model)}

    @override
    def plan_for(self, clip: ReferenceClip) -> MusclePlan:
        return clip.plan() if self.plan == "given" else MusclePlan()

    @override
    def generate_motion(self, clip: ReferenceClip, seed: int) -> tuple[Motion, tuple[int, ...]]:
        pieces = [p.values for p in self.model.generate(clip.audio(), self.plan_for(clip), seed, self.guidance, self.num_inference_steps)]
        ends = np.cumsum([len(piece) for piece in pieces])
        return Motion(np.concatenate(pieces), {"source": "MotionDiffusion", "seed": seed}), tuple(int(end) for end in ends[:-1])


class LoudnessJaw(MotionPredictor):
    """Baseline: the jaw opens with the sound's energy and nothing else moves.

    Args:
        opening: Value of `jawOpen` at the clip's loud moments (the 95th percentile of the root mean square of a frame's sound).
    """

    def __init__(self, opening: float = 0.35) -> None:
        super().__init__()
        self.opening = opening

    @override
    def generate_motion(self, clip: ReferenceClip, seed: int) -> tuple[Motion, tuple[int, ...]]:
        from scipy.ndimage import gaussian_filter1d

        audio = clip.audio()
        frames = -(-len(audio) // SAMPLES_PER_FRAME)
        blocks = np.pad(audio, (0, frames * SAMPLES_PER_FRAME - len(audio))).reshape(frames, SAMPLES_PER_FRAME)
        loudness = gaussian_filter1d(np.sqrt(np.square(blocks.astype(np.float64)).mean(1)), 1.0)
        motion = Motion.zeros(frames, source="LoudnessJaw")
        motion["jawOpen"] = np.clip(self.opening * loudness / max(np.percentile(loudness, 95), 1e-6), 0, 1)
        return motion, ()


class StillPortrait(MotionPredictor):
    """Bound: nothing moves. The picture as it is, open lips included, for as long as the sound lasts."""

    def __init__(self) -> None:
        super().__init__(MeshWarpRenderer())

    @override
    def generate_motion(self, clip: ReferenceClip, seed: int) -> tuple[Motion, tuple[int, ...]]:
        return Motion.zeros(clip.frames(), source="StillPortrait"), ()


class GroundTruth(Predictor):
    """Bound: the true clip as a prediction of itself, coded as any prediction is. The ceiling of each metric."""

    @override
    def predict(self, clip: ReferenceClip, size: int, seed: int) -> Outcome:
        frames = clip.video(size)
        if frames is None:
            raise InputError(f"There are no true frames of {clip.id}; a protocol without them has no row of ground truth.")
        return Outcome(frames, clip.motion())
