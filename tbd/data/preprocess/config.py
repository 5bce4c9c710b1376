"""`PreprocessConfig`: how clips are prepared."""

from dataclasses import dataclass
from importlib.metadata import version
from typing import Any, TypedDict

from tbd.data.preprocess.crop import CROPS
from tbd.errors import InputError
from tbd.face.tracker import RECIPE, FaceLandmarkerTracker, FaceMeshTracker, Tracker
from tbd.think.coding.expressive_tracker import ExpressiveTracker


class Codec(TypedDict):
    """Options of `VideoWriter` that all prepared videos share."""

    preset: str
    keyframes: int


CODEC: Codec = {"preset": "ultrafast", "keyframes": 5}
"""Training reads frames here and there, so that few may lie between keyframes; the preset codes and decodes twice as fast as `superfast`
for files a quarter larger of the same quality (measured; see `benchmarks/data.py`)."""


@dataclass(frozen=True)
class PreprocessConfig:
    """How clips are prepared. All but the trackers is the same for a whole cache.

    Args:
        sizes: Heights and widths of the videos in pixels, even numbers from 32.
        crop: A key of `CROPS`.
        landmarker: A ``face_landmarker.task`` file; with it both trackers follow each clip.
        crf: Constant rate factor of x264.
        expressive: Whether `ExpressiveTracker` follows each clip as well; its motions say what a mesh does not show of acted emotions.

    Raises:
        InputError: If there is no such crop, or a size is not possible.

    Example:
        >>> PreprocessConfig(sizes=(256,)).shared()["crop"]
        'portrait-1'
    """

    sizes: tuple[int, ...] = (512, 256)
    crop: str = "portrait"
    landmarker: str | None = None
    crf: int = 18
    expressive: bool = False

    def __post_init__(self) -> None:
        if self.crop not in CROPS:
            raise InputError(f"There is no crop {self.crop!r}; choose among {', '.join(CROPS)}.")
        if not self.sizes or any(size < 32 or size % 2 for size in self.sizes):
            raise InputError(f"A video cannot have sides of {self.sizes} pixels; give even numbers from 32.")

    def shared(self) -> dict[str, Any]:
        """Say what all clips of a cache share, as plain values: sizes, crop protocol and codec."""
        return {"sizes": sorted(self.sizes, reverse=True), "crop": CROPS[self.crop].name, "crf": self.crf, **CODEC}

    def trackers(self) -> list[Tracker]:
        """Make the trackers.

        Returns:
            One, and one more where there is a landmarker's file, and where appearance is read.

        Raises:
            InputError: If the landmarker's file is missing, or the weights of `ExpressiveTracker`.
        """
        trackers: list[Tracker] = [FaceMeshTracker()]
        if self.landmarker:
            trackers.append(FaceLandmarkerTracker(self.landmarker))
        if self.expressive:
            expressive = ExpressiveTracker(landmarker=self.landmarker)
            expressive.reader  # noqa: B018 - missing weights are reported now
            trackers.append(expressive)
        return trackers

    def tracker_keys(self) -> list[str]:
        """Name the trackers' folders, in the order of `trackers`: name, version and recipe."""
        names = [FaceMeshTracker.name]
        names += [FaceLandmarkerTracker.name] if self.landmarker else []
        names += [f"{names[-1]}_expressive"] if self.expressive else []
        return [f"{name}@mediapipe-{version('mediapipe')}-{RECIPE}" for name in names]
