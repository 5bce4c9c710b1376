"""FACS coding of a performance: from a motion, tracked or synthesized, to the plan that it carries out."""
