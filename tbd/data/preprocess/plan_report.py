"""`write_plan_report`: measured plans on one page that holds all it needs, each over frames of its own clip."""

import base64
import io
import os
from collections import Counter
from collections.abc import Sequence
from html import escape
from importlib.resources import files
from pathlib import Path
from string import Template

import numpy as np
from PIL import Image

import tbd
from tbd.data.measured_plans import MeasuredPlan
from tbd.data.preprocess.cache import Cache
from tbd.data.preprocess.plan_timeline import Moment, moments_of, timeline
from tbd.data.preprocess.plans import PlanRecipe
from tbd.data.records import ClipRecord
from tbd.face.motion import Motion
from tbd.media import read_video
from tbd.media.rates import FPS
from tbd.think.action_units import ACTION_UNITS, REGIONS
from tbd.think.coding.rest import calm_frames
from tbd.think.plan import MusclePlan
from tbd.think.viz.chart import REGION_COLORS
from tbd.utils.atomic import atomic_output

_FRAME = 176
"""Pixels of a frame on the page, which shows it at three quarters of that."""
_AIM = 0.7
"""Correlation from which a plan is taken to explain a clip's upper face."""
_LEADS = 0.15
"""Share of a plan's mix from which an emotion is named: a face at rest between two expressions is neutral for most of a clip."""
_REGIONS = {"upper": "brows", "eyes": "eyes", "middle": "cheeks and nose", "lower": "mouth", "head": "head"}


def write_plan_report(
    path: str | os.PathLike, cache: Cache, plans: Sequence[MeasuredPlan], recipe: PlanRecipe, clips: int = 24
) -> list[str]:
    """Write the page.

    Args:
        path: The HTML file.
        cache: The cache.
        plans: All of its plans.
        recipe: How they were measured.
        clips: How many of them to show: half of them those with most to say about what is not seen, the others evenly over all.

    Returns:
        The clips that are shown.
    """
    records = {record.clip: record for record in cache.records()}
    chosen = _chosen(plans, clips)
    assets = files("tbd") / "assets" / "plans"
    text = Template((assets / "page.html").read_text(encoding="utf-8")).substitute(
        style=(assets / "page.css").read_text(encoding="utf-8").rstrip(),
        lead=escape(_lead(plans, records, len(chosen), cache)),
        keys="".join(f'<span class="key"><i style="background:{REGION_COLORS[r]}"></i>{_REGIONS[r]}</span>' for r in REGIONS),
        summary=_summary(plans, records),
        clips="\n".join(_clip(cache, records[measured.clip], measured, recipe) for measured in chosen),
        version=tbd.__version__,
        recipe=f"{recipe.version}, {recipe.tracker}, rest of the {recipe.rest}, {recipe.captions}",
    )
    with atomic_output(path) as temporary:
        temporary.write_text(text, encoding="utf-8")
    return [measured.clip for measured in chosen]


