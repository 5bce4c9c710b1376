"""A denoiser of one's own needs two methods; what the base class gives works."""

import lightning as L
import torch
from torch import Tensor, nn

from tbd.draw.export import load_model, save_model
from tbd.draw.video.denoiser import ReferenceFeatures, VideoConditioning, VideoDenoiser
from tbd.draw.video.diffusion import VideoDiffusion
from tbd.draw.video.precision import MemoryOptions
from tests.draw.tiny_motion import QUIET
from tests.draw.tiny_video import AUTOENCODER, DIM, TinyVideoData, tiny_video_model


class LinearDenoiser(VideoDenoiser):
    """Convolves latents, hint and portrait; adds audio and plan as one number for each channel."""

    plan_dim = audio_dim = DIM
    channels, max_frames = 4, 8
    calls = 0

    def __init__(self, width: int = 8) -> None:
        super().__init__()
        self.convolve = nn.Sequential(nn.Conv2d(12, width, 3, padding=1), nn.SiLU(), nn.Conv2d(width, 4, 3, padding=1))
        self.audio, self.plan = nn.Linear(DIM, 4), nn.Linear(DIM, 4)

    def encode_reference(self, portrait: Tensor) -> ReferenceFeatures:
        return {"portrait": portrait}

    def forward(self, noisy: Tensor, timestep: Tensor, reference: ReferenceFeatures, conditioning: VideoConditioning) -> Tensor:
        type(self).calls += 1
        portrait = reference["portrait"][:, None].expand_as(noisy)
        x = self.convolve(torch.cat([noisy, conditioning.hint, portrait], 2).flatten(0, 1)).unflatten(0, noisy.shape[:2])
        audio = self.audio(conditioning.audio_embeds) * conditioning.audio_mask[:, None, None]  # (B, T, 4)
        plan = sum(
            torch.einsum("bnt,bnc->btc", presence, self.plan(tokens))
            for tokens, presence in (
                (conditioning.plan.global_tokens, conditioning.plan.global_presence),
                (conditioning.plan.local_tokens, conditioning.plan.local_presence),
            )
        )
        return x + (audio + plan)[..., None, None]


def test_it_trains_and_draws_from_its_exported_folder(tmp_path):
    model = tiny_video_model(denoiser=LinearDenoiser())
    trainer = L.Trainer(max_steps=1, num_sanity_val_steps=0, limit_val_batches=0, **QUIET)
    trainer.fit(model, TinyVideoData())
    trainer.save_checkpoint(tmp_path / "run.ckpt")
    part = "tbd.draw.conditioning"
    parts = {
        "denoiser": {"class_path": f"{__name__}.LinearDenoiser", "init_args": {"width": 8}},
        "autoencoder": {"class_path": "tbd.draw.video.autoencoder.LatentCodec", "init_args": {"autoencoder": AUTOENCODER}},
        "plan_encoder": {"class_path": f"{part}.plan_encoder.MuscleTokenEncoder", "init_args": {"dim": DIM}},
        "audio_encoder": {
            "class_path": f"{part}.audio_encoder.MelEncoder",
            "init_args": {"dim": DIM, "bins": 20, "context": 2, "dropout": 0.0},
        },
        "noise_scheduler": {"class_path": "diffusers.DDIMScheduler", "init_args": {"prediction_type": "v_prediction"}},
        "guidance": {"class_path": "tbd.draw.guidance.base.NoGuidance"},
        "windows": {"frames": 6, "past": 2},
    }
    import yaml

    config = {"model": {"class_path": "tbd.draw.video.diffusion.VideoDiffusion", "init_args": parts}}
    (tmp_path / "config.yaml").write_text(yaml.safe_dump(config))
    save_model(tmp_path / "run.ckpt", tmp_path / "config.yaml", tmp_path / "model")
    loaded = load_model(tmp_path / "model", VideoDiffusion)
    assert isinstance(loaded.denoiser, LinearDenoiser)
    weights = [network.denoiser.convolve[0].weight for network in (loaded, model)]
    assert torch.allclose(*weights, atol=1e-3)


def test_gradient_checkpointing_computes_it_again_and_changes_no_gradient():
    grads, calls = [], []
    for how in ("nothing", "some"):
        torch.manual_seed(0)
        model = tiny_video_model(denoiser=LinearDenoiser(), memory=MemoryOptions(how)).train()
        data = TinyVideoData()
        data.setup("fit")
        batch, LinearDenoiser.calls = data.datasets["train"].__getitems__([0, 1]), 0
        model.losses(batch)["loss"].backward()
        grads.append(model.denoiser.convolve[0].weight.grad)
        calls.append(LinearDenoiser.calls)
    assert torch.allclose(*grads) and calls == [1, 2]


def test_fsdp_gathers_it_as_a_whole():
    denoiser = LinearDenoiser()
    assert list(denoiser.fsdp_modules()) == [denoiser] and denoiser.describe({"width": 3}) == {"width": 3}
