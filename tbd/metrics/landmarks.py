"""Landmark distances, and the aperture of the mouth.

Both trackers of tbd give MediaPipe's 478 points. Published numbers are computed on the 68 points of dlib and
face_alignment; `to_dlib68` picks the mesh points that lie nearest to them.
"""

import os
from functools import cache
from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor

from tbd.errors import InputError
from tbd.face import topology
from tbd.face.geometry import NUM_POINTS, mean_face
from tbd.face.tracker import FaceMeshTracker, Tracker
from tbd.face.tracking.follower import FaceFollower
from tbd.metrics.base import Array, ClipMean, Unmeasurable, tensor, to_uint8
from tbd.weights import resolve_weights

LandmarkForm = Literal["eat-px128", "inter-ocular"]

_JAW = (127, 234, 93, 132, 58, 172, 150, 176)
_BROW = (70, 63, 105, 66, 107)
_EYE = (33, 160, 158, 133, 153, 144)
_LIPS = (61, 40, 37, 0, 267, 270, 291, 321, 314, 17, 84, 91)
_INNER_LIPS = (78, 81, 13, 311, 308, 402, 14, 178)
_NOSE = (168, 197, 5, 4, 98, 97, 2, 326, 327)

MOUTH = slice(48, 68)
"""dlib's twenty points of the mouth."""
STEADY = slice(27, 45)
"""dlib's points that EAT aligns by: nose, right eye, and the upper lid of the left eye."""
EAT_CROP = 128
"""Side in pixels of the crop on which EAT measures."""
_OPEN = 9
"""Pixels: EAT takes an eye for open whose two pairs of lid points lie further apart than this, both together."""


@cache
def dlib68() -> tuple[int, ...]:
    """Return the mesh points that stand for the 68 of dlib (iBUG 300-W), in its order.

    The order is: jaw from the subject's right ear, brows, nose, eyes, outer and inner lips.
    """
    eye = topology.mirrored(_EYE)
    left_eye = (eye[3], eye[2], eye[1], eye[0], eye[5], eye[4])  # from the inner corner over the upper lid
    jaw = (*_JAW, 152, *topology.mirrored(_JAW)[::-1])
    return (*jaw, *_BROW, *topology.mirrored(_BROW)[::-1], *_NOSE, *_EYE, *left_eye, *_LIPS, *_INNER_LIPS)


def track_points(frames: Array, tracker: Tracker | None = None) -> np.ndarray:
    """Find a face's mesh in every frame of a clip, without smoothing.

    Args:
        frames: (T, 3, H, W) uint8 RGB.
        tracker: The tracker whose model finds the face; None for `FaceMeshTracker`, which needs no file.

    Returns:
        (T, 478, 3) float32 pixels, rows of NaN where no face was seen.
    """
    points = np.full((len(frames), NUM_POINTS, 3), np.nan, np.float32)
    with (tracker or FaceMeshTracker()).open(video=True) as model:
        follower = FaceFollower(model, turn=0)  # drawn faces are upright
        for place, frame in zip(points, to_uint8(frames).permute(0, 2, 3, 1).cpu().numpy()):
            detection = follower.follow(np.ascontiguousarray(frame))
            if detection is not None:
                place[:] = detection.points
    return points


def to_dlib68(points: Array) -> Tensor:
    """Pick dlib's 68 points out of a mesh.

    Args:
        points: (..., 478, 3) mesh points, or (..., 68, 2), which stay as they are.

    Returns:
        (..., 68, 2) float64 pixels.

    Raises:
        InputError: If the points are neither.
    """
    points = tensor(points)
    if points.shape[-2:] == (NUM_POINTS, 3):
        return points[..., list(dlib68()), :2]
    if points.shape[-2:] != (68, 2):
        raise InputError(f"Landmarks of shape {tuple(points.shape)} are no face; (frames, {NUM_POINTS}, 3) or (frames, 68, 2) is right.")
    return points


def inter_ocular(points: Array) -> Tensor:
    """Measure the distance of the outer eye corners, (...), of (..., 478, 3) or (..., 68, 2) points."""
    points = to_dlib68(points)
    return (points[..., 36, :] - points[..., 45, :]).norm(dim=-1)


