"""A row of the leaderboard, and its file."""

import re
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, FiniteFloat

from tbd.errors import InputError
from tbd.evaluation.scores import Scores
from tbd.utils.atomic import atomic_output


class Entry(BaseModel):
    """A row of the leaderboard.

    Args:
        kind: ``measured`` by `tbd evaluate`, or ``reported`` by somebody else with their own recipe.
        name: Name of the row.
        protocol: Id of the protocol; for a reported row the recipe's name in its paper.
        note: One sentence that says what this row is.
        paper: A URL or citation.
        code: A URL.
        added: Date on which the row was added.
        scores: The scores of a measured row; None for a reported one.
        numbers: For a reported row: metric → value, as printed.
        citation: For a reported row: paper and table.
    """

    model_config = ConfigDict(extra="forbid")

    kind: Literal["measured", "reported"]
    name: str
    protocol: str
    note: str = ""
    paper: str | None = None
    code: str | None = None
    added: str
    scores: Scores | None = None
    numbers: dict[str, FiniteFloat] = {}
    citation: str | None = None

    @property
    def measured_scores(self) -> Scores:
        """The scores of a measured row."""
        assert self.scores is not None, f"{self.name} was reported, not measured"
        return self.scores

    @property
    def slug(self) -> str:
        """File name of the row, without its ending."""
        return slug(self.name)

    def save(self, board: Path, replace: bool) -> Path:
        """Write the row.

        Args:
            board: Folder of the board.
            replace: Whether to take the place of a row of that name.

        Returns:
            The file.

        Raises:
            InputError: If there is a row of that name, and `replace` is False.
        """
        path = board / self.protocol / f"{self.slug}.json"
        if path.is_file() and not replace:
            raise InputError(f"{path} is there already; choose another --name, or give --replace.")
        with atomic_output(path) as temporary:
            temporary.write_text(self.model_dump_json(indent=1) + "\n", encoding="utf-8")
        return path


def slug(name: str) -> str:
    """Turn a name into a file name.

    Args:
        name: Any text with at least one letter or digit.

    Returns:
        Small letters, digits and hyphens.

    Raises:
        InputError: If the name has no letter and no digit.

    Example:
        >>> slug("Think-Before-Draw, without plan")
        'think-before-draw-without-plan'
    """
    made = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")
    if not made:
        raise InputError(f"A row's --name needs letters or digits; {name!r} has none.")
    return made
