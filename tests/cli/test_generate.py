"""`tbd generate` with the packaged model and package data alone; what it refuses leaves nothing behind."""

import json
from pathlib import Path

import av
import numpy as np
import pytest
import skimage

from tbd.cli.main import main
from tbd.face.motion import Motion
from tbd.media import read_audio
from tbd.pipeline import TalkingHeadPipeline
from tbd.think import MusclePlan
from tbd.utils.sample_inputs import PORTRAIT, VOICE
from tests.cli.refusals import refused


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


def test_plan_seed_and_steps_reach_the_motion(made, speech, tmp_path):
    """A plan without muscles: the motion of the pipeline with the same plan, seed and steps, and no frown."""
    (tmp_path / "plan.json").write_text('{"version": 1}')
    flags = [f"--portrait={PORTRAIT}", f"--audio={speech}", f"--plan={tmp_path / 'plan.json'}", "--size=64", "--num-inference-steps=2"]
    flags += ["--seed=3", "--quiet", f"--output={tmp_path / 'a.mp4'}", f"--motion-output={tmp_path / 'a.npz'}"]
    assert main(["generate", *flags]) == 0
    drawn = Motion.load(tmp_path / "a.npz")
    assert np.array_equal(drawn.values, TalkingHeadPipeline().draw(MusclePlan(), read_audio(speech), 3, num_inference_steps=2).values)
    assert drawn["browDownLeft"].mean() < Motion.load(made / "m.npz")["browDownLeft"][:15].mean()


def test_head_motion_zero_holds_the_head_and_quiet_still_warns_of_a_slip(speech, tmp_path, capsys):
    flags = [
        f"--portrait={PORTRAIT}",
        f"--audio={speech}",
        "--size=64",
        "--num-inference-steps=2",
        "--head-motion=0",
        "--idle-motion=0",
        "--quiet",
    ]
    flags += ["--emotion=hapy", f"--output={tmp_path / 'a.mp4'}", f"--motion-output={tmp_path / 'a.npz'}"]
    assert main(["generate", *flags]) == 0
    printed, warned = capsys.readouterr()
    assert printed == "" and "Did you mean “happy”?" in warned
    moved = Motion.load(tmp_path / "a.npz")
    assert not moved.head.any() and np.abs(np.diff(moved["eyeLookOutLeft"] - moved["eyeLookInLeft"])).max() < 0.1  # no glance


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


def test_without_a_sentence_the_voice_is_heard(speech, tmp_path):
    flags = [
        f"--portrait={PORTRAIT}",
        f"--audio={speech}",
        "--size=64",
        "--num-inference-steps=2",
        "--quiet",
        f"--output={tmp_path / 'a.mp4'}",
    ]
    assert main(["generate", *flags, f"--plan-output={tmp_path / 'p.json'}"]) == 0
    plan = MusclePlan.load(tmp_path / "p.json")
    assert plan.text == "" and plan.reasoning[0].title == "What is heard" and "The voice" in plan.reasoning[0].text + plan.notes[0]


