"""`Study`: an ablation, read from YAML. It names a base experiment, the variants, and how they are measured.

name: paper
base: [configs/experiment/motion_mini.yaml, configs/trainer/gpu.yaml]   # from this file's folder, or from where tbd runs
change: {data.init_args.root: data/procedural}                          # of the base, for all variants
protocol: procedural-motion-v1
reference: data/procedural
metrics: [jaw, closed, muscles]
seeds: [1, 2, 3]
baseline: label
variants:
  - name: label
    change: {model.init_args.plan_encoder: {class_path: tbd.draw.conditioning.plan_encoder.LabelEncoder, init_args: {dim: 320}}}
  - name: plan
sweeps:
  - name: scale
    base: plan
    key: model.init_args.guidance.init_args.muscle_scale
    values: [1, 1.5, 2]
"""

import difflib
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Any, TypeVar, get_args

import yaml
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from tbd.errors import InputError
from tbd.utils.packaged_files import find_shipped, shipped_names

Name = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9 ,.=+_-]*$")]
S = TypeVar("S", bound=BaseModel)
Overlay = dict[str, Any]
"""Changes of a configuration, as an experiment's YAML writes them; a key may be dotted."""


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class DrawingConditions(_Part):
    """Under which conditions a trained model draws the clips; a change sets them under the key ``drawing``.

    Args:
        completeness: Share of the parts of its plan that each clip is drawn from (see `tbd.data.completeness.withhold`); what is
            drawn is measured against the whole plan and the true motion.
    """

    completeness: float = Field(default=1.0, ge=0, le=1)


class Point(_Part):
    """Where a variant lies in a sweep.

    Args:
        sweep: Name of the sweep.
        line: Name of the line in the plot; empty if there is only one.
        value: The value along the sweep.
    """

    sweep: str
    line: str
    value: float


class Variant(_Part):
    """One row of the table.

    Args:
        name: Name of the row, the same for every seed.
        change: What differs from the base.
        checkpoint: A trained model to take instead of training: a folder with ``config.yaml`` and ``model.safetensors``, or the
            name of a packaged one. It must have been trained with this variant's own model.
        about: A sentence for the reader.
        point: Its place in a sweep, if a sweep made it.
    """

    name: Name
    change: Overlay = {}
    checkpoint: str | None = None
    about: str = ""
    point: Point | None = None


class Sweep(_Part):
    """Variants along one number, for a plot.

    Args:
        name: Name of the sweep; its variants are called ``NAME=VALUE``, with several lines ``NAME=VALUE LINE``.
        base: Name of the variant that the sweep starts from.
        key: The dotted key that takes the values.
        values: The values, in order.
        label: Label of the axis.
        lines: Name of a line → what else is changed along it; by default one line without a name.
        extra: Further keys that take the same value as `key`.
    """

    name: Name
    base: Name
    key: str
    values: tuple[float, ...] = Field(min_length=1)
    label: str = ""
    lines: dict[Name, Overlay] = {}
    extra: tuple[str, ...] = ()

    def variants(self, base: Variant) -> list[Variant]:
        """Make a variant for each line and value."""
        made = []
        for line, change in (self.lines or {"": {}}).items():
            for value in self.values:
                # options that are whole numbers, such as steps, take no 4.0
                own = {key: int(value) if value.is_integer() else value for key in (self.key, *self.extra)}
                made.append(
                    Variant(
                        name=f"{self.name}={value:g} {line}".strip(),
                        change=merge(merge(base.change, change), own),
                        checkpoint=base.checkpoint,
                        point=Point(sweep=self.name, line=line, value=value),
                    )
                )
        return made


