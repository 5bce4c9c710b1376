"""The mesh warp with a network that finishes its mouth."""

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from tbd.draw.mouth.network import MouthUNet
from tbd.draw.mouth.renderer import NeuralMeshRenderer
from tbd.errors import InputError
from tbd.face.motion import Motion
from tbd.face.render.mouth.crop import MouthCrop, mouth_mask
from tbd.face.render.renderer import MeshWarpRenderer
from tbd.face.render.warp import PortraitWarper
from tbd.utils.sample_inputs import PORTRAIT


@pytest.fixture(scope="module")
def face():
    from tbd.face.portrait import crop_portrait
    from tbd.face.tracker import FaceMeshTracker
    from tbd.media import read_image

    return crop_portrait(FaceMeshTracker().locate(read_image(PORTRAIT)), 256)


@pytest.fixture(scope="module")
def motion():
    motion = Motion.zeros(2)
    motion["jawOpen"] = [0.0, 0.5]
    motion["headYaw"] = [0.0, 0.1]
    return motion


def weights(path, red: float = 0.0):
    network = MouthUNet(8, 2)
    network.proj_out.bias.data[:] = torch.tensor([red, -red, -red])
    save_file(network.state_dict(), path)
    return path


def test_an_untrained_network_draws_what_the_warp_draws(face, motion, tmp_path):
    frames = list(NeuralMeshRenderer(weights(tmp_path / "w.safetensors")).render(face, motion))
    plain = list(MeshWarpRenderer().render(face, motion))
    # cut and pasted once, pixels differ a little between the lips
    for frame, expected in zip(frames, plain):
        assert np.abs(frame.astype(int) - expected).mean() < 0.2


def test_only_the_inside_of_an_open_mouth_is_finished(face, motion, tmp_path):
    plain = list(MeshWarpRenderer(close_lips=1.0).render(face, motion))
    red = list(NeuralMeshRenderer(weights(tmp_path / "w.safetensors", red=2.0), close_lips=1.0).render(face, motion))
    half = list(NeuralMeshRenderer(weights(tmp_path / "w.safetensors", red=2.0), 0.5, close_lips=1.0).render(face, motion))
    assert (red[0] == plain[0]).all()
    warper = PortraitWarper(face.without_margin(), close_lips=1.0)
    points = warper.mesh(motion.values[1])
    crop = MouthCrop.of(points, face.scale)
    mask = mouth_mask(points, crop, red[1].shape)
    inside = crop.cut(red[1])[mask > 0.98].mean(0)
    assert inside[0] > 200 and inside[1] < 40
    outside = np.abs(crop.cut(red[1]).astype(int) - crop.cut(plain[1]))[mask < 0.001]
    assert outside.max() <= 2
    assert inside[0] > crop.cut(half[1])[mask > 0.98].mean(0)[0] > crop.cut(plain[1])[mask > 0.98].mean(0)[0]


def test_checkpoints_of_a_run_are_read_and_others_refused(face, tmp_path):
    from tbd.draw.mouth.refiner import MouthRefiner

    torch.save({"state_dict": MouthRefiner(MouthUNet(16, 3)).state_dict()}, tmp_path / "run.ckpt")
    network = NeuralMeshRenderer(tmp_path / "run.ckpt").network
    assert len(network.proj_in.weight) == 16 and len(network.down) == 3
    torch.save({"state_dict": torch.nn.Linear(2, 2).state_dict()}, tmp_path / "other.ckpt")
    (tmp_path / "text.ckpt").write_text("no")
    for name, message in (("other.ckpt", "holds other weights"), ("text.ckpt", "No weights"), ("missing.ckpt", "No weights")):
        with pytest.raises(InputError, match=message):
            NeuralMeshRenderer(tmp_path / name)
    with pytest.raises(InputError, match="strength must lie between 0 and 1"):
        NeuralMeshRenderer(tmp_path / "run.ckpt", strength=2)
