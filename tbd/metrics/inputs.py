"""The one contract of what metrics take: layout, type, range and finiteness of each field (see the table in `tbd.metrics.base`).

Nothing is guessed: what breaks the contract is refused with one sentence that names the argument, what it is and what is right. A
picture in 0..255 as floats, sound as 16-bit integers or a picture with its channels last would otherwise give a number, and a wrong one.
"""

import inspect
import math
from collections.abc import Callable, Collection, Mapping, Sequence
from functools import partial, wraps
from typing import Any

import numpy as np
import torch
from torch import Tensor

from tbd.errors import InputError, TBDError
from tbd.face.channels import BLENDSHAPES, CHANNELS
from tbd.face.geometry import NUM_POINTS
from tbd.think.emotions import EMOTIONS


class Unmeasurable(TBDError):
    """A metric cannot measure one clip (no face, silence, too short). One sentence says why; the clip is counted.

    Example:
        >>> str(Unmeasurable("The clip shows no face."))
        'The clip shows no face.'
    """


class LeftOut(Unmeasurable):
    """A clip that a metric leaves out by its definition (a label that its classifier does not know), whatever the clip shows.

    Example:
        >>> issubclass(LeftOut, Unmeasurable)
        True
    """


_ROUNDING = 0.5 / 255
"""By how much floats may leave 0..1: half a grey level, which rounds to black or white anyway."""
_LOUDEST = 2.0
"""Lossy coding makes sound overshoot ±1 by some tenths, which is clipped; beyond this the samples are no −1..1."""
_WIDEST = 5.0
"""A blendshape is 0..1; guidance drives it beyond. Farther out it is in percent, or no blendshape."""
_FARTHEST = {"headPitch": math.pi / 2, "headYaw": math.pi / 2, "headRoll": math.pi}
"""Radians: a head that is turned farther shows no face, or its angles are in degrees."""


def as_torch_takes_it(value: Any) -> Any:
    """Copy an array that torch cannot take as it is: one that is flipped (``frames[:, ::-1]``), or of the other byte order.

    Args:
        value: Anything.

    Returns:
        The array with the same numbers; whatever else was given, as it is.

    Example:
        >>> as_torch_takes_it(np.arange(3)[::-1]).strides, as_torch_takes_it("a")
        ((8,), 'a')
    """
    if not isinstance(value, np.ndarray) or (value.dtype.isnative and min(value.strides, default=0) >= 0):
        return value
    return np.ascontiguousarray(value, value.dtype.newbyteorder("="))


def check_frames(value: Any, name: str) -> None:
    """Require (T, 3, H, W) RGB frames, uint8 or finite floats in 0..1.

    Args:
        value: What was given.
        name: Name of the argument in messages.

    Raises:
        InputError: If they are not.
    """
    frames = _array(value, name, "(frames, 3, height, width)")
    right = "(frames, 3, height, width), uint8 or float in 0..1, is right"
    if frames.ndim != 4 or frames.shape[1] != 3:
        last = "; its channels come last" if frames.ndim == 4 and frames.shape[3] == 3 else ""
        raise InputError(f"{name} has the shape {tuple(frames.shape)}{last}; {right}.")
    if frames.dtype == torch.uint8:
        return
    if not frames.is_floating_point():
        raise InputError(f"{name} is {_dtype(frames)}; {right}.")
    _require_finite(frames, name)
    if frames.numel() and not -_ROUNDING <= float(frames.min()) <= float(frames.max()) <= 1 + _ROUNDING:
        raise InputError(f"{name} reaches from {float(frames.min()):.4g} to {float(frames.max()):.4g}; {right}.")


def check_faces(value: Any, name: str, side: int = 224) -> None:
    """Require (F, 3, `side`, `side`) chips of faces.

    Args:
        value: What was given.
        name: Name of the argument in messages.
        side: Pixels of a chip's side.

    Raises:
        InputError: If they are not, or break the contract of frames.
    """
    check_frames(value, name)
    if tuple(value.shape[2:]) != (side, side):
        raise InputError(f"{name} has the shape {tuple(value.shape)}; chips of faces are (faces, 3, {side}, {side}).")


