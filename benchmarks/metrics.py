"""Does every metric move the right way when its subject is spoilt? Clips are rendered, spoilt in one way each, and measured.

Protocol ``metrics-1``. A face babbles (syllables and rests drawn from a seed, the voice's loudness following the jaw) with an
emotion that comes and goes; its clips are rendered and tracked. Where third-party weights are not on this machine, networks
of the official shape stand for them, with random layers or with a last layer fitted on other clips (`benchmarks.stand_ins`): the
table then shows that the metric moves, not by how much the published network would.

    python -m benchmarks.metrics --output benchmarks/results/metrics.json
"""

import tempfile
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property, partial
from pathlib import Path
from typing import Any, get_args

import cv2
import numpy as np
import torch
from torch import Tensor

from benchmarks import stand_ins
from benchmarks.common import ASTRONAUT, environment, load_portraits, run, table, write_results
from tbd import metrics
from tbd.face.channels import BLENDSHAPES, INDEX
from tbd.face.geometry import FaceGeometry
from tbd.face.motion import Motion
from tbd.face.render.renderer import DrawFrame, MeshWarpRenderer
from tbd.face.tracker import FaceMeshTracker
from tbd.media.rates import FPS, SAMPLE_RATE, SAMPLES_PER_FRAME
from tbd.metrics.faces.crops import face_chips
from tbd.metrics.faces.face_points import track_points
from tbd.metrics.networks.inception import Flavour
from tbd.think.emotions import EMOTION_SPECS, EMOTIONS, Emotion
from tbd.think.facs import perform
from tbd.think.plan import MuscleAction, MusclePlan
from tbd.weights import WeightsNotFoundError

PROTOCOL = "metrics-1"
SHIFT = 5
"""Frames by which sound or motion is shifted."""
_PITCH = 130.0


def babble(frames: int, seed: int) -> tuple[np.ndarray, Motion]:
    """A voice and lips in step: syllables of 3 to 6 frames, a rest after every few, and one rest of half a second.

    Returns:
        (frames · 640,) float32 audio, and the motion of jaw, lips, lids and head.
    """
    rng = np.random.default_rng(seed)
    opening = np.zeros(frames)
    start, rest = 2, frames // 2
    while start < frames - 3:
        length = int(rng.integers(3, 7))
        if not rest - 3 < start + length / 2 < rest + 14 and rng.random() > 0.15:
            opening[start : start + length] = (rng.uniform(0.4, 1) * np.sin(np.linspace(0, np.pi, length + 2)[1:-1]))[: frames - start]
        start += length
    motion = Motion.zeros(frames)
    motion["jawOpen"] = 0.7 * opening
    motion["mouthLowerDownLeft"] = motion["mouthLowerDownRight"] = 0.4 * opening
    for blink in range(int(rng.integers(5, 20)), frames - 4, 45):
        for name in ("eyeBlinkLeft", "eyeBlinkRight"):
            motion[name][blink : blink + 4] = (0.6, 1, 0.8, 0.3)
    time = np.arange(frames) / FPS
    motion["headYaw"] = 0.06 * np.sin(2 * np.pi * 0.3 * time + rng.uniform(0, 6))
    motion["headPitch"] = 0.04 * np.sin(2 * np.pi * 0.45 * time + rng.uniform(0, 6))
    # A frame lasts from its own time on, so its opening stands in the middle of its samples.
    samples = np.interp(np.arange(frames * SAMPLES_PER_FRAME) / SAMPLES_PER_FRAME - 0.5, np.arange(frames), opening)
    phase = 2 * np.pi * _PITCH * np.arange(len(samples)) / SAMPLE_RATE
    voice = sum(np.sin(k * phase) / k ** (2.2 - samples) for k in range(1, 20))
    return (0.15 * samples * voice + 1e-4 * rng.standard_normal(len(samples))).astype(np.float32), motion


def emotional_plan(emotion: Emotion, seconds: float, intensity: float = 1.0) -> MusclePlan:
    """The emotion's prototype, coming up in the first third and fading after the second."""
    actions = tuple(
        MuscleAction(unit=unit, side=side, intensity=level * intensity, onset=seconds / 6, offset=seconds * 2 / 3)
        for unit, side, level in EMOTION_SPECS[emotion].prototypes[0]
    )
    return MusclePlan(emotions={emotion: 1.0}, intensity=intensity, actions=actions)


