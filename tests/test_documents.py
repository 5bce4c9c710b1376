"""What README, the site's pages and the other documents tell a reader to type is understood by the commands that are installed."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest
from jsonargparse import ArgumentParser

from tbd.cli.main import COMMANDS
from tbd.cli.options.parsing import parse
from tbd.errors import InputError
from tbd.training.main import resolve
from tbd.utils.packaged_files import resolve_shipped_configs
from tests.draw.tiny_video import TINY
from tests.test_contributing import BLOCKS as EXAMPLES

ROOT = Path(__file__).resolve().parents[1]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]
PAGES += [ROOT / "benchmarks" / "README.md", ROOT / "benchmarks" / "ablations" / "README.md"]
TRAINING = ("fit", "validate", "test")
OF_A_RUN = re.compile(r"^runs/.*config\.yaml$")
"""A configuration that the reader's own run has saved."""


def commands(text: str) -> Iterator[str]:
    """Yield what a page's blocks of code tell a reader to type, a command each, their continued lines joined."""
    lines = re.sub(r" \\\n\s*", " ", text).splitlines()
    fenced = False
    for line in lines:
        fenced ^= line.lstrip().startswith("```")
        if fenced or line.startswith("    "):
            yield from (part.strip() for part in re.split(r' && (?=(?:[^"]*"[^"]*")*[^"]*$)', line))  # not within quotes


def words(command: str) -> list[str]:
    """Return the arguments of a command without its comment and redirection."""
    given = shlex.split(command, comments=True)
    return given[: given.index(">")] if ">" in given else given


def typed(program: str) -> list:
    """Return the commands of a program in all pages as parameters of a test, each once."""
    found = [(words(line), path) for path in PAGES for line in commands(path.read_text("utf-8")) if line.startswith(f"{program} ")]
    pages: dict[tuple[str, ...], Path] = {}
    for argv, path in found:
        pages.setdefault(tuple(argv[1:]), path)
    return [pytest.param(list(argv), id=f"{path.stem}: {' '.join(argv)}"[:90]) for argv, path in pages.items()]


def understand(argv: list[str]) -> None:
    """Parse as `tbd` does, and run nothing.

    Raises:
        InputError: if the command does not take this.
    """
    name, *options = argv
    if name in TRAINING:
        return understand_training(options)
    if name not in COMMANDS:
        raise InputError(f"there is no command {name}")
    parser = ArgumentParser(prog=f"tbd {name}", exit_on_error=False, allow_abbrev=False)
    parser.add_argument("--config", action="config")
    COMMANDS[name].options(parser)
    parse(parser, options)


def understand_training(options: list[str]) -> None:
    if "--ckpt_path" in options:
        at = options.index("--ckpt_path")
        options = options[:at] + options[at + 2 :]
    options = ["motion_mini" if OF_A_RUN.match(option) else option for option in options]
    tiny = TINY if any("video_stage" in option for option in options) else []  # its pretrained weights are not here
    resolve(resolve_shipped_configs([*options, *tiny]))


@pytest.fixture
def readers_modules(tmp_path, monkeypatch):
    """What documents name where a reader's own belongs: a predictor, and the worked examples of CONTRIBUTING.md."""
    (tmp_path / "my_package.py").write_text("from tbd.evaluation.predictors import StillPortrait as MyModel\n")
    for (title, language), code in EXAMPLES.items():
        if language == "python":
            (tmp_path / title).write_text(code, encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)


@pytest.mark.usefixtures("readers_modules")
@pytest.mark.parametrize("argv", typed("tbd"))
def test_commands_of_the_documents_are_understood(argv):
    understand(argv)


def test_what_no_command_takes_is_noticed():
    """The test above can fail: by a command, an option, a value, and a key of a configuration."""
    for argv in ("rendr", "render --portrat me.jpg", "think --set", "leaderboard ad scores.json", "fit --config motion_minni"):
        with pytest.raises(InputError):
            understand(argv.split())
    with pytest.raises(Exception, match="denoizer"):
        understand(["fit", "--config", "motion_mini", "--model.init_args.denoizer=1"])


def test_every_page_is_read():
    found = {param.id.partition(":")[0] for param in typed("tbd")}
    assert {"README", "make_a_video", "train_and_ablate", "enter_the_leaderboard", "cluster", "data"} <= found


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.stem)
def test_links_between_files_lead_somewhere(path):
    text = re.sub(r"```.*?```", "", path.read_text("utf-8"), flags=re.DOTALL)
    links = [link for link in re.findall(r"\]\(([^)#\s]+)", text) if ":" not in link]
    assert not [link for link in links if not (path.parent / link).exists()]


@pytest.mark.parametrize("argv", typed("python"))
def test_modules_that_the_documents_run_exist(argv):
    if argv[0] == "-m" and argv[1].split(".")[0] in ("tbd", "benchmarks"):
        assert ROOT.joinpath(*argv[1].split(".")).with_suffix(".py").exists() or ROOT.joinpath(*argv[1].split(".")).is_dir()
