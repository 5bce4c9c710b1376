"""Does a tracked film keep the emotion that is acted in it? An outside classifier judges the film and the motion re-rendered.

Protocol ``tracking_expression-1``. The manifest is a CSV with the columns ``file``, ``person`` and ``emotion`` (its first word that names
one of the seven classes counts; clips without one are left out). Of each clip a few frames, evenly spread, are judged as they were
filmed; then the clip is tracked, and the same frames of its motion are drawn on portraits of other people, who are at rest. Motion is
tracked up to eight ways:

- ``average``: `FaceMeshTracker` alone, measured against people at large;
- ``person``: the same with the person's own neutral clip, where the manifest has one (emotion neutral);
- ``own face``: the same motion, drawn on the person's own neutral frame instead of other people: what is lost there, neither the shape of
  another face nor the guess at rest has lost;
- ``clip``: measured against the clip's own resting frames, as tbd 0.1 did;
- ``expressive``: `ExpressiveTracker`, with ``--expressive true``: the mesh and what the face looks like; and ``expressive, person`` with
  the person's own neutral clip;
- ``expressive, landmarker``: the same with MediaPipe's landmarker in place of the mesh, with both options;
- ``landmarker``: MediaPipe's own coefficients, with ``--landmarker face_landmarker.task``; what they lose as well is not our fit's loss.

Drawing was tuned on some of the people and portraits of the shared film (`TUNED_PEOPLE`, `TUNED_PORTRAITS`): ``--split tuned`` takes these
alone and ``--split judged`` the others alone.

The aim is that the re-rendered frames are named as meant at least 0.9 times as often as the filmed ones. The classifier is plugged in as in
`benchmarks.expression`, which says how.

    python -m benchmarks.tracking_expression silent.csv --root film --portraits a.png b.png --classifier ./classify --output out.json
"""

import csv
import re
import tempfile
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, Literal

import numpy as np

from benchmarks.common import DEFAULT_RENDERER, environment, load_portraits, run, table, write_results
from benchmarks.expression import CLASSES, HOW_TO_PLUG, class_name, classify
from tbd.errors import InputError
from tbd.face.geometry import FaceGeometry, remove_pose
from tbd.face.motion import Motion
from tbd.face.neutral import AVERAGE, CLIP, NeutralFace
from tbd.face.portrait import crop_portrait
from tbd.face.render.renderer import Renderer
from tbd.face.tracker import FaceLandmarkerTracker, FaceMeshTracker
from tbd.face.tracking.session import TrackingSession
from tbd.media import read_video
from tbd.think.coding.expressive_tracker import ExpressiveTracker

LONGEST = 40
"""Frames of a clip that are tracked, from its start."""
LANDMARKER = "landmarker"
EXPRESSIVE = "expressive"
EXPRESSIVE_PERSON = "expressive, person"
OWN = "own face"
EXPRESSIVE_LANDMARKER = "expressive, landmarker"
WAYS = (EXPRESSIVE, EXPRESSIVE_PERSON, EXPRESSIVE_LANDMARKER, AVERAGE, "person", OWN, CLIP, LANDMARKER)
TUNED_PEOPLE = frozenset(("p028", "p060", "p064", "p126", "p164", "p166", "p172", "p178", "p192", "p196"))
"""People of the shared film by whose clips drawing and tracking were tuned."""
TUNED_PORTRAITS = frozenset(("astronaut", "einstein", "la_velata", "woman_photo", "q003", "q013", "q034", "q035"))
"""Portraits that were looked at while tuning."""
Split = Literal["all", "tuned", "judged"]
_WORDS = {"smile": "happy", "laughing": "happy", "furious": "angry"}


@dataclass(frozen=True)
class Clip:
    """A filmed clip with the emotion that is acted in it."""

    name: str
    path: Path
    person: str
    emotion: str


def read_clips(manifests: Sequence[str], root: Path) -> list[Clip]:
    """The clips whose emotion is one of the classes, a person's neutral ones first."""
    clips = []
    for manifest in manifests:
        with open(manifest, newline="", encoding="utf-8") as file:
            for row in csv.DictReader(file):
                words = [class_name(_WORDS.get(word, word)) for word in re.findall(r"[a-z]+", row["emotion"].lower())]
                named = [word for word in words if word in CLASSES]
                if named:
                    clips.append(Clip(Path(row["file"]).stem, root / row["file"], row["person"], named[0]))
    if not clips:
        raise InputError(f"No clip of {', '.join(manifests)} has one of the emotions {', '.join(CLASSES)}.")
    return sorted(clips, key=lambda clip: (clip.person, clip.emotion != "neutral", clip.name))


