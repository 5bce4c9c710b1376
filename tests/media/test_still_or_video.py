"""A face at rest is given as a picture or as a video."""

import numpy as np
import pytest
from PIL import Image

from tbd.errors import InputError
from tbd.media import VideoWriter, read_still_or_video


def test_a_picture_is_its_only_frame_and_a_video_is_all_of_its(tmp_path):
    frame = np.full((64, 48, 3), (200, 40, 40), np.uint8)
    Image.fromarray(frame).save(tmp_path / "me.png")
    with VideoWriter(tmp_path / "me.mp4") as writer:
        for _ in range(3):
            writer.write(frame)
    (still,) = read_still_or_video(tmp_path / "me.png")
    assert np.array_equal(still, frame)
    assert [image.shape for image in read_still_or_video(tmp_path / "me.mp4")] == [frame.shape] * 3


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("absent.png", None, "absent.png"),
        ("text.txt", b"no face here", "neither a picture nor a video that can be read"),
        ("noise.mp4", bytes(range(256)) * 8, "neither a picture nor a video that can be read"),
    ],
)
def test_what_is_neither_is_one_sentence(tmp_path, name, content, said):
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(InputError) as error:
        list(read_still_or_video(tmp_path / name))
    assert said in str(error.value) and "\n" not in str(error.value)
