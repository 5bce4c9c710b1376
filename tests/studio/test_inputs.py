"""What a browser sends is measured before it is read, and no message names a folder."""

from pathlib import Path

import numpy as np
import pytest
from scipy.io import wavfile

from tbd.errors import InputError
from tbd.studio.inputs import check_sentence, read_portrait, read_voice
from tbd.studio.limits import MAX_CHARACTERS, MAX_SECONDS, MAX_UPLOAD_MIB


@pytest.mark.parametrize(("kind", "says"), [("nobody", "face"), ("words", "no picture")])
def test_a_portrait_that_is_none(pipeline, upload, tmp_path, kind, says):
    path = upload(kind)
    with pytest.raises(InputError, match=says) as refused:
        read_portrait(Path(path), Path(path).name, pipeline.tracker)
    assert str(tmp_path) not in str(refused.value) and Path(path).name in str(refused.value)


def test_a_portrait(pipeline, upload):
    portrait = read_portrait(Path(upload("portrait")), "me.jpg", pipeline.tracker)
    assert portrait.face.points.shape == (478, 3) and portrait.notes == ()


def test_a_voice_that_is_none(upload, tmp_path):
    with pytest.raises(InputError) as refused:
        read_voice(Path(upload("words")), "words.txt")
    assert str(tmp_path) not in str(refused.value)


def test_a_voice_that_is_too_long_is_refused_before_it_is_decoded(tmp_path, monkeypatch):
    path = tmp_path / "long.wav"
    wavfile.write(path, 8000, np.zeros(8000 * int(MAX_SECONDS + 5), np.uint8))
    monkeypatch.setattr("tbd.studio.inputs.read_audio", lambda path: pytest.fail("was decoded"))
    with pytest.raises(InputError, match=r"lasts 65 s; the studio takes voices up to 60 s"):
        read_voice(path, path.name)


def test_a_file_that_is_too_large_is_refused_before_it_is_read(tmp_path):
    path = tmp_path / "large.wav"
    with path.open("wb") as file:
        file.truncate((MAX_UPLOAD_MIB + 1) * 2**20)
    with pytest.raises(InputError, match=f"large.wav has {MAX_UPLOAD_MIB + 1} MiB"):
        read_voice(path, path.name)


def test_a_sentence_that_is_too_long():
    assert check_sentence("  sad \n") == "sad" and check_sentence(None) == ""
    with pytest.raises(InputError, match="characters"):
        check_sentence("x" * (MAX_CHARACTERS + 1))
