"""Does a face live beside its words? Head, brows, cheeks, blinks and gaze of drawn plain speech, against tracked people.

Protocol ``liveliness-4``. Each clip is a person who talks: its sound is drawn from with a neutral plan, once for each seed, with the
idle motion that a pipeline adds, and statistics of the drawing stand beside those of the tracked face, both over the first six seconds.
Given are medians over clips (and seeds), means of what is counted (a blink more in six seconds is ten more a minute), the drawn over
the tracked, and how sure the people's figure is (95 %, clips resampled). Each clip has seeds of its own: how much a face moves beside its
words is a matter of the noise that it is drawn from, and one noise for all clips would measure that noise.

A tracker's own noise counts as motion of brows and gaze, and lids that close look like eyes that look down. So a jump of the gaze is one
where the gaze stays, outside of blinks; all that the tracker takes for one stand beside it. The halves of a tracked face also differ at
rest, and where it is turned: they are compared about the median of their difference, since a portrait brings a resting face of its own.

With ``--videos``, the folder of the clips' films, a drawing is also rendered on the calmest frame of its film and tracked as the film was:
what is *seen* is nearer to what a person sees than what was drawn, and its halves differ at rest as the person's do. How far such a
rendering may be trusted is seen with ``--replay true``: then the film's own motion is rendered in place of a drawing.

A clip may also be a 16 kHz wave file with its tracked motion (.npz) beside it, where there is no tracker.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from scipy.ndimage import binary_dilation

from benchmarks.common import bootstrap_interval, environment, run, table, write_results
from benchmarks.real_speech import LONGEST, SpeechClip, draw_all, drawings_of, read_clip
from benchmarks.seen import find_video, watch
from tbd import MOTION_MODEL
from tbd.draw.motion.idle import IdleMotion
from tbd.draw.motion.loading import load_motion_model
from tbd.errors import InputError
from tbd.face.channels import CHANNELS
from tbd.face.motion import Motion
from tbd.face.tracker import RECIPE, FaceLandmarkerTracker
from tbd.media.rates import FPS, SAMPLE_RATE
from tbd.metrics.dynamics import count_blinks
from tbd.think.plan import MusclePlan

SECONDS = 6
SHORTEST = 3
"""Seconds below which a clip says little."""
HEAD = ("headPitch", "headYaw", "headRoll")
PASSING = ("browInnerUp", "browDownLeft", "mouthSmileLeft", "eyeSquintLeft")
"""Channels that words hardly move, and people do."""
JUMP = 0.19
"""Change of the gaze within two frames, in units of eyeLookOut = 1, that is a jump of the eyes: 6 degrees."""
CLOSED = 0.5
COUNTED = ("blinks", "gaze jumps", "gaze jumps and noise")
_OPEN, _BESIDE, _STAYS = 0.3, 3, 3
"""Closure from which lids pull on what a tracker takes for the gaze, and frames beside it; frames that the gaze stays before and after."""
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
        Name → value: deviations of head (degrees) and passing movements, the head's speed (degrees a second), blinks a minute and their
        length at half their depth (seconds; not a number without any), jumps of the gaze a second, those after which it stays and all that
        look like one, its deviation, mean difference of left and right about its median and that median, and the 95th percentile of the
        jaw.
    """
    seconds = len(motion) / FPS
    head = np.degrees(np.stack([motion[name] for name in HEAD], 1))
    closure = np.minimum(motion["eyeBlinkLeft"], motion["eyeBlinkRight"])
    blinks = count_blinks(closure.tolist())
    gaze = np.stack([motion["eyeLookOutLeft"] - motion["eyeLookInLeft"], motion["eyeLookDownLeft"] - motion["eyeLookUpLeft"]], 1)
    far = np.linalg.norm(gaze[2:] - gaze[:-2], axis=1) > JUMP
    halves = np.stack([motion[left] - motion[right] for left, right in _PAIRS], 1)
    return {
        **dict(zip(HEAD, head.std(0).tolist())),
        "head speed": float(np.linalg.norm(np.diff(head, axis=0), axis=1).mean() * FPS),
        **{name: float(motion[name].std()) for name in PASSING},
        "blinks": blinks * 60 / seconds,
        "blink length": float((closure > CLOSED).sum() / FPS / blinks) if blinks else float("nan"),
        "gaze jumps": jump_rate(gaze, closure),
        "gaze jumps and noise": float((far[1:] & ~far[:-1]).sum() / seconds),
        "gaze, sideways": float(gaze[:, 0].std()),
        "left − right": float(np.abs(halves - np.median(halves, 0)).mean()),
        "left − right, held": float(np.abs(np.median(halves, 0)).mean()),
        "jaw, 95 %": float(np.percentile(motion["jawOpen"], 95)),
    }


def jump_rate(gaze: np.ndarray, closure: np.ndarray) -> float:
    """Compute how many jumps a second there are, after which the gaze stays where it is, while the eyes are open.

    Args:
        gaze: (T, 2) in units of eyeLookOut = 1.
        closure: (T,) of the lids.

    Returns:
        Jumps in a second of open eyes.

    Example:
        >>> gaze = np.zeros((56, 2))
        >>> gaze[10:, 0], gaze[20, 1] = 0.3, 0.5  # looks aside, and is misread for a frame
        >>> jump_rate(gaze, np.zeros(56))
        0.5
    """
    shut, count, last, seen = binary_dilation(closure > _OPEN, iterations=_BESIDE), 0, -2 * _STAYS, 0
    for frame in range(_STAYS, len(gaze) - _STAYS):
        if shut[frame - _STAYS : frame + _STAYS + 1].any():
            continue
        seen += 1
        before, after = (np.median(gaze[at : at + _STAYS], axis=0) for at in (frame - _STAYS, frame + 1))
        near = np.linalg.norm(gaze[frame + 1] - gaze[frame - 1]) > JUMP  # and not in the course of a slow turn
        if near and frame - last > _STAYS and np.linalg.norm(after - before) > JUMP:
            count, last = count + 1, frame
    return count * FPS / seen if seen else 0.0