class Study(_Part):
    """An ablation.

    Args:
        name: Name of the study.
        base: Experiment files, later ones over earlier ones; a path is looked for from the study's folder, then from here.
        change: Changes of the base for all variants.
        protocol: Name or file of a protocol (see `tbd.evaluation.protocol`), all of whose metrics can be computed from motion.
        reference: Where the true clips are, if the protocol asks for a folder.
        clips: How many clips to measure, spread evenly; all by default.
        metrics: Names of metrics of the protocol, in the table's order; all by default.
        seeds: Seeds of training and sampling.
        baseline: Name of the variant that the others are compared with; the first by default.
        batch_size: How many clips are drawn at once.
        variants: The rows.
        sweeps: More rows, each along one number.
    """

    name: Name
    base: tuple[str, ...] = Field(min_length=1)
    change: Overlay = {}
    protocol: str
    reference: str | None = None
    clips: int | None = Field(default=None, ge=1)
    metrics: tuple[str, ...] | None = None
    seeds: tuple[int, ...] = (1, 2, 3)
    baseline: str | None = None
    batch_size: int = Field(default=64, ge=1)
    variants: tuple[Variant, ...] = Field(min_length=1)
    sweeps: tuple[Sweep, ...] = ()

    def rows(self) -> list[Variant]:
        """List all variants.

        Returns:
            The variants, those of sweeps last.

        Raises:
            InputError: If a sweep starts from no variant, two variants have one name, or the baseline is no variant.
        """
        rows = list(self.variants)
        named = {variant.name: variant for variant in rows}
        for sweep in self.sweeps:
            if sweep.base not in named:
                raise InputError(f"{self.name}: the sweep {sweep.name} starts from {sweep.base}, which is no variant; {_listed(named)}.")
            rows += sweep.variants(named[sweep.base])
        names = [row.name.casefold() for row in rows]  # file systems may not tell cases apart
        twice = sorted({row.name for row in rows if names.count(row.name.casefold()) > 1})
        if twice:
            raise InputError(f"{self.name}: two variants are called {twice[0]}; give each its own name.")
        if self.baseline is not None and self.baseline not in (row.name for row in rows):
            raise InputError(f"{self.name}: the baseline {self.baseline} is no variant; {_listed(named)}.")
        return rows

    @property
    def base_row(self) -> str:
        """The name of the variant that the others are compared with."""
        return self.baseline or self.variants[0].name


def _listed(names: Iterable[str]) -> str:
    return f"there are {', '.join(names)}"


def load_study(path: str | os.PathLike) -> Study:
    """Read a study from its file, and make the paths of its base whole.

    Args:
        path: A YAML file, or the name of an ablation that ships with tbd, such as ``paper``.

    Returns:
        The study.

    Raises:
        InputError: If the file is missing or describes no study; the first thing wrong is named.
    """
    file = study_file(path)
    study = read_study(file, Study)
    study.rows()
    variants = tuple(v.model_copy(update={"checkpoint": _checkpoint(v.checkpoint, file)}) for v in study.variants)
    return study.model_copy(update={"base": tuple(_found(name, file) for name in study.base), "variants": variants})


def read_study(file: Path, kind: type[S]) -> S:
    """Read the YAML of an ablation as it is written.

    Args:
        file: The file.
        kind: `Study`, or another model of what it describes.

    Returns:
        What it describes.

    Raises:
        InputError: If it describes none; the first thing wrong is named.
    """
    try:
        return kind.model_validate(yaml.safe_load(file.read_text(encoding="utf-8")))
    except yaml.YAMLError as error:
        raise InputError(f"{file} is not YAML: {' '.join(str(error).split())}") from error
    except ValidationError as error:
        # a key that is misspelt explains one that is missing
        first = min(error.errors(), key=lambda one: one["type"] != "extra_forbidden")
        where = ".".join(map(str, first["loc"])) or "the file"
        if first["type"] == "extra_forbidden":
            near = nearest_key(str(first["loc"][-1]), _keys_at(kind, first["loc"][:-1]))
            raise InputError(f"{file} is not an ablation: there is no key {where}{near}") from error
        raise InputError(f"{file} is not an ablation: {where}: {first['msg']}.") from error


def nearest_key(key: str, known: Iterable[str]) -> str:
    """End a sentence about an unknown key.

    Args:
        key: The key.
        known: Those that there are.

    Returns:
        A full stop; before it the nearest known key, where one is near.

    Example:
        >>> nearest_key("varients", ["variants", "sweeps"]), nearest_key("zzz", ["variants"])
        ('; the nearest is variants.', '.')
    """
    near = difflib.get_close_matches(key, list(known), 1, 0.5)
    return f"; the nearest is {near[0]}." if near else "."


