"""A denoiser's prediction and its gradient as CUDA graphs: with one window a GPU waits for the launch of kernels much of the time."""

import inspect
from dataclasses import fields
from typing import Any

import torch
from torch import Tensor, nn

from tbd.draw.conditioning.plan_encoder import PlanEmbeds
from tbd.draw.video.denoiser import ReferenceFeatures, VideoConditioning, VideoDenoiser

_REFERENCE, _PLAN = "reference/", "plan/"


class GraphedTraining:
    """Calls a denoiser in training by replaying two graphs, captured at the first call for each size and kind of input.

    What it returns is overwritten by the next call, and so are the gradients of the backward pass, which a parameter whose ``grad`` was
    None holds without a copy: gradients cannot be accumulated over several batches. Weights stay where they are in memory, as optimizers
    leave them.

    Args:
        denoiser: The denoiser, compiled or not.
    """

    def __init__(self, denoiser: VideoDenoiser) -> None:
        self.denoiser = denoiser
        self.captured: dict[tuple, nn.Module] = {}
        self._pool = torch.cuda.graph_pool_handle()

    def __call__(self, noisy: Tensor, timestep: Tensor, reference: ReferenceFeatures, conditioning: VideoConditioning) -> Tensor:
        """Predict once; see `VideoDenoiser.forward`."""
        given = flatten(noisy, timestep, reference, conditioning)
        precision = (torch.is_autocast_enabled("cuda"), torch.get_autocast_dtype("cuda"))
        key = (precision, *((name, x.shape, x.dtype, x.requires_grad) for name, x in given.items()))
        if key not in self.captured:
            self.captured[key] = self._capture(given)
        return self.captured[key](*given.values())

    def _capture(self, given: dict[str, Tensor]) -> nn.Module:
        flat = _Flat(self.denoiser, tuple(given))
        samples = tuple(x.detach().clone().requires_grad_(x.requires_grad) for x in given.values())
        capture = torch.cuda.make_graphed_callables
        # a loader's thread that pins memory may use the device meanwhile; older PyTorch has no such argument
        apart: dict[str, Any] = (
            {"capture_error_mode": "thread_local"} if "capture_error_mode" in inspect.signature(capture).parameters else {}
        )
        # a cast that is kept between calls would lie outside of the graph
        with torch.autocast("cuda", torch.get_autocast_dtype("cuda"), torch.is_autocast_enabled("cuda"), cache_enabled=False):
            # what `condition` reads, and a reference that does not train, is no part of the prediction
            capture(flat, samples, allow_unused_input=True, pool=self._pool, **apart)  # its `forward` replays from now on
        return flat


class _Flat(nn.Module):
    """The denoiser as a function of tensors alone.

    Args:
        denoiser: The denoiser.
        names: What each tensor is.
    """

    def __init__(self, denoiser: VideoDenoiser, names: tuple[str, ...]) -> None:
        super().__init__()
        self.denoiser, self.names = denoiser, names

    def forward(self, *tensors: Tensor) -> Tensor:
        return self.denoiser(*assemble(dict(zip(self.names, tensors))))


def flatten(noisy: Tensor, timestep: Tensor, reference: ReferenceFeatures, conditioning: VideoConditioning) -> dict[str, Tensor]:
    """Name the tensors of a denoiser's arguments.

    Args:
        noisy: See `VideoDenoiser.forward`.
        timestep: Likewise.
        reference: Likewise.
        conditioning: Likewise.

    Returns:
        Name → tensor, in an order that the structure decides.
    """
    rest = {field.name: getattr(conditioning, field.name) for field in fields(conditioning) if field.name != "plan"}
    return {
        "noisy": noisy,
        "timestep": timestep,
        **{f"{_REFERENCE}{name}": x for name, x in reference.items()},
        **{f"{_PLAN}{name}": x for name, x in conditioning.plan._asdict().items()},
        **{name: x for name, x in rest.items() if x is not None},
    }


def assemble(given: dict[str, Tensor]) -> tuple[Tensor, Tensor, ReferenceFeatures, VideoConditioning]:
    """Undo `flatten`.

    Args:
        given: What it returned, or other tensors by these names.

    Returns:
        A denoiser's arguments.
    """
    reference = {name.removeprefix(_REFERENCE): x for name, x in given.items() if name.startswith(_REFERENCE)}
    plan = PlanEmbeds(**{name.removeprefix(_PLAN): x for name, x in given.items() if name.startswith(_PLAN)})
    names = {field.name for field in fields(VideoConditioning)}
    return given["noisy"], given["timestep"], reference, VideoConditioning(plan, **{n: x for n, x in given.items() if n in names})
