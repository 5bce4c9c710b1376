"""The DataModules of prepared caches: what a batch holds, and that it is the same however it is loaded."""

import multiprocessing
import os
from types import SimpleNamespace

import lightning as L
import pytest
import torch

from tbd.data.datamodules.base import with_val
from tbd.data.datamodules.folder import FolderDataModule
from tbd.data.datamodules.hdtf import HDTFDataModule
from tbd.data.datamodules.mead import MEADDataModule
from tbd.data.datamodules.mixture import MixtureDataModule
from tbd.data.datamodules.procedural import ProceduralDataModule
from tbd.data.datasets.motion import MotionBatch, uniform
from tbd.data.datasets.packed import TrainingClip
from tbd.data.datasets.samplers import EpochSampler
from tbd.draw.motion.training_options import MotionTraining
from tbd.draw.window_options import WindowConfig
from tbd.errors import InputError
from tests.conftest import MEAD_CACHE, write_cache

WINDOW = {"window_frames": 20, "context_frames": 2, "batch_size": 2}
TRAIN = {"M005_happy_3_001", "M005_sad_1_002", "M005_neutral_1_001", "W011_happy_2_001"}


def set_up(data, stage: str = "fit"):
    data.prepare_data()
    data.setup(stage)
    return data


def drawn(data, epoch: int = 0) -> list[tuple[str, int]]:
    """Clip and start of every training window of an epoch."""
    loader = data.train_dataloader()
    loader.sampler.set_epoch(epoch)
    loader.timeout = 60 if loader.num_workers else 0  # workers that hang end a test and not the run
    return [(data.names[clip], start) for batch in loader for clip, start in zip(batch["clip"].tolist(), batch["start"].tolist())]


def test_datasets_are_the_splits(mead_cache):
    data = set_up(MEADDataModule(str(mead_cache), **WINDOW))
    names = {split: {data.names[i] for i in dataset.clip} for split, dataset in data.datasets.items()}
    assert names == {"train": TRAIN, "val": {"M013_fear_3_001"}}
    assert {data.names[i] for i in set_up(data, "test").datasets["test"].clip} == {"M003_angry_1_001", "W009_neutral_1_003"}


def test_a_batch_is_what_its_docstring_says(mead_cache):
    data = set_up(MEADDataModule(str(mead_cache), **WINDOW))
    batch = next(iter(data.train_dataloader()))
    assert set(batch) == MotionBatch.__required_keys__
    assert batch["audio"].shape == (2, 24 * 640) and batch["motion"].shape == (2, 20, 58)
    assert {batch[key].dtype for key in ("audio", "motion", "mask", "planned")} == {torch.float32}
    order = sorted(MEAD_CACHE)  # of the manifest; the clip's number is in its motion and in its sound
    number = torch.tensor([list(MEAD_CACHE).index(order[i]) for i in batch["clip"]])
    assert torch.allclose(batch["motion"][:, 0, 0], number / 10, atol=1e-3)
    assert torch.equal((batch["audio"] * 32768).round().amax(1), number + 1.0)


def test_plans_come_from_labels_and_levels(mead_cache):
    clips = {clip.name: clip.plan for clip in MEADDataModule(str(mead_cache), **WINDOW).clips()}
    assert clips["M005_happy_3_001"].emotions == {"happy": 1.0} and {a.unit for a in clips["M005_happy_3_001"].actions} >= {6, 12}
    assert clips["M005_happy_3_001"].intensity > clips["W011_happy_2_001"].intensity > 0
    assert clips["M005_neutral_1_001"].intensity == 0 and not clips["M005_neutral_1_001"].actions


def test_plans_come_from_texts_where_given(tmp_path):
    root = write_cache(tmp_path / "c", "mead", {"M005_happy_3_001": 50}, text="raise only the left eyebrow")
    (clip,) = MEADDataModule(str(root), **WINDOW).clips()
    assert {(a.unit, a.side) for a in clip.plan.actions} == {(1, "left"), (2, "left")}


