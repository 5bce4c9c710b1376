"""`Rig`: blendshape coefficients → displacement of the mesh, as pulls of named muscles. Needs numpy alone.

Everything is measured on the face at hand, in its canonical frame (inter-ocular distances; x to the subject's left, y up,
z forwards), so lids close by this face's own opening and lips part where this face's lips meet.
"""

from collections.abc import Sequence

import numpy as np

from tbd.face import topology as mesh
from tbd.face.channels import BLENDSHAPES
from tbd.face.geometry import NUM_POINTS, mean_face
from tbd.face.muscles import PULLS, Part, Pull

JAW_ANGLE = 0.43
"""Radians that the jaw swings about its condyles at jawOpen = 1: incisors about 45 mm apart."""
JAW_LENGTH = 0.95
"""The condyles' distance behind the chin (85 mm); the mesh is too flat towards the ears to tell."""
JAW_GLIDE = np.array([-0.02, 0.08])
"""(up, forwards): how far the condyles glide along the skull at jawOpen = 1."""
LOWER_LIP_SHARE = 0.7
"""Of the way between parted lips the lower lip goes this share when they close."""
SEAL = 0.025
"""How far lips that close over a smile press into each other, so that no tooth shows between them."""
_LIPS_ALONE = 0.09
"""Inter-ocular distances by which lips rest parted over teeth that meet; what a portrait's mouth is open beyond is its jaw's."""
EYEBALL_RADIUS = 0.135
"""12 mm in inter-ocular distances."""
GAZE = {"Out": (0.5, 0.0), "In": (-0.5, 0.0), "Up": (0.0, 0.42), "Down": (0.0, -0.48)}
"""(outwards, up): radians that the eyeball turns at coefficient 1."""
LID_UPPER_SHARE = 0.86
"""Of a blink the upper lid travels this share, the lower lid the rest."""
LID_FOLLOWS = {"Down": (-0.5, -0.12), "Up": (0.2, 0.06)}
"""How the lids (upper, lower) go with the gaze, in openings of this eye."""
LID_SQUINT = (-0.14, 0.36)
LID_WIDE = (0.058, -0.01)
"""eyeWide in inter-ocular distances where the eye is widest; the other lid movements are shares of its opening."""

_FOLD = 0.6
"""Of the room between brow and lid, lowering takes at most this: the rest is skin pressed together."""

EXTRA_MODES = ("restingLips",)
"""What `Rig.modes` holds beyond the 52 blendshapes: closing a mouth that the portrait holds open."""
_AT = {name: i for i, name in enumerate(BLENDSHAPES)}
SIDES = ("Right", "Left")
_EXTRA = 1.5
"""A smile also bends the lips that its corners draw on: to look undone it must be undone a little further."""
_LEVEL, _WIDTH = 0.0, 0.53
"""A mouth that does not smile: how far its corners lie above the seam of its lips, and its width, in inter-ocular distances
(on the mean face −0.003 and 0.55)."""


