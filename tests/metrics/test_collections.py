"""All metrics in one `MetricCollection`, on clips whose states are equal: none may become another."""

import pickle

import numpy as np
import pytest
import torch
from torchmetrics import MetricCollection

from tbd import metrics
from tests.metrics.every import Colour, fields, inputs, makers

PIXELS = ("FramePSNR", "FrameSSIM", "FramePSNR frames", "FrameSSIM frames", "FrameLPIPS", "FrameFID", "FrameKID", "FrechetVideoDistance")
POINTS = ("MouthLandmarkDistance", "FaceLandmarkDistance", "MouthLandmarkDistance eat", "FaceLandmarkDistance eat", "ApertureCorrelation")
MOTION = ("RegionError", "ChannelCorrelation", "ActionUnitFidelity", "ActionUnitGain", "FrechetMotionDistance", "ActionUnitF1")
KINDS = {"frames": PIXELS, "points": POINTS, "motion": MOTION}


def degenerate(kind: str) -> dict[str, tuple]:
    """Clips after which the states of different metrics are equal."""
    values = fields(12)
    preds, target = values[f"preds.{kind}"], values[f"target.{kind}"]
    clips = {"prediction = reference": (target, target), "no frames": (target[:0], target[:0]), "still": (target[:1].repeat(12, 0),) * 2}
    if kind == "points":
        clips["no face"] = (np.full_like(preds, np.nan), target)
    return clips


@pytest.mark.parametrize(("kind", "clip"), [(kind, clip) for kind in KINDS for clip in degenerate(kind)])
def test_metrics_of_a_collection_stay_what_they_are(stand_in, kind, clip):
    made = makers(stand_in)
    collection = MetricCollection({name.replace(" ", "_"): made[name]() for name in KINDS[kind]})
    alone = {name.replace(" ", "_"): made[name]() for name in KINDS[kind]}
    values = fields(12, seed=3)
    for pair in (degenerate(kind)[clip], (values[f"preds.{kind}"], values[f"target.{kind}"])):
        collection.update(preds=pair[0], target=pair[1])
        for metric in alone.values():
            metric.update(*pair)
    assert all(len(group) == 1 for group in collection.compute_groups.values())
    found = collection.compute()
    for name, metric in alone.items():
        assert torch.equal(found[name].nan_to_num(-1), metric.compute().nan_to_num(-1)), name


def test_any_two_metrics_of_the_package_keep_apart(stand_in):
    """Updated one by one, then asked of torchmetrics whether it would take two of them for one."""
    every, values = {name: make() for name, make in makers(stand_in).items()}, fields(12)
    for metric in every.values():
        metric.reset()
    shared = {"SyncNetConfidence", "SyncNetDistance", "SyncNetOffset"}
    same = MetricCollection._equal_metric_states
    names = sorted(every)
    pairs = {(a, b) for a in names for b in names if a < b and same(every[a], every[b])}
    assert pairs == {(a, b) for a in shared for b in shared if a < b}
    for metric in every.values():
        metric.update(*inputs(metric, values))
    assert {(a, b) for a in names for b in names if a < b and same(every[a], every[b])} == pairs


def test_one_kind_with_other_options_is_another_metric_and_a_copy_is_the_same():
    black = torch.zeros(2, 3, 16, 16, dtype=torch.uint8)
    metric = metrics.FramePSNR()
    collection = MetricCollection({"clips": metric, "frames": metrics.FramePSNR("frames"), "copy": metric.clone()})
    collection.update(black, black)
    collection.update(black[:1], black[:1] + 9)
    found = collection.compute()
    assert found["clips"] != found["frames"] and found["copy"] == found["clips"]
    assert sorted(map(sorted, collection.compute_groups.values())) == [["clips", "copy"], ["frames"]]


@pytest.mark.parametrize("way", ["update", "forward", "clone", "reset", "pickle"])
def test_they_stay_so_whatever_is_done_with_the_collection(way):
    """Faces of a prediction that is its reference, after which two metrics of one class hold equal sums."""
    faces = fields(12)["preds.faces"]
    collection = MetricCollection(
        {"all": metrics.IdentitySimilarity(Colour()), "one": metrics.IdentitySimilarity(Colour(), faces_per_clip=1)}
    )
    if way == "reset":
        collection.update(faces, faces)
        collection.reset()
    collection = {"clone": collection.clone, "pickle": lambda: pickle.loads(pickle.dumps(collection))}.get(way, lambda: collection)()
    step = collection if way == "forward" else collection.update
    for other in (faces, np.concatenate([faces[:1], 255 - faces[1:]])):
        step(faces, other)
    assert len(collection.compute_groups) == 2
    found = collection.compute()
    assert found["one"] == 1 and found["all"] < 1


def test_syncnets_three_numbers_come_of_one_pass(stand_in):
    weights, values = stand_in("syncnet"), fields(22)
    collection = MetricCollection([getattr(metrics, f"SyncNet{name}")("wav2lip", weights) for name in ("Confidence", "Distance", "Offset")])
    for _ in range(2):
        collection.update(frames=values["preds.frames"], audio=values["preds.audio"])
    assert len(collection.compute_groups) == 1
    assert len({float(value) for value in collection.compute().values()}) == 3