def _chosen(plans: Sequence[MeasuredPlan], clips: int) -> list[MeasuredPlan]:
    if len(plans) <= clips:
        return list(plans)
    doubtful = sorted((p for p in plans if p.unseen or p.plan is None), key=lambda p: -len(p.unseen))[: clips // 2]
    names = {p.clip for p in doubtful}
    others = [p for p in plans if p.clip not in names]
    even = np.linspace(0, len(others) - 1, clips - len(doubtful)).round().astype(int)
    return sorted([*doubtful, *(others[i] for i in dict.fromkeys(even.tolist()))], key=lambda p: p.clip)


def _lead(plans: Sequence[MeasuredPlan], records: dict[str, ClipRecord], shown: int, cache: Cache) -> str:
    minutes = sum(records[p.clip].seconds for p in plans) / 60
    some = "all" if shown == len(plans) else f"{shown} of them"
    return f"{len(plans)} clips of {cache.root.name}, {minutes:.1f} minutes; {some} are shown here."


def summarize(plans: Sequence[MeasuredPlan], records: dict[str, ClipRecord]) -> dict[str, str]:
    """Sum plans up.

    Args:
        plans: The plans.
        records: Clip → record.

    Returns:
        Name → figure, in words.
    """
    with_plan = [p for p in plans if p.plan is not None]
    moving = np.array([p.explained for p in with_plan if p.explained is not None])
    seconds = sum(records[p.clip].seconds for p in with_plan)
    actions = sum(len(p.plan.actions) for p in with_plan if p.plan is not None)
    labelled = [p for p in with_plan if records[p.clip].emotion]
    agree = sum(p.plan is not None and leading_emotion(p.plan) == records[p.clip].emotion for p in labelled)
    figures = {"plans": f"{len(with_plan)} of {len(plans)} clips", "actions a second": f"{actions / max(seconds, 1e-6):.2f}"}
    if len(moving):
        figures["upper face explained by the plan, r"] = (
            f"median {np.median(moving):.2f}; {np.mean(moving >= _AIM):.0%} of the {len(moving)} clips in which it moves reach {_AIM}"
        )
    if labelled:
        figures["leading emotion is the clip's label"] = f"{agree} of {len(labelled)}"
    hidden = Counter(reason for p in plans for reason in {u.reason for u in p.unseen})
    if hidden:
        figures["not seen"] = "; ".join(f"{reason}: {_clips(count)}" for reason, count in hidden.most_common())
    without = Counter(p.reason for p in plans if p.plan is None)
    if without:
        figures["without a plan"] = "; ".join(f"{reason}: {_clips(count)}" for reason, count in without.most_common())
    return figures


def _clips(count: int) -> str:
    return f"{count} clip{'s' * (count != 1)}"


def leading_emotion(plan: MusclePlan) -> str:
    """Name the emotion that weighs most beside neutral in a plan; neutral where none has a share worth naming."""
    felt = {emotion: weight for emotion, weight in plan.emotions.items() if emotion != "neutral" and weight >= _LEADS}
    return max(felt, key=lambda emotion: felt[emotion]) if felt else "neutral"


def _summary(plans: Sequence[MeasuredPlan], records: dict[str, ClipRecord]) -> str:
    rows = "".join(f"<tr><th>{escape(k)}</th><td>{escape(v)}</td></tr>" for k, v in summarize(plans, records).items())
    return f"<table>{rows}</table>"


def _clip(cache: Cache, record: ClipRecord, measured: MeasuredPlan, recipe: PlanRecipe) -> str:
    motion = Motion.load(cache.path(record.motions[recipe.tracker]))
    moments = moments_of(measured.plan, measured.relative(motion).values) if measured.plan else []
    label = f"label {record.emotion}" + f" {record.level}" * bool(record.level) if record.emotion else ""
    shows = f"plan shows {_mix(measured.plan)}" if measured.plan else ""
    share = f"r = {measured.explained:.2f}" if measured.explained is not None else ""
    facts = [record.person, f"{record.seconds:.1f} s", label, shows, share, f"rest: {measured.rest_from.split(' (')[0]}"]
    notes = [*(measured.plan.notes if measured.plan else ()), *([f"No plan: {measured.reason}."] if measured.reason else [])]
    listed = "".join(f"<li>{escape(note)}</li>" for note in notes)
    return "\n".join(
        [
            f'<article id="{escape(record.clip)}"><h2>{escape(record.clip)}</h2>',
            f'<p class="facts">{escape(" · ".join(filter(None, facts)))}</p>',
            f'<p class="words">{escape(_words(measured))}</p>' if measured.plan else "",
            f'<ul class="notes">{listed}</ul>' if notes else "",
            timeline(measured, motion, moments),
            _frames(cache, record, motion, moments),
            "</article>",
        ]
    )


def _mix(plan: MusclePlan) -> str:
    mix = sorted(plan.emotions.items(), key=lambda item: -item[1])[:3]
    return ", ".join(f"{emotion} {weight:.0%}" for emotion, weight in mix)


def _words(measured: MeasuredPlan) -> str:
    plan = measured.plan
    return " ".join([plan.description[:1].upper() + plan.description[1:].rstrip(".") + ".", *plan.regions.values()]) if plan else ""


def _frames(cache: Cache, record: ClipRecord, motion: Motion, moments: Sequence[Moment]) -> str:
    """The calmest frame, then one at each moment."""
    if not record.videos:
        return ""
    calm = np.flatnonzero(calm_frames(motion.values))
    wanted = [int(calm[len(calm) // 2]), *(round(m.seconds * FPS) for m in moments)]
    pictures = _pictures(cache, record, wanted)
    captions = [f"calm, {wanted[0] / FPS:.1f} s", *(_caption(number, moment) for number, moment in enumerate(moments, 1))]
    figures = [
        f'<figure><img alt="{at / FPS:.1f} s" src="data:image/jpeg;base64,{pictures[at]}"><figcaption>{words}</figcaption></figure>'
        for at, words in zip(wanted, captions)
        if at in pictures
    ]
    return f'<div class="frames">{"".join(figures)}</div>'


def _caption(number: int, moment: Moment) -> str:
    units = sorted(moment.actions, key=lambda a: (REGIONS.index(ACTION_UNITS[a.unit].region), a.unit))
    named = " ".join(dict.fromkeys(f"AU{a.unit}{'' if a.side == 'both' else a.side[0].upper()}" for a in units))
    return f"<b>{number}</b> · {moment.seconds:.1f} s<br>{named}"


def _pictures(cache: Cache, record: ClipRecord, wanted: Sequence[int]) -> dict[int, str]:
    """Frame → its picture as base64 of a JPEG, from the smallest video."""
    path: Path = cache.path(record.videos[min(record.videos, key=int)])
    found = {}
    for i, frame in enumerate(read_video(path)):
        if i in wanted:
            buffer = io.BytesIO()
            Image.fromarray(frame).resize((_FRAME, _FRAME), Image.Resampling.LANCZOS).save(buffer, "JPEG", quality=82)
            found[i] = base64.b64encode(buffer.getvalue()).decode()
        if i >= max(wanted):
            break
    return found
