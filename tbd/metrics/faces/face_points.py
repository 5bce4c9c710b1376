"""The 68 points of dlib among the mesh's 478, and how faces are aligned by them.

Both trackers of tbd give MediaPipe's 478 points. Published numbers are computed on the 68 points of dlib and
face_alignment; `to_dlib68` picks the mesh points that lie nearest to them.
"""

import os
from functools import cache

import numpy as np
import torch
from torch import Tensor

from tbd.errors import InputError
from tbd.face import topology
from tbd.face.geometry import NUM_POINTS, mean_face
from tbd.face.tracker import FaceMeshTracker, Tracker
from tbd.face.tracking.follower import FaceFollower
from tbd.metrics.base import Array, tensor, to_uint8
from tbd.metrics.inputs import check_frames
from tbd.weights import resolve_weights

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
    check_frames(frames, "frames")
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


def align_to_template(points: Array, template: Array) -> Tensor:
    """Carry points into the pixels of EAT's 128 crop.

    The similarity of points 27 to 44 is fitted from the template to each frame, as EAT's script fits it for its warp, and inverted:
    fitted the other way round, least squares give another one. The crop starts at (1, 1) of the warped picture.

    Args:
        points: (..., 478, 3) or (..., 68, 2) pixels of the whole frame.
        template: (68, 2).

    Returns:
        (..., 68, 2) float64.
    """
    points = to_dlib68(points)
    turn, shift = similarity(tensor(template).to(points.device)[STEADY].expand_as(points[..., STEADY, :]), points[..., STEADY, :])
    return (points - shift[..., None, :]) @ torch.linalg.inv(turn).mT - 1


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


def seen(*tracks: Array) -> Tensor:
    """Find the frames in which every track has a face, (T,) bool; tracks of different lengths count up to the shortest."""
    length = min(len(track) for track in tracks)
    return torch.stack([torch.isfinite(tensor(t[:length])).flatten(1).all(1) for t in tracks]).all(0)
