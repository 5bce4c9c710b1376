"""The fake downloads, written once and then only read."""

from pathlib import Path

import pytest
from rich.console import Console

from tbd.data.preprocess.runner import preprocess
from tbd.data.sources.folder import FolderSource
from tests.data.trees import FRAMES, performance, tone, write_clip, write_hdtf, write_mead


@pytest.fixture(scope="session")
def mead_tree(tmp_path_factory) -> Path:
    root = tmp_path_factory.mktemp("raw") / "mead"
    write_mead(root)
    return root


@pytest.fixture(scope="session")
def prepared_folder(make_once) -> Path:
    """A cache of a folder of three clips, a, b and silent, at 128 and 64 pixels; tests that write into it copy it."""

    def make(root: Path) -> None:
        for name, sound in (("a", tone(FRAMES / 25)), ("b", tone(FRAMES / 25)), ("silent", None)):
            write_clip(root / f"raw/{name}.mp4", performance(), 25, sound)
        preprocess(FolderSource(str(root / "raw")), root / "cache", workers=1, sizes=(128, 64), console=Console(quiet=True))

    return make_once("prepared", make) / "cache"


@pytest.fixture(scope="session")
def hdtf_tree(tmp_path_factory) -> tuple[Path, Path]:
    return write_hdtf(tmp_path_factory.mktemp("hdtf"))
