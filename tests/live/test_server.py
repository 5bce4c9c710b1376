import asyncio
import json
import threading
import time
import urllib.error
import urllib.request

import numpy as np
import pytest

from tbd.errors import InputError
from tbd.live import visit as module
from tbd.live.protocol import unpack_frame
from tbd.live.server import LiveServer
from tbd.live.visit import SoundQueue
from tbd.think.plan import MusclePlan
from tests.live.conftest import noise

websockets = pytest.importorskip("websockets", reason="the extra `live` is not installed")
SOUND = (noise(1.0) * 32767).astype("<i2").tobytes()


@pytest.fixture
def visit(open_stream):
    """Run a visitor's coroutine, given the page's address, against a server; no thread is left behind."""
    before = threading.active_count()

    def run(visitor, most=2):
        opened = []

        def open_one(chunks, plan, rate):
            opened.append(open_stream(chunks, plan, rate, realtime=True))
            return opened[-1]

        async def all_of_it():
            think = lambda text: MusclePlan(text=text, description=text)  # noqa: E731
            async with LiveServer(open_one, think, port=0, most=most).listening() as url:
                return await visitor(url)

        result = asyncio.run(all_of_it())
        assert all(stream._closed.is_set() for stream in opened)
        return result

    yield run
    deadline = time.monotonic() + 5
    while threading.active_count() > before and time.monotonic() < deadline:
        time.sleep(0.05)
    assert threading.active_count() <= before


def connect(url: str, **options):
    from websockets.asyncio.client import connect

    return connect(url.replace("http", "ws") + "live", **options)


async def drain(socket) -> list:
    """Everything that comes, texts as what they say."""
    with_error = []
    try:
        async for message in socket:
            with_error.append(json.loads(message) if isinstance(message, str) else unpack_frame(message))
    except websockets.exceptions.ConnectionClosedError:
        pass
    return with_error


def test_a_visitor_speaks_and_sees_every_frame(visit):
    async def visitor(url):
        async with connect(url) as socket:
            await socket.send(json.dumps({"sample_rate": 16000, "emotion": "sad"}))
            for i in range(0, len(SOUND), 333):  # cut within samples
                await socket.send(SOUND[i : i + 333])
            await socket.send('{"emotion": "happy"}')
            await socket.send('{"end": true}')
            return await drain(socket)

    messages = visit(visitor)
    frames = [message for message in messages if isinstance(message, tuple)]
    assert {"fps": 25, "sample_rate": 16000, "width": 16, "height": 16} in messages and {"plan": "happy"} in messages
    assert [number for number, _, _ in frames] == list(range(25)) and frames[0][2].startswith(b"\xff\xd8")
    sound = np.concatenate([sound for _, sound, _ in frames])
    assert np.abs(sound - np.frombuffer(SOUND, "<i2") / 32767).max() < 1e-3


@pytest.mark.parametrize(
    "first", [b"\x00\x01", b"", "", "nonsense", '{"sample_rate": 3}', '{"sample_rate": 160', '{"emotion": "sad"}', "[" * 100_000]
)
def test_noise_at_the_start_is_answered_by_one_sentence(visit, first):
    async def visitor(url):
        async with connect(url) as socket:
            await socket.send(first)
            return await drain(socket)

    (answer,) = visit(visitor)
    assert list(answer) == ["error"] and answer["error"].endswith(".")


@pytest.mark.parametrize(
    ("messages", "said"),
    [
        ((SOUND, "nonsense"), "JSON"),
        ((SOUND[:333], '{"emotion": "hap'), "JSON"),  # half a sample, and half a message
        ((SOUND, SOUND[:300].hex()), "JSON"),  # text where bytes are wanted
        ((SOUND, '{"emotion": "\\ud83d"}'), "sentence"),  # half a character
        ((b"RIFF\x24\x00\x00\x00WAVE", SOUND), "WAV"),
        ((b"RI", b"F", b"F\x24\x00"), "WAV"),
        ((b"\x1aE\xdf\xa3\x9f",), "WebM"),
    ],
)
def test_noise_on_the_way_is_answered_by_one_sentence(visit, messages, said):
    async def visitor(url):
        async with connect(url) as socket:
            await socket.send('{"sample_rate": 16000}')
            for message in messages:
                await socket.send(message)
            return await drain(socket)

    assert said in visit(visitor)[-1]["error"]


def test_a_sample_whose_half_never_comes_is_left_out(visit):
    async def visitor(url):
        async with connect(url) as socket:
            await socket.send('{"sample_rate": 16000}')
            for message in (SOUND[:1281], b"", '{"end": true}'):
                await socket.send(message)
            return await drain(socket)

    frames = [message for message in visit(visitor) if isinstance(message, tuple)]
    assert sum(len(sound) for _, sound, _ in frames) == 640


def test_what_nobody_foresaw_is_a_sentence_too(visit, monkeypatch, caplog):
    monkeypatch.setattr(module, "encode_jpeg", lambda frame: 1 / 0)

    async def visitor(url):
        async with connect(url) as socket:
            await socket.send('{"sample_rate": 16000}')
            await socket.send(SOUND)
            return await drain(socket)

    assert "ZeroDivisionError" in visit(visitor)[-1]["error"] and "a live visit failed" in caplog.text


def test_a_visitor_that_falls_silent_is_let_go(visit, monkeypatch):
    monkeypatch.setattr(module, "_SILENT", 0.3)

    async def visitor(url):
        async with connect(url) as socket:
            await socket.send('{"sample_rate": 16000}')
            return await drain(socket)

    assert "No sound has come" in visit(visitor)[-1]["error"]


def test_a_visitor_that_vanishes_leaves_nothing_running(visit):
    async def visitor(url):
        socket = await connect(url)
        await socket.send('{"sample_rate": 16000}')
        await socket.send(SOUND)
        await asyncio.sleep(0.3)
        socket.transport.abort()
        await asyncio.sleep(0.5)

    visit(visitor)


def test_one_too_many_is_turned_away_and_other_pages_are_not_let_in(visit):
    async def visitor(url):
        async with connect(url) as socket:
            await socket.send('{"sample_rate": 16000}')
            await asyncio.sleep(0.1)
            with pytest.raises(websockets.exceptions.InvalidStatus, match="503"):
                await connect(url)
        with pytest.raises(websockets.exceptions.InvalidStatus, match="403"):
            await connect(url, origin="http://elsewhere.example")

    visit(visitor, most=1)


def test_the_page_is_served_and_nothing_else(visit):
    async def visitor(url):
        read = lambda address: urllib.request.urlopen(address).read().decode()  # noqa: E731
        page = await asyncio.to_thread(read, url)
        with pytest.raises(urllib.error.HTTPError, match="404"):
            await asyncio.to_thread(read, url + "../../etc/passwd")
        return page

    assert "<title>Live face" in visit(visitor)


def test_a_port_that_is_taken_is_one_sentence(open_stream):
    import socket

    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()

        async def listen():
            async with LiveServer(open_stream, MusclePlan, port=taken.getsockname()[1]).listening():
                pass

        with pytest.raises(InputError, match="another --port"):
            asyncio.run(listen())


def test_sound_that_is_poured_in_is_refused_before_it_fills_the_memory():
    sound = SoundQueue()
    with pytest.raises(InputError, match="faster than"):
        for _ in range(1000):
            sound.put(b"\x00" * 640)
