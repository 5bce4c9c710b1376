"""Whether drawn lips speak."""

import numpy as np

from tbd.draw.motion.speaking import SpeechActivity
from tbd.face.channels import CHANNELS, INDEX

NO_PLAN = np.zeros((100, len(CHANNELS)))


def speech(*spans: tuple[int, int]) -> np.ndarray:
    values = np.zeros((100, len(CHANNELS)), np.float32)
    for first, last in spans:
        values[first:last, INDEX["mouthLowerDownLeft"]] = values[first:last, INDEX["mouthPucker"]] = 0.3
    return values


def test_speech_is_noticed_at_once_a_closure_belongs_to_it_and_a_pause_ends_it():
    speaking = SpeechActivity()(speech((10, 40), (44, 60)), NO_PLAN)
    assert not speaking[:10].any() and speaking[16] > 0.9
    assert speaking[40:44].min() > 0.6 and speaking[85:].max() < 0.1
    assert speaking.min() >= 0 and speaking.max() <= 1


def test_lips_that_the_plan_moves_are_no_speech():
    assert not SpeechActivity()(speech((0, 100)), speech((0, 100))).any()


def test_pieces_get_what_the_whole_gets():
    values, activity = speech((10, 40), (50, 80)), SpeechActivity()
    pieces = [activity(values[at : at + 7], NO_PLAN[at : at + 7]) for at in range(0, 100, 7)]
    assert (np.concatenate(pieces) == SpeechActivity()(values, NO_PLAN)).all()
