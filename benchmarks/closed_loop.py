"""The closed loop: asked motion → rendered pixels → blendshapes that MediaPipe's face landmarker sees in them.

Protocol ``closed_loop-1``. The landmarker's blendshape model has never seen our rig, so a correlation says that the face
in the picture does what was asked. Each portrait is framed to a square (see `tbd.face.portrait.crop_portrait`) and shows

- ``sweep``: each of eight channels alone, from 0 to 1;
- ``mixed``: the eight together, as smooth noise. Antagonists (smile and frown, inner brow up and brow down, blink and
  wide eyes) share one signed signal, since one muscle relaxes when its opponent pulls. So do jawOpen and mouthPucker, which
  ARKit defines as "contraction and compression of both closed lips" (open ones funnel), and lips pucker only as far as they
  do not smile;
- ``talking`` (needs flite; ``--talking false`` leaves it out): a sentence said with each emotion by the procedural
  performer, every fifth frame;
- ``head``: pitch, yaw and roll from −0.35 to 0.35 rad, against the rotation that the landmarker reports.

Left and right are asked equally and averaged. A channel that is never seen to move has correlation 0.

    python -m benchmarks.closed_loop astronaut me.jpg --landmarker face_landmarker.task --output out.json
"""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.common import (
    ASTRONAUT,
    DEFAULT_RENDERER,
    environment,
    load_portraits,
    measure_speed,
    run,
    table,
    talking_motion,
    write_results,
)
from tbd.errors import InputError
from tbd.face.channels import BLENDSHAPES, HEAD
from tbd.face.geometry import FaceGeometry, matrix_to_euler
from tbd.face.motion import Motion
from tbd.face.render.renderer import Renderer
from tbd.media.rates import FPS
from tbd.think.emotions import EMOTIONS

CHANNELS = ("jawOpen", "mouthSmile", "mouthFrown", "mouthPucker", "browInnerUp", "browDown", "eyeBlink", "eyeWide")
"""The protocol's channels; a name without a side stands for both."""
ANTAGONISTS = (("mouthSmile", "mouthFrown"), ("browInnerUp", "browDown"), ("eyeBlink", "eyeWide"), ("jawOpen", "mouthPucker"))
SWEEP = np.linspace(0, 1, 9, dtype=np.float32)
TURNS = np.linspace(-0.35, 0.35, 7, dtype=np.float32)
MIXED_FRAMES = 100
TALKING_STEP = 5
SPEED_FRAMES = 60
CROSS_TALK = 0.15
"""Seen change beyond which a channel that was not asked is reported."""


def sides(channel: str) -> tuple[str, ...]:
    """The motion channels that a protocol channel stands for.

    Example:
        >>> sides("jawOpen"), sides("eyeBlink")
        (('jawOpen',), ('eyeBlinkLeft', 'eyeBlinkRight'))
    """
    return (channel,) if channel in BLENDSHAPES else (channel + "Left", channel + "Right")


def average_sides(values: np.ndarray) -> np.ndarray:
    """(T, 52 or more) motion values → (T, 8), columns named by `CHANNELS`."""
    return np.stack([np.mean([values[:, BLENDSHAPES.index(name)] for name in sides(channel)], 0) for channel in CHANNELS], 1)


def sweep_motion() -> Motion:
    """(8 · 9) frames: each channel alone from 0 to 1."""
    motion = Motion.zeros(len(CHANNELS) * len(SWEEP))
    for i, channel in enumerate(CHANNELS):
        for name in sides(channel):
            motion[name][i * len(SWEEP) : (i + 1) * len(SWEEP)] = SWEEP
    return motion


