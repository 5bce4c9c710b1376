"""A network that finishes mouths: what it may change, and that it learns to."""

from types import SimpleNamespace

import lightning as L
import numpy as np
import pytest
import torch

from tbd.data.datamodules.mouth import MouthDataModule
from tbd.draw.mouth.augmentation import augment
from tbd.draw.mouth.network import MouthUNet
from tbd.draw.mouth.refiner import MouthLoss, MouthRefiner, unpack
from tbd.errors import InputError

SIZE = 32


def write_crops(path, people: int = 5, each: int = 8) -> None:
    """Mouths whose film is brighter than the painting by a fixed amount, between the lips."""
    random = np.random.default_rng(0)
    count = people * each
    target = random.integers(60, 90, (count, SIZE, SIZE, 3), dtype=np.uint8)
    mask = np.zeros((count, SIZE, SIZE), np.uint8)
    mask[:, 10:22, 8:24] = 255
    painted = target.copy()
    painted[mask > 0] -= 40
    person = np.repeat([f"p{number}" for number in range(people)], each)
    np.savez(path, painted=painted, warped=painted, target=target, reference=target, mask=mask, person=person)


def test_an_untrained_network_and_what_lies_outside_the_lips_stay():
    network = MouthUNet(8, 2)
    crops = torch.rand(2, 7, SIZE, SIZE)
    assert torch.equal(network(crops), crops[:, :3])
    torch.nn.init.constant_(network.proj_out.bias, 0.5)
    crops[:, 3] = 0
    crops[:, 3, 10:20, 10:20] = 1
    changed = (network(crops) != crops[:, :3]).any(1)
    assert changed[:, 10:20, 10:20].all() and changed.sum() == 2 * 100


def test_it_learns_and_validates_on_people_it_has_not_seen(tmp_path):
    write_crops(tmp_path / "m.npz")
    torch.manual_seed(0)
    data = MouthDataModule(str(tmp_path / "m.npz"), batch_size=16, val_share=0.4)
    refiner = MouthRefiner(MouthUNet(8, 2), MouthLoss(adversarial=0.01, adversarial_from=10), learning_rate=3e-3, warmup_steps=1)
    quiet = {"logger": False, "enable_checkpointing": False, "enable_progress_bar": False, "enable_model_summary": False}
    trainer = L.Trainer(accelerator="cpu", max_epochs=12, check_val_every_n_epoch=12, num_sanity_val_steps=0, **quiet)
    trainer.fit(refiner, data)
    people = np.load(tmp_path / "m.npz")["person"]
    trained, validated = (set(people[one._indices]) for one in (data.train_set, data.val_set))
    assert not trained & validated and len(validated) == 2
    got = trainer.callback_metrics
    assert got["val/painted"] == pytest.approx(40 / 255, abs=0.01) and got["val/ratio"] < 0.6


class _Brightness(torch.nn.Module):
    """Tells mouths apart by their mean alone."""

    def forward(self, a, b, mask):
        return ((a - b) * mask).mean((1, 2, 3)).abs()


def test_it_is_given_warped_lips_and_judged_by_another_than_taught(tmp_path):
    batch = {name: torch.full((4, SIZE, SIZE, 3), value, dtype=torch.uint8) for name, value in (("painted", 10), ("warped", 90))}
    batch |= {"target": batch["warped"], "reference": batch["warped"], "mask": torch.full((4, SIZE, SIZE), 255, dtype=torch.uint8)}
    for share, seen in ((0.0, {10}), (1.0, {90})):
        given = MouthRefiner(MouthUNet(8, 2), MouthLoss(adversarial=0), warped=share)._given(batch)["painted"]
        assert set(given.unique().tolist()) == seen
    refiner = MouthRefiner(MouthUNet(8, 2), MouthLoss(adversarial=0, perceptual=1), _Brightness(), torch.nn.Module())
    refiner.judge = _Brightness()
    found = refiner.errors(batch)
    assert found["looks"] == found["painted_looks"] == pytest.approx(80 / 127.5, abs=1e-3)
    assert refiner.errors({**batch, "painted": batch["warped"]})["looks"] == 0
    with pytest.raises(InputError, match="warped is 2"):
        MouthRefiner(MouthUNet(8, 2), warped=2)


def test_what_is_painted_is_measured_once(tmp_path):
    """Validation comes back to the same batches; the network's errors are new each time, the painting's are not."""

    class Counts(_Brightness):
        asked = 0

        def forward(self, a, b, mask):
            self.asked += 1
            return super().forward(a, b, mask)

    write_crops(tmp_path / "m.npz")
    data, judge = MouthDataModule(str(tmp_path / "m.npz"), batch_size=8, val_share=0.4), Counts()
    refiner = MouthRefiner(MouthUNet(8, 2), MouthLoss(adversarial=0, perceptual=0), judge=judge)
    quiet = {"logger": False, "enable_progress_bar": False, "enable_model_summary": False}
    trainer, seen = L.Trainer(accelerator="cpu", **quiet, enable_checkpointing=False), []
    for level in (0.0, 0.2):
        torch.nn.init.constant_(refiner.network.proj_out.bias, level)
        seen.append({name: float(value) for name, value in trainer.validate(refiner, data, verbose=False)[0].items()})
    batches = len(data.val_dataloader())
    assert judge.asked == (1 + 2 * 2) * batches  # the painting, which these crops have twice, and two networks between either lips
    changed = {name for name in seen[0] if seen[0][name] != seen[1][name]}
    assert changed and not any("painted" in name for name in changed) and {"val/l1", "val/looks", "val/ratio"} <= changed
    other = next(iter(data.val_dataloader()))
    brighter = {**other, "painted": other["painted"] + 1}
    assert refiner.errors(brighter)["painted"] != refiner.errors(other)["painted"]


