"""`tbd think`: think or read a plan, edit it, check it, mend it, draw it."""

import json
import subprocess
import sys

import pytest

from tbd.cli.main import main
from tbd.face.motion import Motion
from tbd.face.render.renderer import MeshWarpRenderer
from tbd.face.tracker import FaceMeshTracker
from tbd.media import VideoWriter, read_image
from tbd.pipeline import locate_face, render_frames
from tbd.think import KnowledgePlanner, MusclePlan
from tbd.think.facs import perform
from tbd.think.plan import MuscleAction
from tbd.think.plan_checks import check
from tbd.utils.sample_inputs import PORTRAIT, VOICE
from tests.think.llm import chat_server

PRESSED = "AU24 at 0.8"  # an order that speech cannot follow


def think(capsys, *arguments: str) -> tuple[str, str]:
    """Standard output and standard error of a run that must go well."""
    assert main(["think", *arguments]) == 0, capsys.readouterr().err
    return capsys.readouterr()


def plan(capsys, *arguments: str) -> MusclePlan:
    return MusclePlan.from_json(think(capsys, *arguments, "--json")[0])


def levels(found: MusclePlan) -> dict[tuple[int, str], float]:
    return {(action.unit, action.side): action.intensity for action in found.actions}


@pytest.fixture
def file(tmp_path):
    KnowledgePlanner().plan("she fights back tears, then smiles", duration=4).save(tmp_path / "plan.json")
    return str(tmp_path / "plan.json")


def test_a_plan_is_read_as_it_was_written(capsys, file):
    assert plan(capsys, "--from", file) == MusclePlan.load(file)
    assert "fights back tears" in think(capsys, "--from", file)[0]


REFUSED = [
    ((), "give a sentence about a feeling (or --audio, a voice), a plan with --from"),
    (("happy", "--emotion-from", "voice"), "need --audio"),
    (("happy", "--audio", "absent.wav"), "There is no file absent.wav (--audio)"),
    (("--audio", "hello.wav", "--from", "plan.json"), "one of them"),
    (("--audio", "hello.wav", "--emotion-from", "text"), "--emotion-from text needs a sentence"),
    (("happy", "--audio", "hello.wav", "--duration", "3"), "Give --duration or --audio"),
    (("happy", "--from", "plan.json"), "one of them"),
    (("happy", "--from-video", "clip.mp4"), "one of them"),
    (("--from-video", "absent.mp4"), "There is no file absent.mp4 (--from-video)"),
    (("happy", "--planner", "server", "--hear"), "--hear needs --audio"),
    (("happy", "--planner", "server", "--see", "portrait"), "go together"),
    (("happy", "--portrait", "me.jpg"), "go together"),
    (("happy", "--see", "portrait", "--portrait", "absent.jpg"), "There is no file absent.jpg (--portrait)"),
    (("happy", "--neutral", "me.jpg"), "--neutral belongs to --from-video"),
    (("happy", "--tracker", "expressive"), "--tracker belongs to --from-video"),
    (("--from-video", "absent.mp4", "--tracker", "expressive", "--landmarker", "a.task"), "--landmarker chooses its own tracker"),
    (("--from-video", "absent.mp4", "--tracker", "landmarker", "--landmarker", "a.task"), "There is no file absent.mp4 (--from-video)"),
    (("--from", "absent.json"), "There is no file absent.json (--from)"),
    (("happy", "--set", "AU12"), "“AU12” sets nothing; write a unit"),
    (("happy", "--set", "smile=1"), "“smile=1” sets nothing; write a unit"),
    (("happy", "--set", "AU12=3"), "needs a number from 0 to 1"),
    (("happy", "--set", "intensity=much"), "needs a number from 0 to 1"),
    (("happy", "--set", "AU99=0.5"), "AU99 is no action unit"),
    (("happy", "--set", "AU26L=0.5"), "AU26 (Jaw Drop) acts on both sides at once"),
    (("happy", "--set", "AU46=0.5"), "AU46 (Wink) acts on one side only"),
    (("happy", "--set", "lower="), "needs a description"),
]


@pytest.mark.parametrize(("arguments", "sentence"), REFUSED)
def test_what_cannot_be_is_refused_in_one_sentence(capsys, arguments, sentence):
    assert main(["think", *arguments]) == 2
    out, err = capsys.readouterr()
    assert out == "" and sentence in err and err.count("\n") == 1


def test_a_muscle_is_set_and_removed(capsys, file):
    assert levels(plan(capsys, "angry", "--set", "AU12=0.4"))[12, "both"] == 0.4
    assert 4 not in {unit for unit, _ in levels(plan(capsys, "angry", "--set", "AU4=0"))}
    both = plan(capsys, "happy", "--set", "AU12=0.4", "--set", "lower=lips pressed together")  # whichever comes first
    assert levels(both)[12, "both"] == 0.4 and levels(both)[24, "both"] > 0 and both.regions["lower"] == "lips pressed together"
    smile = plan(capsys, "--from", file, "--set", "AU12=0.25")
    before = next(action for action in MusclePlan.load(file).actions if action.unit == 12)
    assert next(action for action in smile.actions if action.unit == 12) == before.model_copy(update={"intensity": 0.25})


