"""Which rows of a protocol can stand in one table, and why the others cannot."""

from collections import Counter
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import NamedTuple

from tbd.errors import InputError
from tbd.evaluation.leaderboard.entry import Entry
from tbd.evaluation.metric_runner import direction_of
from tbd.evaluation.protocol import Protocol
from tbd.evaluation.scores import Scores


class Standard(NamedTuple):
    """What all rows of a table share.

    Args:
        recipe: The protocol, where tbd ships it.
        hash: `Protocol.hash`.
        clips: `checksum_of_names` of the clips, and of the reference's files.
        weights: File → sha256 of third-party weights.
        name: Name of a row of that kind, for messages.
    """

    recipe: Protocol | None
    hash: str
    clips: tuple[str, str]
    weights: dict[str, str]
    name: str


def standard_of(
    entries: Sequence[Entry], recipe: Protocol | None, unchecked: Mapping[str, Sequence[str]] = MappingProxyType({})
) -> Standard | None:
    """Find what the rows of a table share: the recipe's own, and else what most rows have, so that one that was edited rules none.

    Args:
        entries: Measured rows.
        recipe: The protocol, where tbd ships it.
        unchecked: File name of a row → its metrics that the board could not recompute, whose weights are the submitter's word.

    Returns:
        The standard; None where there is no row.
    """
    if not entries:
        return None
    expected = recipe.hash if recipe is not None else _usual([e.measured_scores.protocol_hash for e in entries])
    same = [e for e in entries if e.measured_scores.protocol_hash == expected] or list(entries)
    found = [(e.measured_scores.split, e.measured_scores.content) for e in same]
    if recipe is not None and recipe.split.names is not None:
        ours = (recipe.split.names, recipe.split.content)
        found = [pair for pair in found if pair[0] == ours[0] and ours[1] in (None, pair[1])] or found
    clips = _usual(found)
    alike = [e for e in same if (e.measured_scores.split, e.measured_scores.content) == clips]
    known = [_checked_weights(e, recipe, unchecked.get(e.slug, ())) for e in alike]
    weights = {name: _usual([own[name] for own in known if name in own]) for name in {name for own in known for name in own}}
    return Standard(recipe, expected, clips, weights, alike[0].name)


def _checked_weights(entry: Entry, recipe: Protocol | None, unchecked: Sequence[str]) -> dict[str, str]:
    """A row's weights without those of metrics that nobody has recomputed."""
    entries = [recipe.entry(name) for name in unchecked] if recipe is not None else []
    doubtful = {name for metric in entries if metric is not None for name in metric.weights}
    return {name: sha for name, sha in entry.measured_scores.weights.items() if name not in doubtful}


def _usual(values: Sequence):
    """The most frequent value; of equally frequent ones the first."""
    return Counter(values).most_common(1)[0][0]


def require_comparable(entry: Entry, standard: Standard, source: str) -> None:
    """Require that a row can stand beside the others of its table.

    Args:
        entry: A measured row.
        standard: What the others share.
        source: Where the row comes from, for messages.

    Raises:
        InputError: If it was measured by another version of the protocol, over other clips or with other weights, or names metrics or
            directions that are not the protocol's.
    """
    own = entry.measured_scores
    theirs = standard.name if standard.recipe is None else "tbd ships"
    if own.protocol_hash != standard.hash:
        raise InputError(
            f"{source}: {entry.name} was measured by another version of {entry.protocol} (hash {own.protocol_hash[:12]}…) than "
            f"{theirs} ({standard.hash[:12]}…); evaluate its predictions again."
        )
    if (own.split, own.content) != standard.clips:
        raise InputError(
            f"{source}: {entry.name} was measured over {own.expected} other clips than {standard.name}; rows over different clips "
            "are not comparable. Use another --board for them."
        )
    differs = [name for name, sha in own.weights.items() if standard.weights.get(name, sha) != sha]
    if differs:
        raise InputError(
            f"{source}: {entry.name} was measured with another file {differs[0]} than {standard.name}; evaluate both with one."
        )
    if standard.recipe is not None:
        _require_recipes_metrics(entry, own, standard.recipe, source)


def _require_recipes_metrics(entry: Entry, own: Scores, recipe: Protocol, source: str) -> None:
    if recipe.split.clips is not None and own.expected != recipe.split.clips:
        raise InputError(f"{source}: {entry.name} is of {own.expected} clips; {recipe.id} has {recipe.split.clips}.")
    names = [metric.name for metric in recipe.metrics]
    strange = sorted(set(own.metrics) ^ set(names))
    if strange:
        raise InputError(f"{source}: {entry.name} and {recipe.id} do not have the same metrics: {', '.join(strange)}.")
    for metric in recipe.metrics:
        if own.metrics[metric.name].better != direction_of(metric):
            raise InputError(f"{source}: {entry.name} says that {metric.name} is better the other way than {recipe.id} does.")
