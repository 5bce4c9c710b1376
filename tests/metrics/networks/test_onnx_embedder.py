"""A face network in ONNX's format: what it computes, and what is said where it is absent or another."""

import pytest
import torch

from tbd.errors import InputError
from tbd.metrics.networks.onnx_embedder import ONNXFaceEmbedder
from tbd.weights import WeightsNotFoundError
from tests.draw.video.hallo.peer import FIXTURES


def test_faces_are_scaled_and_embedded_one_by_one():
    """The fixture averages each quarter of a face and multiplies by a matrix."""
    embedder = ONNXFaceEmbedder(FIXTURES / "embedder.onnx")
    faces = torch.randint(0, 255, (2, 3, 112, 112), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    found = embedder.embed(faces)
    assert found.shape == (2, 512) and not torch.allclose(found[0], found[1])
    assert torch.allclose(found[1:], embedder.embed(faces[1:]))
    grey = embedder.embed(torch.full((1, 3, 112, 112), 255, dtype=torch.uint8))
    black = embedder.embed(torch.zeros(1, 3, 112, 112, dtype=torch.uint8))
    assert torch.allclose(grey, -black, atol=1e-4)  # −1 and 1


def test_absent_and_wrong_files_are_named(tmp_path, monkeypatch):
    monkeypatch.setenv("TBD_WEIGHTS", str(tmp_path))
    with pytest.raises(WeightsNotFoundError, match="glintr100"):
        ONNXFaceEmbedder().embed(torch.zeros(1, 3, 112, 112, dtype=torch.uint8))
    (tmp_path / "a.onnx").write_bytes(b"no network")
    with pytest.raises(InputError, match=r"a\.onnx cannot be read as a network"):
        ONNXFaceEmbedder(tmp_path / "a.onnx").embed(torch.zeros(1, 3, 112, 112, dtype=torch.uint8))
