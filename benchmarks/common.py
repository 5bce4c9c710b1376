"""What the benchmarks share: framed portraits, the machine they ran on, results as JSON and markdown."""

import json
import os
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from jsonargparse import lazy_instance

from tbd.errors import InputError, TBDError
from tbd.evaluation.environment import environment as environment  # the benchmarks find it here
from tbd.face.geometry import FaceGeometry
from tbd.face.motion import Motion
from tbd.face.render.renderer import MeshWarpRenderer, Renderer
from tbd.think.emotions import EMOTION_SPECS, EMOTIONS, Emotion
from tbd.think.plan import MuscleAction, MusclePlan
from tbd.utils.atomic import atomic_output

PICTURES = (".png", ".jpg", ".jpeg", ".webp", ".bmp")
ASTRONAUT = "astronaut"
"""The name that stands for scikit-image's portrait of Eileen Collins, which is there wherever tbd is installed."""
SENTENCE = "She had your dark suit in greasy wash water all year."
"""TIMIT's first calibration sentence: three seconds in which the mouth closes, spreads and rounds."""
DEFAULT_RENDERER = lazy_instance(MeshWarpRenderer)
_MANY = {
    "portraits": "pictures or folders of them; astronaut is scikit-image's",
    "clips": "videos of a person who talks",
    "recordings": "wave files of speech, 16 kHz, mono",
}


def _module() -> str:
    """The module that was started, as `python -m` takes it."""
    path = Path(sys.argv[0])
    return f"benchmarks.{path.parent.name if path.stem == '__main__' else path.stem}"


def run(benchmark: Callable[..., None], many: str | None = "portraits", default: Sequence[str] = (ASTRONAUT,)) -> None:
    """Call `benchmark` with the command line's arguments; its argument `many` takes all that stand without an option's name."""
    from jsonargparse import ArgumentParser

    parser = ArgumentParser(prog=f"python -m {_module()}", description=sys.modules[benchmark.__module__].__doc__)
    if many is not None:
        parser.add_argument(many, nargs="*", default=list(default), help=_MANY.get(many))
    parser.add_function_arguments(benchmark, skip={many} if many else None)
    arguments = parser.instantiate(parser.parse_args())
    try:
        benchmark(**vars(arguments))
    except TBDError as error:
        print(f"{parser.prog}: {error}", file=sys.stderr)
        sys.exit(error.exit_code)


def load_portraits(paths: Sequence[str], size: int = 512) -> dict[str, FaceGeometry]:
    """Name → face in a square picture of head and shoulders, from pictures, folders, or the word ``astronaut``.

    In a folder, pictures without a usable face are left out with a line on stderr; a picture that is named must have one.
    """
    from tbd.face.portrait import crop_portrait
    from tbd.face.tracker import FaceMeshTracker
    from tbd.media import read_image

    tracker, faces = FaceMeshTracker(), {}
    for path, required in _expand(paths):
        image = _astronaut() if path.name == ASTRONAUT else read_image(path)
        try:
            faces[path.stem] = crop_portrait(tracker.locate(image, str(path)), size)
        except InputError as error:
            if required:
                raise
            print(f"left out: {error}", file=sys.stderr)
    if not faces:
        raise InputError(f"No portrait with a face among {', '.join(map(str, paths))}.")
    return faces


def _expand(paths: Sequence[str]) -> list[tuple[Path, bool]]:
    found: list[tuple[Path, bool]] = []
    for path in map(Path, paths):
        if path.is_dir():
            found += [(p, False) for p in sorted(path.iterdir()) if p.suffix.lower() in PICTURES]
        else:
            found.append((path, True))
    return found


def _astronaut() -> np.ndarray:
    import skimage.data

    return skimage.data.astronaut()


def prototype_plan(emotion: Emotion, intensity: float, variant: int = 0) -> MusclePlan:
    """The emotion's prototype, held, with every muscle at `intensity` times its full strength."""
    actions = tuple(
        MuscleAction(unit=unit, side=side, intensity=level * intensity) for unit, side, level in EMOTION_SPECS[emotion].prototypes[variant]
    )
    return MusclePlan(emotions={emotion: 1.0}, intensity=intensity, actions=actions)


def talking_motion(emotion: Emotion, intensity: float = 1.0) -> Motion:
    """`SENTENCE` said by flite's voice slt and acted by the procedural performer with the emotion's prototype; each emotion
    has its own seed for blinks, gaze and head.

    Raises:
        InputError: flite is not installed.
    """
    from tbd.data.synthetic.performance import synthesize_motion
    from tbd.data.synthetic.speech import Delivery
    from tbd.data.synthetic.synthesizers import Flite

    engine = Flite()
    voice = next((voice for voice in engine.voices() if voice.name == "slt"), None)
    if voice is None:
        raise InputError("Talking performances need the speech synthesiser flite with its voice slt: apt-get install flite.")
    speech = engine.speak([SENTENCE], voice, Delivery())[0]
    return synthesize_motion(
        speech.phones, speech.audio, prototype_plan(emotion, intensity), np.random.default_rng(EMOTIONS.index(emotion))
    )


def bootstrap_interval(statistic: Callable[[np.ndarray], Any], count: int, resamples: int = 1000) -> tuple[float, float]:
    """95 % interval of a statistic of so many things, from samples of them with replacement.

    Args:
        statistic: (resamples, count) numbers of the things in each sample → (resamples,) values.
        count: Things that there are, such as people, or clips.
        resamples: Samples.

    Returns:
        Its ends.

    Example:
        >>> values = np.array([0.4, 0.5, 0.6])
        >>> low, high = bootstrap_interval(lambda chosen: values[chosen].mean(1), len(values))
        >>> 0.4 <= low < 0.5 < high <= 0.6
        True
    """
    chosen = np.random.default_rng(0).integers(count, size=(resamples, count))
    low, high = np.percentile(statistic(chosen), [2.5, 97.5])
    return float(low), float(high)


def measure_speed(renderer: Renderer, face: FaceGeometry, motion: Motion) -> dict[str, float]:
    """Seconds until the first frame, with which the portrait is prepared, and frames a second after it."""
    start = time.perf_counter()
    frames = iter(renderer.render(face, motion))
    next(frames)
    first = time.perf_counter()
    count = sum(1 for _ in frames)
    return {"prepare_s": first - start, "frames_per_s": count / (time.perf_counter() - first), "side": float(face.image.shape[0])}


def table(header: Sequence[str], rows: Sequence[Sequence[Any]]) -> str:
    """A markdown table; floats with two decimals, the first column to the left and the others to the right."""

    def cell(value: Any) -> str:
        return f"{value:.2f}" if isinstance(value, float) else str(value)

    lines = [list(header), ["---", *["---:"] * (len(header) - 1)], *rows]
    return "\n".join("| " + " | ".join(cell(value) for value in line) + " |" for line in lines)


def write_results(output: str | os.PathLike | None, results: dict[str, Any], markdown: str) -> None:
    """Print the markdown; with `output` (a name ending in .json) write the numbers there and the tables beside it."""
    print(markdown)
    if output is None:
        return
    with atomic_output(output) as temporary:
        temporary.write_text(json.dumps(results, indent=1, default=float) + "\n")
    with atomic_output(Path(output).with_suffix(".md")) as temporary:
        temporary.write_text(markdown + "\n")
