"""Which muscle pulls which skin where: the table that the rig is built from.

Anatomy after Gray's Anatomy (41st edition, chapter 30) and the FACS manual (Ekman, Friesen & Hager 2002), which names the
muscles behind each movement; amplitudes are those of grown-up faces at full contraction, in inter-ocular distances (outer
eye corner to outer eye corner, about 90 mm), somewhat generous, since a portrait lacks the motion that makes small
movements visible. Hinges and sphincters (jaw, lids, lips) do not pull along a line: see `tbd.face.rigging.eyes` and
`tbd.face.rigging.mouth`.
"""

from dataclasses import dataclass
from typing import Literal

Span = Literal["each side", "both sides", "whole"]
Part = Literal["skin", "upper", "lower", "inner", "outer"]


@dataclass(frozen=True)
class MusclePull:
    """A muscle that pulls on the skin where it inserts.

    Args:
        channel: The ARKit blendshape, without "Left" and "Right" where `span` is "each side".
        muscle: The anatomical name.
        at: The insertion, as mesh points of the subject's left half (of the whole face where `span` is "whole").
        towards: (outwards, up, forwards) in inter-ocular distances at coefficient 1; outwards is away from the midline,
            for "whole" it is to the subject's left.
        reach: Inter-ocular distances at which the skin follows by a tenth.
        part: Which skin follows: all of it, only what hangs on the skull ("upper") or on the jaw ("lower"), or the part of
            the brow and forehead nearer to the midline ("inner") or to the temple ("outer"), which add up to the whole.
        span: "each side" serves two channels, "both sides" one symmetric channel.
        firm: Inter-ocular distances within which everything moves as one piece (a brow does not stretch).
    """

    channel: str
    muscle: str
    at: tuple[int, ...]
    towards: tuple[float, float, float]
    reach: float
    part: Part = "skin"
    span: Span = "each side"
    firm: float = 0.0


BROW_INNER = (285, 336, 295, 296)
BROW_MIDDLE = (282, 334)
BROW_OUTER = (283, 293, 276, 300)
BROW = BROW_INNER + BROW_MIDDLE + BROW_OUTER
UPPER_LIP_SIDE = (267, 269, 270, 302, 303, 304, 268, 271, 272, 312, 311, 310)
LOWER_LIP_SIDE = (314, 405, 321, 315, 404, 320, 316, 403, 319, 317, 402, 318)
LIPS_INSIDE_CORNER = (267, 269, 302, 303, 268, 271, 312, 311, 314, 405, 315, 404, 316, 403, 317, 402)
CORNER = (291, 306, 292, 308)
NOSE_WING = (278, 279, 294, 358, 331, 360)
LIP_MIDDLE_TOP = (0, 11, 12, 13, 267, 302, 268, 312)
LIP_MIDDLE_BOTTOM = (14, 15, 16, 17, 317, 316, 315, 314)
MOUTH = (61, 291, 0, 17, 13, 14, 37, 267, 84, 314, 40, 270, 91, 321)

