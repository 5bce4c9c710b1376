"""`MEADDataModule`: MEAD (Wang et al., ECCV 2020), as `tbd preprocess mead` prepares it."""

from tbd.data.datamodules.prepared import CacheDataModule


class MEADDataModule(CacheDataModule):
    """Windows of MEAD; plans come from label and level, from a clip's text where it has one, or from its own face (``plans``).

    Splits are ``mead_actor`` (EAT's four test actors) by default, ``mead_sentence`` (MEAD's own), ``mead_edtalk`` or a file of your own.
    Arguments are those of `CacheDataModule`.
    """

    dataset = "mead"
