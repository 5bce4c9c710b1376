"""`Scores`: what an evaluation found, with all that is needed to have the numbers again, sealed against edits by hand."""

import json
import os
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, FiniteFloat, ValidationError, model_validator

from tbd.errors import InputError
from tbd.utils.atomic import atomic_output
from tbd.utils.checksum import checksum

FORMAT: Literal["tbd-scores-1"] = "tbd-scores-1"


def _require_an_environment(place: dict[str, Any]) -> dict[str, Any]:
    """What the board's page reads of it."""
    if not isinstance(place.get("packages", {}), dict):
        raise ValueError("packages is no mapping of names to versions")
    if any(not isinstance(place.get(name) or 0, int | float) for name in ("load", "cores")):
        raise ValueError("load and cores are no numbers")
    return place


Environment = Annotated[dict[str, Any], AfterValidator(_require_an_environment)]
"""What `tbd.evaluation.environment.environment` gives."""


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Issue(_Part):
    """Something that is not as it should be with one clip. Nothing is dropped without one.

    Args:
        kind: One of `KINDS`.
        clip: Id of the clip, or the file's name where a video belongs to none.
        detail: The finding, and what would be right.
        scored: Whether the clip is in the numbers all the same.
    """

    kind: str
    clip: str
    detail: str
    scored: bool = False


KINDS = {
    "missing": "a clip of the protocol has no prediction",
    "extra": "a video belongs to no clip of the protocol; it is left out",
    "twice": "two videos claim one clip; the first is taken",
    "unreadable": "the video cannot be read",
    "truncated": "the video ends before the length that it declares",
    "length": "the video is longer or shorter than the protocol allows",
    "size": "the video is of another size; its frames were resized",
    "framing": "the video shows another part of the picture than the portrait; said is what was done",
    "rate": "the video has another frame rate; its frames were chosen by their times",
    "no_face": "no face was found in some frames or all",
    "silent": "the video's own sound is silent, or there is none",
    "no_motion": "the protocol compares motion files, and none lies beside the video",
    "reference": "the true clip cannot be used",
    "metric": "one metric could not be computed on this clip",
}
"""Kind of issue → what it means."""


_LATE = 1.5
"""Frames, at 25 a second: people hear that lips and sound part at 45 ms early to 125 ms late (ITU-R BT.1359)."""


class Value(_Part):
    """One metric's result.

    Args:
        values: Key → number; a metric with one result has the key ``value``.
        reported: The key of the number that stands for the metric.
        clips: Number of clips in it.
        error: Half the width of the 95 % interval of `reported` over clips, 1.96 standard errors; None where the metric is no
            mean over clips, or fewer than two were measured.
        unit: Unit of the reported number, "" where it has none.
        better: Which way is good; ``reference`` is as close to the ground truth's own value as can be.
        absent: Reason why there is no number, and what would give one; None where there is one.
    """

    values: dict[str, FiniteFloat] = {}
    reported: str = "value"
    clips: int = Field(default=0, ge=0)
    error: FiniteFloat | None = None
    unit: str = ""
    better: Literal["higher", "lower", "reference"] = "reference"
    absent: str | None = None

    @property
    def number(self) -> float | None:
        """The number that stands for the metric; None where there is none."""
        return self.values.get(self.reported)

    def lag(self) -> str:
        """Say how late, or early, a number was found that allows for a shift in time (`ApertureCorrelation`); "" within a frame or so."""
        frames = self.values.get("lag", 0.0)
        return "" if abs(frames) < _LATE else f"{abs(frames):.0f} frames {'late' if frames > 0 else 'early'}"


