"""Numbers that mean nothing are refused before any work, in one sentence and with exit code 2."""

import pytest

from tbd.cli.main import main


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["synthesize", "--output", "x", "--seed", "-1"], "--seed is a whole number from 0"),
        (["synthesize", "--output", "x", "--workers", "0"], "--workers is a number of processes from 1"),
        (
            ["generate", "--portrait", "p", "--audio", "a", "--output", "x.mp4", "--muscle-scale", "nan"],
            "--muscle-scale: nan is not a number",
        ),
        (["generate", "--portrait", "", "--audio", "a", "--output", "x.mp4"], "--portrait is empty"),
        (["think", "happy", "--planner", "no.such.Planner"], "there is no module no"),
    ],
)
def test_refused(tmp_path, monkeypatch, capsys, arguments, said):
    monkeypatch.chdir(tmp_path)
    assert main(arguments) == 2
    told = capsys.readouterr().err.strip()
    assert said in told and "\n" not in told and not list(tmp_path.iterdir())