def _keys_at(kind: type[BaseModel], place: Iterable[str | int]) -> Iterable[str]:
    """The keys that a description of `kind` takes at a place in it, such as ``("variants", 0)``."""
    for step in place:
        hint = kind.model_fields[step].annotation if isinstance(step, str) and step in kind.model_fields else None
        kind = next((one for one in (hint, *get_args(hint)) if isinstance(one, type) and issubclass(one, BaseModel)), kind)
    return kind.model_fields


def study_file(path: str | os.PathLike) -> Path:
    """Find the file of an ablation.

    Args:
        path: The file itself, or the name of an ablation that ships with tbd.

    Returns:
        The file.

    Raises:
        InputError: If there is none.
    """
    found = Path(path) if Path(path).is_file() else find_shipped(os.fspath(path), "benchmarks")
    if found is None:
        names = ", ".join(shipped_names("benchmarks"))
        raise InputError(f"There is no ablation file {path}, and none of that name ships with tbd ({names}).")
    return found


def _checkpoint(name: str | None, study: Path) -> str | None:
    """A folder beside the study, here, or packaged; as it was given where there is none, which is refused later."""
    from tbd.draw.checkpoint import find_model_folder

    if name is None:
        return None
    folder = study.parent / name if (study.parent / name).is_dir() else find_model_folder(name)
    return name if folder is None else str(folder)


def _found(name: str, study: Path) -> str:
    for candidate in (study.parent / name, Path(name), find_shipped(name, "configs")):
        if candidate is not None and candidate.is_file():
            return str(candidate)
    raise InputError(f"{study} starts from {name}, which is neither beside it, nor here ({Path.cwd()}), nor ships with tbd.")


def split_drawing(overlay: Overlay, what: str) -> tuple[Overlay, DrawingConditions]:
    """Part what changes the configuration from the conditions of drawing.

    Args:
        overlay: Changes of a variant.
        what: What messages call the variant.

    Returns:
        The changes without the key ``drawing``, and the conditions.

    Raises:
        InputError: If there is no such condition, or its value is not possible.

    Example:
        >>> split_drawing({"drawing.completeness": 0.5, "trainer.max_steps": 3}, "variant half")
        ({'trainer': {'max_steps': 3}}, DrawingConditions(completeness=0.5))
    """
    changes = nested(overlay)
    conditions = changes.pop("drawing", {})
    try:
        return changes, DrawingConditions.model_validate(conditions)
    except ValidationError as error:
        first = error.errors()[0]
        raise InputError(f"{what}: drawing.{'.'.join(map(str, first['loc']))}: {first['msg']}.") from error


def nested(overlay: Overlay) -> Overlay:
    """Unfold dotted keys.

    Args:
        overlay: Changes, whose keys may be dotted at any depth.

    Returns:
        The same changes as nested mappings.

    Example:
        >>> nested({"a.b": 1, "a": {"c.d": 2}})
        {'a': {'b': 1, 'c': {'d': 2}}}
    """
    out: Overlay = {}
    for key, value in overlay.items():
        value = nested(value) if isinstance(value, dict) else value
        for part in reversed(key.split(".")):
            value = {part: value}
        out = _join(out, value)
    return out


def merge(under: Overlay, over: Overlay) -> Overlay:
    """Merge two overlays. Where they disagree the second counts.

    A component to which the second gives another ``class_path`` replaces the first's with all its arguments.

    Args:
        under: Changes.
        over: Further changes.

    Returns:
        Both, as nested mappings.

    Example:
        >>> merge({"a": {"b": 1, "c": 1}}, {"a.c": 2})
        {'a': {'b': 1, 'c': 2}}
    """
    return _join(nested(under), nested(over))


def _join(under: Any, over: Any) -> Any:
    if not (isinstance(under, dict) and isinstance(over, dict)):
        return over
    if under.get("class_path") and over.get("class_path", under["class_path"]) != under["class_path"]:
        return over
    return {**under, **{key: _join(under[key], value) if key in under else value for key, value in over.items()}}
