"""A visit to a live face: one connection from the first message to the last, whatever carries it."""

import asyncio
import contextlib
import json
import logging
import queue
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor
from typing import Any, Protocol

import numpy as np

from tbd.errors import InputError, TBDError
from tbd.live.protocol import pack_frame, read_message
from tbd.live.sound import SampleReader
from tbd.live.talking_head import StreamPiece, TalkingHeadStream
from tbd.media.rates import FPS
from tbd.think.plan import MusclePlan

_LOG = logging.getLogger(__name__)
_QUALITY = 85
"""Of JPEG."""
_SILENT = 15.0
"""Seconds without a message after which a client is taken to have gone."""
_STUCK = 5.0
"""Seconds that a client may take to receive a frame."""
_MOST_WAITING = 500
"""Messages of sound that may wait: ten seconds of them, in the pieces of the page."""


class Gone(Exception):
    """The other end of a connection has gone."""


class Connection(Protocol):
    """A WebSocket of any server. Each method raises `Gone` when the other end has gone."""

    async def receive(self) -> str | bytes:
        """Wait for a message."""
        ...

    async def send(self, message: str | bytes) -> None:
        """Send a message."""
        ...

    async def close(self, code: int = 1000) -> None:
        """Close the connection."""
        ...


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


class Visit:
    """One visitor.

    Args:
        connection: Whence sound comes, and where frames go; `tbd.live.protocol` defines the messages.
        open_stream: Opens the visitor's stream.
        think: A sentence about a feeling → a plan.
        threads: Where what takes time is done.
    """

    def __init__(self, connection: Connection, open_stream: OpenStream, think: Callable[[str], MusclePlan], threads: Executor) -> None:
        self._connection, self._open_stream, self._think, self._threads = connection, open_stream, think, threads

    async def take_place(self) -> None:
        """Converse from the first message to the last; afterwards nothing of it runs. What goes wrong the visitor is told."""
        sound = SoundQueue()
        try:
            first = await self._receive()
            if isinstance(first, bytes) or "sample_rate" not in (wanted := read_message(first)):
                raise InputError("The first message to a live server is JSON that names the sample_rate of the sound.")
            plan = await self._run(self._think, wanted.get("emotion", ""))
            stream = await self._run(self._open_stream, sound, plan, wanted["sample_rate"])
            await self._converse(sound, stream)
            await self._connection.close()
        except TBDError as error:
            await self._refuse(str(error), 1008)
        except Gone:
            pass
        except Exception as error:
            _LOG.exception("a live visit failed")
            await self._refuse(f"Something failed ({type(error).__name__}); the terminal that runs the server says where.", 1011)
        finally:
            sound.close()

    async def _refuse(self, sentence: str, code: int) -> None:
        with contextlib.suppress(Gone):
            await self._connection.send(json.dumps({"error": sentence}))
            await self._connection.close(code)

    async def _converse(self, sound: SoundQueue, stream: TalkingHeadStream) -> None:
        """Listen and show at the same time, until all has been shown or one of both fails; then the stream is closed."""
        tasks = [asyncio.create_task(part) for part in (self._listen(sound, stream), self._show(stream))]
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

    async def _listen(self, sound: SoundQueue, stream: TalkingHeadStream) -> None:
        """Pass sound and sentences on, until the visitor says that it is the end."""
        while True:
            message = await self._receive()
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
                await self._connection.send(json.dumps({"plan": plan.description or plan.text}))

    async def _show(self, stream: TalkingHeadStream) -> None:
        number, before = 0, None
        while (piece := await self._run(_next, stream)) is not None:
            if not number:
                height, width = piece.frame.shape[:2]
                await self._connection.send(json.dumps({"fps": FPS, "sample_rate": stream.sample_rate, "width": width, "height": height}))
            picture = b"" if piece.frame is before else await self._run(encode_jpeg, piece.frame)
            before = piece.frame
            try:
                await asyncio.wait_for(self._connection.send(pack_frame(number, piece.audio, picture)), _STUCK)
            except asyncio.TimeoutError:
                raise InputError(f"The visitor has taken no frame for {_STUCK:g} seconds.") from None
            number += 1

    async def _receive(self) -> str | bytes:
        try:
            message: str | bytes = await asyncio.wait_for(self._connection.receive(), _SILENT)
        except asyncio.TimeoutError:
            raise InputError(f"No sound has come for {_SILENT:g} seconds; the connection is closed.") from None
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
