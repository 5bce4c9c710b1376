"""Another ear for a trained motion model: an audio encoder learns to give the denoiser what the model's own gave it.

The denoiser is not trained again, so what it knows of plans, muscles and guidance stays. `python -m tbd.draw.motion.distillation
CHECKPOINT CONFIG FOLDER` writes the joined model as a folder that `tbd generate --model` draws with.
"""

import os
from typing import Any

import torch
from torch import Tensor, nn

from tbd import MOTION_MODEL
from tbd.draw.augmentation import augmented
from tbd.draw.checkpoint import read_state
from tbd.draw.conditioning.audio_encoder import AudioEncoder
from tbd.draw.export import export_command, load_motion_model, motion_model_content, read_content, write_model
from tbd.draw.motion.testing import Performance
from tbd.draw.optim import ExactModule, warmup_cosine
from tbd.draw.sample_means import Tally
from tbd.draw.sampling import require_widths
from tbd.errors import InputError

_STUDENT = "student."
_SILENT = 1e-3
"""Least variance of a feature that errors are shares of: windows of silence differ in nothing, and would count for thousands."""


class AudioDistillation(ExactModule):
    """Trains an audio encoder to stand in for that of a trained model. The model's own hears the clean sound.

    Args:
        audio_encoder: who learns; weights that fit are taken over from the model's own by name.
        model: the trained motion model: packaged name, folder, or hub repository.
        augment: changes the waveforms that the learner hears: (B, N) → (B, N). The DataModule must not.
        learning_rate: of AdamW, reached after `warmup_steps`, falling to zero along a cosine.
        warmup_steps: steps of linear warm-up.
        seed: of the chance that training samples meet; that of ``seed_everything`` where not given.

    Raises:
        ValueError: the encoder's width or context is not that of the model's own.
    """

    def __init__(
        self,
        audio_encoder: AudioEncoder,
        model: str = MOTION_MODEL,
        augment: nn.Module | None = None,
        learning_rate: float = 1.5e-3,
        warmup_steps: int = 100,
        seed: int | None = None,
    ) -> None:
        super().__init__()
        self.save_plain_hyperparameters()
        self.student = load_motion_model(model)  # frozen
        self.teacher = self.student.audio_encoder
        require_widths(self.student.plan_encoder, self.student.denoiser.plan_dim, audio_encoder, self.student.denoiser.audio_dim)
        wanted = self.teacher.context
        if audio_encoder.context != wanted:
            raise ValueError(
                f"The encoder hears {audio_encoder.context} frames around a window; the model's own {wanted}: set that context."
            )
        theirs, own = self.teacher.state_dict(), audio_encoder.state_dict()
        fitting = {name: value for name, value in theirs.items() if name in own and own[name].shape == value.shape}
        audio_encoder.load_state_dict({**own, **fitting})
        self.student.audio_encoder, self.augment = audio_encoder, augment
        self.learning_rate, self.warmup_steps, self.noise_seed = learning_rate, warmup_steps, seed
        self._tally = Tally()

    @property
    def audio_encoder(self) -> AudioEncoder:
        """Who learns; a DataModule takes its context from it."""
        return self.student.audio_encoder

    @property
    def window_frames(self) -> int:
        return self.student.window_frames

    def training_step(self, batch: dict[str, Any], batch_idx: int) -> Tensor:
        size = len(batch["audio"])
        batch, heard = self.numbered(batch, batch_idx, size), batch["audio"]
        if self.augment is not None:
            heard = augmented(self.augment, heard, batch["id"], self.run_seed)
        parts = self.parts(batch, heard)
        # shares of what varies in the batches of all processes
        spread = _spread(*(self.averaged(parts[name].sum(0)) for name in ("frames", "total", "square")))
        loss = parts["error"].sum() / spread
        self.log("train/error", self.averaged(loss), batch_size=size)
        return loss

    def validation_step(self, batch: dict[str, Any], batch_idx: int) -> None:
        batch = self.numbered(batch, batch_idx, len(batch["audio"]))
        self._tally.add(batch["id"].tolist(), **self.parts(batch, batch["audio"]))

    def on_validation_epoch_end(self) -> None:
        if totals := self._tally.totals():
            spread = _spread(*(torch.as_tensor(totals[name]) for name in ("frames", "total", "square")))
            self.log_everywhere({"val/error": totals["error"] / float(spread)}, "val/error")

    def on_test_start(self) -> None:
        self._tested = Performance()

    def test_step(self, batch: Any, batch_idx: int) -> None:
        """Draw whole clips with the learner's ear, as `MotionDiffusion` does."""
        self.student.test_step(batch, batch_idx, self._tested)

    def on_test_epoch_end(self) -> None:
        self.log_everywhere({f"test/{name}": value for name, value in self._tested.measure().items()})

    def error(self, batch: dict[str, Any], heard: Tensor) -> Tensor:
        """Squared error of the features over frames that exist, in shares of their variance: 1 is no better than their mean."""
        parts = self.parts(batch, heard)
        return parts["error"].sum() / _spread(*(parts[name].sum(0) for name in ("frames", "total", "square")))

    def parts(self, batch: dict[str, Any], heard: Tensor) -> dict[str, Tensor]:
        """What an error is made of, sample by sample: sums over the frames that exist.

        Args:
            batch: see `MotionDiffusion`.
            heard: (B, N) what the learner hears.

        Returns:
            ``error`` and ``square`` (B,), squared errors and squares of the features that are wanted; ``total`` (B, D), these; and
            ``frames`` (B,).
        """
        with torch.no_grad():
            wanted = self._taken(self.teacher(batch["audio"], batch.get("phones")))
        given = self._taken(self.audio_encoder(heard, batch.get("phones")))
        weight = batch["mask"][..., None]  # (B, T, 1)
        sums = {"error": (weight * (given - wanted).square()).sum((1, 2)), "square": (weight * wanted.square()).double().sum((1, 2))}
        return {**sums, "total": (weight * wanted).double().sum(1), "frames": batch["mask"].double().sum(1)}

    def _taken(self, features: Tensor) -> Tensor:
        """What a denoiser makes of features at its door, where it has such a map: what this drops need not be learnt."""
        door = getattr(self.student.denoiser, "audio", None)
        return (door(features) if isinstance(door, nn.Linear) else features).float()

    def configure_optimizers(self) -> dict[str, Any]:
        optimizer = torch.optim.AdamW(self.audio_encoder.parameters(), lr=self.learning_rate, betas=(0.9, 0.98), weight_decay=0.02)
        return warmup_cosine(optimizer, int(self.trainer.estimated_stepping_batches), self.warmup_steps)


