"""`HDTFDataModule`: HDTF (Zhang et al., CVPR 2021), as `tbd preprocess hdtf` prepares it."""

from tbd.data.datamodules.prepared import CacheDataModule


class HDTFDataModule(CacheDataModule):
    """Windows of HDTF, which has no emotion labels.

    Plans come from the clips' own faces (``plans: measured``), or from labels or texts of yours; they are withheld elsewhere.
    Splits are ``hdtf_person`` by default, ``hdtf_edtalk`` or a file of your own. Arguments are those of `CacheDataModule`.
    """

    dataset = "hdtf"
