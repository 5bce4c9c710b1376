"""A pass through a UNet: what diffusers' own does, and what is reused of an earlier step."""

import pytest
import torch

from tbd.draw.conditioning.plan_tensors import PlanTensors
from tbd.draw.guidance.classifier_free import ClassifierFreeGuidance
from tbd.draw.video.feature_reuse import DeepFeatures
from tbd.draw.video.sampling_options import FeatureReuse, VideoSamplingConfig
from tbd.errors import InputError
from tests.draw.tiny_video import PLAN, tiny_video_model, wake
from tests.draw.video.test_denoiser import LinearDenoiser

FRAMES = 6


class Counted:
    """A woken tiny model, its inputs, and how often each layer ran."""

    def __init__(self, **options) -> None:
        self.model = wake(tiny_video_model(**options))
        generator = torch.Generator().manual_seed(3)
        self.noise = torch.randn(1, FRAMES, 4, 8, 8, generator=generator)
        self.rest = {
            "reference": self.model.denoiser.encode_reference(torch.randn(1, 4, 8, 8, generator=generator)),
            "hint": torch.randn(1, FRAMES, 4, 8, 8, generator=generator),
            "region_masks": torch.rand(1, 5, 8, 8, generator=generator),
            "audio": torch.randn(1, (FRAMES + 4) * 640, generator=generator) * 0.1,
            "plan": PlanTensors.collate([PLAN]),
        }
        self.calls: dict[str, int] = {}
        for name, part in self.model.denoiser.unet.named_modules():
            if name.startswith(("down_blocks", "mid_block", "up_blocks")) and name.rsplit(".", 2)[-2:][0] == "resnets":
                part.register_forward_hook(lambda *_, name=name: self.calls.update({name: self.calls.get(name, 0) + 1}))

    def draw(self, **options) -> torch.Tensor:
        self.calls.clear()
        return self.model.sample_window(**self.rest, noise=self.noise, **options)


def test_a_pass_is_that_of_diffusers_to_the_last_bit():
    counted = Counted()
    unet, seen = counted.model.denoiser.unet, []

    def keep(module, args, kwargs, out):
        seen.append((args[0], kwargs["cross_attention_kwargs"]))

    hook = unet.down_blocks[0].attentions[0].register_forward_hook(keep, with_kwargs=True)
    first = unet.conv_in.register_forward_hook(lambda module, args, out: seen.append(args[0]))
    noisy, timestep = counted.noise, torch.tensor([400])
    conditioned = counted.model.denoiser.condition
    given = []
    counted.model.denoiser.condition = lambda reference, every: given.append(every) or conditioned(reference, every)
    counted.draw(num_inference_steps=1)
    seen.clear()
    ours = counted.model.denoiser(noisy, timestep, counted.rest["reference"], given[0])
    hook.remove(), first.remove()
    x, (_, kwargs) = seen
    theirs = unet(x.unflatten(0, (1, FRAMES)).transpose(1, 2), timestep, x.new_zeros(1, 1, 1), cross_attention_kwargs=kwargs).sample
    assert torch.equal(ours, theirs.transpose(1, 2))


def test_deep_layers_are_computed_at_an_interval_and_shallow_ones_at_every_step():
    counted = Counted(sampling=VideoSamplingConfig(6, reuse=FeatureReuse(interval=3, layers=2)))
    drawn = counted.draw()
    deep = {name: n for name, n in counted.calls.items() if not name.startswith(("down_blocks.0", "up_blocks.1"))}
    shallow = {name: n for name, n in counted.calls.items() if name not in deep}
    assert set(deep.values()) == {2} and set(shallow.values()) == {6} and len(deep) == 5 and len(shallow) == 3
    every = Counted(sampling=VideoSamplingConfig(6))
    exact = every.draw()
    assert set(every.calls.values()) == {6}
    # near what is drawn without, though not the same
    apart = (drawn - exact).square().mean().sqrt() / exact.square().mean().sqrt()
    assert 0 < apart < 0.2, apart


def test_a_single_layer_reads_nothing_of_the_way_down():
    counted = Counted(sampling=VideoSamplingConfig(4, reuse=FeatureReuse(interval=4)))
    counted.draw()
    assert counted.calls.pop("up_blocks.1.resnets.1") == 4 and set(counted.calls.values()) == {1}


def test_an_interval_of_one_reuses_nothing():
    exact = Counted().draw(num_inference_steps=3)
    assert torch.equal(Counted(sampling=VideoSamplingConfig(3, reuse=FeatureReuse(interval=1))).draw(), exact)


@pytest.mark.parametrize("sequential", [False, True])
def test_each_group_of_branches_keeps_its_own(sequential):
    """What a branch is not given must not come back by what another has kept."""
    counted = Counted(sampling=VideoSamplingConfig(4, reuse=FeatureReuse(interval=2)))
    guidance = ClassifierFreeGuidance(2.0)
    together = counted.draw(guidance=guidance)
    apart = counted.draw(guidance=guidance, sequential=sequential)
    assert torch.allclose(together, apart, atol=1e-5)


def test_what_cannot_be_reused_is_refused():
    with pytest.raises(InputError, match="from 1, not 0 and 1"):
        FeatureReuse(interval=0)
    with pytest.raises(InputError, match="3 layers are to be computed; the last block has 2"):
        Counted(sampling=VideoSamplingConfig(2, reuse=FeatureReuse(2, 3))).draw()
    with pytest.raises(InputError, match="LinearDenoiser has no deep layers"):
        tiny_video_model(denoiser=LinearDenoiser(), sampling=VideoSamplingConfig(2, reuse=FeatureReuse()))


def test_a_group_of_branches_that_comes_back_does_not_go_on_with_old_features():
    """Guidances leave branches out for a while."""
    deep = DeepFeatures(FeatureReuse(interval=2))
    deep.at_step(0).keep(torch.ones(1))
    assert deep.at_step(1).kept is not None and deep.at_step(5).kept is None
    deep.keep(torch.ones(1))
    assert deep.at_step(6).kept is None
