"""Training of the video model: exact resume, stages, and what a run refuses."""

import lightning as L
import pytest
import torch
from lightning.pytorch.callbacks import EMAWeightAveraging, ModelCheckpoint
from torch import nn

from tbd.data.datasets.samplers import EpochSampler
from tbd.data.datasets.video import VideoBatch, VideoWindows
from tbd.draw.randomness import SampleNoise
from tbd.draw.training_options import InitialWeights, TrainingNoise
from tbd.draw.video.autoencoder import LatentCodec
from tbd.draw.video.denoiser import VideoUNet
from tbd.draw.video.precision import MemoryOptions, keep_norm_dtype
from tbd.draw.video.training_options import VideoConditioningDropout, VideoTraining
from tbd.errors import InputError
from tests.draw.tiny_video import AUTOENCODER, UNET, Losses, TinyVideoData, clip, tiny_video_model


def two_samples() -> VideoBatch:
    return VideoWindows([clip(i) for i in range(2)], 6, 2, jitter=True).__getitems__([0, 3])


def fit(folder, steps: int, ckpt_path=None, die_after=None, save_every: int = 1, **options):
    losses = Losses(die_after)
    keep = ModelCheckpoint(folder, filename="{step}", every_n_train_steps=save_every, save_top_k=-1)
    trainer = L.Trainer(
        max_steps=steps, accelerator="cpu", logger=False, enable_progress_bar=False, enable_model_summary=False, log_every_n_steps=1,
        callbacks=[keep, EMAWeightAveraging(decay=0.9), losses], gradient_clip_val=1.0, num_sanity_val_steps=0, val_check_interval=3,
        default_root_dir=folder,
    )  # fmt: skip
    model = tiny_video_model(**options)
    if die_after:
        with pytest.raises(RuntimeError, match="killed"):
            trainer.fit(model, TinyVideoData(), ckpt_path=ckpt_path)
    else:
        trainer.fit(model, TinyVideoData(), ckpt_path=ckpt_path)
    return losses, model


def test_a_kill_at_any_step_changes_nothing(tmp_path):
    """The epoch has five steps: killed in its middle, at its end, and in the next one."""
    whole, model = fit(tmp_path / "whole", 8)
    assert len(set(whole.values.values())) == 8 and sorted(i for s in range(1, 6) for i in whole.ids[s]) == list(range(10))
    for step in (2, 5, 6):
        fit(tmp_path / str(step), 8, die_after=step + 1)
        rest, resumed = fit(tmp_path / f"{step}b", 8, tmp_path / str(step) / f"step={step}.ckpt")
        assert rest.ids == {s: ids for s, ids in whole.ids.items() if s > step}
        assert rest.values == {s: loss for s, loss in whole.values.items() if s > step}
        for a, b in zip(model.parameters(), resumed.parameters()):
            assert torch.equal(a, b)


def test_stages_train_what_their_patterns_name(tmp_path):
    """The second stage starts from the first's weights, keeps them, and moves its own."""
    _, first = fit(tmp_path, 2, training=VideoTraining(trainable=("denoiser.unet.*attentions*", "denoiser.reference.*")), save_every=2)
    start = tiny_video_model()
    moved = {name for (name, a), (_, b) in zip(first.named_parameters(), start.named_parameters()) if not torch.allclose(a, b, atol=1e-6)}
    assert moved and all("attentions" in name or "reference" in name for name in moved)
    checkpoint = tmp_path / "step=2.ckpt"
    second = tiny_video_model(
        initial=InitialWeights(str(checkpoint), ["*motion_modules*"]), training=VideoTraining(trainable=("denoiser.unet.*motion_modules*",))
    )
    assert {name for name, p in second.named_parameters() if p.requires_grad} == {
        n for n, _ in second.named_parameters() if "motion_modules" in n
    }
    averaged = torch.load(checkpoint, weights_only=True)["state_dict"]
    assert all(torch.equal(value, averaged[name]) for name, value in second.state_dict().items() if "motion_modules" not in name)


def test_a_fused_optimizer_lets_gradients_be_clipped(monkeypatch):
    """As on a GPU; Lightning would refuse."""
    real, made = torch.optim.AdamW, []
    monkeypatch.setattr(torch.optim, "AdamW", lambda groups, **options: made.append(real(groups, **{**options, "fused": True})) or made[-1])
    trainer = L.Trainer(
        accelerator="cpu", precision="bf16-mixed", max_steps=2, gradient_clip_val=1.0, logger=False, enable_progress_bar=False,
        enable_checkpointing=False, enable_model_summary=False, limit_val_batches=0,
    )  # fmt: skip
    trainer.fit(tiny_video_model(), TinyVideoData())
    assert trainer.global_step == 2 and made[0].param_groups[0]["fused"]


def test_every_trained_parameter_has_a_gradient():
    """DDP refuses a parameter that none reaches; the autoencoder and the end of the reference branch never train."""
    model = tiny_video_model()
    model.losses(two_samples())["loss"].backward()
    without = [name for name, p in model.named_parameters() if p.requires_grad and p.grad is None]
    assert not without and not any(p.requires_grad for p in model.autoencoder.parameters())
    assert not model.denoiser.reference.conv_out.weight.requires_grad


