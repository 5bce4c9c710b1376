"""A visit to the page in a real browser: upload, think, edit a muscle, draw, download; bad input; what stays when it is closed."""

import contextlib
import re
import shutil
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tbd.studio.server import serve
from tbd.think import MusclePlan

gradio = pytest.importorskip("gradio", reason="Gradio is not installed (pip install 'tbd[studio]')")
playwright = pytest.importorskip("playwright.sync_api", reason="Playwright is not installed (pip install playwright)")
CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium is installed (apt-get install chromium)")
SECONDS = 90_000
"""Milliseconds to wait for what is computed, on a busy machine."""


@pytest.fixture(scope="module")
def temporary(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("temporary")


@pytest.fixture(scope="module")
def address(pipeline, temporary) -> Iterator[str]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("tempfile.tempdir", str(temporary))
        patch.setattr("gradio.routes.DEFAULT_TEMP_DIR", str(temporary / "gradio"))  # as if Gradio were imported here
        with serve(pipeline) as url:
            yield url
    assert not list(temporary.iterdir())  # nothing stays on the disk


@pytest.fixture(scope="module")
def browser(address):
    with playwright.sync_playwright() as started:
        options = ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"]
        browser = started.chromium.launch(executable_path=CHROMIUM, args=options)
        yield browser
        browser.close()


class Visit:
    """A tab, and what it did behind its user's back."""

    def __init__(self, browser, address: str, width: int = 1280, height: int = 900) -> None:
        self.context = browser.new_context(viewport={"width": width, "height": height}, accept_downloads=True)
        self.page = self.context.new_page()
        self.complaints: list[str] = []
        self.requests: list[str] = []
        self.received: list[str] = []
        self.page.on("console", lambda m: self.complaints.append(m.text) if m.type == "error" else None)
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("request", lambda request: self.requests.append(f"{request.url} {request.post_data_buffer or b''!r}"))
        self.page.on("response", self.keep)
        self.page.goto(address)
        self.page.wait_for_selector("#think")

    def keep(self, response) -> None:
        """Keep what is sent as text: pages, answers, events."""
        if response.headers.get("content-type", "").startswith(("text/html", "application/json", "text/event-stream")):
            with contextlib.suppress(playwright.Error):  # of a page that has gone
                self.received.append(response.text())

    def give(self, portrait: str | None = None, voice: str | None = None) -> None:
        if portrait:
            self.page.locator("#portrait input[type=file]").first.set_input_files(portrait)
        if voice:
            self.page.locator("#voice input[type=file]").first.set_input_files(voice)
            self.page.wait_for_selector("#voice #time, #voice audio", state="attached", timeout=SECONDS)

    def handle(self, key: str):
        return self.page.locator(f'tbd-timeline [data-key="{key}"]')


@pytest.fixture
def visit(browser, address):
    visits: list[Visit] = []

    def begin(width: int = 1280, height: int = 900) -> Visit:
        visits.append(Visit(browser, address, width, height))
        return visits[-1]

    yield begin
    for each in visits:
        each.context.close()


def test_upload_think_edit_draw_download(visit, given, address, temporary, tmp_path):
    tab = visit()
    page = tab.page
    tab.give(given["portrait"], given["voice"])
    page.wait_for_selector("#portrait-note img", timeout=SECONDS)
    page.fill("#sentence textarea", "a little angry")
    page.click("#think")
    page.wait_for_selector("#chart svg", timeout=SECONDS)
    assert "anger" in page.inner_text("#reasoning")

    level = tab.handle("intensity-0")
    level.scroll_into_view_if_needed()
    box, before = level.bounding_box(), float(level.get_attribute("aria-valuenow"))
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] - 15, steps=4)
    page.mouse.up()
    raised = float(level.get_attribute("aria-valuenow"))
    assert raised > before + 0.1
    name = level.get_attribute("aria-label").removeprefix("intensity of ")
    unit = re.match(r"AU\d+", name)[0]
    page.wait_for_function(f"document.querySelector('#chart').textContent.includes('{raised:.2f}')", timeout=SECONDS)

    page.select_option('tbd-timeline [data-key="unit"]', "2")
    tab.handle("add").click()
    page.wait_for_function("document.querySelector('#chart').textContent.includes('Outer Brow Raiser')", timeout=SECONDS)

    page.click("#draw-button")
    page.wait_for_selector("#preview video", timeout=SECONDS)
    page.wait_for_selector("#downloads a", timeout=SECONDS)
    assert page.evaluate("document.querySelector('#video video').readyState") >= 0
    page.wait_for_function("document.querySelector('#video video').duration > 1.9", timeout=SECONDS)
    for link, suffix in (("Video", ".mp4"), ("Plan", ".json"), ("Motion", ".csv"), ("Voice", ".flac")):
        with page.expect_download() as download:
            page.locator("#downloads a", has_text=link).first.click()
        assert download.value.suggested_filename.endswith(suffix)
        download.value.save_as(tmp_path / download.value.suggested_filename)
    plan = MusclePlan.load(tmp_path / "plan.json")
    assert {a.unit: a.intensity for a in plan.actions}[int(unit[2:])] == raised and any(a.unit == 2 for a in plan.actions)
    assert page.inner_text("#downloads code").startswith("tbd generate --portrait me.jpg --audio 'my voice.wav' --plan plan.json")
    assert not tab.complaints
    assert all(request.startswith((address, "data:", "blob:")) for request in tab.requests)  # no other machine is asked for anything
    sent = [page.content(), *tab.requests, *tab.received]
    assert any("/studio/" in text and "my voice.wav" in text for text in sent)  # an upload, by an alias of its folder
    for folder in (Path.home(), Path(__file__).parents[2], temporary):
        assert not [text for text in sent if f"{folder}/" in text]