def check_audio(value: Any, name: str) -> None:
    """Require (N,) finite float samples in −1..1.

    Args:
        value: What was given.
        name: Name of the argument in messages.

    Raises:
        InputError: If they are not.
    """
    audio = _array(value, name, "(samples,)")
    right = "(samples,) of one channel at 16 kHz, float in −1..1, is right"
    if audio.ndim != 1:
        raise InputError(f"{name} has the shape {tuple(audio.shape)}; {right}.")
    if not audio.is_floating_point():
        raise InputError(f"{name} is {_dtype(audio)}; {right}: divide 16-bit samples by 32768.")
    _require_finite(audio, name)
    if audio.numel() and float(audio.abs().max()) > _LOUDEST:
        raise InputError(f"{name} reaches {float(audio.abs().max()):.4g}; {right}.")


def check_points(value: Any, name: str) -> None:
    """Require (T, 478, 3) mesh points or (T, 68, 2) of dlib's; NaN where no face was seen.

    Args:
        value: What was given.
        name: Name of the argument in messages.

    Raises:
        InputError: If they are neither.
    """
    points = _array(value, name, f"(frames, {NUM_POINTS}, 3)")
    if points.ndim != 3 or tuple(points.shape[1:]) not in ((NUM_POINTS, 3), (68, 2)):
        raise InputError(
            f"{name}: landmarks of shape {tuple(points.shape)} are no face; (frames, {NUM_POINTS}, 3) or (frames, 68, 2) is right."
        )
    _require_number(points, name)
    if points.is_floating_point() and bool(torch.isinf(points).any()):
        raise InputError(f"{name} holds infinite numbers; pixels are finite, and NaN where no face was seen.")
    if bool((points[..., :2].amax(1) == points[..., :2].amin(1)).all(-1).any()):
        raise InputError(f"{name} holds a frame whose points all lie in one place, which is no face; NaN is right where none was seen.")


def check_frames_with_points(frames: Any, points: Any | None) -> None:
    """Require the frames of a clip, and the points of these same frames.

    Args:
        frames: What was given as frames.
        points: What was given as their points; None for none.

    Raises:
        InputError: If either breaks its contract, or there are more of one than of the other.
    """
    check_frames(frames, "frames")
    if points is None:
        return
    check_points(points, "points")
    if len(points) != len(frames):
        raise InputError(f"points are of {len(points)} frames and there are {len(frames)}; the points of each frame are right.")


def check_motion(value: Any, name: str) -> None:
    """Require a finite (T, 58) motion: blendshapes in 0..1, angles in radians.

    Args:
        value: What was given.
        name: Name of the argument in messages.

    Raises:
        InputError: If it is not.
    """
    motion = _array(value, name, f"(frames, {len(CHANNELS)})")
    right = f"(frames, {len(CHANNELS)}) with blendshapes in 0..1 and angles in radians is right"
    if motion.ndim != 2 or motion.shape[1] != len(CHANNELS):
        raise InputError(f"{name} has the shape {tuple(motion.shape)}; {right}.")
    _require_number(motion, name)
    _require_finite(motion, name)
    if not len(motion):
        return
    blendshapes = motion[:, : len(BLENDSHAPES)].abs().max()
    if float(blendshapes) > _WIDEST:
        raise InputError(f"{name} has a blendshape of {float(blendshapes):.4g}; {right}.")
    for channel, most in _FARTHEST.items():
        angle = float(motion[:, CHANNELS.index(channel)].abs().max())
        if angle > most:
            raise InputError(f"{name} turns the head by {angle:.4g} ({channel}); {right}.")


def check_emotion(value: Any, name: str) -> None:
    """Require an index into `EMOTIONS`.

    Args:
        value: What was given.
        name: Name of the argument in messages.

    Raises:
        InputError: If it is none.
    """
    number = _scalar(value)
    if not isinstance(number, int) or isinstance(number, bool) or not 0 <= number < len(EMOTIONS):
        raise InputError(f"{name} is {value!r}; an index into EMOTIONS, 0 to {len(EMOTIONS) - 1}, is right.")


