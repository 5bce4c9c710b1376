"""Identity is taken off, an expression is not."""

import numpy as np

from tbd.face.channels import INDEX
from tbd.think.coding.rest import calm_face, calm_frames, resting_face, resting_face_of_person


def face(frames: int = 100, **channels: float) -> np.ndarray:
    values = np.zeros((frames, 58), np.float32)
    for name, value in channels.items():
        values[:, INDEX[name]] = value
    return values


def test_calm_frames_are_those_that_move_least():
    values = face(browInnerUp=0.2)
    values[60:, INDEX["browInnerUp"]] += 0.3 + 0.3 * np.sin(np.arange(40))
    calm = calm_frames(values)
    assert calm[:55].sum() > 20 and not calm[65:].any()
    assert abs(calm_face(values)[INDEX["browInnerUp"]] - 0.2) < 1e-6


def test_what_is_not_seen_is_not_calm():
    values, visible = face(browInnerUp=0.2), np.ones(100, bool)
    values[:50, INDEX["browInnerUp"]], visible[:50] = 0.9, False
    assert not calm_frames(values, visible)[:50].any()
    assert abs(calm_face(values, visible)[INDEX["browInnerUp"]] - 0.2) < 1e-6


def test_features_stay_from_clip_to_clip_and_expressions_do_not():
    own = {"browDownLeft": 0.25, "eyeSquintLeft": 0.45}
    clips = [face(**own), face(**own, mouthSmileLeft=0.7), face(**own, browInnerUp=0.6), face(**own), face(**own, mouthSmileLeft=0.5)]
    rest = resting_face_of_person([calm_face(clip) for clip in clips])
    assert abs(rest[INDEX["browDownLeft"]] - 0.25) < 1e-6 and abs(rest[INDEX["eyeSquintLeft"]] - 0.45) < 1e-6
    assert rest[INDEX["mouthSmileLeft"]] == rest[INDEX["browInnerUp"]] == 0


def test_neutral_clips_are_believed_and_one_clip_is_not():
    frowning = face(browDownLeft=0.6)
    assert abs(resting_face_of_person([calm_face(frowning)], neutral=True)[INDEX["browDownLeft"]] - 0.6) < 1e-6
    assert abs(resting_face_of_person([calm_face(frowning)])[INDEX["browDownLeft"]] - 0.3) < 1e-6
    assert abs(resting_face(frowning)[INDEX["browDownLeft"]] - 0.3) < 1e-6
