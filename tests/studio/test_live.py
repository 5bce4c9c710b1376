"""A portrait speaks live in the studio: in a browser whose microphone beeps, and over the WebSocket alone."""

import asyncio
import json
import threading
import time

import numpy as np
import pytest

from tbd.live import visit as module
from tbd.live.protocol import unpack_frame
from tests.studio.test_layout import CHROMIUM, SECONDS, Visit, address, playwright, temporary  # noqa: F401

websockets = pytest.importorskip("websockets", reason="the extra `live` is not installed")
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium is installed (apt-get install chromium)")
FAKE = ["--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream", "--autoplay-policy=no-user-gesture-required"]


@pytest.fixture(scope="module")
def browser(address):  # noqa: F811
    with playwright.sync_playwright() as started:
        options = ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", *FAKE]
        browser = started.chromium.launch(executable_path=CHROMIUM, args=options)
        yield browser
        browser.close()


@pytest.fixture
def tab(browser, address):  # noqa: F811
    visit = Visit(browser, address)
    yield visit
    visit.context.close()


def shown(tab: Visit) -> int:
    return int(tab.page.evaluate("document.querySelector('#live canvas').dataset.shown || 0"))


def nothing_is_drawn(seconds: float = 20) -> bool:
    deadline = time.monotonic() + seconds
    while any(thread.name.startswith("tbd-live") for thread in threading.enumerate()) and time.monotonic() < deadline:
        time.sleep(0.1)
    return not any(thread.name.startswith("tbd-live") for thread in threading.enumerate())


def test_the_microphone_moves_the_portrait_and_an_edit_changes_it(tab, given):
    page = tab.page
    page.click("#live [data-live=start]")
    page.get_by_text("There is no portrait yet").wait_for(timeout=SECONDS)
    tab.give(given["portrait"])
    page.wait_for_selector("#portrait-note img", timeout=SECONDS)
    page.fill("#sentence textarea", "quietly furious")
    page.click("#think")  # without a voice
    page.wait_for_selector("#chart svg", timeout=SECONDS)
    page.click("#live [data-live=start]")
    page.wait_for_function("+document.querySelector('#live canvas').dataset.shown > 5", timeout=SECONDS)
    assert "sound to frame" in page.inner_text("#live [data-live=figures]")
    before = shown(tab)
    page.fill("#sentence textarea", "overjoyed")
    page.click("#think")
    page.wait_for_function("document.querySelector('#reasoning').textContent.includes('joy')", timeout=SECONDS)
    page.wait_for_function(f"+document.querySelector('#live canvas').dataset.shown > {before + 5}", timeout=SECONDS)
    page.click("#live [data-live=stop]")
    page.get_by_text("Stopped.", exact=True).wait_for(timeout=SECONDS)
    assert nothing_is_drawn() and not tab.complaints


def test_a_tab_that_closes_while_it_speaks_leaves_nothing_running(browser, address, given):  # noqa: F811
    tab = Visit(browser, address)
    tab.page.get_by_role("button", name="quietly furious").click()
    tab.page.wait_for_selector("#chart svg", timeout=SECONDS)
    tab.page.click("#live [data-live=start]")
    tab.page.wait_for_function("+document.querySelector('#live canvas').dataset.shown > 2", timeout=SECONDS)
    tab.context.close()
    assert nothing_is_drawn()


def token(tab: Visit) -> str:
    with tab.page.expect_websocket() as opened:
        tab.page.click("#live [data-live=start]")
    return opened.value.url.rsplit("/", 1)[1]


def talk(url: str, *messages: str | bytes) -> list:
    """What the studio answers to these messages, until it closes."""
    from websockets.asyncio.client import connect

    async def all_of_it() -> list:
        answers = []
        async with connect(url) as socket:
            for message in messages:
                await socket.send(message)
            try:
                async for answer in socket:
                    answers.append(json.loads(answer) if isinstance(answer, str) else unpack_frame(answer))
            except websockets.exceptions.ConnectionClosedError:
                pass
        return answers

    done: list = []
    thread = threading.Thread(target=lambda: done.extend(asyncio.run(all_of_it())))  # Playwright has a loop of its own in this one
    thread.start()
    thread.join(60)
    return done


def test_what_is_not_of_the_protocol_is_answered_by_one_sentence_and_leaves_nothing(tab, address, temporary, monkeypatch):  # noqa: F811
    page = tab.page
    page.get_by_role("button", name="quietly furious").click()
    page.wait_for_selector("#chart svg", timeout=SECONDS)
    url = address.replace("http", "ws") + "studio-live/"
    own = url + token(tab)
    page.wait_for_function("+document.querySelector('#live canvas').dataset.shown > 2", timeout=SECONDS)
    page.click("#live [data-live=stop]")
    assert nothing_is_drawn()
    kept = sorted(path for path in temporary.rglob("*") if path.is_file())
    start, sound = '{"sample_rate": 16000}', (np.random.default_rng(0).normal(0, 3000, 16000)).astype("<i2").tobytes()
    assert "forgotten" in talk(url + "another", start)[-1]["error"]
    assert "JSON" in talk(own, b"\x00\x01")[-1]["error"]
    assert "JSON" in talk(own, start, "nonsense")[-1]["error"]
    assert "JSON" in talk(own, '{"sample_rate": 160')[-1]["error"]
    assert "JSON" in talk(own, start, sound[:333], sound.hex()[:600])[-1]["error"]
    assert "WAV" in talk(own, start, b"RIF", b"F" + sound)[-1]["error"]
    assert "sample" in talk(own, '{"sample_rate": 7}')[-1]["error"]
    assert "faster than" in talk(own, start, *[b"\x00" * 640] * 2000)[-1]["error"]
    frames = [answer for answer in talk(own, start, sound, '{"end": true}') if isinstance(answer, tuple)]
    assert [number for number, _, _ in frames] == list(range(25))
    monkeypatch.setattr(module, "_SILENT", 0.5)
    assert "No sound has come" in talk(own, start)[-1]["error"]
    assert nothing_is_drawn() and kept == sorted(path for path in temporary.rglob("*") if path.is_file())
