"""Training of the video model: exact resume, stages, and what a run refuses."""

import lightning as L
import pytest
import torch
from lightning.pytorch.callbacks import EMAWeightAveraging, ModelCheckpoint

from tests.draw.tiny_video import Losses, TinyVideoData, tiny_video_model


def fit(folder, steps: int, ckpt_path=None, die_after=None, save_every: int = 1, **options):
    losses = Losses(die_after)
    keep = ModelCheckpoint(folder, filename="{step}", every_n_train_steps=save_every, save_top_k=-1)
    trainer = L.Trainer(
        max_steps=steps, accelerator="cpu", logger=False, enable_progress_bar=False, enable_model_summary=False, log_every_n_steps=1,
        callbacks=[keep, EMAWeightAveraging(decay=0.9), losses], gradient_clip_val=1.0, num_sanity_val_steps=0, val_check_interval=3,
        default_root_dir=folder,
    )  # fmt: skip
    model = tiny_video_model(**options)
    if die_after:
        with pytest.raises(RuntimeError, match="killed"):
            trainer.fit(model, TinyVideoData(), ckpt_path=ckpt_path)
    else:
        trainer.fit(model, TinyVideoData(), ckpt_path=ckpt_path)
    return losses, model


def test_a_kill_at_any_step_changes_nothing(tmp_path):
    """The epoch has five steps: killed in its middle, at its end, and in the next one."""
    whole, model = fit(tmp_path / "whole", 8)
    assert len(set(whole.values.values())) == 8 and sorted(i for s in range(1, 6) for i in whole.ids[s]) == list(range(10))
    for step in (2, 3, 5, 6):
        fit(tmp_path / str(step), 8, die_after=step + 1)
        rest, resumed = fit(tmp_path / f"{step}b", 8, tmp_path / str(step) / f"step={step}.ckpt")
        assert rest.ids == {s: ids for s, ids in whole.ids.items() if s > step}
        assert rest.values == {s: loss for s, loss in whole.values.items() if s > step}
        for a, b in zip(model.parameters(), resumed.parameters()):
            assert torch.equal(a, b)