def check_intensity(value: Any, name: str) -> None:
    """Require a number in 0..1.

    Args:
        value: What was given.
        name: Name of the argument in messages.

    Raises:
        InputError: If it is none.
    """
    number = _scalar(value)
    if not isinstance(number, int | float) or isinstance(number, bool) or not 0 <= number <= 1:
        raise InputError(f"{name} is {value!r}; an intensity is a number in 0..1.")


def check_each(check: Callable[[Any, str], None]) -> Callable[[Any, str], None]:
    """Make the check of a sequence out of that of its items.

    Args:
        check: What is required of one item.

    Returns:
        What is required of a sequence of them.
    """

    def check_all(value: Any, name: str) -> None:
        for i, item in enumerate(_items(value, name)):
            check(item, f"{name}[{i}]")

    return check_all


def check_seams(value: Any, name: str) -> None:
    """Require a sequence of frame numbers.

    Args:
        value: What was given.
        name: Name of the argument in messages.

    Raises:
        InputError: If it is none.
    """
    for number in map(_scalar, _items(value, name)):
        if not isinstance(number, int) or isinstance(number, bool) or number < 0:
            raise InputError(f"{name} holds {number!r}; numbers of frames, whole and from 0, are right.")


def check_spans(value: Any, name: str) -> None:
    """Require (K, 2) finite seconds, each start before its end.

    Args:
        value: What was given.
        name: Name of the argument in messages.

    Raises:
        InputError: If they are not.
    """
    spans = _array(np.asarray(value, float) if isinstance(value, list | tuple) else value, name, "(K, 2)")
    right = "(K, 2) seconds, each start before its end, is right"
    if (spans.ndim, *spans.shape[1:]) != (2, 2) and spans.numel():
        raise InputError(f"{name} has the shape {tuple(spans.shape)}; {right}.")
    _require_number(spans, name)
    if spans.numel():
        _require_finite(spans, name)
        if bool((spans < 0).any()) or bool((spans[:, 1] < spans[:, 0]).any()):
            raise InputError(f"{name} holds a span that begins before 0 or after its end; {right}.")


CHECKS: Mapping[str, Callable[[Any, str], None]] = {
    "frames": check_frames,
    "faces": check_faces,
    "aligned_faces": partial(check_faces, side=112),
    "audio": check_audio,
    "points": check_points,
    "motion": check_motion,
    "plan_motion": check_motion,
    "emotion": check_emotion,
    "intensity": check_intensity,
    "seams": check_seams,
    "bilabials": check_spans,
    "motions": check_each(check_motion),
    "intensities": check_each(check_intensity),
}
"""Field, without the role before it → what is required of it. Fields of metrics outside this package have no entry."""
_IN_TIME = ("frames", "points", "motion", "plan_motion")
"""Fields of which a clip without frames has none."""


def check_field(field: str, value: Any, name: str) -> None:
    """Require that a value is what its field should be.

    Args:
        field: One of a metric's `reads`, such as ``preds.frames``.
        value: What was given.
        name: Name of the argument in messages.

    Raises:
        InputError: If it breaks the contract.
        Unmeasurable: If it keeps the contract and has no frames.
    """
    kind = field.rpartition(".")[2]
    if kind in CHECKS:
        CHECKS[kind](value, name)
    if (kind in _IN_TIME and not len(value)) or (kind == "motions" and not all(map(len, value))):
        raise Unmeasurable("The clip has no frames.")


def bind_inputs(method: Callable[..., Any], inputs: Sequence[Any], named: Mapping[str, Any]) -> tuple[Any, ...]:
    """Bring arguments that were given by name into the order of a method's parameters.

    Args:
        method: An unbound method, whose first parameter is self.
        inputs: Arguments by place.
        named: Arguments by name.

    Returns:
        All arguments by place, defaults among them.

    Raises:
        InputError: If an argument is missing, unknown or given twice.
    """
    signature = inspect.signature(method)
    try:
        bound = signature.bind(None, *inputs, **named)
    except TypeError as error:
        names = ", ".join(list(signature.parameters)[1:])
        raise InputError(f"{method.__qualname__.rpartition('.')[0]} takes {names}: {error}.") from error
    bound.apply_defaults()
    return tuple(map(as_torch_takes_it, bound.args[1:]))


