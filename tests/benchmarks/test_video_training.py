"""The benchmark of training steps, on a tiny network."""

import pytest

from benchmarks.video_training import ROWS, Row, measure


@pytest.mark.parametrize("row", [Row("ours", 1, 4), Row("ours", 1, 4, fitted=True)], ids=str)
def test_a_step_is_timed_with_what_a_batch_needs(row: Row):
    found = measure(row, tiny=True)
    assert found["seconds"] > 0 and found["trained_millions"] > 0


def test_every_row_has_a_name_of_its_own():
    assert len({str(row) for row in ROWS}) == len(ROWS)
