"""`tbd batch`: each row is the video that `tbd generate` makes, failures stop nothing, and a second run does what is left."""

import csv
import wave
from dataclasses import fields

import av
import pytest

from tbd.cli.drawing.batch_jobs import COLUMNS
from tbd.cli.main import main
from tbd.cli.options.drawing import SamplingOptions
from tbd.face.motion import Motion
from tbd.utils.sample_inputs import PORTRAIT

FLAGS = ["--size=64", "--num-inference-steps=2"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory, speech):
    folder = tmp_path_factory.mktemp("batch")
    rows = [
        "portrait,audio,emotion,seed,size,output,motion_output,face,aspect",
        f"{PORTRAIT},{speech},quietly furious,3,,a.mp4,a.npz,,",
        f"missing.png,{speech},happy,,,b.mp4,,,",
        f"{PORTRAIT},{speech},happy,,128,c.mp4,,left,2:1",
        f"{PORTRAIT},{speech},happy,,7,d.mp4,,,",
    ]
    (folder / "jobs.csv").write_text("\n".join(rows))
    return folder


def status(folder) -> dict[str, dict[str, str]]:
    with (folder / "jobs.status.csv").open(newline="") as file:
        return {row["row"]: row for row in csv.DictReader(file)}


def test_rows_are_drawn_and_failures_are_reported(folder, speech, capsys):
    assert main(["batch", str(folder / "jobs.csv"), *FLAGS]) == 1
    said = capsys.readouterr()
    assert "2 of 4 videos failed" in said.err and "missing.png" in said.out
    found = status(folder)
    assert [found[row]["status"] for row in "2345"] == ["done", "failed", "done", "failed"]
    assert "missing.png" in found["3"]["error"] and "64 to 2048" in found["5"]["error"]
    with av.open(str(folder / "c.mp4")) as video:
        assert (video.streams.video[0].width, video.streams.video[0].height) == (128, 64)
    argv = [f"--portrait={PORTRAIT}", f"--audio={speech}", "--emotion=quietly furious", "--seed=3", *FLAGS, "--quiet"]
    assert main(["generate", *argv, f"--output={folder / 'x.mp4'}", f"--motion-output={folder / 'x.npz'}"]) == 0
    assert (Motion.load(folder / "a.npz").values == Motion.load(folder / "x.npz").values).all()
    assert (folder / "a.mp4").read_bytes() == (folder / "x.mp4").read_bytes()


def test_a_second_run_does_what_is_left(folder, capsys):
    before = (folder / "a.mp4").stat().st_mtime_ns
    text = (folder / "jobs.csv").read_text().replace("missing.png", str(PORTRAIT)).replace(",,7,d.mp4", ",,64,d.mp4")
    (folder / "jobs.csv").write_text(text)
    (folder / "c.mp4").unlink()
    assert main(["batch", str(folder / "jobs.csv"), *FLAGS]) == 0
    assert "1 of 4 videos are there already" in capsys.readouterr().out
    assert all((folder / f"{name}.mp4").exists() for name in "abcd") and (folder / "a.mp4").stat().st_mtime_ns == before
    assert {row["status"] for row in status(folder).values()} == {"done"}
    assert main(["batch", str(folder / "jobs.csv"), *FLAGS]) == 0
    assert "4 of 4 videos are there already" in capsys.readouterr().out


def test_what_only_a_row_can_have_is_refused(folder, capsys):
    assert main(["batch", str(folder / "jobs.csv"), "--plan-output=p.json"]) == 2
    assert "column plan_output" in capsys.readouterr().err


def test_every_option_of_sampling_is_a_column():
    assert {field.name for field in fields(SamplingOptions)} - {"model"} <= set(COLUMNS)


def test_a_video_model_is_loaded_once_and_rows_do_not_share_their_scales(tmp_path, speech, monkeypatch):
    from tests.draw.tiny_video import tiny_video_model
    from tests.draw.video.test_diffusion import wake

    loaded = []

    def load(name):
        loaded.append(wake(tiny_video_model()).eval())
        return loaded[-1]

    monkeypatch.setattr("tbd.draw.video.loading.load_video_model", load)
    with wave.open(str(speech)) as whole, wave.open(str(tmp_path / "word.wav"), "wb") as word:  # a word is enough windows
        word.setparams(whole.getparams())
        word.writeframes(whole.readframes(whole.getframerate() // 2))
    speech = tmp_path / "word.wav"
    rate = [f"{PORTRAIT},{speech},happy,3,a.mp4", f"{PORTRAIT},{speech},happy,,b.mp4"]
    (tmp_path / "jobs.csv").write_text("\n".join(["portrait,audio,emotion,emotion_scale,output", *rate]))
    flags = ["--renderer=video", "--checkpoint=any", *FLAGS]
    assert main(["batch", str(tmp_path / "jobs.csv"), *flags]) == 0
    assert len(loaded) == 1
    argv = [f"--portrait={PORTRAIT}", f"--audio={speech}", "--emotion=happy", *flags, "--quiet", f"--output={tmp_path / 'x.mp4'}"]
    assert main(["generate", *argv]) == 0
    assert (tmp_path / "b.mp4").read_bytes() == (tmp_path / "x.mp4").read_bytes() != (tmp_path / "a.mp4").read_bytes()
    assert main(["batch", str(tmp_path / "jobs.csv"), *flags]) == 0 and len(loaded) == 2  # nothing is left to do, and nothing is loaded


def test_a_video_model_needs_its_renderer(folder, capsys):
    assert main(["batch", str(folder / "jobs.csv"), "--checkpoint=any"]) == 2
    assert "--renderer video" in capsys.readouterr().err
