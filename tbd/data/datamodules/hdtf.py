"""`HDTFDataModule`: HDTF (Zhang et al., CVPR 2021), as `tbd preprocess hdtf` prepares it."""

from typing import Any

from tbd.data.datamodules.prepared import CacheDataModule


class HDTFDataModule(CacheDataModule):
    """Windows of HDTF. It tells no feelings, so its plans are withheld, unless a label or a text was given.

    Args:
        root: the cache.
        split: ``hdtf_person`` or another.
        kwargs: see `CacheDataModule`.
    """

    source = "hdtf"

    def __init__(self, root: str, split: str = "hdtf_person", **kwargs: Any) -> None:
        super().__init__(root, split, **kwargs)
