"""Renderers: a portrait and a motion → frames."""

from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor

import numpy as np

from tbd.errors import InputError
from tbd.face.geometry import FaceGeometry
from tbd.face.motion import Motion
from tbd.face.render.warp import PortraitWarper


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
        self, neutralize: float = 0.0, shading: float = 1.0, workers: int = 2, close_lips: float = 0.0, open_eyes: float = 0.0
    ) -> None:
        for name, share in {"neutralize": neutralize, "close_lips": close_lips, "open_eyes": open_eyes}.items():
            if not 0 <= share <= 1:
                raise InputError(f"{name} must lie between 0 and 1, not {share}.")
        if shading < 0:
            raise InputError(f"shading must be 0 or more, not {shading}.")
        if workers < 1:
            raise InputError(f"workers must be 1 or more, not {workers}.")
        self.neutralize, self.shading, self.workers = neutralize, shading, workers
        self.close_lips, self.open_eyes = close_lips, open_eyes

    def render(self, face: FaceGeometry, motion: Motion) -> Iterator[np.ndarray]:
        """Render one frame after the other; see `Renderer.render`.

        Args:
            face: The portrait.
            motion: T frames, relative to the portrait's own pose; blendshapes are clipped to 0..1.

        Yields:
            T arrays (H, W, 3) uint8 RGB of the portrait's size.
        """
        yield from self.render_values(face, motion.clamped().values)

    def render_values(self, face: FaceGeometry, values: Iterable[np.ndarray]) -> Iterator[np.ndarray]:
        """Render frames whose motion may still be sampled: the portrait is prepared before the first is asked for.

        Args:
            face: The portrait.
            values: Frames (58,) of motion, blendshapes in 0..1.

        Yields:
            An array (H, W, 3) uint8 RGB of the portrait's size for each.
        """
        warper = PortraitWarper(face.without_margin(), self.neutralize, self.shading, self.close_lips, self.open_eyes)
        waiting: deque[Future[np.ndarray]] = deque()
        with ThreadPoolExecutor(self.workers) as pool:
            for frame in values:
                waiting.append(pool.submit(_draw, warper, face, frame))
                if len(waiting) > self.workers:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()


def _draw(warper: PortraitWarper, face: FaceGeometry, values: np.ndarray) -> np.ndarray:
    """One frame of the whole image: what is drawn lies where the margin leaves room for it."""
    frame = warper.draw(values)
    if face.picture_box is None:
        return frame
    left, top, right, bottom = face.picture_box
    whole = face.image.copy()
    whole[top:bottom, left:right] = frame
    return whole