class Rig:
    """The muscles of one face.

    Args:
        canonical: (478, 3) this face's points in its canonical frame, `FaceGeometry.canonical`.

    Attributes:
        basis: (52, 478, 3) float32 displacement of each blendshape at coefficient 1, in ARKit's order.
        modes: (53, 478, 3) float32, the basis and then `EXTRA_MODES`. ``displace`` is linear in `activations`, which is not
            linear in the coefficients: two lid movements together close an eye no further than shut.

    Example:
        >>> import numpy as np
        >>> rig = Rig(np.random.default_rng(0).normal(size=(478, 3)))
        >>> rig.displace(np.zeros((7, 52))).shape
        (7, 478, 3)
    """

    def __init__(self, canonical: np.ndarray) -> None:
        self.canonical = np.asarray(canonical, np.float64)
        if self.canonical.shape != (NUM_POINTS, 3):
            raise ValueError(f"a face has shape ({NUM_POINTS}, 3), not {self.canonical.shape}")
        self._jaw = jaw_weight(self.canonical)
        self._supple = _supple()
        lateral = _laterality(self.canonical)
        self._parts = {"skin": 1.0, "lower": self._jaw, "upper": 1 - self._jaw, "inner": 1 - lateral, "outer": lateral}
        self._lid_shares: dict[str, dict[str, float]] = {}
        shapes = np.zeros((len(BLENDSHAPES), NUM_POINTS, 3))
        for pull in PULLS:
            for channel, displacement in self._pull(pull):
                shapes[_AT[channel]] += displacement
        for build in (self._build_jaw, self._build_eyes, self._build_lips):
            for channel, displacement in build():
                shapes[_AT[channel]] += displacement
        for side in SIDES:
            shapes[_AT[f"browDown{side}"]] *= self._brow_room(shapes[_AT[f"browDown{side}"]], side)
        shapes[_AT["mouthClose"]] += self._close(shapes[_AT["jawOpen"]])
        self.modes = np.concatenate([shapes, self._close_rest(shapes[_AT["jawOpen"]])[None]]).astype(np.float32)
        self.basis = self.modes[: len(BLENDSHAPES)]

    def activations(self, blendshapes: np.ndarray) -> np.ndarray:
        """(..., 52) coefficients → (..., 53) weights of `modes`.

        A blink closes what the gaze, a squint or a widening leaves open, so that eyeBlink = 1 is shut with any of them;
        mouthClose undoes at most the jaw's opening, and closes a mouth that the portrait holds open, as lips pressed or
        rolled together do.
        """
        b = np.asarray(blendshapes, np.float32)
        out = np.concatenate([b, np.zeros_like(b[..., :1])], -1)
        for side in SIDES:
            shares = self._lid_shares[side]
            taken = sum(share * b[..., _AT[channel]] for channel, share in shares.items())
            out[..., _AT[f"eyeBlink{side}"]] *= 1 - np.minimum(taken, 1)
        # A jaw falls easily at first and meets resistance at the end.
        out[..., _AT["jawOpen"]] *= 1.3 - 0.3 * b[..., _AT["jawOpen"]]
        jaw, close = out[..., _AT["jawOpen"]], b[..., _AT["mouthClose"]]
        out[..., _AT["mouthClose"]] = np.minimum(close * (1.3 - 0.3 * close), jaw)
        press = 0.5 * (b[..., _AT["mouthPressLeft"]] + b[..., _AT["mouthPressRight"]])
        roll = 0.5 * (b[..., _AT["mouthRollLower"]] + b[..., _AT["mouthRollUpper"]])
        closed = np.clip(close * (1.3 - 0.3 * close) / np.maximum(jaw, 0.15), 0, 1)
        out[..., -1] = 1 - (1 - closed) * (1 - np.clip(3 * press, 0, 1)) * (1 - np.clip(3 * roll, 0, 1))
        return out

    def displace(self, blendshapes: np.ndarray) -> np.ndarray:
        """(..., 52) coefficients → (..., 478, 3) float32 displacement in the canonical frame; lips meet, never cross."""
        weights = self.activations(blendshapes)
        moved = np.tensordot(weights, self.modes, 1)
        return meet_lips(moved + self.canonical.astype(np.float32)) - self.canonical.astype(np.float32)

    def _pull(self, pull: Pull) -> list[tuple[str, np.ndarray]]:
        """The channels that one row of the table moves, with their (478, 3) displacements."""
        vector = np.array(pull.towards)
        left = self._spread(pull.at, np.broadcast_to(vector, (len(pull.at), 3)), pull.reach, pull.part, pull.firm)
        if pull.span == "whole":
            return [(pull.channel, left)]
        vector = vector * [-1, 1, 1]
        right = self._spread(mesh.mirrored(pull.at), np.broadcast_to(vector, (len(pull.at), 3)), pull.reach, pull.part, pull.firm)
        if pull.span == "each side":
            return [(f"{pull.channel}Left", left), (f"{pull.channel}Right", right)]
        both = left + right
        # A point on both insertions (the midline) must not be drawn twice.
        twice = np.minimum(self._near(pull.at, pull.reach, pull.firm), self._near(mesh.mirrored(pull.at), pull.reach, pull.firm))
        return [(pull.channel, both / (1 + twice[:, None]))]

    def _near(self, at: Sequence[int], reach: float, firm: float = 0.0) -> np.ndarray:
        """(478,) 1 within `firm` of the insertion, 0.1 at `reach` beyond that."""
        distance = np.linalg.norm(self.canonical[:, None] - self.canonical[list(at)], axis=-1).min(1)
        return np.exp(-2.3 * (np.maximum(distance - firm, 0) / reach) ** 2)

    def _spread(self, at: Sequence[int], displacement: np.ndarray, reach: float, part: Part = "skin", firm: float = 0.0) -> np.ndarray:
        """(478, 3): the skin follows the points `at`, less with distance; lids and irises have their own muscles."""
        squared = ((self.canonical[:, None] - self.canonical[list(at)]) ** 2).sum(-1)
        closeness = np.exp(-8 * squared / reach**2) + 1e-12
        follow = closeness @ displacement / closeness.sum(1, keepdims=True)
        weight = self._near(at, reach, firm) * self._supple
        weight = weight * self._parts[part]
        return follow * weight[:, None]

    def _brow_room(self, lowering: np.ndarray, side: str) -> float:
        """0..1, how much of a brow's lowering this face has room for before the brow would fold over the lid."""
        own = tuple if side == "Right" else mesh.mirrored
        brow, lid = list(own((53, 52, 65))), list(own((160, 159, 158)))
        room = self.canonical[brow, 1].mean() - self.canonical[lid, 1].mean()
        return float(np.clip(_FOLD * room / max(-lowering[brow, 1].mean(), 1e-6), 0.2, 1))

    def _build_jaw(self) -> list[tuple[str, np.ndarray]]:
        hinge = self.canonical[[234, 93, 454, 323]].mean(0)
        hinge[2] = self.canonical[152, 2] - JAW_LENGTH
        arm = self.canonical - hinge
        c, s = np.cos(JAW_ANGLE), np.sin(JAW_ANGLE)
        swing = np.stack([np.zeros(NUM_POINTS), c * arm[:, 1] - s * arm[:, 2], s * arm[:, 1] + c * arm[:, 2]], 1)
        swing[:, 1:] += JAW_GLIDE - arm[:, 1:]
        weight = (self._jaw * self._supple)[:, None]
        shifts = {"jawForward": (0, 0, 0.1), "jawLeft": (0.1, 0, 0), "jawRight": (-0.1, 0, 0)}
        return [("jawOpen", swing * weight), *((name, weight * np.array(shift)) for name, shift in shifts.items())]

    def _build_eyes(self) -> list[tuple[str, np.ndarray]]:
        """Lids of orbicularis oculi (palpebral part) and levator palpebrae; the eyeballs' six muscles as two angles."""
        shapes = []
        for side in SIDES:
            own = tuple if side == "Right" else mesh.mirrored
            top, bottom, iris = own(mesh.EYE_TOP[1:-1]), own(mesh.EYE_BOTTOM[1:-1]), own(mesh.IRIS)
            gap = np.zeros((len(top), 3))
            gap[:, 1:] = (self.canonical[list(top)] - self.canonical[list(bottom)])[:, 1:]
            widest = max(gap[:, 1].max(), 0.02)
            shares = {"eyeBlink": (-LID_UPPER_SHARE, 1 - LID_UPPER_SHARE), "eyeSquint": LID_SQUINT}
            shares["eyeWide"] = (LID_WIDE[0] / widest, LID_WIDE[1] / widest)
            shares |= {f"eyeLook{way}": share for way, share in LID_FOLLOWS.items()}
            for name, (upper, lower) in shares.items():
                shapes.append((f"{name}{side}", self._lids(own, upper * gap, lower * gap)))
            self._lid_shares[side] = {f"{n}{side}": low - up for n, (up, low) in shares.items() if n != "eyeBlink"}
            outwards = -1 if side == "Right" else 1
            for way, (out, up) in GAZE.items():
                turn = np.zeros((NUM_POINTS, 3))
                turn[list(iris)] = EYEBALL_RADIUS * np.array([outwards * np.sin(out), np.sin(up), np.cos(out) * np.cos(up) - 1])
                shapes.append((f"eyeLook{way}{side}", turn))
        return shapes

    def _lids(self, own, upper: np.ndarray, lower: np.ndarray) -> np.ndarray:
        """(478, 3) from the (7, 3) travel of each lid's edge; the rows of skin beside it follow less and less."""
        moved = np.zeros((NUM_POINTS, 3))
        moved[list(own(mesh.EYE_TOP[1:-1]))] = upper
        moved[list(own(mesh.EYE_BOTTOM[1:-1]))] = lower
        for rows, edge, follows in ((mesh.UPPER_LID_ROWS, upper, (0.62, 0.2)), (mesh.LOWER_LID_ROWS, lower, (0.7, 0.3))):
            for row, follow in zip(rows, follows):
                moved[list(own(row))] = follow * edge
        return moved

    def _build_lips(self) -> list[tuple[str, np.ndarray]]:
        """Orbicularis oris: lips thin against each other (press) or turn inwards over the teeth (roll)."""
        corners = self.canonical[list(mesh.MOUTH_CORNERS)]
        half = np.abs(corners[1, 0] - corners[0, 0]) / 2 + 1e-6
        across = (self.canonical[:, 0] - corners[:, 0].mean()) / half
        leftness = _smooth((across + 0.6) / 1.2)[:, None]
        upper = self._thin(mesh.UPPER_LIP_ROWS, "upper", 0.55, 0.25)
        lower = self._thin(mesh.LOWER_LIP_ROWS, "lower", 0.55, 0.25)
        pressed = self._thin(mesh.UPPER_LIP_ROWS, "upper", 0.42, 0.12) + self._thin(mesh.LOWER_LIP_ROWS, "lower", 0.42, 0.12)
        pressed[:, 2] -= 0.02 * self._near(mesh.LIP_TOP, 0.2)
        return [
            ("mouthRollUpper", upper),
            ("mouthRollLower", lower),
            ("mouthPressLeft", pressed * leftness),
            ("mouthPressRight", pressed * (1 - leftness)),
        ]

    def _thin(self, rows: Sequence[Sequence[int]], part: Part, outer: float, inner: float) -> np.ndarray:
        """(478, 3): the lip's skin edge comes `outer` of the lip's height towards its inner contour, which goes `inner` on."""
        height = self.canonical[list(rows[-1])] - self.canonical[list(rows[0])]
        height[:, 0] = 0
        moved = self._spread(rows[0][1:-1], outer * height[1:-1], 0.16, part)
        for place, row in enumerate(rows):
            share = outer + (inner - outer) * place / (len(rows) - 1)
            moved[list(row[1:-1])] = share * height[1:-1]
        return moved

    def _close(self, opening: np.ndarray) -> np.ndarray:
        """(478, 3) that takes back what `opening` parts the inner contours by."""
        top, bottom = list(mesh.LIP_TOP[1:-1]), list(mesh.LIP_BOTTOM[1:-1])
        return self._bring_together(opening[top] - opening[bottom])

    def _close_rest(self, jaw: np.ndarray) -> np.ndarray:
        """(478, 3) that closes the mouth from the portrait's own opening: a dropped jaw rises first, then the lips meet.

        Args:
            jaw: (478, 3) displacement of jawOpen at 1.
        """
        top, bottom = list(mesh.LIP_TOP[1:-1]), list(mesh.LIP_BOTTOM[1:-1])
        gap = self.canonical[top] - self.canonical[bottom]
        gap[gap[:, 1] < 0] = 0
        opening = jaw[top] - jaw[bottom]
        widest = int(gap[:, 1].argmax())
        dropped = np.clip((gap[widest, 1] - _LIPS_ALONE) / max(opening[widest, 1], 1e-6), 0, 1)
        gap -= dropped * opening
        lips = self._bring_together(gap * (1 + SEAL / max(gap[:, 1].max(), SEAL)))
        return lips + dropped * (self._even_out() - jaw)

    def _even_out(self) -> np.ndarray:
        """(478, 3) that gives a gaping mouth back its width and spaces the points of both lips along it as on the mean face.

        The lower lip of a gaping mouth hangs like a U; laid straight, its steep sides need room.
        """
        right, left = mesh.MOUTH_CORNERS
        start, end = self.canonical[[right, left], 0]
        wider = max(_WIDTH - (end - start), 0) / 2
        rest = mean_face()[:, 0].astype(np.float64)
        share = (rest - rest[right]) / (rest[left] - rest[right])
        target = start - wider + share * (end - start + 2 * wider)
        moved = np.zeros((NUM_POINTS, 3))
        for rows, part in ((mesh.UPPER_LIP_ROWS, "upper"), (mesh.LOWER_LIP_ROWS, "lower")):
            inner = list(rows[-1])
            aside = np.zeros((len(inner), 3))
            aside[:, 0] = target[inner] - self.canonical[inner, 0]
            moved += self._spread(rows[0], aside, 0.3, part)
            for row in rows:
                moved[list(row)] = aside
        return moved

    def _bring_together(self, gap: np.ndarray) -> np.ndarray:
        """(478, 3) that takes the (9, 3) `gap` between the inner contours; each lip moves whole, the skin follows."""
        gap = gap * [0, 1, 1]
        moved = np.zeros((NUM_POINTS, 3))
        for rows, part, travel in (
            (mesh.UPPER_LIP_ROWS, "upper", -(1 - LOWER_LIP_SHARE) * gap),
            (mesh.LOWER_LIP_ROWS, "lower", LOWER_LIP_SHARE * gap),
        ):
            moved += self._spread(rows[0][1:-1], travel, 0.3, part)
        for rows, travel in ((mesh.UPPER_LIP_ROWS, -(1 - LOWER_LIP_SHARE) * gap), (mesh.LOWER_LIP_ROWS, LOWER_LIP_SHARE * gap)):
            for row in rows:
                moved[list(row[1:-1])] = travel
        return moved


