"""CSIM with an embedder whose cosines are known."""

import pytest
import torch

from tbd.errors import InputError
from tbd.metrics import ArcFaceEmbedder, FaceEmbedder, IdentitySimilarity, Unmeasurable, WeightsNotFoundError


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


def test_arcface_has_the_releases_layers_and_loads_its_backbone(tmp_path):
    torch.manual_seed(0)
    state = ArcFaceEmbedder(None, "r18").state_dict()
    shapes = {key: tuple(value.shape) for key, value in state.items() if value.ndim > 0}
    assert shapes["conv1.weight"] == (64, 3, 3, 3) and shapes["fc.weight"] == (512, 25088) and shapes["features.weight"] == (512,)
    block = {"bn1.weight": (64,), "conv1.weight": (128, 64, 3, 3), "bn2.weight": (128,), "prelu.weight": (128,), "bn3.weight": (128,),
             "conv2.weight": (128, 128, 3, 3), "downsample.0.weight": (128, 64, 1, 1), "downsample.1.weight": (128,)}  # fmt: skip
    assert {key: shapes[f"layer2.0.{key}"] for key in block} == block and "layer2.1.downsample.0.weight" not in shapes
    torch.save(state, tmp_path / "backbone.pth")
    loaded = ArcFaceEmbedder(tmp_path / "backbone.pth", "r18")
    chips = torch.randint(0, 256, (2, 3, 112, 112), dtype=torch.uint8)
    with torch.no_grad():
        assert loaded.embed(chips).shape == (2, 512)
    blocks = [len(getattr(ArcFaceEmbedder(None, "r50"), f"layer{i}")) for i in (1, 2, 3, 4)]
    assert blocks == [3, 4, 14, 3]
    with pytest.raises(WeightsNotFoundError, match="arcface-r50"):
        ArcFaceEmbedder()


def test_an_embedder_says_which_faces_it_sees():
    assert IdentitySimilarity(Corner()).reads == ("preds.faces", "target.faces")
    metric = IdentitySimilarity(ArcFaceEmbedder(None, "r18"))
    assert metric.reads == ("preds.aligned_faces", "target.aligned_faces")
    with pytest.raises(InputError, match=r"chips of faces are \(faces, 3, 112, 112\)"):
        metric.update(faces((1, 0, 0)), faces((1, 0, 0)))


def test_vectors_that_are_not_finite_are_refused():
    class Broken(FaceEmbedder):
        def embed(self, faces):
            return torch.full((len(faces), 4), torch.nan)

    with pytest.raises(InputError, match="Broken gave numbers that are not finite"):
        IdentitySimilarity(Broken()).update(faces((1, 0, 0)), faces((1, 0, 0)))
