"""`tbd evaluate`: every clip of a protocol is looked at once, and all metrics are fed with what it shows.

Memory holds one clip at a time, whatever their number: metrics have states of fixed size.
"""

import csv
import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tbd.errors import InputError
from tbd.evaluation.building import build, import_class
from tbd.evaluation.checksum import checksum_of_names
from tbd.evaluation.environment import environment
from tbd.evaluation.evidence import Evidence, Needs, Unusable
from tbd.evaluation.predictions import Prediction, Predictions
from tbd.evaluation.protocol import MetricEntry, Protocol
from tbd.evaluation.reference import Reference, ReferenceClip
from tbd.evaluation.scores import Issue, Scores, Value
from tbd.files import atomic_output
from tbd.metrics.base import ClipMean, ClipMetric, Unmeasurable
from tbd.weights import WeightsAbsent, checksum, find


@dataclass
class Gauge:
    """A metric at work: what it was given so far, clip by clip.

    Args:
        entry: its line in the protocol.
        metric: the metric, or None where it is absent.
        absent: why.
        clips: clips in it.
        refused: why the first of the others could not be measured.
        weights: third-party files that it uses, by their registered name → sha256.
        found: of a mean over clips, clip → numbers.
    """

    entry: MetricEntry
    metric: ClipMetric | None = None
    absent: str | None = None
    clips: int = 0
    refused: str | None = None
    weights: dict[str, str] = field(default_factory=dict)
    found: dict[str, dict[str, float]] = field(default_factory=dict)

    @classmethod
    def of(cls, entry: MetricEntry) -> "Gauge":
        """Build an entry's metric; one whose weights are not here is absent, with the command that fetches them."""
        try:
            return cls(entry, build_metric(entry), weights=_used_weights(entry))
        except WeightsAbsent as error:
            return cls(entry, absent=str(error))

    @property
    def reads(self) -> Sequence[str]:
        return self.metric.reads if self.metric is not None else ()

    def feed(self, evidence: Evidence, shared: dict[Any, dict[str, float]]) -> None:
        """Give it one clip. What it cannot measure becomes an issue of the clip.

        Args:
            evidence: of the clip.
            shared: what metrics of one group have measured of this clip already.
        """
        if self.metric is None:
            return
        try:
            inputs = evidence.inputs(self.reads, self.entry)
            if isinstance(self.metric, ClipMean):
                self._feed_mean(inputs, evidence.clip.id, shared)
            else:
                self.metric.update(*inputs)
            self.clips += 1
        except WeightsAbsent as error:
            self.metric, self.absent = None, str(error)
        except Unmeasurable as error:
            self.refused = self.refused or str(error)
            evidence.note("metric", f"{self.entry.name}: {error}")

    def _feed_mean(self, inputs: list[Any], clip: str, shared: dict[Any, dict[str, float]]) -> None:
        """Update a mean, and keep what it measured, or raise why it could not."""
        metric, measure = self.metric, self.metric.measure
        group = getattr(metric, "group", None)
        told: list[Unmeasurable] = []

        def observed(*given: Any) -> dict[str, float]:
            try:
                values = shared[group] if group is not None and group in shared else measure(*given)
            except Unmeasurable as error:
                told.append(error)
                raise
            if group is not None:
                shared[group] = values
            self.found[clip] = {name: float(value) for name, value in values.items()}
            return values

        metric.measure = observed
        try:
            metric.update(*inputs)
        finally:
            del metric.measure
        if told:
            raise told[0]

    def value(self) -> Value:
        """The result."""
        entry = self.entry
        kind = import_class(entry.metric.class_path) if self.metric is None else self.metric
        direction = {True: "higher", False: "lower", None: "reference"}[kind.higher_is_better]
        about = {"better": entry.better or direction, "clips": self.clips}
        if self.metric is None:
            return Value(absent=self.absent, **about)
        about["unit"] = self.metric.unit
        if not self.clips:
            return Value(absent=f"No clip could be measured. {self.refused or ''}".strip(), **about)
        try:
            if isinstance(self.metric, ClipMean):
                values, reported = {k: float(v) for k, v in self.metric.means().items()}, self.metric.reported
            else:
                values, reported = {"value": float(self.metric.compute()), **_beside(self.metric)}, "value"
        except WeightsAbsent as error:
            return Value(absent=str(error), **about)
        except InputError as error:
            return Value(absent=str(error), **about)
        values = {key: value for key, value in values.items() if math.isfinite(value)}
        if reported not in values:
            return Value(absent="The result is not a number.", **about)
        return Value(values=values, reported=reported, error=self._error(reported), **about)

    def _error(self, reported: str) -> float | None:
        numbers = [values[reported] for values in self.found.values()]
        if len(numbers) < 2:
            return None
        mean = sum(numbers) / len(numbers)
        variance = sum((x - mean) ** 2 for x in numbers) / (len(numbers) - 1)
        return 1.96 * math.sqrt(variance / len(numbers))


def _used_weights(entry: MetricEntry) -> dict[str, str]:
    """The files that an entry's weights lie in, by their checksums.

    Raises:
        InputError: a file is not the one that the protocol names.
    """
    used = {name: checksum(find(name).path) for name in entry.weights}
    for name, sha in used.items():
        expected = entry.weights[name]
        if expected != "unpublished" and not sha.startswith(expected):
            raise InputError(f"{find(name).path} is not the {name} of the protocol: its SHA-256 begins with {sha[:8]}, not {expected[:8]}.")
    return used


