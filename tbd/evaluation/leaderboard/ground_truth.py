"""The ground truth's row: the board codes the true clips itself, since who submits a row can call anything the truth.

Columns in which a row should be as close to the truth as can be (``≈``) aim at its numbers.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from tbd.evaluation.predict import predict
from tbd.evaluation.predictors import GroundTruth
from tbd.evaluation.protocol import Protocol
from tbd.evaluation.references.base import Reference

CLASS_PATH = f"{GroundTruth.__module__}.{GroundTruth.__qualname__}"


@contextmanager
def coded_truth(protocol: Protocol, reference: Reference) -> Iterator[Path]:
    """Code the true clips as predictions of themselves.

    Args:
        protocol: The recipe, which sets size and seed.
        reference: The true clips.

    Yields:
        The folder of the predictions, which goes away afterwards.

    Raises:
        TBDError: If the reference has no true frames.
    """
    with TemporaryDirectory(prefix="tbd-truth-") as name:
        folder = Path(name) / "ground-truth"
        predict(protocol, reference.clips(), GroundTruth(), folder, {"class_path": CLASS_PATH, "init_args": {}}, quiet=True)
        yield folder
