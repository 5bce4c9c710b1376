"""What is drawn of a portrait, and by whom."""

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from tbd.face.motion import Motion
from tbd.face.portrait import crop_portrait
from tbd.face.render.renderer import MeshWarpRenderer, Renderer
from tbd.studio.drawing import Drawer
from tbd.studio.inputs import read_portrait
from tbd.think.plan import MusclePlan


@pytest.fixture
def portrait(pipeline, given):
    return read_portrait(Path(given["portrait"]), "me.jpg", pipeline.tracker)


def test_a_video_model_gets_the_crop_that_it_wants(portrait):
    closer = SimpleNamespace(renderer=None, video_model=SimpleNamespace(denoiser=SimpleNamespace(headroom=1.5)))
    drawer = Drawer(closer)
    assert (drawer.crop(portrait, 64).image == crop_portrait(portrait.face, 64, 1.5).image).all()
    assert (drawer.crop(portrait, 64).image != crop_portrait(portrait.face, 64).image).any()
    assert drawer.warp(MusclePlan()) is None


class Recorder(Renderer):
    """Draws nothing, and keeps the motions that it was given."""

    def __init__(self) -> None:
        self.motions: list[np.ndarray] = []

    def render(self, face, motion):
        self.motions.append(motion.values.copy())
        yield from (face.image for _ in range(len(motion)))


def test_a_renderer_of_a_user_s_gets_one_motion_for_preview_and_video(handlers, store, upload, monkeypatch):
    recorder = Recorder()
    monkeypatch.setattr(handlers.drawer.pipeline, "renderer", recorder)
    handlers.portrait("tab", upload("portrait"))
    handlers.voice("tab", upload("voice"))
    handlers.think("tab", "quietly furious")
    assert not any(shown.note for shown in handlers.draw("tab", True, 1.5, 2.0, 1.5, 0.5, 7, 256))
    result: Motion = store.get("tab").result.motion
    assert len(recorder.motions) == 2 and all((motion == result.values).all() for motion in recorder.motions)
    assert not isinstance(handlers.drawer.warp(MusclePlan()), MeshWarpRenderer)
