"""How alike drawn eyes and filmed ones look when they are shut and half shut, on one and the same person.

Protocol ``shut_eyes-1``. Of each clip three frames: eyes open, shut, and half shut, the head turned alike. The open one is drawn with
eyeBlink 1 and 0.45, and each eye is compared with the film's in a window that is laid by points which lids do not move (brow, nose, cheek):
by `EfficientNetDistance` of Lite2, a stand-in for LPIPS, and by the mean error, 0 to 1. Beside it stands the frame with open eyes as it is.
People are split in two by a checksum of their names: drawing was tuned on the one half and is judged by the other.

    python -m benchmarks.shut_eyes CLIP.mp4 ... --landmarker face_landmarker.task --manifest clips.csv --output out.json
"""

import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np
import torch

from benchmarks.common import environment, run, table, write_results
from benchmarks.real_speech import read_manifest
from tbd.data.preprocess.mouths import geometry
from tbd.draw.mouth.perceptual import EfficientNetDistance
from tbd.errors import InputError
from tbd.face import topology
from tbd.face.channels import CHANNELS, INDEX
from tbd.face.geometry import FaceGeometry
from tbd.face.mesh import LandmarkerModel
from tbd.face.render.warp import PortraitWarper
from tbd.media import read_video

SIZE = 128
"""Pixels of a window's side; the eye's corners lie at a quarter and three quarters of it."""
STATES = {"shut": 1.0, "half": 0.45}
"""eyeBlink that is drawn."""
HALVES = ("tuned on", "judged")
_STILL = (70, 63, 105, 66, 107, 33, 133, 168, 6, 197, 50, 117, 118, 119, 230, 143, 111, 35, 226, 244, 193)
"""Mesh points about the eye of the subject's right that lids move little."""
_FRAMES, _STEP = 300, 2
_SMALLEST, _FARTHEST, _FEWEST = 60.0, 0.45, 20
"""Pixels between the eyes' outer corners, radians of yaw, and faces of a clip: what is beyond is left out."""
_LEAST_OPEN, _SHUT, _SHUT_AT_MOST, _HALF, _ABOUT = 0.2, 0.3, 0.16, 0.6, 0.12
"""Openings over the width of the eye: of open eyes at least; of shut ones as a share of the open ones' and at most; of half shut ones as
a share; and how far about that."""


@dataclass(frozen=True)
class Blink:
    """One person's eyes: `open`, `shut`, and `half` where the clip shows that."""

    open: FaceGeometry
    shut: FaceGeometry
    half: FaceGeometry | None


def openings(face: FaceGeometry) -> np.ndarray:
    """(2,) how far the lids are apart, right and left, over the width of the eye."""
    found = []
    for side in topology.SIDES:
        top, bottom = (face.points[list(topology.on_side(ids, side)), :2] for ids in (topology.EYE_TOP, topology.EYE_BOTTOM))
        found.append(np.linalg.norm(top[3:6] - bottom[3:6], axis=1).mean() / np.linalg.norm(top[0] - top[-1]))
    return np.array(found)


def find_blink(faces: Sequence[FaceGeometry]) -> Blink | None:
    """Choose the frames of a blink; None where nobody blinks, or eyes are too narrow to tell."""
    gaps = np.array([openings(face) for face in faces])
    usual = float(np.percentile(gaps.mean(1), 75))
    shut = np.flatnonzero(gaps.max(1) < min(_SHUT * usual, _SHUT_AT_MOST))
    opened = np.flatnonzero(np.abs(gaps.mean(1) - usual) < _ABOUT * usual)
    if usual < _LEAST_OPEN or not len(shut) or not len(opened):
        return None

    def off(a: int, b: int) -> float:
        return 3 * float(np.abs(faces[a].rotation - faces[b].rotation).max()) + abs(a - b) / 200

    pairs = [(min(off(i, j) for j in opened) + 0.8 * float(gaps[i].mean()) / usual, i) for i in shut]
    closed = min(pairs)[1]
    rest = min(opened, key=lambda j: off(closed, j))
    half = np.flatnonzero((np.abs(gaps / usual - _HALF) < _ABOUT).all(1))
    between = faces[min(half, key=lambda k: off(rest, k))] if len(half) else None
    return Blink(faces[rest], faces[closed], between)


def read_blink(clip: Path, model: LandmarkerModel) -> Blink | None:
    """Find the blink of a clip; None where it shows none."""
    frames = list(islice(read_video(clip), 0, _FRAMES, _STEP))
    with model:
        found = [model(frame) for frame in frames]
    faces = [geometry(frame, mesh.points) for frame, mesh in zip(frames, found) if mesh is not None]
    faces = [f for f in faces if f.scale >= _SMALLEST and abs(np.arcsin(np.clip(-f.rotation[2, 0], -1, 1))) < _FARTHEST]
    return find_blink(faces) if len(faces) >= _FEWEST else None


