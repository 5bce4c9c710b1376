"""The fake downloads, written once and then only read."""

from pathlib import Path

import pytest

from tests.data.trees import write_hdtf, write_mead


@pytest.fixture(scope="session")
def mead_tree(tmp_path_factory) -> Path:
    root = tmp_path_factory.mktemp("raw") / "mead"
    write_mead(root)
    return root


@pytest.fixture(scope="session")
def hdtf_tree(tmp_path_factory) -> tuple[Path, Path]:
    return write_hdtf(tmp_path_factory.mktemp("hdtf"))
