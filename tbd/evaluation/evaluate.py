"""`tbd evaluate`: decode every clip of a protocol once and update all metrics with it.

Memory holds one clip at a time, whatever their number: metrics have states of fixed size.
"""

import csv
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from tbd.errors import InputError
from tbd.evaluation.clip_inputs import RequiredFields, UnusableClip
from tbd.evaluation.environment import environment
from tbd.evaluation.metric_runner import MetricRunner, SharedValues, reason_of
from tbd.evaluation.pixel_protocol import measured_by, motion_metrics
from tbd.evaluation.predictions import Prediction, Predictions
from tbd.evaluation.protocol import Protocol
from tbd.evaluation.references.base import Reference, ReferenceClip
from tbd.evaluation.scores import Issue, Scores
from tbd.evaluation.video_inputs import DecodedTargets, VideoInputs
from tbd.utils.atomic import atomic_output
from tbd.utils.checksum import checksum_of_names
from tbd.utils.jobs.multiprocessing import process_pool

Progress = Callable[[Sequence[ReferenceClip]], Iterable[ReferenceClip]]


Folder = Callable[[Sequence[str]], Predictions]
"""Reads the predictions of the given clip ids, as `read_predictions` does."""
ClipValues = dict[str, dict[str, dict[str, float]]]
"""Metric → clip → numbers, of the means over clips."""


def evaluate(
    protocol: Protocol,
    reference: Reference,
    predictions: Folder,
    progress: Progress = iter,
    device: str = "cpu",
    workers: int = 1,
) -> tuple[Scores, ClipValues]:
    """Measure a folder of predictions.

    Args:
        protocol: The recipe. Videos without motion files are measured by `tbd.evaluation.pixel_protocol.in_pixels` of it, with a note.
        reference: The true clips.
        predictions: Reads the folder.
        progress: Wraps the clips that this process measures, such as a progress bar.
        device: Device of the metrics' networks.
        workers: Processes; the numbers do not depend on it.

    Returns:
        The scores, and metric → clip → numbers of the means over clips.

    Raises:
        InputError: If the reference is not the one that the protocol names, or nothing can be compared.
    """
    return evaluate_several(protocol, reference, [predictions], progress, device, workers)[0]


def evaluate_several(
    protocol: Protocol,
    reference: Reference,
    folders: Sequence[Folder],
    progress: Progress = iter,
    device: str = "cpu",
    workers: int = 1,
) -> list[tuple[Scores, ClipValues]]:
    """Measure several folders of predictions in one pass over the true clips, which are decoded and tracked once for all of them.

    The numbers are those of `evaluate`, folder by folder.

    Args:
        protocol: The recipe, as in `evaluate`.
        reference: The true clips.
        folders: Read a folder each.
        progress: Wraps the clips that this process measures, such as a progress bar.
        device: Device of the metrics' networks.
        workers: Processes; the numbers do not depend on it.

    Returns:
        Of each folder what `evaluate` returns; its seconds are those of the whole pass.

    Raises:
        InputError: If the reference is not the one that the protocol names, or nothing can be compared in one of the folders.
    """
    start, here = time.perf_counter(), environment()
    clips = reference.clips()
    names, content = checksum_of_names(clip.id for clip in clips), reference.content()
    require_split(protocol, len(clips), names, content)
    given = [read([clip.id for clip in clips]) for read in folders]
    tasks = [Task(measured_by(protocol, found), found.clips) for found in given]
    measured = measure_clips(tasks, clips, progress, device, workers)
    seconds = round(time.perf_counter() - start, 2)
    about = {"split": names, "content": content or "", "expected": len(clips), "evaluated_on": here, "seconds": seconds}
    return [
        (_scores(task.protocol, found, results, about), {r.entry.name: r.clip_values for r in results.runners if r.clip_values})
        for task, found, results in zip(tasks, given, measured)
    ]


def _scores(protocol: Protocol, given: Predictions, results: "ClipResults", about: dict[str, Any]) -> Scores:
    runners, issues = results.runners, [*given.issues, *results.issues]
    # a metric that could measure no clip has one message, its own
    failed = tuple(f"{runner.entry.name}: " for runner in runners if not runner.clips)
    issues = [issue for issue in issues if issue.kind != "metric" or not issue.detail.startswith(failed)]
    speed, memory = _costs(given.clips)
    return Scores(
        protocol=protocol.id,
        protocol_hash=protocol.hash,
        motion=_motion_of(protocol),
        metrics={runner.entry.name: runner.value() for runner in runners},
        found=len(given.clips),
        scored=results.scored,
        issues=sorted(issues, key=lambda issue: (issue.scored, issue.kind, issue.clip, issue.detail)),
        weights={name: sha for runner in runners if runner.clips for name, sha in runner.weights.items()},
        predictor=given.run.predictor,
        predictor_weights=given.run.weights,
        predicted_on=given.run.environment,
        speed=speed,
        memory=memory,
        **about,
    )


@dataclass(frozen=True)
class Task:
    """A folder that is to be measured.

    Args:
        protocol: What measures it.
        predictions: Clip id → its files.
    """

    protocol: Protocol
    predictions: dict[str, Prediction]

    def of(self, clips: Sequence[ReferenceClip]) -> "Task":
        """Keep some clips' predictions."""
        return Task(self.protocol, {clip.id: self.predictions[clip.id] for clip in clips if clip.id in self.predictions})


@dataclass
class ClipResults:
    """What was measured of some clips.

    Args:
        runners: The protocol's metrics, updated with all clips that could be measured.
        issues: Everything odd about clips.
        scored: Number of clips in the numbers.
    """

    runners: list[MetricRunner]
    issues: list[Issue] = field(default_factory=list)
    scored: int = 0


