"""`measure_plans`: every clip of a cache gets a timed plan, measured from its own motion, and words for it."""

import json
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import NamedTuple

from rich.console import Console
from rich.progress import track

from tbd.data.measured_plans import MeasuredPlan
from tbd.data.preprocess.cache import Cache
from tbd.data.preprocess.locking import locked
from tbd.data.preprocess.plans import PlanRecipe, Rest, RestSource, measure_plan, rests_of
from tbd.data.preprocess.runner import one_thread_each
from tbd.data.preprocess.speed import Speed
from tbd.data.records import ClipRecord
from tbd.errors import InputError
from tbd.media.rates import FPS
from tbd.think.plan import MusclePlan
from tbd.think.planner import Planner
from tbd.utils.atomic import atomic_output
from tbd.utils.jobs.multiprocessing import parallel_map
from tbd.utils.jobs.shards import Shard, within

_PREFERRED = ("face_landmarker", "face_mesh")
"""Trackers from the one whose coefficients are steadier (its noise from frame to frame is a third of the mesh tracker's in the brows)."""


class Job(NamedTuple):
    """A clip that needs a plan.

    Args:
        record: The clip.
        rest: Its person at rest.
        measured: Its plan, where only its words are to be written anew.
    """

    record: ClipRecord
    rest: Rest
    measured: MeasuredPlan | None


@dataclass(frozen=True)
class _Measuring:
    """What a worker does with a clip."""

    cache: Cache
    recipe: PlanRecipe

    def __call__(self, job: Job) -> tuple[ClipRecord, MeasuredPlan]:
        return job.record, job.measured or measure_plan(job.record, self.cache, self.recipe, job.rest)


def measure_plans(
    root: str | os.PathLike,
    tracker: str | None = None,
    rest: RestSource = "person",
    workers: int | None = None,
    planner: Planner | None = None,
    console: Console | None = None,
    shard: Shard | None = None,
) -> tuple[PlanRecipe, list[MeasuredPlan]]:
    """Measure the plans of a cache's clips, those that are missing or that were measured otherwise.

    Args:
        root: The cache.
        tracker: From whose motion, ``face_mesh``, ``face_landmarker``, or either with ``_expressive`` behind it; the landmarker's where
            all clips have it.
        rest: Whether a person's resting face comes from all of their clips, or from each clip alone.
        workers: Number of processes; one per core where not given.
        planner: Words the plans; `tbd.think.verbalize` does where not given.
        console: Where progress goes.
        shard: The part of the clips to do, where several machines share them out; all where not given.

    Returns:
        The recipe, and the plans of all clips that are ready, or of the shard's, ordered by clip.

    Raises:
        InputError: If there is no cache, it has no such motion, or another process is preparing it.
        TBDError: If the planner gives no words.
    """
    console = console or Console()
    if workers is not None and workers < 1:
        raise InputError(f"--workers is a number of processes from 1, not {workers}.")
    cache = Cache(root)
    with locked(cache, shard):
        records = [record for record in cache.records() if record.ready]
        if not records:
            raise InputError(f"{root} holds no clip that is ready; `tbd preprocess report {root}` says why.")
        cache.require(records, ("audio", "motions"))
        recipe = PlanRecipe(tracker_of(records, tracker), rest, _name_of(planner))
        _note_recipe(cache, recipe, console)
        rests = rests_of(records, cache, recipe)
        own = records if shard is None else shard.of(records)
        todo = _missing(cache, own, recipe, rests)
        console.print(f"{len(records)} clips{within(shard, len(own))}, {len(own) - len(todo)} of them done before.")
        try:
            _run(cache, recipe, todo, workers or len(os.sched_getaffinity(0)), planner, console)
        finally:
            cache.write_manifest()
        return recipe, [MeasuredPlan.load(cache.path(plan_path(record, recipe.tracker))) for record in own]


def _run(cache: Cache, recipe: PlanRecipe, todo: Sequence[Job], workers: int, planner: Planner | None, console: Console) -> None:
    workers = max(1, min(workers, len(todo)))
    with one_thread_each(), Speed(console) as speed:
        results = parallel_map(_Measuring(cache, recipe), todo, workers)
        for record, measured in track(results, "plans", len(todo), console=console, transient=True):
            if planner is not None and measured.plan is not None:
                plan = caption(measured.plan, planner, record.frames / FPS)
                measured = measured.model_copy(update={"plan": plan, "captions": recipe.captions})
            _keep(cache, record, measured, recipe)
            speed.count(record.seconds)


