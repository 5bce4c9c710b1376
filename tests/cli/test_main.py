"""The command line as a user meets it: what it prints, what it refuses, and that a refusal leaves nothing behind."""

import json
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import skimage

from tbd.cli.main import COMMANDS, main
from tbd.face.motion import Motion
from tbd.pipeline import ASSETS

PORTRAIT = str(Path(skimage.__file__).parent / "data" / "astronaut.png")
VOICE = str(ASSETS / "voice.wav")


def refused(capsys, *arguments: str) -> str:
    """Run, expect exit code 2 and one sentence on stderr; return it."""
    assert main(list(arguments)) == 2
    said = capsys.readouterr().err.strip()
    assert said.startswith(f"tbd {arguments[0]}: ") and "Traceback" not in said and "\n" not in said
    return said


def test_help_lists_every_command(capsys):
    assert main(["--help"]) == 0
    said = capsys.readouterr().out
    assert all(name in said for name in [*COMMANDS, "fit", "validate", "test", "predict"])


INNER = [*(f"preprocess {what}" for what in ("mead", "hdtf", "folder", "custom", "features", "report"))]
INNER += [*(f"leaderboard {what}" for what in ("build", "add", "report"))]


@pytest.mark.parametrize("name", [*COMMANDS, *INNER])
def test_every_command_explains_itself(name, capsys):
    """In its own words: no defaults that are none, no names of Python's types."""
    with pytest.raises(SystemExit) as end:
        main([*name.split(), "--help"])
    said = " ".join(capsys.readouterr().out.split())
    assert end.value.code == 0 and "usage: tbd" in said
    assert not [
        noise for noise in ("null", "False", "(default: )", "[]", "{}", "type:", "SUPPRESS", "Namespace", "(required) (") if noise in said
    ]


def test_help_says_what_must_be_given_and_what_is_taken_otherwise(capsys):
    for arguments, wanted in (
        (["generate"], ["(.mp4) (required)", "same video (default: 0)", "(default: the model's)"]),
        (["preprocess", "mead"], ["(default: 512 256)"]),
        (["weights"], ["take all by default options:"]),
        (["predict"], ["ModelPredictor)", "mead-eat2023-v2"]),
    ):
        with pytest.raises(SystemExit):
            main([*arguments, "--help"])
        said = " ".join(capsys.readouterr().out.split())
        assert all(words in said for words in wanted), arguments


def test_unknown_command_names_the_nearest(capsys):
    assert "did you mean render?" in refused(capsys, "rendr")
    assert "no such command. `tbd --help`" in refused(capsys, "xyzzy")


def test_think_prints_the_thought(capsys):
    assert main(["think", "quietly furious"]) == 0
    said = capsys.readouterr().out
    assert "AU4" in said and "corrugator" in said.lower()


def test_think_json_is_a_plan_that_generate_takes(capsys, tmp_path):
    from tbd.think import MusclePlan

    assert main(["think", "raise only the left eyebrow", "--json"]) == 0
    plan = MusclePlan.from_json(capsys.readouterr().out)
    assert {(a.unit, a.side) for a in plan.actions} == {(1, "left"), (2, "left")}


@pytest.mark.parametrize("command", [["--help"], ["think", "quietly furious"]])
def test_light_commands_start_fast(command):
    """About a second on an idle machine; no torch, no mediapipe (that is what would take longer)."""
    heavy = ("torch", "mediapipe", "cv2", "lightning")
    code = f"import sys; from tbd.cli.main import main; main(sys.argv[1:]); print([m for m in {heavy} if m in sys.modules])"
    start = time.process_time()
    out = subprocess.run([sys.executable, "-c", code, *command], capture_output=True, text=True, check=True).stdout
    assert out.strip().endswith("[]") and time.process_time() - start < 3


