"""A live face on a page: a WebSocket that takes a microphone's sound and gives frames, and the page itself, on one port."""

import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from http import HTTPStatus
from importlib.resources import files
from typing import Any
from urllib.parse import urlsplit

from tbd.errors import InputError
from tbd.live.protocol import LONGEST_MESSAGE
from tbd.live.visit import Gone, OpenStream, Visit
from tbd.think.plan import MusclePlan

SOCKET = "/live"
"""Path of the WebSocket."""
_FILES = {"/": ("page.html", "text/html"), "/live.js": ("live.js", "text/javascript")}
"""Path → file of the page, and its type."""


class LiveServer:
    """Serves the page and one talking face to each visitor.

    Args:
        open_stream: Opens a visitor's stream.
        think: A sentence about a feeling → a plan.
        host: Address to listen on.
        port: Port; 0 for any that is free.
        most: Visitors at the same time.
    """

    def __init__(
        self, open_stream: OpenStream, think: Callable[[str], MusclePlan], host: str = "127.0.0.1", port: int = 7862, most: int = 4
    ) -> None:
        self._open_stream, self._think, self._host, self._port, self._most = open_stream, think, host, port, most
        self._visitors = 0
        folder = files("tbd") / "assets" / "live"
        self._page = {path: ((folder / name).read_bytes(), kind) for path, (name, kind) in _FILES.items()}

    @contextlib.asynccontextmanager
    async def listening(self) -> AsyncIterator[str]:
        """Listen within an ``async with`` block, which is given the page's address.

        Yields:
            The address.

        Raises:
            InputError: If the package websockets is missing, or the port cannot be used.
        """
        try:
            from websockets.asyncio.server import serve
        except ImportError as error:
            raise InputError("A live face on a page needs the package websockets: pip install 'tbd[server]'.") from error
        try:
            server = await serve(
                self._visit, self._host, self._port, process_request=self._respond, max_size=LONGEST_MESSAGE, max_queue=64, compression=None
            )
        except OSError as error:
            reason = f"port {self._port} of {self._host} cannot be used ({error.strerror or error})"
            raise InputError(f"The page cannot be served: {reason}; choose another --port.") from error
        with ThreadPoolExecutor(2 * self._most) as self._threads:
            async with server:
                port = next(iter(server.sockets)).getsockname()[1]
                yield f"http://{self._host}:{port}/"

    def _respond(self, connection: Any, request: Any) -> Any:
        """The page; None for the WebSocket, which goes on."""
        path = urlsplit(request.path).path
        if path == SOCKET:
            origin = request.headers.get("Origin")  # pages of other sites must not listen in
            if origin is not None and urlsplit(origin).netloc != request.headers.get("Host"):
                return connection.respond(HTTPStatus.FORBIDDEN, "Only the page of this server may connect.\n")
            if self._visitors >= self._most:
                return connection.respond(HTTPStatus.SERVICE_UNAVAILABLE, "All places are taken.\n")
            return None
        if path not in self._page:
            return connection.respond(HTTPStatus.NOT_FOUND, "There is nothing here; the page is at /.\n")
        response = connection.respond(HTTPStatus.OK, "")
        response.body, kind = self._page[path]
        for name, value in (
            ("Content-Type", f"{kind}; charset=utf-8"),
            ("Content-Length", str(len(response.body))),
            ("Content-Security-Policy", "default-src 'self' 'unsafe-inline' blob: data:; connect-src 'self' ws: wss:"),
            ("Cache-Control", "no-store"),
        ):
            with contextlib.suppress(KeyError):
                del response.headers[name]
            response.headers[name] = value
        return response

    async def _visit(self, socket: Any) -> None:
        self._visitors += 1
        try:
            await Visit(_Socket(socket), self._open_stream, self._think, self._threads).take_place()
        finally:
            self._visitors -= 1


class _Socket:
    """A connection of the package websockets."""

    def __init__(self, socket: Any) -> None:
        self._socket = socket

    async def receive(self) -> str | bytes:
        message: str | bytes = await _unless_gone(self._socket.recv())
        return message

    async def send(self, message: str | bytes) -> None:
        await _unless_gone(self._socket.send(message))

    async def close(self, code: int = 1000) -> None:
        await self._socket.close(code)


async def _unless_gone(waiting: Awaitable[Any]) -> Any:
    from websockets.exceptions import ConnectionClosed

    try:
        return await waiting
    except ConnectionClosed as error:
        raise Gone from error
