"""A window that shows a live face, and the voice from the loudspeaker where ``sounddevice`` is there."""

import os
import sys
from contextlib import suppress
from types import TracebackType
from typing import Any

import numpy as np

from tbd.errors import InputError, first_line

_TITLE = "Think-Before-Draw"
_NO_SCREEN = "There is no screen to show the face on; give --output a file, or - for a player that reads a pipe."


def _has_screen() -> bool:
    return sys.platform in ("darwin", "win32") or bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))


class Display:
    """A window. Closing it, or pressing q or Escape in it, ends as Ctrl-C does.

    Args:
        sample_rate: Samples a second of the voice.

    Raises:
        InputError: If there is no screen.
    """

    def __init__(self, sample_rate: int) -> None:
        import cv2

        self._rate, self._shown = sample_rate, False
        self._voice: Any = None
        try:
            if not _has_screen():  # Qt would end the process
                raise InputError(_NO_SCREEN)
            cv2.namedWindow(_TITLE, cv2.WINDOW_NORMAL)
        except cv2.error as error:
            raise InputError(_NO_SCREEN) from error

    def __enter__(self) -> "Display":
        with suppress(Exception):  # the face is seen without its voice
            import sounddevice

            voice = sounddevice.OutputStream(samplerate=self._rate, channels=1, dtype="float32")
            voice.start()
            self._voice = voice
        return self

    def write(self, frame: np.ndarray, audio: np.ndarray) -> None:
        """Show a frame and play its sound.

        Args:
            frame: (H, W, 3) uint8 RGB.
            audio: (N,) float32 in −1..1.

        Raises:
            KeyboardInterrupt: If the window was closed.
            InputError: If the screen has gone.
        """
        import cv2

        try:
            cv2.imshow(_TITLE, cv2.cvtColor(frame, cv2.COLOR_RGB2BGR))
            key = cv2.waitKey(1) & 0xFF
            closed = self._shown and cv2.getWindowProperty(_TITLE, cv2.WND_PROP_VISIBLE) < 1
        except cv2.error as error:
            raise InputError(f"The face can no longer be shown ({first_line(error)}).") from error
        self._shown = True
        if self._voice is not None:
            self._voice.write(np.ascontiguousarray(audio[:, None], np.float32))
        if closed or key in (ord("q"), 27):
            raise KeyboardInterrupt

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        import cv2

        if self._voice is not None:
            with suppress(Exception):
                self._voice.close()
        with suppress(cv2.error):
            cv2.destroyWindow(_TITLE)
