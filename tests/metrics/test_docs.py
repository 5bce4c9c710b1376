"""docs/metrics.md names every metric and holds the table that the benchmark wrote."""

import importlib
import pkgutil
from pathlib import Path

import pytest
import torchmetrics

from tbd import metrics

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def page() -> str:
    path = ROOT / "docs/metrics.md"
    if not path.is_file():
        pytest.skip("the documentation is not installed beside the package")
    return path.read_text(encoding="utf-8")


def test_every_metric_and_every_stand_in_slot_is_documented(page):
    assert not [name for name in metrics.__all__ if f"`{name}" not in page and name not in ("ClipMetric", "EmotionClassifier")]


def test_the_table_is_that_of_the_last_run(page):
    begin, end = page.index("<!-- benchmarks/results/metrics.md -->"), page.index("<!-- end -->")
    table = (ROOT / "benchmarks/results/metrics.md").read_text(encoding="utf-8").split("\n\n", 1)[1]
    assert page[begin:end].split("\n", 1)[1].strip() == table.strip()
    assert "**NO**" not in table


def public_names(package) -> set[str]:
    """What a package and the packages below it list in ``__all__``."""
    found = set(package.__all__)
    for module in pkgutil.iter_modules(package.__path__):
        if module.ispkg:
            found |= set(getattr(importlib.import_module(f"{package.__name__}.{module.name}"), "__all__", ()))
    return found


def test_no_metric_takes_a_name_of_torchmetrics():
    """Ours see clips and average otherwise; one name for two numbers would mix them."""
    theirs = public_names(torchmetrics) | public_names(torchmetrics.functional)
    assert {"PeakSignalNoiseRatio", "structural_similarity_index_measure"} <= theirs
    ours = set(metrics.__all__)
    for module in pkgutil.walk_packages(metrics.__path__, "tbd.metrics."):
        content = vars(importlib.import_module(module.name))
        ours |= {name for name, value in content.items() if getattr(value, "__module__", None) == module.name}
    assert not ours & theirs
