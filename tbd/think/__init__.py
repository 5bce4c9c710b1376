"""Text → `MusclePlan`. Nothing here imports torch, except encoders and language models, and those only when they are made."""

from tbd.think.llm.local import LanguageModelPlanner
from tbd.think.llm.server import ServerPlanner
from tbd.think.plan import MuscleAction, MusclePlan, Segment, Step
from tbd.think.planner import KnowledgePlanner, Planner
from tbd.think.situations import SituationPlanner

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
