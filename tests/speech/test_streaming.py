import numpy as np
import pytest

from tbd.media import read_audio
from tbd.speech.alignment import SYMBOLS, phone_track
from tbd.speech.phones import Phone
from tbd.speech.recognizer import PhoneRecognizer, SphinxRecognizer
from tbd.speech.streaming import SlidingPhoneStream, SphinxPhoneStream, open_phone_stream
from tbd.utils.sample_inputs import VOICE


@pytest.fixture(scope="module")
def voice() -> np.ndarray:
    return read_audio(VOICE)[: 4 * 16000]


def fed(stream, sound, length):
    for i in range(0, len(sound), length):
        stream.feed(sound[i : i + length])
    return stream


def test_phones_while_they_are_spoken_are_those_of_the_whole_recording(voice):
    """Most of them, once it is over and a tenth of a second after each moment; the level of the whole is not known yet."""
    whole = phone_track(SphinxRecognizer(words=False).listen(voice), 100)
    stream, late = SphinxPhoneStream(), []
    for i in range(0, len(voice), 1600):
        stream.feed(voice[i : i + 1600])
        late.append(stream.track(i // 160 - 10, i // 160))
    assert (stream.track(0, 400) == whole).mean() > 0.65
    assert (np.concatenate(late)[10:] == whole[: 10 * len(late) - 10]).mean() > 0.5


def test_the_same_sound_gives_the_same_phones_whoever_listened_before(voice):
    one = fed(SphinxPhoneStream(), voice, 1920).track(0, 400)
    fed(SphinxPhoneStream(), np.random.default_rng(0).normal(0, 0.3, 16000).astype(np.float32), 1920)
    assert np.array_equal(fed(SphinxPhoneStream(), voice, 1920).track(0, 400), one)


def test_silence_has_no_phones_and_what_is_unknown_lasts_on(voice):
    stream = fed(SphinxPhoneStream(), np.zeros(16000, np.float32), 640)
    assert not stream.track(-50, 120).any()
    stream = fed(SphinxPhoneStream(), voice[:30000], 640)
    track = stream.track(150, 220)
    assert stream.columns == 187 and (track[37:] == track[36]).all()


def test_an_hour_takes_the_memory_of_seconds(voice):
    """A loop of speech: utterances end at pauses, the track keeps seconds, and later rounds are named like early ones."""
    stream = SphinxPhoneStream()
    loop = np.concatenate([voice[: 3 * 16000], np.zeros(8000, np.float32)])
    starts = []
    for _ in range(12):
        fed(stream, loop, 1920)
        starts.append(stream._start)
        assert len(stream._columns) <= 800 + 20 * 100
    assert len(set(starts)) > 4 and stream.columns == 12 * 350


class Loud(PhoneRecognizer):
    """Hears an m wherever it is loud, and nothing else."""

    name = "loud"

    def recognize(self, audio):
        loud = np.abs(audio) > 0.1
        return [Phone(loud.argmax() / 16000, (len(audio) - loud[::-1].argmax()) / 16000, "m")] if loud.any() else []


def test_any_recognizer_can_be_followed():
    sound = np.zeros(48000, np.float32) + 1e-3
    sound[16000:24000] = 0.5
    stream = open_phone_stream(Loud())
    assert isinstance(stream, SlidingPhoneStream)
    track = fed(stream, sound, 1000).track(0, 300)
    assert [SYMBOLS[i] for i in (track[50], track[120], track[250])] == ["", "m", ""]