class TestBadInput:
    """Each gets one clear sentence and leaves nothing half-written."""

    @pytest.fixture(autouse=True)
    def _out(self, kept_empty):
        self.out = kept_empty

    def generate(self, capsys, **options) -> str:
        given = {"portrait": PORTRAIT, "audio": VOICE, "emotion": "happy", "output": self.out / "a.mp4", "quiet": None, **options}
        flags = [f"--{k.replace('_', '-')}" + ("" if v is None else f"={v}") for k, v in given.items() if v is not False]
        return refused(capsys, "generate", *flags)

    def test_no_face(self, capsys, tmp_path):
        skimage.io.imsave(tmp_path / "wall.png", np.full((200, 200, 3), 128, np.uint8), check_contrast=False)
        assert "wall.png" in self.generate(capsys, portrait=tmp_path / "wall.png")

    def test_a_plan_and_where_its_feeling_is_taken_from(self, capsys, made):
        said = self.generate(capsys, emotion="", plan=made / "p.json", emotion_from="voice")
        assert "Give --emotion-from or --plan, not both" in said

    def test_a_face_cut_by_the_frame(self, capsys, tmp_path):
        skimage.io.imsave(tmp_path / "half.png", skimage.data.astronaut()[:, 224:])
        assert "half.png" in self.generate(capsys, portrait=tmp_path / "half.png")

    def test_a_video_where_an_image_belongs(self, capsys, tmp_path):
        from tbd.media import VideoWriter

        with VideoWriter(tmp_path / "film.mp4") as writer:
            writer.write(np.zeros((64, 64, 3), np.uint8))
        assert "film.mp4" in self.generate(capsys, portrait=tmp_path / "film.mp4")

    @pytest.mark.parametrize("content", [b"", b"no sound at all"])
    def test_unreadable_audio(self, capsys, tmp_path, content):
        (tmp_path / "a.wav").write_bytes(content)
        assert "a.wav" in self.generate(capsys, audio=tmp_path / "a.wav")

    @pytest.mark.parametrize("samples", [0, 16000])
    def test_silent_or_empty_audio(self, capsys, tmp_path, samples):
        from scipy.io import wavfile

        wavfile.write(tmp_path / "a.wav", 16000, np.zeros(samples, np.int16))
        assert "a.wav" in self.generate(capsys, audio=tmp_path / "a.wav")

    def test_missing_files(self, capsys):
        assert "nowhere.wav" in self.generate(capsys, audio="nowhere.wav")
        assert "nowhere.png" in self.generate(capsys, portrait="nowhere.png")

    def test_an_output_that_cannot_be_written(self, capsys, tmp_path):
        (tmp_path / "file").write_text("")
        assert str(tmp_path / "file") in self.generate(capsys, output=tmp_path / "file" / "a.mp4")

    def test_an_output_that_is_no_video(self, capsys):
        assert ".mp4" in self.generate(capsys, output=self.out / "a.txt")

    @pytest.mark.parametrize(("unit", "intensity"), [(3, 0.5), (12, 3)])
    def test_a_plan_that_no_face_can_do(self, capsys, tmp_path, unit, intensity):
        plan = {"version": 1, "actions": [{"unit": unit, "intensity": intensity}]}
        (tmp_path / "plan.json").write_text(json.dumps(plan))
        assert "plan.json" in self.generate(capsys, plan=tmp_path / "plan.json", emotion=False)

    def test_both_a_plan_and_a_sentence(self, capsys, tmp_path):
        (tmp_path / "plan.json").write_text("{}")
        assert "not both" in self.generate(capsys, plan=tmp_path / "plan.json")

    def test_an_unknown_model(self, capsys, monkeypatch):
        monkeypatch.setenv("HF_HUB_OFFLINE", "1")
        assert "no motion model" in self.generate(capsys, motion_model="nobody/nothing")

    @pytest.mark.parametrize("option", [{"size": 8}, {"muscle_scale": -1}, {"num_inference_steps": 0}, {"seed": -1}])
    def test_options_out_of_range(self, capsys, option):
        assert f"--{next(iter(option)).replace('_', '-')}" in self.generate(capsys, **option)

    @pytest.mark.parametrize("name", ["nowhere/m.csv", "nowhere/m.json"])
    def test_an_output_is_checked_before_anything_is_thought(self, capsys, tmp_path, name):
        (tmp_path / "nowhere").write_text("a file in the way")
        option = "motion_output" if name.endswith("csv") else "plan_output"
        self.generate(capsys, quiet=False, **{option: tmp_path / name})
        assert not capsys.readouterr().out

    def test_a_missing_portrait_is_said_before_anything_is_thought(self, capsys):
        assert main(["generate", "--portrait=no.png", f"--audio={VOICE}", f"--output={self.out / 'a.mp4'}"]) == 2
        said = capsys.readouterr()
        assert not said.out and "no.png" in said.err

    def test_two_outputs_of_one_name(self, capsys, tmp_path):
        (self.out.parent / "m.json").symlink_to(self.out.parent / "m.csv")
        said = self.generate(capsys, motion_output=self.out.parent / "m.csv", plan_output=self.out.parent / "m.json")
        assert "each a name of its own" in said
