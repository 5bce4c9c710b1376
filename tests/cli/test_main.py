"""The command line as a user meets it: what it lists, explains and refuses."""

import os
import subprocess
import sys
import time

import pytest

from tbd.cli.main import COMMANDS, main
from tests.cli.refusals import refused


def test_help_lists_every_command(capsys):
    assert main(["--help"]) == 0
    said = capsys.readouterr().out
    assert all(name in said for name in [*COMMANDS, "fit", "validate", "test", "predict"])


INNER = [*(f"preprocess {what}" for what in ("mead", "hdtf", "folder", "custom", "features", "mouths", "report"))]
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
        (["generate"], ["(.mp4) (required)", "same video (default: 1)", "(default: the model's)"]),
        (["preprocess", "mead"], ["(default: 512 256)"]),
        (["weights"], ["take all by default options:"]),
        (["predict"], ["what predicts: model, command, truth, still, loudness, or a class path (default: model)", "mead-eat2023-v2"]),
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


@pytest.mark.parametrize("command", [["--help"], ["think", "quietly furious", "--planner", "rules"]])
def test_light_commands_start_fast(command):
    """About a second on an idle machine; no torch, no mediapipe, no numpy (they are what would take longer)."""
    heavy = ("torch", "mediapipe", "cv2", "lightning", "numpy", "tbd.utils.jobs.monitor")
    code = f"import sys; from tbd.cli.main import main; main(sys.argv[1:]); print([m for m in {heavy} if m in sys.modules])"
    start = time.process_time()
    out = subprocess.run([sys.executable, "-c", code, *command], capture_output=True, text=True, check=True).stdout
    assert out.strip().endswith("[]") and time.process_time() - start < 3


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["generate", "--planr=x"], "did you mean --plan"),
        (["generate", "--motion-out=x"], "did you mean --motion-output?"),
        (["generate", "--portrait=a"], "--audio and --output must be given"),
        (["render", "--size=big"], "--size: big is not a whole number"),
        (["preprocess"], "tbd preprocess: say which: mead, hdtf, folder, custom, features, plans, mouths, report."),
        (["preprocess", "meed"], "did you mean mead?"),
        (["weights", "lst"], "did you mean list?"),
        (["think", "a", "b"], "it does not take b; options begin with --"),
        (["track", "--config=nowhere.yaml"], "--config: there is no file"),
    ],
)
def test_what_a_parser_refuses_is_one_sentence(capsys, arguments, said):
    assert said in refused(capsys, *arguments)


@pytest.mark.parametrize("command", [["--help"], ["preprocess", "--help"], ["think", "quietly furious"], ["think", "furious", "--json"]])
def test_a_reader_that_stops_reading_ends_it_silently(command):
    """As `tbd think … | head -1` does, and as a shell reports it: 128 and the number of SIGPIPE."""
    read, write = os.pipe()
    os.close(read)
    done = subprocess.run([sys.executable, "-m", "tbd", *command], stdout=write, stderr=subprocess.PIPE, text=True)
    os.close(write)
    assert done.stderr == "" and done.returncode in ((0, 141) if command[1:] == ["--help"] else (141,))  # some argparses pass over it


def test_a_sentence_without_feeling_says_so(capsys):
    assert main(["think", "The train leaves at nine."]) == 0
    assert "no feeling" in capsys.readouterr().err