def _keep(cache: Cache, record: ClipRecord, measured: MeasuredPlan, recipe: PlanRecipe) -> None:
    path = plan_path(record, recipe.tracker)
    measured.save(cache.path(path))
    current = cache.load_record(record) or record
    cache.save_record(replace(current, plans={**current.plans, recipe.tracker: path}))


def plan_path(record: ClipRecord, tracker: str) -> str:
    """Name the file of a clip's plan.

    Args:
        record: The clip.
        tracker: Folder of the motion that it is measured from.

    Returns:
        The path, relative to the cache.
    """
    return f"plans/{tracker}/{record.person}/{record.clip}.json"


def tracker_of(records: Iterable[ClipRecord], name: str | None = None) -> str:
    """Choose the motions that plans are measured from.

    Args:
        records: The clips that are ready.
        name: A tracker, with or without its version; the steadiest that all clips have where not given.

    Returns:
        The tracker's folder.

    Raises:
        InputError: If not all clips have it, or it is there in two versions.
    """
    keys = set.intersection(*(set(record.motions) for record in records))
    wanted = _PREFERRED if name is None else (name,)
    for start in wanted:
        fits = sorted(key for key in keys if start in (key, key.split("@")[0]))
        if len(fits) == 1:
            return fits[0]
        if fits:
            raise InputError(f"The clips have motions of {' and '.join(fits)}; name one with --tracker.")
    there = ", ".join(sorted(keys)) or "none that all clips have"
    raise InputError(f"Not all clips have motions of {name or 'one tracker'} (there: {there}); prepare them, or name another --tracker.")


def _name_of(planner: Planner | None) -> str:
    if planner is None:
        return "verbalize"
    model = next((str(value) for name in ("model", "name") if isinstance(value := getattr(planner, name, None), str)), "")
    return f"{type(planner).__module__}.{type(planner).__qualname__}" + (f" {model}" if model else "")


def _note_recipe(cache: Cache, recipe: PlanRecipe, console: Console) -> None:
    """Write the recipe, and say what is different from the one before."""
    path, now = cache.path(f"plans/{recipe.tracker}/recipe.json"), asdict(recipe)
    try:
        before = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        before = {}
    changed = [f"{name} was {before[name]!r} and is {value!r}" for name, value in now.items() if name in before and before[name] != value]
    if changed:
        console.print(f"The recipe has changed ({'; '.join(changed)}), so the plans are made anew.")
    with atomic_output(path) as temporary:
        temporary.write_text(json.dumps(now, indent=1) + "\n", encoding="utf-8")


def _missing(cache: Cache, records: Sequence[ClipRecord], recipe: PlanRecipe, rests: Mapping[str, Rest]) -> list[Job]:
    """The clips without a plan by this recipe against this rest, or without these words for it."""
    jobs = []
    for record in records:
        there = _there(cache, record, recipe, rests[record.clip])
        if there is None or there.captions != recipe.captions:
            reusable = there if there is not None and recipe.captions != "verbalize" else None
            jobs.append(Job(record, rests[record.clip], reusable))
    return jobs


def _there(cache: Cache, record: ClipRecord, recipe: PlanRecipe, rest: Rest) -> MeasuredPlan | None:
    path = record.plans.get(recipe.tracker, "")
    try:
        measured = MeasuredPlan.load(cache.path(path)) if path else None
    except InputError:
        return None
    return measured if measured is not None and (measured.recipe, measured.rest_from) == (recipe.key, rest.source) else None


def caption(plan: MusclePlan, planner: Planner, seconds: float) -> MusclePlan:
    """Let a planner word a measured plan: the global description and those of the regions. Muscles, times and emotions stay.

    Args:
        plan: As measured.
        planner: Usually a language model.
        seconds: Length of the clip.

    Returns:
        The plan; words that the planner does not give stay as they were.
    """
    seen = " ".join(step.text for step in plan.reasoning)
    words = planner.plan(f"Film shows this face; describe it as it is: {seen}", duration=seconds)
    regions = {region: words.regions.get(region) or own for region, own in plan.regions.items()}
    return plan.model_copy(update={"description": words.description or plan.description, "regions": regions})
