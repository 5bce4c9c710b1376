import threading
import time
from itertools import pairwise

import numpy as np
import pytest

from tbd.errors import InputError, TBDError
from tbd.think.plan import MuscleAction, MusclePlan
from tests.live.conftest import noise, paint


def cut(sound: np.ndarray, length: int) -> list[np.ndarray]:
    return [sound[i : i + length] for i in range(0, len(sound), length)]


def test_every_frame_has_its_sound_and_nothing_is_lost(open_stream):
    sound = noise(1.03)
    pieces = list(open_stream(cut(sound, 480)))
    assert len(pieces) == 26 and [len(piece.audio) for piece in pieces] == [640] * 25 + [480]
    assert np.array_equal(np.concatenate([piece.audio for piece in pieces]), sound)


@pytest.mark.parametrize("length", [1, 777, 16000, 10**6])
def test_the_frames_do_not_depend_on_how_the_sound_is_cut(open_stream, length):
    sound = noise(0.9 if length > 1 else 0.4)
    one, other = ([frame for frame, _ in open_stream(cut(sound, n))] for n in (length, 640))
    assert np.array_equal(one, other)


def test_frames_are_there_before_the_sound_ends(open_stream):
    """After n frames of sound all but the last 6 are drawn at least: hop and look-ahead, less the frame itself."""
    given = []

    def speak():
        for piece in cut(noise(2), 640):
            given.append(piece)
            yield piece

    for shown, _ in enumerate(open_stream(speak(), workers=1)):
        assert len(given) <= shown + 7 + 2 + 4  # two frames are being drawn, and a hop is given out at once


def test_sound_of_another_rate_and_kind_comes_back_at_its_rate(open_stream):
    stereo = (np.stack([noise(0.5, 44100)] * 2, 1) * 32767).astype(np.int16)
    with open_stream([stereo], sample_rate=44100) as stream:
        pieces = list(stream)
        assert stream.sample_rate == 44100 and len(pieces) == 13 and len(pieces[0].audio) == 1764


def test_no_sound_gives_no_frame(open_stream):
    assert list(open_stream([])) == [] == list(open_stream([np.zeros(0, np.float32)]))


def test_a_plan_takes_over_on_the_way(open_stream):
    sound = cut(noise(2), 640)
    frown = MusclePlan(emotions={"angry": 1.0}, intensity=1.0, actions=(MuscleAction(unit=4, intensity=1.0),))
    still, changed = open_stream(sound), open_stream(sound)
    frames = []
    for i, (one, other) in enumerate(zip(still, changed)):
        frames.append(np.abs(one.frame.astype(int) - other.frame).max())
        if i == 20:
            changed.change(frown)
    assert not any(frames[:21]) and any(frames[21:32])
    with pytest.raises(InputError, match="MusclePlan"):
        changed.change("furious")


def test_real_time_gives_the_same_frames_where_the_machine_keeps_up(open_stream):
    sound = cut(noise(0.8), 320)
    assert np.array_equal([f for f, _ in open_stream(sound, realtime=True)], [f for f, _ in open_stream(sound)])


def paced(sound, seconds):
    for piece in sound:
        time.sleep(seconds)
        yield piece


def test_a_slow_renderer_loses_frames_and_no_time(open_stream):
    """A frame takes 60 ms: at 25 a second two seconds of sound would take twice as long as at 12.5."""

    def slowly(values):
        time.sleep(0.06)
        return paint(values)

    start = time.monotonic()
    pieces = list(open_stream(paced(cut(noise(3), 640), 0.04), draw=slowly, realtime=True, workers=1))
    took = time.monotonic() - start
    assert len(pieces) == 75 and took < 3 + 1.5
    assert sum(a.frame is b.frame for a, b in pairwise(pieces)) > 10


def test_a_motion_that_cannot_keep_up_stands_still_rather_than_fall_behind(open_stream, monkeypatch):
    """Each hop of 160 ms takes 400 ms: a third of them is drawn."""
    from tbd.live import scheduler

    draw = scheduler.sample_windows

    def slowly(*args):
        time.sleep(0.4)
        return draw(*args)

    monkeypatch.setattr(scheduler, "sample_windows", slowly)
    start = time.monotonic()
    pieces = list(open_stream(paced(cut(noise(4), 640), 0.04), realtime=True))
    assert len(pieces) == 100 and time.monotonic() - start < 4 + 2


def test_sound_that_has_waited_is_caught_up_with(open_stream):
    """Two seconds wait when the stream opens: the face stands still over them, and what is said then is shown at once."""

    class Waiting:
        arrived = 0.0

        def __iter__(self):
            opened = time.monotonic()
            for i, piece in enumerate(cut(noise(4), 640)):
                self.arrived = opened - 2 + 0.04 * (i + 1)
                time.sleep(max(self.arrived - time.monotonic(), 0))
                yield piece

    def slowly(values):
        time.sleep(0.03)  # of two seconds it would take one and a half to draw all that has waited
        return paint(values)

    start = time.monotonic()
    shown = [time.monotonic() - start + 2 - 0.04 * i for i, _ in enumerate(open_stream(Waiting(), draw=slowly, realtime=True, workers=1))]
    assert len(shown) == 100 and min(shown[-10:]) < 1.0


def test_a_failure_of_the_sound_reaches_whoever_shows_the_face_and_ends_all_threads(open_stream):
    def broken():
        yield noise(0.5)
        raise TBDError("The microphone has gone.")

    before = threading.active_count()
    for realtime in (False, True):
        with pytest.raises(TBDError, match="gone"):
            list(open_stream(broken(), realtime=realtime))
    deadline = time.monotonic() + 5
    while threading.active_count() > before and time.monotonic() < deadline:
        time.sleep(0.05)
    assert threading.active_count() <= before


def test_closing_ends_a_stream_whose_sound_goes_on_for_ever(open_stream):
    def endless():
        while True:
            time.sleep(0.01)
            yield noise(0.04)

    before = threading.active_count()
    with open_stream(endless(), realtime=True) as stream:
        for _, _ in zip(range(10), stream):
            pass
    assert list(stream) == []
    deadline = time.monotonic() + 5
    while threading.active_count() > before and time.monotonic() < deadline:
        time.sleep(0.05)
    assert threading.active_count() <= before


def test_sound_that_is_poured_in_waits_outside_until_it_is_drawn(open_stream):
    """Nobody takes frames: 75 are drawn ahead, 500 pieces wait, and no more is read."""
    given, piece = 0, noise(0.04)

    def pour():
        nonlocal given
        while True:
            given += 1
            yield piece

    with open_stream(pour(), realtime=True) as stream:
        next(stream)
        time.sleep(1)
        assert given < 75 + 500 + 25


def test_memory_of_a_stream_does_not_grow(open_stream):
    stream = open_stream(noise(0.5) for _ in range(240))
    for i, _ in enumerate(stream):
        if i in (200, 2900):
            motion, sound = stream._performance.motion, stream._performance._sound
            assert len(motion._sound) < 16000 + 8000 and len(motion._noise) < 25 and len(sound._own) < 24000
    assert i == 2999
