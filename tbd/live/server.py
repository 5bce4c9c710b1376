"""A live face on a page: a WebSocket that takes a microphone's sound and gives frames, and the page itself, on one port."""

import asyncio
import contextlib
import json
import queue
import time
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from http import HTTPStatus
from importlib.resources import files
from typing import Any, Protocol
from urllib.parse import urlsplit

import numpy as np

from tbd.errors import InputError, TBDError
from tbd.live.protocol import LONGEST_MESSAGE, pack_frame, read_message
from tbd.live.sound import SampleReader
from tbd.live.talking_head import StreamPiece, TalkingHeadStream
from tbd.media.rates import FPS
from tbd.think.plan import MusclePlan

SOCKET = "/live"
"""Path of the WebSocket."""
_QUALITY = 85
"""Of JPEG."""
_SILENT = 15.0
"""Seconds without a message after which a client is taken to have gone."""
_STUCK = 5.0
"""Seconds that a client may take to receive a frame."""
_MOST_WAITING = 500
"""Messages of sound that may wait: ten seconds of them, in the pieces of the page."""


class OpenStream(Protocol):
    """Opens the stream of a visitor."""

    def __call__(self, chunks: Iterable[np.ndarray], plan: MusclePlan, sample_rate: int) -> TalkingHeadStream:
        """Open a stream in real time.

        Args:
            chunks: The sound as it comes.
            plan: What is felt at the start.
            sample_rate: Samples a second.

        Returns:
            The stream.
        """


class SoundQueue:
    """Sound on its way from a connection to the thread that reads it: an iterable that ends when it is closed."""

    def __init__(self) -> None:
        self._waiting: queue.Queue[tuple[float, np.ndarray] | None] = queue.Queue(_MOST_WAITING)
        self.arrived = 0.0
        """When the piece that was given out last had come, by `time.monotonic`."""
        self._samples = SampleReader()
        self._closed = False

    def put(self, data: bytes) -> None:
        """Append 16-bit samples, which may be cut anywhere.

        Args:
            data: The bytes.

        Raises:
            InputError: If ten seconds of sound wait already: it comes faster than it is spoken.
        """
        try:
            self._waiting.put_nowait((time.monotonic(), self._samples.read(data)))
        except queue.Full:
            raise InputError("The sound comes faster than it can be spoken; send it at the pace at which it plays.") from None

    def close(self) -> None:
        """End the sound."""
        if not self._closed:
            self._closed = True
            with contextlib.suppress(queue.Full):
                self._waiting.put_nowait(None)

    def __iter__(self) -> Iterator[np.ndarray]:
        while True:
            try:
                piece = self._waiting.get(timeout=0.2)
            except queue.Empty:
                if self._closed:
                    return
                continue
            if piece is None:
                return
            self.arrived, samples = piece
            yield samples


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
        self._page = (files("tbd") / "assets" / "live" / "page.html").read_bytes()

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
            raise InputError("A live face on a page needs the package websockets: pip install 'tbd[live]'.") from error
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
        if path != "/":
            return connection.respond(HTTPStatus.NOT_FOUND, "There is nothing here; the page is at /.\n")
        response = connection.respond(HTTPStatus.OK, "")
        response.body = self._page
        for name, value in (
            ("Content-Type", "text/html; charset=utf-8"),
            ("Content-Length", str(len(self._page))),
            ("Content-Security-Policy", "default-src 'self' 'unsafe-inline' blob: data:; connect-src 'self' ws: wss:"),
            ("Cache-Control", "no-store"),
        ):
            with contextlib.suppress(KeyError):
                del response.headers[name]
            response.headers[name] = value
        return response

    async def _visit(self, socket: Any) -> None:
        """One visitor, from the first message to the last."""
        from websockets.exceptions import ConnectionClosed

        self._visitors += 1
        sound = SoundQueue()
        try:
            first = read_message(await self._receive_text(socket))
            if "sample_rate" not in first:
                raise InputError("The first message to a live server names the sample_rate of the sound.")
            plan = await self._run(self._think, first.get("emotion", ""))
            stream = await self._run(self._open_stream, sound, plan, first["sample_rate"])
            await self._converse(socket, sound, stream)
            await socket.close()
        except TBDError as error:
            with contextlib.suppress(ConnectionClosed):
                await socket.send(json.dumps({"error": str(error)}))
                await socket.close(1008)
        except ConnectionClosed:
            pass
        finally:
            sound.close()
            self._visitors -= 1

    async def _converse(self, socket: Any, sound: SoundQueue, stream: TalkingHeadStream) -> None:
        """Listen and show at the same time, until all has been shown or one of both fails; then the stream is closed."""
        tasks = [asyncio.create_task(part) for part in (self._listen(socket, sound, stream), self._show(socket, stream))]
        try:
            # the listener ends with the connection or a bad message; the show, when all has been shown
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            if tasks[0].done() and tasks[0].exception() is None:
                await tasks[1]
        finally:
            stream.close()
            for task in tasks:
                task.cancel()
            results = await asyncio.gather(*tasks, return_exceptions=True)
        for result in results:
            if isinstance(result, Exception):
                raise result

    async def _listen(self, socket: Any, sound: SoundQueue, stream: TalkingHeadStream) -> None:
        """Pass sound and sentences on, until the visitor says that it is the end."""
        while True:
            message = await self._receive(socket)
            if isinstance(message, bytes):
                sound.put(message)
                continue
            said = read_message(message)
            if said.get("end"):
                sound.close()
                return
            if "emotion" in said:
                plan = await self._run(self._think, said["emotion"])
                stream.change(plan)
                await socket.send(json.dumps({"plan": plan.description or plan.text}))

    async def _show(self, socket: Any, stream: TalkingHeadStream) -> None:
        number, before = 0, None
        while (piece := await self._run(_next, stream)) is not None:
            if not number:
                height, width = piece.frame.shape[:2]
                await socket.send(json.dumps({"fps": FPS, "sample_rate": stream.sample_rate, "width": width, "height": height}))
            picture = b"" if piece.frame is before else await self._run(encode_jpeg, piece.frame)
            before = piece.frame
            try:
                await asyncio.wait_for(socket.send(pack_frame(number, piece.audio, picture)), _STUCK)
            except asyncio.TimeoutError:
                raise InputError(f"The visitor has taken no frame for {_STUCK:g} seconds.") from None
            number += 1

    async def _receive(self, socket: Any) -> str | bytes:
        try:
            message: str | bytes = await asyncio.wait_for(socket.recv(), _SILENT)
        except asyncio.TimeoutError:
            raise InputError(f"No sound has come for {_SILENT:g} seconds; the connection is closed.") from None
        return message

    async def _receive_text(self, socket: Any) -> str:
        message = await self._receive(socket)
        if isinstance(message, bytes):
            raise InputError("The first message to a live server is JSON that names the sample_rate of the sound.")
        return message

    async def _run(self, function: Callable[..., Any], *args: Any) -> Any:
        return await asyncio.get_running_loop().run_in_executor(self._threads, function, *args)


def _next(stream: TalkingHeadStream) -> StreamPiece | None:
    return next(stream, None)


def encode_jpeg(frame: np.ndarray) -> bytes:
    """Encode a frame as it is sent.

    Args:
        frame: (H, W, 3) uint8 RGB.

    Returns:
        The JPEG.

    Raises:
        TBDError: If it cannot be encoded.
    """
    import cv2

    done, data = cv2.imencode(".jpg", cv2.cvtColor(frame, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, _QUALITY])
    if not done:
        raise TBDError("A frame could not be encoded as JPEG.")
    return data.tobytes()