def track_ways(tracking: TrackingSession, neutral: NeutralFace | None) -> Iterator[tuple[str, Motion]]:
    """The motion of a clip that was followed, in each way that it can be measured."""
    expressive = isinstance(tracking.tracker, ExpressiveTracker)
    if expressive:
        yield EXPRESSIVE, tracking.motion()
    if neutral is not None:
        tracking.neutral = neutral
        if expressive:
            yield EXPRESSIVE_PERSON, tracking.motion()
        tracking.tracker = FaceMeshTracker()
        yield "person", tracking.motion()
    tracking.tracker, tracking.neutral = FaceMeshTracker(), None
    yield AVERAGE, tracking.motion()
    tracking.tracker = FaceMeshTracker(absolute=False)
    yield CLIP, tracking.motion()


def track_landmarker(landmarker: Path, frames: Sequence[np.ndarray], name: str, expressive: bool) -> dict[str, Motion]:
    """The motion of a clip by MediaPipe's landmarker, and with what the face looks like."""
    plain, ways = FaceLandmarkerTracker(landmarker), {}
    with TrackingSession(ExpressiveTracker(landmarker) if expressive else plain, name) as tracking:
        for frame in frames:
            tracking.add(frame)
        if expressive:
            ways[EXPRESSIVE_LANDMARKER] = tracking.motion()
            tracking.tracker = plain
        return {**ways, LANDMARKER: tracking.motion()}


def draw_clips(
    clips: Sequence[Clip],
    faces: dict[str, FaceGeometry],
    renderer: Renderer,
    count: int,
    folder: Path,
    landmarker: Path | None = None,
    expressive: bool = False,
) -> tuple[dict[str, tuple[Clip, str]], dict[str, dict[str, Any]]]:
    """Write the pictures to judge; file name → (clip, way; ``filmed`` for the film's own), and the clips' mean coefficients."""
    from PIL import Image

    pictures: dict[str, tuple[Clip, str]] = {}
    coefficients: dict[str, dict[str, Any]] = {}
    neutrals: dict[str, tuple[NeutralFace, FaceGeometry]] = {}
    side = next(iter(faces.values())).image.shape[0]
    stills: list[tuple[Clip, str, np.ndarray]] = []
    tracker = ExpressiveTracker() if expressive else FaceMeshTracker()

    def keep(frame: np.ndarray, clip: Clip, way: str) -> None:
        name = f"{clip.name}_{way}_{len(pictures):05d}.png"
        Image.fromarray(frame).save(folder / name, compress_level=1)
        pictures[name] = clip, way

    for clip in clips:
        frames = [np.asarray(frame) for frame in islice(read_video(clip.path), LONGEST)]
        chosen = np.linspace(0, len(frames) - 1, count + 2)[1:-1].round().astype(int)
        for i in chosen:
            keep(frames[i], clip, "filmed")
        with TrackingSession(tracker, clip.name) as tracking:
            for frame in frames:
                tracking.add(frame)
            if clip.emotion == "neutral" and clip.person not in neutrals:
                neutrals[clip.person] = tracking.neutral_face(), resting_portrait(tracking, frames, side)
            neutral, own = neutrals.get(clip.person, (None, None)) if clip.emotion != "neutral" else (None, None)
            ways = dict(track_ways(tracking, neutral))
            if landmarker is not None:
                ways |= track_landmarker(landmarker, frames, clip.name, expressive)
            for way, motion in ways.items():
                coefficients.setdefault(clip.name, {})[way] = motion.values[:, :52].mean(0).round(3).tolist()
                still = motion.values[chosen].copy()
                still[:, 52:] = 0  # the head's turn is none of the expression
                stills += [(clip, way, values) for values in still]
                if way == "person" and own is not None:
                    for frame in renderer.render(own, Motion(still)):
                        keep(frame, clip, OWN)
        print(f"{clip.name} {clip.emotion}", flush=True)
    for face in faces.values():  # a portrait is prepared once
        for (clip, way, _), frame in zip(stills, renderer.render(face, Motion(np.stack([values for *_, values in stills])))):
            keep(frame, clip, way)
    return pictures, coefficients


def resting_portrait(tracking: TrackingSession, frames: Sequence[np.ndarray], side: int) -> FaceGeometry:
    """The frame of a neutral clip that is nearest to its person at rest, framed as a portrait of `side` pixels."""
    points = tracking.points()
    rest = tracking.neutral_face().face
    apart = [np.abs(remove_pose(mesh)[0] - rest).mean() for mesh in points]
    nearest = int(np.argmin(apart))
    return crop_portrait(FaceMeshTracker().geometry(frames[nearest], points[nearest]), side)


def take_split(clips: Sequence[Clip], portraits: Sequence[str], split: Split) -> tuple[list[Clip], list[str]]:
    """The clips of one part of the people, and the portraits, none of which may belong to the other part.

    Raises:
        InputError: A portrait was tuned on where others are judged, or the other way round; or no clip is left.
    """
    if split == "all":
        return list(clips), list(portraits)
    tuned = split == "tuned"
    wrong = [portrait for portrait in portraits if (Path(portrait).stem in TUNED_PORTRAITS) != tuned]
    if wrong:
        raise InputError(f"{', '.join(wrong)}: {'not tuned on' if tuned else 'tuned on'}, so not for --split {split}.")
    left = [clip for clip in clips if (clip.person in TUNED_PEOPLE) == tuned]
    if not left:
        raise InputError(f"None of the clips is for --split {split}.")
    return left, list(portraits)


