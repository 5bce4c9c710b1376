"""Clips on the board: the same of every row, and a page that plays them together."""

import json
import os
import re
import shutil
import subprocess
import threading
from html import unescape
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from queue import Queue

import numpy as np
import pytest

from tbd.evaluation.clip_decoding import count_frames
from tbd.evaluation.leaderboard import store as board_store
from tbd.evaluation.leaderboard.clips import SIDE, choose_clips, clips_of, save_clips
from tbd.evaluation.leaderboard.html import page
from tbd.evaluation.references.procedural import ProceduralReference
from tbd.media import VideoWriter, provenance, read_audio, video_info
from tests.evaluation.leaderboard.test_store import put, store  # noqa: F401  # a fixture

CLIPS = ["F000_happy_1_001", "F001_sad_2_001", "F002_angry_3_001"]


@pytest.fixture(scope="module")
def predictions(tmp_path_factory):
    """A folder for each of two methods: squares of one grey, a hum; the second under other names, taller, and with a clip more."""
    root = tmp_path_factory.mktemp("videos")
    hum = 0.4 * np.sin(np.arange(30 * 640) * 0.2).astype(np.float32)
    for method, name, shape, more in (("one", "{}.mp4", (128, 128, 3), []), ("two", "{}_x.mp4", (160, 128, 3), ["extra"])):
        for clip in [*CLIPS, *more]:
            (root / method).mkdir(exist_ok=True)
            with VideoWriter(root / method / name.format(clip), hum, metadata=provenance(clip=clip)) as writer:
                for value in range(30):
                    writer.write(np.full(shape, 60 + value, np.uint8))
    return root


def test_clips_are_small_whole_and_heard(predictions, tmp_path):
    (tmp_path / "row").mkdir()
    (tmp_path / "row" / "old.mp4").write_bytes(b"of an earlier time")
    written = save_clips(predictions / "two", tmp_path / "row", "fake-v1", 2)
    assert list(clips_of(tmp_path / "row")) == sorted(path.stem for path in written) and len(written) == 2
    for path in written:
        info = video_info(path)
        assert (info.width, info.height, count_frames(path).frames) == (SIDE, SIDE, 30) and info.metadata["ai_generated"] == "true"
        assert np.abs(read_audio(path)).max() > 0.2 and path.stat().st_size < 60_000
    assert save_clips(predictions / "two", tmp_path / "row", "fake-v1", 0) == [] and not (tmp_path / "row").exists()


def test_all_rows_show_the_same_clips():
    ids = sorted(clip.id for clip in ProceduralReference().clips())
    chosen = choose_clips(ids, 3)
    assert [clip.split("_")[1] for clip in chosen] == ["happy", "angry", "sad"] and all("_3_" in clip for clip in chosen)
    assert len({clip.split("_")[0] for clip in chosen}) == 3 and chosen == choose_clips(ids[::-1], 3)
    assert sorted(choose_clips(ids, 99)) == ids and choose_clips(["a", "b"], 1) == ["a"]


@pytest.fixture
def filled(store, predictions, tmp_path):  # noqa: F811
    """A board with clips of two of its rows."""
    for row, method in (("theirs", "one"), ("ours-b", "two")):
        save_clips(predictions / method, store / "fake-v1" / row, "fake-v1")
    return store


def test_the_page_names_them_from_where_it_lies(filled, tmp_path):
    for place in (filled, tmp_path / "elsewhere"):
        text = page(board_store.read_board(filled), place)
        sources = [unescape(found) for found in re.findall(r'<video src="([^"]+)"', text)]
        assert len(sources) == 6 and all(os.path.isfile(os.path.normpath(place / source)) for source in sources)
        assert text.count('class="clip"') == 6 and text.count(" hidden>") >= 3 and text.count("Clips, side by side") == 1


def test_a_row_without_videos_has_none(store, tmp_path):  # noqa: F811
    put(store, tmp_path, "Newcomer")
    assert "<video" not in page(board_store.read_board(store), store)


class _Result(BaseHTTPRequestHandler):
    """Takes what a page has found."""

    def do_POST(self):
        self.server.found.put(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
        self.send_response(204)
        self.end_headers()

    def log_message(self, *_):
        pass


@pytest.mark.skipif(shutil.which("chromium") is None, reason="a browser is needed (apt-get install chromium)")
def test_a_browser_plays_them_in_time(filled, tmp_path):
    """Press Play: both move, stay together, and one is heard; press a name: that one is. One of them is pushed off, and comes back."""
    work = """<script>
      const wait = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
      const player = document.querySelector(".player");
      const shown = () => [...player.querySelectorAll(".clip:not([hidden]) video")];
      const button = () => player.querySelector(".bar button");
      const until = async (met) => { for (let i = 0; i < 200 && !met(); i++) await wait(50); return met(); };
      (async () => {
        player.scrollIntoView();
        await until(() => shown().some((video) => !video.muted));
        const found = { videos: shown().length, heard: shown().filter((video) => !video.muted).length };
        button().click();
        found.moved = await until(() => shown().every((video) => video.currentTime > 0.15));
        shown()[1].currentTime = 0;
        const off = () => Math.abs(shown()[0].currentTime - shown()[1].currentTime);
        found.together = await until(() => shown().every((video) => !video.seeking) && off() < 0.15);
        player.querySelectorAll(".clip:not([hidden]) figcaption button")[1].click();
        found.second = !shown()[1].muted && shown()[0].muted;
        found.controls = shown().some((video) => video.controls);
        found.ended = await until(() => button().textContent === "Play");
        await fetch("http://127.0.0.1:PORT/", { method: "POST", mode: "no-cors", body: JSON.stringify(found) });
      })();
    </script>"""
    for path in (filled / "fake-v1" / "ours-b").iterdir():  # both methods' clips under one name
        path.rename(path.with_name(path.name.replace("_x", "")))
    with ThreadingHTTPServer(("127.0.0.1", 0), _Result) as server:
        server.found = Queue()
        threading.Thread(target=server.serve_forever, daemon=True).start()
        path, text = filled / "index.html", page(board_store.read_board(filled), filled)
        path.write_text(text.replace("</body>", work.replace("PORT", str(server.server_port)) + "</body>"), "utf-8")
        flags = ["--headless", "--no-sandbox", "--disable-gpu", "--autoplay-policy=no-user-gesture-required", "--remote-debugging-port=0"]
        command = ["chromium", *flags, f"--user-data-dir={tmp_path / 'profile'}", path.as_uri()]
        browser = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            found = server.found.get(timeout=60)
        finally:
            browser.kill()
            browser.wait()
            server.shutdown()
    assert found == {"videos": 2, "heard": 1, "moved": True, "together": True, "second": True, "controls": False, "ended": True}
