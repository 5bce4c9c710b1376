"""FACS action units: what moves, which muscles move it, and which motion channels show it. Pure data.

Names, muscles and appearance follow Ekman, Friesen & Hager, *Facial Action Coding System: The Manual* (2002), with
Ekman & Friesen (1978). The combinations are ours: FACS describes what a coder sees, ARKit what a rig moves, and where a
unit has no channel of its own (AU11, 13, 31, 33) the nearest visible result stands for it. "Left" and "right" are the
subject's own. Head channels follow `tbd.face.channels.HEAD`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, NamedTuple, get_args

Side = Literal["both", "left", "right"]
Region = Literal["upper", "eyes", "middle", "lower", "head"]

REGIONS: tuple[Region, ...] = get_args(Region)
Pull = tuple[int, Side, float]
"""One unit at work: number, side, intensity 0..1."""

EITHER: tuple[Side, ...] = ("both", "left", "right")
TOGETHER: tuple[Side, ...] = ("both",)
ONE: tuple[Side, ...] = ("left", "right")


@dataclass(frozen=True)
class ActionUnit:
    """One action unit.

    Args:
        number: FACS number.
        name: FACS name.
        muscles: Anatomical names of what contracts (or relaxes).
        region: Where it shows.
        movement: What a coder sees, as a phrase that completes "…, so that ".
        channels: Motion channel → value at intensity 1: 0..1 for blendshapes, radians or inter-ocular distances for
            the head.
        sides: Which sides it may act on: `EITHER` (both at once or one alone), `TOGETHER` (always both) or `ONE`
            (a wink, a jaw pushed sideways: one side, never both).

    Example:
        >>> ACTION_UNITS[12].name, ACTION_UNITS[12].combination("left")
        ('Lip Corner Puller', {'mouthSmileLeft': 1.0})
        >>> ACTION_UNITS[1].combination("left")  # ARKit does not divide the inner brow: one side moves it half as far
        {'browInnerUp': 0.5}
    """

    number: int
    name: str
    muscles: tuple[str, ...]
    region: Region
    movement: str
    channels: Mapping[str, float]
    sides: tuple[Side, ...]

    def share(self, channel: str) -> tuple[float, float]:
        """How much the left and the right half of the unit each give to `channel`; the two sum to its full value."""
        full = self.channels.get(channel, 0.0)
        if self.sides != TOGETHER and channel.endswith("Left"):
            return full, 0.0
        if self.sides != TOGETHER and channel.endswith("Right"):
            return 0.0, full
        return full / 2, full / 2

    def combination(self, side: Side = "both") -> dict[str, float]:
        """Motion channel → value when `side` acts at intensity 1."""
        if side == "both":
            return dict(self.channels)
        shares = {channel: self.share(channel)[side == "right"] for channel in self.channels}
        return {channel: value for channel, value in shares.items() if value}


def _pair(**channels: float) -> dict[str, float]:
    """The same value for a channel's left and right half: ``_pair(mouthSmile=1)``."""
    return {f"{name}{side}": float(value) for name, value in channels.items() for side in ("Left", "Right")}


def _table(*rows: tuple) -> dict[int, ActionUnit]:
    units = (ActionUnit(*row) for row in rows)
    return {unit.number: unit for unit in units}


_FRONTALIS_IN, _FRONTALIS_OUT = "frontalis (pars medialis)", "frontalis (pars lateralis)"
_FROWN = ("corrugator supercilii", "depressor supercilii", "procerus")
_LID_RING, _CHEEK_RING, _LIP_RING = "orbicularis oculi (pars palpebralis)", "orbicularis oculi (pars orbitalis)", "orbicularis oris"
_LEVATOR = "levator palpebrae superioris"
_JAW_CLOSERS = ("masseter", "temporalis", "medial pterygoid")

