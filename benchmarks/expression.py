"""Do rendered emotions read as the emotions that were meant? An outside classifier judges.

Protocol ``expression-1``. tbd contains no expression classifier, so none of its parts can have been fitted to the judge: any
program can be one. It is called once as ``COMMAND FOLDER``, where FOLDER holds PNG pictures, and prints one JSON line for
each picture, with probabilities per class, or per classifier and class where it holds several:

    {"image": "FOLDER/000.png", "probabilities": {"angry": 0.9, "happy": 0.1}}
    {"image": "FOLDER/001.png", "probabilities": {"first": {"angry": 0.9, ...}, "second": null}}

Class names of the usual data sets are understood (FER2013's, AffectNet's, RAF-DB's); a picture in which no face was found
(null) counts as wrong. Contempt is left out, as the seven-class sets do. Each portrait shows

- ``still``: each emotion's prototype at its apex, at intensities 0.5, 0.75 and 1;
- ``planned``: what `KnowledgePlanner` makes of "slightly sad", "sad" and "extremely sad", at its apex;
- ``talking``: one sentence said with each emotion by the procedural performer (needs flite), every tenth frame;
- ``generated``: what `tbd generate` makes of each emotion's word and the sample voice with the packaged model, a frame a second.

    python -m benchmarks.expression astronaut me.jpg --classifier ./classify --output out.json
"""

import functools
import json
import shlex
import subprocess
import tempfile
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np

from benchmarks.common import (
    ASTRONAUT,
    DEFAULT_RENDERER,
    environment,
    load_portraits,
    prototype_plan,
    run,
    table,
    talking_motion,
    write_results,
)
from tbd.errors import InputError, TBDError
from tbd.face.geometry import FaceGeometry
from tbd.face.motion import Motion
from tbd.face.render.renderer import Renderer
from tbd.media.rates import FPS
from tbd.think import KnowledgePlanner, MusclePlan
from tbd.think.emotions import EMOTIONS, Emotion, find_emotion
from tbd.think.facs import perform

CLASSES: tuple[Emotion, ...] = tuple(emotion for emotion in EMOTIONS if emotion != "contempt")
INTENSITIES = (0.5, 0.75, 1.0)
TALKING_STEP = 10
APEX = 1.5
"""Seconds into a plan of twice that length: every muscle has risen and none has let go."""
_WORDS = {"fear": "afraid"}
_DEGREES = {0.5: "slightly ", 0.75: "", 1.0: "extremely "}
Kind = Literal["still", "planned", "talking", "generated"]
HOW_TO_PLUG = "No classifier was given: --classifier names a program that judges a folder of pictures; --help describes it."


@dataclass(frozen=True)
class Sample:
    """One judged picture and what it was meant to show."""

    portrait: str
    emotion: Emotion
    intensity: float
    kind: str


def stills(renderer: Renderer, name: str, face: FaceGeometry) -> Iterator[tuple[Sample, np.ndarray]]:
    """Each emotion at its apex, at each intensity (neutral has one)."""
    samples = [Sample(name, e, i, "still") for e in CLASSES for i in ((1.0,) if e == "neutral" else INTENSITIES)]
    poses = [perform(prototype_plan(sample.emotion, sample.intensity), 1) for sample in samples]
    yield from zip(samples, renderer.render(face, Motion(np.concatenate(poses))))


def planned(renderer: Renderer, name: str, face: FaceGeometry) -> Iterator[tuple[Sample, np.ndarray]]:
    """What the planner makes of each emotion's word, alone and with words that weaken and strengthen it."""
    planner = KnowledgePlanner()
    samples = [Sample(name, e, i, "planned") for e in CLASSES for i in ((1.0,) if e == "neutral" else INTENSITIES)]
    poses = []
    for sample in samples:
        degree = "" if sample.emotion == "neutral" else _DEGREES[sample.intensity]
        plan = planner.plan(degree + _WORDS.get(sample.emotion, sample.emotion), duration=2 * APEX)
        poses.append(perform(plan, 1, start=APEX))
    yield from zip(samples, renderer.render(face, Motion(np.concatenate(poses))))