def _spread(frames: Tensor, total: Tensor, square: Tensor) -> Tensor:
    """Squared deviations from the mean, summed, of so many frames of (D,) features; not less than silence has."""
    return (square - total.square().sum() / frames.clamp(min=1e-6)).clamp(min=_SILENT * frames * len(total)).float()


def save_distilled(checkpoint: str | os.PathLike, config: str | os.PathLike, folder: str | os.PathLike) -> None:
    """Export a run: the trained model with its new ear.

    Args:
        checkpoint: a Lightning checkpoint.
        config: the ``config.yaml`` that training saved.
        folder: where to write.

    Raises:
        InputError: the run taught no encoder.
    """
    content = read_content(config)
    state = {name.removeprefix(_STUDENT): value for name, value in read_state(checkpoint).items() if name.startswith(_STUDENT)}
    run = content["init_args"]
    if not state or "audio_encoder" not in run:
        kind = str(content.get("class_path")).rpartition(".")[2]
        raise InputError(f"{checkpoint} is of a {kind}, which taught no encoder; `python -m tbd.draw.export` exports models.")
    content = motion_model_content(run.get("model", MOTION_MODEL))
    content["init_args"]["audio_encoder"] = run["audio_encoder"]
    write_model(content, state, folder)


if __name__ == "__main__":
    export_command(save_distilled, "Export a run that taught a motion model's audio encoder.")
