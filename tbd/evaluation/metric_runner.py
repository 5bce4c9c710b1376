"""`MetricRunner`: a metric of a protocol, updated clip by clip and computed at the end."""

import logging
import math
import warnings
from collections.abc import Hashable, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import torch
from torch import Tensor

from tbd.errors import InputError, TBDError, first_line
from tbd.evaluation.clip_inputs import ClipInputs
from tbd.evaluation.protocol import MetricEntry
from tbd.evaluation.scores import Value
from tbd.metrics.base import ClipMean, ClipMetric, Unmeasurable
from tbd.utils.checksum import checksum_of_file
from tbd.utils.class_path import build, import_class
from tbd.weights import WeightsNotFoundError, find_weights, resolve_weights

_DIRECTIONS: dict[bool | None, Literal["higher", "lower", "reference"]] = {True: "higher", False: "lower", None: "reference"}
SharedValues = dict[Hashable, dict[str, float]]
"""`ClipMean.group` → the numbers of one clip."""


def direction_of(entry: MetricEntry) -> Literal["higher", "lower", "reference"]:
    """Say which way is good for a metric of a protocol.

    Args:
        entry: The metric's line in the protocol.

    Returns:
        What the entry says, and else what its class does.
    """
    return entry.better or _DIRECTIONS[getattr(import_class(entry.metric.class_path), "higher_is_better", None)]


@dataclass
class MetricRunner:
    """A metric of a protocol and what it has measured so far.

    Args:
        entry: Its line in the protocol.
        metric: The metric, or None where it is absent.
        absent: Reason why it is absent.
        clips: Number of clips in it.
        refused: Reason why the first of the other clips could not be measured.
        weights: Third-party files that it uses, by their registered name → sha256.
        clip_values: Clip → numbers, if the metric is a mean over clips.
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
        """Build an entry's metric; one whose weights are missing is absent, with the command that fetches them.

        Args:
            entry: The metric's line in the protocol.
            device: Device of its networks and sums.

        Returns:
            A runner that has measured nothing yet.
        """
        try:
            return cls(entry, build_metric(entry).to(device), weights=_used_weights(entry))
        except WeightsNotFoundError as error:
            return cls(entry, absent=str(error))

    @property
    def reads(self) -> Sequence[str]:
        """Fields that the metric reads; none where it is absent."""
        return self.metric.reads if self.metric is not None else ()

    def update(self, clip_inputs: ClipInputs, shared: SharedValues) -> None:
        """Measure one clip. What cannot be measured, or fails, becomes an issue of the clip: other clips and metrics go on.

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
                self._update_other(self.metric, inputs)
            self.clips += 1
        except WeightsNotFoundError as error:
            self.metric, self.absent = None, str(error)
        except Exception as error:  # an hour's work on other clips is not thrown away for whatever went wrong here
            reason = reason_of(error)
            self.refused = self.refused or reason
            clip_inputs.add_issue("metric", f"{self.entry.name}: {reason}")

    @staticmethod
    def _update_other(metric: ClipMetric, inputs: list[Any]) -> None:
        """Update a metric that is no mean, which keeps to itself what it cannot measure. A failed one is as it was before."""
        before = {name: list(state) if isinstance(state, list) else state.clone() for name, state in metric.metric_state.items()}
        try:
            metric.update(*inputs)
        except Exception:
            for name, state in before.items():
                setattr(metric, name, state)
            raise
        if metric.refusal is not None:
            raise Unmeasurable(metric.refusal)

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
        """Return sums and counts without the networks, to be added to another runner of the same entry."""
        sums = None if self.metric is None else {key: _moved(value, "cpu") for key, value in self.metric.metric_state.items()}
        return {"sums": sums, "absent": self.absent, "clips": self.clips, "refused": self.refused, "clip_values": self.clip_values}

    def add(self, state: dict[str, Any]) -> None:
        """Add the state of another process's runner."""
        self.clips += state["clips"]
        self.refused = self.refused or state["refused"]
        self.clip_values |= state["clip_values"]
        if state["sums"] is None or self.metric is None:
            self.metric, self.absent = None, self.absent or state["absent"]
            return
        self.metric.merge_state({key: _moved(value, self.metric.device) for key, value in state["sums"].items()})

    def value(self) -> Value:
        """Compute the result, or say why there is none."""
        metric = self.metric
        better = direction_of(self.entry)
        unit = "" if metric is None else metric.unit

        def absent(reason: str | None) -> Value:
            return Value(absent=reason, better=better, clips=self.clips, unit=unit)

        if metric is None:
            return absent(self.absent)
        if not self.clips:
            return absent(f"No clip could be measured. {self.refused or ''}".strip())
        try:
            values, reported = _compute(metric)
        except Exception as error:  # the other metrics have their numbers
            return absent(reason_of(error))
        values = {key: value for key, value in values.items() if math.isfinite(value)}
        if reported not in values:
            return absent("The result is not a number.")
        return Value(values=values, reported=reported, error=self._error(reported), better=better, clips=self.clips, unit=unit)

    def _error(self, reported: str) -> float | None:
        numbers = [values[reported] for _, values in sorted(self.clip_values.items())]
        if len(numbers) < 2:
            return None
        mean = sum(numbers) / len(numbers)
        variance = sum((x - mean) ** 2 for x in numbers) / (len(numbers) - 1)
        return 1.96 * math.sqrt(variance / len(numbers))


