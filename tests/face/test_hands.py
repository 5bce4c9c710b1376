"""Hands before a face."""

from dataclasses import replace

import numpy as np

from tbd.face import hands
from tbd.face.hands import hand_mask

FLAT = np.array(  # an open hand, fingers up: landmarks in shares of the picture that is searched
    [(0.5, 0.9), (0.4, 0.85), (0.33, 0.78), (0.28, 0.7), (0.24, 0.64)]
    + [(x, y) for x in (0.42, 0.49, 0.56, 0.62) for y in (0.62, 0.5, 0.42, 0.36)]
)


def test_a_face_alone_shows_no_hand(face):
    assert hand_mask(face).shape == face.image.shape[:2] and not hand_mask(face).any()


def test_a_hand_lies_where_the_landmarker_sees_it(face, monkeypatch):
    """In a part of the picture about the face, at any size."""
    monkeypatch.setattr(hands, "_find_hands", lambda part: [FLAT])
    small, large = hand_mask(face), hand_mask(replace(face, image=np.repeat(np.repeat(face.image, 2, 0), 2, 1), points=face.points * 2))
    assert 0.01 < small.mean() < 0.5
    assert (large[::2, ::2] == small).mean() > 0.97
    rows, columns = np.nonzero(small)
    low, high = face.points[:, :2].min(0), face.points[:, :2].max(0)
    assert abs(columns.mean() - (low + high)[0] / 2) < 0.3 * (high - low)[0]
    assert rows.min() > low[1] - 0.2 * (high - low)[1]
