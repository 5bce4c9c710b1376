"""The DataModule on the made-up corpus of tests/conftest.py."""

import uuid

import pytest
import torch

from tbd.data.datamodules.procedural import ProceduralDataModule
from tbd.errors import InputError
from tbd.speech.alignment import SYMBOLS
from tests.speech.humming import Humming


def prepared(corpus, **options) -> ProceduralDataModule:
    data = ProceduralDataModule(str(corpus), **{"window_frames": 20, "context_frames": 2, "batch_size": 2, **options})
    data.prepare_data()
    return data


def test_packing_keeps_every_clip(corpus):
    pack = prepared(corpus).packs()[0]
    assert pack.length.tolist() == [60, 45, 33, 20] and pack.audio.shape == (158 * 640,) and pack.motion.shape == (158, 58)
    audio = pack.audio
    assert (
        (audio[: 60 * 640 - 100] == 1).all()
        and (audio[60 * 640 - 100 : 60 * 640] == 0).all()
        and (audio[60 * 640 : 105 * 640 - 100] == 2).all()
    )
    assert torch.allclose(pack.motion[60:105].float(), torch.tensor(0.1), atol=1e-3)


def test_batches(corpus):
    data = prepared(corpus)
    data.setup("fit")
    batch = next(iter(data.train_dataloader()))
    assert batch["audio"].shape == (2, 24 * 640) and batch["motion"].shape == (2, 20, 58) and batch["mask"].shape == (2, 20)
    assert (batch["plan"].unit > 0).sum(1).tolist() == batch["clip"].tolist()  # clip i of the corpus has i actions
    assert (batch["planned"] == 1).all() and {data.names[i] for i in batch["clip"]} <= {"P001_happy_1_001", "P001_sad_2_001"}
    assert sum(len(b["motion"]) for b in data.val_dataloader()) == 2  # 33 frames in windows of 20


def test_missing_corpus_says_what_to_run(tmp_path):
    with pytest.raises(InputError, match="tbd synthesize"):
        ProceduralDataModule(str(tmp_path)).prepare_data()


@pytest.mark.parametrize(
    ("edit", "said"),
    [
        (lambda rows: [row.replace(",45,", ",many,") for row in rows], "line 3: frames is many"),
        (lambda rows: [row.replace(",45,", ",0,") for row in rows], "line 3: frames is 0"),
        (lambda rows: [*rows[:2], rows[2][:30]], "line 3: the row has no .*plan"),
        (lambda rows: [row.replace(",val,", ",valid,") for row in rows], "line 4: the split valid is none of train, val, test"),
        (lambda rows: [*rows, rows[1]], "line 6: P001_happy_1_001 is listed twice"),
        (lambda rows: [rows[0].replace("motion", "movement"), *rows[1:]], "line 2: the row has no motion"),
        (lambda rows: [row.replace(",60,", ",61,") for row in rows], "has 60 frames, where the manifest says 61"),
    ],
    ids=["no number", "no frames", "cut short", "another split", "twice", "another column", "longer than the motion"],
)
def test_a_manifest_that_somebody_edited_is_refused_with_the_line(corpus, edit, said):
    manifest = corpus / "manifest.csv"
    manifest.write_text("".join(edit(manifest.read_text().splitlines(keepends=True))))
    with pytest.raises(InputError, match=said):
        prepared(corpus)


def test_a_manifest_saved_by_a_spreadsheet_is_read(corpus):
    manifest = corpus / "manifest.csv"
    manifest.write_text(manifest.read_text(), encoding="utf-8-sig")
    assert len(prepared(corpus).clips()) == 4


def test_a_plan_that_is_cut_short_is_named(corpus):
    plan = corpus / "plan" / "P001_sad_2_001.json"
    plan.write_text(plan.read_text()[:20])
    with pytest.raises(InputError, match=r"P001_sad_2_001\.json"):
        prepared(corpus)


def test_a_corpus_that_has_grown_is_packed_again(corpus):
    manifest = corpus / "manifest.csv"
    whole = manifest.read_text()
    manifest.write_text("".join(whole.splitlines(keepends=True)[:-1]))
    assert prepared(corpus).packs()[0].length.tolist() == [60, 45, 33]
    manifest.write_text(whole)
    assert prepared(corpus).packs()[0].length.tolist() == [60, 45, 33, 20]


class Marking(Humming):
    """Leaves a mark for each time that it listens, since other processes may."""

    def __init__(self, marks):
        self.marks = marks

    def recognize(self, audio):
        (self.marks / str(uuid.uuid4())).touch()
        return super().recognize(audio)


def test_a_recognizer_listens_once_to_every_clip(corpus, tmp_path):
    marks = tmp_path / "marks"
    marks.mkdir()
    recognizer = Marking(marks)
    data = prepared(corpus, recognizer=recognizer)
    phones = data.packs()[0].phones
    assert phones.shape == (158 * 4,) and phones[:10].max() == 0
    # every clip is silent for 0.1 s at its start and for one of 100 numbers a second at its end
    assert (phones == SYMBOLS.index("m")).sum() == 158 * 4 - 4 * 11
    assert len(list(marks.iterdir())) == 4
    again = prepared(corpus, recognizer=recognizer)
    assert len(list(marks.iterdir())) == 4
    again.setup("fit")
    batch = next(iter(again.train_dataloader()))
    assert batch["phones"].shape == (2, 24 * 4) and batch["phones"].dtype == torch.uint8
    plain = prepared(corpus)  # the same pack without what was heard
    plain.setup("fit")
    assert "phones" not in next(iter(plain.train_dataloader()))
