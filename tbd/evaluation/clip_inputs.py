"""`ClipInputs`: one clip in the fields that metrics read, wherever prediction and truth come from (see `tbd.metrics.base`)."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

from tbd.errors import TBDError
from tbd.evaluation import protocol as protocols
from tbd.evaluation.clip_decoding import Cutters, View
from tbd.evaluation.references.base import ReferenceClip
from tbd.metrics.base import Unmeasurable
from tbd.think.emotions import EMOTIONS

Role = Literal["preds", "target"]
"""Of the two clips that are compared: the one under test, or the true one."""
ROLES: tuple[Role, Role] = ("preds", "target")
LABEL_FIELDS = ("emotion", "intensity", "bilabials")
"""Fields that a reference clip knows by itself, without frames or motion."""


class ClipInputs(Protocol):
    """What `MetricRunner` needs of a clip. `VideoInputs` reads videos, `tbd.ablation.measuring.MotionInputs` motions in memory.

    Attributes:
        clip: The true clip.
    """

    clip: ReferenceClip

    def inputs(self, reads: Sequence[str], entry: protocols.MetricEntry) -> list[Any]:
        """Collect what a metric's `update` takes.

        Args:
            reads: The metric's fields, in order, such as ``preds.motion``.
            entry: The metric's line in the protocol: its crop and number of frames.

        Returns:
            One value for each of `reads`.

        Raises:
            Unmeasurable: If the clip lacks one of them.
        """
        ...

    def add_issue(self, kind: str, detail: str) -> None:
        """Record something odd about the clip, which stays in the numbers.

        Args:
            kind: One of `tbd.evaluation.scores.KINDS`.
            detail: One sentence.
        """
        ...


def label_field(clip: ReferenceClip, name: str) -> Any:
    """Read one of `LABEL_FIELDS`.

    Args:
        clip: The true clip.
        name: Which field.

    Returns:
        ``emotion``: an index into `EMOTIONS`; ``intensity``: 0..1, 1 where the level is unknown; ``bilabials``: (K, 2) seconds.

    Raises:
        Unmeasurable: If the clip has no such label.
    """
    if name == "intensity":
        return (clip.level or 3) / 3
    if name == "emotion":
        if clip.emotion is None:
            raise Unmeasurable(f"{clip.id} has no emotion label")
        return EMOTIONS.index(clip.emotion)
    times = clip.bilabials()
    if times is None:
        raise Unmeasurable(f"the times of b, p and m in {clip.id} are not known")
    return times


class UnusableClip(TBDError):
    """A clip that cannot be compared and gets no numbers.

    Args:
        kind: One of `tbd.evaluation.scores.KINDS`.
        detail: One sentence that says why.
    """

    def __init__(self, kind: str, detail: str) -> None:
        super().__init__(detail)
        self.kind = kind


def is_paired(protocol: protocols.Protocol, reads: Sequence[str]) -> bool:
    """Check whether the frames and points that a metric reads are paired with the other clip's.

    Under the pairing ``linspace``, a metric that looks at one of the two clips alone (SyncNet) sees all of its frames.

    Args:
        protocol: The recipe.
        reads: The metric's fields.

    Returns:
        False where the metric sees one clip at its own pace.
    """
    seen = {role for role in ROLES if {f"{role}.frames", f"{role}.points"} & set(reads)}
    return protocol.pairing != "linspace" or len(seen) != 1


def view_of(protocol: protocols.Protocol, entry: protocols.MetricEntry, reads: Sequence[str]) -> View:
    """Describe what a metric sees of a clip's frames.

    Args:
        protocol: The recipe, whose crop holds where the entry has none.
        entry: The metric's line in it.
        reads: The metric's fields.

    Returns:
        Crop, number of frames, and whether they are paired.
    """
    return View(entry.crop or protocol.crop, entry.frames, is_paired(protocol, reads))


@dataclass(frozen=True)
class RequiredFields:
    """What a protocol's metrics read, so that nothing else is computed.

    Args:
        fields: ``preds.frames`` and so on.
        views: Of frames, for either clip.
        cutters: Cut faces out alone, by the fields that metrics read.
    """

    fields: frozenset[str]
    views: dict[Role, frozenset[View]]
    cutters: Cutters = field(default_factory=dict)

    @classmethod
    def of(cls, protocol: protocols.Protocol, reads: Sequence[Sequence[str]]) -> "RequiredFields":
        """Collect the fields of all metrics of a protocol.

        Args:
            protocol: The recipe.
            reads: Each metric's fields, in the protocol's order.

        Returns:
            Their union.
        """
        fields = frozenset(name for names in reads for name in names)
        views: dict[Role, frozenset[View]] = {
            role: frozenset(view_of(protocol, e, names) for e, names in zip(protocol.metrics, reads) if f"{role}.frames" in names)
            for role in ROLES
        }
        from tbd.metrics.faces.crops import CUTTERS

        kinds = {name.partition(".")[2] for name in fields}
        return cls(fields, views, {name: cutter for name, cutter in CUTTERS.items() if name in kinds})

    def any(self, role: Role, *names: str) -> bool:
        """Check whether some metric reads one of the fields.

        Args:
            role: Of which clip.
            names: Fields without the role, such as ``motion``.

        Returns:
            Whether at least one is read.
        """
        return any(f"{role}.{name}" in self.fields for name in names)
