"""What a face looks like fills in what its mesh does not show, and nothing else."""

import numpy as np
import pytest
from skimage.data import astronaut

from tbd.errors import InputError
from tbd.face.channels import BLENDSHAPES, INDEX
from tbd.face.fit import ClipFit
from tbd.face.tracker import FaceLandmarkerTracker, FaceMeshTracker
from tbd.think.coding import expressive_tracker
from tbd.think.coding.emotion_reader import EmotionReader, FacexReader
from tbd.think.coding.expressive_tracker import ExpressiveTracker, correct_by_appearance, expect
from tbd.weights import WeightsNotFoundError, find_weights

FRAMES = 12


class Always(EmotionReader):
    """Names one emotion, and counts how often it was asked."""

    emotions = ("angry", "happy", "neutral")

    def __init__(self, *probabilities: float) -> None:
        self.probabilities, self.calls = np.array(probabilities), 0

    def __call__(self, image: np.ndarray, points: np.ndarray) -> np.ndarray:
        assert image.dtype == np.uint8 and points.shape == (478, 3)
        self.calls += 1
        return self.probabilities


@pytest.fixture(scope="module")
def frames():
    return [astronaut()[:300, 80:380]] * FRAMES


@pytest.fixture(scope="module")
def landmarker(shared):
    path = shared / "models/face_landmarker.task"
    if not path.is_file():
        pytest.skip("shared/models/face_landmarker.task is not there")
    return path


@pytest.fixture
def smile_unheeded(monkeypatch):
    """The astronaut smiles, which speaks against anything else: it is not to be heeded."""
    monkeypatch.setattr(expressive_tracker, "_SMILE", (2.0, 3.0))


@pytest.fixture(scope="module")
def by_mesh(frames):
    return FaceMeshTracker().track(frames)


def test_a_face_that_looks_angry_frowns_and_sneers_and_keeps_its_jaw(frames, by_mesh, smile_unheeded):
    reader = Always(1.0, 0.0, 0.0)
    motion = ExpressiveTracker(reader=reader).track(frames)
    assert motion.metadata["tracker"] == "face_mesh_expressive"
    assert motion["browDownLeft"].min() > 0.85 > by_mesh["browDownLeft"].max()
    assert (motion["jawOpen"] >= by_mesh["jawOpen"] - 1e-6).all()
    for channel in ("mouthPucker", "eyeBlinkLeft", "eyeLookInLeft", "headYaw"):
        assert motion[channel] == pytest.approx(by_mesh[channel], abs=1e-6)
    assert 2 <= reader.calls <= FRAMES // 2  # not every frame


def test_a_face_that_looks_like_nothing_keeps_what_its_mesh_shows(frames, by_mesh, smile_unheeded):
    motion = ExpressiveTracker(reader=Always(0.0, 0.0, 1.0)).track(frames)
    np.testing.assert_allclose(motion.values, by_mesh.values, atol=1e-6)


def test_a_named_emotion_takes_away_what_it_lacks(frames, by_mesh, smile_unheeded):
    motion = ExpressiveTracker(reader=Always(1.0, 0.0, 0.0)).track(frames)
    assert motion["mouthSmileLeft"].mean() == pytest.approx(0.4 * by_mesh["mouthSmileLeft"].mean(), abs=1e-3)


def test_the_same_person_at_rest_counts_as_nothing(frames, smile_unheeded):
    tracker = ExpressiveTracker(reader=Always(1.0, 0.0, 0.0))
    motion = tracker.track(frames, neutral=tracker.neutral_face(frames))
    assert motion["browDownLeft"].max() < 0.15 and motion["eyeWideLeft"].max() < 0.15


class Wavers(Always):
    """Names one emotion, more surely in some frames than in others."""

    def __call__(self, image: np.ndarray, points: np.ndarray) -> np.ndarray:
        found = super().__call__(image, points)
        return found if self.calls % 2 else np.eye(len(found))[2] * 0.5 + 0.5 * found


@pytest.mark.parametrize("probability", [0.2, 0.4, 0.7])
def test_a_neutral_clip_is_neutral_against_itself_however_it_is_read(probability, frames, by_mesh, smile_unheeded):
    """Resting faces are taken for angry ones, and what they are taken for wavers with each syllable."""
    tracker = ExpressiveTracker(reader=Wavers(probability, 0.0, 1 - probability))
    mesh = FaceMeshTracker()
    against = mesh.track(frames, neutral=mesh.neutral_face(frames))
    motion = tracker.track(frames, neutral=tracker.neutral_face(frames))
    np.testing.assert_allclose(motion.values, against.values, atol=0.02)