ACTION_UNITS: dict[int, ActionUnit] = _table(
    (1, "Inner Brow Raiser", (_FRONTALIS_IN,), "upper", "the inner ends of the brows rise and the mid forehead wrinkles",
     {"browInnerUp": 1.0}, EITHER),
    (2, "Outer Brow Raiser", (_FRONTALIS_OUT,), "upper", "the outer ends of the brows arch upwards", _pair(browOuterUp=1), EITHER),
    (4, "Brow Lowerer", _FROWN, "upper", "the brows are pulled down and together and furrow between the eyes", _pair(browDown=1), EITHER),
    (5, "Upper Lid Raiser", (_LEVATOR, "superior tarsal muscle"), "eyes", "the upper lids draw back and bare the whites of the eyes",
     _pair(eyeWide=1), EITHER),
    (6, "Cheek Raiser", (_CHEEK_RING,), "middle", "the cheeks rise and crow's feet gather at the eyes",
     _pair(cheekSquint=1, eyeSquint=0.35), EITHER),
    (7, "Lid Tightener", (_LID_RING,), "eyes", "the lower lids tense and narrow the eyes", _pair(eyeSquint=1), EITHER),
    (9, "Nose Wrinkler", ("levator labii superioris alaeque nasi",), "middle", "the nose wrinkles and drags the upper lip up",
     _pair(noseSneer=1, mouthUpperUp=0.25), EITHER),
    (10, "Upper Lip Raiser", ("levator labii superioris",), "lower", "the upper lip lifts and squares", _pair(mouthUpperUp=1), EITHER),
    (11, "Nasolabial Deepener", ("zygomaticus minor",), "middle", "the folds from nose to mouth deepen",
     _pair(mouthUpperUp=0.3, cheekSquint=0.25, noseSneer=0.15), EITHER),
    (12, "Lip Corner Puller", ("zygomaticus major",), "lower", "the lip corners are drawn back and up", _pair(mouthSmile=1), EITHER),
    (13, "Sharp Lip Puller", ("levator anguli oris",), "lower", "the lip corners turn sharply up and the cheeks puff above them",
     _pair(mouthSmile=0.6) | {"cheekPuff": 0.3}, EITHER),
    (14, "Dimpler", ("buccinator",), "lower", "the lip corner tightens inwards and dimples", _pair(mouthDimple=1), EITHER),
    (15, "Lip Corner Depressor", ("depressor anguli oris",), "lower", "the lip corners are pulled down", _pair(mouthFrown=1), EITHER),
    (16, "Lower Lip Depressor", ("depressor labii inferioris",), "lower", "the lower lip is drawn down and bares the lower teeth",
     _pair(mouthLowerDown=1), EITHER),
    (17, "Chin Raiser", ("mentalis",), "lower", "the chin boss bunches and pushes the lower lip up",
     {"mouthShrugLower": 1.0, "mouthShrugUpper": 0.4}, TOGETHER),
    (18, "Lip Pucker", ("incisivii labii superioris", "incisivii labii inferioris"), "lower", "the lips are drawn together and forward",
     {"mouthPucker": 1.0}, TOGETHER),
    (19, "Tongue Show", ("genioglossus",), "lower", "the tongue shows", {"tongueOut": 1.0, "jawOpen": 0.2}, TOGETHER),
    (20, "Lip Stretcher", ("risorius", "platysma"), "lower", "the lips are stretched sideways", _pair(mouthStretch=1), EITHER),
    (22, "Lip Funneler", (_LIP_RING,), "lower", "the lips funnel outwards", {"mouthFunnel": 1.0}, TOGETHER),
    (23, "Lip Tightener", (_LIP_RING,), "lower", "the lips tighten and thin",
     _pair(mouthPress=0.5) | {"mouthRollLower": 0.5, "mouthRollUpper": 0.5}, TOGETHER),
    (24, "Lip Pressor", (_LIP_RING,), "lower", "the lips are pressed together", _pair(mouthPress=1), TOGETHER),
    (25, "Lips Part", ("depressor labii inferioris", "relaxed mentalis or orbicularis oris"), "lower", "the lips part",
     _pair(mouthLowerDown=0.3, mouthUpperUp=0.2) | {"jawOpen": 0.08}, TOGETHER),
    (26, "Jaw Drop", ("relaxed masseter, temporalis and medial pterygoid",), "lower", "the jaw drops open", {"jawOpen": 0.5}, TOGETHER),
    (27, "Mouth Stretch", ("lateral pterygoid", "digastric"), "lower", "the jaw is pulled wide open",
     {"jawOpen": 1.0} | _pair(mouthLowerDown=0.2), TOGETHER),
    (28, "Lip Suck", (_LIP_RING,), "lower", "the lips are sucked in over the teeth",
     {"mouthRollLower": 1.0, "mouthRollUpper": 1.0}, TOGETHER),
    (29, "Jaw Thrust", ("lateral pterygoid", "masseter"), "lower", "the lower jaw juts forward", {"jawForward": 1.0}, TOGETHER),
    (30, "Jaw Sideways", ("lateral pterygoid", "temporalis"), "lower", "the jaw shifts sideways", {"jawLeft": 1.0, "jawRight": 1.0}, ONE),
    (31, "Jaw Clencher", _JAW_CLOSERS, "lower", "the jaw is clenched and its muscles bulge",
     _pair(mouthPress=0.35, mouthStretch=0.25), TOGETHER),
    (32, "Lip Bite", (*_JAW_CLOSERS, "mentalis"), "lower", "the teeth bite the lower lip",
     {"mouthRollLower": 0.9} | _pair(mouthUpperUp=0.15), TOGETHER),
    (33, "Cheek Blow", ("buccinator", _LIP_RING), "lower", "the cheeks fill and air is blown through the lips",
     {"cheekPuff": 0.7, "mouthFunnel": 0.4}, TOGETHER),
    (34, "Cheek Puff", ("relaxed buccinator",), "middle", "the cheeks fill with air", {"cheekPuff": 1.0}, TOGETHER),
    (38, "Nostril Dilator", ("nasalis (pars alaris)",), "middle", "the nostrils flare", _pair(noseSneer=0.3), TOGETHER),
    (43, "Eye Closure", (f"relaxed {_LEVATOR}", _LID_RING), "eyes", "the eyes close", _pair(eyeBlink=1), EITHER),
    (45, "Blink", (f"relaxed {_LEVATOR}", _LID_RING), "eyes", "the eyes close for an instant", _pair(eyeBlink=1), TOGETHER),
    (46, "Wink", (_LID_RING,), "eyes", "one eye closes", _pair(eyeBlink=1), ONE),
    (51, "Head Turn Left", ("right sternocleidomastoid", "left splenius capitis"), "head", "the head turns left",
     {"headYaw": 0.5}, TOGETHER),
    (52, "Head Turn Right", ("left sternocleidomastoid", "right splenius capitis"), "head", "the head turns right",
     {"headYaw": -0.5}, TOGETHER),
    (53, "Head Up", ("splenius capitis", "semispinalis capitis"), "head", "the head lifts", {"headPitch": -0.4}, TOGETHER),
    (54, "Head Down", ("longus capitis", "sternocleidomastoid"), "head", "the head bows", {"headPitch": 0.4}, TOGETHER),
    (55, "Head Tilt Left", ("left scalenes", "left sternocleidomastoid"), "head", "the head tilts to the left",
     {"headRoll": -0.35}, TOGETHER),
    (56, "Head Tilt Right", ("right scalenes", "right sternocleidomastoid"), "head", "the head tilts to the right",
     {"headRoll": 0.35}, TOGETHER),
    (57, "Head Forward", ("sternocleidomastoid", "longus colli"), "head", "the head juts forward", {"headZ": 0.4}, TOGETHER),
    (58, "Head Back", ("semispinalis cervicis", "splenius cervicis"), "head", "the head draws back", {"headZ": -0.4}, TOGETHER),
    (61, "Eyes Turn Left", ("left lateral rectus", "right medial rectus"), "eyes", "the eyes turn left",
     {"eyeLookOutLeft": 1.0, "eyeLookInRight": 1.0}, TOGETHER),
    (62, "Eyes Turn Right", ("right lateral rectus", "left medial rectus"), "eyes", "the eyes turn right",
     {"eyeLookInLeft": 1.0, "eyeLookOutRight": 1.0}, TOGETHER),
    (63, "Eyes Up", ("superior rectus", "inferior oblique"), "eyes", "the eyes look up", _pair(eyeLookUp=1), TOGETHER),
    (64, "Eyes Down", ("inferior rectus", "superior oblique"), "eyes", "the eyes look down", _pair(eyeLookDown=1), TOGETHER),
    # new action units go here
)  # fmt: skip
"""Number → unit. FACS numbers that no channel can show (AU21, 35–37, 39 …) are absent. Models store units by their place: append, never
reorder."""

