"""A process that has written and read videos may fork."""

import gc
import multiprocessing
import os

import numpy as np
import pytest

from tbd.media import read_video
from tbd.media.writer import VideoWriter

pytestmark = pytest.mark.skipif(not os.path.isdir("/proc/self/task"), reason="threads are counted as Linux shows them")


def write_a_part(path):
    writer = VideoWriter(path).__enter__()
    writer.write(np.zeros((256, 256, 3), np.uint8))
    return writer


def read_a_part(path):
    with VideoWriter(path) as writer:
        for _ in range(5):
            writer.write(np.zeros((256, 256, 3), np.uint8))
    frames = iter(read_video(path))
    next(frames)
    return frames


@pytest.mark.parametrize("use", [write_a_part, read_a_part])
def test_codecs_that_lie_about_do_not_hang_a_forked_process(use, tmp_path):
    gc.collect()
    before = threads()
    gc.disable()
    try:
        about = [use(tmp_path / "a.mp4")]
        about.append(about)
        del about
        left = threads() - before
        child = multiprocessing.get_context("fork").Process(target=gc.collect)
        child.start()
        child.join(30)
        ended = child.exitcode
        child.kill()
    finally:
        gc.enable()
    assert left > 0  # else there was nothing that could hang
    assert ended == 0
    gc.collect()
    gc.collect()  # before Python 3.11 one closes the generator, and the next what it held
    assert threads() == before  # the parent tidies up as ever


def threads() -> int:
    return len(os.listdir("/proc/self/task"))
