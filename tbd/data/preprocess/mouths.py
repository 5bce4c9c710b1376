"""Crops of filmed mouths beside the same mouths painted, from which `tbd.draw.mouth.refiner.MouthRefiner` learns."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tbd.errors import InputError, TBDError
from tbd.face.channels import BLENDSHAPES
from tbd.face.geometry import FaceGeometry, remove_pose
from tbd.face.mesh import FaceModel
from tbd.face.render.contour import blend
from tbd.face.render.mouth.crop import OPEN, SIZE, MouthCrop, inside_share, lip_gap, lip_opening, mouth_mask
from tbd.face.render.mouth.dental_arch import RigidFrame
from tbd.face.render.mouth.interior import MouthInterior
from tbd.face.render.mouth.painting import Mouth
from tbd.face.render.mouth.palette import Palette
from tbd.face.rig import Rig
from tbd.face.rigging.mouth import JAW, jaw_displacement, resting_jaw_drop
from tbd.media import read_video
from tbd.utils.atomic import atomic_output

FIELDS = ("painted", "warped", "target", "reference", "mask")
_SMALLEST = 40
"""Pixels between the eyes' outer corners below which a filmed mouth teaches nothing."""
_FARTHEST = 0.6
"""Radians of yaw beyond which the mesh does not know where the far corner of the mouth is."""
_AT_REST = 0.02
"""Lips that are no farther apart are closed: such a frame gives the person's colours."""
_BESIDE = 24
"""Pixels beside a crop whose vertices still bend it."""
_NODES = 65
"""A crop is bent at so many places along each side, and evenly between them."""
_SMOOTH = 0.5
"""Of a spline through the vertices, in squared pixels: the lips' contours, which touch at rest, are not told apart to a fraction of one."""


@dataclass(frozen=True)
class MouthSample:
    """One filmed mouth.

    Args:
        painted: (128, 128, 3) uint8 RGB: the video with the inside of the mouth painted by tbd, in the colours of another frame.
        warped: (128, 128, 3) uint8 RGB: the other frame, its skin and lips moved to where they are in the video, as a warp draws a
            portrait, with the same painting between its lips.
        target: (128, 128, 3) uint8 RGB.
        reference: (128, 128, 3) uint8 RGB, that other frame, in which the lips are closed.
        mask: (128, 128) uint8, 255 between the lips.
    """

    painted: np.ndarray
    warped: np.ndarray
    target: np.ndarray
    reference: np.ndarray
    mask: np.ndarray


def geometry(image: np.ndarray, points: np.ndarray) -> FaceGeometry:
    """Build the geometry of a tracked frame.

    Args:
        image: (H, W, 3) uint8 RGB.
        points: (478, 3) as in `FaceGeometry.points`.

    Returns:
        The geometry.
    """
    return FaceGeometry(image, points.astype(np.float32), *remove_pose(points))


class MouthPainter:
    """Paints the mouth of a person into other frames of the same video.

    Args:
        rest: A frame in which the lips are closed; it gives colours, and where the teeth stand.
    """

    def __init__(self, rest: FaceGeometry) -> None:
        whole = slice(0, rest.image.shape[0]), slice(0, rest.image.shape[1])
        self._palette = Palette.of(rest)
        self._anchors = Mouth(rest, whole).anchors
        self._rest = MouthCrop.of(rest.points, rest.scale)
        self._rest_points = self._rest.locate(rest.points)
        self.reference = self._rest.cut(rest.image)

    def sample(self, face: FaceGeometry) -> MouthSample:
        """Paint the mouth of a frame.

        Args:
            face: The frame.

        Returns:
            The sample.
        """
        crop = MouthCrop.of(face.points, face.scale)
        painted, warped = face.image.copy(), face.image.copy()
        crop.paste(warped, move(self.reference, self._rest_points, crop.locate(face.points)), np.ones((SIZE, SIZE), np.float32))
        for image in (painted, warped):
            self._paint(image, face)
        mask = np.round(255 * mouth_mask(face.points, crop, face.image.shape)).astype(np.uint8)
        return MouthSample(crop.cut(painted), crop.cut(warped), crop.cut(face.image), self.reference, mask)

    def _paint(self, image: np.ndarray, face: FaceGeometry) -> None:
        found = lip_opening(face.points, image.shape)
        if found is None:
            return
        (rows, columns), opening = found
        jaw = Rig(face.canonical).basis[BLENDSHAPES.index(JAW[0])]
        drop = resting_jaw_drop(face.canonical, jaw) * jaw_displacement(face.canonical.astype(np.float64), self._anchors)[0]
        skull, hanging = (RigidFrame.of(face.project(self._anchors + shift)[:, :2]) for shift in (np.zeros(3), drop))
        x, y = np.arange(columns.start, columns.stop)[None], np.arange(rows.start, rows.stop)[:, None]
        inside = MouthInterior(face, self._palette).draw(opening, skull, hanging, x, y)
        blend(image[rows, columns], inside, inside_share(opening))


