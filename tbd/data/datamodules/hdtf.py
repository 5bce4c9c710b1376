"""`HDTFDataModule`: HDTF (Zhang et al., CVPR 2021), as `tbd preprocess hdtf` prepares it."""

from tbd.data.datamodules.prepared import CacheDataModule


class HDTFDataModule(CacheDataModule):
    """Windows of HDTF. It has no emotion labels, so plans are withheld unless a label or a text was given.

    Splits are ``hdtf_person`` by default, ``hdtf_edtalk`` or a file of your own. Arguments are those of `CacheDataModule`.
    """

    dataset = "hdtf"