def measure_clips(
    tasks: Sequence[Task], clips: Sequence[ReferenceClip], progress: Progress = iter, device: str = "cpu", workers: int = 1
) -> list[ClipResults]:
    """Update metrics with the clips that have a prediction.

    Args:
        tasks: The folders.
        clips: The true clips.
        progress: Wraps the clips that this process measures, such as a progress bar.
        device: Device of the metrics' networks.
        workers: Processes, this one included. States of metrics add up exactly, so that the numbers do not depend on it.

    Returns:
        Each task's metrics and its clips' issues.
    """
    predicted = [clip for clip in clips if any(clip.id in task.predictions for task in tasks)]
    workers = max(min(workers, len(predicted)), 1)
    if workers == 1:
        return _measure_share(tasks, predicted, progress, device)
    shares = [predicted[first::workers] for first in range(workers)]
    with process_pool(workers - 1) as pool:
        others = pool.starmap_async(_measure_in_worker, [([task.of(share) for task in tasks], share, device) for share in shares[1:]])
        results = _measure_share(tasks, shares[0], progress, device)
        for share in others.get():
            for result, (states, issues, scored) in zip(results, share):
                for runner, state in zip(result.runners, states):
                    runner.add(state)
                result.issues += issues
                result.scored += scored
    return results


def _measure_share(tasks: Sequence[Task], clips: Sequence[ReferenceClip], progress: Progress, device: str) -> list[ClipResults]:
    results = [ClipResults([MetricRunner.of(entry, device) for entry in task.protocol.metrics]) for task in tasks]
    required = [RequiredFields.of(task.protocol, [runner.reads for runner in found.runners]) for task, found in zip(tasks, results)]
    for clip in progress(clips):
        targets: DecodedTargets = {}
        for task, fields, found in zip(tasks, required, results):
            if clip.id in task.predictions:
                issues = _measure_clip(task.protocol, fields, clip, task.predictions[clip.id], found.runners, targets)
                found.scored += all(issue.scored for issue in issues)
                found.issues += issues
    return results


def _measure_in_worker(
    tasks: Sequence[Task], clips: Sequence[ReferenceClip], device: str
) -> list[tuple[list[dict[str, Any]], list[Issue], int]]:
    """`_measure_share` in a process of its own; returns what can be sent back: the metrics' states without their networks."""
    results = _measure_share(tasks, clips, iter, device)
    return [([runner.state() for runner in found.runners], found.issues, found.scored) for found in results]


def _measure_clip(
    protocol: Protocol,
    required: RequiredFields,
    clip: ReferenceClip,
    prediction: Prediction,
    runners: Sequence[MetricRunner],
    targets: DecodedTargets,
) -> list[Issue]:
    """Update all metrics with one clip; returns its issues."""
    try:
        clip_inputs = VideoInputs(protocol, required, clip, prediction, targets)
    except UnusableClip as error:
        return [Issue(kind=error.kind, clip=clip.id, detail=str(error))]
    except Exception as error:  # what no check has foreseen in one video keeps no other from being measured
        return [Issue(kind="unreadable", clip=clip.id, detail=f"{prediction.video.name} could not be measured. {reason_of(error)}")]
    shared: SharedValues = {}
    for runner in runners:
        runner.update(clip_inputs, shared)
    return clip_inputs.issues


def _motion_of(protocol: Protocol) -> Literal["file", "tracked"] | None:
    if not motion_metrics(protocol):
        return None
    return "file" if protocol.motion == "file" else "tracked"


def require_split(protocol: Protocol, clips: int, names: str, content: str | None) -> None:
    """Require that the reference is the protocol's own, or numbers would be of something else.

    Args:
        protocol: The recipe.
        clips: Number of clips of the reference.
        names: `checksum_of_names` of them.
        content: `Reference.content`.

    Raises:
        InputError: It is another.
    """
    split = protocol.split
    if split.names is not None and names != split.names:
        raise InputError(
            f"The reference's {clips} clips are not the {split.clips} of {protocol.id} (split {split.name}): the checksum of their "
            f"names is {names[:12]}…, not {split.names[:12]}…."
        )
    if split.content is not None and content != split.content:
        raise InputError(
            f"The reference's files were changed: {protocol.id} expects the checksum {split.content[:12]}…, these have "
            f"{(content or '')[:12]}…."
        )


def _costs(predictions: dict[str, Prediction]) -> tuple[dict[str, float], dict[str, float]]:
    """Speed and memory, of the rows that `tbd predict` wrote."""
    rows = [prediction.row for prediction in predictions.values() if prediction.row is not None]
    if not rows:
        return {}, {}
    frames, seconds = sum(row.frames for row in rows), sum(row.seconds for row in rows)
    speed = {"seconds_per_second": round(seconds / (frames / 25), 4), "clips": len(rows)}
    if seconds:
        speed["frames_per_second"] = round(frames / seconds, 2)
    memory = {"peak_mb": max(row.memory for row in rows), "gpu_peak_mb": max(row.gpu_memory for row in rows)}
    return speed, memory


def save_clips(path: Path, found: dict[str, dict[str, dict[str, float]]]) -> None:
    """Write the numbers of each clip, of which the means over clips are made, as CSV.

    Args:
        path: The file to write.
        found: Metric → clip → numbers, as `evaluate` returns them.
    """
    columns = {(metric, key) for metric, clips in found.items() for values in clips.values() for key in values}
    names = sorted({clip for clips in found.values() for clip in clips})
    order = sorted(columns)
    with atomic_output(path) as temporary, open(temporary, "w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["clip", *(metric if key == "value" else f"{metric}.{key}" for metric, key in order)])
        for name in names:
            values = (found[metric].get(name, {}).get(key) for metric, key in order)
            writer.writerow([name, *("" if value is None else f"{value:.6g}" for value in values)])