def jaw_weight(canonical: np.ndarray) -> np.ndarray:
    """(478,) how far each point hangs on the jaw: 1 the chin and the lower lip, 0 the skull and the upper lip.

    The lips split sharply between the corners; beyond them the cheek passes from skull to jaw, ever more slowly.
    """
    corners = canonical[list(mesh.MOUTH_CORNERS)]
    centre, half = corners.mean(0), np.abs(corners[1, 0] - corners[0, 0]) / 2 + 1e-6
    across = np.abs(canonical[:, 0] - centre[0]) / half
    height = canonical[:, 1]
    # from just above the nose's base to below the lower lip
    high, low = canonical[2, 1] + 0.08, canonical[18, 1] - 0.02
    beyond = _smooth((across - 0.55) / 0.85)
    above = 0.02 + beyond * max(high - centre[1] - 0.02, 0)
    below = 0.02 + beyond * max(centre[1] - low - 0.02, 0)
    weight = _smooth((centre[1] + above - height) / (above + below))
    turn = np.clip(across, 0, 1) ** 3
    for rows, at_middle in ((mesh.UPPER_LIP_ROWS, 0.03), (mesh.LOWER_LIP_ROWS, 1.0)):
        lip = np.unique(rows)
        weight[lip] = at_middle + (0.4 - at_middle) * turn[lip]
    weight[list(mesh.MOUTH_CORNERS)] = 0.4
    return weight


