"""A slot takes a short name, a class path or a file, and arguments; what it does not take is refused in one sentence."""

import json
import sys
from pathlib import Path

import pytest

from tbd.cli.main import main
from tests.cli.refusals import refused

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
            (["ruls"], "did you mean rules?"),
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