@dataclass
class Performance:
    """One rendered clip, with all that metrics read of it."""

    face: FaceGeometry
    emotion: Emotion
    seed: int
    length: int
    intensity: float = 1.0
    prepared: DrawFrame | None = None
    """The portrait as the renderer prepares it, for several clips of one face."""

    @cached_property
    def asked(self) -> Tensor:
        """(T, 58) the plan alone."""
        plan = emotional_plan(self.emotion, self.length / FPS, self.intensity)
        return torch.from_numpy(perform(plan, self.length))

    @cached_property
    def babble(self) -> tuple[np.ndarray, Motion]:
        return babble(self.length, self.seed)

    @property
    def audio(self) -> Tensor:
        return torch.from_numpy(self.babble[0])

    @cached_property
    def motion(self) -> Tensor:
        """(T, 58) what is rendered: babble and plan together."""
        values, count = self.babble[1].values.copy(), len(BLENDSHAPES)
        asked = self.asked.numpy()
        values[:, :count] = 1 - (1 - values[:, :count]) * (1 - asked[:, :count])
        values[:, count:] += asked[:, count:]
        return torch.from_numpy(values)

    @cached_property
    def frames(self) -> Tensor:
        drawn = MeshWarpRenderer(workers=1).render_values(self.face, Motion(self.motion.numpy()).clamped().values, self.prepared)
        return torch.from_numpy(np.stack(list(drawn)).transpose(0, 3, 1, 2).copy())

    @cached_property
    def points(self) -> np.ndarray:
        return track_points(self.frames)

    @cached_property
    def faces(self) -> Tensor:
        return face_chips(self.frames, self.points)


# ------------------------------------------------------------------------------------------------------------ spoiling


def shifted(values: Any, by: int) -> Any:
    """The same later by `by` steps; the first one stands until then."""
    return torch.cat([torch.as_tensor(values)[:1].expand(by, *values.shape[1:]), torch.as_tensor(values)[:-by]])


def blurred(frames: Tensor, sigma: float = 2.0) -> Tensor:
    pictures = [cv2.GaussianBlur(frame, (0, 0), sigma) for frame in frames.permute(0, 2, 3, 1).numpy()]
    return torch.from_numpy(np.stack(pictures).transpose(0, 3, 1, 2).copy())


def jittered(values: Any, size: float) -> Tensor:
    values = torch.as_tensor(values)
    return values + size * torch.randn(values.shape, generator=torch.Generator().manual_seed(0))


