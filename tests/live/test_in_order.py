"""Frames of a motion that processes draw: the same, in order, and nothing is left where whoever asks for them stops."""

import os
import signal

import numpy as np
import pytest

from tbd.live.in_order import frame_renderer
from tests.live.test_render_processes import ends, located, motion, portrait  # noqa: F401  # fixtures

pytestmark = pytest.mark.skipif(os.name != "posix", reason="processes render on POSIX systems alone")


@pytest.mark.parametrize("count", [0, 2])
def test_the_same_frames_in_order(portrait, motion, count):  # noqa: F811
    values = np.tile(motion, (3, 1))
    asked = []

    def sampled():
        for number, frame in enumerate(values):
            asked.append(number)
            yield frame

    with frame_renderer(count) as renderer:
        frames = renderer.render(portrait, sampled(), 0.4)
        drawn = [next(frames)]
        assert len(asked) < 7  # the motion of ten minutes is not all read for the first frame
        drawn += list(frames)
    assert np.array_equal(drawn, [portrait(frame, 0.4) for frame in values])


def test_a_killed_process_loses_no_frame_and_who_stops_leaves_none(portrait, motion):  # noqa: F811
    with frame_renderer(2) as renderer:
        frames = renderer.render(portrait, np.tile(motion, (3, 1)))
        drawn = [next(frames)]
        numbers = renderer._processes.running
        os.kill(numbers[0], signal.SIGKILL)
        with pytest.warns(UserWarning, match="has ended unexpectedly; its frames are drawn anew") as caught:
            drawn += [next(frames) for _ in range(8)]
        frames.close()
        assert renderer._processes.wait(60)  # another has started, and no thread is left that another test would count
        numbers += renderer._processes.running
    assert len(caught) == 1
    assert np.array_equal(drawn, [portrait(frame) for frame in np.tile(motion, (2, 1))[:9]])
    assert all(map(ends, numbers))


def test_what_the_motion_fails_with_comes_through(portrait, motion):  # noqa: F811
    def sampled():
        yield motion[0]
        raise KeyError("a fault")

    with frame_renderer(0) as renderer, pytest.raises(KeyError, match="a fault"):
        list(renderer.render(portrait, sampled()))
