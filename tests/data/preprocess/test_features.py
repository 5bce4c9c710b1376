"""Features of tiny networks with random weights, made on the spot."""

import re
import shutil
from dataclasses import replace

import numpy as np
import pytest
import torch
from diffusers import AutoencoderKL

from tbd.cli.main import main
from tbd.data.preprocess.cache import Cache
from tbd.data.preprocess.features import VAELatents, Wav2Vec2Features
from tbd.data.preprocess.sound import save_sound
from tbd.data.records import ClipRecord
from tbd.media import read_video
from tests.data.trees import FRAMES


@pytest.fixture(scope="module")
def networks(tmp_path_factory):
    from transformers import Wav2Vec2Config, Wav2Vec2Model

    torch.manual_seed(0)
    root = tmp_path_factory.mktemp("networks")
    blocks = {"down_block_types": ("DownEncoderBlock2D",) * 2, "up_block_types": ("UpDecoderBlock2D",) * 2, "block_out_channels": (8, 8)}
    AutoencoderKL(**blocks, norm_num_groups=4, latent_channels=4).save_pretrained(root / "tiny-vae")
    sizes = {"hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 16, "conv_dim": (8,) * 7}
    Wav2Vec2Model(Wav2Vec2Config(**sizes, num_conv_pos_embedding_groups=2)).save_pretrained(root / "tiny-wav2vec2")
    return root


@pytest.fixture(scope="module")
def cache(tmp_path_factory, prepared_folder):
    return Cache(shutil.copytree(prepared_folder, tmp_path_factory.mktemp("folder") / "cache"))


def test_features_lie_beside_their_clips(cache, networks, capsys):
    arguments = ["preprocess", "features", str(cache.root), "--vae", str(networks / "tiny-vae")]  # of the cache's largest size
    arguments += ["--wav2vec2", str(networks / "tiny-wav2vec2")]
    assert main(arguments) == 0
    records = {record.clip: record for record in cache.records()}
    latents = np.load(cache.path(records["a"].file("features", "vae")))
    sound = np.load(cache.path(records["a"].file("features", "wav2vec2")))
    assert latents.shape == (FRAMES, 4, 64, 64) and sound.shape == (FRAMES, 16)
    assert latents.dtype == sound.dtype == np.float16 and np.isfinite(latents).all() and np.isfinite(sound).all()
    (name,) = records["silent"].features
    assert re.fullmatch(r"vae@[0-9a-f]{8}-128", name)
    assert cache.path(f"features/{name}/source.txt").read_text().strip() == str(networks / "tiny-vae")
    before = cache.path(records["a"].file("features", "vae")).stat().st_mtime_ns
    assert main(arguments) == 0
    assert cache.path(records["a"].file("features", "vae")).stat().st_mtime_ns == before
    Cache(cache.root).require(cache.records())


def test_a_network_has_one_name_wherever_it_lies(networks, tmp_path):
    shutil.copytree(networks / "tiny-vae", tmp_path / "elsewhere" / "vae")
    here, there = VAELatents(networks / "tiny-vae", 64), VAELatents(tmp_path / "elsewhere", 64)  # the root of a pipeline
    other = AutoencoderKL.from_config(here.vae.config)
    other.save_pretrained(tmp_path / "tiny-vae")
    assert here.name == there.name != VAELatents(tmp_path / "tiny-vae", 64).name


def test_a_size_that_the_cache_has_not_is_refused_and_nothing_done_is_an_error(cache, networks, tmp_path, capsys):
    arguments = ["preprocess", "features", str(cache.root), "--vae", str(networks / "tiny-vae"), "--size", "512"]
    assert main(arguments) == 2
    assert "has 64 and 128, not videos of 512 pixels; leave --size out" in capsys.readouterr().err
    mute = Cache.claim(tmp_path / "mute", source="folder", sizes=[64], crop="portrait-1")
    mute.save_record(ClipRecord("a", "folder", "a", "a", status="ready", frames=30))
    mute.write_manifest()
    assert main(["preprocess", "features", str(mute.root), "--wav2vec2", str(networks / "tiny-wav2vec2")]) == 1
    assert "0 clips done, since none of the 1 ready clips" in capsys.readouterr().err


def test_latents_are_those_of_each_frame(cache, networks):
    """Frame by frame and unscaled, against the batches that are written."""
    extractor = VAELatents(networks / "tiny-vae", 64)
    record = next(r for r in cache.records() if r.clip == "a")
    written = extractor.extract(cache, record)
    frame = list(read_video(cache.path(record.videos["64"])))[17]
    pixels = torch.from_numpy(frame).permute(2, 0, 1)[None].float() / 127.5 - 1
    alone = extractor.vae.encode(pixels).latent_dist.mean * extractor.vae.config.scaling_factor
    assert torch.allclose(torch.from_numpy(written[17]).float(), alone[0], atol=2e-3)


def test_sound_features_keep_time(cache, networks):
    """Sound that begins at frame 20 of 30 changes the features most there."""
    extractor = Wav2Vec2Features(networks / "tiny-wav2vec2", layer=0)
    record = next(r for r in cache.records() if r.clip == "a")
    sound = np.zeros(FRAMES * 640, np.float32)
    sound[20 * 640 :] = np.sin(np.arange(10 * 640) / 3) * 0.5
    save_sound(cache.path("late.wav"), sound)
    features = extractor.extract(cache, replace(record, audio="late.wav")).astype(float)
    change = np.linalg.norm(np.diff(features, axis=0), axis=1)
    assert abs(int(change.argmax()) + 0.5 - 19.5) <= 1


def test_bad_input(cache, networks, tmp_path, capsys):
    for arguments, said in [
        ([str(cache.root)], "Nothing to extract"),
        ([str(tmp_path), "--vae", str(networks / "tiny-vae")], "no prepared cache"),
        ([str(cache.root), "--vae", str(tmp_path)], "does not hold the configuration and weights of a AutoencoderKL"),
    ]:
        assert main(["preprocess", "features", *arguments]) == 2
        message = capsys.readouterr().err.strip().splitlines()[-1]
        assert said in message
