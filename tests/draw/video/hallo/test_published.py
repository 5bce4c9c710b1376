"""Published models from their files, with tiny networks in their place: loaded, drawn with, exported, refused."""

import shutil
import wave

import numpy as np
import pytest
import torch
from diffusers import DDIMScheduler

from tbd.cli.main import main
from tbd.draw.export import load_model, save_loaded_model
from tbd.draw.guidance.text_progression import TextProgressionGuidance
from tbd.draw.sampling import denoise
from tbd.draw.video.diffusion import VideoDiffusion
from tbd.draw.video.hallo.published import NOISE_SCHEDULER, is_published, load_published_model
from tbd.draw.video.loading import load_video_model
from tbd.errors import InputError
from tbd.media import read_audio, read_video
from tbd.think.plan import MuscleAction, MusclePlan
from tbd.utils.sample_inputs import PORTRAIT, VOICE
from tbd.weights import WeightsNotFoundError
from tests.draw.video.hallo.tiny_published import write_published, write_text_model

SIZE = 64
HAPPY = MusclePlan(emotions={"happy": 1.0}, intensity=0.9, actions=(MuscleAction(unit=12, intensity=0.9),), description="a happy face")
SAD = MusclePlan(emotions={"sad": 1.0}, intensity=0.9, actions=(MuscleAction(unit=15, intensity=0.9),), description="a sad face")


@pytest.fixture(scope="module", params=["hallo", "emocast"])
def weights(request, tmp_path_factory):
    folder = write_published(tmp_path_factory.mktemp("weights"), request.param)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TBD_WEIGHTS", str(folder))
        yield request.param, folder


