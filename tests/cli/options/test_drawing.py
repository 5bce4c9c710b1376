"""The components and numbers that `tbd generate` and `tbd demo` take."""

import pytest

from tbd.cli.options.drawing import SamplingOptions, chosen_components
from tbd.draw.guidance.classifier_free import ClassifierFreeGuidance
from tbd.draw.guidance.progressive import ProgressiveGuidance
from tbd.errors import InputError


@pytest.mark.parametrize("name", ["mesh", "MeshWarpRenderer", "tbd.face.render.renderer.MeshWarpRenderer"])
def test_the_packaged_renderer_by_any_name_is_fitted_to_the_plan(name):
    assert chosen_components({"emotion": "", "renderer": name}).renderer is None


def test_its_arguments_keep_the_lips_closed():
    given = {"class_path": "mesh", "init_args": {"shading": 0.5}}
    renderer = chosen_components({"emotion": "", "renderer": given}).renderer
    assert (renderer.shading, renderer.close_lips, renderer.open_eyes) == (0.5, 1.0, 1.0)


def test_given_scales_replace_those_of_the_guidance():
    own = ProgressiveGuidance(emotion_scale=1.5, muscle_scale=1.5)
    scaled = SamplingOptions(muscle_scale=2.0).guidance(own)
    assert (scaled.emotion_scale, scaled.muscle_scale, own.muscle_scale) == (1.5, 2.0, 1.5)
    assert SamplingOptions().guidance(own) is own


def test_a_scale_that_the_guidance_does_not_have_is_refused():
    own = ClassifierFreeGuidance(scale=2.0)
    assert SamplingOptions().guidance(own) is own
    with pytest.raises(InputError, match="ClassifierFreeGuidance, which has no --muscle-scale"):
        SamplingOptions(muscle_scale=2.0).guidance(own)


def test_every_entrance_has_the_same_default_seed():
    from inspect import signature

    from jsonargparse import ArgumentParser

    from tbd import DEFAULT_SEED
    from tbd.cli.options.drawing import add_drawing_options
    from tbd.pipeline import TalkingHeadPipeline

    parser = ArgumentParser(exit_on_error=False)
    add_drawing_options(parser)
    assert parser.get_default("seed") == SamplingOptions().seed == DEFAULT_SEED
    assert signature(TalkingHeadPipeline.draw).parameters["seed"].default == DEFAULT_SEED


def test_idle_motion_out_of_range_is_refused():
    with pytest.raises(InputError, match="--idle-motion is a factor from 0 to 3, not 4"):
        SamplingOptions(idle_motion=4)
