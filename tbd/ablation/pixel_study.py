"""`PixelStudy`: an ablation of predictors, whose videos are measured in pixels and by what a tracker sees in them.

name: text progression
protocol: portraits-v1
extra: [{name: plan-f1, metric: {class_path: tbd.metrics.PlannedUnitF1}, label: Plan F1}]
baseline: the emotion
variants:
  - name: the emotion
    predictor: {class_path: tbd.evaluation.video_predictor.VideoPredictor, init_args: {checkpoint: emocast}}
"""

import json
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ConfigDict
from rich.console import Console

from tbd.ablation.study import read_study
from tbd.errors import InputError
from tbd.evaluation.console import progress
from tbd.evaluation.evaluate import evaluate
from tbd.evaluation.leaderboard.entry import slug
from tbd.evaluation.predict import predict
from tbd.evaluation.predictions import read_predictions
from tbd.evaluation.predictors import Predictor
from tbd.evaluation.protocol import MetricEntry, Protocol, load_protocol
from tbd.evaluation.references.base import Reference, ReferenceClip, build_reference, spread_evenly
from tbd.evaluation.scores import Scores
from tbd.utils.atomic import atomic_output
from tbd.utils.class_path import Component, build


class PixelVariant(BaseModel):
    """One row of the table.

    Args:
        name: Name of the row.
        predictor: What predicts its videos.
        about: A sentence for the reader.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    predictor: Component
    about: str = ""


class PixelStudy(BaseModel):
    """An ablation of predictors.

    Args:
        name: Its title.
        about: A sentence for the reader.
        protocol: What measures the videos.
        reference: Where the protocol's clips are; may be given at the command line.
        metrics: Some of the protocol's metrics; all by default.
        extra: Further metrics.
        clips: How many clips are taken, spread evenly; all by default.
        baseline: The variant that others are compared with.
        variants: The rows.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    about: str = ""
    protocol: str
    reference: str | None = None
    metrics: tuple[str, ...] | None = None
    extra: tuple[MetricEntry, ...] = ()
    clips: int | None = None
    baseline: str | None = None
    variants: tuple[PixelVariant, ...]

    def chosen_protocol(self, name: str | None = None) -> Protocol:
        """The protocol with this study's metrics.

        Args:
            name: Another protocol instead of the study's.

        Returns:
            The protocol.

        Raises:
            InputError: If there is no such protocol, or it has no metric of a name.
        """
        protocol = load_protocol(name or self.protocol)
        own = {entry.name: entry for entry in protocol.metrics}
        chosen = list(own) if self.metrics is None or name is not None else list(self.metrics)
        if unknown := [metric for metric in chosen if metric not in own]:
            raise InputError(f"{protocol.id} has no metric {unknown[0]}; it has {', '.join(own)}.")
        entries = [own[metric] for metric in chosen]
        return protocol.model_copy(update={"metrics": (*entries, *(entry for entry in self.extra if entry.name not in chosen))})


class _Chosen(Reference):
    """Some clips of a reference, spread evenly."""

    def __init__(self, whole: Reference, count: int | None) -> None:
        self.whole, self.chosen = whole, spread_evenly(whole.clips(), count)

    def clips(self) -> Sequence[ReferenceClip]:
        return self.chosen

    def content(self) -> str | None:
        return self.whole.content()


def is_pixel_study(file: Path) -> bool:
    """Return whether a YAML file describes a `PixelStudy`: its variants name predictors."""
    try:
        values = yaml.safe_load(file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError):
        return False
    variants = values.get("variants") if isinstance(values, dict) else None
    return isinstance(variants, list) and any(isinstance(variant, dict) and "predictor" in variant for variant in variants)


def load_pixel_study(file: Path) -> PixelStudy:
    """Read a study.

    Args:
        file: A YAML file.

    Returns:
        The study.

    Raises:
        InputError: If the file describes none; the first thing wrong is named.
    """
    study = read_study(file, PixelStudy)
    names = [variant.name for variant in study.variants]
    if len(set(map(slug, names))) < len(names) or (study.baseline is not None and study.baseline not in names):
        raise InputError(f"{file} is not an ablation: names of variants differ, and the baseline is one of them ({', '.join(names)}).")
    return study


