"""Processes that render: the same pictures, nothing lost where one is killed, nothing left behind."""

import os
import signal
import subprocess
import sys
import time
import warnings

import numpy as np
import pytest

from tbd.errors import InputError
from tbd.face.framing import Framing, frame_face
from tbd.face.portrait import crop_portrait
from tbd.face.render.renderer import MeshWarpRenderer, PreparedPicture, PreparedPortrait
from tbd.face.tracker import FaceMeshTracker
from tbd.live import render_processes as module
from tbd.live.load import LEVELS, LoadShedder
from tbd.live.render_processes import RenderPool, RenderProcesses, default_count
from tbd.live.scheduler import LiveScheduler
from tbd.media import read_image
from tbd.utils.sample_inputs import PORTRAIT
from tests.live.conftest import noise, paint

pytestmark = pytest.mark.skipif(os.name != "posix", reason="processes render on POSIX systems alone")


@pytest.fixture(scope="module")
def located():
    return FaceMeshTracker().locate(read_image(PORTRAIT))


@pytest.fixture(scope="module")
def portrait(located) -> PreparedPortrait:
    return MeshWarpRenderer(close_lips=1.0, open_eyes=1.0, cells=30).prepare(crop_portrait(located, 96))


@pytest.fixture
def processes():
    with RenderProcesses(1) as processes:
        yield processes


@pytest.fixture
def motion() -> np.ndarray:
    return np.random.default_rng(0).uniform(0, 0.3, (6, 58)).astype(np.float32)


def is_there(number: int) -> bool:
    try:
        os.kill(number, 0)
    except ProcessLookupError:
        return False
    return True


def ends(number: int, seconds: float = 10) -> bool:
    deadline = time.monotonic() + seconds
    while is_there(number) and time.monotonic() < deadline:
        time.sleep(0.05)
    return not is_there(number)


def started(processes: RenderProcesses, draw) -> list[int]:
    processes.load(draw)
    assert processes.wait(60)
    return processes.running


def nowhere(*_):
    raise AssertionError("it was drawn in this process")


def test_pictures_are_the_same_to_the_last_bit(processes, portrait, motion, monkeypatch):
    expected = [portrait(values, 0.4) for values in motion] + [portrait(motion[0])]
    started(processes, portrait)
    monkeypatch.setattr(PreparedPortrait, "__call__", nowhere)
    drawn = [processes.render(portrait, values, 0.4) for values in motion] + [processes.render(portrait, motion[0])]
    assert np.array_equal(drawn, expected)


def test_a_whole_picture_goes_to_a_process_as_well(processes, located, motion, monkeypatch):
    framed = frame_face(located, Framing("full", size=128))
    part = MeshWarpRenderer(cells=30).prepare(framed.face)
    picture = PreparedPicture(part, framed.complete)
    expected = picture(motion[0])
    started(processes, picture)
    monkeypatch.setattr(PreparedPicture, "__call__", nowhere)
    assert np.array_equal(processes.render(picture, motion[0]), expected)


def test_frames_are_drawn_here_until_a_process_has_started(portrait, motion):
    with RenderProcesses(1) as processes:
        assert np.array_equal(processes.render(portrait, motion[0]), portrait(motion[0]))
        assert not processes.running


def test_a_killed_process_is_one_sentence_and_another_takes_its_place(processes, portrait, motion):
    (number,) = started(processes, portrait)
    os.kill(number, signal.SIGKILL)
    with pytest.warns(UserWarning, match="has ended unexpectedly") as caught:
        frames = [processes.render(portrait, values) for values in motion]
    assert len(caught) == 1 and str(caught[0].message).count(".") == 1
    assert np.array_equal(frames, [portrait(values) for values in motion])
    assert processes.wait(60) and processes.running != [number]
    assert ends(number)


def test_a_process_that_hangs_is_not_waited_for(portrait, motion):
    with RenderProcesses(1, patience=0.3) as processes:
        (number,) = started(processes, portrait)
        os.kill(number, signal.SIGSTOP)
        with pytest.warns(UserWarning, match="has ended unexpectedly"):
            frame = processes.render(portrait, motion[0])
    assert np.array_equal(frame, portrait(motion[0])) and ends(number)


def test_a_process_that_cannot_start_is_one_sentence(portrait, motion, monkeypatch):
    monkeypatch.setattr(sys, "executable", "/bin/false")
    with pytest.warns(UserWarning, match="No process that draws frames could be started") as caught, RenderProcesses(1) as processes:
        processes.load(portrait)
        assert not processes.wait(60)
        assert np.array_equal(processes.render(portrait, motion[0]), portrait(motion[0]))
    assert len(caught) == 1