def test_a_stranger_s_resting_face_that_is_taken_for_angry_is_not(frames, by_mesh, smile_unheeded):
    motion = ExpressiveTracker(reader=Always(0.38, 0.0, 0.62)).track(frames)
    np.testing.assert_allclose(motion.values, by_mesh.values, atol=1e-6)
    angrier = ExpressiveTracker(reader=Always(0.7, 0.0, 0.3)).track(frames)
    assert angrier["browDownLeft"].min() > 0.85


def test_the_landmarker_reads_shapes_where_its_file_is_given(frames, landmarker):
    plain, reader = FaceLandmarkerTracker(landmarker).track(frames), Always(0.0, 1.0, 0.0)
    motion = ExpressiveTracker(landmarker, reader).track(frames)
    assert motion.metadata["tracker"] == "face_landmarker_expressive" and reader.calls
    assert motion["cheekSquintLeft"].min() > 0.75 > plain["cheekSquintLeft"].max()
    np.testing.assert_allclose(motion["jawOpen"], plain["jawOpen"], atol=0.05)


def test_a_picture_is_located_without_reading(frames):
    reader = Always(1.0, 0.0, 0.0)
    assert ExpressiveTracker(reader=reader).locate(frames[0]).points.shape == (478, 3)
    assert not reader.calls


def test_expectation_is_a_sum_of_prototypes_and_grows_with_the_probability():
    rest, faint, half, sure = (expect(np.array([p, 0.0, 1 - p]), Always.emotions)[INDEX["browDownLeft"]] for p in (0.3, 0.43, 0.5, 0.9))
    assert rest == 0 < faint < half < sure == pytest.approx(1)
    both = expect(np.array([0.5, 0.5, 0.0]), Always.emotions)
    assert both[INDEX["browDownLeft"]] == pytest.approx(0.5) and both[INDEX["mouthSmileLeft"]] == pytest.approx(1)
    assert not expect(np.array([0.0, 0.0, 1.0]), Always.emotions).any()
    frowns = expect(np.array([[0.3, 0.0, 0.7], [1.0, 0.0, 0.0]]), Always.emotions, at_rest=np.array([0.8, 0.0, 0.2]))
    assert frowns[0, INDEX["browDownLeft"]] == 0 < frowns[1, INDEX["browDownLeft"]]


def test_speech_is_raised_and_never_lowered():
    seen, expected = np.full((3, len(BLENDSHAPES)), 0.6), np.zeros((3, len(BLENDSHAPES)))
    expected[:, INDEX["browDownLeft"]] = 1
    mixed = correct_by_appearance(seen, expected)
    assert mixed[0, INDEX["jawOpen"]] == 0.6 and mixed[0, INDEX["noseSneerLeft"]] == pytest.approx(0)
    assert correct_by_appearance(seen, np.ones_like(seen)).max() <= 1


def test_a_full_smile_is_no_anger():
    class Rows:
        def __init__(self, smile: float) -> None:
            self.appearance = np.tile(np.array([1.0, 0.0, 0.0]), (5, 1))
            self.fit = ClipFit(np.zeros((5, len(BLENDSHAPES))), np.zeros((5, 3, 3)), np.ones(5), np.zeros((5, 2)))
            self.fit.blendshapes[:, [INDEX["mouthSmileLeft"], INDEX["mouthSmileRight"]]] = smile

    tracker = ExpressiveTracker(reader=Always(1.0, 0.0, 0.0))
    tracker.base.solve = lambda rows, neutral: rows.fit
    slight, full = (tracker.solve(Rows(smile)).blendshapes[0] for smile in (0.4, 0.75))
    assert slight[INDEX["browDownLeft"]] > 0.85 and slight[INDEX["mouthSmileLeft"]] < 0.2
    assert full[INDEX["browDownLeft"]] < 0.05 and full[INDEX["mouthSmileLeft"]] > 0.75 and full[INDEX["cheekSquintLeft"]] > 0.7


def test_facex_reads_a_smile_and_says_what_is_missing(tmp_path, monkeypatch):
    pytest.importorskip("ai_edge_litert", reason="pip install 'tbd[expressive]'")
    (tmp_path / "broken.tflite").write_bytes(b"no network")
    with pytest.raises(InputError, match="no network that LiteRT can run"):
        FacexReader(tmp_path / "broken.tflite")
    with monkeypatch.context() as patch:
        patch.setenv("TBD_WEIGHTS", str(tmp_path))
        with pytest.raises(WeightsNotFoundError, match="tbd weights fetch facex-emotion"):
            FacexReader()
    if not find_weights("facex-emotion").path.is_file():
        pytest.skip("tbd weights fetch facex-emotion")
    reader, image = FacexReader(), astronaut()
    probabilities = reader(image, FaceMeshTracker().locate(image).points)
    assert probabilities.sum() == pytest.approx(1, abs=1e-3)
    assert reader.emotions[int(np.argmax(probabilities))] == "happy"
