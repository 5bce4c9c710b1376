import errno
import multiprocessing
import os
import resource
import signal
import stat

import numpy as np
import pytest

from tbd.errors import DiskError, InputError, disk_error
from tbd.utils.atomic import atomic_output


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


def _write_until_killed(path):
    with atomic_output(path) as temporary:
        temporary.write_text("half")
        os.kill(os.getpid(), signal.SIGKILL)


def test_what_a_killed_program_left_goes_with_the_next_run_to_the_same_output(tmp_path):
    mine = tmp_path / ".a-notes.txt"
    mine.write_text("kept")
    killed = multiprocessing.get_context("fork").Process(target=_write_until_killed, args=(tmp_path / "a.txt",))
    killed.start()
    killed.join()
    assert killed.exitcode == -signal.SIGKILL and len(list(tmp_path.iterdir())) == 2
    with atomic_output(tmp_path / "a.txt") as temporary:
        temporary.write_text("whole")
    assert sorted(p.name for p in tmp_path.iterdir()) == [mine.name, "a.txt"] and (tmp_path / "a.txt").read_text() == "whole"


def test_two_who_write_at_once_do_not_take_each_others_file(tmp_path):
    with atomic_output(tmp_path / "a.txt") as one, atomic_output(tmp_path / "a.txt") as other:
        assert one != other
        one.write_text("one")
        other.write_text("other")
    assert [p.name for p in tmp_path.iterdir()] == ["a.txt"] and (tmp_path / "a.txt").read_text() == "one"


def test_a_link_in_the_place_of_a_temporary_file_is_left_alone(tmp_path):
    with atomic_output(tmp_path / "a.txt") as temporary:
        name = temporary.name
    (tmp_path / "else.txt").write_text("kept")
    (tmp_path / name).symlink_to(tmp_path / "else.txt")
    with atomic_output(tmp_path / "a.txt") as temporary:
        temporary.write_text("whole")
    assert (tmp_path / "else.txt").read_text() == "kept" and (tmp_path / name).is_symlink()


@pytest.mark.parametrize("name", ["file/out.txt", "folder"])
def test_an_unwritable_place_is_said(tmp_path, name):
    (tmp_path / "file").write_text("in the way")
    (tmp_path / "folder").mkdir()
    with pytest.raises(InputError, match=name.split("/")[0]), atomic_output(tmp_path / name):
        pass


def test_a_link_stays_and_its_file_is_replaced(tmp_path):
    (tmp_path / "far").mkdir()
    (tmp_path / "a.txt").symlink_to(tmp_path / "far" / "b.txt")
    with atomic_output(tmp_path / "a.txt") as temporary:
        temporary.write_text("whole")
    assert (tmp_path / "a.txt").is_symlink() and (tmp_path / "far" / "b.txt").read_text() == "whole"


@pytest.mark.parametrize(
    "error",
    [
        OSError(errno.ENOSPC, "No space left on device"),
        OSError(errno.EDQUOT, "Disk quota exceeded"),
        OSError("5800 requested and 0 written"),  # NumPy's
        RuntimeError("[enforce fail at inline_container.cc:664] . unexpected pos 64 vs 0"),  # PyTorch's
        Exception("Error while serializing: I/O error: No space left on device (os error 28)"),  # safetensors'
    ],
)
def test_a_full_disk_is_one_sentence_whoever_wrote(tmp_path, error):
    with pytest.raises(DiskError, match=r"a\.bin could not be written: .*(full|quota)") as caught, atomic_output(tmp_path / "a.bin"):
        raise error
    assert caught.value.exit_code == 1 and "\n" not in str(caught.value) and not list(tmp_path.iterdir())


def test_other_failures_pass_unchanged(tmp_path):
    assert disk_error(ValueError("full of ideas")) is None
    with pytest.raises(RuntimeError, match="another"), atomic_output(tmp_path / "a.bin"):
        raise RuntimeError("another")


@pytest.fixture
def small_files():
    """No file may grow beyond 20 kB."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, hard))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.mark.parametrize("library", ["python", "numpy", "torch"])
def test_a_real_limit(tmp_path, small_files, library):
    import torch

    write = {
        "python": lambda path: path.write_bytes(bytes(100_000)),
        "numpy": lambda path: np.save(path, np.zeros(100_000)),
        "torch": lambda path: torch.save(torch.zeros(100_000), path),
    }[library]
    with pytest.raises(DiskError, match="could not be written"), atomic_output(tmp_path / "a.npy") as temporary:
        write(temporary)
    assert not list(tmp_path.iterdir())
