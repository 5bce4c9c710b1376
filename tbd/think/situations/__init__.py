"""What is felt in a situation that names no feeling, in any language: a sentence encoder, a classifier on it, and a planner."""

from tbd.think.situations.planner import SituationPlanner

__all__ = ["SituationPlanner"]