MUSCLE_PULLS = (
    MusclePull("browInnerUp", "frontalis, medial part", (*BROW, 9), (-0.008, 0.11, 0.01), 0.25, "inner", "both sides", 0.06),
    MusclePull("browOuterUp", "frontalis, lateral part", BROW, (0.0, 0.11, 0.0), 0.25, "outer", firm=0.06),
    MusclePull("browDown", "corrugator supercilii", BROW_INNER, (-0.065, -0.12, 0.02), 0.22, firm=0.05),
    MusclePull("browDown", "orbicularis oculi, orbital part", BROW_MIDDLE + BROW_OUTER, (-0.012, -0.07, 0.0), 0.2, firm=0.04),
    MusclePull("browDown", "procerus", (9, 8), (0.0, -0.022, 0.005), 0.16),
    MusclePull("cheekPuff", "buccinator, relaxed over blown air", (425, 411, 427, 436), (0.06, 0.0, 0.12), 0.42, span="both sides"),
    MusclePull("cheekSquint", "orbicularis oculi, orbital part", (280, 330, 347, 346), (0.01, 0.06, 0.02), 0.26),
    MusclePull("noseSneer", "levator labii superioris alaeque nasi", NOSE_WING, (0.02, 0.065, -0.01), 0.17, "upper"),
    MusclePull("noseSneer", "levator labii superioris alaeque nasi", (267, 269, 270), (0.0, 0.05, 0.0), 0.22, "upper"),
    MusclePull("noseSneer", "procerus and depressor supercilii", (285, 417, 8), (-0.01, -0.03, 0.01), 0.18),
    MusclePull("noseSneer", "transverse nasalis", (420, 437, 355), (-0.004, 0.03, 0.012), 0.14, "upper"),
    MusclePull("mouthSmile", "zygomaticus major", CORNER, (0.1, 0.1, -0.055), 0.3, firm=0.05),
    MusclePull("mouthSmile", "zygomaticus minor", (425, 266, 280), (0.02, 0.05, 0.035), 0.3, "upper"),
    MusclePull("mouthSmile", "risorius", (317, 316, 315, 314), (0.0, -0.015, -0.01), 0.12, "lower"),
    MusclePull("mouthFrown", "depressor anguli oris", CORNER, (0.135, -0.125, -0.05), 0.32),
    MusclePull("mouthFrown", "depressor anguli oris, over the jaw", (422, 424, 430), (0.01, -0.03, 0.01), 0.2),
    MusclePull("mouthDimple", "buccinator", CORNER, (0.07, 0.015, -0.08), 0.2),
    MusclePull("mouthStretch", "risorius", CORNER, (0.14, -0.02, -0.065), 0.35),
    MusclePull("mouthStretch", "platysma", (321, 405, 335, 424), (0.03, -0.075, -0.01), 0.28, "lower"),
    MusclePull("mouthLowerDown", "depressor labii inferioris", LOWER_LIP_SIDE, (0.015, -0.09, -0.005), 0.17, "lower"),
    MusclePull("mouthUpperUp", "levator labii superioris", UPPER_LIP_SIDE, (0.01, 0.085, 0.005), 0.19, "upper"),
    MusclePull("mouthUpperUp", "levator labii superioris, over the cheek", (426, 423, 327), (0.01, 0.03, 0.015), 0.16, "upper"),
    MusclePull("mouthPucker", "orbicularis oris, incisivi", CORNER, (-0.08, 0.0, 0.06), 0.33, span="both sides"),
    MusclePull("mouthPucker", "orbicularis oris, marginal part", LIP_MIDDLE_TOP, (0.0, 0.012, 0.1), 0.26, "upper", "both sides"),
    MusclePull("mouthPucker", "orbicularis oris, marginal part", LIP_MIDDLE_BOTTOM, (0.0, -0.012, 0.1), 0.26, "lower", "both sides"),
    MusclePull("mouthPucker", "orbicularis oris, everted", (0, 37, 267), (0.0, 0.022, 0.0), 0.1, "upper", "whole"),
    MusclePull("mouthPucker", "orbicularis oris, everted", (17, 84, 314), (0.0, -0.022, 0.0), 0.1, "lower", "whole"),
    MusclePull("mouthFunnel", "incisivi labii", CORNER, (-0.075, 0.0, 0.05), 0.3, span="both sides"),
    MusclePull("mouthFunnel", "orbicularis oris, marginal part", LIP_MIDDLE_TOP, (0.0, 0.05, 0.09), 0.22, "upper", "both sides"),
    MusclePull("mouthFunnel", "orbicularis oris, marginal part", LIP_MIDDLE_BOTTOM, (0.0, -0.065, 0.09), 0.22, "lower", "both sides"),
    MusclePull("mouthLeft", "risorius and buccinator, left", MOUTH, (0.11, 0.0, 0.0), 0.38, span="whole"),
    MusclePull("mouthRight", "risorius and buccinator, right", MOUTH, (-0.11, 0.0, 0.0), 0.38, span="whole"),
    MusclePull("mouthShrugLower", "mentalis", (18, 200, 199), (0.0, 0.07, 0.03), 0.22, "lower", "whole"),
    MusclePull("mouthShrugLower", "mentalis", LIP_MIDDLE_BOTTOM, (0.0, 0.06, 0.045), 0.2, "lower", "both sides"),
    MusclePull(
        "mouthShrugUpper", "orbicularis oris over the raised lower lip", LIP_MIDDLE_TOP, (0.0, 0.05, 0.05), 0.2, "upper", "both sides"
    ),
    MusclePull("jawOpen", "buccinator, stretched", CORNER, (-0.02, 0.0, 0.0), 0.3, span="both sides"),
    MusclePull("tongueOut", "depressor labii inferioris", LIP_MIDDLE_BOTTOM, (0.0, -0.05, 0.03), 0.2, "lower", "both sides"),
)

