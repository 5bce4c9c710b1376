"""Motions in JSON."""

import json

import numpy as np
import pytest

from tbd.errors import InputError
from tbd.face.channels import BLENDSHAPES, CHANNELS
from tbd.face.motion import Motion
from tests.face.motion_io.tables import FACE, TIMES, VALUES, load

DOCUMENTS = {
    "Audio2Face": ({"exportFps": 25.0, "facsNames": list(BLENDSHAPES), "weightMat": VALUES[:, :52].tolist()}, FACE),
    "names and frames": (
        {"names": list(BLENDSHAPES), "frames": [{"weights": row[:52].tolist(), "time": t} for t, row in zip(TIMES, VALUES)]}, FACE),
    "frames": ([{"time": t, **dict(zip(CHANNELS, row))} for t, row in zip(TIMES, VALUES)], VALUES),
    "inner": ([{"timestamp": 1000 * t, "blendshapes": dict(zip(CHANNELS, row))} for t, row in zip(TIMES, VALUES)], VALUES),
    "columns": ({"fps": 25, **{c: VALUES[:, i].tolist() for i, c in enumerate(CHANNELS)}}, VALUES),
    "MediaPipe's classifications": (
        [{"categories": [{"category_name": c, "score": row[i]} for i, c in enumerate(BLENDSHAPES)]} for row in VALUES], FACE),
    "MediaPipe's faces": (
        [{"faceBlendshapes": [{"categories": [{"index": i, "score": row[i], "categoryName": c} for i, c in enumerate(BLENDSHAPES)]}]}
         for row in VALUES], FACE),
    "MediaPipe's faces in Python": (
        [{"face_blendshapes": [[{"category_name": c, "score": row[i]} for i, c in enumerate(BLENDSHAPES)]]} for row in VALUES], FACE),
    "MediaPipe": ([[{"categoryName": c, "score": row[i]} for i, c in enumerate(BLENDSHAPES)] for row in VALUES], FACE),
}  # fmt: skip


@pytest.mark.parametrize("kind", DOCUMENTS)
def test_json(tmp_path, kind):
    document, wanted = DOCUMENTS[kind]
    np.testing.assert_allclose(load(tmp_path, json.dumps(document), name="m.json")[0].values, wanted, atol=1e-6)


def test_frames_on_a_line_each(tmp_path):
    text = "\n".join(json.dumps({"time": t, **dict(zip(CHANNELS, row))}) for t, row in zip(TIMES, VALUES)) + "\n"
    for name in ("m.json", "m.jsonl"):
        np.testing.assert_allclose(load(tmp_path, text, name=name)[0].values, VALUES, atol=1e-6)


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-le", "utf-32"])
@pytest.mark.parametrize("lines", [True, False])
def test_every_encoding_of_unicode(tmp_path, encoding, lines):
    frames = [{"time": t, **dict(zip(CHANNELS, row))} for t, row in zip(TIMES, VALUES)]
    text = "\r\n".join(map(json.dumps, frames)) if lines else json.dumps(frames)
    (tmp_path / "m.json").write_bytes(text.encode(encoding))
    np.testing.assert_allclose(Motion.load(tmp_path / "m.json").values, load(tmp_path, json.dumps(frames), name="n.json")[0].values)


@pytest.mark.parametrize("text", ['{"a": 1', '{"a": 1}', "[1, 2]", '[{"a": 1}]', "[]", '{"jawOpen": ["x"]}'])
def test_json_that_is_no_motion(tmp_path, text):
    with pytest.raises(InputError, match=r"m\.json") as caught:
        load(tmp_path, text, name="m.json")
    assert "\n" not in str(caught.value)
