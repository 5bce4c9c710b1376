"""What one clip's prediction and reference show, in the fields that metrics read (see `tbd.metrics.base`)."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from tbd.errors import InputError, TBDError
from tbd.evaluation.clip_decoding import Chips, DecodedClip, View, count_frames, decode_clip, in_crop, window_of
from tbd.evaluation.predictions import Prediction
from tbd.evaluation.protocol import Crop, MetricEntry, Protocol
from tbd.evaluation.references.base import ReferenceClip
from tbd.evaluation.scores import Issue
from tbd.face.motion import Motion
from tbd.face.motion_landmarks import landmarks_from_motion
from tbd.media.rates import FPS
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


def view_of(protocol: Protocol, entry: MetricEntry, reads: Sequence[str]) -> View:
    """What a metric that reads `reads` sees of frames."""
    return View(entry.crop or protocol.crop, entry.frames, _alone(protocol, reads))


def _alone(protocol: Protocol, reads: Sequence[str]) -> bool:
    """Whether a metric looks at one side's frames and points without the other's, which then keep their own pace."""
    looks = {side for side in ("preds", "target") if {f"{side}.frames", f"{side}.points"} & set(reads)}
    return protocol.pairing == "linspace" and len(looks) == 1


@dataclass(frozen=True)
class RequiredFields:
    """What a protocol's metrics read, so that nothing else is computed.

    Args:
        fields: ``preds.frames`` and so on.
        views: of frames, by side.
        chips: cuts face chips, where a metric reads them.
    """

    fields: frozenset[str]
    views: dict[str, frozenset[View]]
    chips: Chips | None = None

    @classmethod
    def of(cls, protocol: Protocol, reads: Sequence[Sequence[str]], chips: Chips | None = None) -> "RequiredFields":
        """Of a protocol whose metrics' classes read `reads`, one by one."""
        views = {
            side: frozenset(view_of(protocol, e, fields) for e, fields in zip(protocol.metrics, reads) if f"{side}.frames" in fields)
            for side in ("preds", "target")
        }
        return cls(frozenset(f for fields in reads for f in fields), views, chips)

    def any(self, side: str, *names: str) -> bool:
        return any(f"{side}.{name}" in self.fields for name in names)


