"""dlib's network by its package: the descriptor that dlib itself gives, and what is said where it is not installed."""

import numpy as np
import pytest
import torch
from skimage.data import astronaut

from tbd.metrics import DlibFaceEmbedder, IdentitySimilarity, WeightsNotFoundError
from tbd.metrics.faces.crops import face_chips
from tbd.utils import wheels

REFERENCE = [-0.09575, 0.03523, 0.00818, -0.0509, -0.16288, 0.02544]
"""The first numbers of dlib 20.0.1's `compute_face_descriptor(get_face_chip(astronaut, points, 150, 0.25))`, of length 1.49906."""


def test_the_descriptor_is_dlibs():
    pytest.importorskip("dlib", reason="pip install 'tbd[identity]'")
    points = np.zeros((1, 478, 3))
    points[0, [263, 362, 33, 133, 2], :2] = [(262, 112), (238, 113), (188, 113), (212, 114), (226, 148)]
    chips = face_chips(torch.from_numpy(astronaut()).permute(2, 0, 1)[None], points)
    found = DlibFaceEmbedder().embed(chips)
    assert found.shape == (1, 128) and float(found.norm()) == pytest.approx(1.49906, abs=0.02)
    assert found[0, :6].tolist() == pytest.approx(REFERENCE, abs=0.01)
    metric = IdentitySimilarity(DlibFaceEmbedder())
    same, upside_down = (metric.measure(preds, chips)["value"] for preds in (chips, chips.flip(2)))
    assert same == pytest.approx(1) and upside_down < same - 0.02


def test_without_its_packages_it_says_what_to_install(monkeypatch, tmp_path):
    """So that an evaluation leaves the column out."""
    monkeypatch.setattr(wheels, "find_spec", lambda name: None)
    monkeypatch.setenv("TBD_WEIGHTS", str(tmp_path))
    with pytest.raises(WeightsNotFoundError, match=r"pip install 'tbd\[identity\]'"):
        DlibFaceEmbedder()