def build_metric(entry: MetricEntry) -> ClipMetric:
    """The metric of a protocol's entry.

    Raises:
        WeightsAbsent: its weights are not on this machine.
        InputError: there is no such class, or it takes other arguments.
    """
    return build(entry.metric, ClipMetric, f"The metric {entry.name}").eval()


def _beside(metric: ClipMetric) -> dict[str, float]:
    """What else a metric has to say: a classifier's accuracy on the true clips, the frames of a Fréchet distance."""
    found = {}
    if (ceiling := getattr(metric, "ceiling", None)) is not None:
        found["ceiling"] = float(ceiling())
    if (counts := getattr(metric, "counts", None)) is not None:
        found["frames"], found["target_frames"] = map(float, counts())
    return found


def evaluate(
    protocol: Protocol,
    reference: Reference,
    predictions: Callable[[Sequence[str]], Predictions],
    watched: Callable[[Sequence[ReferenceClip]], Any] = iter,
) -> tuple[Scores, dict[str, dict[str, dict[str, float]]]]:
    """Measure a folder of predictions.

    Args:
        protocol: the recipe.
        reference: the true clips.
        predictions: clip ids → what lies in the folder, as `read_predictions`.
        watched: passes clips on; a progress bar.

    Returns:
        The scores, and metric → clip → numbers of the means over clips.

    Raises:
        InputError: the reference is not the one that the protocol names, or nothing can be compared.
    """
    start = time.perf_counter()
    clips = reference.clips()
    names, content = checksum_of_names(clip.id for clip in clips), reference.content()
    _require_split(protocol, len(clips), names, content)
    given = predictions([clip.id for clip in clips])
    gauges = [Gauge.of(entry) for entry in protocol.metrics]
    needs = _needs(protocol, gauges)
    issues, scored = list(given.issues), 0
    for clip in watched(clips):
        if clip.id in given.clips:
            found = _examine(protocol, needs, clip, given.clips[clip.id], gauges)
            scored += not any(not issue.scored for issue in found)
            issues += found
    # a metric that no clip could be measured by says so once
    mute = tuple(f"{gauge.entry.name}: " for gauge in gauges if not gauge.clips)
    issues = [issue for issue in issues if issue.kind != "metric" or not issue.detail.startswith(mute)]
    scores = Scores(
        protocol=protocol.id,
        protocol_hash=protocol.hash,
        split=names,
        content=content or "",
        metrics={gauge.entry.name: gauge.value() for gauge in gauges},
        expected=len(clips),
        found=len(given.clips),
        scored=scored,
        issues=sorted(issues, key=lambda issue: (issue.scored, issue.kind, issue.clip)),
        weights={name: sha for gauge in gauges if gauge.clips for name, sha in gauge.weights.items()},
        predictor=given.run.get("predictor", {}),
        predictor_weights=given.run.get("weights", {}),
        predicted_on=given.run.get("environment", {}),
        evaluated_on=environment(),
        seconds=round(time.perf_counter() - start, 2),
        **_costs(given.clips),
    )
    return scores, {gauge.entry.name: gauge.found for gauge in gauges if gauge.found}


def _needs(protocol: Protocol, gauges: Sequence[Gauge]) -> Needs:
    reads = [gauge.reads for gauge in gauges]
    chips = None
    if any(name.endswith(".faces") for fields in reads for name in fields):
        from tbd.metrics.crops import face_chips

        chips = face_chips
    return Needs.of(protocol, reads, chips)


def _examine(protocol: Protocol, needs: Needs, clip: ReferenceClip, prediction: Prediction, gauges: Sequence[Gauge]) -> list[Issue]:
    """Look at one clip and feed it to all metrics; its issues."""
    try:
        evidence = Evidence(protocol, needs, clip, prediction)
    except Unusable as error:
        return [Issue(kind=error.kind, clip=clip.id, detail=str(error))]
    shared: dict[Any, dict[str, float]] = {}
    for gauge in gauges:
        gauge.feed(evidence, shared)
    return evidence.issues


def _require_split(protocol: Protocol, clips: int, names: str, content: str | None) -> None:
    """The reference must be the protocol's own, or numbers would be of something else."""
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


def _costs(predictions: dict[str, Prediction]) -> dict[str, dict[str, float]]:
    """Speed and memory, of the rows that `tbd predict` wrote."""
    rows = [prediction.row for prediction in predictions.values() if prediction.row is not None]
    if not rows:
        return {"speed": {}, "memory": {}}
    frames, seconds = sum(row.frames for row in rows), sum(row.seconds for row in rows)
    speed = {"frames_per_second": round(frames / seconds, 2), "seconds_per_second": round(seconds / (frames / 25), 4), "clips": len(rows)}
    memory = {"peak_mb": max(row.memory for row in rows), "gpu_peak_mb": max(row.gpu_memory for row in rows)}
    return {"speed": speed, "memory": memory}


def save_clips(path: Path, found: dict[str, dict[str, dict[str, float]]]) -> None:
    """Write clip by clip what the means over clips are made of."""
    columns = {(metric, key) for metric, clips in found.items() for values in clips.values() for key in values}
    names = sorted({clip for clips in found.values() for clip in clips})
    order = sorted(columns)
    with atomic_output(path) as temporary, open(temporary, "w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["clip", *(metric if key == "value" else f"{metric}.{key}" for metric, key in order)])
        for name in names:
            values = (found[metric].get(name, {}).get(key) for metric, key in order)
            writer.writerow([name, *("" if value is None else f"{value:.6g}" for value in values)])
