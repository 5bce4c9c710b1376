"""`--ckpt_path last` and `best` find what the newest run left."""

import os

import pytest

from tbd.errors import InputError
from tbd.training.resume import find_checkpoint


def test_the_newest_is_taken(tmp_path):
    with pytest.raises(InputError, match=r"--ckpt_path last: .* holds no preempted\.ckpt or"):
        find_checkpoint("last", str(tmp_path))
    names = ("lightning_logs/version_0/checkpoints/last.ckpt", "lightning_logs/version_1/checkpoints/last.ckpt", "preempted.ckpt")
    for age, name in enumerate(names):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("")
        os.utime(path, (age, age))
        assert find_checkpoint("last", str(tmp_path)) == str(path)
    (tmp_path / "lightning_logs/version_1/checkpoints/best-step=40.ckpt").write_text("")
    assert find_checkpoint("best", str(tmp_path)).endswith("version_1/checkpoints/best-step=40.ckpt")