def talking(renderer: Renderer, name: str, face: FaceGeometry) -> Iterator[tuple[Sample, np.ndarray]]:
    """Every tenth frame of a sentence, said with each emotion."""
    for emotion in CLASSES:
        motion = talking_motion(emotion)
        for frame in renderer.render(face, Motion(motion.values[TALKING_STEP // 2 :: TALKING_STEP])):
            yield Sample(name, emotion, 1.0, "talking"), frame


def generated(renderer: Renderer, name: str, face: FaceGeometry) -> Iterator[tuple[Sample, np.ndarray]]:
    """A frame a second of what `tbd generate` makes; of renderers it takes the default one, relaxed as the plan asks."""
    from tbd.pipeline import warp_renderer

    for emotion, (plan, motion) in _drawn().items():
        frames = Motion(motion.values[FPS // 2 :: FPS])
        for frame in warp_renderer(plan).render(face, frames):
            yield Sample(name, emotion, 1.0, "generated"), frame


@functools.cache
def _drawn() -> dict[Emotion, tuple[MusclePlan, Motion]]:
    """Each emotion's word as plan and motion over the sample voice; the portrait has no part in them."""
    from tbd.media import read_audio
    from tbd.pipeline import TalkingHeadPipeline
    from tbd.utils.sample_inputs import VOICE

    pipeline, voice = TalkingHeadPipeline(), read_audio(VOICE)
    plans = {emotion: pipeline.think(_WORDS.get(emotion, emotion), voice) for emotion in CLASSES}
    return {emotion: (plan, pipeline.draw(plan, voice)) for emotion, plan in plans.items()}


SHOWS = {"still": stills, "planned": planned, "talking": talking, "generated": generated}


def class_name(label: str) -> str:
    """A data set's word for a class → ours.

    Example:
        >>> class_name("Surprise"), class_name("happy")
        ('surprised', 'happy')
    """
    return find_emotion(label) or label.strip().lower()


def parse_answers(lines: Iterator[str]) -> dict[str, dict[str, str | None]]:
    """A classifier's JSON lines → picture's file name → classifier → the class that won (None where it saw no face)."""
    answers: dict[str, dict[str, str | None]] = {}
    for line in filter(str.strip, lines):
        try:
            answer = json.loads(line)
            probabilities = answer["probabilities"]
            single = not any(isinstance(value, dict) for value in probabilities.values())
            judges = {"classifier": probabilities} if single else probabilities
            answers[Path(answer["image"]).name] = {judge: _winner(scores) for judge, scores in judges.items()}
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise TBDError(f"The classifier printed a line that is not as --help describes it: {line.strip()[:120]!r}") from error
    return answers


def _winner(scores: dict[str, float] | None) -> str | None:
    known = {class_name(label): score for label, score in (scores or {}).items() if class_name(label) in CLASSES and score is not None}
    return max(known, key=known.get) if known else None


def classify(command: str, folder: Path) -> dict[str, dict[str, str | None]]:
    """Run the classifier over a folder of pictures."""
    try:
        done = subprocess.run([*shlex.split(command), str(folder)], capture_output=True, text=True)
    except OSError as error:
        raise InputError(f"The classifier {command!r} cannot be run: {error.strerror}.") from error
    if done.returncode:
        raise TBDError(f"The classifier {command!r} failed ({done.returncode}): {done.stderr.strip()[-300:]}")
    return parse_answers(iter(done.stdout.splitlines()))


def score(samples: Sequence[Sample], verdicts: Sequence[str | None]) -> dict[str, Any]:
    """Confusion and accuracies of one classifier.

    Accuracy is the mean of the classes' own, so that neutral, shown once for three of the others, weighs as much.

    Returns:
        ``confusion[meant][said]`` counts (said may be "no face"), ``accuracy``, and accuracies ``by_class``,
        ``by_portrait``, ``by_intensity`` and ``by_kind``.
    """
    confusion = {meant: dict.fromkeys((*CLASSES, "no face"), 0) for meant in CLASSES}
    for sample, verdict in zip(samples, verdicts):
        confusion[sample.emotion][verdict or "no face"] += 1
    result: dict[str, Any] = {"confusion": confusion, "accuracy": _balanced(samples, verdicts)}
    result["by_class"] = {e: _balanced(*_where(samples, verdicts, "emotion", e)) for e in CLASSES}
    for key in ("portrait", "intensity", "kind"):
        values = dict.fromkeys(getattr(sample, key) for sample in samples)
        result[f"by_{key}"] = {str(value): _balanced(*_where(samples, verdicts, key, value)) for value in values}
    return result


def _where(samples: Sequence[Sample], verdicts: Sequence[str | None], key: str, value: Any) -> tuple[list[Sample], list[str | None]]:
    kept = [(s, v) for s, v in zip(samples, verdicts) if getattr(s, key) == value]
    return [s for s, _ in kept], [v for _, v in kept]


def _balanced(samples: Sequence[Sample], verdicts: Sequence[str | None]) -> float:
    hits = defaultdict(list)
    for sample, verdict in zip(samples, verdicts):
        hits[sample.emotion].append(sample.emotion == verdict)
    return float(np.mean([np.mean(values) for values in hits.values()])) if hits else 0.0


def report(results: dict[str, Any]) -> str:
    """The results as markdown."""
    scores, place = results["scores"], results["environment"]
    first = next(iter(scores.values()))
    groups = [(key, value) for key in ("by_class", "by_portrait", "by_intensity", "by_kind") for value in first[key]]
    rows = [["**accuracy**", *(s["accuracy"] for s in scores.values())]]
    rows += [[f"{key[3:]} {value}", *(s[key][value] for s in scores.values())] for key, value in groups]
    count = f"{len(results['samples'])} pictures; chance is {1 / len(CLASSES):.2f}."
    parts = [f"## {results['protocol']}", count, table(["", *scores], rows)]
    for judge, judged in scores.items():
        confusion = judged["confusion"]
        said = [*CLASSES, "no face"]
        parts += [f"{judge}:", table(["meant ↓ said →", *said], [[meant, *(confusion[meant][s] for s in said)] for meant in CLASSES])]
    return "\n\n".join([*parts, f"Commit {place['commit']}, {place['date']}, classifier `{results['classifier']}`."])


def expression(
    portraits: Sequence[str] = (ASTRONAUT,),
    classifier: str | None = None,
    kinds: Sequence[Kind] = ("still",),
    renderer: Renderer = DEFAULT_RENDERER,
    size: int = 512,
    keep: Path | None = None,
    output: Path | None = None,
) -> None:
    """Render the emotions and let an outside classifier name them.

    Args:
        portraits: pictures or folders of pictures.
        classifier: a command that takes a folder of pictures and prints JSON lines.
        kinds: what to show: still, planned, talking, generated.
        renderer: what draws.
        size: pixels of the framed portraits' side.
        keep: a folder that keeps the judged pictures.
        output: a .json file for the results; tables go beside it as .md.
    """
    if classifier is None:
        raise InputError(HOW_TO_PLUG)
    with tempfile.TemporaryDirectory() as scratch:
        folder = keep or Path(scratch)
        folder.mkdir(parents=True, exist_ok=True)
        samples = _render_all(renderer, load_portraits(portraits, size), kinds, folder)
        answers = classify(classifier, folder)
    missing = [name for name in samples if name not in answers]
    if missing:
        raise TBDError(f"The classifier {classifier!r} said nothing of {len(missing)} pictures, the first is {missing[0]}.")
    verdicts = {judge: [answers[name].get(judge) for name in samples] for judge in next(iter(answers.values()))}
    results = {
        "protocol": "expression-1",
        "environment": environment(),
        "classifier": classifier,
        "scores": {judge: score(list(samples.values()), said) for judge, said in verdicts.items()},
        "samples": [asdict(s) | {"image": n, "said": {j: v[i] for j, v in verdicts.items()}} for i, (n, s) in enumerate(samples.items())],
    }
    write_results(output, results, report(results))


def _render_all(renderer: Renderer, faces: dict[str, FaceGeometry], kinds: Sequence[Kind], folder: Path) -> dict[str, Sample]:
    """Write every picture to `folder`; file name → what it shows."""
    from PIL import Image

    samples: dict[str, Sample] = {}
    for name, face in faces.items():
        for sample, frame in (pair for kind in kinds for pair in SHOWS[kind](renderer, name, face)):
            file = f"{name}_{sample.emotion}_{sample.kind}_{sample.intensity:.2f}_{len(samples):04d}.png"
            Image.fromarray(frame).save(folder / file, compress_level=1)
            samples[file] = sample
    return samples


if __name__ == "__main__":
    run(expression)