def reason_of(error: Exception) -> str:
    """Say in one sentence why something could not be measured.

    Args:
        error: One of tbd's says so itself; any other, out of a library, a driver or somebody's own metric, is named by its kind, and
            its traceback goes to the log (level ``DEBUG``).

    Returns:
        The sentence.

    Example:
        >>> reason_of(InputError("The clip has no sound."))
        'The clip has no sound.'
        >>> reason_of(ValueError("array must not contain infs"))
        'It failed with ValueError: array must not contain infs.'
    """
    if isinstance(error, TBDError):
        return str(error)
    logging.getLogger(__name__).debug("measuring failed", exc_info=error)
    kind, said = type(error).__name__, first_line(error)
    return f"It failed with {kind}{'' if said == kind else f': {said}'}".rstrip(".") + "."


def _moved(state: Tensor | list[Tensor], device: torch.device | str) -> Tensor | list[Tensor]:
    return state.to(device) if isinstance(state, Tensor) else [part.to(device) for part in state]


def _compute(metric: ClipMetric) -> tuple[dict[str, float], str]:
    """All numbers of a metric, and the key of the reported one."""
    if isinstance(metric, ClipMean):
        return {name: float(value) for name, value in metric.means().items()}, metric.reported
    with warnings.catch_warnings():
        # of a metric whose clips were all another process's
        warnings.filterwarnings("ignore", "The ``compute`` method of metric")
        return {"value": float(metric.compute()), **_further_numbers(metric)}, "value"


def _used_weights(entry: MetricEntry) -> dict[str, str]:
    """Return the checksums of an entry's weights, by their registered names.

    Raises:
        WeightsNotFoundError: If a file is missing.
        InputError: If a file is not the one that the protocol names.
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
    """Build the metric of a protocol's entry.

    Args:
        entry: The metric's line in the protocol.

    Returns:
        The metric, in evaluation mode.

    Raises:
        WeightsNotFoundError: If its weights are not on this machine.
        InputError: If there is no such class, or it takes other arguments.
    """
    return build(entry.metric, ClipMetric, f"The metric {entry.name}").eval()


def _further_numbers(metric: ClipMetric) -> dict[str, float]:
    """A classifier's accuracy on the true clips, or the numbers of frames of a Fréchet distance."""
    found = {}
    if (ceiling := getattr(metric, "ceiling", None)) is not None:
        found["ceiling"] = float(ceiling())
    if (counts := getattr(metric, "counts", None)) is not None:
        found["frames"], found["target_frames"] = map(float, counts())
    return found
