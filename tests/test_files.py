import stat

import pytest

from tbd.errors import InputError
from tbd.files import atomic_output


def test_a_success_appears(tmp_path):
    with atomic_output(tmp_path / "new" / "a.txt") as temporary:
        temporary.write_text("whole")
        assert temporary.suffix == ".txt" and not (tmp_path / "new" / "a.txt").exists()
    assert (tmp_path / "new" / "a.txt").read_text() == "whole"
    assert stat.S_IMODE((tmp_path / "new" / "a.txt").stat().st_mode) & 0o400


@pytest.mark.parametrize("failure", [KeyboardInterrupt, ValueError])
def test_a_failure_leaves_nothing_and_keeps_what_was_there(tmp_path, failure):
    (tmp_path / "a.txt").write_text("before")
    with pytest.raises(failure), atomic_output(tmp_path / "a.txt") as temporary:
        temporary.write_text("half")
        raise failure
    assert [p.name for p in tmp_path.iterdir()] == ["a.txt"] and (tmp_path / "a.txt").read_text() == "before"


@pytest.mark.parametrize("name", ["file/out.txt", "folder"])
def test_an_unwritable_place_is_said(tmp_path, name):
    (tmp_path / "file").write_text("in the way")
    (tmp_path / "folder").mkdir()
    with pytest.raises(InputError, match=name.split("/")[0]), atomic_output(tmp_path / name):
        pass
