"""A face at rest is given as a picture or as a video."""

import os

import numpy as np
import pytest
from PIL import Image

from tbd.errors import InputError
from tbd.media import VideoWriter, read_audio, read_still_or_video, read_video


def test_a_picture_is_its_only_frame_and_a_video_is_all_of_its(tmp_path):
    frame = np.full((64, 48, 3), (200, 40, 40), np.uint8)
    Image.fromarray(frame).save(tmp_path / "me.png")
    with VideoWriter(tmp_path / "me.mp4") as writer:
        for _ in range(3):
            writer.write(frame)
    (still,) = read_still_or_video(tmp_path / "me.png")
    assert np.array_equal(still, frame)
    assert [image.shape for image in read_still_or_video(tmp_path / "me.mp4")] == [frame.shape] * 3


def test_half_a_picture_is_no_video(tmp_path):
    """FFmpeg reads it as a video of one frame, whose lower half is grey."""
    Image.effect_noise((640, 480), 80).save(tmp_path / "me.jpg")
    whole = (tmp_path / "me.jpg").read_bytes()
    (tmp_path / "me.jpg").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(InputError, match="damaged or broken off"):
        read_still_or_video(tmp_path / "me.jpg")


@pytest.mark.parametrize(("tag", "what", "read"), [(b"avc1", "moving pictures", read_video), (b"mp4a", "sound", read_audio)])
def test_a_codec_that_nobody_decodes_is_a_sentence(tag, what, read, tmp_path):
    """Newer phones write codecs that an FFmpeg of today has no decoder for."""
    with VideoWriter(tmp_path / "me.mp4", np.random.default_rng(0).normal(0, 0.1, 16000)) as writer:
        for _ in range(25):
            writer.write(np.full((64, 48, 3), 90, np.uint8))
    content = (tmp_path / "me.mp4").read_bytes()
    assert content.count(tag) >= 1
    (tmp_path / "me.mp4").write_bytes(content.replace(tag, b"zzzz").replace(b"esds", b"free"))
    with pytest.raises(InputError, match=f"holds {what} of a kind that cannot be decoded"):
        read(tmp_path / "me.mp4")


@pytest.mark.parametrize("read", [read_still_or_video, read_audio])
def test_a_pipe_is_said_and_not_waited_for(read, tmp_path):
    os.mkfifo(tmp_path / "me.wav")
    with pytest.raises(InputError, match=r"me\.wav is a pipe or device; save the"):
        read(tmp_path / "me.wav")


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("absent.png", None, "absent.png"),
        ("text.txt", b"no face here", "neither a picture nor a video that can be read"),
        ("noise.mp4", bytes(range(256)) * 8, "neither a picture nor a video that can be read"),
        ("me.jxl", b"\xff\x0a" + b"0" * 200, "is a JPEG XL picture"),  # which FFmpeg opens and cannot decode
        ("me.svg", b'<svg xmlns="http://www.w3.org/2000/svg"/>', "is an SVG drawing"),
    ],
)
def test_what_is_neither_is_one_sentence(tmp_path, name, content, said):
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(InputError) as error:
        list(read_still_or_video(tmp_path / name))
    assert said in str(error.value) and "\n" not in str(error.value)
