"""`FolderDataModule`: talking heads of your own, as `tbd preprocess folder` prepares them."""

from tbd.data.datamodules.prepared import CacheDataModule


class FolderDataModule(CacheDataModule):
    """Windows of a folder of videos; plans where labels or texts were given, or from the clips' own faces (``plans: measured``).

    Without a file of splits every clip trains but every fiftieth, which validates. Arguments are those of `CacheDataModule`.
    """

    dataset = "folder"
