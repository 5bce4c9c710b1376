"""Does a face live beside its words? Head, brows, cheeks, blinks and gaze of drawn plain speech, against tracked people.

Protocol ``liveliness-1``. Each clip is a person who talks: its sound is drawn from with a neutral plan, once for each seed, with the
idle motion that a pipeline adds, and statistics of the drawing stand beside those of the tracked face, both over the first six seconds.
Given are medians over clips (and seeds), and the drawn over the tracked. Each clip has seeds of its own: how much a face moves beside
its words is a matter of the noise that it is drawn from, and one noise for all clips would measure that noise. A tracker's own noise
counts as motion of brows and gaze.

A clip may also be a 16 kHz wave file with its tracked motion (.npz) beside it, where there is no tracker.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from benchmarks.common import environment, run, table, write_results
from benchmarks.real_speech import read_clip
from tbd import MOTION_MODEL
from tbd.draw.motion.idle import IdleMotion
from tbd.draw.motion.loading import load_motion_model
from tbd.errors import InputError
from tbd.face.channels import CHANNELS
from tbd.face.motion import Motion
from tbd.media.rates import FPS, SAMPLE_RATE
from tbd.metrics.dynamics import count_blinks
from tbd.think.plan import MusclePlan

SECONDS = 6
SHORTEST = 3
"""Seconds below which a clip says little."""
HEAD = ("headPitch", "headYaw", "headRoll")
PASSING = ("browInnerUp", "browDownLeft", "mouthSmileLeft", "eyeSquintLeft")
"""Channels that words hardly move, and people do."""
JUMP = 0.12
"""Change of the gaze within two frames, in units of eyeLookOut = 1, that is a jump of the eyes."""
CLOSED = 0.5
_PAIRS = [
    (name, f"{name.removesuffix('Left')}Right")
    for name in CHANNELS
    if name.endswith("Left") and not name.startswith("eyeLook") and name not in ("jawLeft", "mouthLeft")
]


def describe(motion: Motion) -> dict[str, float]:
    """Statistics of one performance.

    Args:
        motion: T frames, 25 a second.

    Returns:
        Name → value: deviations of head (degrees) and passing movements, the head's speed (degrees a second), blinks a minute and
        their length at half their depth (seconds; not a number without any), jumps of the gaze a second, mean difference of left
        and right, and the 95th percentile of the jaw.
    """
    seconds = len(motion) / FPS
    head = np.degrees(np.stack([motion[name] for name in HEAD], 1))
    closure = np.minimum(motion["eyeBlinkLeft"], motion["eyeBlinkRight"])
    blinks = count_blinks(closure.tolist())
    gaze = np.stack([motion["eyeLookOutLeft"] - motion["eyeLookInLeft"], motion["eyeLookDownLeft"] - motion["eyeLookUpLeft"]], 1)
    far = np.linalg.norm(gaze[2:] - gaze[:-2], axis=1) > JUMP
    return {
        **dict(zip(HEAD, head.std(0).tolist())),
        "head speed": float(np.linalg.norm(np.diff(head, axis=0), axis=1).mean() * FPS),
        **{name: float(motion[name].std()) for name in PASSING},
        "blinks": blinks * 60 / seconds,
        "blink length": float((closure > CLOSED).sum() / FPS / blinks) if blinks else float("nan"),
        "gaze jumps": float((far[1:] & ~far[:-1]).sum() / seconds),
        "left − right": float(np.mean([np.abs(motion[left] - motion[right]).mean() for left, right in _PAIRS])),
        "jaw, 95 %": float(np.percentile(motion["jawOpen"], 95)),
    }


def medians(rows: Sequence[dict[str, float]]) -> dict[str, float]:
    """Median of each statistic over those clips that have it."""
    return {name: float(np.nanmedian([row[name] for row in rows])) for name in rows[0]}


def liveliness(
    clips: Sequence[Path], landmarker: Path | None = None, model: str = MOTION_MODEL, seeds: int = 2, output: Path | None = None
) -> None:
    """Measure how a motion model moves a face beside its words.

    Args:
        clips: videos, or wave files with a motion beside them.
        landmarker: MediaPipe's face_landmarker.task, for videos.
        model: packaged name, folder, or hub repository of a motion model.
        seeds: drawings of each clip.
        output: a .json file for the results; a table goes beside it as .md.
    """
    drawer, idle, real, drawn = load_motion_model(model), IdleMotion(), [], []
    for number, path in enumerate(map(Path, clips)):
        audio, tracked = read_clip(path, landmarker)
        if len(tracked) < SHORTEST * FPS:
            continue
        real.append(describe(Motion(tracked.values[: SECONDS * FPS])))
        for seed in range(seeds):
            own = number * seeds + seed + 1
            pieces = drawer.generate(audio[: SECONDS * SAMPLE_RATE], MusclePlan(), seed=own)
            values = np.concatenate([piece.values for piece in pieces])
            drawn.append(describe(Motion(idle(values, MusclePlan(), own))))
    if not real:
        raise InputError(f"Name one or more clips of {SHORTEST} seconds or more of a person who talks.")
    people, ours = medians(real), medians(drawn)
    rows = [[name, people[name], ours[name], ours[name] / people[name] if people[name] else float("nan")] for name in people]
    report = f"## liveliness-1\n\n{len(real)} clips, {seeds} seeds a clip, medians.\n\n"
    report += table(["", "people", "drawn", "drawn / people"], rows)
    results = {"protocol": "liveliness-1", "environment": environment(), "clips": len(real), "seeds": seeds}
    write_results(output, results | {"people": people, "drawn": ours}, report)


if __name__ == "__main__":
    run(liveliness, many="clips", default=())
