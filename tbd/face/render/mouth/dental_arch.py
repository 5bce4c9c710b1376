"""Rows of teeth in three dimensions: where a pixel meets one, and what it looks like there."""

from dataclasses import dataclass

import numpy as np

from tbd.face.render.mouth.palette import Palette
from tbd.utils.tracks import smoothstep


@dataclass(frozen=True)
class RigidFrame:
    """Where a piece of bone (the skull, the jaw) lies in a frame, as the camera sees it.

    Args:
        origin: (2,) pixel (x, y) of the middle of the lips' seam, where the incisors stand.
        axes: (2, 3) pixels that an inter-ocular distance to the image's right, up and towards the viewer covers.
    """

    origin: np.ndarray
    axes: np.ndarray

    @classmethod
    def of(cls, anchors: np.ndarray) -> "RigidFrame":
        """Build a frame from the (4, 2) pixels of the origin and of the ends of its three unit axes."""
        anchors = np.asarray(anchors, np.float64)
        return cls(anchors[0], (anchors[1:] - anchors[0]).T)

    def between(self, other: "RigidFrame", share: float) -> "RigidFrame":
        """Interpolate between two frames.

        Args:
            other: The other frame.
            share: How far towards it, 0..1.

        Returns:
            The frame between.
        """
        return RigidFrame(self.origin + share * (other.origin - self.origin), self.axes + share * (other.axes - self.axes))


@dataclass(frozen=True)
class Crown:
    """A tooth as seen from outside the arch, in inter-ocular distances (90 mm; Wheeler's Dental Anatomy).

    Args:
        width: Along the arch.
        height: From the biting edge to the gum.
        raised: How far its edge stays behind the row's.
        pointed: How far its edge rises from the middle to the sides.
        rounded: How far its corners are rounded off.
    """

    width: float
    height: float
    raised: float
    pointed: float
    rounded: float


UPPER_CROWNS = (
    Crown(0.095, 0.116, 0.0, 0.0, 0.007),
    Crown(0.073, 0.102, 0.007, 0.0, 0.011),
    Crown(0.084, 0.115, 0.001, 0.014, 0.004),
    Crown(0.078, 0.095, 0.009, 0.010, 0.004),
    Crown(0.075, 0.088, 0.013, 0.006, 0.004),
    Crown(0.111, 0.083, 0.017, 0.004, 0.004),
    Crown(0.105, 0.080, 0.021, 0.004, 0.004),
)
LOWER_CROWNS = (
    Crown(0.059, 0.098, 0.0, 0.0, 0.004),
    Crown(0.064, 0.104, 0.0, 0.0, 0.005),
    Crown(0.076, 0.120, -0.003, 0.012, 0.004),
    Crown(0.079, 0.095, 0.004, 0.010, 0.004),
    Crown(0.080, 0.090, 0.008, 0.006, 0.004),
    Crown(0.120, 0.083, 0.010, 0.004, 0.004),
    Crown(0.115, 0.080, 0.012, 0.004, 0.004),
)
UPPER_EDGE, LOWER_EDGE = -0.016, -0.012
"""Heights of the incisors' edges over the seam of closed lips: upper teeth show 1.5 mm under a lip that parts. Set on footage of 14
people, where speech shows far less of the teeth than anatomy's 3 mm."""
_MARGIN = 0.1
"""How far a picture of a row goes on beyond its biting edges, where a portrait's own teeth may reach."""
_GUM = 0.1
"""How far it goes on beyond the crowns."""
_WIDEST = 1.4
"""Angle on the arch's ellipse from the midline to the last tooth that can be seen, in radians."""

_ASIDE = 0.15
"""Light that teeth throw back which turn away from the viewer, and from the lips that let it in."""
_GRAZING = 0.3
"""Cosine between the surface and the line of sight below which a portrait's own teeth tell nothing."""
_FADES = 0.5
"""Cosine below which the row softly ends: on the far side of a turned head teeth would stand as a comb."""


