"""How well does each planner think?

Protocol ``think-2``. The rules (`KnowledgePlanner`), the default (`SituationPlanner`), a language model here, one on a server, and any
other planner by its class, on five families of sentences (`benchmarks.think.families`, which says which were seen):

- what leads: the emotion with the greatest weight, neutral below an intensity of 0.05. It is right where the sentence allows it;
- *whole*: what leads is right, all expected units show, and no forbidden one does; of timed sentences, every check holds;
- units: precision, recall and F1 over expected and forbidden ones; of a language model also as it wrote them, before tbd mended it;
- valid: `tbd.think.plan_checks.check` finds nothing, and muscles are named where something is felt; as written, and after mending;
- calibration: how sure a planner is against how often it is right, in ten bins. The default's classifier says how sure it is; of plans
  it is the weight of what leads, which is a share of a mixture and no probability;
- time of a plan, on this machine.

Beside these, on ``tests/think/sentences.txt``, of each planner that is fast enough: *units*, all and of the "hard" groups; *order* of
twenty sentences in time; *paraphrases*, the cosine between plans; *degrees*, the share of neighbours from "slightly" to "utterly" in
which the stronger word gives more. With ``--model`` twenty plans are read back from the motion that it draws (`benchmarks.think.face`).

Every plan of a language model is stored at once in ``--records``: a run that was stopped goes on where it was.

    python -m benchmarks.think --output benchmarks/results/think.json
    python -m benchmarks.think --language_model FILE.gguf --sentences 6 --output benchmarks/results/think.json
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmarks.common import environment, run, write_results
from benchmarks.think import units
from benchmarks.think.families import Item, items, spread
from benchmarks.think.judge import measure_all
from benchmarks.think.report import markdown, plot
from benchmarks.think.summary import summarize
from tbd.media.wav import read_wave
from tbd.think import KnowledgePlanner, LanguageModelPlanner, Planner, ServerPlanner, SituationPlanner
from tbd.think.llm.planner import ChatPlanner
from tbd.utils.sample_inputs import VOICE

RECORDS = Path("runs/think")


def _planners(planner: Planner | None, language_model: str | None, url: str | None, name: str | None, timeout: float) -> Iterator[Planner]:
    yield KnowledgePlanner()
    yield SituationPlanner()
    if language_model is not None:
        yield LanguageModelPlanner(language_model, timeout=timeout)
    if url is not None:
        yield ServerPlanner(url, name or "", timeout=timeout)
    if planner is not None:
        yield planner


def _known(output: Path | None) -> dict[str, Any]:
    """The planners of earlier results, which stay where they are not measured again."""
    if output is None or not output.is_file():
        return {}
    planners: dict[str, Any] = json.loads(output.read_text(encoding="utf-8")).get("planners", {})
    return planners


def think(
    planner: Planner | None = None,
    language_model: str | None = None,
    url: str | None = None,
    server_model: str | None = None,
    timeout: float = 3600.0,
    sentences: int | None = None,
    model: str | None = None,
    audio: Path = VOICE,
    records: Path = RECORDS,
    output: Path | None = None,
) -> None:
    """Measure planners, and how their plans reach the face.

    Args:
        planner: a further planner, by class path.
        language_model: a folder, a .gguf file or a hub repository for LanguageModelPlanner.
        url: a server for ServerPlanner.
        server_model: the model's name there.
        timeout: seconds that a language model has for a plan.
        sentences: of each family, for language models; all where not given.
        model: packaged name, folder, or hub repository of a motion model; without one no face is drawn.
        audio: 16 kHz mono speech of at least six seconds; the sample voice where not given.
        records: folder for the plans of language models as they come.
        output: a .json file for the results; tables and plots go beside it. Planners that it has and that are not measured stay.
    """
    everything = items()
    measured, beside = _known(output), {}
    for each in _planners(planner, language_model, url, server_model, timeout):
        name = type(each).__name__
        slow = isinstance(each, ChatPlanner)
        chosen: list[Item] = spread(everything, sentences) if slow and sentences else everything
        found = measure_all(each, chosen, records / f"{name}.jsonl" if slow else None)
        measured[name] = summarize(found) | {
            "environment": environment(),
            "of": language_model if slow and language_model else server_model,
        }
        if not slow:
            measured[name]["faults"] = [record for record in found if not record["whole"]]
            beside[name] = units.judge(each)
    results = {"protocol": "think-2", "environment": environment(), "planners": measured, "units": beside, "face": None}
    if model is not None:
        from benchmarks.think import face
        from tbd.draw.motion.loading import load_motion_model

        judged = planner or SituationPlanner()
        results["face"] = {"planner": type(judged).__name__, **face.reach(judged, face.drawer(load_motion_model(model), read_wave(audio)))}
    write_results(output, results, markdown(results))
    if output is not None:
        plot(measured, output.with_suffix(""))


if __name__ == "__main__":
    run(think, many=None)