def another_face(face: FaceGeometry) -> FaceGeometry:
    """Someone else, where only one portrait is at hand: the face a fifth narrower, its colours turned."""
    height, width = face.image.shape[:2]
    narrow = cv2.resize(face.image, (round(width * 0.8), height))
    side = (width - narrow.shape[1]) // 2
    image = cv2.copyMakeBorder(narrow, 0, 0, side, width - narrow.shape[1] - side, cv2.BORDER_REPLICATE)
    return FaceMeshTracker().locate(np.ascontiguousarray(image[..., [2, 0, 1]] // 4 * 3), "the other face")


# ------------------------------------------------------------------------------------------------------------- effects


@dataclass(frozen=True)
class Effect:
    """One row: a metric on a clean and on a spoilt subject.

    Args:
        metric: its class, with what of its arguments matters.
        spoiling: what was done.
        clean, spoilt: the numbers.
        unit: theirs.
        better: which way is better: 1 up, −1 down, 0 neither (the spoiling must then bring it to 0).
        weights: "" where none are needed, ``published``, ``random`` or ``fitted``.
    """

    metric: str
    spoiling: str
    clean: float
    spoilt: float
    unit: str
    better: int
    weights: str = ""

    @property
    def right(self) -> bool:
        """Whether the number moved the right way, by more than a hundredth of the larger one."""
        change = self.spoilt - self.clean
        if abs(change) <= 0.01 * max(abs(self.clean), abs(self.spoilt)):
            return False
        return change * self.better < 0 if self.better else abs(self.spoilt) < 0.01 * abs(self.clean)


def effect(metric: metrics.ClipMetric, spoiling: str, clean: tuple, spoilt: tuple, name: str = "", weights: str = "") -> Effect:
    """Measure one clean and one spoilt subject."""
    found = []
    for inputs in (clean, spoilt):
        metric.reset()
        metric.update(*inputs)
        found.append(float(metric.compute()))
    better = {True: 1, False: -1, None: 0}[metric.higher_is_better]
    return Effect(type(metric).__name__ + name, spoiling, *found, metric.unit, better, weights)


def published_or(build: Callable[..., Any], weights: Callable[[], Path], **options: Any) -> tuple[Any, str]:
    """A metric with its registered weights where they are on this machine, else with a stand-in's."""
    try:
        return build(**options), "published"
    except WeightsNotFoundError:
        return build(weights=weights(), **options), "random"


def geometry(happy: Performance, sad: Performance) -> list[Effect]:
    """Landmarks, lips, muscles."""
    late, noisy = shifted(happy.points, SHIFT), jittered(happy.points, 1.5)
    clean = (jittered(happy.points, 0.1), happy.points)
    rows = [
        effect(kind(form), what, clean, (spoilt, happy.points), f" ({form})")
        for kind in (metrics.MouthLandmarkDistance, metrics.FaceLandmarkDistance)
        for form in ("inter-ocular", "eat-px128")
        for what, spoilt in ((f"{SHIFT} frames late", late), ("jitter of 1.5 px", noisy))
    ]
    correlation = metrics.ApertureCorrelation(max_lag=0)
    still = metrics.ApertureCorrelation()
    return [
        *rows,
        effect(correlation, f"{SHIFT} frames late, lag 0", clean, (late, happy.points)),
        effect(still, "other words", clean, (sad.points, happy.points)),
        effect(metrics.ActionUnitFidelity(), "plan of another emotion", (happy.motion, happy.asked), (happy.motion, sad.asked)),
        effect(metrics.KeypointDistance(), f"{SHIFT} frames late", clean, (late, happy.points)),
        effect(metrics.LipDrift(), "other words", (happy.points, happy.points), (sad.points, happy.points)),
    ]


def dynamics(happy: Performance, sad: Performance) -> list[Effect]:
    """Head, lids, rest, smoothness, seams, sets of motions, the knob."""
    still, awake = happy.motion.clone(), happy.motion.clone()
    still[:, len(BLENDSHAPES) :] = still[:1, len(BLENDSHAPES) :]
    awake[:, [INDEX["eyeBlinkLeft"], INDEX["eyeBlinkRight"]]] = 0
    seam, joined = happy.length // 2, happy.motion.clone()
    joined[seam:, : len(BLENDSHAPES)] = (joined[seam:, : len(BLENDSHAPES)] + 0.3).clamp(max=1)
    noisy = jittered(happy.points, 1.5)
    frozen, like = happy.motion[:1].expand_as(happy.motion), Performance(happy.face, happy.emotion, happy.seed + 20, happy.length).motion
    both = [happy.motion, sad.motion]
    sweep = [Performance(happy.face, "happy", happy.seed, happy.length, level) for level in (0.0, 0.25, 0.5, 0.75, 1.0)]
    levels = [performance.intensity for performance in sweep]
    knob, dead = [performance.motion for performance in sweep], [happy.motion] * len(sweep)
    return [
        effect(metrics.HeadMotionDiversity(), "head held still", (happy.motion,), (still,)),
        effect(metrics.BlinkRate(), "no blinks", (happy.motion,), (awake,)),
        effect(metrics.SilenceLipEnergy(), "jitter of 1.5 px", (happy.points, happy.audio), (noisy, happy.audio)),
        effect(metrics.Jerk(), "jitter of 1.5 px", (happy.points,), (noisy,)),
        effect(metrics.SeamJump(), "0.3 added from the seam on", (happy.motion, [seam]), (joined, [seam])),
        effect(metrics.FrechetMotionDistance(), "frozen face", (happy.motion, like), (frozen, like)),
        effect(metrics.FrechetMotionDistance(), "jitter of 0.1", (happy.motion, like), (jittered(happy.motion, 0.1), like)),
        effect(metrics.IntensityMonotonicity(), "condition without effect", (knob, levels), (dead, levels)),
        _separation(both, [happy.motion, happy.motion]),
        *reenactment(happy, sad, like),
        *theval(happy, sad, still),
    ]


def theval(happy: Performance, sad: Performance, still: Tensor) -> list[Effect]:
    """THEval's five of motion and sound; a frozen face has none of them."""
    frozen = np.repeat(happy.points[:1], happy.length, 0)
    return [
        effect(metrics.LipShapeVariance(), "frozen face", (happy.points,), (frozen,)),
        effect(metrics.EyebrowActivity(), "frozen face", (happy.points,), (frozen,)),
        effect(metrics.HeadMotionComplexity(), "head held still", (happy.motion, happy.points), (still, frozen)),
        effect(metrics.SilentLipDeviation(), "frozen face", (happy.points, happy.audio), (frozen, happy.audio)),
        effect(metrics.LoudnessLipDifference(), "sound of other words", (happy.points, happy.audio), (happy.points, sad.audio)),
    ]


def reenactment(happy: Performance, sad: Performance, like: Tensor) -> list[Effect]:
    """Distances of coefficients and of vertices, and the head's beats."""
    twice, other = (happy.motion, happy.motion), (sad.motion, happy.motion)
    frozen, calm = happy.motion[:1].expand_as(happy.motion), happy.motion.clone()
    calm[:, [INDEX[name] for name in BLENDSHAPES if name.startswith(("brow", "eye", "cheek"))]] = 0
    still = happy.motion.clone()
    still[:, len(BLENDSHAPES) :] = 0
    return [
        effect(metrics.ExpressionDistance(), "muscles of another emotion", (like, happy.motion), other),
        effect(metrics.PoseDistance(), "head of another clip", twice, other),
        effect(metrics.ExpressionFID(), "frozen face", (happy.motion, like), (frozen, like)),
        effect(metrics.MotionLipVertexError(), f"{SHIFT} frames late", twice, (shifted(happy.motion, SHIFT), happy.motion)),
        effect(metrics.MotionUpperFaceDeviation(), "upper face held still", twice, (calm, happy.motion)),
        effect(metrics.BeatAlignment(), "head held still", (happy.motion, happy.audio), (still, happy.audio)),
    ]


def _separation(apart: Sequence[Tensor], alike: Sequence[Tensor]) -> Effect:
    found, metric = [], metrics.EmotionSeparation()
    for motions in (apart, alike):
        metric.reset()
        for emotion, motion in zip(("happy", "sad"), motions):
            metric.update(motion, EMOTIONS.index(emotion))
        found.append(float(metric.compute()))
    return Effect("EmotionSeparation", "condition without effect", *found, metric.unit, 1)


def plan_following(happy: Performance, sad: Performance) -> list[Effect]:
    """Do lips and muscles do what sounds and plan ask?"""
    like = Performance(happy.face, happy.emotion, happy.seed + 20, happy.length).motion
    rests = np.flatnonzero(happy.babble[1]["jawOpen"] == 0)  # stand for b, p and m
    said, pressed, parted = np.stack([rests, rests + 1], 1) / FPS, happy.motion.clone(), happy.motion.clone()
    pressed[rests, INDEX["mouthClose"]], pressed[rests, INDEX["jawOpen"]] = 0.1, 0.1
    parted[rests, INDEX["jawOpen"]] = 0.1
    ignored = torch.from_numpy(sad.babble[1].values)
    late = shifted(happy.motion, SHIFT)
    return [
        effect(metrics.LipClosure(), "lips parted", (pressed, said), (parted, said)),
        effect(metrics.ChannelCorrelation("jawOpen"), f"{SHIFT} frames late", (happy.motion,) * 2, (late, happy.motion), " (jawOpen)"),
        effect(metrics.RegionError(), "muscles of another emotion", (like, happy.motion), (sad.motion, happy.motion)),
        effect(metrics.ActionUnitGain(), "plan ignored", (sad.motion, sad.asked), (ignored, sad.asked)),
        effect(metrics.PlannedUnitF1(), "plan ignored", (happy.motion, happy.asked), (ignored, happy.asked)),
        effect(metrics.PlannedUnitTiming(), f"{SHIFT} frames late", (happy.motion, happy.asked), (late, happy.asked)),
        effect(metrics.ActionUnitF1(), "muscles of another emotion", (like, happy.motion), (sad.motion, happy.motion)),
        _variety([like, sad.motion], [happy.motion, happy.motion]),
        _read_off(happy.face, happy.length),
    ]


def _variety(apart: Sequence[Tensor], alike: Sequence[Tensor]) -> Effect:
    found, metric = [], metrics.MotionDiversity()
    for motions in (apart, alike):
        metric.reset()
        for motion in motions:
            metric.update(motion)
        found.append(float(metric.compute()))
    return Effect("MotionDiversity", "one face for all clips", *found, metric.unit, 0)


def _read_off(face: FaceGeometry, length: int) -> Effect:
    """Five clips of two emotions, drawn as recorded and each as the other."""
    found, metric = [], metrics.MotionEmotionAccuracy()
    clips = [[Performance(face, emotion, 30 + i, length).motion for emotion in ("happy", "sad")] for i in range(5)]
    for drawn in (slice(None), slice(None, None, -1)):
        metric.reset()
        for pair in clips:
            for motion, target, emotion in zip(pair[drawn], pair, ("happy", "sad")):
                metric.update(motion, target, EMOTIONS.index(emotion))
        found.append(float(metric.compute()))
    return Effect("MotionEmotionAccuracy", "emotion swapped", *found, metric.unit, 1)


def pixels(happy: Performance, folder: Path) -> list[Effect]:
    """PSNR, SSIM, LPIPS, sharpness: frames blurred, against frames coded once (noise of one level)."""
    target, blur = happy.frames[::5], blurred(happy.frames[::5])
    clean = ((target.float() + torch.randint(-1, 2, target.shape, generator=torch.Generator().manual_seed(0))).clamp(0, 255).byte(), target)
    lpips, weights = published_or(metrics.FrameLPIPS, lambda: stand_ins.random_backbone(folder / "alexnet.pth"), backbone="alex")
    return [
        effect(metrics.FramePSNR(), "blur of 2 px", clean, (blur, target)),
        effect(metrics.FrameSSIM(), "blur of 2 px", clean, (blur, target)),
        effect(lpips, "blur of 2 px", clean, (blur, target), " (alex)", weights),
        effect(metrics.Sharpness(every=1), "blur of 2 px", (target,), (blur,)),
        effect(
            metrics.NoReferenceQuality(make=lambda name: stand_ins.Detail()),
            "pictures of one grey",
            (target,),
            (torch.full_like(target, 128),),
            " (detail)",
            "none",
        ),
    ]


def sets(happy: Performance, sad: Performance, folder: Path, frames: int) -> list[Effect]:
    """FID in its five flavours, KID, FVD: frames blurred, against other frames of the same face."""
    step = max(happy.length // frames, 1)
    ours, theirs = happy.frames[::step], sad.frames[::step]
    blur, rows = blurred(ours), []
    for flavour in get_args(Flavour):
        file = partial(_once, folder / ("imagenet.pth" if flavour == "eat" else "inception.pth"), flavour)
        fid, weights = published_or(metrics.FrameFID, file, flavour=flavour, allow_biased=True)
        rows.append(_against(fid, theirs, ours, blur, f" ({flavour})", weights))
    kid, weights = published_or(metrics.FrameKID, lambda: folder / "inception.pth")
    fvd = metrics.FrechetVideoDistance(stand_ins.RandomVideoNetwork())
    return [
        *rows,
        _against(kid, theirs, ours, blur, "", weights),
        effect(fvd, "blur of 2 px", (happy.frames, sad.frames), (blurred(happy.frames), sad.frames), " (a random layer)", "random"),
    ]


def _against(metric: metrics.ClipMetric, theirs: Tensor, ours: Tensor, blur: Tensor, name: str, weights: str) -> Effect:
    """Blur, seen by a distance of sets: the other set goes through the network once."""
    metric.update(None, theirs)
    spoilt = metric.clone()
    for each, frames in ((metric, ours), (spoilt, blur)):
        each.update(frames, None)
    return Effect(type(metric).__name__ + name, "blur of 2 px", float(metric.compute()), float(spoilt.compute()), metric.unit, -1, weights)


def _once(path: Path, flavour: Flavour) -> Path:
    """Four flavours share one network."""
    return path if path.exists() else stand_ins.random_inception(path, flavour)


def knowledge(happy: Performance, sad: Performance, teachers: Sequence[Performance], stranger: Performance, folder: Path) -> list[Effect]:
    """Lip sync, emotion, identity."""
    fitted = [(clip.frames, clip.audio, clip.points) for clip in teachers]
    state = stand_ins.fit_syncnet(folder / "syncnet.pth", fitted)
    late = torch.cat([torch.zeros(SHIFT * SAMPLES_PER_FRAME), happy.audio])[: len(happy.audio)]
    felt = slice(happy.length // 3, happy.length * 2 // 3)
    classifier = stand_ins.RidgeEmotionClassifier([(clip.faces[felt], clip.emotion) for clip in teachers])
    identity = metrics.IdentitySimilarity(stand_ins.PixelEmbedder())
    return [
        *_lip_sync(state, happy, sad.audio, late),
        effect(
            metrics.EmotionAccuracy(classifier), "emotion swapped", (happy.faces[felt], EMOTIONS.index("happy")),
            (happy.faces[felt], EMOTIONS.index("sad")), "", "fitted",
        ),
        effect(metrics.IdentityDrift(stand_ins.PixelEmbedder()), "another face at the end", (happy.faces,),
               (torch.cat([happy.faces[:25], stranger.faces.repeat(3, 1, 1, 1)[:25]]),), " (pixels)"),
        effect(identity, "identity swapped", (happy.faces, sad.faces), (stranger.faces, sad.faces), " (pixels)"),
    ]  # fmt: skip


def _lip_sync(state: Path, clip: Performance, other: Tensor, late: Tensor) -> list[Effect]:
    """One pass for each sound serves three metrics."""
    kinds = [kind(weights=state) for kind in (metrics.SyncNetConfidence, metrics.SyncNetDistance, metrics.SyncNetOffset)]
    clean, words, shift = (kinds[0].measure(clip.frames, sound, clip.points) for sound in (clip.audio, other, late))
    subjects = (("sound of other words", words), ("sound of other words", words), (f"sound {SHIFT} frames late", shift))
    return [
        Effect(type(m).__name__, what, clean[m.reported], spoilt[m.reported], m.unit, 1 if m.higher_is_better else -1, "fitted")
        for m, (what, spoilt) in zip(kinds, subjects)
    ]


def effects(face: FaceGeometry, stranger: FaceGeometry, folder: Path, length: int = 100, frames: int = 100) -> list[Effect]:
    """Every row of the table.

    Args:
        face, stranger: two people.
        folder: for the stand-ins' weights.
        length: frames of a clip.
        frames: at most so many of a clip for FID and KID.
    """
    drawn: dict[str, Any] = {"length": length, "prepared": MeshWarpRenderer(workers=1).prepare(face)}
    happy, sad = Performance(face, "happy", 1, **drawn), Performance(face, "sad", 2, **drawn)
    teachers = [Performance(face, emotion, seed, **drawn) for emotion, seed in (("happy", 11), ("sad", 12))]
    return [
        *geometry(happy, sad),
        *dynamics(happy, sad),
        *plan_following(happy, sad),
        *pixels(happy, folder),
        *sets(happy, sad, folder, frames),
        *knowledge(happy, sad, teachers, Performance(stranger, "happy", 3, 10), folder),
    ]


def report(rows: Sequence[Effect]) -> str:
    """The table as markdown."""
    arrows, moved = {1: "↑", -1: "↓", 0: "–"}, {True: "yes", False: "**NO**"}

    def number(value: float) -> str:
        return f"{value:.4g}"

    cells = [
        [
            f"`{row.metric}`",
            row.spoiling,
            number(row.clean),
            number(row.spoilt),
            row.unit,
            arrows[row.better],
            row.weights,
            moved[row.right],
        ]
        for row in rows
    ]
    return table(["metric", "spoilt by", "clean", "spoilt", "unit", "better", "weights", "moved right"], cells)


def metrics_benchmark(
    portraits: Sequence[str] = (ASTRONAUT,), size: int = 256, length: int = 100, frames: int = 100, output: Path | None = None
) -> None:
    """Spoil and measure.

    Args:
        portraits: one or two pictures; the second is the stranger.
        size: pixels of the clips' side.
        length: frames of a clip.
        frames: at most so many of a clip for FID and KID.
        output: a .json file for the results; the table goes beside it as .md.
    """
    faces = list(load_portraits(portraits, size).values())
    stranger = faces[1] if len(faces) > 1 else another_face(faces[0])
    with tempfile.TemporaryDirectory() as folder:
        rows = effects(faces[0], stranger, Path(folder), length, frames)
    results = {"protocol": PROTOCOL, "environment": environment(), "effects": [{**asdict(row), "right": row.right} for row in rows]}
    write_results(output, results, f"## {PROTOCOL}\n\n{report(rows)}")


if __name__ == "__main__":
    run(metrics_benchmark)