def test_closing_ends_them(portrait):
    processes = RenderProcesses(2)
    numbers = started(processes, portrait)
    assert len(numbers) == 2
    processes.close()
    assert not any(map(is_there, numbers)) and not processes.running


def test_they_end_with_whoever_started_them_however_that_ends(portrait, tmp_path):
    """The script has no guard around what it does, which a process of `multiprocessing` would do again."""
    script = tmp_path / "script.py"
    script.write_text(
        "import sys, time\n"
        f"sys.path[:] = {sys.path!r}\n"
        "from tbd.live.render_processes import RenderProcesses\n"
        "from tests.live.test_render_processes import Blank\n"
        "from tbd.face.render.renderer import PreparedPortrait\n"
        "class Square: picture_box = None\n"
        "processes = RenderProcesses(1)\n"
        "draw = PreparedPortrait(None, Blank())\n"
        "processes.load(draw)\n"
        "assert processes.wait()\n"
        "print(processes.running[0], flush=True)\n"
        "time.sleep(60)\n"
    )
    with subprocess.Popen([sys.executable, str(script)], stdout=subprocess.PIPE, text=True) as owner:
        number = int(owner.stdout.readline())
        assert is_there(number)
        owner.kill()
    assert ends(number)


class Unhurried(LoadShedder):
    """Draws all, however late it is."""

    def update(self, late, waiting=False):
        return LEVELS[0]


class Blank:
    """Draws nothing, or an error."""

    def __init__(self, error: Exception | None = None) -> None:
        self.error = error

    def draw(self, values, neutralize=None):
        if self.error:
            raise self.error
        return np.zeros((4, 4, 3), np.uint8)


class Face:
    """A picture without a margin."""

    picture_box = None


def test_an_error_is_the_same_sentence(processes):
    draw = PreparedPortrait(Face(), Blank(InputError("This frame is not to be drawn.")))
    numbers = started(processes, draw)
    with pytest.raises(InputError, match="not to be drawn"):
        processes.render(draw, np.zeros(58))
    assert processes.running == numbers


def test_what_cannot_go_elsewhere_is_drawn_here(processes):
    """A renderer of the user's, which may hold a GPU, and a portrait that cannot be pickled."""
    here = []
    own = PreparedPortrait(Face(), Blank())
    own.local = lambda: None
    assert processes.render(lambda values: here.append(os.getpid()) or values, np.zeros(2)).shape == (2,) and here == [os.getpid()]
    numbers = started(processes, own)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert processes.render(own, np.zeros(58)).shape == (4, 4, 3)
    assert processes.running == numbers


def test_portraits_that_nobody_has_any_more_are_forgotten(processes):
    for _ in range(3):
        draw = PreparedPortrait(Face(), Blank())
        started(processes, draw)
        processes.render(draw, np.zeros(58))
    assert len(processes._all[0]._sent) <= 2


def test_a_frame_whose_turn_comes_too_late_is_left_out():
    with RenderPool(RenderProcesses(0)) as pool:
        assert pool.draw(time.monotonic() - 1, paint, np.zeros(3)).result() is None
        assert pool.draw(float("inf"), paint, np.zeros(3)).result().shape == (16, 16, 3)


def test_one_core_is_left_to_the_motion(monkeypatch):
    for cores, count in ((1, 0), (2, 1), (4, 3), (64, 4)):
        monkeypatch.setattr(module, "usable_cores", lambda cores=cores: cores)
        assert default_count() == count


def test_a_stream_in_real_time_shows_the_same_frames_and_ends_its_processes(open_stream, portrait):
    sound = [noise(0.04) for _ in range(20)]
    expected = [frame for frame, _ in open_stream(sound, draw=portrait)]
    with LiveScheduler(1, Unhurried()) as scheduler:
        (number,) = started(scheduler.processes, portrait)
        frames = [frame for frame, _ in open_stream(sound, draw=portrait, realtime=True, scheduler=scheduler)]
        fresh = [i for i, frame in enumerate(frames) if not i or frame is not frames[i - 1]]
        assert len(fresh) > 2 and all(np.array_equal(frames[i], expected[i]) for i in fresh)
        assert scheduler.processes.running == [number]  # it waits for who speaks next
    assert not is_there(number)
    stream = open_stream(sound, draw=portrait, realtime=True)
    own = stream._scheduler.processes
    own.count = 1
    next(stream)
    own.wait(60)
    (number,) = own.running
    stream.close()
    assert not is_there(number)
