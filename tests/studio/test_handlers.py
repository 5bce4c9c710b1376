"""A visit to the page without its browser: think, edit, draw, and the same video from the shown command."""

import os
import re
import shlex
import shutil
from pathlib import Path

import av
import numpy as np
import pytest

from tbd.cli.main import main
from tbd.face.motion import Motion
from tbd.think import MusclePlan

SCALES = (1.5, 2.0, 1.5, 0.5, 7, 256)


@pytest.fixture
def thought(handlers, upload):
    assert "studio-face" in handlers.portrait("tab", upload("portrait"))
    assert handlers.voice("tab", upload("voice")) == ""
    return handlers.think("tab", "quietly furious")


def decoded(path) -> list[np.ndarray]:
    with av.open(str(path)) as film:
        return [frame.to_ndarray(format="rgb24") for frame in film.decode(video=0)]


def test_the_command_gives_the_video_again(handlers, store, thought, given, tmp_path, monkeypatch):
    rows = thought.timeline["rows"]
    rows[0]["intensity"], rows[1]["muted"] = 1.0, True
    edited = handlers.edit("tab", {"action": "edit", "rows": rows, "seq": 4})
    assert edited.note == "" and edited.timeline["seq"] == 4 and edited.timeline["rows"] == rows
    shown = list(handlers.draw("tab", True, *SCALES))
    assert not any(part.note for part in shown) and "progress" in shown[0].preview and "<video" in shown[-1].video
    result = store.get("tab").result
    assert set(result.downloads) == {"video.mp4", "plan.json", "motion.csv", "voice.flac"}
    assert set(re.findall(r'download="([^"]+)"', shown[-1].downloads)) == set(result.downloads)

    shutil.copy(given["portrait"], tmp_path / "me.jpg")
    shutil.copy(given["voice"], tmp_path / "my voice.wav")
    shutil.copy(result.downloads["plan.json"], tmp_path)
    monkeypatch.chdir(tmp_path)
    assert main([*shlex.split(result.command)[1:], "--motion-output", "again.npz"]) == 0
    assert (Motion.load("again.npz").values == result.motion.values).all()
    assert all((a == b).all() for a, b in zip(decoded("video.mp4"), decoded(result.video), strict=True))
    csv = Motion.load(result.downloads["motion.csv"])
    assert np.abs(csv.blendshapes - result.motion.blendshapes).max() < 1e-6
    assert MusclePlan.load("plan.json") == result.plan


def test_a_second_drawing_samples_no_motion_again_and_leaves_no_files(handlers, store, thought):
    list(handlers.draw("tab", True, *SCALES))
    first = store.get("tab").result
    list(handlers.draw("tab", True, *SCALES))
    second = store.get("tab").result
    assert second is not first and second.motion is first.motion and not first.video.exists() and second.video.exists()


def test_what_is_kept_survives_and_is_compared(handlers, store, thought):
    assert "no video to keep" in handlers.keep("tab")
    list(handlers.draw("tab", False, *SCALES))
    kept = store.get("tab").preview
    handlers.keep("tab")
    shown = list(handlers.draw("tab", False, 1.5, 1.0, *SCALES[2:]))
    assert kept.video.exists() and "muscles 1.0" in shown[-1].comparison and "muscles 2.0" in shown[-1].comparison


def test_undo_redo_and_repair(handlers, thought):
    conflict = [{"unit": unit, "intensity": 0.6} for unit in (12, 15)]
    edited = handlers.edit("tab", {"action": "edit", "rows": conflict, "seq": 1})
    assert "pull against each other" in edited.chart
    mended = handlers.edit("tab", {"action": "repair", "seq": 2})
    assert "pull against each other" not in mended.chart
    assert handlers.edit("tab", {"action": "undo", "seq": 3}).timeline["rows"] == edited.timeline["rows"]
    assert handlers.edit("tab", {"action": "redo", "seq": 4}).timeline["rows"] == mended.timeline["rows"]


@pytest.mark.parametrize("message", [None, 3, {}, {"action": "delete"}, {"action": "edit", "rows": [{"unit": "<script>"}]}])
def test_a_page_that_lies_gets_a_sentence(handlers, thought, message):
    answer = handlers.edit("tab", message)
    assert 'role="alert"' in answer.note and "<script>" not in answer.note and answer.timeline["rows"] == thought.timeline["rows"]


@pytest.mark.parametrize(("kind", "take"), [("nobody", "portrait"), ("words", "portrait"), ("words", "voice")])
def test_a_file_that_cannot_be_used_is_a_sentence_without_a_folder(handlers, upload, tmp_path, kind, take):
    note = getattr(handlers, take)("tab", upload(kind))
    assert 'role="alert"' in note and str(tmp_path) not in note and os.path.expanduser("~") not in note


def test_what_is_missing_is_said(handlers, upload):
    assert "no voice yet" in handlers.think("tab", "").note
    assert handlers.think("tab", "sad").timeline["rows"]  # what is said needs no voice
    assert "no portrait yet" in list(handlers.draw("tab", True, *SCALES))[-1].note
    handlers.close("tab")
    assert "no portrait yet" in list(handlers.draw("tab", True, *SCALES))[-1].note
    handlers.portrait("tab", upload("portrait"))
    handlers.voice("tab", upload("voice"))
    assert "no plan yet" in list(handlers.draw("tab", True, *SCALES))[-1].note
    handlers.portrait("tab", None)
    assert "no portrait yet" in list(handlers.draw("tab", True, *SCALES))[-1].note