def relaxed_smile(rig: Rig) -> np.ndarray:
    """(478, 3) float32 displacement that takes the smile out of a portrait's resting expression.

    Corners at rest lie about level with the seam of the lips; what they are lifted above it is undone along the pull of
    this face's own zygomatic muscles.
    """
    let_go = -resting_smile(rig) * _smile(rig)
    right, left = mesh.MOUTH_CORNERS
    narrowed = let_go[right, 0] - let_go[left, 0]
    spare = rig.canonical[left, 0] - rig.canonical[right, 0] - _WIDTH
    let_go[:, 0] *= np.clip(spare / max(narrowed, 1e-6), 0, 1)  # a mouth that is not wide does not purse
    return let_go.astype(np.float32)


def resting_smile(rig: Rig) -> float:
    """How strongly a portrait smiles at rest: 0 not at all, 1 as mouthSmile = 1 would make a resting face smile."""
    smile, height = _smile(rig)[:, 1], rig.canonical[:, 1]
    corners, seam = list(mesh.MOUTH_CORNERS), [13, 14]
    where_lips_meet = [LOWER_LIP_SHARE, 1 - LOWER_LIP_SHARE]
    lift = height[corners].mean() - height[seam] @ where_lips_meet
    gain = smile[corners].mean() - smile[seam] @ where_lips_meet
    return float(np.clip(_EXTRA * (lift - _LEVEL) / max(gain, 1e-3), 0, 1.4))


