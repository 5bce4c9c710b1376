"""Shot boundaries of a video: frames at which the face that is followed is no longer the same face, or no longer at the same place.

Neighbouring frames of one shot hardly differ. Where they do, half a second before is compared with half a second after: the shape
of the face's mesh, the appearance of the skin between eyes and mouth, and its colour.
"""

from collections import deque
from dataclasses import dataclass

import numpy as np

from tbd.face.geometry import mean_face, remove_pose

_SPAN = 12
"""Frames on each side of a cut that are compared."""
_THUMB = 32
"""Pixels: side of the pictures that are compared."""
_PLACES = np.array([[10, 12], [22, 12], [16, 24]], np.float32)
"""Where in an aligned patch the subject's right eye, left eye and mouth are."""
_SUDDEN, _REST = 4.0, 5.0
"""A frame may begin a shot where its surroundings or its face's patch differ from the frame before by more than so many times the
usual difference of neighbours, plus grey levels. Many frames do; the comparison of what lies on both sides decides."""
_KNOWN, _UNKNOWN = 3, 6.0
"""Differences from which the usual one is known, and the grey levels that stand for it until then."""
_JUMP, _ZOOM = 0.35, 0.25
"""Sides of its box by which a face cannot move from one frame to the next, and logarithm of the factor by which it cannot grow; in
20,000 frames without a cut 0.18 and 0.23 at most."""
_SEAM = 0.12
"""Sides of its box by which the face's place or size must differ for a sudden change of the picture to be a seam in the motion."""
_CERTAIN = 1.5
"""The same in multiples of what may begin a shot."""
_STRANGER, _ELSEWHERE = 0.0, -1.3
"""`_difference` from which it is another person, where the surroundings stay and where they change as well: 2 % and 11 % of 114 pairs
of windows 4 s apart that show one person lie above, and 76 % and 96 % of 1,500 pairs that show two."""
_DISSOLVED = 1.75
"""The same where nothing is sudden: no pair of windows that show one person, and 31 % of those that show two."""
_FACING = 12.0
"""Degrees that two heads may be turned apart to be compared there: a head in profile looks like another's."""
_OTHER_PLACE = 20.0
"""Grey levels by which the surroundings of two shots differ that were taken in two places."""


@dataclass(frozen=True)
class Cut:
    """A shot boundary.

    Args:
        frame: Index of the first frame of the next shot.
        other_person: Whether the next shot shows another person.
    """

    frame: int
    other_person: bool

    @property
    def seconds(self) -> float:
        """Time of the frame at 25 frames a second."""
        return self.frame / 25


@dataclass(frozen=True)
class _FrameFeatures:
    """What is compared of one frame.

    Args:
        frame: Its index.
        thumb: (32, 32, 3) float32 RGB 0..255, the face's surroundings.
        patch: (32, 32, 3) float32 RGB 0..255, the face with its eyes and mouth on fixed places.
        points: (478, 3) mesh points in pixels of the frame.
        window: Where the surroundings are: left, top, 0, height, width, 3.
    """

    frame: int
    thumb: np.ndarray
    patch: np.ndarray
    points: np.ndarray
    window: tuple[int, ...] = ()