DRAWN_PULLS = (
    MusclePull("browInnerUp", "frontalis, over the arch", BROW_MIDDLE, (0.0, 0.035, 0.0), 0.22, "inner", "both sides"),
    MusclePull("browDown", "corrugator supercilii", BROW_INNER, (-0.016, -0.03, 0.006), 0.22, firm=0.05),
    MusclePull("browDown", "orbicularis oculi, orbital part", BROW_MIDDLE + BROW_OUTER, (-0.004, -0.018, 0.0), 0.2, firm=0.04),
    MusclePull("browInnerUp", "frontalis, medial part", (*BROW, 9), (-0.004, 0.025, 0.0), 0.25, "inner", "both sides", 0.06),
    MusclePull("browOuterUp", "frontalis, lateral part", BROW, (0.0, 0.02, 0.0), 0.25, "outer", firm=0.06),
    MusclePull("mouthSmile", "orbicularis oris, stretched straight", LIPS_INSIDE_CORNER, (0.0, -0.026, 0.0), 0.13),
    # Pulled outwards as far as down, corners make a frown that MediaPipe's landmarker reads in full and a mouth half as wide again. Filmed
    # frowns add 0.09 of the eyes' distance to the width (six people, 179 frames), so part of the pull outwards is taken back.
    MusclePull("mouthFrown", "depressor anguli oris", CORNER, (-0.04, 0.0, 0.0), 0.32),
    MusclePull("mouthFrown", "orbicularis oris, which holds the middle", (*LIP_MIDDLE_TOP, *LIP_MIDDLE_BOTTOM), (0.0, 0.014, 0.0), 0.14),
    MusclePull("mouthStretch", "risorius", CORNER, (-0.03, 0.0, 0.005), 0.33),
    MusclePull("mouthStretch", "platysma", (321, 405, 335, 424), (0.0, 0.04, 0.0), 0.28, "lower"),
    MusclePull("mouthShrugLower", "mentalis", LIP_MIDDLE_BOTTOM, (0.0, 0.02, 0.0), 0.2, "lower", "both sides"),
    MusclePull("mouthShrugUpper", "orbicularis oris", LIP_MIDDLE_TOP, (0.0, 0.02, 0.0), 0.2, "upper", "both sides"),
    MusclePull("mouthShrugUpper", "mentalis, which raises it", LIP_MIDDLE_BOTTOM, (0.0, 0.08, 0.04), 0.2, "lower", "both sides"),
    MusclePull("mouthShrugUpper", "mentalis", (18, 200, 199), (0.0, 0.05, 0.01), 0.22, "lower", "whole"),
    MusclePull("mouthDimple", "buccinator, over the zygomatic's slip", CORNER, (0.015, 0.03, 0.0), 0.22),
    MusclePull("mouthPress", "buccinator, which holds the corners", CORNER, (0.045, 0.02, -0.02), 0.25),
    MusclePull("mouthPress", "mentalis", (200, 199, 428), (0.0, 0.03, 0.005), 0.25, "lower"),
    MusclePull("mouthRollUpper", "orbicularis oris", CORNER, (-0.035, -0.015, 0.0), 0.25, span="both sides"),
    MusclePull("mouthRollLower", "orbicularis oris", CORNER, (-0.025, -0.012, 0.0), 0.25, span="both sides"),
    MusclePull("mouthRollLower", "mentalis", (18, 200, 199), (0.0, 0.035, 0.005), 0.25, "lower", "whole"),
)
"""What is added where a face is drawn, by what film shows through MediaPipe's landmarker (132 people, and 61 more for how far their points
go in frames in which a channel reads highest): a frown's corners go down and, as seen, less outwards; a lip that platysma hardly
draws; an arch that goes with the inner brow; chin and lips that a shrug raises as one; pressed lips whose corners stay wide while the chin
rises; rolled ones that draw the corners in. Trackers solve for the pulls above alone: their basis is part of every figure that stands on
tracked motion."""