class ClipInputs:
    """One clip, looked at once on either side.

    Args:
        protocol: the recipe.
        needs: what will be asked for.
        clip: the true one.
        prediction: of it.

    Raises:
        Unusable: the prediction, or the true clip, cannot be compared; the reason is an issue's kind.
    """

    def __init__(self, protocol: Protocol, needs: RequiredFields, clip: ReferenceClip, prediction: Prediction) -> None:
        self.protocol, self.clip, self.prediction = protocol, clip, prediction
        self.issues: list[Issue] = []
        self._needs, self._tracked = needs, protocol.motion == "face_mesh"
        self._name = prediction.video.name
        try:
            self._wanted = clip.frames()
        except InputError as error:
            raise Unusable("reference", str(error)) from error
        lengths = [self._video_length()]
        self._given = self._motion_file()
        if self._given is not None:
            lengths.append(len(self._given))
        self._lengths = {"preds": min(lengths), "target": self._wanted}
        self.rows = self._pair(**self._lengths)
        self.preds = self._look_at_prediction(lengths[0])
        self.target = self._look_at_target()

    def note(self, kind: str, detail: str) -> None:
        """An issue of a clip that stays in the numbers."""
        self.issues.append(Issue(kind=kind, clip=self.clip.id, detail=detail, scored=True))

    # -- looking ---------------------------------------------------------------------------------------------------

    def _video_length(self) -> int:
        """Frames, and all that can be said before one is decoded."""
        try:
            length = count_frames(self.prediction.video)
        except InputError as error:
            raise Unusable("unreadable", str(error)) from error
        if length.missing:
            raise Unusable("truncated", f"{self._name} declares {length.missing} frames more than it holds; write it again")
        if abs(length.rate - FPS) > 0.01:
            self.note("rate", f"{self._name} has {length.rate:.3f} frames a second instead of {FPS}; frames were chosen by their times")
        self._require_length(length.frames, self._name)
        return length.frames

    def _require_length(self, frames: int, name: str) -> None:
        if abs(frames - self._wanted) > self.protocol.length_tolerance:
            raise Unusable(
                "length",
                f"{name} lasts {frames} frames at {FPS} a second; the true clip has {self._wanted}, "
                f"and {self.protocol.id} allows {self.protocol.length_tolerance} more or fewer",
            )

    def _motion_file(self) -> Motion | None:
        if self._tracked or not self._needs.any("preds", "motion", "points", "seams"):
            return None
        if self.prediction.motion is None:
            raise Unusable(
                "no_motion",
                f"{self.protocol.id} compares motion files; {self.clip.id}.npz should lie beside the video, or none beside any: "
                "then all are tracked",
            )
        try:
            motion = Motion.load(self.prediction.motion)
        except InputError as error:
            raise Unusable("no_motion", str(error)) from error
        self._require_length(len(motion), self.prediction.motion.name)
        return motion

    def _pair(self, preds: int, target: int) -> dict[str, np.ndarray]:
        """Which of so many frames of either side are compared."""
        shorter = min(preds, target)
        if self.protocol.pairing == "shorter":
            return {"preds": np.arange(shorter), "target": np.arange(shorter)}
        return {side: np.linspace(0, n, shorter, endpoint=False).astype(int) for side, n in (("preds", preds), ("target", target))}

    def _views(self, side: str) -> dict[View, tuple[np.ndarray, np.ndarray]]:
        return {view: (self._windows[view.crop], view.choose(self._rows(side, view.alone))) for view in self._needs.views[side]}

    def _rows(self, side: str, alone: bool) -> np.ndarray:
        return np.arange(self._lengths[side]) if alone else self.rows[side]

    def _meshes(self, side: str) -> np.ndarray:
        """(F, 478, 3): the points of the frames with a face."""
        points = getattr(self, side).points
        return points[np.isfinite(points).all((1, 2))]

    @cached_property
    def _face_rows(self) -> dict[str, np.ndarray]:
        """Which of the frames with a face are compared."""
        return self._pair(**{side: len(self._meshes(side)) for side in ("preds", "target")})

    @cached_property
    def _windows(self) -> dict[Crop, np.ndarray]:
        """Of all crops, found in the true clip's portrait."""
        crops = {view.crop for views in self._needs.views.values() for view in views} | {self.protocol.crop}
        whole = np.array([0.0, 0.0, 1.0])
        try:
            return {crop: window_of(crop, self.clip.face(self.protocol.size)) if crop.kind == "face" else whole for crop in crops}
        except InputError as error:
            raise Unusable("reference", str(error)) from error

    def _tracks(self, side: str) -> tuple[bool, Chips | None]:
        chips = self._needs.chips if self._needs.any(side, "faces") else None
        aligns = any(view.crop.kind == "eat" for view in self._needs.views[side])
        return aligns or chips is not None or (self._tracked and self._needs.any(side, "points", "motion")), chips

    def _look_at_prediction(self, length: int) -> DecodedClip:
        from tbd.media import read_video

        views, (track, chips) = self._views("preds"), self._tracks("preds")
        try:
            seen = decode_clip(read_video(self.prediction.video), views, None, track, chips, str(self.prediction.video))
        except InputError as error:
            raise Unusable("no_face" if "no face" in str(error) else "unreadable", str(error)) from error
        if seen.length <= self.rows["preds"].max():
            raise Unusable("truncated", f"{self._name} declares {length} frames, of which {seen.length} can be decoded; write it again")
        self._note_size(seen)
        self._note_lost(seen, self._name)
        return seen

    def _note_size(self, seen: DecodedClip) -> None:
        """Say so where the pictures are not the protocol's square; see `cut` for what becomes of them."""
        wanted, width, height = self.protocol.size, seen.side, seen.height
        if (width, height) == (wanted, wanted):
            return
        done = "its frames were resized"
        if width != height:
            done = f"its upper {width} x {width} pixels were compared" if height > width else "its lower edge was continued to a square"
        self.note("size", f"{self._name} is {width} x {height} pixels instead of {wanted} x {wanted}; {done}")

    def _look_at_target(self) -> DecodedClip:
        views, (track, chips) = self._views("target"), self._tracks("target")
        if not (views or track):
            return DecodedClip()
        # what no metric sees need not be drawn, where the true frames are drawn
        numbers = None if track or not views else np.unique(np.concatenate([rows for _, rows in views.values()]))
        try:
            frames = self.clip.video(self.protocol.size, numbers)
            if frames is None:  # there is but the portrait
                frames = [self.clip.face(self.protocol.size).image]
                views, numbers = {view: (window, np.zeros(1, int)) for view, (window, _) in views.items()}, None
            seen = decode_clip(frames, views, numbers, track, chips, f"the true clip {self.clip.id}")
        except InputError as error:
            raise Unusable("reference", str(error)) from error
        self._note_lost(seen, "the true clip")
        return seen

    def _note_lost(self, seen: DecodedClip, name: str) -> None:
        if seen.lost:
            self.note("no_face", f"no face was found in {seen.lost} of {seen.length} frames of {name}")

    # -- fields ----------------------------------------------------------------------------------------------------

    def inputs(self, reads: Sequence[str], entry: MetricEntry) -> list[Any]:
        """What a metric's `update` takes."""
        return [self.field(name, entry, reads) for name in reads]

    def field(self, name: str, entry: MetricEntry, reads: Sequence[str]) -> Any:
        """One field of those that a metric reads; see `tbd.metrics.base`."""
        side, _, what = name.partition(".")
        if what in ("frames", "points"):
            return getattr(self, f"_{what}")(side, entry, reads)
        if what == "emotion":
            return EMOTIONS.index(self._emotion)
        if what == "motion":
            return self._motion(side)
        found = {
            "audio": "_audio",
            "asked": "_asked",
            "seams": "_seams",
            "faces": f"_{side}_faces",
            "intensity": "_intensity",
            "bilabials": "_bilabials",
        }.get(what)
        if found is None:
            raise InputError(f"{entry.metric.class_path} reads {name}, which {self.protocol.id} cannot give: it compares clip with clip.")
        return getattr(self, found)

    def _frames(self, side: str, entry: MetricEntry, reads: Sequence[str]) -> np.ndarray:
        view = view_of(self.protocol, entry, reads)
        frames = getattr(self, side).frames[view]
        if view.crop.kind != "eat":
            return frames
        return frames[view.choose(np.arange(len(frames)) if view.alone else self._face_rows[side])]

    def _points(self, side: str, entry: MetricEntry, reads: Sequence[str]) -> np.ndarray:
        alone = _alone(self.protocol, reads)
        if not self._tracked:
            return self._exact_points[side][self._rows(side, alone)]
        crop, footage = entry.crop or self.protocol.crop, getattr(self, side)
        if crop.kind == "eat":  # pixels of the whole picture: who reads them aligns them
            return self._meshes(side) if alone else self._meshes(side)[self._face_rows[side]]
        points = in_crop(footage.points, footage.side, self._windows[crop], crop.size)
        if alone:
            return points[: self._lengths[side]]
        return points if len(points) == 1 else points[self.rows[side]]

    @cached_property
    def _exact_points(self) -> dict[str, np.ndarray]:
        motions = {side: self._moves(side) for side in ("preds", "target") if self._needs.any(side, "points")}
        return {side: landmarks_from_motion(motion) for side, motion in motions.items()}

    def _motion(self, side: str) -> np.ndarray:
        return self._moves(side).values[self.rows[side]]

    def _moves(self, side: str) -> Motion:
        if side == "preds":
            motion = self.preds.motion if self._tracked else self._given
        else:
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

    @property
    def _bilabials(self) -> np.ndarray:
        times = self.clip.bilabials()
        if times is None:
            raise Unmeasurable(f"nobody says when the lips of {self.clip.id} should close")
        return times

    @cached_property
    def _audio(self) -> np.ndarray:
        from tbd.media import read_audio

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

        return perform(self.clip.plan(), self._wanted)[self.rows["target"]]

    @cached_property
    def _seams(self) -> list[int]:
        if self._tracked:
            raise Unmeasurable("Pixels do not tell where windows meet; a motion file does.")
        return [int(seam) for seam in self._moves("preds").metadata.get("seams", ())]

    @property
    def _preds_faces(self) -> np.ndarray:
        return self._faces_of(self.preds, self.prediction.video.name)

    @property
    def _target_faces(self) -> np.ndarray:
        return self._faces_of(self.target, f"the true clip {self.clip.id}")

    @staticmethod
    def _faces_of(footage: DecodedClip, source: str) -> np.ndarray:
        if footage.faces is None:
            raise Unmeasurable(f"no face was found in {source}")
        return footage.faces
