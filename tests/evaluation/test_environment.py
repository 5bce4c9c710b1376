"""What a measurement says of the code that made it."""

import subprocess

import pytest

from tbd.evaluation.environment import commit_of


@pytest.fixture
def checkout(tmp_path):
    """A repository with code, results and a page, and a function that runs git in it."""
    root = tmp_path / "checkout"
    for name in (
        "tbd/metric.py",
        "benchmarks/rows.py",
        "benchmarks/leaderboard/a/row.json",
        "benchmarks/results/lips.json",
        "README.md",
        "tbd/prompt.md",
    ):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text("1\n")
    identity = ("-c", "user.name=a", "-c", "user.email=a@b.c")
    for arguments in (("init", "-q"), ("add", "."), (*identity, "commit", "-qm", "one")):
        subprocess.run(["git", *arguments], cwd=root, check=True)
    return root


def test_a_runs_own_results_leave_the_commit_as_it_is(checkout):
    clean = commit_of(checkout)
    for name in ("benchmarks/leaderboard/a/row.json", "benchmarks/results/lips.json", "README.md"):
        (checkout / name).write_text("2\n")
    (checkout / "benchmarks/leaderboard/a/another.json").write_text("2\n")
    assert clean and commit_of(checkout) == clean
    (checkout / "benchmarks/leaderboard/a/row.json").unlink()
    assert commit_of(checkout) == clean


@pytest.mark.parametrize("name", ["tbd/metric.py", "benchmarks/rows.py", "tbd/prompt.md"])
def test_changed_code_makes_it_dirty(checkout, name):
    clean = commit_of(checkout)
    (checkout / name).write_text("2\n")
    assert commit_of(checkout) == f"{clean}-dirty"
    subprocess.run(["git", "add", "."], cwd=checkout, check=True)
    assert commit_of(checkout) == f"{clean}-dirty"


def test_code_that_is_edited_while_a_run_goes_on_is_not_the_code_that_runs(monkeypatch):
    from tbd.evaluation import environment as module

    module._own_commit.cache_clear()
    before = module.environment()["commit"]
    monkeypatch.setattr(module, "commit_of", lambda root: "another")
    assert module.environment()["commit"] == before
    monkeypatch.setenv("TBD_COMMIT", "given")
    assert module.environment()["commit"] == "given"


def test_a_folder_without_history_has_no_commit(tmp_path):
    assert commit_of(tmp_path) is None
