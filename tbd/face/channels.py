"""The 58 channels of a motion: their names, order, units and signs.

ARKit's coefficients (Apple, *ARFaceAnchor.BlendShapeLocation*) are the space that MediaPipe's face landmarker, Live Link
Face, Unreal, Blender and Audio2Face speak. "Left" and "right" are the subject's own.
"""

from collections.abc import Mapping

BLENDSHAPES = (
    "browDownLeft", "browDownRight", "browInnerUp", "browOuterUpLeft", "browOuterUpRight",
    "cheekPuff", "cheekSquintLeft", "cheekSquintRight",
    "eyeBlinkLeft", "eyeBlinkRight", "eyeLookDownLeft", "eyeLookDownRight", "eyeLookInLeft", "eyeLookInRight",
    "eyeLookOutLeft", "eyeLookOutRight", "eyeLookUpLeft", "eyeLookUpRight",
    "eyeSquintLeft", "eyeSquintRight", "eyeWideLeft", "eyeWideRight",
    "jawForward", "jawLeft", "jawOpen", "jawRight",
    "mouthClose", "mouthDimpleLeft", "mouthDimpleRight", "mouthFrownLeft", "mouthFrownRight", "mouthFunnel",
    "mouthLeft", "mouthLowerDownLeft", "mouthLowerDownRight", "mouthPressLeft", "mouthPressRight", "mouthPucker",
    "mouthRight", "mouthRollLower", "mouthRollUpper", "mouthShrugLower", "mouthShrugUpper",
    "mouthSmileLeft", "mouthSmileRight", "mouthStretchLeft", "mouthStretchRight",
    "mouthUpperUpLeft", "mouthUpperUpRight", "noseSneerLeft", "noseSneerRight", "tongueOut",
)  # fmt: skip
"""ARKit's 52 coefficients in alphabetical order, each 0 (rest) .. 1 (as far as a face goes)."""

HEAD = ("headPitch", "headYaw", "headRoll", "headX", "headY", "headZ")
"""Rotations in radians, then translations in inter-ocular distances; x to the subject's left (the image's right), y up, z
towards the viewer. Rotations are about the head's own axes, translations along the camera's. Rotations are right-handed,
applied as ``Rz(roll) @ Ry(yaw) @ Rx(pitch)``: positive pitch looks down, positive yaw turns to the subject's left,
positive roll tilts the crown to the subject's right. All are relative to the face's own resting pose, so zeros leave a
portrait as it is."""

CHANNELS = BLENDSHAPES + HEAD
"""The columns of a motion's values: 52 blendshapes, then 6 of the head."""
INDEX: Mapping[str, int] = {name: i for i, name in enumerate(CHANNELS)}
"""Channel → its column in a motion's values."""