def _smile(rig: Rig) -> np.ndarray:
    return rig.basis[[_AT["mouthSmileLeft"], _AT["mouthSmileRight"]]].sum(0)


def _laterality(canonical: np.ndarray) -> np.ndarray:
    """(478,) 0 from the midline to the inner ends of the brows, 1 from their outer halves to the temples."""
    aside = np.abs(canonical[:, 0])
    inner, outer = aside[[55, 285]].mean(), aside[[53, 283]].mean()
    return _smooth((aside - inner) / max(outer - inner, 1e-6))


def inner_lip_gap(points: np.ndarray) -> np.ndarray:
    """(..., 478, 3) points → (..., 9) opening between the inner lip contours, corners left out; negative where they cross.

    Same unit as the points; in pixels (y down) the sign is turned.
    """
    return points[..., list(mesh.LIP_TOP[1:-1]), 1] - points[..., list(mesh.LIP_BOTTOM[1:-1]), 1]


def meet_lips(points: np.ndarray) -> np.ndarray:
    """(..., 478, 3) canonical points with inner contours that crossed brought to their middle."""
    top, bottom = list(mesh.LIP_TOP[1:-1]), list(mesh.LIP_BOTTOM[1:-1])
    crossed = np.minimum(inner_lip_gap(points), 0)
    points = points.copy()
    points[..., top, 1] -= crossed / 2
    points[..., bottom, 1] += crossed / 2
    return points


def _supple() -> np.ndarray:
    """(478,) how freely skin follows its neighbours: irises and lid edges not at all, the skin about the eyes a little."""
    supple = np.ones(NUM_POINTS)
    for own in (tuple, mesh.mirrored):
        supple[list(own(mesh.IRIS + mesh.EYE_TOP + mesh.EYE_BOTTOM))] = 0
        supple[list(own(mesh.UPPER_LID_ROWS[0] + mesh.EYE_CORNER_SKIN))] = 0.25
        supple[list(own(mesh.LOWER_LID_ROWS[0]))] = 0.25
        supple[list(own(mesh.LOWER_LID_ROWS[1]))] = 0.65
        supple[list(own(mesh.UPPER_LID_ROWS[1]))] = 0.65
    return supple


def _smooth(x: np.ndarray) -> np.ndarray:
    x = np.clip(x, 0, 1)
    return x * x * (3 - 2 * x)
