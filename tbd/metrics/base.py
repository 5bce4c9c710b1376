"""Base classes of all metrics: the fields of a clip that they read, and means that no order or share of clips changes.

A metric lists the fields of a clip that its `update` takes, in order, in `reads`; ``preds.`` is the clip under test,
``target.`` the recorded one and what the plan and the label ask for, ``neutral.`` the same words said without emotion. The fields:

| field | value |
| --- | --- |
| `frames` | (T, 3, H, W) uint8 RGB at 25 a second |
| `audio` | (N,) float32 in −1..1, mono, 16 kHz |
| `points` | (T, 478, 3) float32 pixels as `FaceGeometry.points`; rows of NaN where no face was seen |
| `faces` | (F, 3, 224, 224) uint8 face chips (`tbd.metrics.faces.crops.face_chips`); frames without a face are left out |
| `aligned_faces` | (F, 3, 112, 112) uint8, the same faces as insightface cuts them (`tbd.metrics.faces.crops.arcface_crops`) |
| `motion` | (T, 58) float32, columns named by `tbd.face.channels.CHANNELS` |
| `plan_motion` | (T, 58) float32, the plan as `tbd.think.facs.perform` gives it |
| `emotion` | int, an index into `tbd.think.emotions.EMOTIONS` |
| `intensity` | float, 0..1 |
| `seams` | sequence of int, the first frames of a generator's later windows |
| `bilabials` | (K, 2) float, seconds in which b, p and m are spoken |
| `motions`, `intensities` | of one sweep: sequences of motions and of the plans' intensities |
"""

import hashlib
import os
from abc import abstractmethod
from collections.abc import Callable, Hashable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from functools import wraps
from typing import Any, ClassVar, Generic, TypeVar

import numpy as np
import torch
from torch import Tensor, nn
from torchmetrics import Metric

from tbd.errors import InputError
from tbd.metrics.inputs import LeftOut, Unmeasurable, as_torch_takes_it, bind_inputs, checks_inputs
from tbd.utils.options.literals import checks_literals

Array = Tensor | np.ndarray
_STEP = 2.0**-32
"""Sums of per-clip numbers are kept in whole steps of this size: adding integers gives the same bits in every order, so
one process and two, whatever their share, agree exactly. The step is far below what any of these metrics can resolve."""
_MOST = 2**62


class ClipMetric(Metric):
    """A metric that is updated with one clip at a time. See the module for `reads`.

    Inputs are checked by one contract (`tbd.metrics.inputs`), by place or by name: a parameter is called by the role of the one
    field that a metric reads of that role (``update(preds=…, target=…)``), or by the field where there are several of one role.
    A clip that keeps the contract and cannot be measured is counted in `unmeasured`; one that the metric's definition leaves out
    (`LeftOut`) is not. Either way `refusal` says why.

    Args:
        kwargs: Options of `torchmetrics.Metric`.

    States: `unmeasured`, and `fingerprint`, which differs between any two metrics that may measure something else: a
    `torchmetrics.MetricCollection` takes metrics of equal states for one metric, and zeros are equal states.

    Example:
        >>> class Frames(ClipMetric):
        ...     reads = ("preds.frames",)
        ...     def __init__(self):
        ...         super().__init__()
        ...         self.add_state("frames", torch.zeros(()), "sum")
        ...     def update(self, preds):
        ...         self.frames += len(preds)
        ...     def compute(self):
        ...         return self.frames
        >>> metric = Frames()
        >>> metric.update(torch.zeros(25, 3, 8, 8))
        >>> float(metric.compute())
        25.0
    """

    reads: tuple[str, ...]
    """The fields that `update` takes, in order."""
    unit: str
    """Unit of the reported number; "" where it has none."""
    is_differentiable = False
    full_state_update = False
    refusal: str | None = None
    """Why the clip that `update` was given last is not in the metric; None where it is."""
    group: Hashable | None = None
    """Metrics of one group measure the same numbers of a clip, so that one may measure and all may `add`; None belongs to none."""
    unmeasured: Tensor
    fingerprint: Tensor

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        own = vars(cls)
        if "__init__" in own:
            cls.__init__ = checks_literals(cls.__init__)  # type: ignore[method-assign]  # a class's own methods are wrapped once
        if "update" in own and hasattr(cls, "reads"):
            cls.update = _counts_unmeasurable(checks_inputs(own["update"]))  # type: ignore[method-assign]

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.refusal = None
        self.add_state("unmeasured", torch.zeros((), dtype=torch.int64), "sum")
        self._set_fingerprint(os.urandom(8))

    def _set_fingerprint(self, digest: bytes) -> None:
        """Keep 64 bits: torchmetrics compares states by their relative difference, in which large numbers are alike."""
        self.add_state("fingerprint", torch.from_numpy(np.unpackbits(np.frombuffer(digest, np.uint8))), "max")

    def share(self, group: Hashable) -> None:
        """Let all metrics of a group be one compute group of a `torchmetrics.MetricCollection`.

        Args:
            group: Says all that the numbers of a clip depend on; its `repr` must be the same in every process.
        """
        self.group = group
        self._set_fingerprint(hashlib.blake2b(repr(group).encode(), digest_size=8).digest())

    def plot(self, val: Any = None, ax: Any = None) -> Any:
        """Plot one or several values as torchmetrics does (needs matplotlib).

        Args:
            val: A result of `compute`, or a list of them over time; None for `compute()`.
            ax: A matplotlib axis to draw into; None for a new figure.

        Returns:
            Figure and axis.
        """
        return self._plot(val, ax)