class TestBadInput:
    """Each gets one clear sentence and leaves nothing half-written."""

    @pytest.fixture(autouse=True)
    def _nothing_is_left(self, tmp_path):
        self.out = tmp_path / "out"
        self.out.mkdir()
        yield
        assert not list(self.out.iterdir())

    def generate(self, capsys, **options) -> str:
        given = {"portrait": PORTRAIT, "audio": VOICE, "emotion": "happy", "output": self.out / "a.mp4", "quiet": None, **options}
        flags = [f"--{k.replace('_', '-')}" + ("" if v is None else f"={v}") for k, v in given.items() if v is not False]
        return refused(capsys, "generate", *flags)

    def test_no_face(self, capsys, tmp_path):
        skimage.io.imsave(tmp_path / "wall.png", np.full((200, 200, 3), 128, np.uint8), check_contrast=False)
        assert "wall.png" in self.generate(capsys, portrait=tmp_path / "wall.png")

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
        assert "no motion model" in self.generate(capsys, model="nobody/nothing")

    @pytest.mark.parametrize("option", [{"size": 8}, {"muscle_scale": -1}, {"num_inference_steps": 0}, {"seed": -1}])
    def test_options_out_of_range(self, capsys, option):
        assert f"--{next(iter(option)).replace('_', '-')}" in self.generate(capsys, **option)

    def test_a_word_in_a_motion(self, capsys, tmp_path):
        motion = Motion.zeros(3)
        motion["jawOpen"] = 0.5
        motion.save(tmp_path / "m.tsv")
        (tmp_path / "m.csv").write_text((tmp_path / "m.tsv").read_text().replace("0.5", "wide", 1))
        said = refused(capsys, "render", f"--portrait={PORTRAIT}", f"--motion={tmp_path / 'm.csv'}", f"--output={self.out / 'a.mp4'}")
        assert "m.csv" in said and "jawOpen" in said

    def test_an_empty_motion(self, capsys, tmp_path):
        Motion.zeros(0).save(tmp_path / "m.npz")
        said = refused(capsys, "render", f"--portrait={PORTRAIT}", f"--motion={tmp_path / 'm.npz'}", f"--output={self.out / 'a.mp4'}")
        assert "no frames" in said

    def test_a_motion_name_without_a_format(self, capsys):
        assert ".npz" in refused(capsys, "track", VOICE, f"--output={self.out / 'm.txt'}")

    def test_a_video_is_no_motion(self, capsys, tmp_path):
        from tbd.media import VideoWriter

        with VideoWriter(tmp_path / "clip.mp4") as writer:
            writer.write(np.zeros((64, 64, 3), np.uint8))
        said = refused(capsys, "render", f"--portrait={PORTRAIT}", f"--motion={tmp_path / 'clip.mp4'}", f"--output={self.out / 'a.mp4'}")
        assert "is a video; track it first" in said

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

    def test_ctrl_c_half_way(self, capsys, monkeypatch, tmp_path):
        from tbd.face.render.renderer import MeshWarpRenderer

        def interrupted(self, face, motion):
            yield face.image
            raise KeyboardInterrupt

        monkeypatch.setattr(MeshWarpRenderer, "render", interrupted)
        Motion.zeros(10).save(tmp_path / "m.npz")
        assert main(["render", f"--portrait={PORTRAIT}", f"--motion={tmp_path / 'm.npz'}", f"--output={self.out / 'a.mp4'}"]) == 130
        assert "interrupted" in capsys.readouterr().err


class TestOutputOverInput:
    """A recording, a portrait or a film is never overwritten, however it is spelled."""

    @pytest.fixture(params=["the same", "dotted", "absolute", "symbolic link", "hard link"])
    def pair(self, request, tmp_path, monkeypatch):
        """Input and output, relative to the working folder."""
        monkeypatch.chdir(tmp_path)
        Path("x.mp4").write_bytes(b"precious")
        Path("sub").mkdir()
        if request.param == "symbolic link":
            Path("y.mp4").symlink_to("x.mp4")
        elif request.param == "hard link":
            Path("y.mp4").hardlink_to("x.mp4")
        spelled = {"the same": "x.mp4", "dotted": "sub/../x.mp4", "absolute": str(tmp_path / "x.mp4")}
        yield "x.mp4", spelled.get(request.param, "y.mp4")
        assert Path("x.mp4").read_bytes() == b"precious"

    def test_generate(self, capsys, pair):
        assert "overwritten" in refused(capsys, "generate", f"--portrait={PORTRAIT}", f"--audio={pair[0]}", f"--output={pair[1]}")
        assert "overwritten" in refused(capsys, "generate", f"--portrait={pair[0]}", f"--audio={VOICE}", f"--output={pair[1]}")

    def test_render(self, capsys, pair):
        Motion.zeros(2).save("m.npz")
        arguments = [f"--portrait={PORTRAIT}", "--motion=m.npz", f"--audio={pair[1]}", f"--output={pair[0]}"]
        assert "overwritten" in refused(capsys, "render", *arguments)

    def test_track(self, capsys, pair):
        Path("x.npz").symlink_to(pair[1])
        assert "overwritten" in refused(capsys, "track", pair[0], "--output=x.npz")

    def test_think(self, capsys, pair):
        Path("x.svg").symlink_to(pair[1])
        assert "overwritten" in refused(capsys, "think", f"--from={pair[0]}", "--chart=x.svg")

    def test_folders(self, capsys, tmp_path, monkeypatch):
        monkeypatch.chdir(tmp_path)
        Path("raw").mkdir()
        Path("link").symlink_to("raw")
        assert "both link" in refused(capsys, "preprocess", "folder", "--root=raw", "--output=link")
        assert "lies in" in refused(capsys, "synthesize", "--recordings", "raw", "--output=raw/out")
        said = refused(capsys, "predict", "--protocol=procedural-v1", "--reference=link", "--output=raw")
        assert "--output raw is the folder of --reference" in said

    def test_scores_beside_their_predictions(self, capsys, tmp_path):
        (tmp_path / "a.mp4").write_bytes(b"")
        said = refused(capsys, "evaluate", "--protocol=procedural-v1", f"--predictions={tmp_path}", f"--output={tmp_path / 'a.json'}")
        assert "overwritten" in said


