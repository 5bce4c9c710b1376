"""Holds the head of a stream where people hold theirs.

Each window of a stream continues the one before, and nothing in half a second says where the head was at the start: what a window adds the
next one takes for granted. With sound that is no voice, and with some speech, the head so drifts by up to 27°.
"""

import numpy as np

from tbd.face.channels import BLENDSHAPES, CHANNELS
from tbd.media.rates import FPS
from tbd.think.action_units import ACTION_UNITS
from tbd.think.plan import MusclePlan

POSE = slice(len(BLENDSHAPES), len(CHANNELS))
"""The channels of the head: three rotations and three translations."""
_FREE, _FARTHEST = 1.5, 2.5
"""Standard deviations of the training's motion up to which a head may rest anywhere, and beyond which it does not rest."""
_OVERSHOOT = 1.5
"""How much farther than its units say a model may turn a head."""
_FOLLOWS = 1 / (0.4 * FPS)
"""Share of the way to where the head is that the notion of where it rests goes in a frame: 0.4 s is its time constant."""


class PoseAnchor:
    """Takes away what a head has drifted beyond where heads rest; nods and glances about it stay as they are.

    The motion that the next window continues is not touched, so lips and expressions are those that they would be without.

    Args:
        std: (58,) standard deviation of each channel in training.

    Example:
        >>> anchor, turned = PoseAnchor(np.full(58, 0.07)), np.zeros((100, 58), np.float32)
        >>> bool((anchor(turned, MusclePlan()) == turned).all())
        True
        >>> turned[:, 52] = 0.5
        >>> [f"{value:.2f}" for value in anchor(turned, MusclePlan())[[0, 24, 99], 52]]
        ['0.50', '0.21', '0.18']
    """

    def __init__(self, std: np.ndarray) -> None:
        self._std, self._rest = np.asarray(std, np.float64)[POSE], np.zeros(POSE.stop - POSE.start)

    def __call__(self, values: np.ndarray, plan: MusclePlan) -> np.ndarray:
        """Hold the newest frames.

        Args:
            values: (n, 58) motion.
            plan: Whose units of the head may turn it farther.

        Returns:
            (n, 58); frames of a head that has not drifted are the same to the last bit.
        """
        planned = _OVERSHOOT * _planned(plan)
        free, room = _FREE * self._std + planned, np.maximum((_FARTHEST - _FREE) * self._std, 1e-9)
        out = values.copy()
        for frame in out:
            self._rest += _FOLLOWS * (frame[POSE] - self._rest)
            beyond = np.maximum(np.abs(self._rest) - free, 0)
            frame[POSE] -= (np.sign(self._rest) * (beyond - room * np.tanh(beyond / room))).astype(values.dtype)
        return out


def _planned(plan: MusclePlan) -> np.ndarray:
    """(6,) how far the units of a plan move the head at most."""
    reach = np.zeros(POSE.stop - POSE.start)
    for action in plan.actions:
        for channel, share in ACTION_UNITS[action.unit].channels.items():
            if channel not in BLENDSHAPES:
                reach[CHANNELS.index(channel) - POSE.start] += abs(share) * action.intensity
    return reach
