"""Motions written as text."""

import numpy as np

from tbd.face.motion import Motion
from tests.face.motion_io.tables import VALUES


def test_the_text_of_all_channels_keeps_them(tmp_path):
    Motion(VALUES).save(tmp_path / "m.tsv")
    np.testing.assert_allclose(Motion.load(tmp_path / "m.tsv").values, VALUES, atol=1e-7)
