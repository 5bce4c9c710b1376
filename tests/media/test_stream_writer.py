import errno
import io
import os
import subprocess
import sys
from types import SimpleNamespace

import av
import numpy as np
import pytest

from tbd.errors import InputError, TBDError
from tbd.media import read_audio, read_video
from tbd.media.stream_writer import StreamWriter

TONE = (0.3 * np.sin(2 * np.pi * 440 * np.arange(2 * 44100) / 44100)).astype(np.float32)


def write(path, frames=50, shape=(64, 48)):
    with StreamWriter(path, 44100, {"title": "live"}) as writer:
        for i in range(frames):
            writer.write(np.full((*shape, 3), 4 * i, np.uint8), TONE[i * 1764 : (i + 1) * 1764])


def test_frames_and_their_sound_are_in_the_file_in_step(tmp_path):
    write(tmp_path / "a.mp4", shape=(63, 47))
    frames, sound = list(read_video(tmp_path / "a.mp4")), read_audio(tmp_path / "a.mp4")
    assert len(frames) == 50 and frames[0].shape == (64, 48, 3) and abs(len(sound) - 32000) < 1100
    assert [abs(int(frame.mean()) - 4 * i) < 6 for i, frame in enumerate(frames)] == [True] * 50
    with av.open(str(tmp_path / "a.mp4")) as container:
        assert container.metadata["title"] == "live"


def test_ctrl_c_keeps_what_was_said_and_a_failure_keeps_nothing(tmp_path):
    for error, kept in ((KeyboardInterrupt, True), (ValueError, False)):
        with pytest.raises(error), StreamWriter(tmp_path / f"{kept}.mp4", 16000) as writer:
            for _ in range(10):
                writer.write(np.zeros((64, 64, 3), np.uint8), np.zeros(640, np.float32))
            raise error
    assert [path.name for path in tmp_path.iterdir()] == ["True.mp4"] and len(list(read_video(tmp_path / "True.mp4"))) == 10


def test_a_disk_that_is_full_at_the_end_is_one_sentence_and_leaves_no_file(tmp_path, monkeypatch):
    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    with pytest.raises(TBDError, match="No space left"), StreamWriter(tmp_path / "a.mp4", 16000) as writer:
        writer.write(np.zeros((64, 64, 3), np.uint8), np.zeros(640, np.float32))
        monkeypatch.setattr(writer, "_video", SimpleNamespace(encode=full))
    assert not list(tmp_path.iterdir())


def test_a_stream_without_frames_leaves_no_file(tmp_path):
    with StreamWriter(tmp_path / "a.mp4", 16000):
        pass
    assert not list(tmp_path.iterdir())


def test_standard_output_gets_what_players_show_as_it_comes(tmp_path):
    code = (
        "import numpy as np\nfrom tbd.media.stream_writer import StreamWriter\n"
        "with StreamWriter('-', 16000) as writer:\n"
        "    for i in range(25): writer.write(np.zeros((64, 64, 3), np.uint8), np.zeros(640, np.float32))"
    )
    data = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True).stdout
    (tmp_path / "a.ts").write_bytes(data)
    frames = len(list(read_video(tmp_path / "a.ts")))
    assert data[:1] == b"G" and 25 <= frames <= 27  # the file's clock starts with the lead-in of AAC


def test_other_endings_are_refused():
    with pytest.raises(InputError, match="mp4"):
        StreamWriter("a.txt", 16000)


def test_a_player_has_each_frame_as_soon_as_it_is_there(monkeypatch):
    """Of 30 frames that were written to a pipe that stays open, 27 can be decoded, and all sound but three of AAC's frames."""
    end, start = os.pipe()
    os.set_blocking(end, False)
    with os.fdopen(start, "wb") as pipe:
        monkeypatch.setattr(sys, "stdout", SimpleNamespace(buffer=pipe))
        with StreamWriter("-", 16000) as writer:
            for i in range(30):
                writer.write(np.full((64, 64, 3), 4 * i, np.uint8), np.zeros(640, np.float32))
            there = io.BytesIO(os.read(end, 10**7))
            os.set_blocking(end, True)
            with av.open(there, format="mpegts") as container:
                kinds = [frame.samples if isinstance(frame, av.AudioFrame) else 0 for frame in container.decode(video=0, audio=0)]
    os.close(end)
    assert kinds.count(0) >= 27 and sum(kinds) >= 30 * 640 - 3 * 1024
