"""Text → `MusclePlan`. Nothing here imports torch, except encoders and language models, and those only when they are made.

The planners' modules are imported when they are asked for: who thinks with rules needs no language model's.
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tbd.think.llm.local import LanguageModelPlanner
    from tbd.think.llm.server import ServerPlanner
    from tbd.think.plan import MuscleAction, MusclePlan, Segment, Step
    from tbd.think.planner import KnowledgePlanner, Planner
    from tbd.think.situations.planner import SituationPlanner

__all__ = [
    "KnowledgePlanner",
    "LanguageModelPlanner",
    "MuscleAction",
    "MusclePlan",
    "Planner",
    "Segment",
    "ServerPlanner",
    "SituationPlanner",
    "Step",
]

_MODULES = {
    "KnowledgePlanner": "tbd.think.planner",
    "LanguageModelPlanner": "tbd.think.llm.local",
    "MuscleAction": "tbd.think.plan",
    "MusclePlan": "tbd.think.plan",
    "Planner": "tbd.think.planner",
    "Segment": "tbd.think.plan",
    "ServerPlanner": "tbd.think.llm.server",
    "SituationPlanner": "tbd.think.situations.planner",
    "Step": "tbd.think.plan",
}


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(_MODULES[name]), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
