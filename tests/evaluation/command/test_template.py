"""Command lines: words stay words whatever their values hold, and what cannot be filled is refused at once."""

import subprocess

import pytest

from tbd.errors import InputError
from tbd.evaluation.command.template import PLACEHOLDERS, CommandTemplate

NASTY = {name: name for name in PLACEHOLDERS} | {
    "text": """it's $(touch bad) `touch bad`; "x" && touch bad | *""",
    "portrait": "/a b/c'd.png",
}


def test_values_are_parts_of_one_word():
    filled = CommandTemplate("run '--in={portrait}' {text} -o {video} '{{}}'").fill(NASTY)
    assert filled == ["run", f"--in={NASTY['portrait']}", NASTY["text"], "-o", "video", "{}"]


def test_a_shell_never_reads_values_as_code(tmp_path):
    template = CommandTemplate('printf \'%s|\' {text} {portrait} "a{text}" {video} && printf "${{X}}"', shell=True)
    done = subprocess.run(
        template.fill(NASTY),
        cwd=tmp_path,
        capture_output=True,
        text=True,
        env={**template.environment(NASTY), "X": "end", "PATH": "/usr/bin:/bin"},
    )
    assert done.stdout.startswith(f"{NASTY['text']}|{NASTY['portrait']}|a") and done.stdout.endswith("|video|end")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("command", "said"),
    [
        ("", "is empty"),
        ("run 'x {video}", "close its quotes"),
        ("run {portrait}", "says nowhere where to write"),
        ("run {image} {video}", "no placeholder {image}"),
        ("run {portrait!r} {video}", "no placeholder"),
        ("run {video", "do not match"),
        ("run {} {video}", "no placeholder {}"),
    ],
)
def test_what_cannot_be_filled_is_refused(command, said):
    with pytest.raises(InputError, match=said):
        CommandTemplate(command)