def move(crop: np.ndarray, rest: np.ndarray, moved: np.ndarray) -> np.ndarray:
    """Move what a crop shows with the vertices of its mesh, smoothly between them.

    Args:
        crop: (128, 128, 3) uint8 RGB.
        rest: (478, 2) pixels of the crop where the vertices are in it.
        moved: (478, 2) where they go.

    Returns:
        (128, 128, 3) float32 RGB 0..255.
    """
    import cv2
    from scipy.interpolate import RBFInterpolator

    inside = ((moved > -_BESIDE) & (moved < SIZE + _BESIDE)).all(1)
    places = np.linspace(0, SIZE - 1, _NODES)
    nodes = np.stack(np.meshgrid(places, places), -1).reshape(-1, 2)
    shifts = RBFInterpolator(moved[inside], (rest - moved)[inside], smoothing=_SMOOTH)(nodes).reshape(_NODES, _NODES, 2)
    # nodes lie on pixels' centres: enlarging by `cv2.resize` would shift them by half a cell
    steps = np.linspace(0, _NODES - 1, SIZE, dtype=np.float32)
    column, row = np.meshgrid(steps, steps)
    fine = cv2.remap(shifts.astype(np.float32), column, row, cv2.INTER_LINEAR)
    x, y = np.meshgrid(np.arange(SIZE, dtype=np.float32), np.arange(SIZE, dtype=np.float32))
    return cv2.remap(crop, x + fine[..., 0], y + fine[..., 1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE).astype(np.float32)


def collect(frames: Iterable[np.ndarray], meshes: Iterable[np.ndarray | None]) -> list[MouthSample]:
    """Make samples of one person's video.

    Args:
        frames: (H, W, 3) uint8 RGB.
        meshes: (478, 3) points of each frame as in `FaceGeometry.points`; None where no face was found.

    Returns:
        The samples; none where the lips are never closed, the face is small, or turned aside.
    """
    faces = [geometry(image, points) for image, points in zip(frames, meshes) if points is not None]
    faces = [face for face in faces if face.scale >= _SMALLEST and abs(np.arcsin(np.clip(-face.rotation[2, 0], -1, 1))) < _FARTHEST]
    if not faces:
        return []
    gaps = [lip_gap(face.points, face.scale) for face in faces]
    at = int(np.argmin(gaps))
    if gaps[at] > _AT_REST:
        return []
    painter = MouthPainter(faces[at])
    return [painter.sample(face) for face, gap in zip(faces, gaps) if gap > OPEN]


def prepare(videos: Sequence[Path], output: Path, model: FaceModel, every: int = 4, people: Sequence[str] | None = None) -> dict[str, int]:
    """Write the samples of videos to one file, which `tbd.data.datamodules.mouth.MouthDataModule` reads.

    Args:
        videos: One person each.
        output: An .npz file: the fields of `MouthSample`, (N, 128, 128, …), and ``person``, (N,) names.
        model: Locates the face of each frame.
        every: Takes one frame in so many, since neighbours are alike.
        people: The person of each video; the videos' names where not given.

    Returns:
        Video → number of samples.

    Raises:
        InputError: If no video gives a sample.
    """
    names = [path.stem for path in videos] if people is None else list(people)
    samples: list[MouthSample] = []
    who: list[str] = []
    counts: dict[str, int] = {}
    for path, person in zip(videos, names, strict=True):
        try:
            frames = [frame for number, frame in enumerate(read_video(path)) if number % every == 0]
            with model:
                found = [model(frame) for frame in frames]
            own = collect(frames, [None if one is None else one.points for one in found])
        except TBDError:
            own = []
        samples += own
        who += [person] * len(own)
        counts[str(path)] = len(own)
    if not samples:
        raise InputError("No video shows an open mouth and a closed one of a face that is large enough and looks ahead.")
    with atomic_output(output) as temporary, temporary.open("wb") as file:
        arrays = {name: np.stack([getattr(sample, name) for sample in samples]) for name in FIELDS}
        np.savez_compressed(file, person=np.array(who), **arrays)
    return counts