def mixed_motion(frames: int = MIXED_FRAMES, seed: int = 0) -> Motion:
    """All channels together: one smooth signal for each pair of antagonists, its halves scaled to 0..1."""
    from scipy.ndimage import gaussian_filter1d

    noise = np.random.default_rng(seed).standard_normal((len(ANTAGONISTS), frames + 8 * FPS))
    smooth = gaussian_filter1d(noise, 0.16 * FPS, axis=1)[:, 4 * FPS : -4 * FPS]  # about one swing in half a second
    motion = Motion.zeros(frames)
    for pair, signal in zip(ANTAGONISTS, smooth - np.median(smooth, axis=1, keepdims=True)):
        for channel, pull in zip(pair, (np.maximum(signal, 0), np.maximum(-signal, 0))):
            for name in sides(channel):
                motion[name] = pull / pull.max()
    motion["mouthPucker"] *= 1 - motion["mouthSmileLeft"]
    return motion


def head_motion() -> Motion:
    """(3 · 7) frames: each rotation alone."""
    motion = Motion.zeros(3 * len(TURNS))
    for i, name in enumerate(HEAD[:3]):
        motion[name][i * len(TURNS) : (i + 1) * len(TURNS)] = TURNS
    return motion


def correlation(asked: np.ndarray, seen: np.ndarray) -> float:
    """Pearson's r; 0 where either does not move."""
    asked, seen = asked - asked.mean(), seen - seen.mean()
    norm = np.sqrt((asked**2).sum() * (seen**2).sum())
    return float(asked @ seen / norm) if norm > 1e-9 else 0.0


def gain(asked: np.ndarray, seen: np.ndarray) -> float:
    """Slope of the least-squares line from asked to seen."""
    asked = asked - asked.mean()
    return float(asked @ seen / (asked @ asked))


def psnr(a: np.ndarray, b: np.ndarray) -> float:
    """Peak signal-to-noise ratio of two uint8 pictures in dB, at most 99."""
    error = np.mean((a.astype(np.float64) - b) ** 2)
    return float(min(99.0, 10 * np.log10(255**2 / max(error, 1e-12))))


class Landmarker:
    """MediaPipe's Tasks face landmarker, picture by picture (no smoothing over time)."""

    def __init__(self, path: Path) -> None:
        if not path.is_file():
            raise InputError(f"There is no landmarker model {path}; give --landmarker a copy of MediaPipe's face_landmarker.task.")
        from mediapipe.tasks.python import BaseOptions, vision

        options = vision.FaceLandmarkerOptions(
            base_options=BaseOptions(model_asset_path=str(path)), output_face_blendshapes=True, output_facial_transformation_matrixes=True
        )
        self._model = vision.FaceLandmarker.create_from_options(options)

    def __call__(self, frame: np.ndarray) -> tuple[np.ndarray, np.ndarray] | None:
        """(H, W, 3) uint8 → (52,) blendshapes in our order and (3, 3) head rotation; None where no face is seen."""
        import mediapipe as mp

        result = self._model.detect(mp.Image(image_format=mp.ImageFormat.SRGB, data=np.ascontiguousarray(frame)))
        if not result.face_blendshapes:
            return None
        scores = {category.category_name: category.score for category in result.face_blendshapes[0]}
        matrix = np.asarray(result.facial_transformation_matrixes[0])[:3, :3]
        # tongueOut is not among the landmarker's outputs
        return np.array([scores.get(name, 0.0) for name in BLENDSHAPES]), matrix / np.linalg.norm(matrix, axis=0)

    def watch(self, frames: Iterator[np.ndarray]) -> tuple[np.ndarray, np.ndarray, int]:
        """Frames → (T, 52), (T, 3, 3) and in how many no face was seen (the last seen, else rest, stands for those)."""
        last, rows, lost = (np.zeros(len(BLENDSHAPES)), np.eye(3)), [], 0
        for frame in frames:
            found = self(frame)
            lost += found is None
            last = found or last
            rows.append(last)
        return np.stack([row[0] for row in rows]), np.stack([row[1] for row in rows]), lost


