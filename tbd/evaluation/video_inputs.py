"""`VideoInputs`: the fields that metrics read, from a predicted video and its true clip."""

from collections.abc import Hashable, Iterable, Sequence
from functools import cached_property
from typing import Any

import numpy as np

from tbd.errors import InputError
from tbd.evaluation.clip_decoding import Cutters, DecodedClip, View, count_frames, decode_clip, in_crop, window_of
from tbd.evaluation.clip_inputs import LABEL_FIELDS, ROLES, RequiredFields, Role, UnusableClip, is_paired, label_field, view_of
from tbd.evaluation.framing import frame_as_portrait
from tbd.evaluation.predictions import Prediction
from tbd.evaluation.protocol import Crop, MetricEntry, Protocol
from tbd.evaluation.references.base import ReferenceClip
from tbd.evaluation.scores import Issue
from tbd.face.motion import Motion
from tbd.face.motion_landmarks import landmarks_from_motion
from tbd.media.rates import FPS
from tbd.metrics.base import Unmeasurable

DecodedTargets = dict[Hashable, DecodedClip]
"""What was decoded of one true clip, by all that it depends on, for other predictions of the same clip."""
_FIELDS = ("frames", "points", "motion", "faces", "aligned_faces", "audio", "plan_motion", "seams", *LABEL_FIELDS)


