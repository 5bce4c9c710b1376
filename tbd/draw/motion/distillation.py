"""Another audio encoder for a trained motion model: it learns to give the denoiser the features of the model's own.

The denoiser is not trained again, so its response to plans, muscles and guidance stays. `python -m tbd.draw.motion.distillation
CHECKPOINT CONFIG FOLDER` writes the joined model as a folder that `tbd generate --model` draws with.
"""

import os
from typing import Any

import torch
from lightning.pytorch.utilities.types import OptimizerLRSchedulerConfig
from torch import Tensor, nn

from tbd import MOTION_MODEL
from tbd.draw.augmentation import augmented
from tbd.draw.checkpoint import read_state
from tbd.draw.conditioning.audio_encoder import AudioEncoder
from tbd.draw.export import export_command, load_model, model_content, read_content, write_model
from tbd.draw.motion.clip_metrics import MotionClipMetrics
from tbd.draw.motion.diffusion import MotionDiffusion
from tbd.draw.optim import ExactModule, OptimizerConfig
from tbd.draw.sample_means import Tally
from tbd.draw.sampling import require_widths
from tbd.errors import InputError

_STUDENT = "student."
_SILENT = 1e-3
"""Least variance of a feature that errors are shares of: windows of silence differ in nothing, and would count for thousands."""


class AudioDistillation(ExactModule):
    """Trains an audio encoder to replace that of a trained model. The model's own is given the clean audio.

    Args:
        audio_encoder: The encoder to train; weights that fit are taken from the model's own by name.
        model: The trained motion model: packaged name, folder, or hub repository.
        augment: Augments the waveforms that the trained encoder is given: (B, N) → (B, N). The DataModule must not.
        optimizer: AdamW and its learning rate.
        seed: Seed of the run; None for that of ``seed_everything``.

    Raises:
        ValueError: If the encoder's width or context is not that of the model's own.
    """

    def __init__(
        self,
        audio_encoder: AudioEncoder,
        model: str = MOTION_MODEL,
        augment: nn.Module | None = None,
        optimizer: OptimizerConfig = OptimizerConfig(learning_rate=1.5e-3, warmup_steps=100),
        seed: int | None = None,
    ) -> None:
        super().__init__()
        self.save_plain_hyperparameters()
        self.student = load_model(model, MotionDiffusion)  # frozen
        self.teacher = self.student.audio_encoder
        require_widths(self.student.plan_encoder, self.student.denoiser.plan_dim, audio_encoder, self.student.denoiser.audio_dim)
        wanted = self.teacher.context
        if audio_encoder.context != wanted:
            raise ValueError(
                f"The encoder reads {audio_encoder.context} frames around a window; the model's own {wanted}: set that context."
            )
        theirs, own = self.teacher.state_dict(), audio_encoder.state_dict()
        fitting = {name: value for name, value in theirs.items() if name in own and own[name].shape == value.shape}
        audio_encoder.load_state_dict({**own, **fitting})
        self.student.audio_encoder, self.augment = audio_encoder, augment
        self.optimizer, self.noise_seed = optimizer, seed
        self._tally = Tally()

    @property
    def audio_encoder(self) -> AudioEncoder:
        """The encoder that trains; a DataModule takes its context from it."""
        return self.student.audio_encoder

    @property
    def window_frames(self) -> int:
        """Frames of a window; a DataModule takes them from here."""
        return self.student.window_frames

    def training_step(self, batch: dict[str, Any], batch_idx: int) -> Tensor:
        """Compute the error of a batch.

        Args:
            batch: A batch as for `MotionDiffusion`.
            batch_idx: Its number in the epoch.

        Returns:
            () the error.
        """
        size = len(batch["audio"])
        batch, audio = self.numbered(batch, batch_idx, size), batch["audio"]
        if self.augment is not None:
            audio = augmented(self.augment, audio, batch["id"], self.run_seed)
        parts = self.parts(batch, audio)
        # shares of what varies in the batches of all processes
        variance = _variance(*(self.averaged(parts[name].sum(0)) for name in ("frames", "total", "square")))
        loss = parts["error"].sum() / variance
        self.log("train/error", self.averaged(loss), batch_size=size)
        return loss

    def validation_step(self, batch: dict[str, Any], batch_idx: int) -> None:
        """Measure a batch.

        Args:
            batch: A batch as for `MotionDiffusion`.
            batch_idx: Its number.
        """
        batch = self.numbered(batch, batch_idx, len(batch["audio"]))
        self._tally.add(batch["id"].tolist(), **self.parts(batch, batch["audio"]))

    def on_validation_epoch_end(self) -> None:
        """Log what the validation found."""
        if totals := self._tally.totals():
            variance = _variance(*(torch.as_tensor(totals[name]) for name in ("frames", "total", "square")))
            self.log_everywhere({"val/error": totals["error"] / float(variance)}, "val/error")

    def on_test_start(self) -> None:
        """Begin a test."""
        self._tested = MotionClipMetrics()

    def test_step(self, batch: Any, batch_idx: int) -> None:
        """Draw whole clips with the trained encoder, as `MotionDiffusion` does.

        Args:
            batch: A list of clips.
            batch_idx: Its number.
        """
        self.student.test_step(batch, batch_idx, self._tested)

    def on_test_epoch_end(self) -> None:
        """Log what the test found."""
        self.log_everywhere({f"test/{name}": value for name, value in self._tested.compute().items()})

    def error(self, batch: dict[str, Any], audio: Tensor) -> Tensor:
        """Compute the squared error of the features over frames that exist, in shares of their variance.

        Args:
            batch: A batch as for `MotionDiffusion`.
            audio: (B, N) the samples that the trained encoder is given.

        Returns:
            () the error; 1 is no better than the features' mean.
        """
        parts = self.parts(batch, audio)
        return parts["error"].sum() / _variance(*(parts[name].sum(0) for name in ("frames", "total", "square")))

    def parts(self, batch: dict[str, Any], audio: Tensor) -> dict[str, Tensor]:
        """Sum what the error is made of over the frames that exist, sample by sample.

        Args:
            batch: A batch as for `MotionDiffusion`.
            audio: (B, N) the samples that the trained encoder is given.

        Returns:
            ``error`` and ``square`` (B,), squared errors and squares of the wanted features; ``total`` (B, D), the wanted features;
            and ``frames`` (B,).
        """
        with torch.no_grad():
            wanted = self._projected(self.teacher(batch["audio"], batch.get("phones")))
        given = self._projected(self.audio_encoder(audio, batch.get("phones")))
        weight = batch["mask"][..., None]  # (B, T, 1)
        sums = {"error": (weight * (given - wanted).square()).sum((1, 2)), "square": (weight * wanted.square()).double().sum((1, 2))}
        return {**sums, "total": (weight * wanted).double().sum(1), "frames": batch["mask"].double().sum(1)}

    def _projected(self, features: Tensor) -> Tensor:
        """The denoiser's input projection of the features, where it has one: what this drops need not be learnt."""
        projection = getattr(self.student.denoiser, "audio", None)
        return (projection(features) if isinstance(projection, nn.Linear) else features).float()

    def configure_optimizers(self) -> OptimizerLRSchedulerConfig:
        """Build AdamW and its learning rate; called by Lightning."""
        return self.optimizer.configure(self)