def test_one_side_leaves_the_other(capsys):
    smile = levels(plan(capsys, "AU12 at 0.6"))
    assert smile == {(12, "both"): 0.6}
    assert levels(plan(capsys, "AU12 at 0.6", "--set", "AU12L=0.2")) == {(12, "left"): 0.2, (12, "right"): 0.6}
    assert levels(plan(capsys, "AU12 at 0.6", "--set", "AU12R=0")) == {(12, "left"): 0.6}
    assert levels(plan(capsys, "AU12 at 0.6", "--set", "AU12L=0.2", "--set", "au12=0.3")) == {(12, "both"): 0.3}


def test_words_follow_the_muscles_that_are_set(capsys):
    assert "lip corners are pulled down" in plan(capsys, "neutral", "--set", "AU15=0.4").regions["lower"]
    own = plan(capsys, "neutral", "--set", "lower=a stiff upper lip, sort of", "--set", "AU15=0.4")
    assert own.regions["lower"] == "a stiff upper lip, sort of"


def test_muscles_follow_the_words_of_their_region(capsys):
    before, after = plan(capsys, "angry"), plan(capsys, "angry", "--set", "lower=lips pressed together")
    assert after.regions["lower"] == "lips pressed together"
    upper = {(4, "both"), (5, "both"), (7, "both")}
    assert set(levels(after)) == {*upper, (24, "both"), (38, "both")} and upper < set(levels(before))
    assert levels(plan(capsys, "angry", "--set", "lower=like a letterbox")) == levels(before)


def test_the_intensity_of_segments_keeps_its_proportions(capsys, file):
    before, after = MusclePlan.load(file), plan(capsys, "--from", file, "--set", "intensity=0.3")
    assert after.intensity == max(segment.intensity for segment in after.segments) == pytest.approx(0.3)
    ratios = [a.intensity / b.intensity for a, b in zip(after.segments, before.segments)]
    assert ratios[0] == pytest.approx(ratios[1])


def test_findings_are_printed_alone_and_as_notes(capsys):
    sentence = "AU24 (Lip Pressor) at 0.80 throughout leaves the mouth no room to speak."
    assert think(capsys, PRESSED, "--check")[0] == f"speech: {sentence}\n"
    assert f"! {sentence}" in think(capsys, PRESSED)[0]
    assert think(capsys, "angry", "--check")[0] == "The check finds nothing.\n"


def test_repair_says_what_it_changed(capsys):
    out, _ = think(capsys, PRESSED, "--repair")
    assert out.startswith("repaired: AU24 is lowered from 0.80 to 0.50.\n") and "Lip Pressor" in out and "!" not in out
    assert think(capsys, "angry", "--repair")[0].startswith("There is nothing to repair.")
    assert think(capsys, PRESSED, "--repair", "--check")[0].endswith("The check finds nothing.\n")


def test_json_stays_json(capsys, tmp_path):
    out, err = think(capsys, PRESSED, "--check", "--chart", str(tmp_path / "face.svg"), "--json")
    assert check(MusclePlan.from_json(out)) and err.startswith("speech: AU24") and "face.svg" in err
    out, err = think(capsys, PRESSED, "--repair", "--json")
    assert check(MusclePlan.from_json(out)) == () and err.startswith("repaired: AU24")
    assert think(capsys, "angry", "--json")[1] == ""


def test_the_chart_is_written(capsys, tmp_path):
    out, _ = think(capsys, "angry", "--chart", str(tmp_path / "face.svg"))
    assert "The face chart is in" in out and (tmp_path / "face.svg").read_text(encoding="utf-8").startswith("<svg")
    assert main(["think", "angry", "--chart", str(tmp_path)]) == 2


def test_the_schema_is_pydantics(capsys):
    assert json.loads(think(capsys, "--schema")[0]) == MusclePlan.model_json_schema()


def test_thinking_with_every_option_needs_no_heavy_library(tmp_path):
    arguments = ["think", "sad", "--set", "lower=a smile", "--repair", "--check", "--json", "--chart", str(tmp_path / "face.svg")]
    heavy = "{'torch', 'cv2', 'mediapipe', 'lightning', 'scipy'}"
    code = f"import sys; from tbd.cli.main import main; main({arguments!r}); print(sorted({heavy} & set(sys.modules)))"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert out.splitlines()[-1] == "[]"


@pytest.mark.parametrize(
    ("sentence", "doubt", "planner"),
    [
        ("hapy", "“happy”", "situations"),
        ("hapy", "“happy”", "rules"),
        ("happy at 3", "“at 3”", "situations"),
        ("traurig", "German", "rules"),
    ],
)
def test_doubts_go_to_standard_error_and_json_stays_pure(capsys, sentence, doubt, planner):
    printed, warned = think(capsys, sentence, "--planner", planner)
    assert doubt in warned and "warning: " not in printed
    printed, warned = think(capsys, sentence, "--json", "--planner", planner)
    assert doubt in warned and MusclePlan.from_json(printed).text == sentence