TRACE = 0.08
"""Below it a muscle is at rest; FACS's A, "trace", is about 0.1 to 0.3 here."""


class Opposites(NamedTuple):
    """Two action units that cannot show together.

    Args:
        first: FACS number.
        second: FACS number.
        kind: "muscles" pull against each other; "lids" and "blinks" move the lids both ways, the latter for an instant;
            "directions" move the head or the eyes both ways; "mirrored" are each other's mirror image, left and right.
    """

    first: int
    second: int
    kind: Literal["muscles", "lids", "blinks", "directions", "mirrored"]


OPPOSITES: tuple[Opposites, ...] = (
    Opposites(12, 15, "muscles"), Opposites(13, 15, "muscles"), Opposites(24, 25, "muscles"), Opposites(24, 26, "muscles"),
    Opposites(24, 27, "muscles"), Opposites(23, 27, "muscles"), Opposites(28, 25, "muscles"), Opposites(28, 26, "muscles"),
    Opposites(28, 27, "muscles"), Opposites(18, 20, "muscles"), Opposites(18, 12, "muscles"), Opposites(17, 27, "muscles"),
    Opposites(26, 27, "muscles"), Opposites(31, 26, "muscles"), Opposites(31, 27, "muscles"), Opposites(5, 43, "lids"),
    Opposites(43, 63, "muscles"), Opposites(51, 52, "mirrored"), Opposites(53, 54, "directions"), Opposites(55, 56, "mirrored"),
    Opposites(57, 58, "directions"), Opposites(61, 62, "mirrored"), Opposites(63, 64, "directions"), Opposites(5, 45, "blinks"),
    Opposites(43, 46, "blinks"),
    # new opposites go here
)  # fmt: skip
"""The only list of units that oppose each other."""

