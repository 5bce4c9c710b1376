"""Conditions of the video model: a clip's portrait, the portrait's coarse frames, and where the face's regions lie.

features/portrait@<weights>-<size>/<person>/<clip>.npy   (C, h, w) float16, latent of the clip's most restful frame
features/coarse@<weights>-<size>/<person>/<clip>.npy     (frames, C, h, w) float16, that frame mesh-warped by the clip's motion
features/lips_and_head@<weights>-<size>/<person>/<clip>.npy   the same by the motion of lips and head alone
features/regions@<weights>-<size>/<person>/<clip>.npy    (5, h, w) float16, the regions of `REGIONS` over the latent
"""

from abc import abstractmethod
from itertools import islice

import numpy as np

from tbd.data.preprocess.cache import Cache, load_points
from tbd.data.preprocess.features import FeatureExtractor, VAELatents
from tbd.data.records import ClipRecord
from tbd.errors import InputError
from tbd.face.geometry import FaceGeometry, remove_pose
from tbd.face.motion import Motion
from tbd.face.regions import movement_masks
from tbd.face.render.coarse import lips_and_head, render_coarse
from tbd.media import read_video
from tbd.think.facs import REGION_CHANNELS


class PortraitFeature(FeatureExtractor):
    """A feature of a clip's portrait, the frame in which the face rests most.

    Args:
        latents: The autoencoder, and the size of the videos.
        tracker: Whose motion decides which frame that is.
    """

    kind: str
    """First part of the feature's name."""

    def __init__(self, latents: VAELatents, tracker: str = "face_mesh") -> None:
        self.latents, self.tracker = latents, tracker
        self.name, self.source = feature_name(self.kind, latents.name), latents.source

    def accepts(self, record: ClipRecord) -> bool:
        """Check that the clip has a video of the size of the latents."""
        return self.latents.accepts(record)

    def extract(self, cache: Cache, record: ClipRecord) -> np.ndarray:
        """Compute the feature of a clip's portrait.

        Args:
            cache: The cache.
            record: A clip of it that `accepts`.

        Returns:
            What `of_face` computes, as float16.

        Raises:
            InputError: If the video ends before the portrait's frame.
        """
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
        """Compute the feature.

        Args:
            face: The portrait.
            motion: Away from the portrait, frame by frame.

        Returns:
            The feature, as the module's docstring gives its shape.
        """


class PortraitLatent(PortraitFeature):
    """Latent of the portrait, (C, h, w)."""

    kind = "portrait"

    def of_face(self, face: FaceGeometry, motion: Motion) -> np.ndarray:
        """Encode the portrait.

        Args:
            face: The portrait.
            motion: Not used.

        Returns:
            (C, h, w) latent.
        """
        return self.latents.encode([face.image])[0]


class CoarseLatents(PortraitFeature):
    """Latents of the mesh-warped portrait, (frames, C, h, w)."""

    kind = "coarse"

    def of_face(self, face: FaceGeometry, motion: Motion) -> np.ndarray:
        """Warp the portrait by the motion, and encode the frames.

        Args:
            face: The portrait.
            motion: Away from the portrait, frame by frame.

        Returns:
            (frames, C, h, w) latents.
        """
        return self.latents.encode(render_coarse(face, motion))


class NeutralCoarseLatents(CoarseLatents):
    """Latents of the portrait that is warped by the motion of lips and head alone, (frames, C, h, w)."""

    kind = "lips_and_head"

    def of_face(self, face: FaceGeometry, motion: Motion) -> np.ndarray:
        """Warp the portrait as a neutral plan would, and encode the frames.

        Args:
            face: The portrait.
            motion: Away from the portrait, frame by frame.

        Returns:
            (frames, C, h, w) latents.
        """
        return super().of_face(face, lips_and_head(motion))


class RegionMasks(PortraitFeature):
    """Masks of the face's regions over the latent, (5, h, w)."""

    kind = "regions"

    def of_face(self, face: FaceGeometry, motion: Motion) -> np.ndarray:
        """Render how far each region reaches.

        Args:
            face: The portrait.
            motion: Not used.

        Returns:
            (5, h, w) in 0..1.
        """
        height, width = self.latents.encode([face.image]).shape[-2:]
        return movement_masks(face, REGION_CHANNELS, height, width)


def feature_name(kind: str, latents: str) -> str:
    """Name the folder of one kind of feature, beside that of the latents it belongs to.

    Args:
        kind: ``portrait``, ``coarse``, ``lips_and_head`` or ``regions``.
        latents: Name of the latents.

    Returns:
        The name.

    Example:
        >>> feature_name("coarse", "vae@1a2b3c4d-512")
        'coarse@1a2b3c4d-512'
    """
    return f"{kind}@{latents.split('@', 1)[1]}"
