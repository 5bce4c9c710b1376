"""What one clip's prediction and reference show, in the fields that metrics read (see `tbd.metrics.base`)."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from tbd.errors import InputError, TBDError
from tbd.evaluation.footage import Footage, count_frames, in_crop, points_of, watch, window_of
from tbd.evaluation.predictions import Prediction
from tbd.evaluation.protocol import Crop, MetricEntry, Protocol
from tbd.evaluation.reference import ReferenceClip
from tbd.evaluation.scores import Issue
from tbd.face.motion import FPS, Motion
from tbd.metrics.base import Unmeasurable
from tbd.think.action_units import EMOTIONS


class Unusable(TBDError):
    """A clip that gets no numbers.

    Args:
        kind: of `tbd.evaluation.scores.KINDS`.
        detail: one sentence.
    """

    def __init__(self, kind: str, detail: str) -> None:
        super().__init__(detail)
        self.kind = kind


@dataclass(frozen=True)
class Needs:
    """Which fields a protocol's metrics read, so that nothing else is computed."""

    fields: frozenset[str]
    crops: frozenset[Crop]
    chips: Any = None

    @classmethod
    def of(cls, protocol: Protocol, entries: Sequence[MetricEntry], reads: Sequence[Sequence[str]], chips: Any = None) -> "Needs":
        """Of the metrics `entries`, whose classes read `reads`."""
        crops = {e.crop or protocol.crop for e, fields in zip(entries, reads) if any(f.endswith((".frames", ".points")) for f in fields)}
        return cls(frozenset(f for fields in reads for f in fields), frozenset(crops), chips)

    def any(self, side: str, *names: str) -> bool:
        return any(f"{side}.{name}" in self.fields for name in names)


