"""The page of `tbd live` in a real browser: a microphone that beeps, one that is refused, a recording, a visitor who leaves."""

import asyncio
import contextlib
import shutil
import threading
import time

import numpy as np
import pytest
from scipy.io import wavfile

from tbd.live.server import LiveServer
from tbd.think.plan import MusclePlan
from tests.live.conftest import noise

websockets = pytest.importorskip("websockets", reason="the extra `live` is not installed")
playwright = pytest.importorskip("playwright.sync_api", reason="Playwright is not installed (pip install playwright)")
CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium is installed (apt-get install chromium)")
BEEPS = ["--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream"]
SECONDS = 60_000


@pytest.fixture
def server(open_stream):
    """The address of a server in a thread of its own, and the server; afterwards nothing of it runs."""
    started, address = threading.Event(), []
    stopped: asyncio.Event
    loop: asyncio.AbstractEventLoop
    live = LiveServer(lambda chunks, plan, rate: open_stream(chunks, plan, rate, realtime=True), lambda text: MusclePlan(text=text), port=0)

    async def serve() -> None:
        nonlocal stopped, loop
        stopped, loop = asyncio.Event(), asyncio.get_running_loop()
        async with live.listening() as url:
            address.append(url)
            started.set()
            await stopped.wait()

    thread = threading.Thread(target=lambda: asyncio.run(serve()))
    thread.start()
    assert started.wait(20)
    yield address[0], live
    loop.call_soon_threadsafe(stopped.set)
    thread.join(20)
    assert not thread.is_alive() and not any(other.name.startswith("tbd-live") for other in threading.enumerate())


@pytest.fixture
def visit(server):
    with contextlib.ExitStack() as stack:
        started = stack.enter_context(playwright.sync_playwright())

        def begin(*flags: str):
            options = ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", *flags]
            browser = started.chromium.launch(executable_path=CHROMIUM, args=options)
            stack.callback(browser.close)
            page = browser.new_page(viewport={"width": 390, "height": 800})
            page.goto(server[0])
            return page

        yield begin


def shown(page, more: int = 10) -> None:
    """Wait until more frames than that have been shown; the page's policy lets nothing be waited for within it."""
    deadline = time.monotonic() + SECONDS / 1000
    while page.evaluate("+document.querySelector('canvas').dataset.shown || 0") <= more:
        assert time.monotonic() < deadline
        page.wait_for_timeout(50)


def left(server: LiveServer) -> bool:
    deadline = time.monotonic() + 10
    while server._visitors and time.monotonic() < deadline:
        time.sleep(0.05)
    return not server._visitors


def test_a_microphone_moves_the_face_until_it_is_stopped(visit, server):
    page = visit(*BEEPS)
    page.fill("#emotion", "sad")
    page.click("[data-live=start]")
    shown(page)
    assert "sound to frame" in page.inner_text("[data-live=figures]") and page.is_disabled("[data-live=start]")
    page.click("[data-live=stop]")
    page.get_by_text("Stopped.").wait_for(timeout=SECONDS)
    assert left(server[1]) and page.is_enabled("[data-live=start]")
    page.click("[data-live=start]")  # and once more
    shown(page)
    page.close()
    assert left(server[1])


def test_a_microphone_that_is_refused_or_missing_is_a_sentence_and_reaches_no_server(visit, server):
    page = visit("--use-fake-device-for-media-stream", "--deny-permission-prompts")
    page.click("[data-live=start]")
    page.get_by_text("The microphone was refused").wait_for(timeout=SECONDS)
    assert page.is_enabled("[data-live=start]") and not server[1]._visitors
    page = visit("--use-fake-ui-for-media-stream")
    page.click("[data-live=start]")
    page.get_by_text("There is no microphone").wait_for(timeout=SECONDS)
    assert not server[1]._visitors


def test_a_recording_is_spoken_to_its_end_and_what_is_none_is_a_sentence(visit, server, tmp_path):
    wavfile.write(tmp_path / "a.wav", 16000, (noise(1.5) * 32767).astype(np.int16))
    (tmp_path / "words.wav").write_text("these are words")
    page = visit("--autoplay-policy=no-user-gesture-required")
    page.set_input_files("[data-live=file]", tmp_path / "words.wav")
    page.get_by_text("holds no sound").wait_for(timeout=SECONDS)
    page.set_input_files("[data-live=file]", tmp_path / "a.wav")
    page.get_by_text("The end.").wait_for(timeout=SECONDS)
    shown(page, 20)
    assert left(server[1])
