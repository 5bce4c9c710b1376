"""Renderers: a portrait and a motion → frames."""

from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, Protocol

import numpy as np

from tbd.errors import InputError
from tbd.face.geometry import FaceGeometry
from tbd.face.motion import Motion
from tbd.face.render.warp import CELLS, PortraitWarper

DrawFrame = Callable[[np.ndarray], np.ndarray]
"""The (58,) values of one frame of a `Motion` → (H, W, 3) uint8 RGB."""
SPEAKING: dict[str, Any] = {"close_lips": 1.0, "open_eyes": 1.0}
"""Options of a `MeshWarpRenderer` for a portrait that speaks: its mouth starts from closed lips, and it is awake."""


class Renderer(ABC):
    """Draws a face in motion."""

    @abstractmethod
    def render(self, face: FaceGeometry, motion: Motion) -> Iterator[np.ndarray]:
        """Render one frame after the other, in constant memory.

        Args:
            face: The portrait.
            motion: T frames, relative to the portrait's own pose.

        Yields:
            T arrays (H, W, 3) uint8 RGB of the portrait's size.
        """

    def prepare(self, face: FaceGeometry) -> DrawFrame:
        """Prepare a portrait for frames that come one by one, as they do while somebody speaks.

        Args:
            face: The portrait.

        Returns:
            Draws a frame. By default each is rendered as a motion of one frame; what can be prepared once, an implementation prepares here.
        """
        return lambda values: next(iter(self.render(face, Motion(values[None]))))


class MeshWarpRenderer(Renderer):
    """Warps the portrait's own pixels; needs no weights and works on photographs and paintings.

    Args:
        neutralize: 0..1, how far the portrait's own resting expression (a broad smile, parted lips) is relaxed before the
            motion is added. At 0 a zero motion returns the portrait.
        shading: Strength of creases, 1 as on a grown-up face in soft light, 0 for none.
        workers: Frames rendered at the same time.
        close_lips: 0..1, how far lips that the portrait parts are closed, where more than `neutralize`: speech starts from
            closed lips whatever the expression.
        open_eyes: 0..1, how far eyes that the portrait shuts are opened, with eyeballs that are made up in the face's light.
        cells: Cells per inter-ocular distance on which displacements are computed, 8 to 200. 30 take a sixth less time at 384², a third
            less at 256², and change few pixels but those at the edges of mouth and lids (40 to 50 dB).

    Raises:
        InputError: If an option is out of its range.

    Example:
        >>> from skimage.data import astronaut
        >>> from tbd.face.portrait import crop_portrait
        >>> from tbd.face.tracker import FaceMeshTracker
        >>> portrait = crop_portrait(FaceMeshTracker().locate(astronaut()), 128)
        >>> motion = Motion.zeros(3)
        >>> motion["jawOpen"] = [0.0, 0.2, 0.4]
        >>> frames = list(MeshWarpRenderer().render(portrait, motion))
        >>> len(frames), frames[0].shape, bool((frames[0] == portrait.image).all())
        (3, (128, 128, 3), True)
    """

    def __init__(
        self,
        neutralize: float = 0.0,
        shading: float = 1.0,
        workers: int = 2,
        close_lips: float = 0.0,
        open_eyes: float = 0.0,
        cells: int = CELLS,
    ) -> None:
        for name, share in {"neutralize": neutralize, "close_lips": close_lips, "open_eyes": open_eyes}.items():
            if not 0 <= share <= 1:
                raise InputError(f"{name} must lie between 0 and 1, not {share}.")
        if shading < 0:
            raise InputError(f"shading must be 0 or more, not {shading}.")
        if workers < 1:
            raise InputError(f"workers must be 1 or more, not {workers}.")
        if not 8 <= cells <= 200:
            raise InputError(f"cells must be a number from 8 to 200, not {cells}.")
        self.neutralize, self.shading, self.workers = neutralize, shading, workers
        self.close_lips, self.open_eyes, self.cells = close_lips, open_eyes, cells

    def render(self, face: FaceGeometry, motion: Motion) -> Iterator[np.ndarray]:
        """Render one frame after the other; see `Renderer.render`.

        Args:
            face: The portrait.
            motion: T frames, relative to the portrait's own pose; blendshapes are clipped to 0..1.

        Yields:
            T arrays (H, W, 3) uint8 RGB of the portrait's size.
        """
        yield from self.render_values(face, motion.clamped().values)

    def render_values(self, face: FaceGeometry, values: Iterable[np.ndarray], prepared: DrawFrame | None = None) -> Iterator[np.ndarray]:
        """Render frames whose motion may still be sampled: the portrait is prepared before the first is asked for.

        Args:
            face: The portrait.
            values: Frames (58,) of motion, blendshapes in 0..1.
            prepared: What `prepare` made of the portrait before.

        Yields:
            An array (H, W, 3) uint8 RGB of the portrait's size for each.
        """
        draw = self.prepare(face) if prepared is None else prepared
        waiting: deque[Future[np.ndarray]] = deque()
        with ThreadPoolExecutor(self.workers) as pool:
            for frame in values:
                waiting.append(pool.submit(draw, frame))
                if len(waiting) > self.workers:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()

    def prepare(self, face: FaceGeometry) -> "PreparedPortrait":
        """Prepare a portrait once for all its frames; see `Renderer.prepare`.

        Args:
            face: The portrait.

        Returns:
            Draws a frame, in any order and from several threads.
        """
        return PreparedPortrait(face, self._warper(face.without_margin()))

    def _warper(self, face: FaceGeometry) -> PortraitWarper:
        """Prepare a picture without a margin."""
        return PortraitWarper(face, self.neutralize, self.shading, self.close_lips, self.open_eyes, self.cells)


class FrameDrawer(Protocol):
    """What draws the frames of one portrait."""

    def draw(self, values: np.ndarray, neutralize: float | None = None) -> np.ndarray:
        """Draw one frame; see `PortraitWarper.draw`.

        Args:
            values: (58,) of a `Motion`.
            neutralize: Instead of the portrait's own, in this frame.

        Returns:
            (H, W, 3) uint8 RGB.
        """
        ...


class PreparedPortrait:
    """A portrait that is ready to move.

    Args:
        face: The portrait.
        warper: Draws its picture, without the margin.
    """

    def __init__(self, face: FaceGeometry, warper: FrameDrawer) -> None:
        self._face, self._warper = face, warper

    def __call__(self, values: np.ndarray, neutralize: float | None = None) -> np.ndarray:
        """Draw one frame of the whole image: what is drawn lies where the margin leaves room for it.

        Args:
            values: (58,) of a `Motion`.
            neutralize: How far the portrait's own expression is relaxed in this frame, 0..1; None for the renderer's own.

        Returns:
            (H, W, 3) uint8 RGB.
        """
        frame = self._warper.draw(values, neutralize)
        if self._face.picture_box is None:
            return frame
        left, top, right, bottom = self._face.picture_box
        whole = self._face.image.copy()
        whole[top:bottom, left:right] = frame
        return whole


class PreparedPicture(PreparedPortrait):
    """A portrait that is ready to move within a larger picture.

    Args:
        part: Draws the part that moves.
        complete: Puts it back into the picture, as `tbd.face.framing.FramedFace.complete`.
    """

    def __init__(self, part: PreparedPortrait, complete: Callable[[np.ndarray], np.ndarray]) -> None:
        self._part, self._complete = part, complete

    def __call__(self, values: np.ndarray, neutralize: float | None = None) -> np.ndarray:
        """Draw one frame; see `PreparedPortrait.__call__`."""
        return self._complete(self._part(values, neutralize))
