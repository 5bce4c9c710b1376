"""The DataModule on the made-up corpus of tests/conftest.py."""

import pytest
import torch

from tbd.data.procedural import ProceduralDataModule, load_packed
from tbd.errors import InputError


def test_packing_keeps_every_clip(corpus):
    data = ProceduralDataModule(str(corpus), window_frames=20, context_frames=2, batch_size=2)
    data.prepare_data()
    audio, motion, lengths, plans = load_packed(corpus, "train")
    assert lengths == [60, 45] and audio.shape == (105 * 640,) and motion.shape == (105, 58)
    assert (audio[: 60 * 640 - 100] == 1).all() and (audio[60 * 640 - 100 : 60 * 640] == 0).all() and (audio[60 * 640 : -100] == 2).all()
    assert torch.allclose(motion[60:].float(), torch.tensor(0.1), atol=1e-3)
    assert (plans.unit > 0).sum(1).tolist() == [0, 1]


def test_batches(corpus):
    data = ProceduralDataModule(str(corpus), window_frames=20, context_frames=2, batch_size=2)
    data.prepare_data()
    data.setup("fit")
    batch = next(iter(data.train_dataloader()))
    assert batch["audio"].shape == (2, 24 * 640) and batch["motion"].shape == (2, 20, 58) and batch["mask"].shape == (2, 20)
    assert sum(len(b["motion"]) for b in data.val_dataloader()) == 2  # 33 frames in windows of 20


def test_missing_corpus_says_what_to_run(tmp_path):
    with pytest.raises(InputError, match="tbd synthesize"):
        ProceduralDataModule(str(tmp_path)).prepare_data()


def test_a_corpus_that_has_grown_is_packed_again(corpus):
    data = ProceduralDataModule(str(corpus))
    data.prepare_data()
    manifest = corpus / "manifest.csv"
    lines = manifest.read_text().splitlines()
    manifest.write_text("\n".join(line.replace(",val,", ",train,") for line in lines) + "\n")
    data.prepare_data()
    assert load_packed(corpus, "train")[2] == [60, 45, 33]
