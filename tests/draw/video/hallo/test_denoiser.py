"""Our network with a peer's weights does what the peer's network does with them."""

import pytest
import torch
from diffusers import DDIMScheduler
from torch import Tensor
from torch.distributed.device_mesh import init_device_mesh

from tbd.draw.conditioning.plan_encoder import PlanEmbeds
from tbd.draw.guidance.base import COND, NOTHING
from tbd.draw.guidance.classifier_free import ClassifierFreeGuidance
from tbd.draw.sampling import Past, denoise, repeat_batch
from tbd.draw.video.denoiser import VideoConditioning
from tbd.draw.video.fsdp import apply_fsdp2
from tbd.draw.video.hallo.convert import load_published
from tbd.draw.video.hallo.denoiser import HalloDenoiser
from tbd.draw.video.hallo.published import NOISE_SCHEDULER
from tests.draw.video.hallo.peer import Peer, apart, published_state, sample

CLOSE = 1e-4
SIDE, PIXELS, FRAMES, PAST = 16, 128, 4, 2


class Run:
    """A tiny published network, and what its peer was given."""

    def __init__(self, name: str) -> None:
        self.peer, self.name = Peer(f"{name}_tiny"), name
        self.net = load_published(published_state(name), audio_scales=tuple(self.peer["motion_scale"].tolist()))
        self.net.eval().requires_grad_(False)
        mask = torch.zeros(1, 3, PIXELS, PIXELS)
        mask[..., 30:100, 25:90] = 1
        latents, audio = self.peer.tensor("ref_latents"), self.peer.tensor("audio_feat").flatten(2)
        self.reference = {"portrait": latents[:1], "face_embedding": self.peer.tensor("face_emb"), "face_mask": mask}
        for i in range(4):
            places = [self.peer.tensor(f"mask_{place}_{i}") for place in ("full", "face", "lip")]
            self.reference[f"audio_masks.{i}"] = torch.stack(places, 1)
        self.noise = self.peer.tensor("noise").transpose(1, 2)
        self.past = Past.of(latents[None, 1:], torch.cat([torch.zeros(1, PAST, 4, SIDE, SIDE), self.noise], 1))
        self.audio = torch.cat([torch.zeros(1, PAST, audio.shape[2]), audio], 1)

    def plan(self) -> PlanEmbeds:
        if self.name == "hallo":
            return PlanEmbeds(*[torch.zeros(2, 0, 32), torch.zeros(2, 0, PAST + FRAMES)] * 2, torch.zeros(2, 0, dtype=torch.long))
        text, empty = self.peer.tensor("text"), self.peer.tensor("text_empty")
        presence = torch.ones(2, 77, PAST + FRAMES)
        presence[0] = 0  # the branch that is given nothing
        local = torch.cat([text, empty, text], 1).repeat(2, 1, 1)
        return PlanEmbeds(text.repeat(2, 1, 1), presence, local, torch.zeros(2, 231, PAST + FRAMES), torch.zeros(2, 231, dtype=torch.long))

    def conditioning(self) -> VideoConditioning:
        given = torch.tensor([0.0, 1.0])
        rest = (torch.zeros(2, 6, 4, SIDE, SIDE), torch.zeros(2, 5, SIDE, SIDE))
        mask, values = repeat_batch(self.past.mask, 2), repeat_batch(self.past.values, 2)
        return VideoConditioning(self.plan(), repeat_batch(self.audio, 2), given, *rest, mask, values, given)

    def conditioned(self) -> dict[str, Tensor]:
        return self.net.condition({name: repeat_batch(x, 2) for name, x in self.reference.items()}, self.conditioning())


@pytest.fixture(scope="module", params=["hallo", "emocast"])
def run(request) -> Run:
    return Run(request.param)


def test_the_projections_are_the_peers(run):
    assert apart(run.net.audio_projection(run.audio[:, PAST:]), run.peer["audio_tokens"]) < CLOSE
    embedding = run.reference["face_embedding"]
    assert apart(run.net.face_projection(embedding), run.peer["face_tokens"]) < CLOSE
    assert apart(run.net.face_projection(torch.zeros_like(embedding)), run.peer["face_tokens_zero"]) < CLOSE
    assert apart(sample(run.net.face_locator(run.reference["face_mask"]), 512), run.peer["locator"]) < CLOSE


def test_the_reference_pass_is_the_peers(run):
    found, names = run.conditioned(), run.peer.names("bank/")
    assert len(names) == 10  # every spatial transformer
    for name in names:
        own = f"{name}.attn1.processor"
        portrait = torch.stack([found[own][0, :1], found[own][1, 1:]])  # without and with the identity
        pictures = torch.cat([portrait, found[f"past.{own}"]], 1).flatten(0, 1)
        assert apart(sample(pictures), run.peer[f"bank/{name}"]) < CLOSE, name


