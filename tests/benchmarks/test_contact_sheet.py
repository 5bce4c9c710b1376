"""Sheets hold every picture, in order, with nothing overlapping."""

import numpy as np
import pytest

from benchmarks import contact_sheet
from benchmarks.contact_sheet import PAPER, Cell
from tbd.errors import InputError


def _flat(colour, height=40, width=60):
    return np.full((height, width, 3), colour, np.uint8)


def test_a_grid_places_every_picture_in_its_row_and_column():
    colours = [[(200, 0, 0), (0, 200, 0)], [(0, 0, 200), (200, 200, 0)]]
    sheet = np.asarray(contact_sheet.grid([[Cell(_flat(c)) for c in row] for row in colours], tile=60))
    for colour in (c for row in colours for c in row):
        assert (sheet == colour).all(-1).sum() == 40 * 60, "a picture is covered or scaled"
    for r, row in enumerate(colours):
        for c, colour in enumerate(row):
            y, x = np.argwhere((sheet == colour).all(-1)).mean(0)
            assert (y > sheet.shape[0] / 2, x > sheet.shape[1] / 2) == (bool(r), bool(c))
    edge = np.concatenate([sheet[:8].reshape(-1, 3), sheet[-8:].reshape(-1, 3), sheet[:, :8].reshape(-1, 3), sheet[:, -8:].reshape(-1, 3)])
    assert (edge == PAPER).all(), "no margin"


def test_words_are_written_on_paper_never_on_pictures():
    plain = np.asarray(contact_sheet.grid([[Cell(_flat(0))]], tile=60))
    labelled = np.asarray(contact_sheet.grid([[Cell(_flat(0), "mouthUpperUpLeft and more")]], tile=60, headers=["head"], title="title"))
    assert (labelled == 0).all(-1).sum() == (plain == 0).all(-1).sum() == 40 * 60
    ink = ((labelled != PAPER).any(-1) & (labelled != 0).any(-1)).any(1)
    assert (np.diff(np.flatnonzero(ink)) > 1).sum() >= 2, "title, header and label are three lines"


def test_a_short_last_row_leaves_paper():
    sheet = np.asarray(contact_sheet.grid([[Cell(_flat(9)), Cell(_flat(9))], [Cell(_flat(9))]], tile=60))
    assert (sheet == 9).all(-1).sum() == 3 * 40 * 60


def test_pick_frames_keeps_the_frames_numbers():
    frames = (np.full((2, 2, 3), i, np.uint8) for i in range(10))
    picked = contact_sheet.pick_frames(frames, contact_sheet.evenly(12, 4))
    assert [(i, int(frame[0, 0, 0])) for i, frame in picked] == [(0, 0), (4, 4), (7, 7)]


def test_only_pictures_are_written(tmp_path):
    with pytest.raises(InputError, match=r"\.jpg or \.png"):
        contact_sheet.contact_sheet(output=tmp_path / "sheet.pdf")


def test_a_strip_of_a_real_clip(shared, tmp_path):
    contact_sheet.contact_sheet(video=shared / "data/clips/M030_sad_3_001.mp4", frames=4, tile=64, output=tmp_path / "strip.png")
    from PIL import Image

    with Image.open(tmp_path / "strip.png") as image:
        assert image.width > 4 * 64 and image.height > 36
