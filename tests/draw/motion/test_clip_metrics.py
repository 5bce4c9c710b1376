"""Validation, test and normalisation of the motion model in one process; `test_motion_ddp.py` has two."""

import warnings
from pathlib import Path

import lightning as L
import pytest
import torch

from tbd.ablation.measuring import Truth, measure
from tbd.data.datasets.samplers import EvaluationSampler
from tbd.draw.motion.batched import ClipRequest, draw_clips
from tbd.draw.motion.normalization import ChannelStatistics, given_statistics, least_deviation
from tbd.draw.motion.training_options import MotionTraining
from tbd.draw.sample_means import Tally
from tbd.draw.training_options import InitialWeights, ValidationClips
from tbd.errors import InputError
from tbd.evaluation.protocol import load_protocol
from tbd.evaluation.references.procedural import CorpusReference
from tbd.face.channels import CHANNELS
from tbd.metrics.motion_suite import MOTION_METRICS, MotionSuite
from tests.draw import tiny_motion as tiny
from tests.draw.motion.processes import Own

AS_IN_PROTOCOL = {
    "muscle_error": "muscles", "au_r": "au-fidelity", "au_gain": "gain", "mouth_error": "mouth", "mouth_r": "aperture", "jaw_r": "jaw",
    "lips_closed": "closed", "emotion": "emotion", "fmd": "fmd", "seams": "seams",
}  # fmt: skip


@pytest.fixture(scope="module")
def root(tmp_path_factory) -> Path:
    return tiny.write_corpus(tmp_path_factory.mktemp("corpus"))


def trainer(**options) -> L.Trainer:
    return L.Trainer(**{"num_sanity_val_steps": 0, **tiny.QUIET, **options})


def validated(model, root, **options) -> dict[str, float]:
    return trainer().validate(model, tiny.data(root, **options), verbose=False)[0]


# -- validation ----------------------------------------------------------------------------------------------------------


def test_validation_depends_on_no_batch_size(root):
    model = tiny.model(validation=ValidationClips(2)).eval()
    model.set_statistics(torch.full((58,), 0.5), torch.full((58,), 0.1))
    found = [validated(model, root, batch_size=size) for size in (1, 2, 3, 64)]
    assert {"val/loss", "val/position", "val/velocity", "val/jawOpen", "val/muscle_error", "val/au_r"} <= found[0].keys()
    for other in found[1:]:
        assert other == pytest.approx(found[0], rel=1e-5, abs=1e-6)
    fewer = [validated(model, root, batch_size=size, val_windows=3)["val/loss"] for size in (1, 2)]
    assert fewer[0] == pytest.approx(fewer[1], rel=1e-6) and abs(fewer[0] - found[0]["val/loss"]) > 1e-3


def test_no_clips_are_drawn_where_none_are_wanted(root):
    model = tiny.model(validation=ValidationClips(0))
    assert not {"val/muscle_error", "val/au_r"} & validated(model, root).keys()


@pytest.mark.parametrize(("length", "count", "world"), [(7, None, 2), (7, 3, 2), (2, None, 3), (5, 9, 1)])
def test_each_item_comes_once_or_as_a_repeat_that_fills_up(length, count, world):
    parts = [list(EvaluationSampler(length, count, rank, world)) for rank in range(world)]
    assert len({len(part) for part in parts}) == 1
    assert len({i for part in parts for i in part}) == min(count or length, length)
    assert sum(map(len, parts)) - min(count or length, length) < world


def test_a_tally_knows_no_order():
    one, other = Tally(), Tally()
    values = torch.rand(50) * torch.logspace(-6, 6, 50)
    one.add(range(50), x=values)
    for i in reversed(range(50)):
        other.add([i], x=values[i : i + 1])
    other.add([3, 4], x=values[3:5])
    assert one.totals() == other.totals() and not one.totals()


# -- test ----------------------------------------------------------------------------------------------------------------


def test_the_suite_is_the_protocols():
    entries = {entry.name: entry.metric for entry in load_protocol("procedural-motion-v1").metrics}
    for name, made in MOTION_METRICS.items():
        metric, entry = made(), entries[AS_IN_PROTOCOL[name]]
        assert entry.class_path.rpartition(".")[2] == type(metric).__name__
        for argument, value in entry.init_args.items():
            if argument != "regions":
                assert getattr(metric, argument) == value
            else:
                assert metric.__dict__.keys() and vars(type(metric)(value)).get("columns") == vars(metric).get("columns")


def test_a_test_logs_what_an_ablation_measures(root):
    """The same clips, noise, guidance and metrics, whatever the trainer's precision."""
    model = tiny.model().eval()
    model.set_statistics(torch.full((58,), 0.5), torch.full((58,), 0.1))
    logged = trainer(precision="bf16-mixed").test(model, tiny.data(root), verbose=False)[0]
    clips = CorpusReference(str(root)).clips()
    from tbd.draw.randomness import clip_seed

    truths = [Truth(clip) for clip in clips]
    drawn = draw_clips(model.eval(), [ClipRequest(truth.audio, truth.plan, clip_seed(0, truth.clip.id)) for truth in truths])
    measured = measure(load_protocol("procedural-motion-v1"), truths, drawn)[0]
    assert len(clips) == 3 and len(logged) >= 6
    for name, value in logged.items():
        result = measured[AS_IN_PROTOCOL[name.removeprefix("test/")]]
        assert value == pytest.approx(result.values[result.reported], rel=1e-4, abs=1e-5), name


