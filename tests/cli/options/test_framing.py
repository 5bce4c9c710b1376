"""`tbd generate --frame … --aspect … --face …`, of a picture and of a video."""

import numpy as np
import pytest
import skimage.data
from PIL import Image

from tbd.cli.main import main
from tbd.media import VideoWriter, read_video
from tbd.utils.sample_inputs import PORTRAIT
from tests.cli.refusals import refused


@pytest.fixture(scope="module")
def couple(tmp_path_factory) -> str:
    """The astronaut twice, side by side."""
    astronaut = skimage.data.astronaut()[::2, ::2]
    path = tmp_path_factory.mktemp("couple") / "couple.png"
    Image.fromarray(np.concatenate([astronaut, astronaut[:, ::-1]], 1)).save(path)
    return str(path)


def generate(speech, output, *flags) -> list[np.ndarray]:
    shared = [f"--audio={speech}", "--emotion=happy", "--num-inference-steps=2", "--quiet", f"--output={output}"]
    assert main(["generate", *shared, *flags]) == 0
    return list(read_video(output))


def test_the_chosen_face_moves_in_the_whole_picture_and_the_other_does_not(speech, couple, tmp_path):
    frames = generate(speech, tmp_path / "a.mp4", f"--portrait={couple}", "--frame=full", "--face=right")
    assert frames[0].shape == (256, 512, 3)
    change = np.abs(np.array(frames[::10], int) - frames[0]).max((0, 3))
    assert change[:, 300:].max() > 60 and np.percentile(change[:, :200], 99) < 15  # x264's own noise


def test_a_video_may_be_tall(speech, tmp_path):
    frames = generate(speech, tmp_path / "a.mp4", f"--portrait={PORTRAIT}", "--aspect=9:16", "--size=256")
    assert frames[0].shape == (256, 144, 3)


def test_who_is_filmed_is_dubbed(speech, tmp_path):
    """A still person in a video of twelve frames speaks for two seconds, in the video's own size."""
    with VideoWriter(tmp_path / "clip.mp4") as writer:
        for _ in range(12):
            writer.write(skimage.data.astronaut()[::2, ::2].copy())
    frames = generate(speech, tmp_path / "a.mp4", f"--portrait={tmp_path / 'clip.mp4'}")
    assert len(frames) == 50 and frames[0].shape == (256, 256, 3)
    change = np.abs(np.array(frames[::5], int) - frames[0]).max((0, 3))
    assert change[60:130, 90:140].max() > 40 and np.percentile(change[:, :40], 99) < 30


@pytest.mark.parametrize(
    ("flags", "sentence"),
    [
        (["--aspect=wide"], "--aspect"),
        (["--face=middle"], "largest, left, right"),
        (["--face=3"], "shows 2 faces"),
        (["--frame=full", "--size=9"], "--size"),
    ],
)
def test_what_cannot_be_framed_is_one_sentence(speech, couple, kept_empty, capsys, flags, sentence):
    shared = [f"--portrait={couple}", f"--audio={speech}", "--emotion=happy", f"--output={kept_empty / 'a.mp4'}"]
    assert sentence in refused(capsys, "generate", *shared, *flags)
