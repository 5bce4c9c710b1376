"""From prepared clips to the video model's batches: real files, a tiny autoencoder with random weights."""

import json
import shutil

import numpy as np
import pytest
import torch

from tbd.cli.main import main
from tbd.data.datamodules.video import VideoCacheDataModule
from tbd.data.preprocess.cache import Cache
from tbd.data.preprocess.features import VAELatents
from tbd.errors import InputError
from tbd.face.motion import Motion
from tbd.face.render.coarse import downsample, upsample
from tbd.media import read_video
from tests.data.trees import FRAMES


@pytest.fixture(scope="module")
def prepared(tmp_path_factory, prepared_folder):
    """A cache of three clips with all that the video model needs, and a split of them."""
    from diffusers import AutoencoderKL

    root = tmp_path_factory.mktemp("video")
    torch.manual_seed(0)
    blocks = {"down_block_types": ("DownEncoderBlock2D",) * 3, "up_block_types": ("UpDecoderBlock2D",) * 3, "block_out_channels": (8, 8, 8)}
    AutoencoderKL(**blocks, norm_num_groups=4, latent_channels=4).save_pretrained(root / "tiny-vae")
    cache = Cache(shutil.copytree(prepared_folder, root / "cache"))
    members = {"train": ["a", "silent"], "val": ["b"]}
    split = {"name": "three", "dataset": "folder", "by": "clip", "source": "made up", "splits": members, "rest": None}
    (root / "split.json").write_text(json.dumps(split))
    assert main(["preprocess", "features", str(cache.root), "--vae", str(root / "tiny-vae"), "--size", "128", "--coarse"]) == 0
    return cache, root


def data(prepared, **options) -> VideoCacheDataModule:
    cache, root = prepared
    return VideoCacheDataModule(str(cache.root), str(root / "split.json"), **{"window_frames": 8, "context_frames": 2, **options})


def test_features_are_of_the_portrait(prepared):
    cache, root = prepared
    record = next(r for r in cache.records() if r.clip == "a")
    held = {kind: np.load(cache.path(record.file("features", kind))) for kind in ("vae", "coarse", "portrait", "regions")}
    assert held["vae"].shape == held["coarse"].shape == (FRAMES, 4, 32, 32) and held["portrait"].shape == (4, 32, 32)
    rest = Motion.load(cache.path(record.file("motions", "face_mesh"))).most_neutral_frame()
    assert np.allclose(held["portrait"], held["vae"][rest], atol=2e-2)
    lower, upper = held["regions"][3], held["regions"][0]
    assert held["regions"].shape == (5, 32, 32) and lower.max(1).argmax() > upper.max(1).argmax() and (held["regions"][4] == 1).all()
    # the coarse twin of the resting frame is that frame without its detail
    frames = list(read_video(cache.path(record.videos["128"])))
    blurred = VAELatents(root / "tiny-vae", 128).encode([upsample(downsample(frames[rest]), 128, 128)])[0]
    assert (
        np.abs(held["coarse"][rest].astype(float) - blurred).mean()
        < 0.5 * np.abs(held["coarse"][rest].astype(float) - held["vae"][rest]).mean()
    )


def test_lips_and_head_alone_are_what_a_neutral_plan_moves(prepared):
    """Mouth and head as in the coarse frames, brows and lids at rest."""
    cache, _ = prepared
    record = next(r for r in cache.records() if r.clip == "a")
    held = {kind: np.load(cache.path(record.file("features", kind))).astype(float) for kind in ("coarse", "lips_and_head", "portrait")}
    assert held["lips_and_head"].shape == held["coarse"].shape
    rest = Motion.load(cache.path(record.file("motions", "face_mesh"))).most_neutral_frame()
    assert np.allclose(held["lips_and_head"][rest], held["coarse"][rest], atol=2e-2)
    assert not np.allclose(held["lips_and_head"], held["coarse"], atol=2e-2)
    moved = np.abs(held["lips_and_head"] - held["lips_and_head"][rest]).mean()
    assert 0 < moved <= np.abs(held["coarse"] - held["coarse"][rest]).mean() * 1.05


def test_a_motion_away_from_its_rest_starts_there():
    motion = Motion.zeros(4)
    motion["jawOpen"], motion["headYaw"] = np.array([0.4, 0.2, 0.9, 0.5]), 0.3
    away = motion.relative_to(motion.most_neutral_frame())
    assert away["jawOpen"].tolist() == pytest.approx([0.2, 0.0, 0.7, 0.3]) and not away["headYaw"].any()


def test_batches_come_from_the_cache(prepared):
    module = data(prepared, batch_size=2)
    module.setup("fit")
    train, val = module.datasets["train"], module.datasets["val"]
    assert {clip.name for clip in train.clips} == {"a", "silent"} and [clip.name for clip in val.clips] == ["b"]
    batch = val.__getitems__([0, 1])
    assert batch["frames"].shape == batch["coarse"].shape == batch["neutral_coarse"].shape == (2, 8, 4, 32, 32)
    assert batch["frames"].dtype == torch.float32
    assert batch["audio"].shape == (2, 12 * 640) and batch["audio"].abs().max() > 0.01 and not batch["audio"][0, : 2 * 640].any()
    silent = next(i for i, clip in enumerate(train.clips) if clip.name == "silent")
    assert not train.__getitems__([i for i, (clip, _) in enumerate(train.places) if clip == silent])["audio"].any()
    cache, _ = prepared
    record = next(r for r in cache.records() if r.clip == "b")
    stored = np.load(cache.path(record.file("features", "vae")))
    assert np.array_equal(batch["frames"][1].numpy(), stored[8:16].astype(np.float32))


def test_windows_lie_elsewhere_in_another_epoch(prepared):
    module = data(prepared)
    module.setup("fit")
    train = module.datasets["train"]
    starts = {train._place(epoch * len(train))[1] for epoch in range(12)}
    assert len(starts) > 4 and max(starts) <= FRAMES - 8 and train._place(5) == train._place(5)


def test_refusals_are_one_sentence(prepared, tmp_path):
    with pytest.raises(InputError, match=r"no clip with vae@other-64.*there are vae@\w{8}-128 of .*tiny-vae.*tbd preprocess features"):
        VideoCacheDataModule(str(prepared[0].root), str(prepared[1] / "split.json"), "vae@other-64").setup("fit")
    with pytest.raises(InputError, match="no clip of 99 frames"):
        data(prepared, window_frames=99).setup("fit")
    with pytest.raises(InputError, match=r"Clip a has \d+ frames, fewer than a window's 99"):
        data(prepared, window_frames=99, shortest=5).setup("fit")
    assert main(["preprocess", "features", str(prepared[0].root), "--coarse", "--wav2vec2", "x"]) == 2