def typical(rows: Sequence[dict[str, float]]) -> dict[str, float]:
    """Median of each statistic over those clips that have it; the mean of what is counted."""
    return {name: _typical(name, np.array([row[name] for row in rows])) for name in rows[0]}


def _typical(name: str, values: np.ndarray) -> float:
    known = values[np.isfinite(values)]  # of a clip without blinks their length is not
    if not len(known):
        return float("nan")
    return float(np.mean(known) if name in COUNTED else np.median(known))


def interval(name: str, rows: Sequence[dict[str, float]]) -> tuple[float, float]:
    """95 % interval of `typical`, from samples of clips with replacement."""
    values = np.array([row[name] for row in rows])
    values = values[np.isfinite(values)]
    if not len(values):
        return float("nan"), float("nan")
    return bootstrap_interval(lambda chosen: [_typical(name, values[sample]) for sample in chosen], len(values))


def liveliness(
    clips: Sequence[Path],
    landmarker: Path | None = None,
    model: str = MOTION_MODEL,
    seeds: int = 2,
    drawings: Path | None = None,
    videos: Path | None = None,
    replay: bool = False,
    output: Path | None = None,
) -> None:
    """Measure how a motion model moves a face beside its words.

    Args:
        clips: videos, or wave files with a motion beside them.
        landmarker: MediaPipe's face_landmarker.task, for videos.
        model: packaged name, folder, or hub repository of a motion model.
        seeds: drawings of each clip.
        drawings: a folder where drawings are kept, and from which those that are there are taken; see `benchmarks.real_speech`.
        videos: a folder with the videos of the clips, by name; with --landmarker what is seen of a drawing on them is described as well.
        replay: render the films' own motion in place of drawings.
        output: a .json file for the results; a table goes beside it as .md.
    """
    if (videos is not None or replay) and (videos is None or landmarker is None):
        raise InputError("What is seen of a performance needs --videos, and --landmarker, MediaPipe's face_landmarker.task.")
    idle, real, drawn, found = IdleMotion(), [], [], {}
    for path in map(Path, clips):
        audio, tracked = read_clip(path, landmarker)
        if tracked.metadata.get("tracker") == FaceLandmarkerTracker.name and tracked.metadata.get("recipe") != RECIPE:
            raise InputError(f"The motion beside {path} has lids and gaze on another scale than today's; track its video again.")
        if len(tracked) >= SHORTEST * FPS:
            found[path.stem] = SpeechClip(audio[: int(LONGEST * SAMPLE_RATE)], tracked, path.stem)
    performed = {} if replay else draw_all(load_motion_model(model), found, seeds, kept=drawings_of(drawings, model))
    seen, of_seen = [], []
    for number, (name, clip) in enumerate(found.items()):
        own = Motion(clip.tracked.values[: SECONDS * FPS])
        motions = [
            Motion(idle(values[: SECONDS * FPS], MusclePlan(), number * seeds + seed + 1))
            for seed, values in enumerate(performed.get(name, ()))
        ] or [own]
        real.append(describe(own))
        drawn += map(describe, motions)
        if videos is not None and landmarker is not None:
            watched = [describe(motion) for motion in watch(find_video(videos, name), clip.tracked, motions[:1], landmarker)]
            seen += watched
            of_seen += [real[-1]] * len(watched)
    if not real:
        raise InputError(f"Name one or more clips of {SHORTEST} seconds or more of a person who talks.")
    results: dict[str, Any] = {"protocol": "liveliness-4", "environment": environment(), "clips": len(real), "seeds": seeds}
    performer = "the films' own motion" if replay else f"{seeds} seeds a clip"
    report = f"## liveliness-4\n\n{len(real)} clips, {performer}; medians, and means of {', '.join(COUNTED)}.\n\n"
    tables = []
    if not replay:
        results["drawn"], lines = compare(real, drawn, "drawn")
        tables.append(lines)
    if seen:
        results["seen"], lines = compare(of_seen, seen, "seen")
        tables.append(f"Seen, on {len(seen)} of the people's own faces, one performance each:\n\n{lines}")
    write_results(output, results, report + "\n\n".join(tables))


def compare(real: Sequence[dict[str, float]], other: Sequence[dict[str, float]], what: str) -> tuple[dict[str, Any], str]:
    """Typical statistics of people and of something else beside them, as numbers and as a table."""
    people, ours, sure = typical(real), typical(other), {name: interval(name, real) for name in real[0]}
    rows = [
        [name, value, "{:.2f} to {:.2f}".format(*sure[name]), ours[name], ours[name] / value if value else float("nan")]
        for name, value in people.items()
    ]
    return {"people": people, "interval": sure, what: ours}, table(["", "people", "95 %", what, f"{what} / people"], rows)


if __name__ == "__main__":
    run(liveliness, many="clips", default=())