def test_the_shipped_experiment_trains_and_its_checkpoint_draws(tmp_path):
    from tbd.cli.main import main
    from tbd.draw.mouth.renderer import load_network

    write_crops(tmp_path / "m.npz")
    small = ["--model.init_args.network.init_args.width=8", "--model.init_args.network.init_args.levels=2", "--trainer.max_steps=4"]
    where = [f"--data.init_args.path={tmp_path / 'm.npz'}", "--data.init_args.batch_size=8", f"--trainer.default_root_dir={tmp_path}"]
    often = ["--trainer.val_check_interval=2", "--trainer.accelerator=cpu", "--trainer.logger=false"]
    assert main(["fit", "--config", "mouth_refiner", *small, *where, *often]) == 0
    written = sorted(tmp_path.rglob("*.ckpt"))
    assert any(path.name.startswith("best-") for path in written)
    assert len(load_network(written[0]).proj_in.weight) == 8


def test_a_run_that_is_resumed_is_the_run_that_was_not(tmp_path):
    """Order, augmentation and both optimizers go on where they were, within an epoch as well."""
    write_crops(tmp_path / "m.npz", each=4)

    class Saves(L.Callback):
        def __init__(self, step: int) -> None:
            self.step = step

        def on_train_batch_end(self, trainer, *_) -> None:
            if trainer.global_step == self.step:
                trainer.save_checkpoint(tmp_path / f"{self.step}.ckpt")
                trainer.should_stop = True

    def train(steps: int, start=None) -> dict[str, torch.Tensor]:
        torch.manual_seed(0)
        refiner = MouthRefiner(MouthUNet(8, 2), MouthLoss(adversarial=0.1, adversarial_from=2), warmup_steps=4)
        quiet = {"logger": False, "enable_checkpointing": False, "enable_progress_bar": False, "enable_model_summary": False}
        trainer = L.Trainer(accelerator="cpu", max_steps=14, limit_val_batches=0, callbacks=[Saves(steps)], **quiet)
        torch.manual_seed(steps)  # another process has drawn other numbers
        trainer.fit(refiner, MouthDataModule(str(tmp_path / "m.npz"), batch_size=5), ckpt_path=start, weights_only=True if start else None)
        assert float(trainer.callback_metrics["train/loss"]) > 0
        return {name: value.clone() for name, value in refiner.state_dict().items()}

    whole = train(14)
    train(8)  # two steps of one network, then three of both: in the second epoch of three batches
    resumed = train(14, tmp_path / "8.ckpt")
    assert all(torch.equal(value, resumed[name]) for name, value in whole.items())


def test_several_devices_are_refused():
    refiner = MouthRefiner(MouthUNet(8, 2))
    refiner._trainer = SimpleNamespace(world_size=2)
    with pytest.raises(InputError, match=r"one device, not on 2: give --trainer\.devices=1"):
        refiner.on_fit_start()


def test_augmentation_keeps_film_and_mask_together():
    torch.manual_seed(0)
    target = torch.rand(16, 3, SIZE, SIZE) * 0.2 - 0.6
    mask = torch.zeros(16, 1, SIZE, SIZE)
    mask[..., 4:12] = 1
    target = torch.where(mask > 0, target + 1, target)
    painted, seen, reference, covered = augment(target, target, target, mask)
    light = [(seen * where).sum((1, 2, 3)) / where.sum((1, 2, 3)) for where in (covered, 1 - covered)]
    assert (light[0] > light[1] + 0.3).all() and torch.equal(seen, reference) and not torch.equal(seen, painted)
    assert 0 < (covered[:, 0, 0, 4:12] == 1).all(-1).float().mean() < 1  # some are mirrored
    assert seen.min() >= -1 and seen.max() <= 1


def test_batches_become_tensors_in_range(tmp_path):
    write_crops(tmp_path / "m.npz")
    data = MouthDataModule(str(tmp_path / "m.npz"), batch_size=4)
    data.setup()
    painted, target, reference, mask = unpack(next(iter(data.train_dataloader())))
    assert painted.shape == target.shape == reference.shape == (4, 3, SIZE, SIZE) and mask.shape == (4, 1, SIZE, SIZE)
    assert target.min() >= -1 and set(mask.unique().tolist()) == {0.0, 1.0}


def test_a_file_that_holds_no_crops_or_one_person_is_refused(tmp_path):
    (tmp_path / "text.npz").write_text("no")
    write_crops(tmp_path / "one.npz", people=1)
    for name, message in (("text.npz", "no crops of mouths"), ("missing.npz", "no crops of mouths"), ("one.npz", "holds one person")):
        with pytest.raises(InputError, match=message):
            MouthDataModule(str(tmp_path / name)).setup()
    with pytest.raises(InputError, match="val_share is 3"):
        MouthDataModule(val_share=3)