class ShotBoundaryDetector:
    """Finds cuts while a video is read frame by frame; remembers one and a half seconds of it.

    Attributes:
        cuts: The cuts found so far; complete after `finish`.
    """

    def __init__(self) -> None:
        self.cuts: list[Cut] = []
        self._frame = -1
        self._before: deque[_FrameFeatures] = deque(maxlen=_SPAN)
        self._after: list[_FrameFeatures] = []
        self._usual: deque[np.ndarray] = deque(maxlen=2 * _SPAN)
        self._largest, self._sudden, self._picture = 0.0, 0.0, 0.0
        self._past: deque[_FrameFeatures] = deque(maxlen=3 * _SPAN)

    def add(self, pixels: np.ndarray | None, points: np.ndarray | None, corner: np.ndarray | None = None) -> None:
        """Take in the next frame.

        Args:
            pixels: (H, W, 3) uint8 RGB, the face's surroundings; None where no face was found.
            points: (478, 3) mesh points in pixels of the whole frame.
            corner: (3,) pixels: x, y and 0 of where in the frame `pixels` begins; the frame's upper left corner by default.
        """
        self._frame += 1
        if pixels is not None and points is not None:
            corner = np.zeros(3, np.float32) if corner is None else corner
            window = (*map(int, corner), *pixels.shape)
            self.compare(_FrameFeatures(self._frame, *_thumbnails(pixels, points - corner), points, window))

    def compare(self, features: _FrameFeatures) -> None:
        """Compare one frame with those before it."""
        self._find_dissolve(features)
        last = self._after[-1] if self._after else self._before[-1] if self._before else None
        change = 0.0 if last is None else self._change(last, features)
        if change > max(self._largest, 1.0):
            self._before.extend(self._after)
            self._largest, self._after = change, [features]
            self._sudden = self._picture  # a face that runs through the picture jumps, but looks the same
        elif not self._after:
            self._before.append(features)
        else:
            self._after.append(features)
            if len(self._after) == _SPAN:
                self._decide()

    def _find_dissolve(self, features: _FrameFeatures) -> None:
        """Tell, every half second, whether one picture has dissolved into another of somebody else."""
        self._past.append(features)
        if features.frame % _SPAN or len(self._past) < 3 * _SPAN or self._after:
            return
        past = list(self._past)
        before, after = past[:_SPAN], past[-_SPAN:]
        if _other_place(before, after) and _angle_between(before, after) < _FACING and _difference(before, after) > _DISSOLVED:
            self.cuts.append(Cut(past[len(past) // 2].frame, True))
            self._past.clear()

    def finish(self) -> list[Cut]:
        """Return the cuts of the whole video."""
        if self._after:
            self._decide()
        return self.cuts

    def _change(self, last: _FrameFeatures, now: _FrameFeatures) -> float:
        """How much more two frames differ than neighbours of one shot may: above 1, another shot may begin."""
        differences = np.array([np.abs(now.thumb - last.thumb).mean(), np.abs(now.patch - last.patch).mean()])
        if last.window != now.window:  # the follower's window has moved, which is no change of what is there
            differences[0] = self._usual[-1][0] if self._usual else 0.0
        usual = np.median(np.array(self._usual), axis=0) if len(self._usual) >= _KNOWN else np.full(2, _UNKNOWN)
        self._usual.append(differences)
        self._picture = float((differences / (_SUDDEN * usual + _REST)).max())
        return max(self._picture, 2 * _step(last, now) - 1)

    def _decide(self) -> None:
        before, after = list(self._before), self._after
        certain = self._sudden > _CERTAIN and _other_place(before, after)
        stranger = _difference(before, after) > (_ELSEWHERE if certain else _STRANGER)
        moved = _displacement(before[-1], after[min(2, len(after) - 1)]) > _SEAM
        if stranger or certain or (moved and self._sudden > _CERTAIN):
            self.cuts.append(Cut(after[0].frame, stranger))
            self._past.clear()
        self._before, self._after, self._largest = deque(after, maxlen=_SPAN), [], 0.0


def _thumbnails(pixels: np.ndarray, points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(32, 32, 3) float32 of the surroundings, and of the face laid on fixed places by eyes and mouth."""
    import cv2

    centres = np.array([points[list(group), :2].mean(0) for group in ((33, 133), (263, 362), (13, 14))], np.float32)
    matrix = cv2.getAffineTransform(centres, _PLACES)
    patch = cv2.warpAffine(pixels, matrix, (_THUMB, _THUMB), borderMode=cv2.BORDER_REPLICATE)
    thumb = cv2.resize(pixels, (_THUMB, _THUMB), interpolation=cv2.INTER_AREA)
    return thumb.astype(np.float32), patch.astype(np.float32)


def _displacement(a: _FrameFeatures, b: _FrameFeatures) -> float:
    """How far a face's box has moved, in its sides, or grown, as a logarithm, whichever is more."""
    sides = [float(np.ptp(frame.points[:, :2], 0).max()) for frame in (a, b)]
    move = np.linalg.norm(a.points[:, :2].mean(0) - b.points[:, :2].mean(0)) / max(sides[0], 1e-6)
    return max(float(move), abs(float(np.log(sides[1] / sides[0]))))


def _step(a: _FrameFeatures, b: _FrameFeatures) -> float:
    """The same in units of what one frame allows; more frames between them allow more."""
    sides = [float(np.ptp(frame.points[:, :2], 0).max()) for frame in (a, b)]
    move = np.linalg.norm(a.points[:, :2].mean(0) - b.points[:, :2].mean(0)) / max(sides[0], 1e-6)
    return max(float(move) / _JUMP, abs(float(np.log(sides[1] / sides[0]))) / _ZOOM) / min(b.frame - a.frame, 3)


def _angle_between(before: list[_FrameFeatures], after: list[_FrameFeatures]) -> float:
    """Degrees between the heads of two shots."""
    rotations = [remove_pose(np.median([frame.points for frame in shot], 0))[1] for shot in (before, after)]
    return float(np.degrees(np.arccos(np.clip((np.trace(rotations[0].T @ rotations[1]) - 1) / 2, -1, 1))))


def _other_place(before: list[_FrameFeatures], after: list[_FrameFeatures]) -> bool:
    """Whether two shots have other surroundings."""
    thumbs = [np.median([frame.thumb for frame in shot], 0) for shot in (before, after)]
    return float(np.abs(thumbs[0] - thumbs[1]).mean()) > _OTHER_PLACE


def _difference(before: list[_FrameFeatures], after: list[_FrameFeatures]) -> float:
    """A linear discriminant of two persons against one, fitted on 91 people: shape, appearance of the face, of eyes and nose, colour."""
    shapes = [np.median([remove_pose(frame.points)[0] for frame in shot], 0) for shot in (before, after)]
    patches = [np.median([frame.patch for frame in shot], 0) for shot in (before, after)]
    weights = np.where(mean_face()[:, 1] < -0.35, 0.3, 1.0)  # the mouth speaks
    distance = np.sqrt((weights[:, None] * (shapes[0] - shapes[1])[:, :2] ** 2).sum() / weights.sum())
    whole, upper = _correlation(*patches), _correlation(*(patch[4:22] for patch in patches))
    colour = np.abs(patches[0].mean((0, 1)) - patches[1].mean((0, 1))).mean()
    return float(np.array([np.log(max(distance, 1e-3)), whole, upper, np.log(colour + 2)]) @ _WEIGHTS) - _BIAS


_WEIGHTS = np.array([0.83, -5.42, 1.0, 1.37])
_BIAS = 0.0


def _correlation(a: np.ndarray, b: np.ndarray) -> float:
    """Correlation of two patches, each less its mean colour; flat ones count little."""
    a, b = ((patch - patch.mean((0, 1))) / (patch.std() + 4) for patch in (a, b))
    return float((a * b).mean())
