"""What Hallo's and EmoCAST's own networks made of weights that their names decide, and those weights.

The files in ``fixtures`` were written once by their authors' code at a tiny configuration on a CPU (Hallo at commit 8fd7c57, EmoCAST at
586751b), which is not in this repository: inputs, outputs, and the names and shapes of the weights. ``*_full_keys`` are those of the
published configuration.
"""

import gzip
import json
import zlib
from pathlib import Path

import numpy as np
import torch
from diffusers.models.embeddings import SinusoidalPositionalEmbedding
from torch import Tensor

FIXTURES = Path(__file__).parent / "fixtures"


def weight(name: str, shape: tuple[int, ...]) -> Tensor:
    """The weight of that name: normal numbers whose seed is the name's checksum, scaled so that signals keep their size."""
    if name.endswith(".pe"):
        return SinusoidalPositionalEmbedding(shape[2], shape[1]).pe
    x = np.random.RandomState(zlib.crc32(name.encode())).standard_normal(shape).astype(np.float32)
    if len(shape) >= 2:
        x *= 1.0 / np.sqrt(int(np.prod(shape[1:])))
    elif name.endswith("weight"):
        x = 1 + 0.1 * x
    else:
        x *= 0.1
    return torch.from_numpy(np.asarray(x, np.float32).reshape(shape))


def state(shapes: dict[str, list[int]], prefix: str = "") -> dict[str, Tensor]:
    return {name: weight(prefix + name, tuple(shape)) for name, shape in shapes.items()}


def shapes(name: str) -> dict[str, list[int]]:
    with gzip.open(FIXTURES / f"{name}_keys.json.gz", "rt") as file:
        return json.load(file)


def published_state(name: str) -> dict[str, Tensor]:
    """The tiny network's weights under its authors' names."""
    return state(shapes(f"{name}_tiny"))


def sample(x: Tensor, n: int = 128) -> np.ndarray:
    """The numbers of a tensor that the fixtures keep."""
    flat = x.detach().float().flatten()
    places = np.random.RandomState(flat.numel() % 2**31).choice(flat.numel(), min(n, flat.numel()), replace=False)
    return flat.numpy()[np.sort(places)]


def apart(ours: Tensor | np.ndarray, theirs: np.ndarray) -> float:
    """The greatest difference, relative to the greatest number."""
    return float(np.abs(np.asarray(ours) - theirs).max() / np.abs(theirs).max())


class Peer:
    """A peer's inputs and outputs: `peer["pred"]`."""

    def __init__(self, name: str) -> None:
        with np.load(FIXTURES / f"{name}.npz") as file:
            self.arrays = {key: file[key] for key in file.files}

    def __getitem__(self, name: str) -> np.ndarray:
        return self.arrays[name]

    def tensor(self, name: str) -> Tensor:
        return torch.from_numpy(self.arrays[name].astype(np.float32))

    def names(self, start: str) -> list[str]:
        return [name.removeprefix(start) for name in self.arrays if name.startswith(start)]