class Evidence:
    """One clip, looked at once on either side.

    Args:
        protocol: the recipe.
        needs: what will be asked for.
        clip: the true one.
        prediction: of it.

    Raises:
        Unusable: the prediction, or the true clip, cannot be compared; the reason is an issue's kind.
    """

    def __init__(self, protocol: Protocol, needs: Needs, clip: ReferenceClip, prediction: Prediction) -> None:
        self.protocol, self.clip, self.prediction = protocol, clip, prediction
        self.issues: list[Issue] = []
        self._needs, self._tracked = needs, protocol.motion == "face_mesh"
        try:
            self._wanted = clip.frames()
            self._windows = {crop: self._window(crop) for crop in needs.crops}
        except InputError as error:
            raise Unusable("reference", str(error)) from error
        self._check_video()
        self.preds = self._look("preds", self._video(), str(prediction.video))
        self.motion = self._predicted_motion()
        self.target = self._look_at_target()
        self.rows = self._pair()

    def note(self, kind: str, detail: str) -> None:
        """An issue of a clip that stays in the numbers."""
        self.issues.append(Issue(kind=kind, clip=self.clip.id, detail=detail, scored=True))

    # -- looking ---------------------------------------------------------------------------------------------------

    def _window(self, crop: Crop) -> np.ndarray:
        return np.array([0.0, 0.0, 1.0]) if crop.kind == "frame" else window_of(crop, self.clip.face(self.protocol.size))

    def _check_video(self) -> None:
        """All that can be said before a frame is decoded."""
        name = self.prediction.video.name
        try:
            count = count_frames(self.prediction.video)
        except InputError as error:
            raise Unusable("unreadable", str(error)) from error
        if count.missing:
            raise Unusable("truncated", f"{name} declares {count.missing} frames more than it holds; write it again")
        if abs(count.rate - FPS) > 0.01:
            self.note("rate", f"{name} has {count.rate:.3f} frames a second instead of {FPS}; frames were chosen by their times")
        self._require_length(count.frames)

    def _require_length(self, frames: int) -> None:
        if abs(frames - self._wanted) > self.protocol.length_tolerance:
            raise Unusable(
                "length",
                f"{self.prediction.video.name} lasts {frames} frames at {FPS} a second; the true clip has {self._wanted}, "
                f"and {self.protocol.id} allows {self.protocol.length_tolerance} more or fewer",
            )

    def _video(self) -> Iterable[np.ndarray]:
        from tbd.face.media import read_video

        return read_video(self.prediction.video)

    def _look(self, side: str, frames: Iterable[np.ndarray], source: str) -> Footage:
        needs = self._needs
        crops = self._windows if needs.any(side, "frames") else {}
        chips = needs.chips if needs.any(side, "faces") else None
        track = chips is not None or (self._tracked and needs.any(side, "points", "motion"))
        if side == "target" and not (crops or track):
            return Footage()
        try:
            seen = watch(frames, crops, track, chips, source)
        except InputError as error:
            raise Unusable(("no_face" if "face" in str(error) else "unreadable") if side == "preds" else "reference", str(error)) from error
        if side == "preds":
            self._require_length(seen.length)
        if seen.lost:
            whose = self.prediction.video.name if side == "preds" else "the true clip"
            self.note("no_face", f"no face was found in {seen.lost} of {seen.length} frames of {whose}")
        return seen

    def _look_at_target(self) -> Footage:
        try:
            frames = self.clip.video(self.protocol.size)
            still = frames is None
            if still and self._needs.any("target", "frames", "faces", "points"):
                frames = [self.clip.face(self.protocol.size).image]
        except InputError as error:
            raise Unusable("reference", str(error)) from error
        return self._look("target", frames if frames is not None else [], f"the true clip {self.clip.id}")

    def _predicted_motion(self) -> Motion | None:
        if self._tracked or not self._needs.any("preds", "motion", "points", "seams"):
            return self.preds.motion
        if self.prediction.motion is None:
            raise Unusable("no_motion", f"{self.protocol.id} compares motion files; {self.clip.id}.npz should lie beside the video")
        try:
            motion = Motion.load(self.prediction.motion)
        except InputError as error:
            raise Unusable("no_motion", str(error)) from error
        self._require_length(len(motion))
        return motion

    def _pair(self) -> tuple[np.ndarray, np.ndarray]:
        """Which frames of either side are compared."""
        own = len(self.motion) if self.motion is not None and not self.preds.length else self.preds.length
        true = self.target.length if self.target.length > 1 else self._wanted
        shorter = min(own, true)
        if self.protocol.pairing == "linspace":
            return tuple(np.linspace(0, n - 1, shorter).round().astype(int) for n in (own, true))
        return (np.arange(shorter),) * 2

    # -- fields ----------------------------------------------------------------------------------------------------

    def inputs(self, reads: Sequence[str], entry: MetricEntry) -> list[Any]:
        """What a metric's `update` takes."""
        return [self.field(name, entry) for name in reads]

    def field(self, name: str, entry: MetricEntry) -> Any:
        """One field; see `tbd.metrics.base`."""
        side, _, what = name.partition(".")
        if what in ("frames", "points"):
            return getattr(self, f"_{what}")(side, entry)
        if what == "emotion":
            return EMOTIONS.index(self._emotion)
        if what == "motion":
            return self._motion(side)
        found = {"audio": "_audio", "asked": "_asked", "seams": "_seams", "faces": f"_{side}_faces", "intensity": "_intensity"}.get(what)
        if found is None:
            raise InputError(f"{entry.metric.class_path} reads {name}, which {self.protocol.id} cannot give: it compares clip with clip.")
        return getattr(self, found)

    def _rows(self, side: str) -> np.ndarray:
        return self.rows[0 if side == "preds" else 1]

    def _frames(self, side: str, entry: MetricEntry) -> np.ndarray:
        frames = getattr(self, side).frames[entry.crop or self.protocol.crop]
        if side == "target" and len(frames) == 1:
            return frames
        rows = self._rows(side)
        if entry.frames is not None:
            rows = rows[np.linspace(0, len(rows) - 1, min(entry.frames, len(rows))).round().astype(int)]
        return frames[rows]

    def _points(self, side: str, entry: MetricEntry) -> np.ndarray:
        if not self._tracked:
            return self._exact_points(side)[self._rows(side)]
        crop, footage = entry.crop or self.protocol.crop, getattr(self, side)
        return in_crop(footage.points, footage.side, self._windows[crop], crop.size)[self._rows(side)]

    def _exact_points(self, side: str) -> np.ndarray:
        return self._preds_points if side == "preds" else self._target_points

    @cached_property
    def _preds_points(self) -> np.ndarray:
        return points_of(self.motion)

    @cached_property
    def _target_points(self) -> np.ndarray:
        return points_of(self._true_motion)

    def _motion(self, side: str) -> np.ndarray:
        motion = self.motion if side == "preds" else self._true_motion
        return motion.values[self._rows(side)]

    @cached_property
    def _true_motion(self) -> Motion:
        motion = self.target.motion if self._tracked else self.clip.motion()
        if motion is None:
            raise InputError(f"The true motion of {self.clip.id} is not known; a protocol over it must track (motion: face_mesh).")
        return motion

    @property
    def _emotion(self) -> str:
        if self.clip.emotion is None:
            raise Unmeasurable(f"nobody says what {self.clip.id} feels")
        return self.clip.emotion

    @property
    def _intensity(self) -> float:
        return (self.clip.level or 3) / 3

    @cached_property
    def _audio(self) -> np.ndarray:
        from tbd.face.media import read_audio

        try:
            return read_audio(self.prediction.video)
        except InputError as error:
            self.note("silent", f"{error} The true clip's sound was used instead")
        try:
            return self.clip.audio()
        except InputError as error:
            raise Unmeasurable(str(error)) from error

    @cached_property
    def _asked(self) -> np.ndarray:
        from tbd.think.facs import perform

        return perform(self.clip.plan(), self._wanted)[self.rows[1]]

    @cached_property
    def _seams(self) -> list[int]:
        return [int(seam) for seam in (self.motion.metadata.get("seams", ()) if self.motion is not None else ())]

    @property
    def _preds_faces(self) -> np.ndarray:
        return self._faces_of(self.preds, self.prediction.video.name)

    @property
    def _target_faces(self) -> np.ndarray:
        return self._faces_of(self.target, f"the true clip {self.clip.id}")

    @staticmethod
    def _faces_of(footage: Footage, source: str) -> np.ndarray:
        if footage.faces is None:
            raise Unmeasurable(f"no face was found in {source}")
        return footage.faces
