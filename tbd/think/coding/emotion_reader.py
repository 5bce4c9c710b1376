"""`EmotionReader`: which emotion a face looks like, by its pixels: furrows and folds are in no mesh of points."""

import os
from abc import ABC, abstractmethod
from typing import Any

import numpy as np

from tbd.errors import InputError
from tbd.face.geometry import bounding_box
from tbd.face.mediapipe_log import suppress_mediapipe_logs
from tbd.think.emotions import Emotion
from tbd.weights import WeightsNotFoundError, resolve_weights

_SIDE = 200
_SCALES = (1.0, 1.2)
"""Sides of the crops, in sides of the face's box; probabilities are the mean over both, since the network answers either differently."""
_UP = 0.05
"""By this part of its side a crop lies higher than the box, which ends at the hairline."""


class EmotionReader(ABC):
    """Reads an emotion in a face's pixels.

    Attributes:
        emotions: The classes.
    """

    emotions: tuple[Emotion, ...]

    @abstractmethod
    def __call__(self, image: np.ndarray, points: np.ndarray) -> np.ndarray:
        """Read one face.

        Args:
            image: (H, W, 3) uint8 RGB in which the face stands upright.
            points: (478, 3) pixels as `tbd.face.geometry.FaceGeometry.points`.

        Returns:
            (E,) probabilities, in the order of `emotions`.
        """


class FacexReader(EmotionReader):
    """The network of the package `facex` (MIT): seven emotions without contempt, by LiteRT. None of the benchmarks' judges.

    Args:
        weights: A registered name or a TFLite file.

    Raises:
        WeightsNotFoundError: If the weights, or LiteRT to run them, are not on this machine.
        InputError: If the file holds another network.
    """

    emotions = ("angry", "disgusted", "fear", "happy", "neutral", "sad", "surprised")

    def __init__(self, weights: str | os.PathLike = "facex-emotion") -> None:
        self.weights = weights
        path = resolve_weights(weights)
        try:
            from ai_edge_litert.interpreter import Interpreter
        except ImportError as error:
            raise WeightsNotFoundError(
                "facex-emotion", "facex's network is run by ai-edge-litert: pip install 'tbd[expressive]'.", "pip install 'tbd[expressive]'"
            ) from error
        try:
            with suppress_mediapipe_logs():  # LiteRT's line about its delegate is of the same kind
                self._network: Any = Interpreter(str(path), num_threads=1)
                self._network.allocate_tensors()
            self._input, self._output = self._network.get_input_details()[0], self._network.get_output_details()[0]
        except (ValueError, RuntimeError) as error:
            raise InputError(f"{path} is no network that LiteRT can run; `tbd weights fetch facex-emotion` gets the right one.") from error
        if tuple(self._input["shape"]) != (1, _SIDE, _SIDE, 3) or tuple(self._output["shape"]) != (1, len(self.emotions)):
            raise InputError(f"{path} does not hold facex's network; `tbd weights fetch facex-emotion` gets the right one.")

    def __call__(self, image: np.ndarray, points: np.ndarray) -> np.ndarray:
        """Read one face: (7,) probabilities, the mean over two crops."""
        return np.mean([self._probabilities(_crop(image, points, scale)) for scale in _SCALES], 0)

    def _probabilities(self, grey: np.ndarray) -> np.ndarray:
        self._network.set_tensor(self._input["index"], np.repeat(grey[None, :, :, None], 3, 3))
        self._network.invoke()
        return np.array(self._network.get_tensor(self._output["index"])[0], np.float64)


def _crop(image: np.ndarray, points: np.ndarray, scale: float) -> np.ndarray:
    """(200, 200) float32 grey in 0..1, the face in a square."""
    import cv2

    left, top, right, bottom = bounding_box(points)
    side = scale * max(right - left, bottom - top)
    x, y, zoom = (left + right) / 2, (top + bottom) / 2 - _UP * side, _SIDE / side
    place = np.array([[zoom, 0, _SIDE / 2 - x * zoom], [0, zoom, _SIDE / 2 - y * zoom]], np.float32)
    grey = cv2.cvtColor(np.ascontiguousarray(image), cv2.COLOR_RGB2GRAY)
    framed = cv2.warpAffine(grey, place, (_SIDE, _SIDE), flags=cv2.INTER_AREA, borderMode=cv2.BORDER_REPLICATE)
    return framed.astype(np.float32) / 255