def test_what_is_not_known_is_withheld_in_the_module(tmp_path):
    """HDTF tells no feeling: its plans must not train the model that people feel nothing."""
    root = write_cache(tmp_path / "c", "hdtf", {"WDA_KatieHill_000": 50, "WDA_KatieHill_001": 40})
    batch = next(iter(set_up(HDTFDataModule(str(root), **WINDOW)).train_dataloader()))
    assert (batch["planned"] == 0).all()
    model = tiny_model()
    batch["plan"].unit[:, 0], batch["plan"].intensity[:, 0] = 1, 1.0
    keep = []
    embeds = type(model.plan_encoder(batch["plan"], model.times(20)))
    real = embeds.only

    def only(self, keep_global, keep_local):
        keep.append((keep_global, keep_local))
        return real(self, keep_global, keep_local)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(embeds, "only", only)
        model.losses(batch)
        model.losses({**batch, "planned": torch.ones(len(batch["planned"]))})
    assert not keep[0][0].any() and not keep[0][1].any() and keep[1][0].all()


def tiny_model():
    from diffusers import DDIMScheduler

    from tbd.draw.conditioning.audio_encoder import MelEncoder
    from tbd.draw.conditioning.plan_encoder import MuscleTokenEncoder
    from tbd.draw.guidance.base import NoGuidance
    from tbd.draw.motion.denoiser import MotionTransformer
    from tbd.draw.motion.diffusion import MotionDiffusion
    from tbd.draw.training_options import ConditioningDropout

    parts = MotionTransformer(dim=32, depth=1, heads=2), MuscleTokenEncoder(dim=32), MelEncoder(dim=32, context=2), DDIMScheduler()
    return MotionDiffusion(*parts, NoGuidance(), windows=WindowConfig(20, 4), training=MotionTraining(ConditioningDropout(0, 0)))


def test_filters(mead_cache):
    data = set_up(MEADDataModule(str(mead_cache), emotions=["happy"], **WINDOW))
    assert {data.names[i] for dataset in data.datasets.values() for i in dataset.clip} == {"M005_happy_3_001", "W011_happy_2_001"}
    splits = {clip.name: clip.split for clip in MEADDataModule(str(mead_cache), levels=[1], **WINDOW).clips()}
    assert splits["M005_sad_1_002"] == "train" and splits["M005_happy_3_001"] == ""


# -- the same batches everywhere -----------------------------------------------------------------------------------------


def test_epochs_differ_and_can_be_had_again(mead_cache):
    data = set_up(MEADDataModule(str(mead_cache), passes=3, **WINDOW))
    first, second = drawn(data, 0), drawn(data, 1)
    assert first == drawn(data, 0) and first != second
    assert len(set(first + second)) > len(data.datasets["train"])  # a window starts elsewhere in every pass, not in another order alone
    assert len(first) == 3 * len(data.datasets["train"]) // 2 * 2


@pytest.mark.parametrize("balance", ["windows", "person", "emotion"])
def test_workers_change_nothing(mead_cache, balance):
    alone, many = (set_up(MEADDataModule(str(mead_cache), balance=balance, num_workers=n, **WINDOW)) for n in (0, 2))
    assert drawn(alone, 1) == drawn(many, 1)


