"""What the video model is told of a clip: its portrait, the portrait's coarse motion, and where the face's regions lie.

features/portrait@<weights>-<size>/<person>/<clip>.npy   (C, h, w) float16, latent of the clip's most restful frame
features/coarse@<weights>-<size>/<person>/<clip>.npy     (frames, C, h, w) float16, that frame mesh-warped by the clip's motion
features/regions@<weights>-<size>/<person>/<clip>.npy    (5, h, w) float16, the regions of `REGIONS` over the latent
"""

from abc import abstractmethod
from itertools import islice

import numpy as np

from tbd.data.preprocess.cache import Cache, ClipRecord, load_points
from tbd.data.preprocess.features import FeatureExtractor, VAELatents
from tbd.errors import InputError
from tbd.face.geometry import FaceGeometry, remove_pose
from tbd.face.motion import Motion
from tbd.face.regions import movement_masks
from tbd.face.render.coarse import render_coarse
from tbd.media import read_video
from tbd.think.facs import REGION_CHANNELS


class PortraitFeature(FeatureExtractor):
    """A feature of a clip's portrait, the frame in which the face rests most.

    Args:
        latents: what makes latents, and of which size.
        tracker: whose motion says which frame that is.
    """

    kind: str

    def __init__(self, latents: VAELatents, tracker: str = "face_mesh") -> None:
        self.latents, self.tracker = latents, tracker
        self.name, self.source = feature_name(self.kind, latents.name), latents.source

    def wants(self, record: ClipRecord) -> bool:
        return self.latents.wants(record)

    def extract(self, cache: Cache, record: ClipRecord) -> np.ndarray:
        motion = Motion.load(cache.path(record.file("motions", self.tracker)))
        rest = motion.most_neutral_frame()
        video = cache.path(record.videos[self.latents.size])
        picture = next(islice(iter(read_video(video)), rest, None), None)
        if picture is None:
            raise InputError(f"{video} has fewer frames than its motion, {len(motion)}; prepare the clip again.")
        mesh = load_points(cache.path(record.file("points", self.tracker)))[rest]
        points = (mesh.astype(np.float64) + np.array([0.5, 0.5, 0])) * len(picture)
        face = FaceGeometry(picture, points.astype(np.float32), *remove_pose(points))
        return self.of_face(face, motion.relative_to(rest)).astype(np.float16)

    @abstractmethod
    def of_face(self, face: FaceGeometry, motion: Motion) -> np.ndarray:
        """The feature of a portrait and the motion away from it."""


class PortraitLatent(PortraitFeature):
    kind = "portrait"

    def of_face(self, face: FaceGeometry, motion: Motion) -> np.ndarray:
        return self.latents.encode([face.image])[0]


class CoarseLatents(PortraitFeature):
    kind = "coarse"

    def of_face(self, face: FaceGeometry, motion: Motion) -> np.ndarray:
        return self.latents.encode(render_coarse(face, motion))


class RegionMasks(PortraitFeature):
    kind = "regions"

    def of_face(self, face: FaceGeometry, motion: Motion) -> np.ndarray:
        height, width = self.latents.encode([face.image]).shape[-2:]
        return movement_masks(face, REGION_CHANNELS, height, width)


def feature_name(kind: str, latents: str) -> str:
    """The folder of one kind of feature, beside that of the latents it belongs to.

    Example:
        >>> feature_name("coarse", "vae@1a2b3c4d-512")
        'coarse@1a2b3c4d-512'
    """
    return f"{kind}@{latents.split('@', 1)[1]}"