class VideoInputs:
    """A prediction and its true clip, each decoded once. A `tbd.evaluation.clip_inputs.ClipInputs`.

    Args:
        protocol: The recipe.
        required: What its metrics read.
        clip: The true clip.
        prediction: The files of the clip under test.
        targets: What was decoded of the true clip for other predictions, to which this one adds; None where there are no others.

    Raises:
        UnusableClip: If the prediction, or the true clip, cannot be compared; the exception has the issue's kind.
    """

    def __init__(
        self,
        protocol: Protocol,
        required: RequiredFields,
        clip: ReferenceClip,
        prediction: Prediction,
        targets: DecodedTargets | None = None,
    ) -> None:
        self.protocol, self.clip, self.prediction = protocol, clip, prediction
        self.issues: list[Issue] = []
        self._required, self._tracked = required, protocol.motion == "face_mesh"
        self._name = prediction.video.name
        try:
            self._wanted = clip.frames()
        except InputError as error:
            raise UnusableClip("reference", str(error)) from error
        lengths = [self._video_length()]
        self._predicted_motion = self._load_motion()
        if self._predicted_motion is not None:
            lengths.append(len(self._predicted_motion))
        self._lengths: dict[Role, int] = {"preds": min(lengths), "target": self._wanted}
        self.rows = self._pair(min(lengths), self._wanted)
        self.preds = self._decode_prediction(lengths[0])
        self.target = self._target({} if targets is None else targets)

    def add_issue(self, kind: str, detail: str) -> None:
        """Record something odd about the clip, which stays in the numbers.

        Args:
            kind: One of `tbd.evaluation.scores.KINDS`.
            detail: One sentence.
        """
        self.issues.append(Issue(kind=kind, clip=self.clip.id, detail=detail, scored=True))

    # -- decoding --------------------------------------------------------------------------------------------------

    def _video_length(self) -> int:
        """The number of frames, after the checks that need none of them decoded."""
        try:
            length = count_frames(self.prediction.video)
        except InputError as error:
            raise UnusableClip("unreadable", str(error)) from error
        if length.missing:
            raise UnusableClip("truncated", f"{self._name} declares {length.missing} frames more than it holds; write it again")
        if abs(length.rate - FPS) > 0.01:
            self.add_issue(
                "rate", f"{self._name} has {length.rate:.3f} frames a second instead of {FPS}; frames were chosen by their times"
            )
        self._require_length(length.frames, self._name)
        return length.frames

    def _require_length(self, frames: int, name: str) -> None:
        if abs(frames - self._wanted) > self.protocol.length_tolerance:
            raise UnusableClip(
                "length",
                f"{name} lasts {frames} frames at {FPS} a second; the true clip has {self._wanted}, "
                f"and {self.protocol.id} allows {self.protocol.length_tolerance} more or fewer",
            )

    def _load_motion(self) -> Motion | None:
        if self._tracked or not self._required.any("preds", "motion", "points", "seams"):
            return None
        if self.prediction.motion is None:
            raise UnusableClip(
                "no_motion",
                f"{self.protocol.id} compares motion files; {self.clip.id}.npz should lie beside the video, or none beside any: "
                "then all are tracked",
            )
        try:
            motion = Motion.load(self.prediction.motion)
        except InputError as error:
            raise UnusableClip("no_motion", str(error)) from error
        self._require_length(len(motion), self.prediction.motion.name)
        return motion

    def _pair(self, preds: int, target: int) -> dict[Role, np.ndarray]:
        """Which frames of two clips of these lengths are compared."""
        shorter = min(preds, target)
        if self.protocol.pairing == "shorter":
            return {"preds": np.arange(shorter), "target": np.arange(shorter)}
        return {
            "preds": np.linspace(0, preds, shorter, endpoint=False).astype(int),
            "target": np.linspace(0, target, shorter, endpoint=False).astype(int),
        }

    def _views(self, role: Role) -> dict[View, tuple[np.ndarray, np.ndarray]]:
        return {view: (self._windows[view.crop], view.choose(self._rows(role, view.paired))) for view in self._required.views[role]}

    def _rows(self, role: Role, paired: bool) -> np.ndarray:
        return self.rows[role] if paired else np.arange(self._lengths[role])

    def _decoded(self, role: Role) -> DecodedClip:
        return self.preds if role == "preds" else self.target

    def _meshes(self, role: Role) -> np.ndarray:
        """(F, 478, 3): the points of the frames with a face."""
        points = self._decoded(role).points
        assert points is not None, "crops of kind eat are tracked"
        return points[np.isfinite(points).all((1, 2))]

    @cached_property
    def _face_rows(self) -> dict[Role, np.ndarray]:
        """Which of the frames with a face are compared."""
        return self._pair(len(self._meshes("preds")), len(self._meshes("target")))

    @cached_property
    def _windows(self) -> dict[Crop, np.ndarray]:
        """Of all crops, found in the true clip's portrait."""
        crops = {view.crop for views in self._required.views.values() for view in views} | {self.protocol.crop}
        whole = np.array([0.0, 0.0, 1.0])
        try:
            return {crop: window_of(crop, self.clip.face(self.protocol.size)) if crop.kind == "face" else whole for crop in crops}
        except InputError as error:
            raise UnusableClip("reference", str(error)) from error

    def _tracks(self, role: Role) -> tuple[bool, Cutters]:
        cutters = {name: cutter for name, cutter in self._required.cutters.items() if self._required.any(role, name)}
        aligns = any(view.crop.kind == "eat" for view in self._required.views[role])
        return aligns or bool(cutters) or (self._tracked and self._required.any(role, "points", "motion")), cutters

    def _decode_prediction(self, length: int) -> DecodedClip:
        from tbd.media import read_video

        views, (track, cutters) = self._views("preds"), self._tracks("preds")
        try:
            decoded = decode_clip(
                self._framed(read_video(self.prediction.video), bool(views or track)),
                views,
                None,
                track,
                cutters,
                str(self.prediction.video),
            )
        except InputError as error:
            raise UnusableClip("no_face" if "no face" in str(error) else "unreadable", str(error)) from error
        if decoded.length <= self.rows["preds"].max():
            raise UnusableClip(
                "truncated", f"{self._name} declares {length} frames, of which {decoded.length} can be decoded; write it again"
            )
        self._report_size(decoded)
        self._report_lost(decoded, self._name)
        return decoded

    def _framed(self, frames: Iterable[np.ndarray], seen: bool) -> Iterable[np.ndarray]:
        """The frames as the protocol frames them; see `tbd.evaluation.framing`."""
        if not seen or self.protocol.framing == "any":
            return frames
        framed = frame_as_portrait(frames, self.clip, self.protocol.size, self._name)
        if framed.issue is not None:
            self.add_issue("framing", framed.issue)
        return framed.frames

    def _report_size(self, decoded: DecodedClip) -> None:
        """Say so where the pictures are not the protocol's square; see `cut` for what becomes of them."""
        wanted, width, height = self.protocol.size, decoded.width, decoded.height
        if (width, height) == (wanted, wanted):
            return
        done = "its frames were resized"
        if width != height:
            done = f"its upper {width} x {width} pixels were compared" if height > width else "its lower edge was continued to a square"
        self.add_issue("size", f"{self._name} is {width} x {height} pixels instead of {wanted} x {wanted}; {done}")

    def _target(self, decoded: DecodedTargets) -> DecodedClip:
        """The true clip, as it was decoded for another prediction where all that it depends on is the same."""
        views, (track, cutters) = self._views("target"), self._tracks("target")
        if not (views or track):
            return DecodedClip()
        seen = frozenset((view, window.tobytes(), rows.tobytes()) for view, (window, rows) in views.items())
        key = (self.protocol.size, seen, track, frozenset(cutters))
        if key not in decoded:
            decoded[key] = self._decode_target(views, track, cutters)
        self._report_lost(decoded[key], "the true clip")
        return decoded[key]

    def _decode_target(self, views: dict[View, tuple[np.ndarray, np.ndarray]], track: bool, cutters: Cutters) -> DecodedClip:
        # what no metric sees need not be drawn, where the true frames are drawn
        numbers = None if track or not views else np.unique(np.concatenate([rows for _, rows in views.values()]))
        try:
            frames: Iterable[np.ndarray] | None = self.clip.video(self.protocol.size, numbers)
            if frames is None:  # there is but the portrait
                frames = [self.clip.face(self.protocol.size).image]
                views, numbers = {view: (window, np.zeros(1, int)) for view, (window, _) in views.items()}, None
            return decode_clip(frames, views, numbers, track, cutters, f"the true clip {self.clip.id}")
        except InputError as error:
            raise UnusableClip("reference", str(error)) from error

    def _report_lost(self, decoded: DecodedClip, name: str) -> None:
        if decoded.lost:
            self.add_issue("no_face", f"no face was found in {decoded.lost} of {decoded.length} frames of {name}")

    # -- fields ----------------------------------------------------------------------------------------------------

    def inputs(self, reads: Sequence[str], entry: MetricEntry) -> list[Any]:
        """Collect what a metric's `update` takes.

        Args:
            reads: The metric's fields, in order.
            entry: The metric's line in the protocol.

        Returns:
            One value for each of `reads`.

        Raises:
            Unmeasurable: If the clip lacks one of them.
            InputError: If a field cannot be had under this protocol.
        """
        return [self._field(name, entry, reads) for name in reads]

    def _field(self, name: str, entry: MetricEntry, reads: Sequence[str]) -> Any:
        first, _, what = name.partition(".")
        if first not in ROLES or what not in _FIELDS:
            raise InputError(f"{entry.metric.class_path} reads {name}, which {self.protocol.id} cannot give: it compares clip with clip.")
        role: Role = "preds" if first == "preds" else "target"
        if what == "frames":
            return self._frames(role, entry, reads)
        if what == "points":
            return self._points(role, entry, reads)
        if what == "motion":
            return self._motion(role).values[self.rows[role]]
        if what in self._required.cutters:
            return self._faces(role, what)
        if what in LABEL_FIELDS:
            return label_field(self.clip, what)
        return getattr(self, f"_{what}")  # audio, plan_motion, seams

    def _frames(self, role: Role, entry: MetricEntry, reads: Sequence[str]) -> np.ndarray:
        view = view_of(self.protocol, entry, reads)
        frames = self._decoded(role).frames[view]
        if view.crop.kind != "eat":
            return frames
        return frames[view.choose(self._face_rows[role] if view.paired else np.arange(len(frames)))]

    def _points(self, role: Role, entry: MetricEntry, reads: Sequence[str]) -> np.ndarray:
        points = self._points_of_rows(role, entry, is_paired(self.protocol, reads))
        if entry.frames is None or f"{role}.frames" not in reads or len(points) == 1:
            return points
        return points[view_of(self.protocol, entry, reads).choose(np.arange(len(points)))]  # of the frames that it sees

    def _points_of_rows(self, role: Role, entry: MetricEntry, paired: bool) -> np.ndarray:
        if not self._tracked:
            return self._exact_points[role][self._rows(role, paired)]
        crop, decoded = entry.crop or self.protocol.crop, self._decoded(role)
        if crop.kind == "eat":  # pixels of the whole picture: who reads them aligns them
            return self._meshes(role)[self._face_rows[role]] if paired else self._meshes(role)
        assert decoded.points is not None, "a protocol that tracks has tracked whatever its metrics read"
        points = in_crop(decoded.points, decoded.width, self._windows[crop], crop.size)
        if not paired:
            return points[: self._lengths[role]]
        return points if len(points) == 1 else points[self.rows[role]]

    @cached_property
    def _exact_points(self) -> dict[Role, np.ndarray]:
        return {role: landmarks_from_motion(self._motion(role)) for role in ROLES if self._required.any(role, "points")}

    def _motion(self, role: Role) -> Motion:
        if role == "preds":
            motion = self.preds.motion if self._tracked else self._predicted_motion
        else:
            motion = self.target.motion if self._tracked else self.clip.motion()
        if motion is None:
            raise InputError(f"The true motion of {self.clip.id} is not known; a protocol over it must track (motion: face_mesh).")
        return motion

    @cached_property
    def _audio(self) -> np.ndarray:
        from tbd.media import read_audio

        try:
            return read_audio(self.prediction.video)
        except InputError as error:
            self.add_issue("silent", f"{error} The true clip's sound was used instead")
        try:
            return self.clip.audio()
        except InputError as error:
            raise Unmeasurable(str(error)) from error

    @cached_property
    def _plan_motion(self) -> np.ndarray:
        from tbd.think.facs import perform

        return perform(self.clip.plan(), self._wanted)[self.rows["target"]]

    @cached_property
    def _seams(self) -> list[int]:
        if self._tracked:
            raise Unmeasurable("Pixels do not show where windows meet; a motion file does.")
        return [int(seam) for seam in self._motion("preds").metadata.get("seams", ())]

    def _faces(self, role: Role, field: str) -> np.ndarray:
        faces = self._decoded(role).faces.get(field)
        if faces is None:
            source = self.prediction.video.name if role == "preds" else f"the true clip {self.clip.id}"
            raise Unmeasurable(f"no face was found in {source}")
        return faces