def test_each_attention_and_one_step_are_the_peers(run):
    taps: dict[str, Tensor] = {}

    def tap(name: str):
        return lambda _, __, out: taps.update({name: out[0] if isinstance(out, tuple) else out})

    names = run.peer.names("tap/")
    assert len(names) == 30  # spatial, audio and motion transformers
    hooks = [run.net.unet.get_submodule(name).register_forward_hook(tap(name)) for name in names]
    timestep = DDIMScheduler(**NOISE_SCHEDULER)
    timestep.set_timesteps(5)
    noisy = torch.where(run.past.mask[..., None, None, None] > 0, run.past.values, torch.cat([run.past.values[:, :PAST], run.noise], 1))
    pred = run.net(repeat_batch(noisy, 2), timestep.timesteps[0].expand(2), run.conditioned(), run.conditioning())
    for hook in hooks:
        hook.remove()
    for name in names:
        theirs = taps[name].unflatten(0, (2, FRAMES)).transpose(1, 2).contiguous()
        assert apart(sample(theirs), run.peer[f"tap/{name}"]) < CLOSE, name
    assert apart(pred[:, PAST:].transpose(1, 2), run.peer["pred"]) < CLOSE and not pred[:, :PAST].any()


def test_a_window_with_classifier_free_guidance_is_the_peers(run):
    found, conditioning = run.conditioned(), run.conditioning()
    steps = []

    def predict(branches, noisy, timestep, step):
        assert branches == (NOTHING, COND)
        if len(steps):
            assert apart(noisy[:, PAST:].transpose(1, 2), run.peer[f"step_{len(steps) - 1}"]) < CLOSE
        steps.append(timestep)
        pred = run.net(repeat_batch(noisy, 2), timestep.expand(2), found, conditioning)
        return dict(zip(branches, pred.chunk(2)))

    noise = torch.cat([torch.zeros(1, PAST, 4, SIDE, SIDE), run.noise], 1)
    guidance = ClassifierFreeGuidance(3.5, "everything")
    drawn = denoise(predict, noise, run.past, DDIMScheduler(**NOISE_SCHEDULER), 5, guidance, torch.ones(5, 1, 1, 1, 1, 1))
    assert len(steps) == 5 and apart(drawn[:, PAST:].transpose(1, 2), run.peer["step_4"]) < CLOSE


def test_without_mixed_identities_no_frame_reads_the_other_branch():
    run = Run("hallo")
    run.net.mixed_identity = False
    found = run.conditioned()
    name = next(name for name in found if name.startswith("up_blocks.3") and not name.startswith("past."))
    assert found[name].shape[1] == 1
    nobody = run.net.condition(
        {name: repeat_batch(x, 2) for name, x in {**run.reference, "face_embedding": torch.zeros(1, 512)}.items()}, run.conditioning()
    )
    assert not torch.allclose(found[name][1], nobody[name][1], atol=1e-3) and torch.allclose(found[name][0], nobody[name][0])


def test_a_window_that_continues_nothing_continues_the_portrait():
    run = Run("hallo")
    conditioning = run.conditioning()
    conditioning.past_mask = torch.zeros_like(conditioning.past_mask)
    reference = {name: repeat_batch(x, 2) for name, x in run.reference.items()}
    withheld = run.net.condition(reference, conditioning)
    conditioning = run.conditioning()
    conditioning.past = run.reference["portrait"][:, None].expand(2, 6, -1, -1, -1)
    still = run.net.condition(reference, conditioning)
    assert all(torch.equal(withheld[name], still[name]) for name in withheld)


@pytest.mark.parametrize("how", ["some", "most"])
def test_gradients_are_the_same_when_activations_are_computed_again(how):
    gradients = []
    for checkpointing in (False, True):
        run = Run("hallo")
        net: HalloDenoiser = run.net.requires_grad_(True).train()
        if checkpointing:
            net.enable_gradient_checkpointing(how)
        x = torch.cat([run.past.values[:, :PAST], run.noise], 1)
        net(repeat_batch(x, 2), torch.tensor([500, 500]), run.conditioned(), run.conditioning()).square().mean().backward()
        gradients.append(net.unet.down_blocks[0].audio_modules[0].transformer_blocks[0].attn2[2].to_k.weight.grad)
        assert all(part in set(net.modules()) for part in net.fsdp_modules())
    assert gradients[0].abs().sum() > 0 and torch.allclose(*gradients, rtol=1e-4, atol=1e-9)


def test_weights_that_are_shared_out_are_gathered_before_they_are_read(tmp_path):
    """The UNet that draws is never called as one, so that what lies outside of its blocks belongs to the whole."""
    torch.distributed.init_process_group("gloo", init_method=f"file://{tmp_path / 'group'}", rank=0, world_size=1)
    try:
        run = Run("hallo")
        net: HalloDenoiser = run.net.requires_grad_(True).train()
        mesh = init_device_mesh("cpu", (1, 1), mesh_dim_names=("copies", "shares"))
        apply_fsdp2(net, net.fsdp_modules(), mesh, ["encode_reference", "condition"])
        x = torch.cat([run.past.values[:, :PAST], run.noise], 1)
        net(repeat_batch(x, 2), torch.tensor([500, 500]), run.conditioned(), run.conditioning()).square().mean().backward()
        assert net.unet.conv_in.weight.grad.full_tensor().abs().sum() > 0
    finally:
        torch.distributed.destroy_process_group()
