"""Folders of videos alone, under a protocol that compares motion files: the same clips, with motion tracked in both clips.

A tracked mouth never lies exactly where a motion file has it: the tracker adds jitter, and blurs small movements. Numbers of
the two kinds are therefore not comparable, and are measured by two protocols with a table each: ``procedural-v2`` and
``procedural-pixels-v2``. Metrics that look at pixels alone are the same in both.
"""

from collections.abc import Collection

from tbd.errors import InputError
from tbd.evaluation.predictions import Prediction, Predictions
from tbd.evaluation.protocol import MetricEntry, Protocol, load_protocol, protocol_names
from tbd.face.motion import Motion
from tbd.utils.class_path import import_class
from tbd.utils.user_warnings import warn

_MOTION_FIELDS = {f"{role}.{what}" for role in ("preds", "target") for what in ("motion", "points", "seams")}


def _reads(entry: MetricEntry) -> tuple[str, ...]:
    return getattr(import_class(entry.metric.class_path), "reads", ())


def motion_metrics(protocol: Protocol) -> list[str]:
    """List the metrics of a protocol that read motion, from a file or tracked.

    Args:
        protocol: The recipe.

    Returns:
        Names, in the protocol's order.
    """
    return [entry.name for entry in protocol.metrics if _MOTION_FIELDS & set(_reads(entry))]


def in_pixels(protocol: Protocol) -> Protocol:
    """Return the protocol that measures the same clips by what pixels show.

    Args:
        protocol: One that compares motion files.

    Returns:
        The shipped one of that name, ``<name>-pixels-v<version>``; where there is none, the same recipe with tracked motion.
    """
    derived = protocol.model_copy(update={"name": f"{protocol.name}-pixels", "motion": "face_mesh"})
    is_ours = protocol.id in protocol_names() and protocol.hash == load_protocol(protocol.id).hash
    return load_protocol(derived.id) if is_ours and derived.id in protocol_names() else derived


def measured_by(protocol: Protocol, given: Predictions) -> Protocol:
    """Return the protocol that a folder is measured by, with a warning where it is not the one that the user named.

    Args:
        protocol: The protocol that the user named.
        given: The predictions in the folder.

    Returns:
        `protocol`, or `in_pixels` of it where it compares motion files and none of the videos has one.
    """
    if protocol.motion != "file" or not motion_metrics(protocol) or _have_motion(given.clips.values()):
        return protocol
    other = in_pixels(protocol)
    alike = ", ".join(entry.label for entry in protocol.metrics if _is_same(entry, other) and entry.name not in motion_metrics(protocol))
    warn(
        f"no motion file (.npz) lies beside the videos, which {protocol.id} compares: motion was tracked in the pixels of both clips "
        f"instead, by {other.id}, whose numbers are not comparable with {protocol.id}'s{f' but in {alike}' * bool(alike)}."
    )
    return other


def _is_same(entry: MetricEntry, other: Protocol) -> bool:
    """Check whether another protocol has the same metric over the same pixels."""
    for_readers = {"label", "digits", "about", "better"}
    found = other.entry(entry.name)
    return found is not None and entry.model_dump(exclude=for_readers) == found.model_dump(exclude=for_readers)


def _have_motion(predictions: Collection[Prediction]) -> bool:
    return any(_is_motion(prediction) for prediction in predictions)


def _is_motion(prediction: Prediction) -> bool:
    """Check whether a motion of ours lies beside a video: other projects keep other things in files of that ending."""
    if prediction.motion is None:
        return False
    try:
        return len(Motion.load(prediction.motion)) > 0
    except InputError:
        return False
