"""What a motion model draws at validation, as a video in the run's logger: drawn and true faces side by side."""

from typing import Any

import lightning as L
import numpy as np
import torch
from torch import Tensor

from tbd.draw.motion.diffusion import MotionDiffusion
from tbd.draw.video.logging import log_video, video_loggers
from tbd.face.geometry import euler_to_matrix, mean_face
from tbd.face.rig import Rig
from tbd.face.topology import triangles

_SIZE = 160
"""Height and width of a face in pixels."""


class MotionVideoLogger(L.Callback):
    """Shows ``val/video_0`` under Images: one window of validation as the model draws it (left) and as it was (right).

    The faces are the mean face's mesh, moved by the coefficients and turned with the head. TensorBoard, Weights & Biases
    and MLflow show videos.
    """

    @torch.no_grad()
    def on_validation_batch_end(
        self, trainer: L.Trainer, pl_module: L.LightningModule, outputs: Any, batch: Any, batch_idx: int, dataloader_idx: int = 0
    ) -> None:
        """Draw the first window of a validation; called by Lightning.

        Args:
            trainer: The trainer.
            pl_module: The model; one that is no `MotionDiffusion` is left alone.
            outputs: Not read.
            batch: A batch of windows.
            batch_idx: Its number.
            dataloader_idx: Not read.
        """
        loggers = video_loggers(trainer.loggers)
        if not isinstance(pl_module, MotionDiffusion):
            return
        wanted = trainer.is_global_zero and not trainer.sanity_checking
        # whole clips, which are drawn behind the windows, come as lists
        if not (wanted and loggers and batch_idx == 0 and isinstance(batch, dict) and trainer.state.fn == "fit"):
            return
        audio, plan, phones = batch["audio"][:1], batch["plan"][:1], batch.get("phones")
        noise = torch.randn(1, *batch["motion"].shape[1:], generator=torch.Generator().manual_seed(0))
        devices = [pl_module.device] if pl_module.device.type == "cuda" else []
        with torch.compiler.set_stance("force_eager"), torch.random.fork_rng(devices):  # training's random numbers stay as they were
            drawn = pl_module.sample_window(
                audio, plan, guidance=pl_module.guidance, noise=noise, phones=None if phones is None else phones[:1]
            )
        frames = int(batch["mask"][0].sum())
        video = torch.cat([mesh_video(motion[0, :frames]) for motion in (drawn, batch["motion"])], -1)  # (T, 3, H, 2W)
        for logger in loggers:
            log_video(logger, "val/video_0", video, trainer.global_step)


def mesh_video(motion: Tensor) -> Tensor:
    """Draw the mean face's mesh in motion.

    Args:
        motion: (T, 58) motion.

    Returns:
        (T, 3, H, W) in 0..1, dark lines on white.
    """
    values = motion.float().clamp(-1, 1).cpu().numpy()
    rest = mean_face()
    points = rest + Rig(rest).displace(values[:, :52].clip(0, 1))  # (T, 478, 3)
    points = np.einsum("tij,tpj->tpi", euler_to_matrix(values[:, 52:55]), points)
    flat = points[..., :2] * [1, -1]
    low, high = (rest[:, :2] * [1, -1]).min(0), (rest[:, :2] * [1, -1]).max(0)
    pixels = (flat - (low + high) / 2) / (high - low).max() * 0.75 * _SIZE + 0.47 * _SIZE
    frames = np.stack([_wires(one) for one in pixels])
    return torch.from_numpy(frames).permute(0, 3, 1, 2) / 255


def _wires(pixels: np.ndarray) -> np.ndarray:
    """(478, 2) → (H, W, 3) uint8."""
    import cv2

    image = np.full((_SIZE, _SIZE, 3), 255, np.uint8)
    corners = np.round(pixels * 16).astype(np.int32)[triangles()]  # (852, 3, 2), in sixteenths of a pixel
    cv2.polylines(image, list(corners), True, (70, 70, 70), 1, cv2.LINE_AA, 4)
    return image
