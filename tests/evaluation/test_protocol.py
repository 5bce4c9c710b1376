"""Protocols: what ships is whole, a hash moves with every number, nonsense is refused in one sentence."""

import pytest

from tbd.data.splits import load_splits
from tbd.errors import InputError
from tbd.evaluation.metric_runner import build_metric
from tbd.evaluation.protocol import load_protocol, parse_protocol, protocol_names
from tbd.evaluation.references.base import Reference, build_reference
from tbd.evaluation.references.procedural import ProceduralReference
from tbd.utils.checksum import checksum_of_names
from tbd.utils.class_path import build, import_class
from tbd.weights import WeightsNotFoundError, find_weights
from tests.evaluation.fakes import fake_protocol, protocol_values


def test_the_promised_protocols_ship():
    promised = {"procedural-v2", "mead-actor-v1", "mead-eat2023-v2", "hdtf-person-v1", "portraits-v1", "clips-v2", "theval-v1"}
    assert promised <= set(protocol_names())
    assert len(load_protocol("theval").metrics) == 8


@pytest.mark.parametrize("name", protocol_names())
def test_every_protocol_is_whole(name):
    """Its metrics can be built, or lack nothing but weights that the registry knows, or that pyiqa brings by itself; its reference is one;
    its split is there."""
    protocol = load_protocol(name)
    assert protocol.id == name and issubclass(import_class(protocol.reference.class_path), Reference)
    for entry in protocol.metrics:
        try:
            build_metric(entry)
            needed = set()
        except WeightsNotFoundError as error:
            needed = set() if entry.metric.class_path == "tbd.metrics.NoReferenceQuality" else {error.name}
        assert needed <= set(entry.weights), f"{entry.name} does not say that it needs {needed}"
        for weights, sha in entry.weights.items():
            registered = find_weights(weights).sha256
            assert sha == (registered or "unpublished") or (registered or "").startswith(sha)
    arguments = protocol.reference.init_args
    if arguments.get("split_file", "").endswith(".json"):  # the user's own, in the cache
        assert protocol.split.file is None
    elif "split_file" in arguments:
        splits = load_splits(arguments["split_file"])
        assert splits.checksum == protocol.split.file
        if splits.by == "clip":
            listed = splits.members[arguments["split"]]
            assert (len(listed), checksum_of_names(listed)) == (protocol.split.clips, protocol.split.names)


def test_the_packaged_clips_are_the_protocols():
    protocol, reference = load_protocol("procedural-v2"), ProceduralReference()
    clips = reference.clips()
    assert len(clips) == protocol.split.clips and checksum_of_names(c.id for c in clips) == protocol.split.names
    assert reference.content() == protocol.split.content
    clip = clips[0]
    assert len(clip.motion()) == clip.frames() == -(-len(clip.audio()) // 640) and clip.plan().emotions


def test_a_name_without_a_version_is_the_newest():
    assert load_protocol("procedural").id == "procedural-v2"


@pytest.mark.parametrize(
    ("change", "moves"),
    [
        ({"length_tolerance": 2}, True),
        ({"crop": {"kind": "frame", "size": 96}}, True),
        ({"seed": 4}, True),
        ({"version": 2}, True),
        ({"metrics": protocol_values()["metrics"][:-1]}, True),
        ({"summary": "Said otherwise."}, False),
        ({"citation": "somebody"}, False),
        ({"metrics": [{**m, "label": "x", "digits": 5} for m in protocol_values()["metrics"]]}, False),
    ],
)
def test_the_hash_moves_with_what_numbers_depend_on_alone(change, moves):
    assert (fake_protocol(**change).hash != fake_protocol().hash) is moves


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("- a\n- b", "not a protocol: it should be a mapping"),
        ("a: [1", "not YAML"),
        ("name: x\nversion: 0", "not a protocol: version"),
        (str({**protocol_values(), "rates": 25}), "rates: Extra inputs"),
        (str({**protocol_values(), "metrics": protocol_values()["metrics"][:1] * 2}).replace("None", "null"), "aperture twice"),
    ],
)
def test_nonsense_is_refused_in_one_sentence(text, said):
    with pytest.raises(InputError, match=said):
        parse_protocol(text.replace("None", "null"), "mine.yaml")


def test_an_unknown_protocol_lists_the_known():
    with pytest.raises(InputError, match="procedural-v2"):
        load_protocol("mead-actors-v1")
    with pytest.raises(InputError, match="no protocol file"):
        load_protocol("mine.yaml")


def test_a_wrong_class_or_argument_is_named():
    entry = fake_protocol().entry("aperture")
    wrong = entry.model_copy(update={"metric": entry.metric.model_copy(update={"init_args": {"max_lags": 3}})})
    with pytest.raises(InputError, match=r"aperture.*max_lags"):
        build_metric(wrong)
    with pytest.raises(InputError, match="which is no"):
        build(entry.metric, Reference, "The protocol's reference")


def test_a_protocol_that_needs_a_folder_asks_for_it():
    with pytest.raises(InputError, match="--reference is missing"):
        build_reference(load_protocol("mead-actor-v1").reference, None)
