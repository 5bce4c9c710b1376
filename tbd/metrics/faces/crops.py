"""Crops that networks see. The arithmetic is that of the published pipelines; the face detector is ours.

Where they detect with S3FD, face_alignment or dlib, we take MediaPipe's mesh: boxes are the mesh's bounds, dlib's points the
mesh points nearest to them (`tbd.metrics.faces.face_points.dlib68`). Where they code the frames again as video and JPEG before the
network sees them, we do not. ``docs/metrics.md`` lists what of each protocol is theirs.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

import cv2
import numpy as np
import torch
from torch import Tensor

from tbd.metrics.base import Array, Unmeasurable, tensor, to_uint8
from tbd.metrics.faces.dlib_chips import extract_chip
from tbd.metrics.faces.face_points import EAT_CROP, STEADY, eat_template, similarity, to_dlib68
from tbd.metrics.inputs import check_frames_with_points
from tbd.utils.options.literals import checks_literals

FaceField = Literal["faces", "aligned_faces"]
"""Fields of faces cut out alone."""
CropProtocol = Literal["official", "official-short", "wav2lip", "eat"]
_SIDE = 224


@dataclass(frozen=True)
class MouthCrop:
    """One track of a face, as SyncNet takes it.

    Args:
        frames: (T, 3, 224, 224) uint8 RGB.
        start: The video frame that it begins with; the sound is cut to the same frames.
    """

    frames: Tensor
    start: int


# ------------------------------------------------------------------------------------------- the authors' own pipeline

_CROP_SCALE = 0.40
_MEDIAN = 13
_PADDING = 110
_MIN_FACE = 100
_MAX_MISSED = 25
_MIN_OVERLAP = 0.5


@dataclass(frozen=True)
class Track:
    """A face followed without a jump.

    Args:
        start: Its first frame.
        boxes: (T, 4) left, top, right, bottom in pixels, frames without a detection filled in between their neighbours.
    """

    start: int
    boxes: np.ndarray


def find_tracks(boxes: np.ndarray, min_track: int) -> list[Track]:
    """Find tracks of one face per frame, as `run_pipeline.py` does.

    A track takes every later detection that comes within 25 frames of its last one and overlaps it by more than half
    (intersection over union); the detections that it passed over begin tracks of their own. It counts with more than
    `min_track` detections and a mean width or height above 100 pixels.

    Args:
        boxes: (T, 4), rows of NaN where no face was seen.
        min_track: Number of detections that a track must exceed.

    Returns:
        The tracks, ordered by their first frame.
    """
    left, tracks = [int(frame) for frame in np.flatnonzero(np.isfinite(boxes).all(1))], []
    while left:
        track = left[:1]
        for frame in left[1:]:
            if frame - track[-1] <= _MAX_MISSED and _overlap(boxes[frame], boxes[track[-1]]) > _MIN_OVERLAP:
                track.append(frame)
        left = [frame for frame in left if frame not in set(track)]
        if len(track) > min_track:
            inside = np.arange(track[0], track[-1] + 1)
            filled = np.stack([np.interp(inside, track, boxes[track, side]) for side in range(4)], 1)
            if (filled[:, 2:] - filled[:, :2]).mean(0).max() > _MIN_FACE:
                tracks.append(Track(track[0], filled))
    return tracks


def _overlap(a: np.ndarray, b: np.ndarray) -> float:
    """Intersection over union."""
    inner = np.prod(np.maximum(np.minimum(a[2:], b[2:]) - np.maximum(a[:2], b[:2]), 0))
    return float(inner / (np.prod(a[2:] - a[:2]) + np.prod(b[2:] - b[:2]) - inner))


def crop_track(frames: np.ndarray, boxes: np.ndarray) -> np.ndarray:
    """Crop a track as `crop_video` of `run_pipeline.py` does.

    Half sizes and centres are smoothed by a median of 13 frames (whose ends see zeros), the picture is padded with grey 110, and a
    square of 1.4 half sizes to either side, from one half size above the centre to 1.8 below it, is scaled to 224.

    Args:
        frames: (T, H, W, 3) uint8.
        boxes: (T, 4) left, top, right, bottom in pixels.

    Returns:
        (T, 224, 224, 3) uint8.
    """
    from scipy.signal import medfilt

    half = np.maximum(boxes[:, 3] - boxes[:, 1], boxes[:, 2] - boxes[:, 0]) / 2
    # The release fails on tracks of six frames and fewer, where more than half of the median's window is beyond the ends.
    window = min(_MEDIAN, len(boxes) - (len(boxes) + 1) % 2)
    centre_x, centre_y = (boxes[:, 0] + boxes[:, 2]) / 2, (boxes[:, 1] + boxes[:, 3]) / 2
    half, centre_x, centre_y = (medfilt(values, window) for values in (half, centre_x, centre_y))
    return np.stack([_crop(*values) for values in zip(frames, half, centre_x, centre_y)])


def _crop(frame: np.ndarray, half: float, x: float, y: float) -> np.ndarray:
    margin = int(half * (1 + 2 * _CROP_SCALE))
    padded = cv2.copyMakeBorder(frame, margin, margin, margin, margin, cv2.BORDER_CONSTANT, value=(_PADDING,) * 3)
    x, y = x + margin, y + margin
    rows = slice(int(y - half), int(y + half * (1 + 2 * _CROP_SCALE)))
    columns = slice(int(x - half * (1 + _CROP_SCALE)), int(x + half * (1 + _CROP_SCALE)))
    return cv2.resize(padded[rows, columns], (_SIDE, _SIDE))


def _official(frames: np.ndarray, points: np.ndarray, min_track: int) -> Iterator[MouthCrop]:
    xy = points[..., :2]
    boxes = np.concatenate([xy.min(1), xy.max(1)], 1)
    # A mesh is followed out of the picture, where a detector sees nothing and the padded picture has no crop.
    middle = (boxes[:, :2] + boxes[:, 2:]) / 2
    boxes[~((middle >= 0) & (middle < frames.shape[2:0:-1])).all(1)] = np.nan
    for track in find_tracks(boxes, min_track):
        inside = slice(track.start, track.start + len(track.boxes))
        yield MouthCrop(_to_tensor(crop_track(frames[inside], track.boxes)), track.start)


# --------------------------------------------------------------------------------------------------- other pipelines

_PC_AVS = ((87, 59), (137, 59), (112, 120))
"""Where PC-AVS puts the right eye, the left eye and the mouth in 224."""


def _whole(frames: np.ndarray, points: np.ndarray) -> Iterator[MouthCrop]:
    yield MouthCrop(_to_tensor(np.stack([cv2.resize(frame, (_SIDE, _SIDE)) for frame in frames])), 0)


def _eat(frames: np.ndarray, points: np.ndarray) -> Iterator[MouthCrop]:
    anchors = _anchors(to_dlib68(points).numpy())
    turn, shift = (x.numpy() for x in similarity(torch.as_tensor(anchors.mean(0)), tensor(np.array(_PC_AVS))))
    crops, bias = [], None
    for frame, anchor in zip(frames, anchors):
        off = _PC_AVS[2] - (turn @ anchor[2] + shift)
        bias = off if bias is None else 0.2 * bias + 0.8 * off
        crops.append(cv2.warpAffine(frame, np.column_stack([turn, shift + bias]), (_SIDE, _SIDE)))
    yield MouthCrop(_to_tensor(np.stack(crops)), 0)


def _anchors(points: np.ndarray) -> np.ndarray:
    """(T, 68, 2) → (T, 3, 2) the eyes' and the inner lips' centres.

    Frames without a face are filled in between their neighbours (EAT's script gives up on such a clip).
    """
    anchors = np.stack([points[:, part].mean(1) for part in (slice(36, 42), slice(42, 48), slice(60, 68))], 1).reshape(-1, 6)
    frames, seen = np.arange(len(anchors)), np.isfinite(anchors).all(1)
    return np.stack([np.interp(frames, frames[seen], column[seen]) for column in anchors.T], 1).reshape(-1, 3, 2)


_PROTOCOLS: Mapping[CropProtocol, Callable[[np.ndarray, np.ndarray], Iterator[MouthCrop]]] = {
    "official": lambda frames, points: _official(frames, points, 100),
    "official-short": lambda frames, points: _official(frames, points, 5),
    "wav2lip": _whole,
    "eat": _eat,
}


@checks_literals
def crop_mouths(frames: Array, points: Array | None, protocol: CropProtocol) -> list[MouthCrop]:
    """Crop a clip as SyncNet sees it under a published protocol.

    - ``official``: the authors' `run_pipeline.py` (tracks of more than 100 frames).
    - ``official-short``: the same from more than 5 frames on, since most clips of MEAD are shorter than four seconds.
    - ``wav2lip``: the whole frame squeezed to 224, as Wav2Lip's LSE on LRS; also for frames that are crops already.
    - ``eat``: EAT's, which is PC-AVS's: eyes and mouth carried to fixed places, the mouth held there frame by frame.

    Args:
        frames: (T, 3, H, W) uint8 RGB.
        points: (T, 478, 3) pixels, NaN where no face was seen; not needed by ``wav2lip``.
        protocol: One of the four.

    Returns:
        A crop for each track of the face.

    Raises:
        Unmeasurable: If no face is seen for long enough.
        InputError: If frames or points break the contract of metrics, or are not of the same frames.
    """
    check_frames_with_points(frames, points)
    if protocol != "wav2lip" and (points is None or not bool(torch.isfinite(tensor(points)).flatten(1).all(1).any())):
        raise Unmeasurable("No face was seen in the clip.")
    pixels = to_uint8(frames).permute(0, 2, 3, 1).cpu().numpy()
    crops = list(_PROTOCOLS[protocol](pixels, np.zeros(0) if points is None else tensor(points).cpu().numpy()))
    if not crops:
        raise Unmeasurable(f"No face of more than {_MIN_FACE} pixels is seen for long enough for the crop protocol {protocol}.")
    return crops


def _to_tensor(frames: np.ndarray) -> Tensor:
    return torch.from_numpy(np.ascontiguousarray(frames.transpose(0, 3, 1, 2)))


# ------------------------------------------------------------------------------------------------- EAT's 128 crop

_EAT_WARPED = 163
"""Side of the picture that EAT warps into before it cuts out 128 from (1, 1)."""


def eat_faces(frames: Array, points: Array, template: Array | None = None) -> Tensor:
    """Align faces as EAT's `utils_crop.py` does for PSNR, SSIM and FID.

    scikit-image's warp by the similarity of dlib's points 27 to 44 onto the template, cut at (1, 1), cast to whole numbers downwards.

    Args:
        frames: (T, 3, H, W) uint8 RGB.
        points: (T, 478, 3) or (T, 68, 2) pixels; frames with NaN are left out, as theirs are where dlib sees no face.
        template: (68, 2), `tbd.metrics.faces.face_points.load_template("eat-template")` for EAT's own; None for `eat_template`.

    Returns:
        (F, 3, 128, 128) uint8.
    """
    from skimage.transform import SimilarityTransform, warp

    aim = tensor(eat_template() if template is None else template)

    def cut(frame: np.ndarray, place: np.ndarray) -> np.ndarray:
        turn, shift = similarity(aim[STEADY], torch.from_numpy(place)[STEADY])
        inverse = SimilarityTransform(matrix=np.vstack([np.column_stack([turn, shift]), [0, 0, 1]]))
        return (warp(frame, inverse, output_shape=(_EAT_WARPED, _EAT_WARPED)) * 255).astype(np.uint8)[1:129, 1:129]

    check_frames_with_points(frames, points)
    return _each_face(frames, to_dlib68(points), EAT_CROP, cut)


# -------------------------------------------------------------------------------------------------------- faces alone

_CHIP_POINTS = (263, 362, 33, 133, 2)
"""The subject's left eye (outer, inner corner), right eye (outer, inner), and the base of the nose, as in dlib's five."""


def face_chips(frames: Array, points: Array, size: int = _SIDE, padding: float = 0.25) -> Tensor:
    """Cut upright faces as dlib's `get_face_chip(size=224, padding=0.25)`, which Emotion-FAN and others are trained on.

    Args:
        frames: (T, 3, H, W) uint8 RGB.
        points: (T, 478, 3) pixels; frames with NaN are left out.
        size: Pixels of a chip's side.
        padding: Margin around the face as a fraction of its size.

    Returns:
        (F, 3, size, size) uint8, F at most T.
    """
    check_frames_with_points(frames, points)
    return _each_face(frames, tensor(points)[:, list(_CHIP_POINTS), :2], size, lambda f, five: extract_chip(f, five, size, padding))


ARCFACE_SIDE = 112
_ARCFACE = np.array([(38.2946, 51.6963), (73.5318, 51.5014), (56.0252, 71.7366), (41.5493, 92.3655), (70.7299, 92.2041)])
"""Where ArcFace's template has both eyes, the tip of the nose and the corners of the mouth."""


def arcface_crops(frames: Array, points: Array) -> Tensor:
    """Cut upright faces as insightface's `norm_crop`, which ArcFace is trained on.

    The similarity of five points, fitted from the picture to the template, and OpenCV's bilinear warp. insightface's detector finds the
    five; here an eye is the mean of its six points out of dlib's 68.

    Args:
        frames: (T, 3, H, W) uint8 RGB, of the whole picture: the crop reaches above the brows and beside the cheeks.
        points: (T, 478, 3) or (T, 68, 2) pixels; frames with NaN are left out.

    Returns:
        (F, 3, 112, 112) uint8, F at most T; black beyond the picture.
    """
    check_frames_with_points(frames, points)
    places = to_dlib68(points)
    five = torch.stack([places[:, 36:42].mean(1), places[:, 42:48].mean(1), places[:, 30], places[:, 48], places[:, 54]], 1)
    return _each_face(frames, five, ARCFACE_SIDE, _norm_crop)


CUTTERS: Mapping[FaceField, Callable[[Array, Array], Tensor]] = {"faces": face_chips, "aligned_faces": arcface_crops}
"""Field → what cuts it out of (T, 3, H, W) frames at (T, 478, 3) points."""


def _norm_crop(frame: np.ndarray, five: np.ndarray) -> np.ndarray:
    turn, shift = similarity(torch.from_numpy(five), torch.from_numpy(_ARCFACE))
    return cv2.warpAffine(frame, np.column_stack([turn.numpy(), shift.numpy()]), (ARCFACE_SIDE, ARCFACE_SIDE))


def _each_face(frames: Array, places: Tensor, size: int, cut: Callable[[np.ndarray, np.ndarray], np.ndarray]) -> Tensor:
    """(T, N, 2) places → (F, 3, size, size): one cut for each frame whose places are known."""
    pixels = to_uint8(frames).permute(0, 2, 3, 1).cpu().numpy()
    found = [cut(frame, place.numpy()) for frame, place in zip(pixels, places.cpu()) if bool(torch.isfinite(place).all())]
    return _to_tensor(np.stack(found)) if found else torch.zeros(0, 3, size, size, dtype=torch.uint8)