def _variance(frames: Tensor, total: Tensor, square: Tensor) -> Tensor:
    """Squared deviations from the mean, summed, of so many frames of (D,) features; at least those of silence."""
    return (square - total.square().sum() / frames.clamp(min=1e-6)).clamp(min=_SILENT * frames * len(total)).float()


def save_distilled(checkpoint: str | os.PathLike, config: str | os.PathLike, folder: str | os.PathLike) -> None:
    """Export a run: the trained model with its new audio encoder.

    Args:
        checkpoint: A Lightning checkpoint.
        config: The ``config.yaml`` that training saved.
        folder: Where to write.

    Raises:
        InputError: If the run trained no audio encoder.
    """
    content = read_content(config)
    state = {name.removeprefix(_STUDENT): value for name, value in read_state(checkpoint).items() if name.startswith(_STUDENT)}
    run = content["init_args"]
    if not state or "audio_encoder" not in run:
        kind = str(content.get("class_path")).rpartition(".")[2]
        raise InputError(f"{checkpoint} is of a {kind}, which trained no audio encoder; `python -m tbd.draw.export` exports models.")
    content = model_content(run.get("model", MOTION_MODEL), MotionDiffusion)
    content["init_args"]["audio_encoder"] = run["audio_encoder"]
    write_model(content, state, folder)


if __name__ == "__main__":
    export_command(save_distilled, "Export a run that trained another audio encoder for a motion model.")
