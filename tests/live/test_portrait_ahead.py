"""A portrait that another process prepares and draws: the same frames, and all ends with whoever started it."""

import json
import os
import pickle
import signal
import subprocess
import sys
import threading

import numpy as np
import pytest

from tbd.face.portrait import crop_portrait
from tbd.face.render.renderer import MeshWarpRenderer
from tbd.face.tracker import FaceMeshTracker
from tbd.live.portrait_ahead import PortraitElsewhere, prepare_ahead
from tbd.media import read_image
from tbd.utils.sample_inputs import PORTRAIT
from tests.live.test_render_processes import ends

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="processes are forked on Linux alone")

_SCRIPT = """
import json, sys, time
from tbd.live.portrait_ahead import prepare_ahead
prepared = prepare_ahead(sys.argv[1], "largest", None, None, 64)
if prepared is None:
    sys.exit("one core")
print(json.dumps({
    "early": [worker.number for worker in prepared.workers()] if sys.argv[2] == "drawing" else [prepared._start.process.pid],
    "torch": "torch" in sys.modules,
}), flush=True)
time.sleep(600)
"""


_DRAWING = """
import os, signal, sys, warnings
import numpy as np
from tbd.live.portrait_ahead import PortraitAhead, PortraitElsewhere
from tbd.utils.sample_inputs import PORTRAIT
ahead = PortraitAhead(PORTRAIT, "largest", None, None, 64, 2)  # all before this process uses OpenCV, and has threads by that
wrong = [PortraitAhead(path, "largest", None, None, 64, 2) for path in sys.argv[1:]]
unused = PortraitAhead(PORTRAIT, "largest", None, None, 64, 1)
unused.close()

from tbd.face.portrait import crop_portrait
from tbd.face.render.renderer import MeshWarpRenderer
from tbd.face.tracker import FaceMeshTracker
from tbd.live.in_order import frame_renderer
from tbd.media import read_image
from tests.live.test_render_processes import ends
face = crop_portrait(FaceMeshTracker().locate(read_image(PORTRAIT), str(PORTRAIT)), 64)
found = crop_portrait(ahead.geometry, 64)
assert np.array_equal(found.image, face.image) and np.array_equal(found.points, face.points)

workers = ahead.workers()
numbers = [worker.number for worker in workers]
assert len(set(numbers)) == 2 and os.getpid() not in numbers and ahead.workers() == []
asked = []

def prepare():
    asked.append(1)
    return MeshWarpRenderer(neutralize=0.3, close_lips=1.0, open_eyes=1.0).prepare(face)

values = np.random.default_rng(0).uniform(0, 0.3, (10, 58)).astype(np.float32)
expected = list(map(prepare(), values))
asked.clear()
draw = PortraitElsewhere(prepare)
with frame_renderer(0, draw, workers) as renderer:
    assert np.array_equal(list(renderer.render(draw, values, 0.3)), expected)
    assert not asked  # nothing was prepared here
    os.kill(numbers[1], signal.SIGKILL)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        assert np.array_equal(list(renderer.render(draw, values, 0.3)), expected)
    assert asked and ["has ended unexpectedly" in str(warning.message) for warning in caught] == [True], caught
    numbers += renderer._processes.running
ahead._start.process.join(20)  # whose number it has until then
assert all(map(ends, numbers))
assert all(each.geometry is None and each.workers() == [] for each in wrong)
unused._start.process.join(20)
assert unused._start.process.exitcode == 0
print("whole")
"""


def test_the_same_frames_and_nothing_left_whatever_ends(tmp_path):
    """Also: a killed process is one sentence and loses no frame, and of what is no picture whoever asks finds out."""
    (tmp_path / "text.png").write_text("no picture")
    wrong = [str(tmp_path / "nothing.png"), str(tmp_path / "text.png")]
    done = subprocess.run([sys.executable, "-c", _DRAWING, *wrong], capture_output=True, text=True, timeout=300)
    assert done.stdout == "whole\n", done.stderr
    assert "Error" not in done.stderr and "Traceback" not in done.stderr


@pytest.mark.parametrize(("stage", "way"), [("drawing", signal.SIGKILL), ("drawing", signal.SIGTERM), ("preparing", signal.SIGKILL)])
def test_all_end_with_whoever_started_them(stage, way):
    with subprocess.Popen([sys.executable, "-c", _SCRIPT, str(PORTRAIT), stage], stdout=subprocess.PIPE, text=True) as parent:
        line = parent.stdout.readline()
        if not line:
            pytest.skip("there is one core, and nothing to gain")
        said = json.loads(line)
        assert not said["torch"] and len(said["early"]) >= 1
        parent.send_signal(way)
    assert all(ends(number, 30) for number in said["early"])


def test_it_goes_to_another_process_as_what_it_stands_for():
    face = crop_portrait(FaceMeshTracker().locate(read_image(PORTRAIT), str(PORTRAIT)), 64)
    draw, values = PortraitElsewhere(lambda: MeshWarpRenderer().prepare(face)), np.full(58, 0.1, np.float32)
    other = pickle.loads(pickle.dumps(draw))
    assert type(other) is not PortraitElsewhere and np.array_equal(other(values), draw(values))


def test_a_program_that_has_torch_or_threads_already_does_without(monkeypatch):
    monkeypatch.setitem(sys.modules, "torch", os)
    assert prepare_ahead(PORTRAIT, "largest", None, None, None) is None
    module = sys.modules["tbd.live.portrait_ahead"]
    monkeypatch.setattr(module, "pays_off", lambda: True)
    monkeypatch.setattr(module, "PortraitAhead", lambda *_: pytest.fail("it was forked"))
    pause = threading.Event()
    other = threading.Thread(target=pause.wait)
    other.start()
    assert prepare_ahead(PORTRAIT, "largest", None, None, None) is None
    pause.set()
    other.join()
