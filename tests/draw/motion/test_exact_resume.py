"""A run that is killed anywhere and resumed is the run that was not: same samples, losses and weights, to the last bit."""

from pathlib import Path

import pytest
import torch
from diffusers import FlowMatchEulerDiscreteScheduler
from lightning.pytorch.callbacks import EMAWeightAveraging

from tbd.data.completeness import PlanCompleteness
from tbd.data.datamodules.mixture import MixtureDataModule
from tbd.data.datasets.augment import AudioAugment
from tbd.draw.conditioning.audio_encoder import PhoneEncoder
from tbd.draw.motion.distillation import AudioDistillation
from tbd.draw.motion.training_options import MotionLoss, MotionTraining
from tbd.draw.optim import OptimizerConfig
from tbd.draw.training_options import ConditioningDropout
from tests.draw import tiny_motion as tiny
from tests.draw.motion.test_distillation import trained as trained
from tests.speech.humming import Humming


@pytest.fixture(scope="module")
def root(tmp_path_factory) -> Path:
    return tiny.write_corpus(tmp_path_factory.mktemp("corpus"))


def plain(root, trained):
    return tiny.model(), tiny.data(root, augment=AudioAugment())


def flow(root, trained):
    """Flow matching with a loss of its own weighting, and plans of which parts are withheld."""
    training = MotionTraining(conditioning_dropout=ConditioningDropout(emotion_alone=0.3), loss=MotionLoss(weighting="prediction"))
    model = tiny.model(noise_scheduler=FlowMatchEulerDiscreteScheduler(), training=training)
    return model, tiny.data(root, completeness=PlanCompleteness())


def phones(root, trained):
    return tiny.model(phones=True), tiny.data(root, recognizer=Humming(), augment=torch.nn.Dropout(0.1), passes=2)


def weighted(root, trained):
    parts = [tiny.data(root), tiny.data(root)]
    return tiny.model(), MixtureDataModule(parts, weights=[3.0, 1.0], balance="emotion", passes=2, num_workers=2, **tiny.WINDOW)


def hearing(root, trained):
    torch.manual_seed(0)
    encoder = PhoneEncoder(Humming(), 32, bins=8, context=4, noise=0.3)
    return AudioDistillation(encoder, str(trained), AudioAugment(), OptimizerConfig(1e-3, 2)), tiny.data(root, recognizer=Humming())


def run(kind, root, trained, watch, start=None, **options):
    module, source = kind(root, trained)
    tiny.fit(module, source, watch, start, callbacks=[EMAWeightAveraging(decay=0.9)], **options)
    return module


@pytest.mark.parametrize(
    ("kind", "accumulate", "deaths"),
    [(plain, 1, (1, 4, 6)), (flow, 1, (3,)), (phones, 1, (3, 13)), (weighted, 1, (5,)), (hearing, 1, (2,)), (plain, 3, (4, 5, 7))],
    ids=["plain", "flow", "phones", "weighted, workers", "hearing", "accumulated"],
)
def test_a_kill_after_any_batch_changes_nothing(kind, accumulate, deaths, root, trained, tmp_path):
    """Ten windows make an epoch of five batches (ten where it has two passes)."""
    whole, options = tiny.Watch(), {"accumulate_grad_batches": accumulate, "max_steps": 14 if kind is phones else 8}
    model = run(kind, root, trained, whole, val_check_interval=2, check_val_every_n_epoch=None, **options)
    assert len(set(whole.losses.values())) == len(whole.losses) >= 8
    for death in deaths:
        path = tmp_path / f"{death}.ckpt"
        run(kind, root, trained, tiny.Watch(path, death), limit_val_batches=0, **options)
        torch.rand(death)  # another process has drawn other numbers
        rest = tiny.Watch()
        resumed = run(kind, root, trained, rest, path, val_check_interval=3, check_val_every_n_epoch=None, **options)
        # what had been gathered for a step that did not come is gathered again
        first = max(number for number in range(death + 1) if number in _steps(accumulate, death))
        assert rest.ids == {number: ids for number, ids in whole.ids.items() if number >= first}
        assert rest.losses == {number: loss for number, loss in whole.losses.items() if number >= first}
        for (name, a), b in zip(model.named_parameters(), resumed.parameters()):
            assert torch.equal(a, b), name


def _steps(accumulate: int, upto: int, epoch: int = 5) -> set[int]:
    """Numbers of batches behind which no gradient waits; the optimizer also steps at an epoch's end."""
    return {n for n in range(upto + 1) if accumulate == 1 or (n % epoch) % accumulate == 0}
