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
from tbd.evaluation.metric_runner import MetricRunner, SharedValues
from tbd.evaluation.pixel_protocol import measured_by, motion_metrics
from tbd.evaluation.predictions import Prediction, Predictions
from tbd.evaluation.protocol import Protocol
from tbd.evaluation.references.base import Reference, ReferenceClip
from tbd.evaluation.scores import Issue, Scores
from tbd.evaluation.video_inputs import VideoInputs
from tbd.utils.atomic import atomic_output
from tbd.utils.checksum import checksum_of_names
from tbd.utils.jobs.multiprocessing import process_pool

Progress = Callable[[Sequence[ReferenceClip]], Iterable[ReferenceClip]]


def evaluate(
    protocol: Protocol,
    reference: Reference,
    predictions: Callable[[Sequence[str]], Predictions],
    progress: Progress = iter,
    device: str = "cpu",
    workers: int = 1,
) -> tuple[Scores, dict[str, dict[str, dict[str, float]]]]:
    """Measure a folder of predictions.

    Args:
        protocol: The recipe. Videos without motion files are measured by `tbd.evaluation.pixel_protocol.in_pixels` of it, with a note.
        reference: The true clips.
        predictions: Reads the predictions of the given clip ids, as `read_predictions` does.
        progress: Wraps the clips that this process measures, such as a progress bar.
        device: Device of the metrics' networks.
        workers: Processes; the numbers do not depend on it.

    Returns:
        The scores, and metric → clip → numbers of the means over clips.

    Raises:
        InputError: If the reference is not the one that the protocol names, or nothing can be compared.
    """
    start = time.perf_counter()
    clips = reference.clips()
    names, content = checksum_of_names(clip.id for clip in clips), reference.content()
    require_split(protocol, len(clips), names, content)
    given = predictions([clip.id for clip in clips])
    protocol = measured_by(protocol, given)
    results = measure_clips(protocol, clips, given.clips, progress, device, workers)
    runners, issues = results.runners, [*given.issues, *results.issues]
    # a metric that could measure no clip has one message, its own
    failed = tuple(f"{runner.entry.name}: " for runner in runners if not runner.clips)
    issues = [issue for issue in issues if issue.kind != "metric" or not issue.detail.startswith(failed)]
    speed, memory = _costs(given.clips)
    scores = Scores(
        protocol=protocol.id,
        protocol_hash=protocol.hash,
        split=names,
        content=content or "",
        motion=_motion_of(protocol),
        metrics={runner.entry.name: runner.value() for runner in runners},
        expected=len(clips),
        found=len(given.clips),
        scored=results.scored,
        issues=sorted(issues, key=lambda issue: (issue.scored, issue.kind, issue.clip, issue.detail)),
        weights={name: sha for runner in runners if runner.clips for name, sha in runner.weights.items()},
        predictor=given.run.get("predictor", {}),
        predictor_weights=given.run.get("weights", {}),
        predicted_on=given.run.get("environment", {}),
        evaluated_on=environment(),
        speed=speed,
        memory=memory,
        seconds=round(time.perf_counter() - start, 2),
    )
    return scores, {runner.entry.name: runner.clip_values for runner in runners if runner.clip_values}


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
    protocol: Protocol,
    clips: Sequence[ReferenceClip],
    predictions: dict[str, Prediction],
    progress: Progress = iter,
    device: str = "cpu",
    workers: int = 1,
) -> ClipResults:
    """Update a protocol's metrics with the clips that have a prediction.

    Args:
        protocol: The recipe.
        clips: The true clips.
        predictions: Clip id → its files.
        progress: Wraps the clips that this process measures, such as a progress bar.
        device: Device of the metrics' networks.
        workers: Processes, this one included. States of metrics add up exactly, so that the numbers do not depend on it.

    Returns:
        The metrics and the clips' issues.
    """
    predicted = [clip for clip in clips if clip.id in predictions]
    workers = max(min(workers, len(predicted)), 1)
    if workers == 1:
        return _measure_share(protocol, predicted, predictions, progress, device)
    shares = [predicted[first::workers] for first in range(workers)]
    with process_pool(workers - 1) as pool:
        tasks = [(protocol, share, {c.id: predictions[c.id] for c in share}, device) for share in shares[1:]]
        others = pool.starmap_async(_measure_in_worker, tasks)
        results = _measure_share(protocol, shares[0], predictions, progress, device)
        for states, issues, scored in others.get():
            for runner, state in zip(results.runners, states):
                runner.add(state)
            results.issues += issues
            results.scored += scored
    return results


def _measure_share(
    protocol: Protocol, clips: Sequence[ReferenceClip], predictions: dict[str, Prediction], progress: Progress, device: str
) -> ClipResults:
    results = ClipResults([MetricRunner.of(entry, device) for entry in protocol.metrics])
    required = RequiredFields.of(protocol, [runner.reads for runner in results.runners])
    for clip in progress(clips):
        issues = _measure_clip(protocol, required, clip, predictions[clip.id], results.runners)
        results.scored += all(issue.scored for issue in issues)
        results.issues += issues
    return results


def _measure_in_worker(
    protocol: Protocol, clips: Sequence[ReferenceClip], predictions: dict[str, Prediction], device: str
) -> tuple[list[dict[str, Any]], list[Issue], int]:
    """`_measure_share` in a process of its own; returns what can be sent back: the metrics' states without their networks."""
    results = _measure_share(protocol, clips, predictions, iter, device)
    return [runner.state() for runner in results.runners], results.issues, results.scored


def _measure_clip(
    protocol: Protocol, required: RequiredFields, clip: ReferenceClip, prediction: Prediction, runners: Sequence[MetricRunner]
) -> list[Issue]:
    """Update all metrics with one clip; returns its issues."""
    try:
        clip_inputs = VideoInputs(protocol, required, clip, prediction)
    except UnusableClip as error:
        return [Issue(kind=error.kind, clip=clip.id, detail=str(error))]
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
    speed = {"frames_per_second": round(frames / seconds, 2), "seconds_per_second": round(seconds / (frames / 25), 4), "clips": len(rows)}
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
