"""`Protocol`: a named, versioned recipe of evaluation, read from YAML. Its hash goes into every number made by it.

A protocol fixes which clips (by the checksum of their names), at which rate and size, how frames are cropped, where the head's
pose comes from, and which metrics are computed. Nothing that changes a number has a default, so a hash cannot stay while
its meaning moves; `framing` has one, which is what protocols without the field mean.
"""

import os
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError, model_validator

from tbd.errors import InputError
from tbd.utils.checksum import checksum
from tbd.utils.class_path import Component

Sha256 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
Name = Annotated[str, StringConstraints(pattern=r"^[a-z0-9]+([-_.][a-z0-9]+)*$")]
_FOR_READERS = {"summary", "citation"}
_ENTRY_FOR_READERS = {"label", "digits", "about"}
"""Fields that no number depends on; they are outside the hash."""


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Split(_Part):
    """Which clips are compared.

    Args:
        name: Name of the list of clips, for the reader.
        clips: Number of clips; None where that depends on what the user has (a folder of portraits, videos that still download).
        names: `checksum_of_names` of the clips; None in the same cases. Results over different clips are never in one table.
        file: SHA-256 of the packaged split file that `CacheReference` reads; None for other references.
        content: `checksum_of_files` of the reference's files, where they are the project's own to give.
    """

    name: str
    clips: int | None
    names: Sha256 | None
    file: Sha256 | None = None
    content: Sha256 | None = None


class Crop(_Part):
    """The part of a frame that pixel metrics see.

    Args:
        kind: ``frame`` is all of it; ``face`` a square around the face mesh of the reference's clip, held still over a clip;
            ``eat`` EAT's crop of 128 pixels, in which every frame's face, in either clip, is carried onto a template. Frames
            without a face are dropped before frames are paired, as EAT drops them.
        size: Pixels of the square that frames are brought to.
        margin: For ``face``: width of the square as a multiple of the mesh's.
        template: For ``eat``: registered weights or a file, see `tbd.metrics.faces.face_points.load_template`; the mean face where not
            given.
    """

    kind: Literal["frame", "face", "eat"]
    size: int = Field(ge=32, le=1024)
    margin: float | None = None
    template: str | None = None

    @model_validator(mode="after")
    def _require_eats_size(self) -> "Crop":
        if self.kind == "eat" and self.size != 128:
            raise ValueError(f"a crop of kind eat is 128 pixels wide, not {self.size}")
        return self


class MetricEntry(_Part):
    """One line of a protocol's list of metrics. What a metric reads, its class declares (`tbd.metrics.base`).

    Args:
        name: Name of the metric in scores.
        metric: The class and its arguments.
        crop: The part of frames that it sees, where that is not the protocol's.
        frames: Number of frames that it sees of a clip, evenly chosen from first to last; None for all.
        weights: Third-party weights that it needs, by their registered name → sha256, or as many of its first digits as are
            published (eight or more), or ``unpublished``. What was used is in the scores.
        better: Which way is good, where the class does not define it. ``reference`` is as close to the ground truth's own value as
            can be.
        label: Heading on the board.
        digits: Decimals on the board.
        about: A sentence for the reader.
    """

    name: Name
    metric: Component
    crop: Crop | None = None
    frames: int | None = Field(default=None, ge=1)
    weights: dict[str, Annotated[str, StringConstraints(pattern=r"^([0-9a-f]{8,64}|unpublished)$")]] = {}
    better: Literal["higher", "lower", "reference"] | None = None
    label: str
    digits: int = Field(default=2, ge=0, le=6)
    about: str = ""


