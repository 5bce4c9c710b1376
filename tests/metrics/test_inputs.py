"""The contract of inputs: every metric refuses what breaks it, by place and by name, and takes what keeps it."""

import importlib
import inspect
import pkgutil
from typing import get_type_hints

import numpy as np
import pytest
import torch

from tbd import metrics
from tbd.errors import InputError
from tbd.metrics.inputs import CHECKS
from tbd.metrics.networks.inception import InceptionFeatures
from tbd.think.emotions import EMOTIONS
from tests.metrics.every import fields, inputs, makers

NAMES = sorted(makers(lambda name: name))
FRAMES, POINTS, MOTION = (4, 3, 64, 64), (4, 68, 2), (4, 58)
GOOD = fields(4)


def floats(shape, low=0.0, high=1.0):
    return np.random.default_rng(0).uniform(low, high, shape)


def spoilt(shape, value, **options):
    values = floats(shape, **options)
    values.flat[7] = value
    return values


BROKEN = {
    "frames": {
        "floats in 0..255": 255 * floats(FRAMES),
        "one float of 1.5": spoilt(FRAMES, 1.5),
        "floats in −1..1": floats(FRAMES, -1),
        "tensor in 0..255": torch.from_numpy(255 * floats(FRAMES)).half(),
        "int32": np.full(FRAMES, 200, np.int32),
        "int64 of 0 and 1": np.ones(FRAMES, np.int64),
        "int8": torch.full(FRAMES, 100, dtype=torch.int8),
        "bool": np.ones(FRAMES, bool),
        "complex": floats(FRAMES).astype(complex),
        "NaN": spoilt(FRAMES, np.nan),
        "infinite": spoilt(FRAMES, np.inf),
        "HWC": np.zeros((4, 64, 64, 3), np.uint8),
        "one picture": np.zeros((3, 64, 64), np.uint8),
        "grey": np.zeros((4, 1, 64, 64), np.uint8),
        "RGBA": np.zeros((4, 4, 64, 64), np.uint8),
        "a batch of clips": np.zeros((1, 4, 3, 64, 64), np.uint8),
        "a list": [np.zeros((3, 64, 64), np.uint8)],
        "None": None,
        "objects": np.full(FRAMES, None, object),
        "masked": np.ma.masked_array(np.zeros(FRAMES, np.uint8), np.arange(4 * 3 * 64 * 64).reshape(FRAMES) == 7),
        "sparse": torch.ones(FRAMES).to_sparse(),
        "meta": torch.zeros(FRAMES, dtype=torch.uint8, device="meta"),
    },
    "faces": {"floats in 0..255": 255 * floats((2, 3, 224, 224)), "another size": np.zeros((2, 3, 112, 112), np.uint8), "None": None},
    "audio": {
        "int16": (3000 * floats(2560)).astype(np.int16),
        "floats of 16 bit": 32767 * floats(2560, -1),
        "stereo": floats((2, 2560)),
        "stereo last": floats((2560, 2)),
        "NaN": spoilt(2560, np.nan),
        "infinite": spoilt(2560, -np.inf),
        "uint8": np.full(2560, 128, np.uint8),
        "a list": [0.0] * 2560,
        "None": None,
    },
    "points": {
        "67 points": floats((4, 67, 2)),
        "468 points": floats((4, 468, 3)),
        "68 in space": floats((4, 68, 3)),
        "478 in the plane": floats((4, 478, 2)),
        "one frame": floats((478, 3)),
        "infinite": spoilt(POINTS, np.inf),
        "all in one place": np.full(POINTS, 50.0),
        "complex": floats(POINTS).astype(complex),
        "masked": np.ma.masked_array(floats(POINTS), floats(POINTS) > 0.5),
        "None": None,
    },
    "motion": {
        "52 channels": floats((4, 52)),
        "channels first": floats((58, 4)),
        "one frame": floats(58),
        "a batch": floats((1, 4, 58)),
        "NaN": spoilt(MOTION, np.nan),
        "infinite": spoilt(MOTION, np.inf),
        "percent": 100 * floats(MOTION),
        "degrees": np.concatenate([floats((4, 52)), floats((4, 6), 20, 40)], 1),
        "a few degrees": np.concatenate([floats((4, 52)), floats((4, 6), 2, 5)], 1),
        "masked": np.ma.masked_array(floats(MOTION), floats(MOTION) > 0.5),
        "bool": np.ones(MOTION, bool),
        "a list": [[0.0] * 58],
        "None": None,
    },
    "emotion": {"8": 8, "−1": -1, "a word": "happy", "0.5": 0.5, "True": True, "NaN": np.nan, "two": np.array([1, 2]), "None": None},
    "seams": {"fractions": [10.5], "negative": [-1], "NaN": [np.nan], "words": ["10"], "a number": 10, "None": None},
    "bilabials": {
        "one row": np.array([0.1, 0.2]),
        "three columns": floats((2, 3)),
        "NaN": np.array([[0.1, np.nan]]),
        "end before start": np.array([[0.3, 0.2]]),
        "before 0": np.array([[-0.3, 0.2]]),
        "None": None,
    },
    "motions": {"NaN in one": [GOOD["preds.motion"], spoilt(MOTION, np.nan)], "None": None, "a word": "abc"},
    "intensities": {"percent": [20, 50, 90], "NaN": [0.2, np.nan, 0.9], "words": ["a", "b", "c"], "None": None},
}
BROKEN["plan_motion"] = BROKEN["motion"]
OPTIONAL = {("SyncNetConfidence", 2), ("SyncNetDistance", 2), ("SyncNetOffset", 2), ("EmotionAccuracy", 2)}
"""Arguments that may be None; the distances of sets take None for either."""


