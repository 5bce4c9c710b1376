"""Text → `MusclePlan`. Nothing here imports torch, except encoders and language models, and those only when they are made."""

from tbd.think.language_model import LanguageModelPlanner
from tbd.think.plan import MuscleAction, MusclePlan, Segment, Step
from tbd.think.planner import KnowledgePlanner, Planner
from tbd.think.server import ServerPlanner

__all__ = ["KnowledgePlanner", "LanguageModelPlanner", "MuscleAction", "MusclePlan", "Planner", "Segment", "ServerPlanner", "Step"]