def test_keys_move_the_marks_and_undo_takes_them_back(visit, given):
    tab = visit()
    tab.give(voice=given["voice"])
    tab.page.fill("#sentence textarea", "she smiles after one second")
    tab.page.click("#think")
    onset = tab.handle("onset-0")
    onset.wait_for(timeout=SECONDS)
    tab.page.wait_for_selector("#chart svg", timeout=SECONDS)
    at = float(onset.get_attribute("aria-valuenow"))
    onset.focus()
    for _ in range(3):
        tab.page.keyboard.press("ArrowLeft")
    assert float(onset.get_attribute("aria-valuenow")) == pytest.approx(at - 0.12, abs=0.011)
    tab.page.wait_for_timeout(2500)  # the server has answered; the next edit must not be lost
    tab.page.keyboard.press("Home")
    assert onset.get_attribute("aria-valuetext") == "from before the start"
    assert tab.page.evaluate("document.querySelector('tbd-timeline').shadowRoot.activeElement.dataset.key") == "onset-0"
    tab.page.wait_for_timeout(1500)
    tab.handle("undo").click()
    tab.page.wait_for_function(
        "document.querySelector('tbd-timeline').shadowRoot.querySelector('[data-key=onset-0]').getAttribute('aria-valuetext') "
        f"== '{round(at - 0.12, 2):g} s'",
        timeout=SECONDS,
    )
    assert not tab.complaints


def test_an_apex_that_is_not_set_moves_from_where_it_is_drawn(visit, given):
    tab = visit()
    tab.give(voice=given["voice"])
    tab.page.fill("#sentence textarea", "she smiles after half a second")
    tab.page.click("#think")
    tab.handle("onset-0").wait_for(timeout=SECONDS)
    tab.page.wait_for_selector("#chart svg", timeout=SECONDS)
    rise = tab.page.evaluate(
        "(() => { const t = document.querySelector('tbd-timeline'); t.value.rows[0].onset = 0.5; t.value.rows[0].apex = null; t.draw();"
        " return t.value.rise; })()"
    )
    apex = tab.handle("apex-0")
    assert float(apex.get_attribute("aria-valuenow")) == pytest.approx(0.5 + rise, abs=0.006)
    apex.focus()
    tab.page.keyboard.press("ArrowRight")
    assert float(apex.get_attribute("aria-valuenow")) == pytest.approx(0.54 + rise, abs=0.006)


def faults(page) -> list:
    """Serious faults for axe, and what is wider than the screen."""
    found = page.evaluate("axe.run(document, {resultTypes: ['violations']})")["violations"]
    serious = [(f["id"], [n["target"] for n in f["nodes"]]) for f in found if f["impact"] in ("serious", "critical")]
    return serious + ([] if page.evaluate("document.documentElement.scrollWidth <= innerWidth") else ["wider than the screen"])