def score(pictures: dict[str, tuple[Clip, str]], verdicts: dict[str, str | None]) -> dict[str, Any]:
    """Per way: how often pictures are named as meant, over the clips that were tracked so, and the same of their filmed frames.

    Returns:
        way → ``named``, ``filmed`` (means of the clips' own rates), ``kept`` (their quotient), ``clips``, and ``by_emotion``.
    """
    rates: dict[tuple[str, str], list[bool]] = defaultdict(list)
    emotions = {}
    for name, (clip, way) in pictures.items():
        rates[clip.name, way].append(verdicts.get(name) == clip.emotion)
        emotions[clip.name] = clip.emotion
    return {way: _score_way(way, rates, emotions) for way in WAYS if any(w == way for _, w in rates)}


def _score_way(way: str, rates: dict[tuple[str, str], list[bool]], emotions: dict[str, str]) -> dict[str, Any]:
    names = [name for name, w in rates if w == way]

    def mean(of: str, emotion: str | None = None) -> float:
        return float(np.mean([np.mean(rates[n, of]) for n in names if emotion in (None, emotions[n])]))

    named = {e: {"named": mean(way, e), "filmed": mean("filmed", e), "clips": sum(emotions[n] == e for n in names)}
             for e in CLASSES if any(emotions[n] == e for n in names)}  # fmt: skip
    filmed = mean("filmed")
    return {"named": mean(way), "filmed": filmed, "kept": mean(way) / max(filmed, 1e-9), "clips": len(names), "by_emotion": named}


def report(results: dict[str, Any]) -> str:
    """The results as markdown."""
    rows = []
    for judge, ways in results["scores"].items():
        for way, found in ways.items():
            rows.append([judge, way, found["clips"], found["filmed"], found["named"], found["kept"]])
            rows += [[judge, f"{way}, {e}", v["clips"], v["filmed"], v["named"], "–"] for e, v in found["by_emotion"].items()]
    count = f"{results['pictures']} pictures of {results['clips']} clips"
    portraits = ", ".join(results["portraits"])
    head = f"{count} ({results['frames']} frames; portraits {portraits}; split {results['split']}); people {', '.join(results['people'])}."
    place = results["environment"]
    return "\n\n".join(
        [
            f"## {results['protocol']}",
            head,
            table(["classifier", "measured against", "clips", "named, filmed", "named, re-rendered", "kept"], rows),
            f"Commit {place['commit']}, {place['date']}, classifier `{results['classifier']}`.",
        ]
    )


def tracking_expression(
    manifests: Sequence[str],
    root: Path,
    portraits: Sequence[str],
    classifier: str | None = None,
    people: Sequence[str] = (),
    split: Split = "all",
    count: int = 4,
    landmarker: Path | None = None,
    expressive: bool = False,
    renderer: Renderer = DEFAULT_RENDERER,
    size: int = 256,
    keep: Path | None = None,
    output: Path | None = None,
) -> None:
    """Track films, draw them anew, and let an outside classifier name both.

    Args:
        manifests: CSV files with the columns file, person and emotion.
        root: the folder that files are relative to.
        portraits: pictures of people at rest.
        classifier: a command that takes a folder of pictures and prints JSON lines.
        people: only these; all by default.
        split: all, or only those by whom drawing was tuned, or only the others.
        count: frames of a clip that are judged.
        landmarker: ``face_landmarker.task``, to compare with.
        expressive: Whether to track with `ExpressiveTracker` as well, which wants ``tbd weights fetch facex-emotion``.
        renderer: what draws.
        size: pixels of the framed portraits' side.
        keep: a folder that keeps the judged pictures.
        output: a .json file for the results; tables go beside it as .md.
    """
    if classifier is None:
        raise InputError(HOW_TO_PLUG)
    clips = [clip for clip in read_clips(manifests, root) if not people or clip.person in people]
    clips, portraits = take_split(clips, portraits, split)
    with tempfile.TemporaryDirectory() as scratch:
        folder = keep or Path(scratch)
        folder.mkdir(parents=True, exist_ok=True)
        pictures, coefficients = draw_clips(clips, load_portraits(portraits, size), renderer, count, folder, landmarker, expressive)
        answers = classify(classifier, folder)
    judges = list(next(iter(answers.values())))
    results = {
        "protocol": "tracking_expression-1",
        "environment": environment(),
        "classifier": classifier,
        "clips": len(clips),
        "people": sorted({clip.person for clip in clips}),
        "pictures": len(pictures),
        "portraits": [Path(portrait).stem for portrait in portraits],
        "split": split,
        "frames": count,
        "scores": {judge: score(pictures, {name: answer.get(judge) for name, answer in answers.items()}) for judge in judges},
        "coefficients": coefficients,
    }
    write_results(output, results, report(results))


if __name__ == "__main__":
    run(tracking_expression, many="manifests", default=())