def eye_window(face: FaceGeometry, image: np.ndarray, side: topology.Side, like: FaceGeometry) -> np.ndarray:
    """(SIZE, SIZE, 3) uint8 RGB: an eye where it would be with the head of `like`."""
    import cv2

    corners = like.points[[topology.on_side(topology.EYE_TOP, side)[i] for i in (0, -1)], :2].astype(np.float64)
    (x, y), still = np.diff(corners[np.argsort(corners[:, 0])], axis=0)[0], list(topology.on_side(_STILL, side))
    turn = SIZE / 2 * np.array([[x, y], [-y, x]]) / (x**2 + y**2)
    places = (like.points[still, :2] - corners.mean(0)) @ turn.T + SIZE / 2
    points = np.column_stack([face.points[still, :2], np.ones(len(still))])
    matrix = np.linalg.lstsq(points, places, rcond=None)[0].T
    return cv2.warpAffine(image, matrix, (SIZE, SIZE), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)


def drawn(warper: PortraitWarper, blink: float) -> np.ndarray:
    """(H, W, 3) uint8 RGB: a portrait with its eyes shut as far as `blink`."""
    values = np.zeros(len(CHANNELS), np.float32)
    values[[INDEX["eyeBlinkLeft"], INDEX["eyeBlinkRight"]]] = blink
    return warper.draw(values)


def compare(blink: Blink, network: EfficientNetDistance) -> dict[str, list[float]]:
    """State → look and error of the drawn eyes, and look of the open ones, each beside the film's; means over both eyes."""
    y, x = np.mgrid[:SIZE, :SIZE] - SIZE / 2
    mask = np.clip(3 - 2 * np.hypot(x / 44, (y + 2) / 26), 0, 1).astype(np.float32)
    warper, found = PortraitWarper(blink.open), {}
    for state, closing in (("shut", blink.shut), ("half", blink.half)):
        if closing is None:
            continue
        picture, rows = drawn(warper, STATES[state]), []
        for side in topology.SIDES:
            ours, open_eye = (eye_window(blink.open, image, side, blink.open) for image in (picture, blink.open.image))
            true = eye_window(closing, closing.image, side, blink.open)
            stacks = (np.stack(two).transpose(0, 3, 1, 2) for two in ((ours, open_eye), (true, true)))
            pair, beside = (torch.from_numpy(two / np.float32(127.5) - 1) for two in stacks)
            with torch.inference_mode():
                look = network(pair, beside, torch.from_numpy(mask)[None, None].expand(2, -1, -1, -1))
            error = (np.abs(ours.astype(float) - true).mean(-1) * mask).sum() / mask.sum() / 255
            rows.append([float(look[0]), float(error), float(look[1])])
        found[state] = np.mean(rows, 0).tolist()
    return found


def half_of(person: str) -> str:
    """Which of `HALVES` a person belongs to."""
    return HALVES[zlib.crc32(person.encode()) % 2]


def shut_eyes(clips: Iterable[Path], landmarker: Path, manifest: Path | None = None, output: Path | None = None) -> None:
    """Measure drawn shut eyes against film.

    Args:
        clips: Videos of faces.
        landmarker: MediaPipe's face_landmarker.task.
        manifest: A table of clips with the columns id (the clip's name) and person.
        output: A name ending in .json.

    Raises:
        InputError: If nobody blinks.
    """
    known, network, model = read_manifest(manifest), EfficientNetDistance(2).eval(), LandmarkerModel(landmarker, False)
    rows: dict[str, dict[str, dict[str, list[float]]]] = {half: {} for half in HALVES}
    for clip in clips:
        blink = read_blink(Path(clip), model)
        if blink is not None:
            name = Path(clip).stem
            rows[half_of(known.get(name, (name, ""))[0])][name] = compare(blink, network)
    if not any(rows.values()):
        raise InputError("Nobody blinks in these clips, or faces are too small or turned too far.")
    lines = []
    for half, found in rows.items():
        for state in STATES:
            values = [clip[state] for clip in found.values() if state in clip]
            if values:
                look, error, untouched = np.mean(values, 0)
                lines.append([f"{half}, {state}", len(values), float(look), float(untouched), f"{error:.4f}"])
    markdown = table(["eyes", "clips", "look", "look of open eyes", "error"], lines)
    write_results(output, {"protocol": "shut_eyes-1", "environment": environment(), "clips": rows}, markdown)


if __name__ == "__main__":
    run(shut_eyes, "clips", ())
