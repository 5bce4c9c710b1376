import numpy as np
import pytest

from tbd.errors import InputError
from tbd.live.sound import SoundStream
from tbd.utils.user_warnings import print_warnings
from tests.live.conftest import noise


def tone(seconds: float, rate: int) -> np.ndarray:
    return (0.5 * np.sin(2 * np.pi * 220 * np.arange(int(seconds * rate)) / rate)).astype(np.float32)


def fed(sound: SoundStream, pieces, **rate) -> np.ndarray:
    return np.concatenate([*(sound.feed(piece, **rate) for piece in pieces), sound.finish()])


@pytest.mark.parametrize("rate", [8000, 11025, 16000, 22050, 44100, 48000, 96000])
def test_no_sample_is_lost_or_shifted_in_a_minute_of_odd_pieces(rate):
    """A tone that is cut into pieces of 1 to 3000 samples is the same tone at 16 kHz, at its end as at its start."""
    sound, whole = SoundStream(rate), tone(60, rate)
    cuts = np.cumsum(np.random.default_rng(0).integers(1, 3000, 6000))
    model = fed(sound, np.split(whole, cuts[cuts < len(whole)]))
    assert abs(len(model) - 60 * 16000) <= 1
    wanted = tone(60, 16000)
    for middle in (8000, 59 * 16000):
        assert np.abs(model[middle : middle + 1600] - wanted[middle : middle + 1600]).max() < 0.01
    own = [sound.next_frame() for _ in range(1500)]
    assert sum(map(len, own)) == 60 * sound.sample_rate and not len(sound.next_frame())


def test_integers_channels_and_levels_are_understood():
    floats = noise(0.5)
    for piece in ((floats * 32768).astype(np.int16), np.stack([floats, floats], 1), np.round(floats * 128 + 128).astype(np.uint8)):
        assert np.abs(fed(SoundStream(), [piece]) - floats).max() < 0.01
    assert np.abs(fed(SoundStream(), [floats * 1000])).max() == 1


def test_what_is_no_number_becomes_silence_and_is_said_once(capsys):
    broken = noise(0.1)
    broken[10:20], broken[30] = np.nan, np.inf
    with print_warnings("live"):
        heard = fed(SoundStream(), [broken, broken])
    assert np.isfinite(heard).all() and not heard[10:20].any() and heard[100]
    assert capsys.readouterr().err.count("no numbers") == 1


def test_a_change_of_the_rate_leaves_the_time_as_it_is():
    """A second at 48 kHz, then one at 16 kHz: two seconds of one tone, played at the first rate."""
    sound = SoundStream(48000)
    parts = [sound.feed(tone(1, 48000)), sound.feed(tone(2, 16000)[16000:], 16000), sound.finish()]
    model = np.concatenate(parts)
    assert abs(len(model) - 32000) <= 2 and sound.sample_rate == 48000
    assert np.abs(model[24000:30000] - tone(2, 16000)[24000:30000]).max() < 0.02


@pytest.mark.parametrize("piece", ["sound", np.zeros((2, 2, 2)), np.zeros(4, complex), np.array(1.0)])
def test_what_is_no_sound_is_refused(piece):
    with pytest.raises(InputError, match="piece of sound"):
        SoundStream().feed(piece)


@pytest.mark.parametrize("rate", [0, -1, 7999, 192001, 16000.0, True, None, "16000"])
def test_what_is_no_rate_is_refused(rate):
    with pytest.raises(InputError, match="rate"):
        SoundStream(rate)
