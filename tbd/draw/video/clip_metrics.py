"""Test clips, drawn by a video model and compared with the true frames as `tbd evaluate` does."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import numpy as np
import torch
from lightning.pytorch.utilities import rank_zero_info, rank_zero_warn
from torch import Tensor

from tbd.draw.randomness import clip_seed
from tbd.draw.sample_means import Tally
from tbd.draw.video.hints import HintConfig
from tbd.errors import InputError
from tbd.think.plan import MusclePlan

if TYPE_CHECKING:
    from tbd.metrics.faces.identity import IdentitySimilarity


class RecordedClip(Protocol):
    """A recorded clip that a model is tested on, such as a `tbd.data.datasets.video.WholeClip`."""

    @property
    def name(self) -> str:
        """Its name, unique among all; it decides the noise."""

    @property
    def frames(self) -> Tensor:
        """(N, 3, H, W) uint8 RGB, or (N, C, h, w) latents."""

    @property
    def coarse(self) -> Tensor:
        """The same of the coarse, mesh-warped portrait."""

    @property
    def neutral_coarse(self) -> Tensor | None:
        """The same of lips and head alone; None where no model reads it."""

    @property
    def portrait(self) -> Tensor:
        """(3, H, W) or (C, h, w)."""

    @property
    def region_masks(self) -> Tensor:
        """(5, h, w) 0..1."""

    @property
    def audio(self) -> np.ndarray:
        """(N·640,) float32 samples at 16 kHz."""

    @property
    def plan(self) -> MusclePlan:
        """The plan, its times in seconds from the clip's start."""

    @property
    def video(self) -> Path | None:
        """The file of the true frames, where `frames` are latents."""


class LatentDecoder(Protocol):
    """What turns latents into frames: a `LatentCodec`."""

    def decode(self, latents: Tensor) -> Tensor:
        """(..., C, h, w) → (..., 3, f·h, f·w) in 0..1."""


class LatentDrawer(Protocol):
    """What draws latents: a `VideoDiffusion`."""

    @property
    def autoencoder(self) -> LatentDecoder:
        """Its autoencoder."""

    @property
    def device(self) -> torch.device:
        """Where it draws."""

    @property
    def hints(self) -> HintConfig:
        """What it reads of coarse frames."""

    def latents(self, frames: Tensor) -> Tensor:
        """uint8 pixels (..., 3, H, W) → latents; latents as they are."""

    def draw_latents(
        self,
        portrait: Tensor,
        hints: Callable[[int], Tensor],
        region_masks: Tensor,
        audio: np.ndarray,
        plan: MusclePlan,
        seed: int = 0,
        *,
        neutral_hints: Callable[[int], Tensor] | None = None,
    ) -> Iterator[Tensor]:
        """Draw the video of a recording; see `VideoDiffusion.draw_latents`.

        Args:
            portrait: (1, C, h, w) latents.
            hints: Gives the next so many coarse frames, (1, n, C, h, w) latents.
            region_masks: (5, h, w) 0..1.
            audio: (N,) samples.
            plan: The muscle plan.
            seed: Seed of the noise.
            neutral_hints: Coarse frames for branches that are given no plan.

        Returns:
            Consecutive pieces (1, n, C, h, w).
        """


