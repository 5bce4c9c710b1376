"""The WebSocket at which a tab's portrait speaks live: the studio's own server carries it, under a token that only the tab knows."""

from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import numpy as np

from tbd.errors import InputError
from tbd.live.scheduler import LiveScheduler
from tbd.live.talking_head import TalkingHeadStream
from tbd.live.visit import Gone, Visit
from tbd.studio.drawing import Drawer
from tbd.studio.limits import MAX_SPEAKERS
from tbd.studio.session import Session, SessionStore
from tbd.subject import LIVE, live_framing
from tbd.think.plan import MusclePlan

if TYPE_CHECKING:
    from starlette.routing import WebSocketRoute
    from starlette.websockets import WebSocket

LIVE_SOCKET = "studio-live"
"""First part of the WebSocket's address."""


class LiveVisits:
    """Visits to live faces, so many at a time.

    Args:
        drawer: Draws.
        store: The open tabs.
    """

    def __init__(self, drawer: Drawer, store: SessionStore) -> None:
        self._drawer, self._store, self._scheduler = drawer, store, LiveScheduler()
        self._threads = ThreadPoolExecutor(2 * MAX_SPEAKERS, "tbd-studio-live")
        self._visitors = 0

    def route(self) -> "WebSocketRoute":
        """Return the route for Starlette."""
        from starlette.routing import WebSocketRoute

        return WebSocketRoute(f"/{LIVE_SOCKET}/{{token}}", self._visit)

    def close(self) -> None:
        """Let no thread wait for more, and end what draws frames."""
        self._scheduler.close()
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def _visit(self, socket: "WebSocket") -> None:
        session = self._store.by_token(socket.path_params["token"])
        await socket.accept()
        self._visitors += 1
        full = self._visitors > MAX_SPEAKERS

        def open_stream(chunks: Iterable[np.ndarray], plan: MusclePlan, sample_rate: int) -> TalkingHeadStream:
            if session is None or session.closed:
                raise InputError("This tab has been forgotten; reload the page.")
            if full:
                raise InputError(f"{MAX_SPEAKERS} tabs speak already, which is the most; try again later.")
            return self.speak(session, chunks, sample_rate)

        try:
            # what is felt is the plan of the page, which `speak` takes
            await Visit(_Socket(socket), open_stream, self._drawer.pipeline.planner.plan, self._threads).take_place()
        finally:
            self._visitors -= 1

    def speak(self, session: Session, chunks: Iterable[np.ndarray], sample_rate: int) -> TalkingHeadStream:
        """Let a session's portrait speak live; whatever it said before ends.

        Args:
            session: Gives portrait and plan.
            chunks: The sound as it comes.
            sample_rate: Samples a second.

        Returns:
            The stream; `Session.perform` lets it feel another plan.

        Raises:
            InputError: If there is no portrait, or it cannot speak live.
        """
        portrait, pipeline = session.require_portrait(), self._drawer.pipeline
        if portrait.clip is not None:
            raise InputError("Somebody who is filmed is dubbed afterwards; give a picture to speak live.")
        if session.speaking is not None:
            session.speaking.close()
        chosen = session.settings.framing(LIVE)
        framing = live_framing(portrait.image, chosen.frame, chosen.aspect, None)
        still = self._drawer.still(portrait, framing)
        face = still.framed or still.face
        plan = pipeline.planner.plan("") if session.history is None else session.history.current.plan
        prepared = session.prepared_once("live", (portrait, framing), lambda: pipeline.prepare(face))
        live: dict[str, Any] = {"realtime": True, "prepared": prepared, "scheduler": self._scheduler}
        session.speaking = pipeline.stream(chunks, face, plan, sample_rate=sample_rate, **live)
        return session.speaking


class _Socket:
    """A connection of Starlette's."""

    def __init__(self, socket: "WebSocket") -> None:
        self._socket = socket

    async def receive(self) -> str | bytes:
        message = await self._socket.receive()
        if message["type"] != "websocket.receive":
            raise Gone
        text, data = message.get("text"), message.get("bytes")
        return data if text is None else text

    async def send(self, message: str | bytes) -> None:
        from starlette.websockets import WebSocketDisconnect

        try:
            await (self._socket.send_text(message) if isinstance(message, str) else self._socket.send_bytes(message))
        except (WebSocketDisconnect, RuntimeError) as error:  # Starlette raises the latter once it has noticed
            raise Gone from error

    async def close(self, code: int = 1000) -> None:
        from starlette.websockets import WebSocketDisconnect

        try:
            await self._socket.close(code)
        except (WebSocketDisconnect, RuntimeError) as error:
            raise Gone from error
