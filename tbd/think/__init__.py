"""Text → `MusclePlan`. Nothing here imports torch, except encoders and language models."""

from tbd.think.plan import MuscleAction, MusclePlan, Segment, Step
from tbd.think.planner import KnowledgePlanner, Planner

__all__ = ["KnowledgePlanner", "MuscleAction", "MusclePlan", "Planner", "Segment", "Step"]