class ClipMean(ClipMetric):
    """The mean over clips of what `measure` finds in each; clips that cannot be measured are counted in `unmeasured`.

    A subclass implements `measure`. `compute` gives the mean of `reported` (float64, NaN where no clip was measured),
    `means` those of all `names`. `update` hides which clips could not be measured, as torchmetrics' update returns nothing;
    `measure_and_add` does the same and returns, or raises, what it found.

    Args:
        kwargs: Options of `torchmetrics.Metric`.

    States (fixed size, summed over processes): `totals` (K,) and `weight` in steps of 2⁻³², `clips` and `unmeasured`.
    `update` takes what `measure` takes, by place or by name.

    Example:
        >>> class Loudness(ClipMean):
        ...     reads, unit, higher_is_better = ("preds.audio",), "", None
        ...     def measure(self, audio):
        ...         if not len(audio):
        ...             raise Unmeasurable("The clip has no sound.")
        ...         return {"value": float(np.abs(audio).mean())}
        >>> metric = Loudness()
        >>> metric.measure_and_add(np.full(8, 0.5))
        {'value': 0.5}
        >>> metric.update(np.zeros(0))
        >>> float(metric.compute()), int(metric.clips), int(metric.unmeasured)
        (0.5, 1, 1)
    """

    names: ClassVar[tuple[str, ...]] = ("value",)
    """Keys of what `measure` returns."""
    reported: ClassVar[str] = "value"
    """Which of `names` stands for the metric."""
    totals: Tensor
    weight: Tensor
    clips: Tensor

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        measure = vars(cls).get("measure")
        if measure is not None and not getattr(measure, "__isabstractmethod__", False) and hasattr(cls, "reads"):
            cls.measure = checks_inputs(measure)  # type: ignore[method-assign]
            if "update" not in vars(cls):
                cls.update = _update_like(measure)  # type: ignore[method-assign]

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.add_state("totals", torch.zeros(len(self.names), dtype=torch.int64), "sum")
        for name in ("weight", "clips"):
            self.add_state(name, torch.zeros((), dtype=torch.int64), "sum")

    @abstractmethod
    def measure(self, *inputs: Any) -> dict[str, float]:
        """Measure one clip. Changes nothing.

        Args:
            inputs: The fields in `reads`.

        Returns:
            The clip's numbers, by `names`.

        Raises:
            Unmeasurable: If there is nothing to measure in this clip.
        """

    def update(self, *inputs: Any, **named: Any) -> None:
        """Measure one clip and count it.

        Args:
            inputs: The fields in `reads`, as `measure` takes them.
            named: The same by the names of `measure`'s parameters.
        """
        with suppress(Unmeasurable):
            self.measure_and_add(*inputs, **named)

    def measure_and_add(self, *inputs: Any, **named: Any) -> dict[str, float]:
        """Measure one clip, count it, and return what was found.

        Args:
            inputs: The fields in `reads`, as `measure` takes them.
            named: The same by the names of `measure`'s parameters.

        Returns:
            The clip's numbers, by `names`.

        Raises:
            Unmeasurable: If there is nothing to measure in this clip, which is then counted in `unmeasured`.
        """
        inputs = bind_inputs(type(self).measure, inputs, named)
        self.refusal = None
        try:
            with torch.no_grad():
                values = self.measure(*inputs)
        except Unmeasurable as error:
            self.refusal = str(error)
            if not isinstance(error, LeftOut):
                self.add(None)
            raise
        self.add(values, self.weigh(*inputs))
        return values

    def weigh(self, *inputs: Any) -> float:
        """Weigh one clip in the mean; 1 unless a metric says otherwise.

        Args:
            inputs: The fields in `reads`, as `measure` takes them.

        Returns:
            The weight.
        """
        return 1.0

    def add(self, values: Mapping[str, float] | None, weight: float = 1.0) -> None:
        """Count what `measure` gave for one clip.

        Args:
            values: The clip's numbers, by `names`; None for a clip that could not be measured.
            weight: Weight of the clip.
        """
        self._computed, self._update_count = None, max(self._update_count, 1)  # as torchmetrics does around `update`
        if values is None:
            self.unmeasured += 1
            return
        # all of a clip or, where it has a number that no mean can hold, nothing
        steps, weighed = [_to_steps(values[name] * weight, name) for name in self.names], _to_steps(weight, "weight")
        self.totals += torch.tensor(steps, device=self.totals.device)
        self.weight += weighed
        self.clips += 1

    def compute(self) -> Tensor:
        """Compute the weighted mean of `reported` over clips, () float64."""
        return self.means()[self.reported]

    def means(self) -> dict[str, Tensor]:
        """Compute the mean of each of `names` over this process's clips alone, () float64."""
        return dict(zip(self.names, self.totals.double() / self.weight.double()))


