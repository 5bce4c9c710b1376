"""A metric at work: built from a protocol's entry, fed clip by clip, read at the end."""

import math
import warnings
from collections.abc import Hashable, Sequence
from dataclasses import dataclass, field
from typing import Any

from tbd.errors import InputError
from tbd.evaluation.clip_inputs import ClipInputs
from tbd.evaluation.protocol import MetricEntry
from tbd.evaluation.scores import Value
from tbd.metrics.base import ClipMean, ClipMetric, Unmeasurable
from tbd.utils.checksum import checksum_of_file
from tbd.utils.class_path import build, import_class
from tbd.weights import WeightsNotFoundError, find_weights, resolve_weights

SharedValues = dict[Hashable, dict[str, float]]
"""`ClipMean.group` → the numbers of one clip."""


@dataclass
class MetricRunner:
    """A metric at work: what it was given so far, clip by clip.

    Args:
        entry: its line in the protocol.
        metric: the metric, or None where it is absent.
        absent: why.
        clips: clips in it.
        refused: why the first of the others could not be measured.
        weights: third-party files that it uses, by their registered name → sha256.
        clip_values: of a mean over clips, clip → numbers.
    """

    entry: MetricEntry
    metric: ClipMetric | None = None
    absent: str | None = None
    clips: int = 0
    refused: str | None = None
    weights: dict[str, str] = field(default_factory=dict)
    clip_values: dict[str, dict[str, float]] = field(default_factory=dict)

    @classmethod
    def of(cls, entry: MetricEntry, device: str = "cpu") -> "MetricRunner":
        """Build an entry's metric; one whose weights are not here is absent, with the command that fetches them.

        Args:
            entry: of the protocol.
            device: where its networks and sums live.
        """
        try:
            return cls(entry, build_metric(entry).to(device), weights=_used_weights(entry))
        except WeightsNotFoundError as error:
            return cls(entry, absent=str(error))

    @property
    def reads(self) -> Sequence[str]:
        return self.metric.reads if self.metric is not None else ()

    def update(self, clip_inputs: ClipInputs, shared: SharedValues) -> None:
        """Measure one clip. What cannot be measured becomes an issue of the clip.

        Args:
            clip_inputs: The clip's fields.
            shared: What metrics of one group have measured of this clip already; this metric's group is added.
        """
        if self.metric is None:
            return
        try:
            inputs = clip_inputs.inputs(self.reads, self.entry)
            if isinstance(self.metric, ClipMean):
                self.clip_values[clip_inputs.clip.id] = self._update_mean(self.metric, inputs, shared)
            else:
                self.metric.update(*inputs)
            self.clips += 1
        except WeightsNotFoundError as error:
            self.metric, self.absent = None, str(error)
        except Unmeasurable as error:
            self.refused = self.refused or str(error)
            clip_inputs.add_issue("metric", f"{self.entry.name}: {error}")

    @staticmethod
    def _update_mean(metric: ClipMean, inputs: list[Any], shared: SharedValues) -> dict[str, float]:
        if metric.group in shared:
            values = shared[metric.group]
            metric.add(values, metric.weigh(*inputs))
        else:
            values = metric.measure_and_add(*inputs)
            if metric.group is not None:
                shared[metric.group] = values
        return {name: float(value) for name, value in values.items()}

    def state(self) -> dict[str, Any]:
        """What it was given, without its networks, to be added to another gauge of the same entry."""
        sums = {key: value.cpu() for key, value in self.metric.metric_state.items()} if self.metric is not None else None
        return {"sums": sums, "absent": self.absent, "clips": self.clips, "refused": self.refused, "clip_values": self.clip_values}

    def add(self, state: dict[str, Any]) -> None:
        """Take in what another process's gauge was given."""
        self.clips += state["clips"]
        self.refused = self.refused or state["refused"]
        self.clip_values |= state["clip_values"]
        if state["sums"] is None or self.metric is None:
            self.metric, self.absent = None, self.absent or state["absent"]
            return
        self.metric.merge_state({key: value.to(self.metric.device) for key, value in state["sums"].items()})

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
                with warnings.catch_warnings():
                    # of a metric whose clips were all another process's
                    warnings.filterwarnings("ignore", "The ``compute`` method of metric")
                    values, reported = {"value": float(self.metric.compute()), **_beside(self.metric)}, "value"
        except WeightsNotFoundError as error:
            return Value(absent=str(error), **about)
        except InputError as error:
            return Value(absent=str(error), **about)
        values = {key: value for key, value in values.items() if math.isfinite(value)}
        if reported not in values:
            return Value(absent="The result is not a number.", **about)
        return Value(values=values, reported=reported, error=self._error(reported), **about)

    def _error(self, reported: str) -> float | None:
        numbers = [values[reported] for _, values in sorted(self.clip_values.items())]
        if len(numbers) < 2:
            return None
        mean = sum(numbers) / len(numbers)
        variance = sum((x - mean) ** 2 for x in numbers) / (len(numbers) - 1)
        return 1.96 * math.sqrt(variance / len(numbers))


def _used_weights(entry: MetricEntry) -> dict[str, str]:
    """The files that an entry's weights lie in, by their checksums.

    Raises:
        WeightsNotFoundError: a file is not there.
        InputError: a file is not the one that the protocol names.
    """
    used = {name: checksum_of_file(resolve_weights(name)) for name in entry.weights}
    for name, sha in used.items():
        expected = entry.weights[name]
        if expected != "unpublished" and not sha.startswith(expected):
            raise InputError(
                f"{find_weights(name).path} is not the {name} of the protocol: its SHA-256 begins with {sha[:8]}, not {expected[:8]}."
            )
    return used


def build_metric(entry: MetricEntry) -> ClipMetric:
    """The metric of a protocol's entry.

    Raises:
        WeightsNotFoundError: its weights are not on this machine.
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
