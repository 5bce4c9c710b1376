import itertools

import numpy as np
import pytest

from tbd.data.synthetic.visemes import BILABIALS, VOWELS, Articulation, base_symbols, loudness_of, speech_lips
from tbd.face.channels import INDEX
from tbd.media.rates import FPS
from tbd.speech.phones import SILENCE, Phone
from tests.data.phrases import say


def mouth(phones, **habits):
    frames = int(np.ceil(phones[-1].end * FPS))
    return speech_lips(phones, np.full(frames, -4.0), Articulation(**habits))


def channel(lips, name):
    return lips.values[:, INDEX[name]]


def frames_of(phone):
    return slice(int(np.ceil(phone.start * FPS)), int(phone.end * FPS) + 1)


@pytest.mark.parametrize("consonant", ["p", "b", "m"])
@pytest.mark.parametrize(("before", "after"), itertools.product(["ɑ", "i", "u", "s"], repeat=2))
def test_lips_touch_for_bilabials_between_any_sounds(consonant, before, after):
    phones = say(before, consonant, after)
    lips, inside = mouth(phones), frames_of(phones[2])
    assert lips.closed[inside].max() == 1
    touching = inside.start + int(lips.closed[inside].argmax())
    jaw = channel(lips, "jawOpen")
    assert jaw[touching] < 0.06
    assert channel(lips, "mouthClose")[touching] >= 0.99 * jaw[touching]
    assert channel(lips, "mouthPressLeft")[touching] > 0.2
    assert channel(lips, "mouthLowerDownLeft")[touching] == channel(lips, "mouthUpperUpLeft")[touching] == 0


def test_a_bilabial_shorter_than_a_frame_still_closes():
    phones = [Phone(0, 0.41, SILENCE), Phone(0.41, 0.5, "ɑ"), Phone(0.5, 0.512, "b"), Phone(0.512, 0.7, "ɑ"), Phone(0.7, 1.0, SILENCE)]
    assert mouth(phones).closed[11:15].max() == 1


def test_the_lower_lip_meets_the_teeth_for_f_and_v():
    for sound in "fv":
        phones = say("ɑ", sound, "ɑ")
        lips, inside = mouth(phones), frames_of(phones[2])
        assert channel(lips, "mouthRollLower")[inside].max() > 0.3
        assert channel(lips, "jawOpen")[inside].min() < 0.1


def test_rounding_spreads_ahead_of_its_vowel_and_further_than_behind():
    phones = say("t", "t", "t", "u", "t", "t", "t")
    pucker = channel(mouth(phones), "mouthPucker")
    vowel = phones[4]
    ahead, behind = round((vowel.start - 0.16) * FPS), round((vowel.end + 0.16) * FPS)
    assert pucker[ahead] > 0.05
    assert pucker[ahead] > pucker[behind]
    unrounded = channel(mouth(say("t", "t", "t", "i", "t", "t", "t")), "mouthPucker")
    assert unrounded.max() < 0.05


def test_open_vowels_open_more_than_close_ones():
    heights = [channel(mouth(say("t", vowel, "t", length=0.14)), "jawOpen").max() for vowel in ("ɑ", "ɛ", "ɪ", "i")]
    assert heights == sorted(heights, reverse=True)
    assert heights[0] > 2 * heights[-1]


def test_silence_rests_and_the_mouth_opens_before_the_sound():
    phones = say("ɑ", pause=1.0, length=0.2)
    jaw = channel(mouth(phones), "jawOpen")
    assert jaw[: int(0.6 * FPS)].max() < 0.03
    assert jaw[-int(0.4 * FPS) :].max() < 0.03
    assert jaw[round(0.96 * FPS)] > 0.12  # 40 ms before the vowel sounds


def test_loud_syllables_open_the_jaw_further_and_fast_ones_less():
    phones = say("t", "ɑ", "t")
    frames = int(np.ceil(phones[-1].end * FPS))
    loud, soft = (speech_lips(phones, np.full(frames, level)).values[:, INDEX["jawOpen"]].max() for level in (0.0, -15.0))
    assert loud > 1.15 * soft
    fast = channel(mouth(say("t", "ɑ", "t", length=0.05)), "jawOpen").max()
    slow = channel(mouth(say("t", "ɑ", "t", length=0.16)), "jawOpen").max()
    assert slow > 1.15 * fast


def test_speakers_differ_in_amplitude():
    phones = say("t", "ɑ", "t", "u")
    assert channel(mouth(phones, jaw=1.2), "jawOpen").max() > 1.1 * channel(mouth(phones, jaw=0.9), "jawOpen").max()
    assert channel(mouth(phones, lips=1.2), "mouthPucker").max() > 1.1 * channel(mouth(phones, lips=0.9), "mouthPucker").max()


def test_every_engine_symbol_has_a_viseme():
    from tbd.speech.phones import ARPABET

    assert all(base_symbols(symbol) for symbol in ARPABET.values() if symbol != SILENCE)
    assert base_symbols("tɕh") == "tɕh"
    assert not BILABIALS & VOWELS


def test_loudness_is_relative_to_the_loud_moments_of_the_clip():
    audio = np.concatenate([np.zeros(16000), np.random.default_rng(0).standard_normal(16000)]).astype(np.float32)
    level = loudness_of(audio, 50)
    np.testing.assert_allclose(level, loudness_of(0.1 * audio, 50), atol=0.1)
    assert level[:20].max() < -50
    assert abs(np.median(level[30:])) < 2