def _update_like(measure: Callable[..., Any]) -> Callable[..., None]:
    """`ClipMean.update` with the parameters of a class's `measure`, by which torchmetrics hands out named arguments."""

    @wraps(ClipMean.update)
    def update(self: ClipMean, *inputs: Any, **named: Any) -> None:
        ClipMean.update(self, *inputs, **named)

    update.__wrapped__ = measure  # whose signature `inspect` and torchmetrics read
    return update


def _counts_unmeasurable(update: Callable[..., None]) -> Callable[..., None]:
    """`update` of a metric that is no mean: a clip that cannot be measured is counted, and the reason kept."""

    @wraps(update)
    def counted(self: ClipMetric, *inputs: Any, **named: Any) -> None:
        self.refusal = None
        try:
            update(self, *inputs, **named)
        except Unmeasurable as error:
            self.refusal = str(error)
            self.unmeasured += not isinstance(error, LeftOut)

    return counted


def _to_steps(value: float, name: str) -> int:
    steps = round(float(value) / _STEP) if np.isfinite(value) else _MOST
    if abs(steps) >= _MOST:
        raise InputError(f"The {name} of a clip is {value}, which no mean can hold.")
    return steps


NetworkT = TypeVar("NetworkT", bound=nn.Module)


class FrozenModule(Generic[NetworkT]):
    """A network that a metric uses and that is no part of it: not in its `state_dict`, not trained, not copied with it.

    Args:
        network: The network; it is put into evaluation mode and its gradients are switched off.
    """

    def __init__(self, network: NetworkT) -> None:
        self.network = network.eval().requires_grad_(False)

    def on(self, device: torch.device) -> NetworkT:
        """Return the network, moved to `device`."""
        return self.network.to(device)

    def __deepcopy__(self, memo: Any) -> "FrozenModule[NetworkT]":
        return self


@contextmanager
def full_precision(device: torch.device) -> Iterator[None]:
    """Run networks in full single precision and without gradients, whatever the caller's autocast and TF32 settings are.

    Under bfloat16 a FID near 40 comes in steps of a quarter.

    Args:
        device: Device that the networks run on.

    Yields:
        None, once the settings hold.
    """
    with ExitStack() as stack:
        stack.enter_context(torch.inference_mode())
        stack.enter_context(torch.autocast(device.type, enabled=False))
        if device.type == "cuda":
            stack.enter_context(torch.backends.cudnn.flags(enabled=True, allow_tf32=False))
        stack.callback(torch.set_float32_matmul_precision, torch.get_float32_matmul_precision())
        torch.set_float32_matmul_precision("highest")
        yield


def to_uint8(frames: Array) -> Tensor:
    """Convert frames to uint8.

    Floats are 0..1: clamped, then rounded. torchmetrics' own conversion truncates, and lets 1.01 wrap to 1.

    Args:
        frames: (T, 3, H, W) uint8, or float in 0..1.

    Returns:
        (T, 3, H, W) uint8.

    Example:
        >>> to_uint8(torch.tensor([-0.5, 0.5, 0.9999, 1.01]).reshape(1, 1, 2, 2)).flatten().tolist()
        [0, 128, 255, 255]
    """
    frames = torch.as_tensor(as_torch_takes_it(frames))
    return frames if frames.dtype == torch.uint8 else (frames.float().clamp(0, 1) * 255).round().to(torch.uint8)


def tensor(values: Array, dtype: torch.dtype = torch.float64) -> Tensor:
    """Convert an array to a tensor; a tensor stays on its device.

    Args:
        values: Tensor or numpy array.
        dtype: Type of the result.

    Returns:
        The values as a tensor.
    """
    return torch.as_tensor(as_torch_takes_it(values)).to(dtype)


def paired(preds: Array, target: Array) -> tuple[Tensor, Tensor]:
    """Cut two tracks to the frames that both have.

    Args:
        preds: (T, …) under test.
        target: (S, …) recorded.

    Returns:
        Both as float64 on the CPU, as long as the shorter one.
    """
    length = min(len(preds), len(target))
    return tensor(preds[:length]).cpu(), tensor(target[:length]).cpu()
