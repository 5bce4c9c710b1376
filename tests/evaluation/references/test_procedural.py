"""A synthesized corpus as a reference."""

import pytest

from tbd.errors import InputError
from tbd.evaluation.references.procedural import CorpusReference


def test_a_corpus_is_a_reference(corpus, tmp_path):
    (clip,) = CorpusReference(str(corpus)).clips()
    assert (clip.id, clip.emotion, clip.level, clip.frames()) == ("P002_fear_3_001", "fear", 3, 20)
    assert len(clip.audio()) == 20 * 640 - 100 and clip.audio()[0] == 4 / 32768
    assert len(clip.motion()) == 20 and len(clip.plan().actions) == 3 and clip.bilabials() is None
    assert [c.id for c in CorpusReference(str(corpus), split="train", count=1).clips()] == ["P001_happy_1_001"]
    with pytest.raises(InputError, match="no clip in the split nowhere"):
        CorpusReference(str(corpus), split="nowhere").clips()
