"""`FolderDataModule`: anybody's talking heads, as `tbd preprocess folder` prepares them."""

from typing import Any

from tbd.data.datamodules.prepared import CacheDataModule


class FolderDataModule(CacheDataModule):
    """Windows of a folder of videos, all of which train where no split says otherwise; plans where labels or texts were given.

    Args:
        root: the cache.
        split: a .json file that names people or clips, or ``folder_all``: everything trains, every fiftieth clip validates.
        kwargs: see `CacheDataModule`.
    """

    source = "folder"

    def __init__(self, root: str, split: str = "folder_all", **kwargs: Any) -> None:
        super().__init__(root, split, **kwargs)
