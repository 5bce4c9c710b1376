"""Validation and test of the video model in one process; `test_video_ddp.py` has two."""

import lightning as L
import numpy as np
import pytest
import torch

from tbd.data.datasets.video import VideoClip, VideoDataModule
from tbd.draw.randomness import clip_seed
from tbd.draw.video.clip_metrics import VideoClipMetrics
from tbd.metrics.faces.identity import FaceEmbedder, IdentitySimilarity
from tbd.metrics.quality.pixels import FramePSNR, FrameSSIM
from tests.draw.tiny_motion import QUIET
from tests.draw.tiny_video import TinyVideoData, clip, tiny_video_model, wake


class Two(VideoDataModule):
    """Two clips to test on, longer than a window and no multiple of one."""

    def __init__(self, batch_size: int = 1, clips: list[VideoClip] | None = None) -> None:
        super().__init__(6, 2, batch_size, seed=3)
        self.given = clips or [clip(1, frames=13), clip(2, frames=8)]

    def clips(self, split: str) -> list[VideoClip]:
        return self.given


def results_of(model, data) -> dict[str, float]:
    return L.Trainer(**QUIET).test(model, data, verbose=False)[0]


def test_a_test_draws_whole_clips_and_compares_frames():
    model, data = wake(tiny_video_model()), Two()
    logged = results_of(model, data)
    psnr, ssim = FramePSNR(), FrameSSIM()
    for one in data.given:
        rows = [np.moveaxis(array, -3, -1) for array in (one.portrait, one.coarse, one.frames)]
        audio = one.audio.astype(np.float32) / 32768
        drawn = list(model.generate(rows[0], iter(rows[1]), one.region_masks, audio, one.plan, clip_seed(0, one.name)))
        both = [torch.from_numpy(np.stack(list(frames))).permute(0, 3, 1, 2) for frames in (drawn, rows[2])]
        psnr.update(*both)
        ssim.update(*both)
    assert logged == pytest.approx({"test/psnr": float(psnr.compute()), "test/ssim": float(ssim.compute())}, abs=1e-4)


def test_latents_are_compared_with_the_film_or_what_they_decode_to(tmp_path):
    from dataclasses import replace

    from tbd.media import VideoWriter

    model, pixels = wake(tiny_video_model()), clip(1, frames=9)
    names = ("frames", "coarse", "portrait")
    cached = replace(pixels, **{name: model.latents(torch.from_numpy(getattr(pixels, name))).numpy() for name in names})
    with pytest.warns(UserWarning, match="There is no video of clip1 beside its latents"):
        decoded = results_of(model, Two(clips=[cached]))
    film = tmp_path / "clip1.mp4"
    with VideoWriter(film) as writer:
        for frame in np.moveaxis(pixels.frames, 1, -1):
            writer.write(frame)
    logged = results_of(model, Two(clips=[replace(cached, video=film)]))
    assert logged.keys() == decoded.keys() and abs(logged["test/psnr"] - decoded["test/psnr"]) > 1e-3


def test_identity_is_that_of_the_faces_seen():
    """Noise shows no face: the clip counts for pixels and not for identity; an astronaut is herself."""
    import skimage.data

    class Colours(FaceEmbedder):
        def embed(self, faces):
            return faces.float().mean((2, 3))

    screening = VideoClipMetrics(identity=IdentitySimilarity(Colours()))
    noise = torch.randint(0, 255, (3, 3, 64, 64), dtype=torch.uint8)
    assert screening._identity_of(noise, noise) == {"identity": 0.0, "faces": 0.0}
    face = torch.from_numpy(skimage.data.astronaut()).permute(2, 0, 1)[None].expand(2, -1, -1, -1)
    assert screening._identity_of(face, face) == {"identity": pytest.approx(1.0), "faces": 1.0}


def test_validation_depends_on_no_batch_size():
    class Data(TinyVideoData):
        def clips(self, split):
            return [clip(i, frames=18) for i in range(2)]

    found = [L.Trainer(**QUIET).validate(tiny_video_model(), Data(size), verbose=False)[0] for size in (1, 2, 5)]
    assert found[0].keys() == {"val/loss", "val/sample"}
    for other in found[1:]:
        assert other == pytest.approx(found[0], rel=1e-5)
