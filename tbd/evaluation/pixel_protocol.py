"""Folders of videos alone, under a protocol that compares motion files: the same clips, with motion tracked on both sides.

A mouth that is tracked is never where a motion file says it is: the tracker adds jitter, and blurs what is small. Numbers of
the two kinds are therefore not comparable, and are measured by two protocols with a table each: ``procedural-v1`` and
``procedural-pixels-v1``. Metrics that look at pixels alone are the same in both.
"""

from collections.abc import Collection

from tbd.errors import InputError
from tbd.evaluation.predictions import Prediction, Predictions
from tbd.evaluation.protocol import MetricEntry, Protocol, load_protocol, protocol_names
from tbd.face.motion import Motion
from tbd.utils.class_path import import_class
from tbd.utils.user_warnings import warn

_OF_MOTION = {f"{side}.{what}" for side in ("preds", "target") for what in ("motion", "points", "seams")}


def motion_metrics(protocol: Protocol) -> list[str]:
    """Return the names of a protocol's metrics that are fed with motion, from a file or tracked.

    Args:
        protocol: The recipe.

    Returns:
        Names, in the protocol's order.
    """
    return [entry.name for entry in protocol.metrics if _OF_MOTION & set(import_class(entry.metric.class_path).reads)]


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
    """Return the protocol by which a folder is measured, with a note where it is another one than was asked for.

    Args:
        protocol: That was asked for.
        given: What lies in the folder.

    Returns:
        `protocol`, or `in_pixels` of it where it compares motion files and none of the videos has one.
    """
    if protocol.motion != "file" or not motion_metrics(protocol) or _have_motion(given.clips.values()):
        return protocol
    other = in_pixels(protocol)
    alike = ", ".join(entry.label for entry in protocol.metrics if _is_same(entry, other) and entry.name not in motion_metrics(protocol))
    warn(
        f"no motion file (.npz) lies beside the videos, which {protocol.id} compares: motion was tracked in the pixels of both sides "
        f"instead, by {other.id}, whose numbers are not comparable with {protocol.id}'s{f' but in {alike}' * bool(alike)}."
    )
    return other


def _is_same(entry: MetricEntry, other: Protocol) -> bool:
    """Whether another protocol has the same metric, fed with the same pixels."""
    said_only = {"label", "digits", "about", "better"}
    found = other.entry(entry.name)
    return found is not None and entry.model_dump(exclude=said_only) == found.model_dump(exclude=said_only)


def _have_motion(predictions: Collection[Prediction]) -> bool:
    return any(_is_motion(prediction) for prediction in predictions)


def _is_motion(prediction: Prediction) -> bool:
    """Whether a motion of ours lies beside a video: other projects keep other things in files of that ending."""
    if prediction.motion is None:
        return False
    try:
        return len(Motion.load(prediction.motion)) > 0
    except InputError:
        return False