@pytest.fixture(scope="module")
def make(stand_in):
    kept = {}

    def get(name):
        if name not in kept:
            kept[name] = makers(stand_in)[name]()
        kept[name].reset()
        return kept[name]

    return get


def length(name: str) -> int:
    """Frames of a clip that is long enough; SyncNet's network looks at each for a tenth of a second."""
    return 22 if name.startswith("SyncNet") else 40


def may_be_none(name, place):
    return (name, place) in OPTIONAL or name in ("FrameFID", "FrameKID", "FrechetVideoDistance", "FrechetMotionDistance", "ExpressionFID")


@pytest.mark.parametrize("name", NAMES)
def test_every_input_that_breaks_the_contract_is_refused_in_one_sentence(make, name):
    metric = make(name)
    parameters = list(inspect.signature(metric.update).parameters)
    for place, field in enumerate(metric.reads):
        kind = field.rpartition(".")[2]
        for what, value in BROKEN.get(kind, {}).items():
            if value is None and may_be_none(name, place):
                continue
            given = inputs(metric, GOOD)
            given[place] = value
            with pytest.raises(InputError) as error:
                metric.update(*given)
            said = str(error.value)
            assert said.startswith(f"{type(metric).__name__}: {parameters[place]}") and said.endswith("."), (what, said)
            with pytest.raises(InputError):
                metric.update(**dict(zip(parameters, given)))
            if isinstance(metric, metrics.ClipMean):
                with pytest.raises(InputError):
                    metric.measure(*given)
    states = {key: value for key, value in metric.metric_state.items() if key not in ("fingerprint", "preds_sample", "target_sample")}
    assert all(not value.any() if isinstance(value, torch.Tensor) else not value for value in states.values()), "nothing was counted"


def test_every_field_that_a_metric_reads_has_a_contract_and_a_test():
    kinds = {field.rpartition(".")[2] for name in metrics.__all__ for field in getattr(getattr(metrics, name), "reads", ())}
    assert kinds <= set(CHECKS) and kinds - {"aligned_faces"} <= set(BROKEN)


@pytest.mark.parametrize("name", NAMES)
def test_inputs_by_name_give_what_inputs_by_place_give(make, name):
    metric, values = make(name), fields(length(name))
    given = inputs(metric, values)
    metric.update(*given)
    states = {key: torch.as_tensor(value).clone() for key, value in metric.metric_state.items() if not isinstance(value, list)}
    metric.reset()
    metric.update(**dict(zip(inspect.signature(metric.update).parameters, given)))
    assert all(torch.equal(value, torch.as_tensor(getattr(metric, key))) for key, value in states.items())
    assert metric.update_count == 1 and int(metric.unmeasured) == (name == "IdentityDrift"), "which needs two seconds"
    if {"preds", "target"} == {field.partition(".")[0] for field in metric.reads} and len(metric.reads) == 2:
        metric.update(preds=given[0], target=given[1])


@pytest.mark.parametrize("name", NAMES)
def test_missing_unknown_and_doubled_arguments_are_named(make, name):
    metric = make(name)
    given = inputs(metric, GOOD)
    for wrong, named in (
        ((), {}),
        (given, {"weight": 1}),
        ((*given, *given), {}),
        (given, {next(iter(inspect.signature(metric.update).parameters)): given[0]}),
    ):
        with pytest.raises(InputError, match="takes "):
            metric.update(*wrong, **named)


@pytest.mark.parametrize("name", NAMES)
def test_a_clip_without_frames_is_counted_and_changes_nothing(make, name):
    metric = make(name)
    empty = {key: value[:0] if key.endswith((".frames", ".motion", ".points", ".plan_motion", ".faces", ".aligned_faces")) else value
             for key, value in GOOD.items()}  # fmt: skip
    if name == "IntensityMonotonicity":
        empty["preds.motions"] = [motion[:0] for motion in GOOD["preds.motions"]]
    metric.update(*inputs(metric, empty))
    assert int(metric.unmeasured) == 1
    if isinstance(metric, metrics.ClipMean):
        assert int(metric.clips) == 0 and torch.isnan(metric.compute())


