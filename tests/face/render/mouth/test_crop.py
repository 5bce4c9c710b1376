"""The square about the mouth that a network sees."""

import numpy as np
import pytest

from tbd.face.geometry import mean_face
from tbd.face.render.mouth.crop import SIZE, MouthCrop, lip_gap, mouth_mask


def mesh(opened: float = 0.0, roll: float = 0.0, scale: float = 100.0) -> np.ndarray:
    """(478, 2) pixels of the mean face in a picture of 400², its lower lip lowered."""
    from tbd.face import topology

    points = mean_face()[:, :2].astype(np.float64)
    for row in topology.LOWER_LIP_ROWS:
        points[list(row[1:-1]), 1] -= opened
    turn = np.array([[np.cos(roll), -np.sin(roll)], [np.sin(roll), np.cos(roll)]])
    return points @ turn.T * [scale, -scale] + 200


def test_what_is_cut_and_pasted_is_where_it_was():
    y, x = np.mgrid[:400, :400]
    smooth = np.stack([x / 2, y / 2, (x + y) / 4], -1).astype(np.uint8)
    crop = MouthCrop.of(mesh(roll=0.3), 100.0)
    frame = np.zeros_like(smooth)
    share = np.zeros((SIZE, SIZE), np.float32)
    share[24:-24, 24:-24] = 1
    crop.paste(frame, crop.cut(smooth).astype(np.float32), share)
    inside = crop.cut(frame.astype(np.float32))[32:-32, 32:-32]
    assert np.abs(inside - crop.cut(smooth.astype(np.float32))[32:-32, 32:-32]).max() < 2
    assert (frame[:100] == 0).all()


def test_the_square_turns_and_grows_with_the_head():
    straight, tilted = (MouthCrop.of(mesh(roll=roll), 100.0) for roll in (0.0, 0.4))
    apart = [crop.matrix[:, :2] @ mesh(roll=roll)[61] + crop.matrix[:, 2] for crop, roll in ((straight, 0.0), (tilted, 0.4))]
    assert apart[0] == pytest.approx(apart[1], abs=0.5)
    large = MouthCrop.of((mesh() - 200) * 2 + 200, 200.0)
    assert large.matrix[0, 0] == pytest.approx(straight.matrix[0, 0] / 2)


def test_the_mask_is_what_lies_between_the_lips():
    closed, opened = mesh(), mesh(opened=0.2)
    crop = MouthCrop.of(opened, 100.0)
    mask = mouth_mask(opened, crop, (400, 400, 3))
    middle = (crop.matrix[:, :2] @ opened[[13, 14]].mean(0) + crop.matrix[:, 2]).round().astype(int)
    assert mask[middle[1], middle[0]] > 0.95 and mask[:20].max() == 0
    assert mouth_mask(closed, MouthCrop.of(closed, 100.0), (400, 400, 3)).mean() < 0.2 * mask.mean()
    assert lip_gap(opened, 100.0) - lip_gap(closed, 100.0) == pytest.approx(0.2, abs=0.01)


def test_a_mouth_beyond_the_picture_changes_nothing():
    points = mesh(opened=0.2) + np.array([0, 400])
    frame = np.full((400, 400, 3), 7, np.uint8)
    crop = MouthCrop.of(points, 100.0)
    crop.paste(frame, np.full((SIZE, SIZE, 3), 200, np.float32), mouth_mask(points, crop, frame.shape))
    assert (frame == 7).all()