def measure_portrait(renderer: Renderer, face: FaceGeometry, landmarker: Landmarker, performances: dict[str, Motion]) -> dict[str, Any]:
    """Everything that the protocol asks of one portrait."""
    neutral = next(iter(renderer.render(face, Motion.zeros(1))))
    rest = landmarker.watch(iter([face.image]))[0][0]
    sweep, _, lost = landmarker.watch(renderer.render(face, sweep_motion()))
    seen, steps = average_sides(sweep), len(SWEEP)
    parts = [slice(i * steps, (i + 1) * steps) for i in range(len(CHANNELS))]
    result: dict[str, Any] = {
        "psnr": psnr(neutral, face.image),
        "rest": dict(zip(CHANNELS, average_sides(rest[None])[0])),
        "correlation": {"sweep": {c: correlation(SWEEP, seen[part, i]) for i, (c, part) in enumerate(zip(CHANNELS, parts))}},
        "gain": {c: gain(SWEEP, seen[part, i]) for i, (c, part) in enumerate(zip(CHANNELS, parts))},
        "seen_at_full": {c: dict(zip(BLENDSHAPES, sweep[part][-1] - sweep[part][0])) for c, part in zip(CHANNELS, parts)},
    }
    for name, motion in performances.items():
        watched, _, missing = landmarker.watch(renderer.render(face, motion))
        asked, seen = average_sides(motion.values), average_sides(watched)
        moving = [i for i in range(len(CHANNELS)) if np.ptp(asked[:, i]) > 0.05]
        result["correlation"][name] = {CHANNELS[i]: correlation(asked[:, i], seen[:, i]) for i in moving}
        lost += missing
    result["head"], missing = _measure_head(renderer, face, landmarker)
    result["frames_without_face"] = lost + missing
    return result