@pytest.mark.parametrize("name", NAMES)
def test_flipped_arrays_and_those_of_the_other_byte_order_are_their_numbers(make, name):
    """Colours turned round by ``[:, ::-1]``, and files of other machines: torch itself takes neither."""

    def flipped(value):
        return np.flip(np.flip(value).copy()) if isinstance(value, np.ndarray) else value

    def swapped(value):
        return value.astype(value.dtype.newbyteorder(">")) if isinstance(value, np.ndarray) else value

    metric, values, found = make(name), fields(length(name)), []
    for change in (lambda value: value, flipped, swapped):
        metric.reset()
        metric.update(*map(change, inputs(metric, values)))
        states = (value if isinstance(value, list) else [value] for value in metric.metric_state.values())
        found.append([torch.as_tensor(part).clone() for parts in states for part in parts])
    for other in found[1:]:
        assert len(other) == len(found[0]) and all(torch.equal(*pair) for pair in zip(found[0], other))


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32, torch.float64])
def test_floats_of_any_width_in_0_to_1_are_the_picture(dtype):
    rng = np.random.default_rng(0)
    a, b = torch.from_numpy(rng.integers(0, 256, (2, 3, 3, 16, 16), np.uint8))
    exact, metric = metrics.FramePSNR(), metrics.FramePSNR()
    exact.update(a, b)
    metric.update((a / 255).to(dtype), (b / 255).to(dtype))
    assert float(metric.compute()) == pytest.approx(float(exact.compute()), abs=0.05 if dtype == torch.bfloat16 else 1e-6)


@pytest.mark.parametrize(
    "make_it",
    [
        lambda: metrics.MouthLandmarkDistance(form="eat_px128"),
        lambda: metrics.FaceLandmarkDistance("interocular"),
        lambda: metrics.FramePSNR(average="frame"),
        lambda: metrics.FrameSSIM(average="Clips"),
        lambda: metrics.FrameFID(flavour="torch-metrics"),
        lambda: metrics.FrameKID(flavour="pytorch_fid"),
        lambda: metrics.FrameLPIPS(backbone="alexnet"),
        lambda: metrics.SyncNetConfidence(protocol="official_short"),
        lambda: metrics.SyncNetDistance("offical"),
        lambda: metrics.EmotionFAN(None, attention="relations"),
        lambda: metrics.EmotionFAN(None, dataset="MEAD"),
        lambda: metrics.ArcFaceEmbedder(None, depth="R50"),
        lambda: metrics.TorchvisionVideoNetwork("r3d18"),
        lambda: InceptionFeatures("tensorflow"),
        lambda: metrics.FramePSNR(average=True),
    ],
)
def test_a_typing_error_in_a_word_is_refused(make_it):
    with pytest.raises(InputError, match=r"is none of '"):
        make_it()


def test_every_word_that_a_caller_may_choose_is_checked():
    """Found by their annotations: whoever adds an option of a few words and does not check it fails here."""
    names = [info.name for info in pkgutil.walk_packages(metrics.__path__, "tbd.metrics.")]
    found = []
    for module in map(importlib.import_module, [*names, "tbd.evaluation.predictors"]):
        for name, thing in vars(module).items():
            own = getattr(thing, "__module__", None) == module.__name__ and not name.startswith("_")
            make_it = thing.__init__ if isinstance(thing, type) else thing
            if not own or not inspect.isfunction(make_it):
                continue
            parameters, hints = inspect.signature(make_it).parameters, get_type_hints(make_it)
            for word in (key for key in parameters if "Literal" in str(hints.get(key))):
                others = {key: None for key, p in parameters.items() if p.default is p.empty and p.kind is p.POSITIONAL_OR_KEYWORD}
                with pytest.raises(InputError, match="is none of"):
                    make_it(**{**others, word: "nonsense"})
                found.append(f"{name}.{word}")
    assert len(found) >= 15 and "ModelPredictor.plan" in found


@pytest.mark.parametrize(
    "make_it",
    [
        lambda: metrics.ApertureCorrelation(max_lag=-1),
        lambda: metrics.Sharpness(every=0),
        lambda: metrics.IdentitySimilarity(None, batch_size=0),
        lambda: metrics.RegionError([]),
        lambda: metrics.RegionError("upper"),
        lambda: metrics.ActionUnitGain(["uper"]),
        lambda: metrics.ChannelCorrelation("jawopen"),
        lambda: metrics.ActionUnitF1([]),
        lambda: metrics.MotionDiversity(["uper"]),
    ],
)
def test_an_option_that_cannot_be_meant_is_refused(make_it):
    with pytest.raises(InputError):
        make_it()


def test_scores_that_are_not_finite_are_refused():
    metric = metrics.EmotionAccuracy(
        metrics.CallableEmotionClassifier(lambda faces: torch.full((len(faces), 2), torch.nan), ["happy", "sad"])
    )
    with pytest.raises(InputError, match="not finite"):
        metric.update(GOOD["preds.faces"], EMOTIONS.index("happy"))
    metric = metrics.EmotionAccuracy(metrics.CallableEmotionClassifier(lambda faces: torch.zeros(len(faces), 3), ["happy", "sad"]))
    with pytest.raises(InputError, match=r"scores of the shape \(3,\)"):
        metric.update(GOOD["preds.faces"], EMOTIONS.index("happy"))