def draw(model: VideoDiffusion, frames: int = 20, plan: MusclePlan = HAPPY, **options) -> torch.Tensor:
    generator = torch.Generator().manual_seed(0)
    features = {"face_mask": torch.ones(1, 3, SIZE, SIZE), "face_embedding": torch.randn(1, 512, generator=generator)}
    for i, side in enumerate((8, 4, 2, 1)):
        features[f"audio_masks.{i}"] = torch.rand(1, 3, side * side, generator=generator)
    portrait = torch.randn(1, 4, SIZE // 8, SIZE // 8, generator=generator)
    audio = np.random.default_rng(0).normal(0, 0.1, frames * 640).astype(np.float32)
    masks = torch.rand(5, SIZE // 8, SIZE // 8, generator=generator)

    def no_hints(_):
        raise AssertionError("coarse frames were asked for")

    pieces = model.draw_latents(portrait, no_hints, masks, audio, plan, portrait_features=features, **{"num_inference_steps": 2} | options)
    return torch.cat(list(pieces), 1)


@pytest.fixture(scope="module")
def model(weights) -> VideoDiffusion:
    return load_published_model(weights[0]).float()


def test_windows_have_sixteen_new_frames_each(model):
    whole, one_by_one = draw(model, 20, num_inference_steps=1), draw(model, 16, sequential=True)
    assert whole.shape == (1, 20, 4, 8, 8) and torch.isfinite(whole).all() and one_by_one.shape[1] == 16
    plain = draw(model, 16)
    assert (one_by_one - plain).abs().max() < 1e-3 * plain.abs().max()  # --low-memory


def test_only_a_network_that_reads_words_hears_of_the_plan(model):
    differ = not torch.allclose(draw(model, 2), draw(model, 2, SAD), atol=1e-5)
    assert differ == model.denoiser.words


def test_words_of_a_guidance_reach_the_network(model):
    if not model.denoiser.words:
        pytest.skip("Hallo's network reads no words")
    kinds = [("emotion", "emotion"), ("emotion", "muscles"), ("both", "both")]
    drawn = [draw(model, 2, guidance=TextProgressionGuidance(*kind)) for kind in kinds]
    assert all(not torch.allclose(a, b, atol=1e-5) for i, a in enumerate(drawn) for b in drawn[:i])


def test_generate_draws_a_video(weights, tmp_path, capsys, monkeypatch):
    """With the guidance of words, or in little memory."""
    name = weights[0]
    own = ["--guidance", "configs/guidance/progressive_text.yaml"] if name == "emocast" else ["--low-memory"]
    with wave.open(f"{tmp_path}/voice.wav", "wb") as file:
        file.setparams((1, 2, 16000, 0, "NONE", ""))
        file.writeframes((read_audio(VOICE)[: 17 * 640] * 32767).astype(np.int16).tobytes())
    what = ["--portrait", str(PORTRAIT), "--audio", f"{tmp_path}/voice.wav", "--emotion", "happy", "--output", f"{tmp_path}/out.mp4"]
    how = ["--renderer", "video", "--checkpoint", name, "--size", str(SIZE), "--num-inference-steps", "1"]
    used = []
    monkeypatch.setattr("tbd.draw.window_model.denoise", lambda *args: used.append(args[3]) or denoise(*args))
    assert not main(["generate", *what, *how, *own, "--noise-scheduler", "diffusers.DDIMScheduler"])
    # as the authors' programs draw; the motion model, which draws as well, was trained otherwise
    (theirs,) = {id(kind): kind for kind in used if kind.config.prediction_type == "v_prediction"}.values()
    assert type(theirs) is DDIMScheduler and all(theirs.config[name] == value for name, value in NOISE_SCHEDULER.items())
    said = " ".join(capsys.readouterr().err.split())
    assert ("reads portrait and voice alone" in said) == (name == "hallo") and ("names no licence" in said) == (name == "emocast")
    frames = list(read_video(tmp_path / "out.mp4"))
    assert len(frames) == 17 and frames[0].shape == (SIZE, SIZE, 3)


def test_a_model_is_exported_and_loaded_again(model, tmp_path):
    save_loaded_model(model, tmp_path / "model")
    again = load_model(tmp_path / "model", VideoDiffusion)
    theirs = again.state_dict()
    assert {name: value.half() for name, value in model.state_dict().items()}.keys() == theirs.keys()
    assert all(torch.equal(value.half(), theirs[name].half()) for name, value in model.state_dict().items())
    assert draw(again, 1).shape == (1, 1, 4, 8, 8)


def test_missing_and_wrong_files_are_named(weights, tmp_path, monkeypatch):
    name, folder = weights
    copy = shutil.copytree(folder, tmp_path / "weights")
    monkeypatch.setenv("TBD_WEIGHTS", str(copy))
    (copy / "antelopev2/glintr100.onnx").unlink()
    with pytest.raises(WeightsNotFoundError, match=rf"lack 1 of \d+ files: .*glintr100.onnx; `tbd weights fetch {name}`"):
        load_published_model(name)
    shutil.copy(folder / "antelopev2/glintr100.onnx", copy / "antelopev2")
    torch.save({"conv.weight": torch.zeros(2)}, copy / name / "net.pth")
    with pytest.raises(InputError, match=r"net\.pth"):
        load_published_model(name)


def test_one_networks_file_in_the_others_place_is_noticed(tmp_path, monkeypatch):
    folder = write_published(tmp_path / "weights", "hallo")
    (folder / "emocast").mkdir()
    shutil.copytree(folder / "hallo", folder / "emocast", dirs_exist_ok=True)
    write_text_model(folder / "clip-vit-large-patch14")
    monkeypatch.setenv("TBD_WEIGHTS", str(folder))
    with pytest.raises(InputError, match=r"net\.pth is not the network of emocast, but of hallo: it has no attention to words"):
        load_published_model("emocast")


def test_names_of_published_models(tmp_path, monkeypatch):
    assert is_published("hallo") and is_published("emocast") and not is_published("motion_base")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "hallo").mkdir()
    assert not is_published("hallo")  # a folder of that name goes first
    monkeypatch.setenv("TBD_WEIGHTS", str(tmp_path / "none"))
    with pytest.raises(InputError, match="lack 12 of 12 files"):
        load_video_model("emocast")
