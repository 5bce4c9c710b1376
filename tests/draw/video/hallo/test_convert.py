"""Every published weight is used, or named as not used and why."""

import pytest
import torch

from tbd.draw.video.hallo.convert import convert, load_published, options_of
from tbd.draw.video.hallo.denoiser import HalloDenoiser
from tbd.errors import InputError
from tests.draw.video.hallo.peer import published_state, shapes


@pytest.mark.parametrize(("name", "count"), [("hallo", 2656), ("emocast", 2832)])
def test_every_weight_of_the_published_size_is_used_or_named(name, count):
    """At full size, without numbers: names and shapes alone."""
    state = {key: torch.empty(shape, device="meta") for key, shape in shapes(f"{name}_full").items()}
    converted = convert(state)
    with torch.device("meta"):
        denoiser = HalloDenoiser(**options_of(state))
    own = denoiser.state_dict()
    assert len(state) == count == len(converted.state) + sum(map(len, converted.unused.values()))
    assert {key: value.shape for key, value in own.items()} == {key: value.shape for key, value in converted.state.items()}
    reasons = {why.split()[0]: len(names) for why, names in converted.unused.items()}
    assert reasons == {"motion": 5 * 28, "second": 16}  # of the last level down and the first one up
    assert converted.silent and all(key.startswith("reference.up_blocks.3.attentions.2") for key in converted.silent)


def test_what_is_named_as_silent_changes_nothing():
    state, denoiser = published_state("hallo"), load_published(published_state("hallo"))
    silent, kept = convert(state).silent, {}
    pictures = (torch.randn(1, 4, 16, 16), torch.zeros(1, dtype=torch.long), torch.randn(1, 4, 32))
    denoiser.reference(*pictures, cross_attention_kwargs={"keep": kept.__setitem__})
    for name in silent:
        denoiser.get_parameter(name).data.add_(1)
    again = {}
    denoiser.reference(*pictures, cross_attention_kwargs={"keep": again.__setitem__})
    assert kept and all(torch.equal(kept[name], again[name]) for name in kept)


def test_another_network_is_refused_by_a_weight_that_differs():
    state = published_state("hallo")
    lacking = {name: value for name, value in state.items() if not name.startswith("denoising_unet.mid_block.audio_modules")}
    with pytest.raises(InputError, match=r"net.pth is not the network.*unet.mid_block.audio_modules.0.norm.weight is missing, and 41 more"):
        load_published(lacking, "net.pth")
    with pytest.raises(InputError, match=r"unet\.mid_block\.extra is unknown"):
        load_published({**state, "denoising_unet.mid_block.extra": torch.zeros(1)}, "net.pth")
    with pytest.raises(InputError, match=r"holds no network of Hallo or EmoCAST: denoising_unet\.conv_in\.weight is missing"):
        load_published({"conv.weight": torch.zeros(1)}, "net.pth")


def test_plan_attention_is_added_without_a_change():
    """A network that is to learn plans starts as the published one."""
    denoiser = load_published(published_state("hallo"), plan_dim=24)
    added = {name for name, _ in denoiser.named_parameters()} - set(convert(published_state("hallo")).state)
    assert "null_tokens" in added and denoiser.plan_dim == 24
    values = [p for name, p in denoiser.named_parameters() if "_value" in name]
    assert len(values) == 20 and not any(value.any() for value in values)
