"""What MediaPipe's landmarker reads of lids and gaze, on ARKit's scale."""

import numpy as np
import pytest

from tbd.face.channels import BLENDSHAPES, INDEX
from tbd.face.landmarker_eyes import SCALED, scale_eyes
from tbd.face.rigging.eyes import LID_FOLLOWS_DRAWN, LID_SQUINT_DRAWN
from tbd.metrics.dynamics import count_blinks

FRAMES = 200
BLINK = np.array([0.1, 0.3, 0.5, 0.45, 0.3, 0.12, 0.04])
"""What is read beyond rest, frame by frame."""


def reading(rest: float = 0.13, peaks: tuple[int, ...] = (30, 90, 150), scale: float = 1.0) -> np.ndarray:
    """(T, 52) as read of somebody who blinks, with what is read beside a blink and at rest."""
    read = np.zeros((FRAMES, len(BLENDSHAPES)))
    for side in ("Left", "Right"):
        read[:, INDEX[f"eyeBlink{side}"]], read[:, INDEX[f"eyeSquint{side}"]], read[:, INDEX[f"eyeLookDown{side}"]] = rest, 0.39, 0.25
        for name in ("eyeBlink", "eyeSquint", "eyeLookDown"):
            for peak in peaks:
                read[peak : peak + len(BLINK), INDEX[name + side]] += scale * BLINK
    return read


def closed(values: np.ndarray, side: str = "Left") -> np.ndarray:
    """(T,) how far a drawn eye is closed by all channels together."""
    down, squint, blink = (values[:, INDEX[f"{name}{side}"]] for name in ("eyeLookDown", "eyeSquint", "eyeBlink"))
    share = (LID_FOLLOWS_DRAWN["Down"][1] - LID_FOLLOWS_DRAWN["Down"][0]) * down + (LID_SQUINT_DRAWN[1] - LID_SQUINT_DRAWN[0]) * squint
    return share + blink * (1 - share)


@pytest.mark.parametrize("rest", [0.02, 0.13, 0.35])
def test_blinks_close_and_lids_at_rest_are_open(rest):
    out = scale_eyes(reading(rest))
    lids = out[:, INDEX["eyeBlinkLeft"]]
    assert count_blinks(lids.tolist()) == 3 and lids.max() > 0.95
    still = np.ones(FRAMES, bool)
    for peak in (30, 90, 150):
        still[peak - 4 : peak + 11] = False
    assert closed(out)[still].max() < 0.05
    assert out[:, INDEX["eyeLookDownLeft"]].max() < 0.05 and out[:, INDEX["eyeSquintLeft"]].max() < 0.05  # no rolling, no squint in a blink


def test_a_person_whose_lids_are_read_less_far_blinks_as_well():
    assert scale_eyes(reading(0.1, scale=0.75))[:, INDEX["eyeBlinkLeft"]].max() > 0.85


@pytest.mark.parametrize("name", ["eyeLookDown", "eyeSquint"])
def test_looking_down_and_squinting_are_no_blinks(name):
    read = reading(peaks=(30,))
    for side in ("Left", "Right"):
        read[80:140, INDEX[name + side]] += 0.3
        read[80:140, INDEX[f"eyeBlink{side}"]] += 0.15
    out = scale_eyes(read)
    assert out[85:135, INDEX["eyeBlinkLeft"]].max() < 0.25 and out[85:135, INDEX[f"{name}Left"]].min() > 0.2
    assert 0.1 < closed(out)[85:135].mean() < 0.55


def test_lids_that_stay_shut_are_shut():
    read = reading(0.6, peaks=())
    assert scale_eyes(read)[:, INDEX["eyeBlinkLeft"]].min() > 0.9
    assert scale_eyes(read[:1])[0, INDEX["eyeBlinkLeft"]] > 0.9


def test_gaze_is_as_far_as_eyes_turn_and_both_eyes_turn():
    read = reading(peaks=())
    read[:, INDEX["eyeLookOutLeft"]] = read[:, INDEX["eyeLookInRight"]] = 0.1
    read[100:130, INDEX["eyeLookOutLeft"]] = read[100:130, INDEX["eyeLookInRight"]] = 0.4
    out = scale_eyes(read)
    gaze = out[:, INDEX["eyeLookOutLeft"]] - out[:, INDEX["eyeLookInLeft"]]
    assert abs(gaze[:90]).max() < 1e-6 and gaze[110] == pytest.approx(0.48, abs=0.02)
    assert (out[:, INDEX["eyeLookOutLeft"]] == out[:, INDEX["eyeLookInRight"]]).all()


def test_a_person_known_at_rest_is_measured_against_that():
    read = reading(0.3, peaks=(30,))
    at_rest = np.zeros(52)
    at_rest[SCALED] = reading(0.1, peaks=())[0][SCALED]
    lids = scale_eyes(read, at_rest)[:, INDEX["eyeBlinkLeft"]]
    assert 0.2 < np.median(lids) < 0.6  # lids that hang lower than the person's own


def test_other_channels_stay():
    read = np.random.default_rng(0).random((60, 52))
    assert (scale_eyes(read)[:, ~SCALED] == read[:, ~SCALED]).all() and scale_eyes(read[:0]).shape == (0, 52)
    out = scale_eyes(read)
    assert out.min() >= 0 and out.max() <= 1