@cache
def eat_template() -> np.ndarray:
    """Return (68, 2) float64, the mean face's points in the 128 crop.

    EAT's own template (`base_68.npy`, of ATVGnet) is one photograph's points and is not ours to ship; ours is the mean face,
    with the eyes' outer corners at the same height and 64 pixels apart. Give theirs to `MouthLandmarkDistance` and
    `FaceLandmarkDistance` where they are to be compared with numbers of EAT's table.
    """
    face = mean_face()[list(dlib68()), :2].astype(np.float64) * [1, -1]  # inter-ocular distances, y down
    return face * (EAT_CROP / 2) + [EAT_CROP / 2, EAT_CROP * 0.36]


def load_template(template: str | os.PathLike) -> np.ndarray:
    """Load a template of landmarks.

    Args:
        template: An ``.npy`` file, or a registered name.

    Returns:
        (68, 2) float64.

    Raises:
        WeightsNotFoundError: If a registered file is not on this machine.
        InputError: If the file holds something else.
    """
    path = resolve_weights(template)
    try:
        points = np.load(path, allow_pickle=False)
    except (OSError, ValueError) as error:
        raise InputError(f"{path} cannot be read as an array of landmarks ({error}).") from error
    if points.shape != (68, 2):
        raise InputError(f"{path} holds an array of shape {points.shape}; 68 landmarks, (68, 2), are right.")
    return points.astype(np.float64)


def eat_templates(template: Array, points: Tensor) -> Tensor:
    """Choose the template that EAT carries each face onto: where the right eye looks closed, a second one, `base_68_close.npy`.

    That one is the first with its upper lids 4 pixels lower and its lower lids 1 pixel higher, as ATVGnet's script makes it.

    Args:
        template: (68, 2), the first.
        points: (..., 68, 2) pixels of the whole frame, for which EAT's threshold is set: faces in pictures of 256.

    Returns:
        (..., 68, 2) float64.
    """
    opened = tensor(template).to(points.device)
    closed = opened.clone()
    closed[[37, 38, 43, 44], 1] += 4
    closed[[40, 41, 46, 47], 1] -= 1
    gap = (points[..., 40:42, 1] - points[..., 37:39, 1]).sum(-1)
    return torch.where((gap > _OPEN)[..., None, None], opened, closed)


def similarity(source: Tensor, target: Tensor) -> tuple[Tensor, Tensor]:
    """Fit the least-squares similarity ``target ≈ source @ turn.T + shift`` (Umeyama 1991) for each frame.

    Args:
        source: (..., N, 2).
        target: (..., N, 2), or (N, 2) for all.

    Returns:
        (..., 2, 2) scaled rotation, (..., 2) shift.
    """
    centre, aim = source.mean(-2, keepdim=True), target.mean(-2, keepdim=True)
    a, b = source - centre, target - aim
    norm = a.square().sum((-1, -2))
    cos = (a * b).sum((-1, -2)) / norm
    sin = (a[..., 0] * b[..., 1] - a[..., 1] * b[..., 0]).sum(-1) / norm
    turn = torch.stack([torch.stack([cos, -sin], -1), torch.stack([sin, cos], -1)], -2)
    return turn, (aim - centre @ turn.mT).squeeze(-2)


def align_to_template(points: Array, template: Array, two_templates: bool = False) -> Tensor:
    """Carry points into the pixels of EAT's 128 crop.

    Each frame is carried onto the template by the similarity of points 27 to 44. The crop starts at (1, 1) of the warped
    picture.

    Args:
        points: (..., 478, 3) or (..., 68, 2) pixels of the whole frame.
        template: (68, 2).
        two_templates: Whether to choose between two templates frame by frame, see `eat_templates`.

    Returns:
        (..., 68, 2) float64.
    """
    points = to_dlib68(points)
    aim = eat_templates(template, points) if two_templates else tensor(template).to(points.device)
    turn, shift = similarity(points[..., STEADY, :], aim[..., STEADY, :])
    return points @ turn.mT + shift[..., None, :] - 1


def steady(points: Array) -> Tensor:
    """Normalise points by the eyes: free of the picture's size and of the head's place, size and roll.

    Args:
        points: (T, 478, 3) or (T, 68, 2) pixels.

    Returns:
        (T, 68, 2) float64 in inter-ocular distances, y down: the outer eye corners lie at (−½, 0) and (½, 0).
    """
    points = to_dlib68(points)
    right, left = points[:, 36], points[:, 45]
    scale = inter_ocular(points)[:, None]
    cos, sin = ((left - right) / scale).unbind(1)
    turn = torch.stack([torch.stack([cos, sin], -1), torch.stack([-sin, cos], -1)], -2)
    return (points - (right + left)[:, None] / 2) @ turn.mT / scale[..., None]