class Protocol(_Part):
    """A recipe of evaluation.

    Args:
        name: Name without the version.
        version: Raised with every change that moves a number.
        summary: One sentence.
        citation: Where the recipe comes from, if it is somebody's.
        reference: The class that reads the true clips; its ``root`` is given at the command line.
        split: Which clips are compared.
        rate: Frames a second at which everything is compared; others are resampled by time stamps, and counted.
        size: Pixels of the square frames that `tbd predict` writes.
        pose: Whose head pose a prediction may use. It cannot be checked; rows should mention what they used.
        framing: What a prediction's frames show. ``portrait``: what the portrait shows that a model is given; frames of the source's
            whole picture are cropped as the true ones are, and where the face lies elsewhere, the clip is named. ``any``: whatever
            shows the face, for crops that align every frame.
        motion: Where motion comes from: ``file`` (the ``.npz`` beside a video) or ``face_mesh`` (tracked, in both clips).
        length_tolerance: Frames by which a prediction may be longer or shorter than its reference.
        pairing: How frames of clips of different lengths are paired: by their times over the shorter, or with the longer one
            squeezed (EAT's ``linspace``: of n frames the ones at ⌊k · n / shorter⌋). A metric that sees one of the two clips
            alone (SyncNet) sees it at its own pace.
        seed: Seed of `tbd predict`; together with a clip's id it determines that clip's noise.
        metrics: The metrics, in the order of the board.
    """

    name: Name
    version: int = Field(ge=1)
    summary: str
    citation: str | None = None
    reference: Component
    split: Split
    rate: Literal[25]
    size: int = Field(ge=64, le=2048)
    crop: Crop
    pose: Literal["predicted", "reference", "still", "any"]
    framing: Literal["portrait", "any"] = "portrait"
    motion: Literal["file", "face_mesh"]
    length_tolerance: int = Field(ge=0)
    pairing: Literal["shorter", "linspace"]
    seed: int = Field(ge=0)
    metrics: tuple[MetricEntry, ...]

    @property
    def id(self) -> str:
        """Name and version, as in ``procedural-v2``."""
        return f"{self.name}-v{self.version}"

    @property
    def hash(self) -> str:
        """SHA-256 over the canonical form of all that numbers depend on."""
        values = self.model_dump(mode="json", exclude=_FOR_READERS, exclude_none=True)
        values["metrics"] = [{k: v for k, v in entry.items() if k not in _ENTRY_FOR_READERS} for entry in values["metrics"]]
        return checksum(values)

    def entry(self, name: str) -> MetricEntry | None:
        """Find the metric of that name; None where the protocol does not have it."""
        return next((entry for entry in self.metrics if entry.name == name), None)


def protocol_names() -> list[str]:
    """List the protocols that ship with tbd."""
    return sorted(f.name.removesuffix(".yaml") for f in (files("tbd") / "assets" / "protocols").iterdir() if f.name.endswith(".yaml"))


def load_protocol(name: str | os.PathLike) -> Protocol:
    """Load a protocol by its shipped name, or from a file.

    Args:
        name: Such as ``procedural-v2``; without a version the newest; or the path of a YAML file.

    Returns:
        The protocol.

    Raises:
        InputError: If there is none, or the file does not describe one.

    Example:
        >>> protocol = load_protocol("procedural-v2")
        >>> protocol.id, len(protocol.hash)
        ('procedural-v2', 64)
    """
    path = Path(name)
    if path.suffix in (".yaml", ".yml"):
        if not path.is_file():
            raise InputError(f"There is no protocol file {path}; shipped with tbd are {', '.join(protocol_names())}.")
        return parse_protocol(path.read_text(encoding="utf-8"), str(path))
    versions = {int(n.rpartition("-v")[2]): n for n in protocol_names() if n == str(name) or n.rpartition("-v")[0] == str(name)}
    if not versions:
        raise InputError(f"There is no protocol {name}; shipped with tbd are {', '.join(protocol_names())}, or name a YAML file.")
    shipped = versions[max(versions)]
    text = (files("tbd") / "assets" / "protocols" / f"{shipped}.yaml").read_text(encoding="utf-8")
    return parse_protocol(text, f"{shipped}.yaml")


def parse_protocol(text: str, source: str = "the protocol") -> Protocol:
    """Parse a protocol from YAML text.

    Args:
        text: The YAML.
        source: Name of the text in messages.

    Returns:
        The protocol.

    Raises:
        InputError: If it is no YAML or no protocol; the message names the first thing wrong.
    """
    try:
        values = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise InputError(f"{source} is not YAML: {' '.join(str(error).split())}") from error
    if not isinstance(values, dict):
        raise InputError(f"{source} is not a protocol: it should be a mapping with name, version, split, metrics and so on.")
    try:
        protocol = Protocol.model_validate(values)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"]))
        raise InputError(f"{source} is not a protocol: {where}: {first['msg']}.") from error
    names = [entry.name for entry in protocol.metrics]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise InputError(f"{source} lists the metric {twice[0]} twice; give each its own name.")
    return protocol
