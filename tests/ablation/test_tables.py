"""Tables of a study fit the page they are for."""

import re

import pytest

from tbd.ablation.statistics import Cell
from tbd.ablation.tables import _TEXT_WIDTH, Column, _tex_width, latex
from tbd.evaluation.protocol import load_protocol

NAMES = ["label", "plan", "progressive 1.5, branches trained more"]


@pytest.fixture
def columns():
    entries = load_protocol("procedural-motion-v1").metrics
    return [Column(e, "higher", {name: Cell({1: 0.5 + i, 2: 0.6 + i}) for i, name in enumerate(NAMES)}, 0.9) for e in entries]


def test_latex_holds_every_metric_in_blocks_that_fit_the_text(columns):
    text = latex(columns, NAMES, "all of them, 50 % & more")
    blocks = re.findall(r"\\begin{tabular}.*?\\end{tabular}", text, re.DOTALL)
    assert 1 < len(blocks) < len(columns) and r"50 \% \& more" in text
    heads = [cell.strip() for block in blocks for cell in block.splitlines()[2].removesuffix(r" \\").split("&")[1:]]
    assert len(heads) == len(columns)
    for block in blocks:
        rows = [line.removesuffix(r" \\").split(" & ") for line in block.splitlines() if " & " in line]
        widths = [max(map(_tex_width, column)) for column in zip(*rows)]
        assert sum(widths) <= _TEXT_WIDTH and len(rows) == len(NAMES) + 2


def test_one_metric_is_one_plain_table(columns):
    text = latex(columns[:1], NAMES, "one")
    assert text.count(r"\toprule") == 1 and rf"$\mathbf{{{2.55:.3f}}}_{{\pm 0.071}}$" in text