def test_what_is_read_in_full_raises_no_note(capsys):
    assert think(capsys, "calm, then from 1 to 2 s happy at 70 %, then blinks twice")[1] == ""


def test_a_tracked_performance_becomes_a_plan(capsys, tmp_path):
    wanted = MusclePlan(actions=(MuscleAction(unit=12, side="left", intensity=0.6, onset=1.0, apex=1.4),))
    Motion(perform(wanted, 75)).save(tmp_path / "smile.npz")
    found = plan(capsys, "--from-video", str(tmp_path / "smile.npz"))
    assert [(a.unit, a.side, a.intensity) for a in found.actions] == [(12, "left", 0.6)]
    assert abs(found.actions[0].onset - 1.0) < 0.1
    assert main(["think", "--from-video", str(tmp_path / "smile.npz"), "--neutral", str(tmp_path / "smile.npz")]) == 2
    assert "which is tracked already" in capsys.readouterr().err


def test_a_filmed_performance_becomes_a_plan(capsys, tmp_path):
    """A drawn face is filmed, tracked and read; it is silent, and a note says what that means."""
    wanted = MusclePlan(actions=(MuscleAction(unit=2, intensity=1.0, onset=0.6, apex=0.9),))
    face = locate_face(FaceMeshTracker(), read_image(PORTRAIT), 256)
    frames = list(render_frames(MeshWarpRenderer(), face, Motion(perform(wanted, 50))))
    with VideoWriter(tmp_path / "face.mp4") as writer:
        for frame in frames:
            writer.write(frame)
    out, err = think(capsys, "--from-video", str(tmp_path / "face.mp4"), "--json")
    found = MusclePlan.from_json(out)
    (raised,) = (a for a in found.actions if a.unit == 2)
    assert raised.side == "both" and raised.intensity > 0.3 and abs(raised.onset - 0.6) < 0.25
    assert "has no sound" in err


def test_a_voice_is_heard_where_there_is_no_sentence(capsys):
    found = plan(capsys, "--audio", str(VOICE))
    assert found.text == "" and found.reasoning[0].title == "What is heard" and not found.actions


def test_a_sentence_and_a_voice(capsys):
    sources = ((), ("--emotion-from=text",), ("--emotion-from=voice",))
    both, alone, heard = (plan(capsys, "furious", "--audio", str(VOICE), *source) for source in sources)
    assert both.emotions == alone.emotions == {"angry": 1.0} and both.reasoning[-1].title == "What the voice adds"
    assert alone.reasoning == both.reasoning[:-1] and heard.emotions == {"neutral": 1.0}


def test_a_voice_reader_of_ones_own_is_named_by_class_path(capsys, tmp_path, monkeypatch):
    (tmp_path / "ears.py").write_text(
        "from tbd.think.voice import VoiceReader, VoiceReading\n"
        "class Gloomy(VoiceReader):\n"
        "    def __init__(self, sure: float = 0.5):\n        self.sure = sure\n"
        "    def read(self, audio):\n        return VoiceReading({'sad': self.sure, 'neutral': 1 - self.sure}, aroused=0.1)\n"
    )
    monkeypatch.chdir(tmp_path)
    found = plan(capsys, "--audio", str(VOICE), "--voice-reader", "ears.Gloomy", "--voice-reader.sure", "0.8")
    assert found.emotions == {"sad": 1.0} and "sounds like sadness (0.80 sure)" in found.reasoning[0].text


@pytest.mark.parametrize("refused", [None, "image_url", "input_audio"])
def test_a_model_on_a_server_sees_and_hears_or_says_that_it_cannot(capsys, monkeypatch, refused):
    def answer(exchange):
        parts = {
            part["type"] for message in exchange.body["messages"] if isinstance(message["content"], list) for part in message["content"]
        }
        if refused in parts:
            exchange.reply(b'{"error": {"message": "unsupported content"}}', 400)
        else:
            chat_server.think(exchange)

    with chat_server.serve(answer) as server:
        arguments = ("sad", "--planner", "server", "--model", "m", "--url", server.url, "--audio", str(VOICE), "--hear")
        arguments += ("--see", "portrait", "--portrait", str(PORTRAIT))
        if refused is None:
            assert plan(capsys, *arguments).actions[0].unit == 4
            (content,) = [message["content"] for message in server.requests[0].body["messages"] if isinstance(message["content"], list)]
            assert [part["type"] for part in content].count("image_url") == [part["type"] for part in content].count("input_audio") == 1
        else:
            assert main(["think", *arguments]) == 1
            assert "unsupported content); perhaps the model cannot see (--see) or hear (--hear)." in capsys.readouterr().err
