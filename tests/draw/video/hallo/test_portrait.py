"""The masks and the face of a portrait are what the published programs make of them."""

import numpy as np
import pytest

from tbd.draw.video.hallo.denoiser import HalloDenoiser
from tbd.draw.video.hallo.portrait import face_masks, read_face
from tbd.face.geometry import FaceGeometry
from tbd.face.portrait import crop_portrait
from tbd.metrics.networks.onnx_embedder import ONNXFaceEmbedder
from tests.draw.video.hallo.peer import FIXTURES, Peer


@pytest.mark.parametrize("face", ["0", "1"])
def test_masks_are_the_peers(face):
    """One face in the middle of a picture, one that reaches its border."""
    peer = Peer("portrait")
    masks = face_masks(peer[f"{face}/points"], 512, 512)
    assert masks.box == tuple(peer[f"{face}/box"])
    for i, side in enumerate((64, 32, 16, 8)):
        theirs = np.stack([peer[f"{face}/{place}_{i}"] for place in ("full", "face", "lip")])
        assert np.array_equal((masks.at((side, side)) * 255).round().astype(np.uint8), theirs)


def test_a_portrait_is_read_at_every_level():
    points = np.pad(Peer("portrait")["0/points"], ((0, 0), (0, 1)))
    image = np.random.default_rng(0).integers(0, 255, (512, 512, 3), np.uint8)
    face = FaceGeometry(image, points, points, np.eye(3, dtype=np.float32), 100.0, np.zeros(2, np.float32))
    sizes = [(64, 64), (32, 32), (16, 16), (8, 8)]
    read = read_face(face, ONNXFaceEmbedder(FIXTURES / "embedder.onnx"), 512, sizes)
    assert [read[f"audio_masks.{i}"].shape for i in range(4)] == [(1, 3, h * w) for h, w in sizes]
    left, top, right, bottom = Peer("portrait")["0/box"]
    assert read["face_mask"].sum() == 3 * (right - left) * (bottom - top) and read["face_mask"][0, :, top, left].all()
    assert read["face_embedding"].shape == (1, 512) and read["face_embedding"].abs().sum() > 1
    assert not read_face(face, None, 512, sizes)["face_embedding"].any()


def test_the_crop_shows_as_much_of_the_face_as_the_programs_want():
    """Their READMEs ask for faces of 50 to 70 % of the picture."""
    points = np.pad(Peer("portrait")["0/points"], ((0, 0), (0, 1)))
    image = np.zeros((2048, 2048, 3), np.uint8)
    face = FaceGeometry(image, points + np.float32(700), points, np.eye(3, dtype=np.float32), 100.0, np.zeros(2, np.float32))
    cropped = crop_portrait(face, 512, HalloDenoiser.headroom)
    assert 0.5 < np.ptp(cropped.points[:, :2], 0).max() / 512 < 0.7