class Scores(_Part):
    """The result of `tbd evaluate`.

    Args:
        format: Format of the file.
        protocol: Its id.
        protocol_hash: `Protocol.hash`.
        split: `checksum_of_names` of the clips that were expected.
        content: `Reference.content`, empty where it was not read.
        motion: Where the motion that metrics read comes from: ``file``, or ``tracked`` in the pixels of both clips; None where
            no metric reads any, and in files older than this field.
        metrics: Name → result.
        expected: Number of clips of the protocol.
        found: How many of these have a prediction in the folder.
        scored: How many of these are in the numbers.
        issues: Everything that was not as it should be.
        weights: File → sha256 of the third-party weights that were used.
        speed: Seconds of work per second of video and frames a second, from the predictions' rows; empty where there are none.
        memory: Peak MB of the process that predicted, likewise.
        predictor: The predictor as class_path and init_args, likewise.
        predictor_weights: Its weights as name → sha256, likewise.
        predicted_on: The environment of the predictions, likewise.
        evaluated_on: The environment of the evaluation, its command among it.
        seconds: Duration of the evaluation.
        checksum: SHA-256 over all of the above.
    """

    format: Literal["tbd-scores-1"] = FORMAT
    protocol: str
    protocol_hash: str
    split: str
    content: str = ""
    motion: Literal["file", "tracked"] | None = None
    metrics: dict[str, Value]
    expected: int = Field(ge=0)
    found: int = Field(ge=0)
    scored: int = Field(ge=0)
    issues: list[Issue] = []
    weights: dict[str, str] = {}
    speed: dict[str, FiniteFloat] = {}
    memory: dict[str, FiniteFloat] = {}
    predictor: dict[str, Any] = {}
    predictor_weights: dict[str, str] = {}
    predicted_on: Environment = {}
    evaluated_on: Environment = {}
    seconds: float = 0.0
    checksum: str = ""

    @model_validator(mode="after")
    def _require_counts_that_can_be(self) -> "Scores":
        if not self.scored <= self.found <= self.expected:
            raise ValueError(f"{self.scored} clips scored of {self.found} found of {self.expected} cannot be")
        if any(value.clips > self.expected for value in self.metrics.values()):
            raise ValueError("a metric counts more clips than the protocol has")
        return self

    def seal(self) -> str:
        """Compute the checksum that belongs to the other fields."""
        # files that were sealed before there was the field stay whole
        younger = {"motion"} if self.motion is None else set()
        return checksum(json.loads(self.model_dump_json(exclude={"checksum", *younger})))

    @property
    def failures(self) -> list[Issue]:
        """The issues of clips that are not in the numbers."""
        return [issue for issue in self.issues if not issue.scored and issue.kind not in ("extra", "twice")]

    def grouped(self) -> list[tuple[str, str, list[str]]]:
        """Group issues that differ in their clips alone: kind, detail and clips of each group."""
        groups: dict[tuple[str, str], list[str]] = {}
        for issue in self.issues:
            groups.setdefault((issue.kind, issue.detail.replace(issue.clip, "…")), []).append(issue.clip)
        return [(kind, detail, clips) for (kind, detail), clips in groups.items()]

    def sealed(self) -> "Scores":
        """Return the same scores with their checksum."""
        return self.model_copy(update={"checksum": self.seal()})

    def save(self, path: str | os.PathLike) -> None:
        """Write as JSON, sealed."""
        with atomic_output(path) as temporary:
            temporary.write_text(self.sealed().model_dump_json(indent=1) + "\n", encoding="utf-8")


def load_scores(path: str | os.PathLike) -> Scores:
    """Read what `Scores.save` wrote.

    Args:
        path: The file.

    Returns:
        The scores.

    Raises:
        InputError: If the file is missing, is no scores file, or was changed after it was written.
    """
    path = Path(path)
    if not path.is_file():
        raise InputError(f"There is no scores file {path}; `tbd evaluate --output {path}` writes one.")
    return parse_scores(path.read_text(encoding="utf-8"), str(path))


def parse_scores(text: str, source: str) -> Scores:
    """Parse scores from JSON text.

    Args:
        text: The JSON.
        source: Name of the text in messages.

    Returns:
        The scores.

    Raises:
        InputError: If the text is no scores file, or was changed after it was written.
    """
    try:
        scores = Scores.model_validate_json(text)
    except ValidationError as error:
        first = error.errors()[0]
        raise InputError(f"{source} is not a scores file of `tbd evaluate`: {'.'.join(map(str, first['loc']))}: {first['msg']}.") from error
    if scores.checksum != scores.seal():
        raise InputError(
            f"{source} was changed after `tbd evaluate` wrote it (its checksum does not fit its contents); evaluate again instead of "
            "editing."
        )
    return scores