@pytest.mark.parametrize("replicas", [1, 2, 3])
def test_devices_share_an_epoch(mead_cache, replicas):
    """Whatever their number, they draw the same windows between them, each once."""
    data = set_up(MEADDataModule(str(mead_cache), passes=6, **WINDOW))
    length = len(data.datasets["train"])
    whole = list(EpochSampler(length, 1, 3, passes=6))
    parts = [list(EpochSampler(length, 1, 3, rank, replicas, passes=6)) for rank in range(replicas)]
    assert sorted(number for part in parts for number in part) == sorted(whole[: len(whole) // replicas * replicas])
    assert {len(part) for part in parts} == {len(whole) // replicas}


def test_the_seed_is_the_experiments(mead_cache, monkeypatch):
    runs = []
    for seed in ("1", "2", "1"):
        monkeypatch.setenv("PL_GLOBAL_SEED", seed)
        runs.append(drawn(set_up(MEADDataModule(str(mead_cache), passes=4, **WINDOW))))
    assert runs[0] == runs[2] != runs[1]


def test_uniform_is_uniform():
    x = uniform(torch.arange(100_000), seed=7)
    assert x.min() >= 0 and x.max() < 1 and abs(x.mean() - 0.5) < 0.005 and abs(x.std() - 12**-0.5) < 0.005
    assert abs(torch.corrcoef(torch.stack([x[1:], x[:-1]]))[0, 1]) < 0.02
    assert len(uniform(torch.arange(0, 5_000_000_000, 1_000_000_007), seed=7).unique()) == 5


# -- balance and mixtures ------------------------------------------------------------------------------------------------


def shares(data, epochs: int = 60) -> dict:
    counts: dict = {}
    sampler = data.train_dataloader().sampler
    for epoch in range(epochs):
        sampler.set_epoch(epoch)
        for number in sampler:
            clip = data.names[data.datasets["train"].clip[number % len(data.datasets["train"])]]
            counts[clip] = counts.get(clip, 0) + 1
    return {clip: n / sum(counts.values()) for clip, n in counts.items()}


def test_people_and_emotions_are_drawn_alike(mead_cache):
    """M005 has 8 windows of three emotions, W011 has 3 of one."""
    own = shares(set_up(MEADDataModule(str(mead_cache), balance="person", passes=4, **WINDOW)))
    assert own["W011_happy_2_001"] == pytest.approx(0.5, abs=0.05)
    own = shares(set_up(MEADDataModule(str(mead_cache), balance="emotion", passes=4, **WINDOW)))
    assert all(own[clip] == pytest.approx(0.25, abs=0.05) for clip in TRAIN)


def mixture(mead_cache, corpus, **options) -> MixtureDataModule:
    modules = [MEADDataModule(str(mead_cache)), ProceduralDataModule(str(corpus))]
    return set_up(MixtureDataModule(modules, **options, **WINDOW))


def test_a_mixture_draws_by_weight_and_cuts_like_its_parts(mead_cache, corpus):
    data = mixture(mead_cache, corpus, weights=[3.0, 1.0], passes=4)
    assert sum(share for clip, share in shares(data).items() if clip.startswith("P")) == pytest.approx(0.25, abs=0.05)
    alone = set_up(ProceduralDataModule(str(corpus), **WINDOW))
    offset = len(MEAD_CACHE)
    for batch in data.train_dataloader():
        procedural = batch["clip"] >= offset
        again = alone.datasets["train"].batch(batch["clip"][procedural] - offset, batch["start"][procedural], 20)
        for key in ("audio", "motion", "mask", "planned"):
            assert torch.equal(batch[key][procedural], again[key])
        assert torch.equal((batch["plan"].unit[procedural] > 0).sum(1), (again["plan"].unit > 0).sum(1))
    assert {data.names[i] for i in data.datasets["val"].clip} == {"M013_fear_3_001", "P002_neutral_1_001"}


def test_statistics_follow_the_weights(mead_cache, corpus):
    """Clips are constant: MEAD's channels are 0, .1, .2 and .3, the corpus's 0 and .1."""
    mean, std = mixture(mead_cache, corpus, weights=[0.0, 1.0]).statistics()
    assert mean[0] == pytest.approx(0.1 * 3 / 6, abs=0.01) and std[0] == pytest.approx(0.05, abs=0.005)  # 3 windows of each
    plain = set_up(MEADDataModule(str(mead_cache), **WINDOW)).statistics()[0][0]
    frames = {0.0: 60, 0.1: 45, 0.2: 30, 0.3: 50}
    assert plain == pytest.approx(sum(v * n for v, n in frames.items()) / sum(frames.values()), abs=1e-3)


def test_a_mixture_needs_its_weights(mead_cache, corpus):
    with pytest.raises(InputError, match="takes as many weights"):
        MixtureDataModule([MEADDataModule(str(mead_cache))], weights=[1.0, 2.0])


# -- predict -------------------------------------------------------------------------------------------------------------


class Collect(L.LightningModule):
    """Writes down which clips its device was given."""

    def __init__(self, path) -> None:
        super().__init__()
        self.path = str(path)

    def predict_step(self, batch, batch_idx):
        with open(f"{self.path}/{self.global_rank}.txt", "a") as file:
            file.write(f"{self.trainer.datamodule.names[int(batch['clip'])]} {batch['motion'].shape[1]}\n")


@pytest.mark.parametrize("devices", [1, 2])
def test_predict_covers_each_clip_once_on_any_number_of_devices(devices, tmp_path):
    """Five test clips do not divide by two; a padded sampler would give one of them twice."""
    clips = {f"M003_angry_1_{i:03d}": 20 + i for i in range(1, 6)}
    root = write_cache(tmp_path / "c", "mead", {**clips, "M005_sad_1_001": 30})
    if devices == 1:
        _predict(str(root), str(tmp_path), devices)
    else:  # a new process, which Lightning may fork
        process = multiprocessing.get_context("spawn").Process(target=_predict, args=(str(root), str(tmp_path), devices))
        process.start()
        process.join(300)
        assert process.exitcode == 0
    seen = [line.split() for path in sorted(tmp_path.glob("*.txt")) for line in path.read_text().splitlines()]
    assert sorted((clip, int(frames)) for clip, frames in seen) == sorted(clips.items())
    assert len(list(tmp_path.glob("*.txt"))) == devices


def _predict(root: str, out: str, devices: int) -> None:
    if devices > 1:
        torch.set_num_threads(1)
        os.environ["MASTER_ADDR"] = "127.0.0.1"
    strategy = "auto" if devices == 1 else "ddp_fork"  # from a process of one thread, which has imported torch already
    quiet = {"logger": False, "enable_progress_bar": False, "enable_model_summary": False, "enable_checkpointing": False}
    trainer = L.Trainer(accelerator="cpu", devices=devices, strategy=strategy, **quiet)
    trainer.predict(Collect(out), datamodule=MEADDataModule(root, **WINDOW), return_predictions=False)


# -- refusals ------------------------------------------------------------------------------------------------------------


def test_bad_input_is_one_sentence(mead_cache, tmp_path):
    with pytest.raises(InputError, match="holds mead, and HDTFDataModule reads hdtf"):
        HDTFDataModule(str(mead_cache), **WINDOW).clips()
    with pytest.raises(InputError, match=r"divide hdtf, and .* holds mead"):
        MEADDataModule(str(mead_cache), split_file="hdtf_person", **WINDOW).clips()
    with pytest.raises(InputError, match="has no motion 'face_landmarker'"):
        MEADDataModule(str(mead_cache), tracker="face_landmarker", **WINDOW).clips()
    with pytest.raises(InputError, match=r"has no clips in the split test: .* in train"):
        only = write_cache(tmp_path / "c", "mead", {"M005_happy_3_001": 30})
        set_up(MEADDataModule(str(only), **WINDOW), "test")
    with pytest.raises(InputError, match="has no model to take window_frames"):
        set_up(MEADDataModule(str(mead_cache)))
    next((mead_cache / "motion").rglob("*.npz")).unlink()
    with pytest.raises(InputError, match="names 1 files that are gone"):
        MEADDataModule(str(mead_cache), **WINDOW).prepare_data()


def test_windows_are_the_models_where_the_data_does_not_say(mead_cache):
    data = MEADDataModule(str(mead_cache))
    data.trainer = SimpleNamespace(lightning_module=tiny_model(), world_size=1, global_rank=0)
    set_up(data)
    assert (data.datasets["train"].window_frames, data.datasets["train"].context_frames) == (20, 2)


def test_every_fiftieth_training_clip_validates_where_a_split_has_none(tmp_path):
    clips = [TrainingClip(f"{i}", "train", "A", 30, tmp_path / "x") for i in range(120)]
    assert [c.name for c in with_val(clips) if c.split == "val"] == ["25", "75"]
    assert [c.split for c in with_val(clips[:3])] == ["train", "train", "val"]
    root = write_cache(tmp_path / "c", "folder", {"a": 30, "b": 40, "c": 30})
    assert len(set_up(FolderDataModule(str(root), **WINDOW)).datasets["val"]) == 2
