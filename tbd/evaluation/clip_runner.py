"""Looks at clips, one by one, here or in several processes, whose findings are added up."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from tbd.evaluation.clip_inputs import ClipInputs, RequiredFields, Unusable
from tbd.evaluation.metric_runner import MetricRunner
from tbd.evaluation.predictions import Prediction
from tbd.evaluation.protocol import Protocol
from tbd.evaluation.references.base import ReferenceClip
from tbd.evaluation.scores import Issue
from tbd.utils.multiprocessing import process_pool


@dataclass
class Findings:
    """What was found in some clips.

    Args:
        gauges: the protocol's metrics, fed.
        issues: of the clips.
        scored: how many are in the numbers.
    """

    runners: list[MetricRunner]
    issues: list[Issue] = field(default_factory=list)
    scored: int = 0


def look(
    protocol: Protocol,
    clips: Sequence[ReferenceClip],
    predictions: dict[str, Prediction],
    watched: Callable[[Sequence[ReferenceClip]], Any] = iter,
    device: str = "cpu",
    workers: int = 1,
) -> Findings:
    """Feed a protocol's metrics with the clips that have a prediction.

    Args:
        protocol: the recipe.
        clips: the true ones.
        predictions: by clip.
        watched: passes on the clips that this process looks at; a progress bar.
        device: where the metrics' networks run.
        workers: processes; this one is the first. States of metrics add up, so that their number does not matter.
    """
    there = [clip for clip in clips if clip.id in predictions]
    workers = max(min(workers, len(there)), 1)
    if workers == 1:
        return _look(protocol, there, predictions, watched, device)
    shares = [there[first::workers] for first in range(workers)]
    with process_pool(workers - 1) as pool:
        tasks = [(protocol, share, {c.id: predictions[c.id] for c in share}, device) for share in shares[1:]]
        others = pool.starmap_async(_look_apart, tasks)
        found = _look(protocol, shares[0], predictions, watched, device)
        for states, issues, scored in others.get():
            for runner, state in zip(found.runners, states):
                runner.add(state)
            found.issues += issues
            found.scored += scored
    return found


def _look(protocol, clips: Sequence[ReferenceClip], predictions: dict[str, Prediction], watched: Callable, device: str) -> Findings:
    found = Findings([MetricRunner.of(entry, device) for entry in protocol.metrics])
    needs = _needs(protocol, found.runners)
    for clip in watched(clips):
        issues = _examine(protocol, needs, clip, predictions[clip.id], found.runners)
        found.scored += not any(not issue.scored for issue in issues)
        found.issues += issues
    return found


def _look_apart(
    protocol: Protocol, clips: Sequence[ReferenceClip], predictions: dict[str, Prediction], device: str
) -> tuple[list[dict[str, Any]], list[Issue], int]:
    """`_look` in a process of its own: what can be sent back, the metrics' states without their networks."""
    found = _look(protocol, clips, predictions, iter, device)
    return [runner.state() for runner in found.runners], found.issues, found.scored


def _needs(protocol: Protocol, runners: Sequence[MetricRunner]) -> RequiredFields:
    reads = [runner.reads for runner in runners]
    chips = None
    if any(name.endswith(".faces") for fields in reads for name in fields):
        from tbd.metrics.crops import face_chips

        chips = face_chips
    return RequiredFields.of(protocol, reads, chips)


def _examine(
    protocol: Protocol, needs: RequiredFields, clip: ReferenceClip, prediction: Prediction, runners: Sequence[MetricRunner]
) -> list[Issue]:
    """Look at one clip and feed it to all metrics; its issues."""
    try:
        clip_inputs = ClipInputs(protocol, needs, clip, prediction)
    except Unusable as error:
        return [Issue(kind=error.kind, clip=clip.id, detail=str(error))]
    shared: dict[Any, dict[str, float]] = {}
    for runner in runners:
        runner.update(clip_inputs, shared)
    return clip_inputs.issues