def test_suites_add_up(root):
    """Two processes' measurements are one's, also where one of them saw no clip of a kind."""
    clips = list(tiny_clips(root))
    whole, halves = MotionSuite(), (MotionSuite(), MotionSuite(), MotionSuite())
    for i, clip in enumerate(clips):
        for suite in (whole, halves[i % 2]):
            suite.update(clips[i - 1].motion, clip.motion, clip.plan, clip.emotion)
    assert MotionSuite.merged([half.state() for half in halves]).compute() == pytest.approx(whole.compute(), rel=1e-9)


def tiny_clips(root):
    data = tiny.data(root)
    data.prepare_data()
    data.setup("fit")
    return [data.performed["train"][i] for i in range(len(data.performed["train"]))]


def test_windows_are_no_test(root):
    from tbd.data.datasets.motion import identity_collate

    data = tiny.data(root)
    data.prepare_data()
    data.setup("test")
    with pytest.raises(InputError, match="tested on lists of whole clips"):
        trainer().test(tiny.model(), torch.utils.data.DataLoader(data.datasets["test"], 2, collate_fn=identity_collate), verbose=False)


# -- normalisation -------------------------------------------------------------------------------------------------------


def test_the_datas_statistics_are_taken_and_a_checkpoints_kept(root, tmp_path):
    """A run that goes on, or starts from other weights, stays in the units that its weights were trained in."""
    model, data = tiny.model(), tiny.data(root)
    with warnings.catch_warnings():
        warnings.filterwarnings("error", ".*mean and std.*")
        fitting = trainer(max_steps=1, limit_val_batches=0)
        fitting.fit(model, data)
    assert torch.equal(model.std, data.statistics()[1])
    fitting.save_checkpoint(tmp_path / "run.ckpt")
    other = tiny.write_corpus(tmp_path / "other")
    for path in (other / "motion").iterdir():
        from tbd.face.motion import Motion

        Motion(Motion.load(path).values * 0.5).save(path)
    resumed, for_sampling = tiny.model(), tiny.model(initial=InitialWeights(str(tmp_path / "run.ckpt")))
    trainer(max_steps=2, limit_val_batches=0).fit(resumed, tiny.data(other), ckpt_path=tmp_path / "run.ckpt")
    trainer(max_steps=1, limit_val_batches=0).fit(for_sampling, tiny.data(other))
    for later in (resumed, for_sampling):
        assert torch.equal(later.mean, model.mean) and torch.equal(later.std, model.std)
    fresh = tiny.model()
    trainer(max_steps=1, limit_val_batches=0).fit(fresh, tiny.data(other))
    assert not torch.allclose(fresh.mean, model.mean, atol=0.1)


def test_expressions_can_be_learnt_at_a_smaller_deviation(root):
    model, data = tiny.model(training=MotionTraining(expression_deviation=0.5)), tiny.data(root)
    trainer(max_steps=1, limit_val_batches=0).fit(model, data)
    factor = dict(zip(CHANNELS, (model.std / data.statistics()[1]).tolist()))
    assert {name for name, value in factor.items() if value == 0.5} >= {"browInnerUp", "eyeSquintLeft", "mouthSmileRight"}
    assert {factor[name] for name in ("jawOpen", "headYaw", "eyeBlinkLeft", "mouthPucker")} == {1.0}


@pytest.mark.parametrize("workers", [0, 2])
def test_statistics_are_estimated_from_the_first_batches(workers):
    """Workers that persist hand out one iterator: the look ahead must not use it up."""
    model, watch, seen = tiny.model(), L.Callback(), []
    watch.on_train_batch_end = lambda trainer, module, outputs, batch, batch_idx: seen.append(batch["motion"][:, 0, 0])
    fitting = trainer(max_epochs=1, limit_val_batches=0)
    fitting.callbacks.append(watch)
    with pytest.warns(UserWarning, match=r"given no mean and std of the motion.*188 frames of the first training batches"):
        fitting.fit(model, Own(2, workers))
    assert torch.cat(seen).sort().values.tolist() == list(range(8))
    assert 3 < float(model.mean[0]) < 5 and float(model.std.min()) > 1


def test_statistics_are_given():
    mean, std = [0.1] * 58, [0.0, 0.2, *[0.5] * 56]
    model = tiny.model(training=MotionTraining(statistics=ChannelStatistics(mean, std)))
    with warnings.catch_warnings():
        warnings.filterwarnings("error", ".*mean and std.*")
        trainer(max_steps=1, limit_val_batches=0).fit(model, Own(2))
    assert model.mean.tolist() == pytest.approx(mean) and model.std.tolist() == pytest.approx([0.03, *std[1:]])  # a still channel


@pytest.mark.parametrize(
    ("mean", "std", "message"),
    [([0.0] * 52, [1.0] * 52, "takes 58"), ([0.0] * 58, [-1.0] * 58, "0 or more"),
     ([float("nan")] * 58, [1.0] * 58, "finite")],
)  # fmt: skip
def test_statistics_that_cannot_be_are_refused(mean, std, message):
    with pytest.raises(InputError, match=message):
        tiny.model(training=MotionTraining(statistics=ChannelStatistics(mean, std)))


def test_still_channels_get_a_floor():
    std = given_statistics([0.0] * 58, [0.0] * 58)[1]
    assert torch.equal(std, least_deviation()) and {round(float(x), 3) for x in std} == {0.01, 0.03}


def test_batches_that_come_once_cannot_be_looked_at_ahead():
    class Once(L.LightningDataModule):
        def train_dataloader(self):
            return iter(Own(2).train_dataloader())

    with pytest.raises(InputError, match="read but once"):
        trainer(max_steps=1, limit_val_batches=0).fit(tiny.model(), Once())


def test_an_untrained_model_says_that_it_is_not_normalised(root):
    with pytest.warns(UserWarning, match="no mean and std of the motion yet"):
        validated(tiny.model(validation=ValidationClips(0)), root)
