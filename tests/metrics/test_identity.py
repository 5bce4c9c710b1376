"""CSIM with an embedder whose cosines are known."""

import pytest
import torch

from tbd.metrics import FaceEmbedder, IdentitySimilarity, Unmeasurable


class Corner(FaceEmbedder):
    """The first pixel as a vector."""

    def embed(self, faces):
        return faces[:, :, 0, 0].float()


def faces(*colours) -> torch.Tensor:
    chips = torch.zeros(len(colours), 3, 224, 224, dtype=torch.uint8)
    chips[:, :, 0, 0] = torch.tensor(colours, dtype=torch.uint8)
    return chips


def test_the_mean_cosine_with_the_mean_direction_of_the_reference():
    metric = IdentitySimilarity(Corner(), batch_size=1)
    assert metric.measure(faces((0, 9, 0), (200, 0, 0)), faces((5, 0, 0)))["value"] == pytest.approx(0.5)
    half = 2**-0.5
    assert metric.measure(faces((10, 0, 0)), faces((200, 0, 0), (0, 3, 0)))["value"] == pytest.approx(half), (
        "bright frames do not count more"
    )


def test_no_face_on_either_side():
    metric, none = IdentitySimilarity(Corner()), torch.zeros(0, 3, 224, 224, dtype=torch.uint8)
    for pair in ((none, faces((1, 0, 0))), (faces((1, 0, 0)), none)):
        with pytest.raises(Unmeasurable, match="No face"):
            metric.measure(*pair)
