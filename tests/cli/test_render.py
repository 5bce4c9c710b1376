"""`tbd render`: a tracked motion becomes a video; what cannot be drawn is refused."""

import av
import numpy as np

from tbd.cli.main import main
from tbd.face.motion import Motion
from tbd.utils.sample_inputs import PORTRAIT
from tests.cli.refusals import refused


def test_track_then_render(made, tmp_path):
    """A video's performance is tracked and put on a portrait: the doors into the flow open."""
    assert main(["track", str(made / "a.mp4"), f"--output={tmp_path / 't.npz'}"]) == 0
    assert main(["render", f"--portrait={PORTRAIT}", f"--motion={tmp_path / 't.npz'}", f"--output={tmp_path / 'r.mp4'}", "--size=128"]) == 0
    with av.open(str(tmp_path / "r.mp4")) as film:
        assert sum(1 for _ in film.decode(video=0)) == 50 == len(Motion.load(tmp_path / "t.npz"))


def test_a_word_in_a_motion(kept_empty, capsys, tmp_path):
    motion = Motion.zeros(3)
    motion["jawOpen"] = 0.5
    motion.save(tmp_path / "m.tsv")
    (tmp_path / "m.csv").write_text((tmp_path / "m.tsv").read_text().replace("0.5", "wide", 1))
    said = refused(capsys, "render", f"--portrait={PORTRAIT}", f"--motion={tmp_path / 'm.csv'}", f"--output={kept_empty / 'a.mp4'}")
    assert "m.csv" in said and "jawOpen" in said


def test_an_empty_motion(kept_empty, capsys, tmp_path):
    Motion.zeros(0).save(tmp_path / "m.npz")
    said = refused(capsys, "render", f"--portrait={PORTRAIT}", f"--motion={tmp_path / 'm.npz'}", f"--output={kept_empty / 'a.mp4'}")
    assert "no frames" in said


def test_a_video_is_no_motion(kept_empty, capsys, tmp_path):
    from tbd.media import VideoWriter

    with VideoWriter(tmp_path / "clip.mp4") as writer:
        writer.write(np.zeros((64, 64, 3), np.uint8))
    said = refused(capsys, "render", f"--portrait={PORTRAIT}", f"--motion={tmp_path / 'clip.mp4'}", f"--output={kept_empty / 'a.mp4'}")
    assert "is a video; track it first" in said


def test_ctrl_c_half_way(kept_empty, capsys, monkeypatch, tmp_path):
    from tbd.face.render.renderer import PreparedPortrait

    drawn = []

    def interrupted(self, values, neutralize=None):
        drawn.append(self._face.image)
        if len(drawn) == 5:
            raise KeyboardInterrupt
        return drawn[0]

    monkeypatch.setattr(PreparedPortrait, "__call__", interrupted)
    Motion.zeros(10).save(tmp_path / "m.npz")
    assert main(["render", f"--portrait={PORTRAIT}", f"--motion={tmp_path / 'm.npz'}", f"--output={kept_empty / 'a.mp4'}"]) == 130
    assert "interrupted" in capsys.readouterr().err


def test_the_whole_picture_and_a_video_can_be_given_a_motion(tmp_path):
    import skimage.data

    from tbd.media import VideoWriter, read_video

    motion = Motion.zeros(12)
    motion["jawOpen"] = np.linspace(0, 0.8, 12)
    motion.save(tmp_path / "m.npz")
    with VideoWriter(tmp_path / "clip.mp4") as writer:
        for _ in range(12):
            writer.write(skimage.data.astronaut()[::2, ::2].copy())
    for portrait, flags, shape in (
        (PORTRAIT, ["--frame=full", "--aspect=9:16", "--size=128"], (128, 72, 3)),
        (tmp_path / "clip.mp4", [], (256, 256, 3)),
    ):
        given = [f"--portrait={portrait}", f"--motion={tmp_path / 'm.npz'}", f"--output={tmp_path / 'a.mp4'}"]
        assert main(["render", *given, *flags]) == 0
        frames = list(read_video(tmp_path / "a.mp4"))
        assert len(frames) == 12 and frames[0].shape == shape
        assert np.abs(frames[-1].astype(int) - frames[0]).max() > 40


def test_a_face_that_is_not_there(kept_empty, capsys, tmp_path):
    Motion.zeros(3).save(tmp_path / "m.npz")
    given = [f"--portrait={PORTRAIT}", f"--motion={tmp_path / 'm.npz'}", f"--output={kept_empty / 'a.mp4'}"]
    assert "shows one face" in refused(capsys, "render", *given, "--face=2")
