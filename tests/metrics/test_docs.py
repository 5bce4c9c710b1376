"""docs/metrics.md names every metric and holds the table that the benchmark wrote."""

from pathlib import Path

import pytest

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
