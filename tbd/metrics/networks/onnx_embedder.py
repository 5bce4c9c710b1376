"""`ONNXFaceEmbedder`: face networks in ONNX, such as InsightFace's glintr100, run by OpenCV."""

import os

import cv2
import numpy as np
import torch
from torch import Tensor

from tbd.errors import InputError, first_line
from tbd.metrics.faces.identity import FaceEmbedder
from tbd.weights import resolve_weights


class ONNXFaceEmbedder(FaceEmbedder):
    """Embeds faces with a network in ONNX's format that takes insightface's crops, one (1, 3, 112, 112) in −1..1 at a time.

    The network is read when the first face is embedded. Its numbers are not scaled to length 1.

    Args:
        weights: A registered name or a file; InsightFace's ``glintr100.onnx`` by default.

    Raises:
        WeightsNotFoundError: If the weights, when they are read, are not on this machine.
        InputError: If the file holds no such network.
    """

    crops = "aligned_faces"

    def __init__(self, weights: str | os.PathLike = "glintr100") -> None:
        super().__init__()
        self.weights = os.fspath(weights)
        self._network: cv2.dnn.Net | None = None

    def embed(self, faces: Tensor) -> Tensor:
        """Embed (F, 3, 112, 112) uint8 RGB crops, (F, D)."""
        network = self._loaded()
        found = []
        for face in faces.cpu().numpy():
            network.setInput((face[None].astype(np.float32) - 127.5) / 127.5)
            try:
                found.append(network.forward().reshape(-1))
            except cv2.error as error:
                raise InputError(f"{self.weights} embeds no faces of 112×112 pixels ({first_line(error)}).") from error
        return torch.from_numpy(np.array(found, np.float32))

    def _loaded(self) -> cv2.dnn.Net:
        if self._network is None:
            path = resolve_weights(self.weights)
            try:
                self._network = cv2.dnn.readNetFromONNX(os.fspath(path))
            except cv2.error as error:
                raise InputError(f"{path} cannot be read as a network in ONNX's format ({first_line(error)}).") from error
        return self._network
