"""`FaceFollower`: one face, from frame to frame.

A mesh model works on a window cut around the face, at its full resolution.
"""

from collections.abc import Iterable

import numpy as np

from tbd.face.geometry import bounding_box, face_roll
from tbd.face.mesh import FaceDetection, FaceModel
from tbd.face.tracking.choice import LARGEST, FaceChoice, check_choice, in_order
from tbd.face.tracking.detector import TILES, TURNS, DetectedFace, detect_rotated_faces, mesh_agrees_with_detector
from tbd.face.tracking.rotation import ImageLike, RotatedImage, rotate_points
from tbd.media.rates import FPS

_WINDOW = 2.2
"""Side of the window around a face, in sides of the face's box: room for the head to move before the window follows."""
_SETTLE = 3
"""Passes over a still: the first finds the region by the detector, the next ones by the mesh, which is steadier."""


class FaceFollower:
    """Runs a model on a window around one face, the largest by default; the window moves when the face nears its edge.

    The picture may be upside down or lie on its side: points are those of the picture after `turn`, in which the face stands.

    Args:
        model: The mesh model that locates the face in a window.
        turn: Quarter turns anticlockwise after which faces stand upright, where that is known; otherwise it is found with the
            first face and then stays.
        choice: Which face is followed where there are several.

    Attributes:
        pixels: (h, w, 3) uint8 RGB, the window that the model saw last.
        corner: (3,) float32 pixels: x, y of the window's upper left corner in the picture after `turn`, and 0.
        faces_seen: The most faces that were seen in one frame.
        others: (N, 4) boxes of the other faces, where the followed one was last searched for: left, top, right, bottom in pixels of the
            picture after `turn`.
    """

    def __init__(self, model: FaceModel, turn: int | None = None, choice: FaceChoice = LARGEST) -> None:
        self._model, self._choice = model, check_choice(choice)
        self.pixels: np.ndarray | None = None
        self.corner = np.zeros(3, np.float32)
        self._window: tuple[int, int, int, int] | None = None
        self._lost = 0
        self._last: np.ndarray | None = None
        self.turn = turn
        self.faces_seen = 0
        self.others = np.zeros((0, 4), np.float32)

    def locate(self, image: ImageLike) -> FaceDetection | None:
        """Find the chosen face of a still picture, (H, W, 3) uint8 RGB, that the model confirms; None where there is none."""
        return self._search(image, passes=_SETTLE)

    def follow(self, frame: ImageLike) -> FaceDetection | None:
        """Find the face in the next frame of a video, (H, W, 3) uint8 RGB; None where it is lost."""
        view = RotatedImage(frame, self.turn or 0)
        detection = self._run(view) if self._window else None
        if detection is None:
            detection = self._search(frame, small=self._lost % FPS == 0)
            self._lost += 1
        if detection is None:
            self._window = None
            return None
        self._lost, self._last = 0, bounding_box(detection.points)
        if self._near_edge(detection.points, view):
            self._move(view, self._last)
        return detection

    def _search(self, image: ImageLike, passes: int = 1, small: bool = True) -> FaceDetection | None:
        """The first face that the mesh confirms: where one was last, in any turn at a glance, then small ones, upright before others."""
        if self._last is not None:
            detection = self._confirm(image, DetectedFace(self._last, self.turn or 0), passes)
            if detection is not None:
                return detection
        turns: tuple[int, ...] = TURNS if self.turn is None else (self.turn,)
        searches = [(turns, TILES[0])]
        if small:
            searches += [(part, tiles) for part in (turns[:1], turns[1:]) if part for tiles in TILES[1:]]
        for some, tiles in searches:
            groups = in_order(detect_rotated_faces(image, some, tiles), self._choice)
            wanted, confirmed = self._choice if isinstance(self._choice, int) else 1, 0
            for group in groups:
                detection = self._confirm_any(image, group, passes)
                confirmed += detection is not None
                if detection is not None and confirmed == wanted:
                    seen = sum(self.turn in [face.turn for face in group] for group in groups)
                    self.faces_seen = max(self.faces_seen, seen, 1)
                    others = [face.box for other in groups if other is not group for face in other if face.turn == self.turn]
                    self.others = np.array(others, np.float32).reshape(-1, 4)
                    return detection
            self.faces_seen = max(self.faces_seen, confirmed)
        return None

    def _confirm_any(self, image: ImageLike, faces: Iterable[DetectedFace], passes: int) -> FaceDetection | None:
        """The model's output for one face, in the first turn in which it is confirmed."""
        return next((found for face in faces if (found := self._confirm(image, face, passes)) is not None), None)

    def _confirm(self, image: ImageLike, face: DetectedFace, passes: int) -> FaceDetection | None:
        """The model's output for a face, in the turn in which it stands, if the detector agrees."""
        view = RotatedImage(image, face.turn)
        detection = self._run_on(view, face.box, passes)
        if detection is None or not mesh_agrees_with_detector(view, detection.points):
            return None
        turn = face.turn if self.turn is not None else (face.turn - round(face_roll(detection.points) / (np.pi / 2))) % 4
        if turn != face.turn:  # the model finds lying faces, too
            points = rotate_points(detection.points, view.shape, turn - face.turn)
            view = RotatedImage(image, turn)
            detection = self._run_on(view, bounding_box(points), passes)
        self.turn = turn if detection is not None else self.turn
        return detection

    def _run_on(self, view: RotatedImage, box: np.ndarray, passes: int) -> FaceDetection | None:
        self._move(view, box)
        detection = None
        for _ in range(passes):
            detection = self._run(view)
        return detection

    def _move(self, image: ImageLike, box: np.ndarray) -> None:
        height, width = image.shape[:2]
        half = _WINDOW * max(box[2] - box[0], box[3] - box[1]) / 2
        x, y = (box[0] + box[2]) / 2, (box[1] + box[3]) / 2
        self._window = (max(int(x - half), 0), max(int(y - half), 0), min(int(x + half) + 1, width), min(int(y + half) + 1, height))
        self._model.reset()

    def _run(self, image: ImageLike) -> FaceDetection | None:
        assert self._window is not None  # `_move` comes first
        left, top, right, bottom = self._window
        self.pixels, self.corner = image[top:bottom, left:right], np.array([left, top, 0], np.float32)
        detection = self._model(self.pixels)
        return None if detection is None else detection.shifted(left, top)

    def _near_edge(self, points: np.ndarray, image: ImageLike) -> bool:
        """Whether the face has come near an edge of its window that is not the picture's own edge, or has changed its size."""
        box, window = bounding_box(points), np.array(self._window, np.float32)
        size = max(box[2] - box[0], box[3] - box[1])
        room = np.r_[box[:2] - window[:2], window[2:] - box[2:]]
        inner = np.r_[window[:2] > 0, window[2:] < np.array(image.shape[1::-1])]
        return bool((room[inner] < 0.15 * size).any()) or size < 0.25 * (window[2] - window[0])
