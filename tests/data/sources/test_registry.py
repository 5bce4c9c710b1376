"""One line registers a data set, and a class path needs none."""

from pathlib import Path

import pytest

from tbd.cli.main import main
from tbd.data.datamodules.prepared import splits_of
from tbd.data.preprocess.cache import Cache
from tbd.data.records import ClipRecord
from tbd.data.sources.base import source_class
from tbd.data.sources.registry import DATASETS, dataset_name
from tbd.data.splits import DatasetSplits
from tbd.errors import InputError
from tests.data.trees import FRAMES, performance, tone, write_clip

CODE = '''
from collections.abc import Sequence
from pathlib import Path

from tbd.data.sources.base import RawClip, RawSource, Scan
from tbd.data.sources.files import walk


class StudioSource(RawSource):
    """Recordings of a studio.

    Args:
        root: The folder of the videos.
        rooms: Rooms that are wanted.
    """

    def __init__(self, root: str, rooms: Sequence[str] = ("red",)) -> None:
        self.root, self.rooms = Path(root), tuple(rooms)

    def scan(self, skip=None):
        scan = Scan()
        for file in walk(self.root, scan.problems, skip):
            room, clip = Path(file.name).stem.split("-")
            if room in self.rooms:
                scan.clips.append(RawClip(self.record(file, clip, clip[0]), file))
        return scan

    @classmethod
    def person_of(cls, video):
        return video[0]
'''


@pytest.fixture
def module(tmp_path, monkeypatch) -> str:
    """A file of a user's own, which can be imported."""
    name = "studio_dataset"
    (tmp_path / f"{name}.py").write_text(CODE)
    monkeypatch.syspath_prepend(tmp_path)
    yield name
    import sys

    sys.modules.pop(name, None)


@pytest.fixture
def videos(tmp_path) -> Path:
    root = tmp_path / "videos"
    for name in ("red-A1", "red-B1", "blue-A2"):
        write_clip(root / f"{name}.mp4", performance()[:12], 25, tone(12 / 25))
    assert FRAMES >= 12
    return root


@pytest.mark.parametrize("name", DATASETS)
def test_names_and_classes_agree(name):
    assert dataset_name(source_class(name)) == name
    assert DATASETS[name] == f"tbd.data.sources.{name}.{source_class(name).__name__}"  # one stem everywhere


def test_what_is_no_data_set_is_one_sentence():
    with pytest.raises(InputError, match="no data set 'med'; name one of mead, hdtf, folder"):
        source_class("med")
    with pytest.raises(InputError, match="is no data set; a data set is a subclass of tbd"):
        source_class("tbd.data.records.ClipRecord")
    with pytest.raises(InputError, match="no module nowhere"):
        source_class("nowhere.Source")


def test_a_class_path_is_prepared_without_registration(module, videos, tmp_path, capsys):
    path = f"{module}.StudioSource"
    options = ["--source.rooms", "[red, blue]", "--output", str(tmp_path / "c"), "--scan-only", "--workers=1"]
    assert main(["preprocess", "custom", "--source", path, "--source.root", str(videos), *options]) == 0
    cache = Cache(tmp_path / "c")
    assert [(r.clip, r.person, r.source) for r in cache.records()] == [("A1", "A", path), ("A2", "A", path), ("B1", "B", path)]
    splits = splits_of(cache, None)
    assert {splits.split_of(r) for r in cache.records()} == {"train"}
    leaky = DatasetSplits("s", path, "clip", "", {"train": ("A1",), "test": ("A2", "B1")}, None)
    assert leaky.overlaps() == {"person": ["A"], "video": []}
    assert main(["preprocess", "custom", f"--output={tmp_path / 'd'}"]) == 2
    assert "--source" in capsys.readouterr().err


def test_one_line_gives_a_data_set_its_command(module, videos, tmp_path, monkeypatch, capsys):
    monkeypatch.setitem(DATASETS, "studio", f"{module}.StudioSource")
    with pytest.raises(SystemExit):
        main(["preprocess", "studio", "--help"])
    text = " ".join(capsys.readouterr().out.split())
    assert "Prepare recordings of a studio." in text and "the folder of the videos (required)" in text
    assert "rooms that are wanted (default: red)" in text
    assert main(["preprocess", "studio", f"--root={videos}", f"--output={tmp_path / 'c'}", "--rooms", "blue", "--scan-only"]) == 0
    (record,) = Cache(tmp_path / "c").records()
    assert record == ClipRecord(**{**vars(record), "source": "studio", "clip": "A2", "person": "A", "video": "A2"})