@pytest.mark.parametrize("how", ["some", "most"])
def test_saving_memory_changes_no_gradient(how):
    plain, saving = tiny_video_model(), tiny_video_model(memory=MemoryOptions(how))
    kept = []
    for model in (plain, saving):
        sizes: dict[int, int] = {}
        with torch.autograd.graph.saved_tensors_hooks(lambda x, sizes=sizes: sizes.update({x.data_ptr(): x.nbytes}) or x, lambda x: x):
            loss = model.losses(two_samples())["loss"]
        kept.append(sum(sizes.values()))
        loss.backward()
    assert kept[1] < 0.9 * kept[0]
    for a, b in zip(plain.denoiser.parameters(), saving.denoiser.parameters()):
        assert (a.grad is None) == (b.grad is None) and (a.grad is None or torch.allclose(a.grad, b.grad, atol=1e-6))


def test_frozen_weights_train_the_rest_in_half_the_memory():
    """In bf16 autocast the loss is the same within bf16's grain, and what trains stays float32."""
    losses = []
    for halve in (False, True):
        model = tiny_video_model(
            training=VideoTraining(trainable=["denoiser.unet.*motion_modules*"]), memory=MemoryOptions(cast_frozen_to_bf16=halve)
        )
        with torch.autocast("cpu", torch.bfloat16):
            loss = model.losses(two_samples())["loss"]
        loss.backward()
        losses.append(loss.item())
    types = {p.dtype for p in model.parameters() if p.requires_grad}, {p.dtype for p in model.parameters() if not p.requires_grad}
    assert types == ({torch.float32}, {torch.bfloat16}) and losses[0] == pytest.approx(losses[1], rel=2e-2)


def test_a_budget_of_activations_is_the_compilers(monkeypatch):
    with pytest.raises(InputError, match=r"share from 0 to 1, not 1\.5"):
        MemoryOptions(compiled_budget=1.5)
    with pytest.raises(InputError, match="Give compiled_budget or gradient"):
        MemoryOptions("some", compiled_budget=0.3)
    with pytest.raises(InputError, match="set compile: true"):
        tiny_video_model(memory=MemoryOptions(compiled_budget=0.3))
    monkeypatch.setattr(torch._functorch.config, "activation_memory_budget", 1.0)
    model = tiny_video_model(memory=MemoryOptions(compiled_budget=0.3), compile=True)
    monkeypatch.setattr(model.denoiser, "compile_parts", lambda: None)  # takes minutes, and is not in question
    model.compile_parts()
    assert torch._functorch.config.activation_memory_budget == 0.3


def test_norms_answer_as_they_are_asked():
    norms = nn.Sequential(nn.GroupNorm(2, 4), nn.Flatten(), nn.LayerNorm(16))
    x = torch.randn(3, 4, 2, 2)
    plain = norms(x)
    keep_norm_dtype(norms)
    assert torch.equal(norms(x), plain)
    with torch.autocast("cpu", torch.bfloat16):
        half = norms(x.bfloat16())
    assert half.dtype == torch.bfloat16 and torch.allclose(half.float(), plain, atol=0.05)


def test_cached_latents_train_as_pixels_do():
    model = tiny_video_model()
    batch = two_samples()
    cached = {**batch, **{name: model.latents(batch[name]) for name in ("frames", "coarse", "portrait")}}
    assert torch.equal(model.losses(batch)["loss"], model.losses(cached)["loss"])


@torch.no_grad()
def test_a_loss_depends_on_the_samples_alone():
    """Two samples together cost the mean of what they cost apart; another epoch's number brings other noise."""
    model = tiny_video_model().eval()
    batch = two_samples()
    together = float(model.losses(batch)["loss"])
    apart = []
    for i in range(2):
        one = {name: value[i : i + 1] for name, value in batch.items() if name != "plan"} | {"plan": batch["plan"][torch.tensor([i])]}
        apart.append(float(model.losses(one)["loss"]))
    assert together == pytest.approx(sum(apart) / 2, rel=1e-5)
    assert float(model.losses({**batch, "id": batch["id"] + 4})["loss"]) != pytest.approx(together, rel=1e-3)


def test_it_learns():
    """Some steps on one batch bring the loss down."""
    model = tiny_video_model(training=VideoTraining(VideoConditioningDropout(hint=0.0), TrainingNoise(0.05))).train()
    batch = two_samples()
    optimizer = torch.optim.Adam([p for p in model.parameters() if p.requires_grad], 3e-3)
    losses = []
    for step in range(60):
        loss = model.losses({**batch, "id": batch["id"] + 4 * step})["loss"]
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert sum(losses[-15:]) < 0.85 * sum(losses[:15])


