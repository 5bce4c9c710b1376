"""The house: tests lie beside what they test, and names that say nothing to a stranger do not come back."""

import re
import tokenize
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
ACROSS_MODULES = {
    "benchmarks/test_drawn": "what benchmarks share that draw with the packaged model",
    "data/sources/test_scans": "each source's scan of a fake download",
    "draw/conditioning/test_plan_encoders_in_training": "plan encoders within `tbd fit`",
    "draw/guidance/test_guidance": "the contract of guidances",
    "draw/motion/test_ddp": "a training in several processes",
    "draw/motion/test_exact_resume": "a training that is interrupted",
    "draw/video/test_ddp": "a training in several processes",
    "draw/video/test_stages": "both stages of training",
    "draw/video/test_training": "a training from the command line",
    "evaluation/leaderboard/test_shipped_numbers": "the rows that ship",
    "evaluation/test_eat": "EAT's scripts, written out",
    "evaluation/test_pinned": "files of development material",
    "media/test_damage": "damaged files, through all readers",
    "media/test_media": "what other programs wrote, through all readers and the writer",
    "media/test_time": "sound and frames in sync, through all readers",
    "metrics/test_collections": "all metrics in one collection",
    "metrics/test_distributed": "every metric in several processes",
    "metrics/test_docs": "docs/metrics.md",
    "metrics/test_gpu": "every metric on a GPU",
    "metrics/test_spoilt": "what each metric should see",
    "test_configs": "configs/",
    "test_contributing": "CONTRIBUTING.md",
    "test_docstrings": "docstrings of the whole package",
    "test_documents": "README and the site's pages",
    "test_examples": "examples/",
    "test_init": "what `tbd` itself exports",
    "test_layout": "this file",
    "test_numbers_refused": "numbers that no command takes",
    "test_recipes": "docs/tutorials/run_other_methods.md",
    "think/test_planner_contract": "the contract of planners",
}
"""Tests that belong to no one module → what they test. New tests go beside their module; this list is for what has none."""


def all_tests() -> list[str]:
    return sorted(path.relative_to(ROOT / "tests").with_suffix("").as_posix() for path in (ROOT / "tests").rglob("test_*.py"))


def module_of(test: str) -> Path:
    """Return where the module of a test lies: `think/test_plan` → tbd/think/plan."""
    folder, _, name = test.rpartition("/")
    inside = ROOT if folder.split("/")[0] == "benchmarks" else ROOT / "tbd"
    return inside / folder / name.removeprefix("test_")


@pytest.mark.parametrize("test", all_tests())
def test_tests_mirror_the_package(test):
    module = module_of(test)
    assert test in ACROSS_MODULES or module.with_suffix(".py").is_file() or module.is_dir(), f"there is no {module.relative_to(ROOT)}.py"


def test_the_list_of_tests_across_modules_holds_no_others():
    """What is listed is there, and has no module of its name."""
    for test in ACROSS_MODULES:
        assert (ROOT / "tests" / f"{test}.py").is_file(), test
        assert not module_of(test).with_suffix(".py").is_file(), test


UNCLEAR = re.compile(r"told|heard|unheard|hears|chance|films?|gauge|evidence|recital|puppet|sight")
"""Parts of names that once hid what the field calls condition, mask, noise, video, metric runner, clip inputs, utterance, warper."""
LEFT: set[str] = set()
"""Names that are not mended yet. This list only shrinks."""


def unclear(name: str) -> bool:
    """Return whether an identifier has an unclear part, between underscores or capitals."""
    return any(UNCLEAR.fullmatch(part) for part in re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower().split("_"))


def names(path: Path) -> Iterator[tuple[int, str]]:
    """Yield the identifiers of a file, with their lines; comments and strings hold ordinary words and are left out."""
    with open(path, "rb") as file:
        yield from ((token.start[0], token.string) for token in tokenize.tokenize(file.readline) if token.type == tokenize.NAME)


@pytest.mark.parametrize("folder", ["tbd", "benchmarks"])
def test_names_say_what_they_are(folder):
    found = [
        f"{path.relative_to(ROOT)}:{line} {name}"
        for path in sorted((ROOT / folder).rglob("*.py"))
        for line, name in names(path)
        if unclear(name) and name not in LEFT
    ]
    modules = [str(path.relative_to(ROOT)) for path in (ROOT / folder).rglob("*.py") if unclear(path.stem)]
    assert not found + modules


DECLARED = re.compile(r"\b(?:const|let|var|function|class)\s+([A-Za-z_$][\w$]*)|\(?\b([A-Za-z_$][\w$]*)\)?\s*=>")
"""Names that a script of a page declares: variables, functions, a single parameter of an arrow function."""


def test_names_in_pages_say_what_they_are():
    pages = sorted(path for suffix in ("js", "html") for path in (ROOT / "tbd").rglob(f"*.{suffix}"))
    declared = [(path, name) for path in pages for found in DECLARED.findall(path.read_text("utf-8")) for name in found if name]
    assert len(declared) > 50 and not [f"{path.relative_to(ROOT)}: {name}" for path, name in declared if unclear(name)]
    assert [a or b for a, b in DECLARED.findall("const heard = (told) => film(told);")] == ["heard", "told"]


MOST_FILES = 22
"""A folder with more is a heap: it wants rooms. `tbd/cli`, with a module for each command, has most."""


def test_no_folder_of_the_package_is_a_heap():
    folders = {path.parent for path in (ROOT / "tbd").rglob("*.py")}
    assert not {str(folder.relative_to(ROOT)): n for folder in folders if (n := len(list(folder.glob("*.py")))) > MOST_FILES}


def test_unclear_parts_are_found_within_names(tmp_path):
    assert all(map(unclear, ("told", "_UNHEARD", "MotionFilms", "film_strip", "add_film", "Evidence")))
    assert not any(map(unclear, ("filmstrip", "heart", "insight", "last_chanced")))
    (tmp_path / "a.py").write_text('"""What is told."""\nheard = 1  # by chance\n')
    assert [name for _, name in names(tmp_path / "a.py") if unclear(name)] == ["heard"]
