"""The data sets that `tbd preprocess` knows by name.

One line here registers a data set: `tbd preprocess` gets a subcommand with the arguments of the class, prepared caches name it, and
DataModules, splits and reports read from the class (`tbd.data.sources.base.RawSource`) what its names mean and how it is divided. A class
of your own needs no line: its class path is its name.
"""

DATASETS: dict[str, str] = {
    "mead": "tbd.data.sources.mead.MEADSource",
    "hdtf": "tbd.data.sources.hdtf.HDTFSource",
    "folder": "tbd.data.sources.folder.FolderSource",
}
"""Name → class path of a `RawSource`."""


def dataset_name(kind: type) -> str:
    """Name a data set: the registered name of its class, or else the class path.

    Args:
        kind: A subclass of `tbd.data.sources.base.RawSource`.

    Returns:
        The name.

    Example:
        >>> from tbd.data.sources.mead import MEADSource
        >>> dataset_name(MEADSource)
        'mead'
    """
    path = f"{kind.__module__}.{kind.__qualname__}"
    return next((name for name, known in DATASETS.items() if known == path), path)
