"""`MouthRefiner`: trains a network to make filmed mouths of painted ones."""

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from tbd.draw.mouth.augmentation import augment
from tbd.draw.mouth.network import MouthUNet, PatchDiscriminator
from tbd.draw.optim import ExactModule
from tbd.errors import InputError
from tbd.utils.input_checks import require_within


@dataclass(frozen=True)
class MouthLoss:
    """What training weighs.

    Args:
        gradient: Weight of the error of differences between neighbouring pixels, which keeps edges of teeth sharp.
        perceptual: Weight of the distance that the refiner is given, if it is.
        adversarial: Weight of the discriminator's opinion; 0: none is trained.
        adversarial_from: Step from which it counts.
    """

    gradient: float = 1.0
    perceptual: float = 0.1
    adversarial: float = 0.02
    adversarial_from: int = 500


class MouthRefiner(ExactModule):
    """Learns to finish mouths.

    Batches are dicts of uint8 crops as `tbd.data.preprocess.mouths` writes them: ``painted``, ``warped``, ``target``, ``reference``
    (B, H, W, 3) and ``mask`` (B, H, W). It is given the painting between the video's own lips or between warped ones, which it will meet
    on portraits. Validation reports, in either case (``val/warped_…``), ``val/l1`` of the network and ``val/painted`` of the painting,
    mean absolute errors over the pixels between the lips (0..1), and their ratio; likewise ``val/looks``, ``val/painted_looks`` and
    ``val/looks_ratio`` by `distance`.

    Args:
        network: (B, 7, H, W) → (B, 3, H, W), see `MouthUNet`.
        loss: What training weighs.
        distance: How different two mouths look: (image, image, mask) → (B,), such as `tbd.draw.mouth.perceptual.EfficientNetDistance`.
        judge: The same for validation alone, so that training does not see what it is judged by; `distance` where not given.
        warped: 0..1, share of the crops that are given with warped lips.
        learning_rate: AdamW's, after `warmup_steps`.
        warmup_steps: Steps over which it rises.

    Example:
        >>> refiner = MouthRefiner(MouthUNet(8, 2))
        >>> one = torch.randint(0, 255, (2, 32, 32, 3), dtype=torch.uint8)
        >>> batch = {"painted": one, "target": one, "reference": one, "mask": one[..., 0]}
        >>> float(refiner.errors(batch)["l1"]) == 0  # an untrained network leaves what is painted
        True
    """

    def __init__(
        self,
        network: nn.Module | None = None,
        loss: MouthLoss | None = None,
        distance: nn.Module | None = None,
        judge: nn.Module | None = None,
        warped: float = 0.5,
        learning_rate: float = 4e-4,
        warmup_steps: int = 100,
    ) -> None:
        super().__init__()
        require_within(0, 1, warped=warped)
        self.distance, self.judge, self.warped = distance, judge or distance, warped
        self.network, self.loss = network or MouthUNet(), loss or MouthLoss()
        self.learning_rate, self.warmup_steps = learning_rate, warmup_steps
        self.discriminator = PatchDiscriminator() if self.loss.adversarial > 0 else None
        self.automatic_optimization = False
        self._painted: dict[tuple[int, ...], dict[str, Tensor]] = {}

    def on_fit_start(self) -> None:
        """Refuse several processes; called by Lightning.

        Raises:
            InputError: If there are several.
        """
        # the discriminator's gradients come in a second backward pass, which DDP's reducer does not know of
        if self.trainer.world_size > 1:
            raise InputError(f"A MouthRefiner trains on one device, not on {self.trainer.world_size}: give --trainer.devices=1.")

    def forward(self, painted: Tensor, mask: Tensor, reference: Tensor) -> Tensor:
        """Finish mouths.

        Args:
            painted: (B, 3, H, W), −1..1.
            mask: (B, 1, H, W), 0..1.
            reference: (B, 3, H, W), −1..1, the person at rest.

        Returns:
            (B, 3, H, W), −1..1.
        """
        finished: Tensor = self.network(torch.cat([painted, mask, reference], 1))
        return finished

    def training_step(self, batch: dict[str, Tensor], batch_idx: int) -> None:
        """Make a step of the network and one of the discriminator; called by Lightning."""
        painted, target, reference, mask = augment(*unpack(self._given(batch)))
        optimizers: Any = self.optimizers()
        optimizers = optimizers if isinstance(optimizers, list) else [optimizers]
        drawn = self(painted, mask, reference)
        share = mask / mask.mean().clamp(min=1e-3)
        l1 = ((drawn - target).abs() * share).mean()
        edges = sum(((_difference(drawn, axis) - _difference(target, axis)).abs() * share).mean() for axis in (-1, -2))
        loss = l1 + self.loss.gradient * edges
        if self.distance is not None and self.loss.perceptual > 0:
            looks = self.distance(drawn, target, mask).mean()
            self.log("train/looks", looks.detach())
            loss = loss + self.loss.perceptual * looks
        judges = self.discriminator is not None and self.global_step >= self.loss.adversarial_from
        if judges and self.discriminator is not None:
            loss = loss - self.loss.adversarial * self.discriminator(drawn, mask).mean()
        self._step(optimizers[0], loss)
        if judges and self.discriminator is not None:
            real, fake = self.discriminator(target, mask), self.discriminator(drawn.detach(), mask)
            opinion = functional.relu(1 - real).mean() + functional.relu(1 + fake).mean()
            self._step(optimizers[1], opinion)
            self.log("train/discriminator", opinion)
        self.log_dict({"train/loss": loss.detach(), "train/l1": l1.detach() / 2, "train/edges": torch.as_tensor(edges).detach() / 2})

    def _given(self, batch: dict[str, Tensor]) -> dict[str, Tensor]:
        """The batch, in a random share of whose crops the lips are warped ones."""
        chosen = torch.rand(len(batch["mask"]), 1, 1, 1, device=batch["mask"].device) < self.warped
        return {**batch, "painted": torch.where(chosen, batch["warped"], batch["painted"])}

    def _step(self, optimizer: Any, loss: Tensor) -> None:
        rate = self.learning_rate * min(1.0, (self.global_step + 1) / self.warmup_steps)
        for group in optimizer.param_groups:
            group["lr"] = rate
        optimizer.zero_grad()
        self.manual_backward(loss)
        self.clip_gradients(optimizer, gradient_clip_val=1.0, gradient_clip_algorithm="norm")
        optimizer.step()

    def validation_step(self, batch: dict[str, Tensor], batch_idx: int) -> None:
        """Measure; called by Lightning."""
        size = len(batch["mask"])
        for prefix, given in (("val/", batch), ("val/warped_", {**batch, "painted": batch["warped"]})):
            measured = {f"{prefix}{name}": value for name, value in self.errors(given).items()}
            self.log_dict(measured, batch_size=size, sync_dist=True, prog_bar=prefix == "val/")

    test_step = validation_step

    def on_validation_epoch_end(self) -> None:
        """Log the ratios; called by Lightning."""
        got = self.trainer.callback_metrics
        for prefix in ("val/", "val/warped_"):
            for ratio, name, base in (("ratio", "l1", "painted"), ("looks_ratio", "looks", "painted_looks")):
                if prefix + name in got:
                    self.log(prefix + ratio, got[prefix + name] / got[prefix + base].clamp(min=1e-6))

    @torch.no_grad()
    def errors(self, batch: dict[str, Tensor]) -> dict[str, Tensor]:
        """Measure the errors between the lips.

        What is painted does not change while the network learns: its errors are measured once for each batch.

        Args:
            batch: See the class.

        Returns:
            ``l1`` of what the network makes, ``painted`` of what is painted, and, where there is a judge, ``looks`` and
            ``painted_looks``: means over crops.
        """
        painted, target, reference, mask = unpack(batch)
        which = tuple(_digest(batch[name]) for name in ("painted", "target", "mask"))
        if which not in self._painted:
            self._painted[which] = self._errors(painted, target, mask)
        found = self._errors(self(painted, mask, reference), target, mask)
        return {**found, **{"painted" if name == "l1" else f"painted_{name}": value for name, value in self._painted[which].items()}}

    def _errors(self, image: Tensor, target: Tensor, mask: Tensor) -> dict[str, Tensor]:
        """Measure ``l1`` and, where there is a judge, ``looks`` of (B, 3, H, W) images, means over crops."""
        share = mask.mean((1, 2, 3)).clamp(min=1e-4)
        found = {"l1": (((image - target).abs() * mask).mean((1, 2, 3)) / share / 2).mean()}
        if self.judge is not None:
            # what lies outside the lips is the video's own in either picture: what is judged is the mouth alone
            found["looks"] = self.judge(target + mask * (image - target), target, mask).mean()
        return found

    def configure_optimizers(self) -> Any:
        """Optimize both networks by AdamW; called by Lightning."""
        parts = [self.network, *([self.discriminator] if self.discriminator is not None else [])]
        return [torch.optim.AdamW(part.parameters(), self.learning_rate, (0.5, 0.99), weight_decay=1e-2) for part in parts]


def unpack(batch: dict[str, Tensor]) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Turn a batch of uint8 crops into painted, target and reference (B, 3, H, W) −1..1, and the mask (B, 1, H, W) 0..1."""
    pictures = [batch[name].permute(0, 3, 1, 2).float() / 127.5 - 1 for name in ("painted", "target", "reference")]
    return pictures[0], pictures[1], pictures[2], batch["mask"][:, None].float() / 255


def _digest(crops: Tensor) -> int:
    """A number by which uint8 crops are known again, computed where they lie: a sum of bytes, weighted by where they stand."""
    flat = crops.flatten().long()
    return int((flat * (torch.arange(len(flat), device=flat.device) % 65521 + 1)).sum())


def _difference(image: Tensor, axis: int) -> Tensor:
    """The same shape: each pixel less the one before it along an axis."""
    return image - image.roll(1, axis)