def landmark_distance(preds: Array, target: Array) -> Tensor:
    """Compute the mean distance of corresponding points once each set's own centroid is taken out (EAT's `test_lmd.py`).

    Args:
        preds: (..., N, 2) each.
        target: (..., N, 2) each.

    Returns:
        (...) float64 in the points' unit.

    Example:
        >>> square = torch.tensor([[0., 0.], [0., 2.], [2., 0.], [2., 2.]])
        >>> landmark_distance(square, 2 * square + 7)
        tensor(1.4142, dtype=torch.float64)
    """
    preds, target = tensor(preds), tensor(target)
    difference = (preds - preds.mean(-2, keepdim=True)) - (target - target.mean(-2, keepdim=True))
    return difference.norm(dim=-1).mean(-1)


def seen(*tracks: Array) -> Tensor:
    """Find the frames in which every track has a face, (T,) bool; tracks of different lengths count up to the shortest."""
    length = min(len(track) for track in tracks)
    return torch.stack([torch.isfinite(tensor(t[:length])).flatten(1).all(1) for t in tracks]).all(0)


class _LandmarkDistance(ClipMean):
    """Base class of the landmark distances; see `MouthLandmarkDistance`."""

    reads = ("preds.points", "target.points")
    higher_is_better = False
    _points = slice(0, 68)

    def __init__(
        self,
        form: LandmarkForm = "inter-ocular",
        template: str | os.PathLike | None = None,
        two_templates: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.form, self.two_templates = form, two_templates
        self.template = eat_template() if template is None else load_template(template)
        self.unit = "px" if form == "eat-px128" else "% inter-ocular"

    def measure(self, preds: Array, target: Array) -> dict[str, float]:
        """One clip's distance.

        Args:
            preds: (T, 478, 3) or (T, 68, 2) pixels each; frames in which either is NaN are left out, and those
            target: (T, 478, 3) or (T, 68, 2) pixels each; frames in which either is NaN are left out, and those
                beyond the shorter track.

        Returns:
            ``value``, the distance in `unit`.

        Raises:
            Unmeasurable: If no frame shows a face in both.
        """
        both = seen(preds, target)
        if not both.any():
            raise Unmeasurable("No frame shows a face both in the clip and in its reference.")
        ours, theirs = (to_dlib68(track[: len(both)])[both] for track in (preds, target))
        if self.form == "eat-px128":
            ours, theirs = (align_to_template(track, self.template, self.two_templates) for track in (ours, theirs))
            return {"value": float(landmark_distance(ours[:, self._points], theirs[:, self._points]).mean())}
        ours, theirs = (steady(track) for track in (ours, theirs))
        return {"value": 100 * float(landmark_distance(ours[:, self._points], theirs[:, self._points]).mean())}


class MouthLandmarkDistance(_LandmarkDistance):
    """M-LMD: mean distance of the mouth's twenty points from those of the reference, frame by frame.

    Per frame the mean over points of ``‖(p − p̄) − (q − q̄)‖``, p̄ and q̄ the mouths' own centroids; then the mean over the
    clip's frames, then over clips. Lower is better, 0 is equality.

    Args:
        form: ``inter-ocular``: in percent of the distance of the outer eye corners, each face turned upright by its eyes
            first (`steady`); does not depend on the size of the picture. ``eat-px128``: pixels of EAT's aligned 128 crop
            (`align_to_template`), as its `test_lmd.py` measures, less its rounding of points to whole pixels.
        template: For ``eat-px128``: EAT's `base_68.npy`, as a file or by its registered name ``eat-template``; by default
            `eat_template`, whose scale is not theirs.
        two_templates: For ``eat-px128``: whether to choose between two frame by frame, as EAT does (`eat_templates`).

    Raises:
        WeightsNotFoundError: If the template was named by its registered name and is not on this machine.

    Example:
        >>> face = torch.rand(5, 68, 2, dtype=torch.float64)
        >>> metric = MouthLandmarkDistance()
        >>> metric.update(face, 300 * face + 20)  # another size and place is no other mouth
        >>> round(float(metric.compute()), 6)
        0.0
    """

    _points = MOUTH


class FaceLandmarkDistance(_LandmarkDistance):
    """F-LMD: as `MouthLandmarkDistance` over all 68 points, expression and shape together.

    Args:
        form: See `MouthLandmarkDistance`.
        template: See `MouthLandmarkDistance`.
        two_templates: See `MouthLandmarkDistance`.

    Example:
        >>> face = torch.rand(5, 68, 2, dtype=torch.float64)
        >>> metric = FaceLandmarkDistance()
        >>> metric.update(face, 300 * face + 20)
        >>> round(float(metric.compute()), 6)
        0.0
    """


def mouth_aperture(points: Array) -> Tensor:
    """Measure how far the mouth is open: the gap of the inner lips at their middle, over the inter-ocular distance.

    Args:
        points: (T, 478, 3) or (T, 68, 2) pixels.

    Returns:
        (T,) float64 in inter-ocular distances, NaN where the points are.
    """
    points = to_dlib68(points)
    return (points[:, 62] - points[:, 66]).norm(dim=-1) / inter_ocular(points)


def lagged_correlation(preds: Array, target: Array, max_lag: int) -> tuple[float, int]:
    """Compute Pearson's r of two tracks at the lag where it is greatest.

    Args:
        preds: (T,) each; NaN where not seen. The longer one counts up to the shorter one's length.
        target: (T,) each; NaN where not seen. The longer one counts up to the shorter one's length.
        max_lag: Frames.

    Returns:
        r, and the lag in frames by which `preds` comes later than `target`; of equal r the smallest lag.

    Raises:
        Unmeasurable: If fewer than ten frames are seen in both at every lag, or either track stands still.

    Example:
        >>> track = torch.sin(torch.arange(100) / 3)
        >>> r, lag = lagged_correlation(track[:-4], track[4:], 10)
        >>> round(r, 4), lag
        (1.0, 4)
    """
    length = min(len(preds), len(target))
    a, b = (np.asarray(tensor(track[:length]).cpu()) for track in (preds, target))
    found = []
    for lag in sorted(range(-max_lag, max_lag + 1), key=abs):
        late, early = a[max(lag, 0) : length + min(lag, 0)], b[max(-lag, 0) : length - max(lag, 0)]
        both = np.isfinite(late) & np.isfinite(early)
        if both.sum() >= _FEWEST and late[both].std() > _STILL and early[both].std() > _STILL:
            found.append((float(np.corrcoef(late[both], early[both])[0, 1]), lag))
    if not found:
        raise Unmeasurable(f"The mouth is seen in fewer than {_FEWEST} frames of both clips, or stands still in one of them.")
    return max(found, key=lambda pair: pair[0])


_FEWEST = 10
_STILL = 1e-6
"""Inter-ocular distances: a mouth whose opening varies less than this stands still."""


class ApertureCorrelation(ClipMean):
    """Synchrony of the mouth with the reference's: Pearson's r of `mouth_aperture` at its best lag.

    −1..1, higher is better. `means` also gives ``lag``, in frames, positive where the clip under test comes late: a
    correlation that is good only at a lag of several frames is bad lip sync.

    Args:
        max_lag: Largest lag in frames, either way.
        kwargs: Options of `torchmetrics.Metric`.

    Example:
        >>> points = np.random.default_rng(0).random((30, 68, 2))
        >>> metric = ApertureCorrelation(max_lag=3)
        >>> metric.update(points[:-2], points[2:])  # two frames late
        >>> round(float(metric.compute()), 6), float(metric.means()["lag"])
        (1.0, 2.0)
    """

    reads = ("preds.points", "target.points")
    names = ("correlation", "lag")
    reported = "correlation"
    unit = ""
    higher_is_better = True
    plot_lower_bound, plot_upper_bound = -1.0, 1.0

    def __init__(self, max_lag: int = 15, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.max_lag = max_lag

    def measure(self, preds: Array, target: Array) -> dict[str, float]:
        """Correlate one clip with its reference.

        Args:
            preds: (T, 478, 3) or (T, 68, 2) pixels.
            target: (T, 478, 3) or (T, 68, 2) pixels.

        Returns:
            ``correlation`` and ``lag``.

        Raises:
            Unmeasurable: If fewer than ten frames show a face in both, or either mouth stands still.
        """
        correlation, lag = lagged_correlation(mouth_aperture(preds), mouth_aperture(target), self.max_lag)
        return {"correlation": correlation, "lag": lag}
