"""What one browser tab has given and made, in a temporary folder that goes with it."""

import secrets
import shutil
import tempfile
import threading
import time
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from tbd.errors import InputError
from tbd.face.clip_portrait import ClipPortrait
from tbd.face.geometry import FaceGeometry
from tbd.face.motion import Motion
from tbd.face.render.renderer import DrawFrame
from tbd.face.tracking.choice import LARGEST, FaceChoice
from tbd.live.talking_head import TalkingHeadStream
from tbd.media.audio import Sound
from tbd.studio.limits import MAX_IDLE, MAX_SESSIONS
from tbd.studio.settings import Settings
from tbd.studio.timeline import History, Timeline
from tbd.think.plan import MusclePlan


@dataclass(frozen=True, eq=False)
class Portrait:
    """A picture whose face was found.

    Args:
        name: Name of its file, without a folder.
        image: (H, W, 3) uint8 RGB.
        face: The face in the whole picture.
        notes: What a user should know about it.
        choice: Which of several faces it is.
        clip: The video of somebody who is filmed and dubbed, of which the picture is a frame; None for a picture.
    """

    name: str
    image: np.ndarray
    face: FaceGeometry
    notes: tuple[str, ...] = ()
    choice: FaceChoice = LARGEST
    clip: Path | None = None


@dataclass(frozen=True, eq=False)
class Voice:
    """A recording.

    Args:
        name: Name of its file, without a folder.
        samples: (N,) float32 at 16 kHz.
        sound: The same as it is heard in the video.
        notes: What a user should know about it.
    """

    name: str
    samples: np.ndarray
    sound: Sound
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class Result:
    """A video that was drawn.

    Args:
        video: The mp4, in the session's folder.
        portrait: Who speaks.
        plan: What was drawn.
        settings: How it was drawn.
        motion: What was sampled.
        voice: What is said.
        shape: Height and width in pixels.
        command: The command line that gives it again.
        downloads: Name → file.
    """

    video: Path
    portrait: Portrait
    plan: MusclePlan
    settings: Settings
    motion: Motion
    voice: Voice
    shape: tuple[int, int]
    command: str
    downloads: dict[str, Path] = field(default_factory=dict)


class Session:
    """One tab.

    Args:
        folder: Its temporary folder.
    """

    def __init__(self, folder: Path) -> None:
        self.folder, self.token = folder, secrets.token_urlsafe(16)
        self.portrait: Portrait | None = None
        self.voice: Voice | None = None
        self.history: History | None = None
        self.motion: tuple[object, Motion] | None = None
        self.preview: Result | None = None
        self.result: Result | None = None
        self.kept: Result | None = None
        self.uploads: set[Path] = set()
        self.given: dict[str, str] = {}
        self.seq = 0
        self.stopped, self.closed = threading.Event(), False
        self.preparing, self.prepared = threading.Lock(), dict[object, tuple[tuple, DrawFrame]]()
        self.filmed: tuple[tuple, ClipPortrait] | None = None
        self.settings = Settings()
        """What the page's framing is now; scales, seed and size come with each drawing."""
        self.speaking: TalkingHeadStream | None = None
        self.used = time.monotonic()

    def require_timeline(self) -> Timeline:
        """Return the current timeline.

        Returns:
            What was given last.

        Raises:
            InputError: If nothing has been thought yet.
        """
        if self.history is None:
            raise InputError("There is no plan yet: give a voice and press Think.")
        return self.history.current

    def require_voice(self) -> Voice:
        """Return the voice.

        Returns:
            What was given last.

        Raises:
            InputError: If there is none.
        """
        if self.voice is None:
            raise InputError("There is no voice yet: upload or record one, or type words to speak.")
        return self.voice

    def require_portrait(self) -> Portrait:
        """Return the portrait.

        Returns:
            What was given last.

        Raises:
            InputError: If there is none.
        """
        if self.portrait is None:
            raise InputError("There is no portrait yet: upload a picture of a face, or choose an example.")
        return self.portrait

    def perform(self) -> None:
        """Let the face that speaks live feel the plan as it is now."""
        speaking = self.speaking
        if speaking is not None and self.history is not None:
            speaking.change(self.history.current.plan)

    def prepared_once(self, place: object, key: tuple, prepare: Callable[[], DrawFrame]) -> DrawFrame:
        """Remember what was prepared.

        Args:
            place: What it is for; a new one takes the place of the old.
            key: What it depends on.
            prepare: Prepares it, if it is not known.

        Returns:
            What was prepared.
        """
        with self.preparing:
            known = self.prepared.get(place)
            if known is None or known[0] != key:
                known = self.prepared[place] = (key, prepare())
            return known[1]

    def new_file(self, name: str) -> Path:
        """Return the path of a new file in a folder of its own."""
        folder = Path(tempfile.mkdtemp(dir=self.folder))
        return folder / name

    def forget(self, result: Result | None) -> None:
        """Delete a result's files, unless it is shown elsewhere on the page."""
        if result is not None and all(result is not other for other in (self.preview, self.result, self.kept)):
            for path in {result.video, *result.downloads.values()}:
                shutil.rmtree(path.parent, ignore_errors=True)

    def close(self, shared: Collection[Path] = ()) -> None:
        """Stop what is being drawn, and delete all files.

        Args:
            shared: Uploads that other tabs hold as well: Gradio keeps equal files once.
        """
        self.closed = True
        self.stopped.set()
        if self.speaking is not None:
            self.speaking.close()
        for path in self.uploads.difference(shared):
            shutil.rmtree(path.parent, ignore_errors=True)
        self.sweep()

    def sweep(self) -> None:
        """Delete the folder of a closed session: what was drawing meanwhile may have written to it once more."""
        if self.closed:
            shutil.rmtree(self.folder, ignore_errors=True)


