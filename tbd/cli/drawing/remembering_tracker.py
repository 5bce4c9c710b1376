"""A tracker that looks for the face of a picture once, where several videos show it."""

import hashlib
from collections import OrderedDict

import numpy as np
from typing_extensions import override

from tbd.face.fit import ClipFit
from tbd.face.geometry import FaceGeometry
from tbd.face.mesh import FaceModel
from tbd.face.neutral import NeutralFace
from tbd.face.tracker import Tracker
from tbd.face.tracking.choice import LARGEST, FaceChoice
from tbd.face.tracking.detection_file import DetectionRows

_REMEMBERED = 8
"""Number of pictures."""


class RememberingTracker(Tracker):
    """Remembers the faces of the last pictures.

    Args:
        tracker: Finds them.
    """

    def __init__(self, tracker: Tracker) -> None:
        self.tracker, self.name = tracker, tracker.name
        self._faces: OrderedDict[bytes, FaceGeometry] = OrderedDict()

    @override
    def open(self, video: bool) -> FaceModel:
        return self.tracker.open(video)

    @override
    def solve(self, detections: DetectionRows, neutral: NeutralFace | None = None) -> ClipFit:
        return self.tracker.solve(detections, neutral)

    @override
    def metadata(self) -> dict[str, str]:
        return self.tracker.metadata()

    @override
    def locate(self, image: np.ndarray, source: str = "the image", face: FaceChoice = LARGEST) -> FaceGeometry:
        key = hashlib.blake2b(np.ascontiguousarray(image).tobytes() + repr((image.shape, face)).encode()).digest()
        if key not in self._faces:
            self._faces[key] = self.tracker.locate(image, source, face)
            if len(self._faces) > _REMEMBERED:
                self._faces.popitem(last=False)
        self._faces.move_to_end(key)
        return self._faces[key]
