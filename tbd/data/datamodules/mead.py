"""`MEADDataModule`: MEAD (Wang et al., ECCV 2020), as `tbd preprocess mead` prepares it."""

from typing import Any

from tbd.data.datamodules.prepared import CacheDataModule


class MEADDataModule(CacheDataModule):
    """Windows of MEAD; plans come from label and level, or from a clip's text where it has one.

    Args:
        root: the cache.
        split: ``mead_actor`` (EAT's four test actors), ``mead_sentence`` (MEAD's own) or another.
        kwargs: see `CacheDataModule`.
    """

    source = "mead"

    def __init__(self, root: str, split: str = "mead_actor", **kwargs: Any) -> None:
        super().__init__(root, split, **kwargs)