@pytest.mark.parametrize("width", [1280, 390])
def test_nobody_is_shut_out(visit, width):
    """No serious fault for axe, nothing wider than the screen, before and after a tall video of the whole picture is drawn."""
    axe = pytest.importorskip("axe_playwright_python", reason="axe is not installed (pip install axe-playwright-python)")
    tab = visit(width, 844)
    tab.page.get_by_role("button", name="quietly furious").click()
    tab.handle("intensity-0").wait_for(timeout=SECONDS)
    tab.page.wait_for_selector("#chart svg", timeout=SECONDS)
    tab.page.evaluate((Path(axe.__file__).parent / "axe.min.js").read_text(encoding="utf-8"))
    assert not faults(tab.page) and len(tab.page.evaluate("axe.getRules()")) > 50
    for choice, value in (("frame", "Whole picture"), ("aspect", "9:16")):
        tab.page.click(f"#{choice} input")
        tab.page.get_by_role("option", name=value).click()
    tab.page.click("#draw-button")
    tab.page.wait_for_selector("#downloads a", timeout=SECONDS)
    tab.page.click("#keep")
    tab.page.wait_for_selector("#compare video", timeout=SECONDS)
    assert "288×512" in tab.page.inner_text("#video") and "--frame full --aspect 9:16" in tab.page.inner_text("#downloads code")
    assert not faults(tab.page)
    assert not tab.complaints


def test_a_picture_without_a_face_is_a_sentence(visit, given):
    tab = visit()
    tab.give(portrait=given["nobody"])
    note = tab.page.wait_for_selector("#portrait-note [role=alert]", timeout=SECONDS).inner_text()
    assert "nobody.png" in note and "face" in note and "/" not in note


def test_what_the_page_cannot_take_is_one_sentence(visit, given, tmp_path):
    large = tmp_path / "large.png"
    with large.open("wb") as file:
        file.truncate(2 * 2**30)
    Path(tmp_path, "words.png").write_text("these are words")
    tab = visit()
    tab.page.set_default_timeout(SECONDS)
    for place, file, said in (
        ("portrait", large, "large.png has 2048 MiB; the studio takes files up to 64 MiB."),
        ("portrait", given["words"], "words.txt is no picture; give a photograph or a painting of a face."),
        ("portrait", tmp_path / "words.png", "words.png is no picture; give a PNG, JPEG or such."),
        ("voice", given["words"], "words.txt is no sound; give a recording of a voice, or a video with one."),
    ):
        tab.page.locator(f"#{place} input[type=file]").first.set_input_files(str(file))
        tab.page.locator(f"#{place}-note [role=alert]").get_by_text(said, exact=True).wait_for()
    tab.page.locator("#seed input").fill("-5")
    tab.page.click("#preview-button")
    tab.page.locator("#draw-note [role=alert]").get_by_text(re.compile("The seed is a whole number from 0")).wait_for()
    assert not tab.page.locator(".toast-body").count()  # Gradio's own words
    assert not tab.complaints


def test_a_microphone_that_is_not_there(visit):
    tab = visit()
    tab.page.get_by_role("button", name="Record audio").click()
    choice = tab.page.locator("#voice select")
    choice.get_by_text("No microphone found").wait_for(state="attached", timeout=SECONDS)
    assert choice.is_visible()
    tab.page.locator("#voice button", has_text="Record").first.click(force=True)
    tab.page.locator("#voice-note").get_by_text("There is no microphone; plug one in, or upload a recording.").wait_for(timeout=SECONDS)


def test_a_camera_that_is_not_there(visit):
    tab = visit()
    tab.page.get_by_role("button", name="Capture from camera").click()
    tab.page.get_by_text("Click to Access Webcam").click()
    tab.page.locator("#portrait-note").get_by_text("There is no camera; plug one in, or upload a picture.").wait_for(timeout=SECONDS)
    assert not tab.complaints


def test_a_large_upload_past_the_page_leaves_nothing(address, temporary):
    import httpx

    def kept() -> set[Path]:
        return {path for path in temporary.rglob("*") if path.is_file()}

    before = kept()

    def chunks():
        yield b'--x\r\nContent-Disposition: form-data; name="files"; filename="a.bin"\r\n\r\n'
        for _ in range(80):
            yield bytes(2**20)
        yield b"\r\n--x--\r\n"

    try:
        answer = httpx.post(
            f"{address}gradio_api/upload", content=chunks(), headers={"Content-Type": "multipart/form-data; boundary=x"}, timeout=60
        )
        assert answer.status_code == 413 and answer.text == "The studio takes files up to 64 MiB."
    except httpx.TransportError:
        pass  # the server hung up, which is as good
    assert kept() == before