def test_numbers_out_of_range_are_said(handlers, thought):
    assert "from 0 to 5" in list(handlers.draw("tab", False, 9, *SCALES[1:]))[-1].note


def test_stopping_leaves_no_file_and_the_next_drawing_works(handlers, store, thought):
    drawing = handlers.draw("tab", True, *SCALES)
    next(drawing)
    handlers.stop("tab")
    assert "Stopped" in list(drawing)[-1].note
    assert not list(store.get("tab").folder.rglob("*.mp4"))
    assert "<video" in list(handlers.draw("tab", False, *SCALES))[-1].preview


def test_a_tab_that_closes_while_drawing_frees_the_studio(handlers, store, thought, upload):
    drawing = handlers.draw("tab", True, *SCALES)
    next(drawing)
    handlers.close("tab")  # and nobody asks the generator for more
    assert len(store) == 0
    handlers.portrait("other", upload("portrait"))
    handlers.voice("other", upload("voice"))
    handlers.think("other", "happy")
    assert "<video" in list(handlers.draw("other", False, *SCALES))[-1].preview
    with pytest.raises(StopIteration):
        while True:
            next(drawing)


def test_uploads_go_with_their_tab_and_samples_stay(handlers, upload):
    uploaded, sample = Path(upload("portrait")), Path(upload("voice"))
    handlers.portrait("tab", str(uploaded))
    handlers.voice("tab", str(sample), sample=True)
    handlers.close("tab")
    assert not uploaded.exists() and sample.exists()


@pytest.fixture
def couple(tmp_path) -> str:
    """The astronaut twice, side by side."""
    import skimage.data
    from PIL import Image

    astronaut = skimage.data.astronaut()[::2, ::2]
    path = tmp_path / "uploads" / "couple" / "couple.png"
    path.parent.mkdir(parents=True)
    Image.fromarray(np.concatenate([astronaut, astronaut[:, ::-1]], 1)).save(path)
    return str(path)


@pytest.fixture
def clip(tmp_path) -> str:
    """Somebody who stands still for half a second."""
    import skimage.data

    from tbd.media import VideoWriter

    path = tmp_path / "uploads" / "clip" / "clip.mp4"
    path.parent.mkdir(parents=True)
    with VideoWriter(path) as writer:
        for _ in range(12):
            writer.write(skimage.data.astronaut()[::2, ::2].copy())
    return str(path)


def again(result, portrait, given, folder, monkeypatch) -> list[np.ndarray]:
    """The frames of the shown command."""
    shutil.copy(portrait, folder)
    shutil.copy(given["voice"], folder / "my voice.wav")
    shutil.copy(result.downloads["plan.json"], folder)
    monkeypatch.chdir(folder)
    assert main(shlex.split(result.command)[1:]) == 0
    return decoded("video.mp4")


def test_the_whole_picture_of_one_of_two_is_had_again(handlers, store, couple, given, upload, tmp_path, monkeypatch):
    assert "shows 2 faces" in handlers.portrait("tab", couple, face="3")
    assert "<img" in handlers.portrait("tab", couple, face="right")
    handlers.voice("tab", upload("voice"))
    handlers.think("tab", "happy")
    *_, last = handlers.draw("tab", True, *SCALES, "full", "16:9")
    result = store.get("tab").result
    assert result.shape == (144, 256) and "256×144" in last.video and "aspect-ratio: 256 / 144" in last.video
    assert "--face right" in result.command and "--frame full --aspect 16:9" in result.command
    frames = again(result, couple, given, tmp_path, monkeypatch)
    assert all((a == b).all() for a, b in zip(frames, decoded(result.video), strict=True))


def test_who_is_filmed_is_dubbed_and_had_again(handlers, store, clip, given, upload, tmp_path, monkeypatch):
    assert "<img" in handlers.portrait("tab", clip, filmed=True)
    handlers.portrait("tab", None)  # the page takes the picture away as a video is given
    handlers.voice("tab", upload("voice"))
    handlers.think("tab", "happy")
    shown = list(handlers.draw("tab", True, *SCALES, "full", ""))
    assert "through the video" in shown[0].preview and not any(part.note for part in shown)
    result = store.get("tab").result
    assert result.shape == (256, 256) and "--portrait clip.mp4" in result.command and "--frame full" in result.command
    frames = again(result, clip, given, tmp_path, monkeypatch)
    assert len(frames) == 50 and all((a == b).all() for a, b in zip(frames, decoded(result.video), strict=True))
    handlers.portrait("tab", None, filmed=True)
    assert "no portrait yet" in list(handlers.draw("tab", False, *SCALES))[-1].note


def test_a_shape_that_cannot_be_is_said(handlers, thought):
    assert "--aspect" in list(handlers.draw("tab", False, *SCALES, "full", "wide"))[-1].note
    assert 'role="alert"' in handlers.framing("tab", "half", "") and handlers.framing("tab", "full", "4:3") == ""


def test_what_waits_for_its_turn_is_known(handlers):
    """The page says so at once: its queue would say nothing."""
    assert not handlers.waits
    drawing = handlers.drawer.draw
    seen = []

    def draw(*args):
        seen.append(handlers.waits)
        return drawing(*args)

    handlers.drawer.draw = draw
    list(handlers.draw("tab", False, 1.5, 1.5, 1.5, 1.0, 1, 256))
    assert seen == [True] and not handlers.waits