def run_pixel_study(
    study: PixelStudy,
    output: Path,
    protocol: str | None = None,
    reference: str | None = None,
    limit: int | None = None,
    dry_run: bool = False,
) -> dict[str, Scores]:
    """Predict every variant's videos, measure them, and write the table; what was predicted is kept.

    Args:
        study: The study.
        output: The folder to write: one folder of videos a variant, ``results.json`` and ``README.md``.
        protocol: A protocol instead of the study's.
        reference: Where the clips are, instead of the study's place.
        limit: How many clips are taken, instead of the study's number.
        dry_run: Whether only to show the variants.

    Returns:
        Variant → scores; empty where nothing was run.

    Raises:
        InputError: If the protocol, its clips or a predictor cannot be had.
    """
    console, recipe = Console(), study.chosen_protocol(protocol)
    for variant in study.variants:
        console.print(f"[bold]{variant.name}[/]  {variant.about}", highlight=False)
    if dry_run:
        return {}
    clips = _Chosen(build_reference(recipe.reference, reference or study.reference), limit or study.clips)
    found: dict[str, Scores] = {}
    for variant in study.variants:
        folder = output / slug(variant.name)
        predictor = build(variant.predictor, Predictor, f"The variant {variant.name}")
        predict(recipe, clips.clips(), predictor, folder, variant.predictor.model_dump())
        del predictor  # the next may need its memory
        open_recipe = recipe.model_copy(update={"split": recipe.split.model_copy(update={"clips": None, "names": None, "content": None})})
        scores, _ = evaluate(open_recipe, clips, partial(read_predictions, folder), lambda items: progress(items, console))
        found[variant.name] = scores
        _write(study, recipe, found, output)
    console.print(f"{output / 'README.md'}", highlight=False)
    return found


def _write(study: PixelStudy, protocol: Protocol, found: dict[str, Scores], output: Path) -> None:
    record: dict[str, Any] = {"study": study.model_dump(mode="json"), "protocol": protocol.id}
    record["variants"] = {name: scores.model_dump(mode="json") for name, scores in found.items()}
    with atomic_output(output / "results.json") as temporary:
        temporary.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
    with atomic_output(output / "README.md") as temporary:
        temporary.write_text(page(study, protocol, found), encoding="utf-8")


def page(study: PixelStudy, protocol: Protocol, found: dict[str, Scores]) -> str:
    """The table of a study, with what each row is.

    Args:
        study: The study.
        protocol: The protocol with its metrics.
        found: Variant → scores.

    Returns:
        Markdown.
    """
    shown = [entry for entry in protocol.metrics if any(scores.metrics[entry.name].number is not None for scores in found.values())]
    arrows = {"higher": " ↑", "lower": " ↓", "reference": ""}
    any_scores = next(iter(found.values()))
    header = ["variant", *(f"{entry.label}{arrows[any_scores.metrics[entry.name].better]}" for entry in shown)]
    lines = [f"# {study.name}", "", study.about, "", f"Protocol {protocol.id}, {any_scores.scored} clips.", ""]
    lines += [f"| {' | '.join(header)} |", f"| --- {'| ---: ' * len(shown)}|"]
    for name, scores in found.items():
        cells = []
        for entry in shown:
            value = scores.metrics[entry.name]
            spread = "" if value.error is None else f" ± {value.error:.{entry.digits}f}"
            cells.append("–" if value.number is None else f"{value.number:.{entry.digits}f}{spread}")
        lines.append(f"| {name}{' (baseline)' if name == study.baseline else ''} | {' | '.join(cells)} |")
    lines += ["", *(f"- {variant.name}: {variant.about}" for variant in study.variants if variant.about)]
    absent = [f"- {entry.label}: {any_scores.metrics[entry.name].absent}" for entry in protocol.metrics if entry not in shown]
    return "\n".join([*lines, *(["", "Not measured:", "", *absent] if absent else [])]).rstrip() + "\n"
