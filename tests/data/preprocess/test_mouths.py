"""Crops of filmed mouths, from frames that the mesh warp draws as film."""

import shutil

import numpy as np
import pytest

from tbd.cli.main import main
from tbd.data.preprocess.mouths import collect, move
from tbd.face.mesh import MeshModel
from tbd.face.motion import Motion
from tbd.face.render.mouth.crop import SIZE
from tbd.face.render.renderer import MeshWarpRenderer
from tbd.media import VideoWriter, read_image
from tbd.utils.sample_inputs import PORTRAIT


@pytest.fixture(scope="module")
def frames():
    from tbd.face.portrait import crop_portrait
    from tbd.face.tracker import FaceMeshTracker

    face = crop_portrait(FaceMeshTracker().locate(read_image(PORTRAIT)), 256)
    motion = Motion.zeros(6)
    motion["jawOpen"] = [0.0, 0.0, 0.3, 0.4, 0.5, 0.0]
    return list(MeshWarpRenderer(neutralize=0.7, close_lips=1.0).render(face, motion))


def test_open_mouths_are_painted_between_the_lips_alone(frames):
    with MeshModel() as model:
        found = [model(frame) for frame in frames]
    samples = collect(frames, [None if one is None else one.points for one in found])
    assert 2 <= len(samples) <= 4
    for sample in samples:
        changed = np.abs(sample.painted.astype(int) - sample.target).max(-1)
        assert changed[sample.mask == 0].max() <= 1 and (sample.mask > 128).sum() > 100
        assert changed[sample.mask > 250].mean() > 1
        assert (sample.reference == samples[0].reference).all()
        # the skin of the frame at rest stands where the video's does, between the lips there is the same painting
        moved = np.abs(sample.warped.astype(int) - sample.target).mean(-1)
        still = np.abs(sample.reference.astype(int) - sample.target).mean(-1)
        assert moved[sample.mask == 0].mean() < 0.7 * still[sample.mask == 0].mean()
        assert np.abs(sample.warped.astype(int) - sample.painted)[sample.mask == 255].mean() < 6
    assert collect(frames, [None] * len(frames)) == []


def test_a_crop_follows_its_vertices_and_stays_where_they_stay():
    random = np.random.default_rng(0)
    crop = random.integers(0, 255, (SIZE, SIZE, 3)).astype(np.uint8)
    points = random.uniform(0, SIZE - 1, (478, 2))
    assert np.abs(move(crop, points, points) - crop).max() < 1e-3
    assert np.abs(move(crop, points, points + np.array([5.0, -3.0]))[:-8, 8:] - crop[3:-5, 3:-5]).max() < 2


def test_the_command_writes_a_file_and_says_how_many(frames, tmp_path, capsys):
    with VideoWriter(tmp_path / "a.mp4") as writer:
        for frame in frames:
            writer.write(frame)
    output = tmp_path / "mouths.npz"
    shutil.copy(tmp_path / "a.mp4", tmp_path / "b.mp4")
    assert main(["preprocess", "mouths", str(tmp_path / "a.mp4"), str(tmp_path / "b.mp4"), "--output", str(output), "--every", "1"]) == 0
    with np.load(output) as archive:
        assert set(archive["person"]) == {"a", "b"} and archive["painted"].shape[1:] == (128, 128, 3)
        said = "".join(capsys.readouterr().out.split())  # a long path breaks the line, wherever it ends
        assert f"a.mp4:{(archive['person'] == 'a').sum()}mouths" in said
    assert main(["preprocess", "mouths", str(tmp_path / "none.mp4"), "--output", str(output)]) != 0
    assert main(["preprocess", "mouths", str(tmp_path / "a.mp4"), "--output", str(output), "--every", "0"]) != 0