STONE = """
from tbd.think import MusclePlan
from tbd.think.planner import Planner

class Stone(Planner):
    def __init__(self, words: str = "a stone", level: int = 1):
        if level > 5:
            raise ValueError("level is at most 5")
        self.words = words

    def plan(self, text, duration=None):
        return MusclePlan(text=text, description=self.words)
"""


class TestSlots:
    """A slot takes a short name or a class path, also of a module in the working folder."""

    @pytest.fixture(autouse=True)
    def _module(self, tmp_path, monkeypatch):
        (tmp_path / "quarry.py").write_text(STONE)
        monkeypatch.chdir(tmp_path)
        monkeypatch.setattr(sys, "path", [p for p in sys.path if p])
        monkeypatch.delitem(sys.modules, "quarry", raising=False)

    def think(self, capsys, *arguments: str) -> str:
        assert main(["think", "furious", "--json", *arguments]) == 0
        return json.loads(capsys.readouterr().out)["description"]

    def test_a_class_of_the_working_folder(self, capsys):
        assert self.think(capsys, "--planner=quarry.Stone") == "a stone"
        assert self.think(capsys, "--planner", "quarry.Stone", "--planner.words", "two") == "two"
        Path("stone.yaml").write_text("class_path: quarry.Stone\ninit_args: {words: three}\n")
        assert self.think(capsys, "--planner=stone.yaml") == "three"

    @pytest.mark.parametrize(
        ("arguments", "said"),
        [
            (["knowlege"], "did you mean knowledge?"),
            (["quarry.Ston"], "did you mean Stone?"),
            (["nowhere.Stone"], "no class nowhere.Stone"),
            (["pathlib.Path"], "which is no tbd.think.planner.Planner"),
            (["quarry.Stone", "--planner.wrds=x"], "did you mean words?"),
            (["quarry.Stone", "--planner.level=x"], "level must be int, not 'x'"),
            (["quarry.Stone", "--planner.level=7"], "level is at most 5"),
            (["server"], "needs --url"),
        ],
    )
    def test_what_is_no_planner(self, capsys, arguments, said):
        assert said in refused(capsys, "think", "furious", "--planner", *arguments)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["generate", "--planr=x"], "did you mean --plan"),
        (["generate", "--motion-out=x"], "did you mean --motion-output?"),
        (["generate", "--portrait=a"], "--audio and --output must be given"),
        (["render", "--size=big"], "--size: big is not a whole number"),
        (["preprocess"], "tbd preprocess: say which: mead, hdtf, folder, custom, features, …"),
        (["preprocess", "meed"], "did you mean mead?"),
        (["weights", "lst"], "did you mean list?"),
        (["think", "a", "b"], "it does not take b; options begin with --"),
        (["track", "--config=nowhere.yaml"], "--config: there is no file"),
    ],
)
def test_what_a_parser_refuses_is_one_sentence(capsys, arguments, said):
    assert said in refused(capsys, *arguments)


def test_a_sentence_without_feeling_says_so(capsys):
    assert main(["think", "The train leaves at nine."]) == 0
    assert "no feeling" in capsys.readouterr().err