ANTAGONISTS: tuple[tuple[int, int], ...] = tuple((a, b) for a, b, kind in OPPOSITES if kind != "blinks")
"""Units that pull against each other; where both are called, the stronger acts. A blink interrupts, and is none."""
MIRRORED: dict[int, int] = {a: b for first, second, kind in OPPOSITES if kind == "mirrored" for a, b in ((first, second), (second, first))}
"""Unit that moves to one side → the same movement to the other side."""

SPEECH: dict[int, float] = {18: 0.45, 22: 0.45, 23: 0.75, 24: 0.5, 25: 0.6, 26: 0.9, 27: 0.45, 28: 0.4}
"""What is left, while someone talks, of the units that articulation needs: lips that meet for p, b and m and round for o
and u, and the jaw. The corners of the mouth, cheeks, nose and brow stay free for the feeling. A dropped jaw keeps most of its drop,
since what is drawn shares it with the sounds (`tbd.draw.motion.coarticulation.hang_jaw`): with half of it a surprised speaker's jaw was
open by 0.14 in the median of eight frames, MEAD's by 0.33 to 0.44."""


def describe_unknown(unit: int) -> str:
    """One sentence for a number that is no known unit, naming its neighbours."""
    nearest = sorted(sorted(ACTION_UNITS, key=lambda number: (abs(number - unit), number))[:2])
    names = " and ".join(f"AU{number} ({ACTION_UNITS[number].name})" for number in nearest)
    return f"AU{unit} is no action unit that this face can move; the nearest numbers are {names}."
