"""What draws alone is the model that was trained, without Lightning."""

import numpy as np
import pytest
import yaml
from lightning import LightningModule

from tbd import MOTION_MODEL
from tbd.draw.export import PACKAGED, load_model, save_loaded_model
from tbd.draw.motion.diffusion import MotionDiffusion
from tbd.draw.motion.loading import load_motion_model
from tbd.draw.motion.sampler import MotionSampler
from tbd.errors import InputError
from tbd.media import read_audio
from tbd.think.plan import MusclePlan
from tbd.utils.sample_inputs import VOICE


def test_the_same_motion_to_the_last_bit():
    sound, plan = read_audio(VOICE)[:16000], MusclePlan(emotions={"happy": 1.0}, intensity=1.0)
    alone, whole = load_motion_model(), load_model(MOTION_MODEL, MotionDiffusion)
    assert not isinstance(alone, LightningModule) and isinstance(whole, LightningModule) and isinstance(whole, MotionSampler)
    assert list(alone.state_dict()) == list(whole.state_dict())
    (a,), (b,) = (list(model.generate(sound, plan, num_inference_steps=2)) for model in (alone, whole))
    assert np.array_equal(a.values, b.values) and np.abs(a.values).max() > 0.1


def test_what_is_saved_is_the_model_that_trains(tmp_path):
    save_loaded_model(load_motion_model(), tmp_path)
    saved, packaged = (yaml.safe_load((folder / "config.yaml").read_text())["model"] for folder in (tmp_path, PACKAGED / MOTION_MODEL))
    assert saved["class_path"] == packaged["class_path"] and saved["init_args"]["training"] == packaged["init_args"]["training"]
    assert load_model(tmp_path, MotionDiffusion).loss.lip_weight == 3.0


def test_a_slip_in_what_drawing_reads_is_still_named(tmp_path):
    save_loaded_model(load_motion_model(), tmp_path)
    config = tmp_path / "config.yaml"
    config.write_text(config.read_text().replace("crossfade_frames", "crossfade_framse"))
    with pytest.raises(InputError, match=r"does not describe a model: .*crossfade_framse.$"):
        load_motion_model(tmp_path)