def _measure_head(renderer: Renderer, face: FaceGeometry, landmarker: Landmarker) -> tuple[dict[str, dict[str, float]], int]:
    motion = head_motion()
    _, turns, lost = landmarker.watch(renderer.render(face, motion))
    rest = turns[len(TURNS) // 2]  # the middle of the first sweep asks for no turn
    seen = matrix_to_euler(rest.T @ turns)
    result = {}
    for i, name in enumerate(HEAD[:3]):
        part = slice(i * len(TURNS), (i + 1) * len(TURNS))
        result[name] = {"correlation": correlation(TURNS, seen[part, i]), "gain": gain(TURNS, seen[part, i])}
    return result, lost


def speed_motion() -> Motion:
    """A face that moves while its head turns, for timing."""
    motion = mixed_motion(SPEED_FRAMES)
    motion["headYaw"] = 0.1 * np.sin(np.arange(SPEED_FRAMES) / 10)
    return motion


def summarise(portraits: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """Means over portraits; the protocol's mean and least correlation are over the channels' means."""
    results = list(portraits.values())

    def average(*keys: str) -> float:
        values = results
        for key in keys:
            values = [value[key] for value in values]
        return float(np.mean(values))

    correlations = {}
    for name, channels in results[0]["correlation"].items():
        means = {c: average("correlation", name, c) for c in channels}
        correlations[name] = {"channels": means, "mean": _mean(means), "least": min(means.values())}
    return {
        "correlation": correlations,
        "gain": {c: average("gain", c) for c in CHANNELS},
        "psnr_least": min(result["psnr"] for result in results),
        "head": {name: {key: average("head", name, key) for key in ("correlation", "gain")} for name in HEAD[:3]},
        "seen_at_full": {c: {b: average("seen_at_full", c, b) for b in BLENDSHAPES} for c in CHANNELS},
    }


def report(results: dict[str, Any]) -> str:
    """The results as markdown."""
    summary, speed, place = results["summary"], results["speed"], results["environment"]
    head = table(["head", "r", "gain"], [[n, v["correlation"], v["gain"]] for n, v in summary["head"].items()])
    seen = [[c, *average_sides(np.array([list(summary["seen_at_full"][c].values())]))[0].tolist()] for c in CHANNELS]
    foot = (
        f"Renderer {speed['frames_per_s']:.1f} frames/s at {speed['side']:.0f}², first frame after {speed['prepare_s']:.2f} s "
        f"({place['cpu']}, {place['cores']} cores, load {place['load']}); commit {place['commit']}, {place['date']}."
    )
    asked_seen = ["Seen change at full:", table(["asked ↓ seen →", *CHANNELS], seen)]
    loop = [_channel_table(summary), "Per portrait:", _portrait_table(results["portraits"])]
    return "\n\n".join([f"## {results['protocol']}", *loop, head, *asked_seen, foot])


def _channel_table(summary: dict[str, Any]) -> str:
    correlations, gains = summary["correlation"], summary["gain"]
    rows = [
        [c, *(r["channels"].get(c, "–") for r in correlations.values()), gains[c], _cross_talk(summary["seen_at_full"][c], c)]
        for c in CHANNELS
    ]
    rows.append(["**mean**", *(r["mean"] for r in correlations.values()), _mean(gains), ""])
    rows.append(["**least**", *(r["least"] for r in correlations.values()), min(gains.values()), ""])
    return table(["channel", *(f"r, {name}" for name in correlations), "gain", "seen at full beside it"], rows)


def _portrait_table(portraits: dict[str, dict[str, Any]]) -> str:
    rows = [
        [name, motion, *(channels.get(c, "–") for c in CHANNELS), _mean(channels), result["psnr"], result["frames_without_face"]]
        for name, result in portraits.items()
        for motion, channels in result["correlation"].items()
    ]
    return table(["portrait", "motion", *CHANNELS, "mean r", "PSNR dB", "no face"], rows)


def _mean(values: dict[str, float]) -> float:
    return float(np.mean(list(values.values())))


def _cross_talk(seen: dict[str, float], asked: str) -> str:
    """Channels, other than the asked, that change by more than `CROSS_TALK`, the strongest first."""
    others = {name: value for name, value in seen.items() if name not in sides(asked) and abs(value) > CROSS_TALK}
    return ", ".join(f"{name} {others[name]:+.2f}" for name in sorted(others, key=lambda name: -abs(others[name]))[:4])


def closed_loop(
    portraits: Sequence[str] = (ASTRONAUT,),
    landmarker: Path = Path("../shared/models/face_landmarker.task"),
    renderer: Renderer = DEFAULT_RENDERER,
    talking: bool = True,
    motions: Sequence[Path] = (),
    size: int = 512,
    output: Path | None = None,
) -> None:
    """Measure a renderer through independent eyes.

    Args:
        portraits: pictures or folders of pictures; ``astronaut`` is scikit-image's.
        landmarker: MediaPipe's face_landmarker.task.
        renderer: what draws.
        talking: correlate over talking performances of every emotion as well (needs flite).
        motions: further performances (.npz, .csv) to correlate over.
        size: pixels of the framed portraits' side.
        output: a .json file for the results; tables go beside it as .md.
    """
    eyes = Landmarker(landmarker)
    performances = {"mixed": mixed_motion()} | {path.stem: Motion.load(path) for path in motions}
    if talking:
        said = [talking_motion(emotion).values[::TALKING_STEP] for emotion in EMOTIONS]
        performances["talking"] = Motion(np.concatenate(said))
    faces = load_portraits(portraits, size)
    speed = measure_speed(renderer, next(iter(faces.values())), speed_motion())
    measured = {name: measure_portrait(renderer, face, eyes, performances) for name, face in faces.items()}
    results = {
        "protocol": "closed_loop-1",
        "environment": environment(),
        "summary": summarise(measured),
        "speed": speed,
        "portraits": measured,
    }
    write_results(output, results, report(results))


if __name__ == "__main__":
    run(closed_loop)