class SessionStore:
    """The tabs that are open.

    Args:
        folder: Where their folders are made.
        clock: Seconds of a clock that never goes back.
        uploads: Where what browsers send is kept, each in a folder of its own. What no event has named is removed with the last tab:
            Gradio does not say whose it is.
    """

    def __init__(self, folder: Path, clock: Callable[[], float] = time.monotonic, uploads: Path | None = None) -> None:
        self.folder, self._clock, self._uploads = folder, clock, uploads
        self._sessions: dict[str, Session] = {}
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._sessions)

    def get(self, tab: str) -> Session:
        """Return the session of a tab, a new one where there is none.

        Args:
            tab: Gradio's hash of the tab.

        Returns:
            The session.
        """
        with self._lock:
            now = self._clock()
            for other, session in [*self._sessions.items()]:
                if other != tab and now - session.used > MAX_IDLE:
                    self._drop(other)
            if tab not in self._sessions:
                while len(self._sessions) >= MAX_SESSIONS:
                    oldest = min(self._sessions, key=lambda other: self._sessions[other].used)
                    self._drop(oldest)
                self._sessions[tab] = Session(Path(tempfile.mkdtemp(dir=self.folder)))
            self._sessions[tab].used = now
            return self._sessions[tab]

    def by_token(self, token: str) -> Session | None:
        """Find the session whose files are fetched under a token.

        Args:
            token: `Session.token`.

        Returns:
            The session; None where there is none.
        """
        with self._lock:
            return next((s for s in self._sessions.values() if secrets.compare_digest(s.token.encode(), token.encode())), None)

    def close(self, tab: str) -> None:
        """Stop and delete what a tab has; a tab without a session is fine."""
        with self._lock:
            if tab in self._sessions:
                self._drop(tab)

    def _drop(self, tab: str) -> None:
        session = self._sessions.pop(tab)
        session.close({path for other in self._sessions.values() for path in other.uploads})
        if not self._sessions and self._uploads is not None and self._uploads.is_dir():
            for folder in self._uploads.iterdir():
                shutil.rmtree(folder, ignore_errors=True)

    def close_all(self) -> None:
        """Stop and delete what all tabs have."""
        for tab in [*self._sessions]:
            self.close(tab)
