"""What stands between a browser and Gradio: uploads that are too large or end halfway, and the folder that nobody needs to know."""

import json
from collections.abc import Awaitable, Callable, MutableMapping
from pathlib import Path
from typing import Any

from tbd.studio.limits import MAX_UPLOAD_MIB

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Message, Receive, Send], Awaitable[None]]

TOO_LARGE = f"The studio takes files up to {MAX_UPLOAD_MIB} MiB."
"""What is answered to a larger one that has got past the page."""
ALIAS = "/studio"
"""What stands for the studio's folder in all that a browser is sent."""
_AROUND_A_FILE = 1 << 16
"""Bytes that a form may add to its file."""
_LARGEST_JSON = 1 << 22
"""Bytes of an event."""
_RECORDER = "/process_recording"
"""Gradio's recorder of the screen, which the page does not show and which keeps its files."""


class UploadGuard:
    """Refuses uploads before they are read, and lets none that ends halfway leave its first half on the disk.

    Args:
        app: What is guarded.
    """

    def __init__(self, app: App) -> None:
        self._app = app

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Serve a request of ASGI.

        Args:
            scope: The request.
            receive: Gives its body.
            send: Takes the answer.
        """
        if scope["type"] != "http" or scope["method"] != "POST":
            await self._app(scope, receive, send)
            return
        headers = dict(scope["headers"])
        length = headers.get(b"content-length", b"")
        if length.isdigit() and int(length) > MAX_UPLOAD_MIB * 2**20 + _AROUND_A_FILE:
            await _answer(send, 413, TOO_LARGE)
        elif scope["path"].endswith(_RECORDER):
            await _answer(send, 404, "The studio records no screens.")
        else:
            boundary = headers.get(b"content-type", b"").partition(b"boundary=")[2].strip(b'"')
            await self._app(scope, _completed(receive, boundary) if boundary else receive, _in_our_words(send))


def _completed(receive: Receive, boundary: bytes) -> Receive:
    """A form that ends halfway gets a part without a header: for that Gradio removes what it has, and not for a broken connection."""

    async def next_message() -> Message:
        message = await receive()
        if message["type"] != "http.disconnect":
            return message
        # twice: where the form ended among its headers, the first of them ends these
        return {"type": "http.request", "body": 2 * (b"\r\n--" + boundary + b"\r\n\0\r\n"), "more_body": False}

    return next_message


def _in_our_words(send: Send) -> Send:
    """An upload without a length is refused by Gradio, which counts bytes."""
    refused = False

    async def pass_on(message: Message) -> None:
        nonlocal refused
        if message["type"] == "http.response.start" and message["status"] == 413:
            refused = True
            await _answer(send, 413, TOO_LARGE)
        elif not refused:
            await send(message)

    return pass_on


async def _answer(send: Send, status: int, sentence: str) -> None:
    body = sentence.encode()
    headers = [(b"content-type", b"text/plain; charset=utf-8"), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


class FolderAlias:
    """Writes `ALIAS` for the studio's folder in all that is sent, and the folder for the alias in all that comes.

    Gradio names an uploaded file by its path, to the browser and back.

    Args:
        app: What knows the folder.
        folder: The folder.
    """

    def __init__(self, app: App, folder: Path) -> None:
        self._app, self._folder = app, str(folder)

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Serve a request of ASGI; see `UploadGuard`.

        Args:
            scope: The request.
            receive: Gives its body.
            send: Takes the answer.
        """
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        if f"={ALIAS}/" in scope["path"]:
            path = scope["path"].replace(f"={ALIAS}/", f"={self._folder}/", 1)
            scope = {**scope, "path": path, "raw_path": path.encode()}
        if dict(scope["headers"]).get(b"content-type", b"").startswith(b"application/json"):
            receive = self._naming(receive)
        await self._app(scope, receive, self._hiding(send))

    def _naming(self, receive: Receive) -> Receive:
        """The body is read as a whole, since a path may lie across two pieces."""

        async def next_message() -> Message:
            body = b""
            while True:
                message = await receive()
                if message["type"] != "http.request":
                    return message
                body += message.get("body", b"")
                if len(body) > _LARGEST_JSON:
                    return {"type": "http.disconnect"}
                if not message.get("more_body"):
                    return {**message, "body": body.replace(f'"{ALIAS}/'.encode(), f'"{_escaped(self._folder)}/'.encode())}

        return next_message

    def _hiding(self, send: Send) -> Send:
        """An answer is sent as a whole, since its length changes; events come one by one, each in one piece."""
        start: Message | None = None
        body, events = b"", False

        def hidden(data: bytes) -> bytes:
            for folder in {_escaped(self._folder), self._folder}:
                data = data.replace(folder.encode(), ALIAS.encode())
            return data

        async def pass_on(message: Message) -> None:
            nonlocal start, body, events
            if message["type"] == "http.response.start":
                kind = dict(message["headers"]).get(b"content-type", b"")
                events = kind.startswith(b"text/event-stream")
                start = message if kind.startswith((b"application/json", b"text/html", b"text/plain")) else None
                if start is not None:
                    return
            elif message["type"] == "http.response.body" and start is not None:
                body += message.get("body", b"")
                if message.get("more_body"):
                    return
                body = hidden(body)
                headers = [pair for pair in start["headers"] if pair[0] != b"content-length"]
                await send({**start, "headers": [*headers, (b"content-length", str(len(body)).encode())]})
                message = {**message, "body": body}
            elif message["type"] == "http.response.body" and events:
                message = {**message, "body": hidden(message.get("body", b""))}
            await send(message)

        return pass_on


def _escaped(path: str) -> str:
    """As JSON writes it."""
    return json.dumps(path)[1:-1]
