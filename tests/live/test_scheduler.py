"""Several faces that talk at once: drawn together, each with its own sound and faults, slower rather than later."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise

import numpy as np
import pytest

from tbd.errors import TBDError
from tbd.live import scheduler as module
from tbd.live.scheduler import LiveScheduler
from tests.live.conftest import noise, paint


class Paced:
    """Sound at the pace at which it is spoken, which knows when each piece was there."""

    def __init__(self, seconds: float, number: int = 0) -> None:
        self._sound, self.begun, self.arrived = np.roll(noise(seconds), number * 5000), 0.0, 0.0

    def __iter__(self):
        self.begun = time.monotonic()
        for i in range(0, len(self._sound), 640):
            self.arrived = self.begun + (i + 640) / 16000
            time.sleep(max(self.arrived - time.monotonic(), 0))
            yield self._sound[i : i + 640]


@pytest.fixture(autouse=True)
def no_thread_stays():
    before = threading.active_count()
    yield
    deadline = time.monotonic() + 5
    while threading.active_count() > before and time.monotonic() < deadline:
        time.sleep(0.05)
    assert threading.active_count() <= before


def test_four_speakers_lose_frames_and_no_time(open_stream):
    """A frame takes 15 ms and there is one to draw them: 66 a second for four who want 100, and 50 at half the rate."""
    scheduler, seconds = LiveScheduler(), 6

    def slowly(values):
        time.sleep(0.015)
        return paint(values)

    def speak(number):
        voice, delays, frames = Paced(seconds, number), [], []
        with open_stream(voice, draw=slowly, realtime=True, scheduler=scheduler) as stream:
            for i, piece in enumerate(stream):
                frames.append(piece.frame)
                delays.append(time.monotonic() - voice.begun - i / 25)
        return np.array(delays), np.mean([a is not b for a, b in pairwise(frames[50:])]) * 25

    with ThreadPoolExecutor(4) as pool:
        found = [*pool.map(speak, range(4))]
    assert all(len(delays) == 25 * seconds for delays, _ in found)
    assert all(4 < rate < 20 for _, rate in found)
    later = [np.median(delays[-40:]) - np.median(delays[60:100]) for delays, _ in found]
    assert max(later) < 0.3 and max(delays[50:].max() for delays, _ in found) < 2


def test_windows_of_all_are_drawn_together(open_stream, monkeypatch):
    sizes, draw = [], module.sample_windows
    monkeypatch.setattr(module, "sample_windows", lambda model, windows, *rest: sizes.append(len(windows)) or draw(model, windows, *rest))
    scheduler = LiveScheduler()
    with ThreadPoolExecutor(3) as pool:
        counts = [*pool.map(lambda n: len(list(open_stream(Paced(3, n), realtime=True, scheduler=scheduler))), range(3))]
    assert counts == [75] * 3
    assert np.mean(sizes[5:-5]) > 2


def test_what_goes_wrong_with_one_is_not_the_others_trouble(open_stream):
    def broken():
        yield noise(0.5)
        raise TBDError("The microphone has gone.")

    def unfit(values):
        raise TBDError("A frame cannot be drawn.")

    scheduler = LiveScheduler()
    with ThreadPoolExecutor(4) as pool:
        sound = pool.submit(list, open_stream(broken(), realtime=True, scheduler=scheduler))
        frame = pool.submit(list, open_stream(Paced(1), draw=unfit, realtime=True, scheduler=scheduler))
        left = open_stream(Paced(20), realtime=True, scheduler=scheduler)
        well = pool.submit(list, open_stream(Paced(2), realtime=True, scheduler=scheduler))
        next(left)
        left.close()
        for failing, sentence in ((sound, "gone"), (frame, "cannot be drawn")):
            with pytest.raises(TBDError, match=sentence):
                failing.result(20)
        assert len(well.result(20)) == 50
