"""NumPy's files: columns without names, and arrays that are no motion."""

import numpy as np
import pytest

from tbd.errors import InputError
from tbd.face.channels import INDEX
from tbd.face.motion_io import live_link
from tests.face.motion_io.tables import FACE, FRAMES, VALUES, load, npy_bytes

APPLE = VALUES[:, [INDEX[c] for c in live_link.SHAPES]]
MEDIAPIPE = np.concatenate([np.zeros((FRAMES, 1)), VALUES[:, :51]], 1)


@pytest.mark.parametrize(
    ("array", "order", "wanted"),
    [
        (VALUES, "tbd's", VALUES),
        (VALUES[None], "tbd's", VALUES),
        (VALUES[:, :52], "alphabetical", FACE),
        (APPLE, "Live Link Face's", FACE),
        (MEDIAPIPE, "MediaPipe's", FACE * (np.arange(58) != INDEX["tongueOut"])),
    ],
)
def test_arrays_without_names_are_ordered_by_symmetry(tmp_path, array, order, wanted):
    motion, notes = load(tmp_path, npy_bytes(array), name="m.npy")
    np.testing.assert_allclose(motion.values, wanted, atol=1e-6)
    assert f"order is taken as {order}" in notes


@pytest.mark.parametrize(
    ("array", "said"), [(VALUES[:, :52].T, "transpose"), (VALUES[:, :57], "57 columns"), (np.array(3.0), "holds an array"),
                        (np.full((3, 58), np.nan), "no numbers"), (VALUES[:0], "no frames")])  # fmt: skip
def test_arrays_that_are_no_motion(tmp_path, array, said):
    with pytest.raises(InputError, match=said):
        load(tmp_path, npy_bytes(array), name="m.npy")