class DentalArch:
    """A row of teeth on an arch, whose surface stands upright: one coordinate runs along it and one from its edges to the gum.

    Args:
        crowns: The teeth from the midline outwards.
        half_width: Of the ellipse that the row stands on, in inter-ocular distances.
        depth: Of the ellipse, from the incisors backwards.
        behind: How far behind the origin of its `RigidFrame` the incisors stand.
        edge: Height of the biting edges over that origin.
        up: 1 where the gum is above the teeth, −1 where it is below.
        resolution: Pixels per inter-ocular distance of pictures of the row.

    Attributes:
        resolution: As given.
        shape: Rows and columns of a picture of the row.
    """

    def __init__(
        self, crowns: tuple[Crown, ...], half_width: float, depth: float, behind: float, edge: float, up: int, resolution: float
    ) -> None:
        self._crowns, self._up, self._edge, self.resolution = crowns, up, edge, resolution
        angle = np.linspace(-_WIDEST, _WIDEST, 257)
        self._x, self._z = half_width * np.sin(angle), depth * (np.cos(angle) - 1) - behind
        length = np.concatenate([[0], np.cumsum(np.hypot(np.diff(self._x), np.diff(self._z)))])
        self._along = length - length[-1] / 2
        self._tall = max(crown.height for crown in crowns) + _GUM
        self.shape = round((self._tall + _MARGIN) * resolution) + 1, round(length[-1] * resolution) + 1

    @property
    def places(self) -> tuple[np.ndarray, np.ndarray]:
        """(1, columns) distances along the row from the midline, and (rows, 1) from its edges towards the gum."""
        rows, columns = self.shape
        along = np.arange(columns) / self.resolution + self._along[0]
        return along[None], (self._tall - np.arange(rows) / self.resolution)[:, None]

    def depth(self) -> np.ndarray:
        """(1, columns) inter-ocular distances that the row lies behind its incisors."""
        return self._z.max() - np.interp(self.places[0], self._along, self._z)

    def faces(self, frame: RigidFrame) -> np.ndarray:
        """Return (columns,) bool: which places of the row turn towards the viewer."""
        right, up, near = frame.axes.T
        across = np.array([-up[1], up[0]]) / np.linalg.norm(up)
        table = self._x * (right @ across) + self._z * (near @ across)
        turned = np.gradient(table, self._along) * np.sign(right @ across) > _GRAZING * np.linalg.norm(right)
        return np.interp(self.places[0][0], self._along, turned) > 0.5

    def locate(self, frame: RigidFrame, x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Find where pixels meet the row.

        The arch is a curve swept along the bone's vertical axis, so the component of a pixel across the projection of that axis
        depends on the place along the curve alone and one table inverts it.

        Args:
            frame: Where the bone lies.
            x: (1, w) or (h, w) pixel columns.
            y: (h, 1) or (h, w) pixel rows.

        Returns:
            (h, w, 2) float32 places (column, row) in a picture of the row, (h, w) float32 0..1 how much of the row is seen there and not
                turned away, and (h, w) float32 0..1 how much of the light that falls in through the lips it throws back there.
        """
        right, up, near = frame.axes.T
        tall = np.linalg.norm(up)
        upwards = up / tall
        across = np.array([-upwards[1], upwards[0]])
        across = across if across @ right > 0 else -across
        table = self._x * (right @ across) + self._z * (near @ across)
        middle = len(table) // 2
        facing = np.gradient(table, self._along) / max(float(np.linalg.norm(right)), 1e-6)
        # Where a turned head hides the far side of the row, its outline hides the rest.
        table[middle:] = np.maximum.accumulate(table[middle:])
        table[middle::-1] = np.minimum.accumulate(table[middle::-1])
        table += np.linspace(-1e-4, 1e-4, len(table))
        lift = self._x * (right @ upwards) + self._z * (near @ upwards)
        dx, dy = x - frame.origin[0], y - frame.origin[1]
        place = np.interp(dx * across[0] + dy * across[1], table, np.arange(len(table)))
        along = np.interp(place, np.arange(len(table)), self._along)
        height = (dx * upwards[0] + dy * upwards[1] - np.interp(place, np.arange(len(table)), lift)) / tall
        above = self._up * (height - self._edge)
        column, row = (along - self._along[0]) * self.resolution, (self._tall - above) * self.resolution
        faces = np.interp(place, np.arange(len(table)), facing)
        light = _ASIDE + (1 - _ASIDE) * np.clip(faces, 0, 1)
        return np.stack([column, row], -1).astype(np.float32), smoothstep(faces / _FADES).astype(np.float32), light.astype(np.float32)

    def project(self, frame: RigidFrame) -> np.ndarray:
        """Find the pixels of the picture of the frame where every place of a picture of the row stands.

        Args:
            frame: Where the bone lies.

        Returns:
            (rows, columns, 2) float32 pixels (x, y).
        """
        along, above = self.places
        right, up, near = frame.axes.T
        x, z = (np.interp(along, self._along, values)[..., None] for values in (self._x, self._z))
        height = (self._edge + self._up * above)[..., None]
        return (frame.origin + x * right + height * up + z * near).astype(np.float32)

    def paint(self, palette: Palette, detail: float = 1.0) -> np.ndarray:
        """Paint the row and its gum.

        Args:
            palette: The colours.
            detail: 0..1, how much of the shading between and on the teeth shows; little in pictures drawn flat.

        Returns:
            (rows, columns, 4) float32, RGB 0..255 times alpha, and alpha 0..1.
        """
        along, above = self.places
        crown, inside, half = self._teeth(np.abs(along))
        _, tall, raised, _, _ = crown
        height = above - self.edges()
        alpha = np.clip(height * self.resolution + 0.5, 0, 1)
        part = np.clip(height / (tall - raised), 0, 1)  # 0 at the biting edge, 1 at the gum
        contact = np.exp(-(((1 - np.abs(inside)) * half / 0.008) ** 2)) * smoothstep(height / 0.012)
        round_off = 1 - 0.05 * np.abs(inside) ** 4 - 0.03 * inside**2
        light = round_off * (1 - 0.06 * contact) * (0.9 + 0.1 * smoothstep(part / 0.22)) * (1 - 0.13 * smoothstep((part - 0.6) / 0.4))
        shine = 0.07 * np.exp(-(((inside + 0.15) / 0.42) ** 2) - ((part - 0.42) / 0.26) ** 2)
        light = 1 + detail * (light + shine - 1)
        tooth = light[..., None] * palette.tooth * (1 + detail * smoothstep((part - 0.45) / 0.55)[..., None] * palette.root)
        line = tall - 0.026 * inside**2
        gum = smoothstep((above - line) / 0.008 + 0.5)[..., None]
        under = 1 - 0.22 * detail * np.exp(-(((above - line) / 0.007) ** 2))
        flesh = palette.gum * (1 - 0.25 * smoothstep((above - line) / _GUM))[..., None]
        colour = ((1 - gum) * tooth + gum * flesh) * under[..., None] * self._falloff()
        return np.concatenate([colour * alpha[..., None], alpha[..., None]], -1).astype(np.float32)

    def crown(self) -> np.ndarray:
        """Return the (1, columns) heights of the teeth."""
        return self._teeth(np.abs(self.places[0]))[0][1]

    def edges(self) -> np.ndarray:
        """Return the (1, columns) heights of the biting edges over the incisors'."""
        (_, _, raised, pointed, rounded), inside, _ = self._teeth(np.abs(self.places[0]))
        edges: np.ndarray = raised + pointed * inside**2 + rounded * np.abs(inside) ** 5
        return edges

    def _falloff(self) -> np.ndarray:
        """(1, columns, 1) how much light reaches each place: cheeks and corners shade the sides."""
        return (0.14 + 0.86 * np.exp(-((self.depth() / 0.24) ** 2)))[..., None]

    def _teeth(self, distance: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Of distances (1, N) from the midline: the (5, 1, N) `Crown` there, −1..1 across it, and half its width."""
        table = np.array([[crown.width, crown.height, crown.raised, crown.pointed, crown.rounded] for crown in self._crowns])
        edges = np.concatenate([[0.0], np.cumsum(table[:, 0])])
        tooth = np.clip(np.searchsorted(edges, distance, side="right") - 1, 0, len(table) - 1)
        half = table[tooth, 0] / 2
        return np.moveaxis(table[tooth], -1, 0), np.clip((distance - edges[tooth] - half) / half, -1, 1), half


def upper_arch(resolution: float, raised: float = 0.0) -> DentalArch:
    """Build the upper row, which belongs to the skull.

    Args:
        resolution: Pixels per inter-ocular distance of pictures of the row.
        raised: Inter-ocular distances by which its edges stand higher than usual.

    Returns:
        The row.
    """
    return DentalArch(UPPER_CROWNS, 0.33, 0.42, 0.0, UPPER_EDGE + raised, 1, resolution)


def lower_arch(resolution: float) -> DentalArch:
    """Build the lower row, which belongs to the jaw and stands behind the upper one.

    Args:
        resolution: Pixels per inter-ocular distance of pictures of the row.

    Returns:
        The row.
    """
    return DentalArch(LOWER_CROWNS, 0.3, 0.4, 0.03, LOWER_EDGE, -1, resolution)