class VideoClipMetrics:
    """Metrics of the clips that a model has drawn in one test: PSNR, SSIM and, where ArcFace's weights are here, identity.

    Args:
        seed: Each clip's noise is drawn from it and the clip's name.
        identity: Compares faces; built from ArcFace's registered weights where not given.
    """

    def __init__(self, seed: int = 0, identity: "IdentitySimilarity | None" = None) -> None:
        from tbd.metrics.quality.pixels import FramePSNR, FrameSSIM  # which drawing alone does without

        self.seed, self.identity = seed, identity or _identity()
        self._psnr, self._ssim, self._tally = FramePSNR(), FrameSSIM(), Tally()
        self._decoded = False

    @torch.no_grad()
    def update(self, model: LatentDrawer, clip: RecordedClip) -> None:
        """Draw a clip and compare its frames.

        Args:
            model: The model.
            clip: The clip; one that comes once more counts once.
        """
        if clip.name in self._tally.rows:
            return
        drawn, true = self._draw(model, clip), self._true(model, clip)
        found = {"psnr": self._psnr.measure(drawn, true)["value"], "ssim": self._ssim.measure(drawn, true)["value"], "clips": 1.0}
        found |= self._identity_of(drawn, true)
        self._tally.add([clip.name], **{name: torch.tensor([value], dtype=torch.float64) for name, value in found.items()})

    def compute(self) -> dict[str, float]:
        """Metric → mean over the clips of all processes."""
        totals = self._tally.totals()
        found = {name: totals[name] / totals["clips"] for name in ("psnr", "ssim")} if totals else {}
        return found | ({"identity": totals["identity"] / totals["faces"]} if totals and totals["faces"] else {})

    def _draw(self, model: LatentDrawer, clip: RecordedClip) -> Tensor:
        """(N, 3, H, W) uint8."""

        def reader(coarse: Tensor) -> Callable[[int], Tensor]:
            used = 0

            def hints(wanted: int) -> Tensor:
                nonlocal used
                used += wanted
                return model.latents(coarse[None, used - wanted : used].to(model.device))

            return hints

        wanted, neutral = model.hints, clip.neutral_coarse
        if wanted.needs_neutral and neutral is None:
            raise InputError(
                f"The clip {clip.name} has no coarse frames of lips and head alone (neutral_coarse), which the model's hints show."
            )
        coarse = neutral if wanted.with_plan == "lips_and_head" and neutral is not None else clip.coarse
        without = reader(neutral) if wanted.own_without_plan and neutral is not None else None
        portrait = model.latents(clip.portrait[None].to(model.device))
        seed = clip_seed(self.seed, clip.name)
        pieces = model.draw_latents(portrait, reader(coarse), clip.region_masks, clip.audio, clip.plan, seed, neutral_hints=without)
        return torch.cat([_bytes(model.autoencoder.decode(piece)[0]) for piece in pieces])

    def _true(self, model: LatentDrawer, clip: RecordedClip) -> Tensor:
        """(N, 3, H, W) uint8: the recorded frames, or what the autoencoder makes of them where the recording is not there."""
        if clip.frames.dtype == torch.uint8:
            return clip.frames
        if clip.video is not None and clip.video.is_file():
            from tbd.media import read_video

            frames = np.stack([np.asarray(frame) for frame, _ in zip(read_video(clip.video), range(len(clip.frames)))])
            return torch.from_numpy(frames).permute(0, 3, 1, 2)
        if not self._decoded:
            rank_zero_warn(f"There is no video of {clip.name} beside its latents: frames are compared with what the autoencoder decodes.")
            self._decoded = True
        return torch.cat([_bytes(model.autoencoder.decode(part[None].to(model.device))[0]) for part in clip.frames.split(8)])

    def _identity_of(self, drawn: Tensor, true: Tensor) -> dict[str, float]:
        from tbd.metrics.base import Unmeasurable

        if self.identity is None:
            return {"identity": 0.0, "faces": 0.0}
        try:
            return {
                "identity": self.identity.measure(*(_faces(frames, self.identity.reads[0]) for frames in (drawn, true)))["value"],
                "faces": 1.0,
            }
        except Unmeasurable:
            return {"identity": 0.0, "faces": 0.0}


def _identity() -> "IdentitySimilarity | None":
    from tbd.metrics.faces.identity import IdentitySimilarity
    from tbd.metrics.networks.arcface import ArcFaceEmbedder
    from tbd.weights import WeightsNotFoundError

    try:
        return IdentitySimilarity(ArcFaceEmbedder())
    except WeightsNotFoundError as error:
        rank_zero_info(f"The test logs no identity: {error}")
        return None


def _faces(frames: Tensor, field: str) -> Tensor:
    """(N, 3, H, W) uint8 → (F, 3, side, side) uint8 of the frames in which a face is found, cut as the field says.

    Raises:
        Unmeasurable: If no frame shows a face.
    """
    from tbd.face.tracker import FaceMeshTracker
    from tbd.face.tracking.session import TrackingSession
    from tbd.metrics.base import Unmeasurable
    from tbd.metrics.faces.crops import CUTTERS

    chips, cut = [], next(cutter for name, cutter in CUTTERS.items() if field == f"preds.{name}")
    try:
        with TrackingSession(FaceMeshTracker(), "the clip") as tracking:
            for frame in frames.cpu():
                detection = tracking.add(np.ascontiguousarray(frame.permute(1, 2, 0).numpy()))
                if detection is not None:
                    chips.append(cut(frame[None], detection.points[None]))
    except InputError as error:
        raise Unmeasurable(str(error)) from error
    if not chips:
        raise Unmeasurable("No face was found.")
    return torch.cat(chips)


def _bytes(frames: Tensor) -> Tensor:
    """(N, 3, H, W) in 0..1 → uint8 on the CPU."""
    return (frames.float() * 255).round().clamp(0, 255).to(torch.uint8).cpu()