def checks_inputs(method: Callable[..., Any]) -> Callable[..., Any]:
    """Make a metric's method check its arguments, one for each of `reads`, before it runs.

    Args:
        method: `measure` or `update` of a `tbd.metrics.base.ClipMetric`.

    Returns:
        The same method with the contract before it; arguments that may be None pass as None.
    """
    parameters = list(inspect.signature(method).parameters.values())[1:]
    optional = {p.name for p in parameters if p.default is None or type(None) in getattr(p.annotation, "__args__", ())}

    @wraps(method)
    def checked(self: Any, *inputs: Any, **named: Any) -> Any:
        args = bind_inputs(method, inputs, named)
        for parameter, field, value in zip(parameters, self.reads, args):
            if value is not None or parameter.name not in optional:
                check_field(field, value, f"{type(self).__name__}: {parameter.name}")
        return method(self, *args)

    return checked


def require_known(listed: Sequence[Any], known: Collection[Any], what: str) -> None:
    """Require that an option which lists names lists known ones, and one at least.

    Args:
        listed: What was listed.
        known: All that there are.
        what: One of them, in messages.

    Raises:
        InputError: If one of them is unknown, or none is listed.

    Example:
        >>> require_known(["uper"], ["upper", "lower"], "region")
        Traceback (most recent call last):
        tbd.errors.InputError: uper is no region; there are upper, lower.
    """
    those = ", ".join(map(str, known))
    if isinstance(listed, str) or not len(listed):
        raise InputError(f"{listed!r} lists no {what}; a list of some of {those} is right.")
    for value in listed:
        if value not in known:
            raise InputError(f"{value} is no {what}; there are {those}.")


def require_finite_output(values: Tensor, what: str) -> Tensor:
    """Require that a network gave finite numbers.

    Args:
        values: What it gave.
        what: The network, in messages.

    Returns:
        The same values.

    Raises:
        InputError: If one of them is not finite.
    """
    if not bool(torch.isfinite(values).all()):
        raise InputError(f"{what} gave numbers that are not finite; its weights are broken, or made for other input.")
    return values


def _array(value: Any, name: str, shape: str) -> Tensor:
    if not isinstance(value, Tensor | np.ndarray):
        raise InputError(f"{name} is a {type(value).__name__}; a tensor or array {shape} is right.")
    if isinstance(value, np.ma.MaskedArray) and np.ma.is_masked(value):
        raise InputError(f"{name} is a masked array, whose masked numbers would count; fill them, or leave those frames out.")
    if isinstance(value, Tensor) and (value.layout != torch.strided or value.is_meta or value.is_quantized):
        raise InputError(f"{name} is a tensor without plain numbers ({value.layout}, {value.device}); a dense one {shape} is right.")
    try:
        return torch.as_tensor(as_torch_takes_it(value))
    except TypeError as error:
        raise InputError(f"{name} is an array of {value.dtype}; numbers, {shape}, are right.") from error


def _dtype(values: Tensor) -> str:
    return str(values.dtype).removeprefix("torch.")


def _require_number(values: Tensor, name: str) -> None:
    if values.dtype == torch.bool or values.is_complex():
        raise InputError(f"{name} is {_dtype(values)}; real numbers are right.")


def _require_finite(values: Tensor, name: str) -> None:
    if values.is_floating_point() and not bool(torch.isfinite(values).all()):
        raise InputError(f"{name} holds numbers that are not finite.")


def _scalar(value: Any) -> Any:
    """A number out of a tensor or array of one."""
    return value.item() if isinstance(value, Tensor | np.ndarray | np.generic) and np.prod(value.shape) == 1 else value


def _items(value: Any, name: str) -> Sequence[Any]:
    if isinstance(value, str | bytes | Mapping) or not hasattr(value, "__len__") or not hasattr(value, "__getitem__"):
        raise InputError(f"{name} is a {type(value).__name__}; a sequence is right.")
    if getattr(value, "ndim", 1) == 0:
        raise InputError(f"{name} is a single number; a sequence is right.")
    return value
