"""Overlays: resolved as `tbd fit` would, refused with the nearest name, hashed by what training depends on."""

import pytest
import yaml

from tbd.ablation.resolve import difference, require_trained_alike, resolve_overlay, training_key
from tbd.errors import InputError
from tests.ablation.conftest import EXPERIMENT, GUIDANCE, SMALL

MODEL = "model.init_args"


def resolved(*overlays):
    return resolve_overlay([str(EXPERIMENT)], [SMALL, *overlays], "variant x")


@pytest.fixture(scope="module")
def base():
    return resolved()


def test_an_override_reaches_whatever_interpolates_it(base):
    assert base["model"]["init_args"]["plan_encoder"]["init_args"]["dim"] == 32
    assert base["data"]["init_args"]["window_frames"] == 24


def test_it_is_read_again_as_it_was_written(base, tmp_path):
    """Also what is null on purpose: another default would validate, and keep checkpoints, at other steps."""
    from tbd.training.main import resolve

    assert base["trainer"]["check_val_every_n_epoch"] is None and base["trainer"]["val_check_interval"] == 1
    (tmp_path / "config.yaml").write_text(yaml.safe_dump(base))
    assert resolve(["--config", str(tmp_path / "config.yaml")]) == base


def test_the_difference_is_all_that_differs(base):
    assert difference(base, resolved({f"{GUIDANCE}.switch": 0.7})) == {f"{GUIDANCE}.switch": (0.3, 0.7)}


@pytest.mark.parametrize(
    ("overlay", "said"),
    [
        ({f"{GUIDANCE}.swich": 0.4}, "ProgressiveGuidance has no key swich; the nearest is switch"),
        ({f"{MODEL}.gidance.init_args.switch": 0.4}, "MotionDiffusion has no key gidance; the nearest is guidance"),
        ({"trainer.max_stepz": 4}, "Trainer has no key max_stepz; the nearest is max_steps"),
        ({f"{MODEL}.optimizer.learning_rat": 1e-3}, "OptimizerConfig has no key learning_rat; the nearest is learning_rate"),
        ({f"{MODEL}.denoiser.init_args.dept": 4}, "MotionTransformer has no key dept; the nearest is depth"),
        ({"data.init_args.bach_size": 4}, "ProceduralDataModule has no key bach_size; the nearest is batch_size"),
        ({"modle.init_args.x": 1}, "modle"),
        (
            {f"{MODEL}.guidance": {"class_path": "tbd.draw.guidance.classifier_free.ClassifierFreeGuidance", "init_args": {"switch": 1}}},
            "no key switch",
        ),
        ({f"{MODEL}.guidance": {"class_path": "tbd.draw.conditioning.audio_encoder.MelEncoder"}}, "Guidance"),
        ({f"{GUIDANCE}.switch": "late"}, "switch"),
    ],
)
def test_a_key_that_does_not_exist_is_refused(overlay, said):
    with pytest.raises(InputError, match="variant x") as refusal:
        resolved(overlay)
    assert said in str(refusal.value) and "\n" not in str(refusal.value)


SHARED = [
    {f"{GUIDANCE}.switch": 0.9},
    {f"{MODEL}.guidance": {"class_path": "tbd.draw.guidance.base.NoGuidance"}},
    {f"{MODEL}.sampling.num_inference_steps": 50},
    {f"{MODEL}.compile": True},
    {f"{MODEL}.validation.count": 2},
    {"trainer.devices": 2, "trainer.default_root_dir": "elsewhere"},
    {
        f"{MODEL}.noise_scheduler": {
            "class_path": "diffusers.DPMSolverMultistepScheduler",
            "init_args": {"beta_schedule": "squaredcos_cap_v2", "prediction_type": "sample"},
        }
    },
]
OWN = [
    {f"{MODEL}.plan_encoder": {"class_path": "tbd.draw.conditioning.plan_encoder.LabelEncoder"}},
    {f"{MODEL}.training.conditioning_dropout.muscles": 0.5},
    {f"{MODEL}.optimizer": {"learning_rate": 1e-3}},
    {f"{MODEL}.noise_scheduler.init_args.prediction_type": "epsilon"},
    {f"{MODEL}.noise_scheduler.init_args.beta_schedule": "linear"},
    {"data.init_args.root": "other"},
    {"trainer.max_steps": 4},
]


@pytest.mark.parametrize("overlay", SHARED, ids=str)
def test_what_needs_no_training_of_its_own_shares_one(base, overlay):
    assert training_key(resolved(overlay)) == training_key(base)


@pytest.mark.parametrize("overlay", OWN, ids=str)
def test_what_learns_otherwise_is_trained(base, overlay):
    assert training_key(resolved(overlay)) != training_key(base)


def test_a_checkpoint_of_another_config_is_refused(base, tmp_path):
    (tmp_path / "model.safetensors").touch()
    (tmp_path / "config.yaml").write_text(yaml.safe_dump({"model": base["model"]}))
    require_trained_alike(resolved({f"{GUIDANCE}.switch": 0.9}), str(tmp_path), "variant x")
    with pytest.raises(InputError, match=r"denoiser.init_args.depth is 1 there and 2 here"):
        require_trained_alike(resolved({f"{MODEL}.denoiser.init_args.depth": 2}), str(tmp_path), "variant x")
    with pytest.raises(InputError, match=r"lacks config\.yaml"):
        require_trained_alike(base, str(tmp_path / "nowhere"), "variant x")
