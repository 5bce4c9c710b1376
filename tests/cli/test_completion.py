"""What the shells themselves make of the scripts."""

import shutil
import subprocess

import pytest

from tbd.cli.completion import completion_script
from tbd.cli.main import COMMANDS
from tbd.cli.options.command import Command


def options(parser) -> None:
    parser.add_argument("--size", type=int, help="it's a size")
    parser.add_argument("--side", choices=["left", "right"])
    parser.add_argument("action", choices=["list", "fetch"])


MADE_UP = {"frown": Command("makes a frown", options, print), "smile": Command("makes a smile", lambda parser: None, print)}


def completed(shell: str, words: list[str]) -> set[str]:
    """Ask bash what it would show after these words."""
    script = completion_script(shell, MADE_UP).replace("autoload -U +X bashcompinit && bashcompinit", "")
    ask = f"COMP_WORDS=({' '.join(repr(word) for word in words)}); COMP_CWORD={len(words) - 1}; _tbd; printf '%s\\n' \"${{COMPREPLY[@]}}\""
    done = subprocess.run(["bash", "-c", f"{script}\n{ask}"], capture_output=True, text=True, check=True)
    assert not done.stderr
    return set(done.stdout.split())


@pytest.mark.skipif(shutil.which("bash") is None, reason="there is no bash")
@pytest.mark.parametrize(
    ("words", "wanted"),
    [
        (["tbd", "fr"], {"frown"}),
        (["tbd", "f"], {"frown", "fit"}),
        (["tbd", "frown", "--si"], {"--size", "--side"}),
        (["tbd", "frown", "--side", ""], {"left", "right"}),
        (["tbd", "frown", "--side", "r"], {"right"}),
        (["tbd", "frown", "fe"], {"fetch"}),
        (["tbd", "fit", "--ck"], {"--ckpt_path"}),
    ],
)
def test_bash(words, wanted, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert completed("bash", words) == wanted


def test_fish_gets_every_option_with_its_words_quoted():
    script = completion_script("fish", MADE_UP)
    assert "complete -c tbd -n '__fish_seen_subcommand_from frown' -l side -x -a 'left right'" in script
    assert r"-l size -d 'it\'s a size'" in script and "-a smile -d 'makes a smile'" in script
    if fish := shutil.which("fish"):
        assert subprocess.run([fish, "--no-execute"], input=script, text=True, capture_output=True).returncode == 0


def test_zsh_uses_bash_s_and_says_where_it_goes():
    first, second, *_ = completion_script("zsh", MADE_UP).splitlines()
    assert "~/.zshrc" in first and "bashcompinit" in second


def test_the_real_commands_are_all_there():
    few = {name: COMMANDS[name] for name in ("generate", "weights", "completion")}
    script = completion_script("bash", few)
    assert "--emotion-scale" in script and "plain='list fetch" in script and "plain='bash zsh fish'" in script
