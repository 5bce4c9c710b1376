"""Text → `MusclePlan`. Nothing here imports torch, except encoders and language models, and those only when they are made.

The planners' modules are imported when they are asked for: who thinks with rules needs no language model's.
"""

from typing import TYPE_CHECKING

from tbd.utils.lazy_names import lazy_names

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

__getattr__, __dir__ = lazy_names(
    __name__,
    {
        "KnowledgePlanner": "tbd.think.planner",
        "LanguageModelPlanner": "tbd.think.llm.local",
        "MuscleAction": "tbd.think.plan",
        "MusclePlan": "tbd.think.plan",
        "Planner": "tbd.think.planner",
        "Segment": "tbd.think.plan",
        "ServerPlanner": "tbd.think.llm.server",
        "SituationPlanner": "tbd.think.situations.planner",
        "Step": "tbd.think.plan",
    },
)
