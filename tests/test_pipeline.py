"""The whole way, with the packaged model and package data alone."""

import json
from pathlib import Path

import av
import numpy as np
import pytest
import skimage

from tbd.cli.main import main
from tbd.face.motion import Motion
from tbd.pipeline import ASSETS
from tbd.think import MusclePlan

PORTRAIT = str(Path(skimage.__file__).parent / "data" / "astronaut.png")


@pytest.fixture(scope="module")
def speech(tmp_path_factory) -> str:
    """Two seconds of the sample voice."""
    from scipy.io import wavfile

    rate, sound = wavfile.read(ASSETS / "voice.wav")
    path = tmp_path_factory.mktemp("speech") / "short.wav"
    wavfile.write(path, rate, sound[: 2 * rate])
    return str(path)


@pytest.fixture(scope="module")
def made(tmp_path_factory, speech) -> Path:
    """A folder with everything that `tbd generate` writes."""
    out = tmp_path_factory.mktemp("made")
    flags = [f"--portrait={PORTRAIT}", f"--audio={speech}", "--emotion=furious, then she smiles", "--size=128", "--num-inference-steps=4"]
    assert (
        main(["generate", *flags, f"--output={out / 'a.mp4'}", f"--motion-output={out / 'm.npz'}", f"--plan-output={out / 'p.json'}"]) == 0
    )
    return out


def test_the_video_is_what_was_asked_for(made):
    with av.open(str(made / "a.mp4")) as film:
        video, audio = film.streams.video[0], film.streams.audio[0]
        assert (video.width, video.height, video.average_rate, video.codec_context.name) == (128, 128, 25, "h264")
        assert audio.codec_context.name == "aac"
        frames = [frame.to_ndarray(format="rgb24") for frame in film.decode(video)]
        metadata = film.metadata
    assert len(frames) == 50 and abs(float(audio.duration * audio.time_base) - 2.0) <= 0.04
    assert "tbd" in json.dumps(metadata) and "furious, then she smiles" in json.dumps(metadata)
    assert max(np.abs(a.astype(int) - frames[0]).mean() for a in frames) > 1  # it moves


def test_the_plan_reaches_the_motion(made):
    """The brow comes down while furious, the corners rise when smiling."""
    plan, motion = MusclePlan.load(made / "p.json"), Motion.load(made / "m.npz")
    assert [max(s.emotions, key=s.emotions.get) for s in plan.segments] == ["angry", "happy"]
    half = len(motion) // 2
    brow, smile = motion["browDownLeft"], motion["mouthSmileLeft"]
    assert brow[: half - 10].mean() > brow[half + 15 :].mean() + 0.1 and smile[half + 15 :].mean() > smile[: half - 10].mean() + 0.1


def test_an_edited_plan_and_the_same_seed(made, speech, tmp_path):
    """A plan without muscles, drawn twice: the same motion, and no frown."""
    (tmp_path / "plan.json").write_text('{"version": 1}')
    for name in ("a", "b"):
        flags = [
            f"--portrait={PORTRAIT}",
            f"--audio={speech}",
            f"--plan={tmp_path / 'plan.json'}",
            "--size=64",
            "--num-inference-steps=4",
            "--seed=3",
        ]
        assert main(["generate", *flags, "--quiet", f"--output={tmp_path / name}.mp4", f"--motion-output={tmp_path / name}.npz"]) == 0
    first, second = Motion.load(tmp_path / "a.npz"), Motion.load(tmp_path / "b.npz")
    assert np.array_equal(first.values, second.values)
    assert first["browDownLeft"].mean() < Motion.load(made / "m.npz")["browDownLeft"][:15].mean()


def test_head_motion_zero_holds_the_head_and_quiet_still_warns_of_a_slip(speech, tmp_path, capsys):
    flags = [f"--portrait={PORTRAIT}", f"--audio={speech}", "--size=64", "--num-inference-steps=2", "--head-motion=0", "--quiet"]
    flags += ["--emotion=hapy", f"--output={tmp_path / 'a.mp4'}", f"--motion-output={tmp_path / 'a.npz'}"]
    assert main(["generate", *flags]) == 0
    printed, warned = capsys.readouterr()
    assert printed == "" and "Did you mean “happy”?" in warned
    assert not Motion.load(tmp_path / "a.npz").head.any()


NEGATIVE = """
import numpy as np
from tbd.face.render.renderer import Renderer
from tbd.think import KnowledgePlanner

class Negative(Renderer):
    def __init__(self, strength: float = 1.0):
        self.strength = strength

    def render(self, face, motion):
        for _ in motion.values:
            yield np.full_like(face.image, 255 * self.strength)

class Shouting(KnowledgePlanner):
    def plan(self, text, duration=None):
        return super().plan("furious", duration)
"""


def test_every_slot_takes_a_class_path(speech, tmp_path, monkeypatch):
    """Strangers' planner and renderer, a guidance from a file, another noise scheduler: all reach the video."""
    monkeypatch.chdir(tmp_path)
    Path("darkroom.py").write_text(NEGATIVE)
    Path("guide.yaml").write_text("class_path: tbd.draw.guidance.classifier_free.ClassifierFreeGuidance\ninit_args: {scale: 1.5}\n")
    flags = [f"--portrait={PORTRAIT}", f"--audio={speech}", "--size=64", "--num-inference-steps=2", "--quiet", "--emotion=happy"]
    flags += ["--planner=darkroom.Shouting", "--renderer=darkroom.Negative", "--renderer.strength=0.5", "--tracker=FaceMeshTracker"]
    flags += ["--guidance=guide.yaml", "--noise-scheduler=unipc"]
    assert main(["generate", *flags, "--output=a.mp4", "--motion-output=a.csv", "--plan-output=p.json"]) == 0
    with av.open("a.mp4") as film:
        frame = next(film.decode(video=0)).to_ndarray(format="rgb24")
    assert abs(int(frame.mean()) - 127) < 3 and MusclePlan.load("p.json").emotions["angry"] > 0.5
    assert Path("a.csv").read_text().startswith("Timecode,BlendShapeCount,EyeBlinkLeft") and len(Motion.load("a.csv")) == 50


def test_track_then_render(made, tmp_path):
    """A video's performance is tracked and put on a portrait: the doors into the flow open."""
    assert main(["track", str(made / "a.mp4"), f"--output={tmp_path / 't.npz'}"]) == 0
    assert main(["render", f"--portrait={PORTRAIT}", f"--motion={tmp_path / 't.npz'}", f"--output={tmp_path / 'r.mp4'}", "--size=128"]) == 0
    with av.open(str(tmp_path / "r.mp4")) as film:
        assert sum(1 for _ in film.decode(video=0)) == 50 == len(Motion.load(tmp_path / "t.npz"))


def test_lips_follow_the_sample_voice(speech):
    """The packaged model opens the mouth for sound and rests it in silence."""
    from tbd.draw.motion.loading import load_motion_model
    from tbd.media import read_audio

    model, sound = load_motion_model(), read_audio(speech)
    quiet = np.concatenate([np.zeros(16000, np.float32), sound, np.zeros(16000, np.float32)])
    jaw = np.concatenate([piece["jawOpen"] for piece in model.generate(quiet, MusclePlan())])
    assert jaw[27:73].mean() > 2 * max(jaw[:20].mean(), jaw[-18:].mean()) and jaw[27:73].std() > 0.03
