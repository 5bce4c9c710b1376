"""Other kinds of files are called by name."""

import io
import pickle
import zipfile

import numpy as np
import pytest

from tbd.errors import InputError
from tbd.face.motion import Motion
from tests.face.motion_io.tables import load, npy_bytes


def _zip(name: str) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr(name, "x")
    return buffer.getvalue()


FOREIGN = {
    "pickle in npy": (npy_bytes(np.array([{"a": 1}], object)), "pickle"),
    "pickle": (pickle.dumps({"a": 1}), "pickle"),
    "Excel": (_zip("xl/workbook.xml"), "Excel"),
    "zip": (_zip("a.txt"), "zip archive"),
    "half a zip": (b"PK\x03\x04abc", "broken off"),
    "noise": (bytes(np.random.default_rng(0).integers(0, 256, 5000, dtype=np.uint8)), "neither text"),
    "picture": (b"\x89PNG\r\n\x1a\n" + bytes(50), "a picture"),
    "skeleton": (b"HIERARCHY\nROOT Hips\n", "BVH"),
}  # fmt: skip


@pytest.mark.parametrize("kind", FOREIGN)
def test_other_kinds_of_files_are_called_by_name(tmp_path, kind):
    content, said = FOREIGN[kind]
    with pytest.raises(InputError, match=said) as caught:
        load(tmp_path, content)
    assert "\n" not in str(caught.value)


def test_a_video_is_to_be_tracked_first(tmp_path):
    from tbd.media import VideoWriter

    with VideoWriter(tmp_path / "clip.mp4") as writer:
        writer.write(np.zeros((64, 64, 3), np.uint8))
    with pytest.raises(InputError, match=r"clip\.mp4 is a video; track it first: `tbd track"):
        Motion.load(tmp_path / "clip.mp4")
