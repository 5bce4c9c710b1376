"""`DiffusersGuidance`: the guiders of diffusers as guidances of ours, so that a baseline is a line of YAML.

A guider keeps the place in the denoising loop, and often more, in itself, and takes a setter for granted that is easily forgotten.
Here the place is passed in, and what a guider remembers lives as long as one window: `DiffusersGuidance.for_sampling` copies it.
"""

import copy
from collections.abc import Mapping, Sequence
from typing import cast

from diffusers.guiders import BaseGuidance, FrequencyDecoupledGuidance
from torch import LongTensor, Tensor

from tbd.draw.guidance.base import COND, COND_NO_AUDIO, UNCOND, Branch, Guidance, over_regions, require_regions, within

_BRANCHES = {"pred_cond": COND, "pred_uncond": UNCOND}
"""The name that a guider gives a prediction → its branch."""


class DiffusersGuidance(Guidance):
    """Combines two branches as a guider of `diffusers.guiders` does.

    The guider's conditional prediction is ε(g,ℓ), with all conditions; its unconditional one is ε(∅), with the audio but no plan (or
    a neutral one: the model's ``uncond_mode`` says which), as in our `ClassifierFreeGuidance`. Where the guider wants no
    unconditional one, outside its ``start`` and ``stop``, none is computed. The audio's own term, as in `ProgressiveGuidance`, is
    added to what the guider makes of the plan: guiders have none, and a baseline must follow the audio as well as what it is
    compared with.

    Unlike a weighted sum, most guiders differ with what the denoiser predicts: APG is meant for x₀ (``prediction_type: sample``,
    as our motion models have), CFG-Zero* for velocities. Its ``zero_init_steps`` replace the first predictions by 0, which leaves
    the noise as it is where velocities are predicted, all but does so for x₀, and spoils the drawing for ε: say 0 there.

    Args:
        guider: A guider of two branches that are given the same network: ``diffusers.AdaptiveProjectedGuidance`` (APG, arXiv 2410.02416),
            ``ClassifierFreeZeroStarGuidance`` (CFG-Zero*, 2503.18886), ``TangentialClassifierFreeGuidance`` (2503.18137),
            ``ClassifierFreeGuidance``, or one of your own. Its ``start`` and ``stop`` are fractions of the denoising steps. Mind
            what it calls a scale: w of ε(∅) + w·[ε(g,ℓ) − ε(∅)], or w − 1 with ``use_original_formulation``.
        audio_scale: Strength of the audio: 1 as trained, 0 ignores it.
        audio_regions: Where the audio may be exaggerated; everywhere where not given. Elsewhere its scale is at most 1.

    Raises:
        TypeError: If the guider is none of diffusers.
        ValueError: If it wants other predictions than two of one network, or pictures; or a region is unknown.

    Example:
        >>> import diffusers, torch
        >>> guidance = DiffusersGuidance(diffusers.ClassifierFreeGuidance(guidance_scale=2.0)).for_sampling(torch.tensor([900, 500, 100]))
        >>> guidance({UNCOND: torch.tensor([[1.0]]), COND: torch.tensor([[7.0]])}, progress=0.0)
        tensor([[13.]])
    """

    scale_names = ("audio_scale",)

    def __init__(self, guider: BaseGuidance, audio_scale: float = 1.0, audio_regions: list[str] | None = None) -> None:
        _require_two_branches(guider)
        require_regions("audio_regions", audio_regions)
        self.guider, self.audio_scale, self.audio_regions = guider, audio_scale, audio_regions
        self._timesteps: Tensor | None = None

    def for_sampling(self, timesteps: Tensor) -> "DiffusersGuidance":
        """Copy the guidance with a guider of its own, which remembers this window alone; the given one never runs."""
        other = copy.copy(self)
        other.guider, other._timesteps = copy.deepcopy(self.guider), timesteps
        return other

    def branches(self, progress: float) -> tuple[Branch, ...]:
        """Name the wanted branches; see `Guidance.branches`."""
        plan = (UNCOND, COND) if self._guider_at(progress).num_conditions > 1 else (COND,)
        return plan if self.audio_scale == 1 else (*plan, COND_NO_AUDIO)

    def __call__(self, preds: Mapping[Branch, Tensor], progress: float, masks: Tensor | None = None) -> Tensor:
        """Combine the predictions of one step; see `Guidance.__call__`."""
        guider = self._guider_at(progress)
        # one for each prediction it wants; here momentum starts afresh, too
        batches = guider.prepare_inputs({})  # type: ignore[arg-type]  # declared as a BlockState, read as a dict
        for batch in batches:
            branch = _BRANCHES[getattr(batch, guider._identifier_key)]
            batch.noise_pred = preds[branch]  # type: ignore[attr-defined]  # a bag of attributes
        pred = guider(batches).pred
        if self.audio_scale != 1:
            weight = over_regions(within(self.audio_regions, self.audio_scale - 1.0, 0.0), preds[COND], masks)
            pred = pred + weight * (preds[COND] - preds[COND_NO_AUDIO])
        return pred

    def _guider_at(self, progress: float) -> BaseGuidance:
        if self._timesteps is None:
            raise ValueError(
                "A DiffusersGuidance combines nothing before `for_sampling(timesteps)`, which gives each window a guider of its own."
            )
        steps = len(self._timesteps)
        step = round(progress * (steps - 1))
        self.guider.set_state(step=step, num_inference_steps=steps, timestep=cast(LongTensor, self._timesteps[step]))
        return self.guider


def _require_two_branches(guider: BaseGuidance) -> None:
    """Refuse a guider that two predictions of one network do not serve; what it wants is declared nowhere public."""
    name = type(guider).__name__
    if not isinstance(guider, BaseGuidance):
        raise TypeError(f"DiffusersGuidance takes a guider of diffusers, such as diffusers.AdaptiveProjectedGuidance, not {name}.")
    wanted = None
    predictions: Sequence[str] = guider._input_predictions or ()
    if set(predictions) != set(_BRANCHES):
        wanted = f"the predictions {', '.join(predictions)}"
    elif type(guider).prepare_models is not BaseGuidance.prepare_models:
        wanted = "a network whose layers it changes for one of them"
    elif isinstance(guider, FrequencyDecoupledGuidance):
        wanted = "pictures (B, C, H, W), which it takes apart by frequency"
    if wanted:
        raise ValueError(
            f"{name} wants {wanted}; DiffusersGuidance serves guiders of two predictions, {' and '.join(_BRANCHES)}, of one network, "
            "such as diffusers.AdaptiveProjectedGuidance."
        )
