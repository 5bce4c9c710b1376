"""A chat server on loopback whose answers a test writes."""

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

REASONING = "## What is felt\nAnger.\n## Which muscles\nAU4.\n## What speech needs\nLittle.\n## How it unfolds\nIt stays."
PLAN = json.dumps(
    {
        "emotions": [{"emotion": "angry", "weight": 1}],
        "intensity": 0.7,
        "actions": [{"unit": 4, "side": "both", "intensity": 0.6, "onset": None, "offset": None}],
        "segments": [],
        "description": "an angry face",
        "regions": {"upper": "lowered brows", "eyes": "narrow", "middle": "at rest", "lower": "tight", "head": "still"},
    }
)


def completion(content: str | None, **more) -> bytes:
    return json.dumps({"choices": [{"message": {"role": "assistant", "content": content}, "finish_reason": "stop"} | more]}).encode()


class Exchange(BaseHTTPRequestHandler):
    """One request: `body` is what came; `reply` sends."""

    def do_POST(self):
        self.body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.requests.append(self)
        with suppress(BrokenPipeError, ConnectionResetError):  # the client went away, as some tests want
            self.server.answer(self)

    def reply(self, content: bytes, status: int = 200, length: int | None = None, **headers: str):
        self.send_response(status)
        self.send_header("Content-Length", str(len(content) if length is None else length))
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)

    def drip(self, seconds: float):
        self.send_response(200)
        self.send_header("Content-Length", "1000")
        self.end_headers()
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            self.wfile.write(b" ")
            time.sleep(0.05)

    @property
    def wants_plan(self) -> bool:
        return len(self.body["messages"]) > 2

    def log_message(self, *_):
        pass


def think(exchange: Exchange):
    """What a well-behaved server does."""
    exchange.reply(completion(PLAN if exchange.wants_plan else REASONING))


@contextmanager
def serve(answer: Callable[[Exchange], None] = think) -> Iterator[ThreadingHTTPServer]:
    """A server; `url` is where, `requests` is what came, `answer` may be changed on the way."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Exchange)
    server.daemon_threads, server.block_on_close = True, False
    server.answer, server.requests, server.url = answer, [], f"http://127.0.0.1:{server.server_address[1]}/v1"
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
