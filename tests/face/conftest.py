"""The face that most tests of this folder look at."""

import numpy as np
import pytest

from tbd.face.geometry import FaceGeometry, mean_face
from tbd.face.rig import Rig
from tbd.face.tracker import FaceMeshTracker


@pytest.fixture(scope="module")
def astronaut() -> np.ndarray:
    """A photograph of a woman who smiles with her teeth."""
    return pytest.importorskip("skimage.data").astronaut()


@pytest.fixture(scope="module")
def face(astronaut) -> FaceGeometry:
    return FaceMeshTracker().locate(astronaut)


@pytest.fixture(scope="module")
def rig() -> Rig:
    return Rig(mean_face())
