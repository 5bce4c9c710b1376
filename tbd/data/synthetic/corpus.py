"""`synthesize`: the procedural corpus, in MEAD's layout, with the true plan, motion and phones beside each clip.

    <ACTOR>/audio/<emotion>/level_<k>/<NNN>.wav       16 kHz mono
    <ACTOR>/motion/<emotion>/level_<k>/<NNN>.npz      `Motion`
    <ACTOR>/plan/<emotion>/level_<k>/<NNN>.json       `MusclePlan`
    <ACTOR>/phonemes/<emotion>/level_<k>/<NNN>.csv    start, end, phone, stress
    <ACTOR>/performance/<emotion>/level_<k>/<NNN>.json    the plan as it was performed, where performances vary
    manifest.csv                                      one row a clip: all that a Dataset reads
    corpus.json                                       seed, hours, versions, engines

Clip number i depends on the seed and i alone: not on the number of processes, nor on where an interrupted run stopped.
"""

import csv
import functools
import json
import os
import sys
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

import tbd
from tbd.data.splits import Split
from tbd.data.synthetic.engines import find_voices
from tbd.data.synthetic.performance import synthesize_motion
from tbd.data.synthetic.plans import sample_plan
from tbd.data.synthetic.recordings import Recordings, gather, recorded_voice
from tbd.data.synthetic.sentences import languages
from tbd.data.synthetic.speech import Delivery, Voice
from tbd.data.synthetic.spontaneous import Liveliness, sample_liveliness
from tbd.data.synthetic.utterance import Utterance, synthesize_utterance
from tbd.data.synthetic.variation import PerformanceVariation, PersonalStyle, perform_variation
from tbd.data.synthetic.visemes import Articulation
from tbd.errors import InputError
from tbd.face.motion import Motion
from tbd.media.wav import write_wave
from tbd.speech.phones import save_phones
from tbd.think.emotions import EMOTIONS, Emotion
from tbd.think.plan import MusclePlan
from tbd.utils.atomic import atomic_output
from tbd.utils.jobs.multiprocessing import parallel_map

T = TypeVar("T")
ENGINE_SHARES = {"flite": 0.5, "espeak": 0.3, "festival": 0.2, "recorded": 0.4}
"""Relative share of a corpus's actors per engine that is there; flite's and festival's voices come from recorded speakers."""
_LANGUAGE_WEIGHTS = {"en": 8.0, "cmn": 2.0}
_ACTORS = 300
_HELD_OUT = 20
"""One clip in so many is for validation, and one for test; one actor likewise."""
_MEAN_SECONDS = 7.3
"""Of a clip, measured over a corpus."""
COLUMNS = ("clip", "actor", "emotion", "level", "number", "split", "audio", "motion", "plan", "phonemes",
           "seconds", "frames", "engine", "voice", "language", "text")  # fmt: skip
"""Of ``manifest.csv``; the paths are relative to it."""


@dataclass(frozen=True)
class Actor:
    """A speaker, who belongs to one split.

    Args:
        name: Unique in the corpus.
        voice: Whose voice it is.
        delivery: Its own pitch, tempo and vocal tract.
        articulation: Its habits of articulation.
        liveliness: How much it moves beside words and expression.
        split: Where all of its clips belong.
        style: Its own way of performing plans, where performances vary.
    """

    name: str
    voice: Voice
    delivery: Delivery
    articulation: Articulation
    liveliness: Liveliness
    split: Split
    style: PersonalStyle


@dataclass(frozen=True)
class Clip:
    """What is decided about a clip before it is made.

    Args:
        index: Of the clip in the corpus.
        seed: Of the corpus; together with the index it determines the clip.
        actor: Who speaks.
        emotion: One of the eight.
        level: MEAD's 1, 2 or 3.
        number: Of the clip within actor, emotion and level.
        variation: How far its performance goes from its plan; None to perform the plan as it stands.
    """

    index: int
    seed: int
    actor: Actor
    emotion: Emotion
    level: int
    number: int
    variation: PerformanceVariation | None = None

    def path(self, kind: str, suffix: str) -> str:
        """Locate one of the clip's files.

        Args:
            kind: ``audio``, ``motion``, ``plan``, ``phonemes`` or ``performance``.
            suffix: Of the file.

        Returns:
            The path, relative to the corpus.
        """
        return f"{self.actor.name}/{kind}/{self.emotion}/level_{self.level}/{self.number:03d}{suffix}"

    @property
    def name(self) -> str:
        """Name of the clip, as MEAD's are: actor_emotion_level_number."""
        return f"{self.actor.name}_{self.emotion}_{self.level}_{self.number:03d}"


