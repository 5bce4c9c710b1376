"""`MeasuredPlan`: what a filmed face does, as `tbd preprocess plans` measures it from a prepared clip's motion and keeps it in the cache.

plans/<tracker>/<person>/<clip>.json    one `MeasuredPlan` a clip
plans/<tracker>/recipe.json             how they were measured; each plan names it by its checksum
"""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, ValidationError

from tbd.errors import InputError
from tbd.face.channels import BLENDSHAPES
from tbd.face.motion import Motion
from tbd.think.coding.visibility import Unseen
from tbd.think.plan import MusclePlan, explain
from tbd.utils.atomic import atomic_output


class MeasuredPlan(BaseModel):
    """A clip's plan, with what it was measured against and what could not be seen.

    Args:
        clip: Name of the clip.
        recipe: Checksum of the recipe that it was measured by.
        plan: The muscles and their times in seconds from the clip's start, and words; None where too little of the face is seen.
        reason: Why there is no plan.
        rest: Channel → coefficient of the person's resting face that was taken off, those that are not 0.
        rest_from: What that rest was estimated from.
        speech: Start and end in seconds of the stretches in which the person speaks: jaw and lips belong to the voice there.
        unseen: What the clip does not show.
        explained: Correlation over time of the motion of brows, cheeks and lids with the plan's, where they move and are seen.
        captions: What worded the plan: ``verbalize``, or the planner.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    format: Literal["tbd-plan-1"] = "tbd-plan-1"
    clip: str
    recipe: str
    plan: MusclePlan | None = None
    reason: str = ""
    rest: Mapping[str, float] = {}
    rest_from: str = ""
    speech: tuple[tuple[float, float], ...] = ()
    unseen: tuple[Unseen, ...] = ()
    explained: float | None = None
    captions: str = ""

    @classmethod
    def load(cls, path: str | os.PathLike) -> "MeasuredPlan":
        """Read a plan of a cache.

        Args:
            path: The file.

        Returns:
            The plan.

        Raises:
            InputError: If the file is missing or holds none.
        """
        try:
            return cls.model_validate_json(Path(path).read_bytes())
        except OSError as error:
            raise InputError(f"Cannot read the measured plan {path}: {error.strerror}; `tbd preprocess plans` makes it anew.") from error
        except ValidationError as error:
            raise InputError(f"{path} holds no measured plan: {explain(error)} `tbd preprocess plans` makes it anew.") from error

    def relative(self, motion: Motion) -> Motion:
        """Take the person's rest off a motion, as this plan was measured, so that the plan says what the motion shows.

        Args:
            motion: The clip's, as tracked.

        Returns:
            Blendshapes that are 0 at rest, and a head that turns about its median pose.
        """
        rest = np.array([self.rest.get(name, 0.0) for name in BLENDSHAPES])
        shapes = np.clip((motion.blendshapes - rest) / np.maximum(1 - rest, 0.2), 0, 1)
        return Motion(np.concatenate([shapes, motion.head - np.median(motion.head, 0)], 1).astype(np.float32), motion.metadata)

    def save(self, path: str | os.PathLike) -> None:
        """Write the plan as JSON."""
        with atomic_output(path) as temporary:
            temporary.write_text(self.model_dump_json(indent=1) + "\n", encoding="utf-8")