def test_an_upload_that_breaks_off_leaves_nothing(address, temporary):
    """As when a browser is closed meanwhile."""
    kept = sorted(path for path in temporary.rglob("*") if path.is_file())
    host, port = address.removeprefix("http://").rstrip("/").split(":")
    form = b'--xyz\r\nContent-Disposition: form-data; name="files"; filename="a.png"\r\nContent-Type: image/png\r\n\r\n'
    head = f"POST /gradio_api/upload HTTP/1.1\r\nHost: {host}\r\nContent-Type: multipart/form-data; boundary=xyz\r\n"
    head += "Content-Length: 3000000\r\n\r\n"
    with socket.create_connection((host, int(port))) as connection:
        connection.sendall(head.encode() + form + bytes(2**20))
        for _ in range(100):
            if (begun := sorted(path for path in temporary.rglob("*") if path.is_file())) != kept:
                break
            time.sleep(0.1)
        assert begun != kept  # a half is there, so that this test says something
    for _ in range(100):
        if sorted(path for path in temporary.rglob("*") if path.is_file()) == kept:
            return
        time.sleep(0.1)
    pytest.fail("half of an upload stayed")


def test_files_of_the_machine_are_not_served(address):
    import httpx

    for path in ("/etc/passwd", str(Path(__file__)), str(Path.home() / ".bashrc")):
        assert httpx.get(f"{address}gradio_api/file={path}").status_code in (403, 404)
    assert httpx.get(f"{address}studio-files/x/y/../../../etc/passwd").status_code == 404
    assert httpx.get(f"{address}studio-files/x/y/video.mp4").status_code == 404


def test_two_tabs_at_once_and_one_that_closes_while_drawing(visit, given, temporary):
    first, second = visit(), visit()
    for tab, feeling in ((first, "furious"), (second, "happy")):
        tab.give(given["portrait"], given["voice"])
        tab.page.wait_for_selector("#portrait-note img", timeout=SECONDS)
        tab.page.fill("#sentence textarea", feeling)
        tab.page.click("#think")
        tab.page.wait_for_selector("#chart svg", timeout=SECONDS)
    first.page.click("#draw-button")
    first.page.wait_for_selector("#preview progress", timeout=SECONDS)  # before anything else, or a short video could be done by then
    second.page.click("#preview-button")
    first.context.close()
    second.page.wait_for_selector("#preview video", timeout=SECONDS)
    assert not second.page.inner_text("#draw-note").strip()
    assert "joy" in second.page.inner_text("#reasoning") or "happ" in second.page.inner_text("#reasoning")
    second.context.close()
    for _ in range(100):
        if not (left := [*temporary.rglob("*.mp4")]):
            return
        time.sleep(0.2)
    pytest.fail(f"{left} stayed")


def test_a_video_takes_the_picture_s_place_and_is_dubbed(visit, given, tmp_path):
    import skimage.data

    from tbd.media import VideoWriter

    with VideoWriter(tmp_path / "clip.mp4") as writer:
        for _ in range(12):
            writer.write(skimage.data.astronaut()[::2, ::2].copy())
    tab = visit()
    page = tab.page
    tab.give(given["portrait"], given["voice"])
    page.wait_for_selector("#portrait-note img", timeout=SECONDS)
    page.click("#more-portrait button")
    page.locator("#clip input[type=file]").set_input_files(str(tmp_path / "clip.mp4"))
    page.wait_for_selector("#portrait img", state="detached", timeout=SECONDS)
    page.wait_for_selector("#portrait-note img", timeout=SECONDS)
    page.fill("#sentence textarea", "happy")
    page.click("#think")
    page.wait_for_selector("#chart svg", timeout=SECONDS)
    page.click("#draw-button")
    page.wait_for_selector("#downloads a", timeout=SECONDS)
    command = page.inner_text("#downloads code")
    assert "--portrait clip.mp4" in command and "--frame full" in command
    tab.give(portrait=given["portrait"])  # and back: the picture speaks again, and the video is gone
    page.wait_for_function("!document.querySelector('#clip').textContent.includes('clip.mp4')", timeout=SECONDS)
    page.wait_for_selector("#portrait-note img", timeout=SECONDS)
    assert not tab.complaints
