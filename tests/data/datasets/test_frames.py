"""Readers of frames, and pictures in batches."""

import importlib.util
import subprocess
import sys

import numpy as np
import pytest
from torch.utils.data import DataLoader

from tbd.data.datamodules.mead import MEADDataModule
from tbd.data.datasets.frames import DecordReader, PyAVReader, VideoClips
from tbd.data.datasets.motion import identity_collate
from tbd.data.preprocess.runner import preprocess
from tbd.data.sources.mead import MEADSource
from tbd.errors import InputError
from tbd.media import VideoWriter, read_video
from tests.data.trees import performance

pytestmark = pytest.mark.skipif(importlib.util.find_spec("decord") is None, reason="decord has no wheels for this machine")
READERS = [DecordReader(), PyAVReader()]


@pytest.fixture(scope="module")
def clip(tmp_path_factory):
    """60 frames with a keyframe in five, each of its own grey."""
    path = tmp_path_factory.mktemp("video") / "a.mp4"
    with VideoWriter(path, preset="ultrafast", keyframes=5) as writer:
        for i in range(60):
            writer.write(np.full((64, 64, 3), 4 * i, np.uint8))
    return path


@pytest.mark.parametrize("reader", READERS, ids=lambda r: type(r).__name__)
def test_frames_are_those_that_were_asked_for(reader, clip):
    wanted = [59, 0, 7, 7, 31, 8, 58]
    frames = reader.read(clip, wanted)
    assert frames.shape == (7, 64, 64, 3) and frames.dtype == np.uint8
    assert np.abs(frames.mean((1, 2, 3)) / 4 - wanted).max() < 0.6


def test_readers_agree_with_decoding_everything(tmp_path):
    with VideoWriter(tmp_path / "a.mp4", preset="ultrafast", keyframes=5) as writer:
        for frame in performance():
            writer.write(frame)
    whole = np.stack(list(read_video(tmp_path / "a.mp4")))
    for reader in READERS:
        assert np.abs(reader.read(tmp_path / "a.mp4", range(len(whole))).astype(int) - whole).mean() < 2


@pytest.mark.parametrize("reader", READERS, ids=lambda r: type(r).__name__)
def test_bad_input(reader, clip, tmp_path):
    with pytest.raises(InputError, match="has 60 frames; there is no frame 60"):
        reader.read(clip, [3, 60])
    (tmp_path / "a.mp4").write_bytes(b"no video")
    for path in (tmp_path / "a.mp4", tmp_path / "nothing.mp4"):
        with pytest.raises(InputError, match="cannot be read as video"):
            reader.read(path, [0])


def test_reading_with_decord_leaves_pyav_its_own_libraries(clip, tmp_path):
    """In a process of its own: decord's libvpx, loaded for all, is older than PyAV's."""
    code = (
        "import sys; from tbd.data.datasets.frames import DecordReader; DecordReader().read(sys.argv[1], [0]); import av, numpy as np; "
        "film = av.open(sys.argv[2], 'w').add_stream('libvpx', rate=25); film.width = film.height = 64; film.pix_fmt = 'yuv420p'; "
        "print(len(film.encode(av.VideoFrame.from_ndarray(np.zeros((64, 64, 3), np.uint8), 'rgb24'))))"
    )
    done = subprocess.run([sys.executable, "-c", code, str(clip), str(tmp_path / "a.webm")], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_pictures_are_spread_over_the_window_and_stop_at_the_end(clip):
    video, places = VideoClips([None, clip], 3, PyAVReader()).read([1, 1], [10, 50], [60, 60], 21)
    assert places.tolist() == [[0, 10, 20]] * 2 and video.shape == (2, 3, 3, 64, 64)
    shown = (video.float().mean((2, 3, 4)) / 4).round()
    assert shown.tolist() == [[10, 20, 30], [50, 59, 59]]
    with pytest.raises(InputError, match="has no video of the wanted size"):
        VideoClips([None, clip], 3).read([0], [0], [60], 21)


def test_batches_with_pictures_from_workers(mead_tree, tmp_path):
    """decord, opened in forked workers, and the pictures belong to the motion beside them."""
    from rich.console import Console

    cache = preprocess(MEADSource(str(mead_tree)), tmp_path / "c", workers=1, sizes=(64,), console=Console(quiet=True))
    options = {"video_frames": 4, "video_size": 64, "reader": DecordReader(), "window_frames": 20, "context_frames": 2}
    data = MEADDataModule(str(cache.root), "mead_actor", **options)
    data.prepare_data()
    data.setup("test")
    batches = list(DataLoader(data.datasets["test"], 3, collate_fn=identity_collate, num_workers=2))
    assert sum(len(batch["video"]) for batch in batches) == 10  # five clips of 30 frames with sound, two windows each
    batch = data.on_after_batch_transfer(batches[0], 0)
    assert batch["video"].shape == (3, 4, 3, 64, 64) and batch["video"].min() >= 0 and batch["video"].max() <= 1
    for video, places, clip, start in zip(batch["video"], batch["video_frames"], batch["clip"], batch["start"]):
        record = next(r for r in cache.records() if r.clip == data.names[clip])
        whole = np.stack(list(read_video(cache.path(record.videos["64"]))))[(places + start).clamp(max=record.frames - 1)]
        assert np.abs(video.permute(0, 2, 3, 1).numpy() * 255 - whole).mean() < 3
