import numpy as np
import pytest
import skimage.data

from tbd.errors import InputError
from tbd.face.tracker import FaceMeshTracker
from tbd.face.tracking.choice import check_choice


@pytest.fixture(scope="module")
def couple() -> np.ndarray:
    """The astronaut on the left, and larger and mirrored on the right."""
    import cv2

    astronaut, picture = skimage.data.astronaut(), np.full((620, 1100, 3), 128, np.uint8)
    picture[54:566, 20:532] = astronaut
    picture[:, 480:] = cv2.resize(astronaut[:, ::-1], (620, 620))
    return picture


@pytest.mark.parametrize(("choice", "left"), [("largest", False), ("left", True), ("right", False), (1, True), ("2", False)])
def test_the_chosen_face_is_found(couple, choice, left):
    face = FaceMeshTracker().locate(couple, face=choice)
    assert (face.points[1, 0] < 480) == left and face.faces_seen == 2
    (other,) = face.metadata["other_faces"]
    assert (other[0] > 480) == left


def test_a_number_that_is_not_there_says_how_many_are(couple):
    with pytest.raises(InputError, match="family shows 2 faces; there is no face number 3"):
        FaceMeshTracker().locate(couple, "family", 3)
    with pytest.raises(InputError, match="No face"):
        FaceMeshTracker().locate(np.zeros((200, 200, 3), np.uint8), face=2)


def test_the_chosen_face_of_a_video_is_followed(couple):
    small = np.ascontiguousarray(couple[::2, ::2])
    motions = [FaceMeshTracker().track([small] * 3, face=face).values for face in ("left", "right", "largest")]
    assert np.array_equal(motions[1], motions[2]) and not np.allclose(motions[0], motions[1], atol=0.01)


@pytest.mark.parametrize("choice", ["", "middle", 0, -1, "0", "1.5", None, True, 1000])
def test_other_words_are_refused(choice):
    with pytest.raises(InputError, match="by largest, left, right"):
        check_choice(choice)