def synthesize(
    output: str | os.PathLike,
    hours: float,
    seed: int = 0,
    workers: int | None = None,
    voices: Sequence[str] | None = None,
    recordings: Sequence[str | os.PathLike] = (),
    variation: PerformanceVariation | None = None,
) -> Path:
    """Write a procedural corpus, or what is missing of it.

    Args:
        output: The folder.
        hours: Hours of speech, to within a few percent.
        seed: The same seed, engines and voices give the same corpus.
        workers: Number of processes; one per core where not given.
        voices: Names, or their beginnings (``flite``, ``espeak-cmn``), to choose among those installed.
        recordings: Folders of recordings, one for each speaker (see `tbd.data.synthetic.recordings`), to train on besides.
        variation: How far performances go from their plans; None performs every plan as it stands. Speech and plans are the same for
            every variation.

    Returns:
        Path of the manifest.

    Raises:
        InputError: If no engine or no such voice is installed, or the folder holds another corpus.
    """
    root = Path(output)
    if not 0 < hours <= 10_000:
        raise InputError(f"A corpus lasts more than 0 hours, so {hours} is not possible.")
    if workers is not None and workers < 1:
        raise InputError(f"--workers is a number of processes from 1, not {workers}.")
    if not 0 <= seed < 2**63:
        raise InputError(f"--seed is a whole number from 0 to {2**63 - 1}, not {seed}.")
    workers = workers or len(os.sched_getaffinity(0))
    recorded = [recorded_voice(folder, root / "recordings") for folder in recordings]
    chosen = [*_choose(find_voices(), voices), *recorded]
    clips = plan_corpus(chosen, max(3, round(hours * 3600 / _MEAN_SECONDS)), seed, variation)
    identity = {"seed": seed, "version": tbd.__version__, "voices": sorted(map(str, chosen))}
    _claim(root, {**identity, "variation": None if variation is None else asdict(variation)}, hours)
    for folder, voice in zip(recordings, recorded):
        gather(folder, voice, workers)
    rows = list(_show(parallel_map(functools.partial(make_clip, root), clips, workers), len(clips)))
    with atomic_output(root / "manifest.csv") as temporary, open(temporary, "w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, COLUMNS)
        writer.writeheader()
        writer.writerows(row for _, row in sorted(rows, key=lambda pair: pair[0]))
    return root / "manifest.csv"


def plan_corpus(voices: Sequence[Voice], count: int, seed: int, variation: PerformanceVariation | None = None) -> list[Clip]:
    """Decide on the speaker, emotion, level and number of each clip.

    Args:
        voices: To choose from.
        count: Number of clips.
        seed: Of the corpus.
        variation: How far performances go from their plans.

    Returns:
        The clips, in order of their index.
    """
    actors = _cast(voices, seed)
    numbers: Counter[tuple[str, str, int]] = Counter()
    clips = []
    for index in range(count):
        rng = np.random.default_rng([seed, 1, index])
        split = _split(index)
        candidates = [a for a in actors if a.split == split]
        actor = candidates[rng.integers(len(candidates))]
        emotion = EMOTIONS[int(rng.choice(len(EMOTIONS)))]
        level = 1 if emotion == "neutral" else int(rng.integers(1, 4))
        numbers[actor.name, emotion, level] += 1
        clips.append(Clip(index, seed, actor, emotion, level, numbers[actor.name, emotion, level], variation))
    return clips


def make_clip(root: Path, clip: Clip) -> tuple[int, dict[str, str | int]]:
    """Write one clip unless it is there; the motion is written last.

    Args:
        root: The corpus.
        clip: What to make.

    Returns:
        The clip's index and its row of the manifest.
    """
    motion_path = root / clip.path("motion", ".npz")
    if not motion_path.is_file():
        rng = np.random.default_rng([clip.seed, 2, clip.index])
        utterance = synthesize_utterance(clip.actor.voice, clip.actor.delivery, clip.emotion, clip.level, clip.actor.split, rng)
        plan = sample_plan(clip.emotion, clip.level, utterance.speech.duration, rng)
        effort = 1 + 0.12 * utterance.effort
        articulation = Articulation(clip.actor.articulation.jaw * effort, clip.actor.articulation.lips * effort)
        performed, manner = _performance(root, clip, plan, utterance), clip.actor.liveliness
        motion = synthesize_motion(utterance.speech.phones, utterance.speech.audio, performed, rng, articulation, manner)
        _save_wav(root / clip.path("audio", ".wav"), utterance)
        save_phones(utterance.speech.phones, root / clip.path("phonemes", ".csv"))
        with atomic_output(root / clip.path("plan", ".json")) as temporary:
            temporary.write_text(plan.model_dump_json(exclude_defaults=True), encoding="utf-8")
        about = {"source": "procedural", "clip": clip.name, "seconds": round(utterance.speech.duration, 4), "text": utterance.text}
        Motion(motion.values, about).save(motion_path)
    made = Motion.load(motion_path)
    return clip.index, _row(clip, made)


def _performance(root: Path, clip: Clip, plan: MusclePlan, utterance: Utterance) -> MusclePlan:
    """What is performed of a plan, from randomness of its own, so that everything else of the clip stays the same; written beside it."""
    if clip.variation is None:
        return plan
    rng = np.random.default_rng([clip.seed, 3, clip.index])
    performed = perform_variation(plan, utterance.speech.duration, clip.variation, clip.actor.style, rng)
    with atomic_output(root / clip.path("performance", ".json")) as temporary:
        temporary.write_text(performed.model_dump_json(exclude_defaults=True), encoding="utf-8")
    return performed


def _row(clip: Clip, motion: Motion) -> dict[str, str | int]:
    voice, about = clip.actor.voice, motion.metadata
    paths = {"audio": ".wav", "motion": ".npz", "plan": ".json", "phonemes": ".csv"}
    return {"clip": clip.name, "actor": clip.actor.name, "emotion": clip.emotion, "level": clip.level, "number": clip.number,
            "split": clip.actor.split, **{kind: clip.path(kind, suffix) for kind, suffix in paths.items()},
            "seconds": about["seconds"], "frames": len(motion), "engine": voice.engine, "voice": str(voice),
            "language": voice.language, "text": about["text"]}  # fmt: skip


def _cast(voices: Sequence[Voice], seed: int) -> list[Actor]:
    """Make the speakers, each split its own.

    Synthetic English alone is held out: other languages have few sentences, and the phones of recordings are recognized, not known.
    """
    rng = np.random.default_rng([seed, 0])
    english = [v for v in voices if v.language == "en" and v.engine != Recordings.name] or list(voices)
    actors = []
    for i in range(_ACTORS):
        split = _split(i)
        voice = _sample_voice(voices if split == "train" else english, rng)
        tract = float(np.clip(rng.normal(1, 0.08), 0.82, 1.2))
        delivery = Delivery(rng.lognormal(0, 0.10), rng.normal(0, 2.0), rng.uniform(0.7, 1.5), tract)
        articulation = Articulation(rng.lognormal(0, 0.10), rng.lognormal(0, 0.10))
        manner, style = sample_liveliness(rng), PersonalStyle.sample(np.random.default_rng([seed, 4, i]))
        actors.append(Actor(f"{voice}-{i:03d}".replace("+", "-"), voice, delivery, articulation, manner, split, style))
    return actors


def _split(index: int) -> Split:
    held_out: dict[int, Split] = {1: "val", 2: "test"}
    return held_out.get(index % _HELD_OUT, "train")


def _sample_voice(voices: Sequence[Voice], rng: np.random.Generator) -> Voice:
    """Sample an engine by its share, then a language, then any of their voices."""
    engines = {e: share for e, share in ENGINE_SHARES.items() if any(v.engine == e for v in voices)}
    engine = _weighted(engines, rng)
    tongues = {v.language: _LANGUAGE_WEIGHTS.get(v.language, 1.0) for v in voices if v.engine == engine}
    tongue = _weighted(tongues, rng)
    pool = [v for v in voices if v.engine == engine and v.language == tongue]
    return pool[rng.integers(len(pool))]


def _weighted(weights: dict[str, float], rng: np.random.Generator) -> str:
    shares = np.array(list(weights.values()))
    return str(rng.choice(list(weights), p=shares / shares.sum()))


def _choose(installed: Sequence[Voice], wanted: Sequence[str] | None) -> list[Voice]:
    chosen = [v for v in installed if v.language in languages() and (wanted is None or any(str(v).startswith(w) for w in wanted))]
    if not chosen:
        raise InputError(f"No installed voice is called {', '.join(wanted or ())}; installed are {', '.join(map(str, installed))}.")
    return chosen


def _claim(root: Path, identity: dict[str, Any], hours: float) -> None:
    """Write ``corpus.json``, unless the folder belongs to another corpus."""
    path = root / "corpus.json"
    if path.is_file():
        there = json.loads(path.read_text())
        differs = [key for key, value in identity.items() if there.get(key) != value]
        if differs:
            raise InputError(f"{root} holds a corpus with another {' and '.join(differs)}; choose an empty folder.")
    versions = {"python": sys.version.split()[0], "numpy": np.__version__, "tbd": tbd.__version__}
    with atomic_output(path) as temporary:
        temporary.write_text(json.dumps({**identity, "hours": hours, "versions": versions, "command": sys.argv}, indent=1))


def _save_wav(path: Path, utterance: Utterance) -> None:
    with atomic_output(path) as temporary:
        write_wave(temporary, utterance.speech.audio)


def _show(rows: Iterable[T], total: int) -> Iterable[T]:
    """Show a progress bar while rows come, where rich is installed."""
    try:
        from rich.progress import track
    except ImportError:
        return rows
    return track(rows, "synthesize", total=total)