def test_noise_offset_is_one_shift_for_a_whole_clip():
    sample_noise = SampleNoise.of([1, 2], 0, (3, 4, 2, 2), 1, torch.device("cpu"))
    assert sample_noise.shift.shape == (2, 1, 4, 1, 1) and not torch.equal(sample_noise.shift[0], sample_noise.shift[1])
    again = SampleNoise.of([2], 0, (3, 4, 2, 2), 1, torch.device("cpu"))
    assert torch.equal(again.noise[0], sample_noise.noise[1]) and torch.equal(again.uniform[0], sample_noise.uniform[1])


def test_refusals_are_one_sentence(tmp_path, monkeypatch):
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)  # a name is looked up in the cache alone
    fit(tmp_path, 1)
    checkpoint = tmp_path / "step=1.ckpt"
    with pytest.raises(InputError, match="another configuration: denoiser"):
        tiny_video_model(
            denoiser=VideoUNet({**UNET, "block_out_channels": [16, 16]}, max_frames=8),
            initial=InitialWeights(str(checkpoint)),
        )
    cut = tmp_path / "cut.ckpt"
    cut.write_bytes(checkpoint.read_bytes()[:-2000])
    with pytest.raises(InputError, match="cut short"):
        tiny_video_model(initial=InitialWeights(str(cut)))
    with pytest.raises(InputError, match="no weights"):
        tiny_video_model(initial=InitialWeights(str(tmp_path / "nothing.ckpt")))
    with pytest.raises(ValueError, match="matches no parameter"):
        tiny_video_model(training=VideoTraining(trainable=["denoiser.unit.*"]))
    with pytest.raises(InputError, match=r"There is no AutoencoderKL no/where.*hf download"):
        LatentCodec("no/where")
    (tmp_path / "folder").mkdir()
    with pytest.raises(InputError, match="does not hold the configuration"):
        VideoUNet(str(tmp_path / "folder"))
    trainer = L.Trainer(accelerator="cpu", max_steps=2, logger=False, enable_progress_bar=False, enable_checkpointing=False)
    with pytest.raises(InputError, match="another configuration"):
        trainer.fit(
            tiny_video_model(denoiser=VideoUNet({**UNET, "layers_per_block": 2}, max_frames=8)), TinyVideoData(), ckpt_path=checkpoint
        )


def test_weights_come_from_a_local_folder(tmp_path):
    """Saved as diffusers saves them, a whole pipeline's folder or the part alone: the same network comes back."""
    codec, denoiser = LatentCodec(AUTOENCODER), VideoUNet(UNET, max_frames=8)
    codec.autoencoder.save_pretrained(tmp_path / "sd" / "vae")
    denoiser.reference.save_pretrained(tmp_path / "sd" / "unet")
    for loaded in (LatentCodec(str(tmp_path / "sd"), "vae"), LatentCodec(str(tmp_path / "sd" / "vae"))):
        assert all(torch.equal(a, b) for a, b in zip(loaded.parameters(), codec.parameters()))
    loaded = VideoUNet(str(tmp_path / "sd"), max_frames=8)
    for a, b in zip(loaded.reference.parameters(), denoiser.reference.parameters()):
        assert torch.equal(a, b)
    pretrained, own = loaded.reference.state_dict(), loaded.unet.state_dict()
    name = "down_blocks.0.attentions.0.transformer_blocks.0.attn2.to_k.weight"
    assert torch.equal(pretrained[name], own[name]) and torch.equal(own["conv_in.weight"][:, :4], pretrained["conv_in.weight"])
    assert not own["conv_in.weight"][:, 4:].any()


def test_clips_that_do_not_fit_together_are_refused():
    with pytest.raises(InputError, match=r"Clip clip1 has frames of size \(3, 8, 8\), clip0 frames of \(3, 16, 16\)"):
        VideoWindows([clip(0), clip(1, side=8)], 6, 2, jitter=False)
    with pytest.raises(InputError, match="Clip clip1 has 5 frames, fewer than a window's 6"):
        VideoWindows([clip(0), clip(1, frames=5)], 6, 2, jitter=False)
    with pytest.raises(InputError, match="Training has 10 windows, fewer than the batch_size of 2 on each of 8 devices"):
        EpochSampler(10, 2, world=8)


@pytest.mark.parametrize("world", [1, 2, 3])
def test_an_epoch_is_shared_out_without_repeats(world):
    """Whatever the number of processes, a step's samples are the same, and a resumed sampler goes on behind them."""
    batch = 6 // world
    sharers = [EpochSampler(20, batch, seed=1, rank=rank, world=world) for rank in range(world)]
    orders = [list(sharer) for sharer in sharers]
    steps = [sorted(i for order in orders for i in order[k * batch : (k + 1) * batch]) for k in range(3)]
    alone = list(EpochSampler(20, 6, seed=1))
    assert steps == [sorted(alone[6 * k : 6 * k + 6]) for k in range(3)] and len(set(alone)) == 18
    sharers[0].skip_to(1, 6)
    assert sharers[0].epoch == 1 and min(rest := list(sharers[0])) >= 20
    sharers[0].set_epoch(1)
    assert list(sharers[0]) == rest and len(rest) == 2 * batch
    sharers[0].set_epoch(2)
    assert len(list(sharers[0])) == 3 * batch
