"""`MotionField`: where every pixel of a frame comes from."""

from dataclasses import dataclass

import numpy as np

from tbd.face import topology
from tbd.face.geometry import VIEW_DISTANCE, FaceGeometry
from tbd.face.render.eyes.brow_skin import RAISED, BrowSkin
from tbd.face.render.grid import Grid, invert, sample, spread
from tbd.face.render.head import HeadVolume, SkinField
from tbd.face.render.layers.glasses import Glasses
from tbd.face.render.occlusion import pressed_share, soften_field, unfold
from tbd.face.render.sides import jaw_for_nods, opened_sides
from tbd.utils.tracks import smoothstep

CELLS = 40
"""Cells per inter-ocular distance where the face moves."""
_EDGE = 6
"""Cells over which the window of these goes over into the whole picture's."""
_COARSE = 96
"""Cells along the longer side of the whole picture, which only turns and shifts smoothly."""
_ROOM = 0.3
"""Inter-ocular distances by which a head may leave its place."""
_STRETCH = 0.8
"""How much longer what lies beside the picture's edge may become when the head moves away from it."""
_NOSE = 1
"""The mesh point at the tip of the nose: what lies nearer to it hides what lies farther out."""


Window = tuple[slice, slice]
"""Rows and columns."""


@dataclass(frozen=True)
class LowerSkin:
    """The skin below an aperture, where it moves otherwise than the skin above.

    Args:
        inner: The aperture's cells within the face's window of cells.
        cells: The same cells in the whole grid.
        pixels: The pixels under them.
        extra: (K, cells · 3) float32, the displacement that the K modes add to the skin below the aperture.
        reach: (rows, columns, 2) float32 0..1 over the cells, twice, 0 where they add nothing.
        middle: The cell of the window that lies nearest to the middle of the face; None where brows may weigh on it.
    """

    inner: Window
    cells: Window
    pixels: Window
    extra: np.ndarray
    reach: np.ndarray
    middle: tuple[int, int] | None


class MotionField:
    """Moves of one portrait: of the whole picture, which only turns and shifts, and of the window of the face, whose skin moves as well.

    Args:
        face: The portrait.
        modes: (K, 478, 3) displacements of the mesh at full weight.
        glasses: What is worn, which stays rigid.
        cells: Cells per inter-ocular distance where the face moves.

    Attributes:
        coarse: The grid over the whole picture.
        fine: The grid whose cells the window is made of.
        window: Rows and columns of cells about the face.
        middle: The window's cell at the tip of the nose.
        skin: (K, cells · 3) float32 the modes over the window.
        between_lid_and_brow: (rows, columns) float32 0..1 over the window.
        edge: (h, w, 2) float32 0..1 over the pixels of the window, 0 at those of its edges that are not the picture's.
        lower_skins: Below the mouth and both eyes.
    """

    def __init__(self, face: FaceGeometry, modes: np.ndarray, glasses: Glasses | None, cells: int) -> None:
        import cv2

        self._face, self._modes = face, modes
        height, width = face.image.shape[:2]
        self.coarse = Grid(height, width, max(1, round(max(height, width) / _COARSE)))
        self.fine = Grid(height, width, max(1, round(face.scale / cells)))
        volume = HeadVolume(face, glasses)
        outline = face.points[list(topology.FACE_OVAL), :2]
        centre = (outline.min(0) + outline.max(0)) / 2
        reach = (outline.max(0) - outline.min(0)) / 2
        self.window = self.fine.window(centre - 1.5 * reach, centre + [1.5, 1.75] * reach)
        wide, near = self.coarse.centres(), self.fine.centres()[self.window]
        self.shape = near.shape[:2]
        """Rows and columns of the window."""
        cameras = [volume.camera(wide), volume.camera(near)]
        # two more planes: how much nearer the side lies that a turn opens, to the left and to the right, and the jaw for a nod
        brows = float(volume.plane(face.points[[105, 334], :2])[:, 1].mean())
        self._cameras = [
            [np.dstack([camera, side, jaw]) for side in opened_sides(camera, volume.outline, face.rotation[0, 2], brows)]
            for camera in cameras
            for jaw in [jaw_for_nods(camera, volume.outline)]
        ]
        self.middle = self._cell_of(face.points[_NOSE, :2], self.window)
        self._head_weight = spread(volume.head_weight(wide), 2), spread(volume.head_weight(near), 2)
        self._bounds = self.coarse.bounds(_STRETCH), tuple(bound[self.window] for bound in self.fine.bounds(_STRETCH))
        upper, lower = volume.skin("upper"), volume.skin("lower")
        self._free = self._window_edge(near.shape[:2])
        if glasses is not None:
            self._free = self._free * (1 - sample(glasses.stiffness(face.image, face.scale), near, cv2.BORDER_REPLICATE))
        edge = self._window_edge(near.shape[:2])
        places = volume.plane(near)
        fields = upper(self._modes, places.reshape(-1, 2)).reshape(len(self._modes), *near.shape[:2], 3)
        self._open_folds(fields, near, upper, volume)
        fields *= self._free[..., None]
        self.skin = fields.reshape(len(self._modes), -1).astype(np.float32)
        self.edge, self._near_cells = self._window_share(np.zeros((*edge.shape, 2), np.float32)), (near + 0.5) / self.coarse.step - 0.5
        identity = np.stack(np.meshgrid(np.arange(width), np.arange(height)), -1)
        self.identity = identity.astype(np.float32)
        """(H, W, 2) the pixels themselves."""
        lip = volume.plane(face.points[list(topology.LIP_BOTTOM), :2])
        self.lower_skins = [
            self._prepare_lower_skin(lower, fields, places, face.points[list(ids), :2], margin, drop, edge)
            for ids, margin, drop, edge in (
                (topology.LIP_TOP + topology.LIP_BOTTOM + (18,), (0.14, 0.12), 0.45, lip),
                (topology.EYE_TOP + topology.EYE_BOTTOM, (0.05, 0.09), 0.0, None),
                (topology.mirrored(topology.EYE_TOP + topology.EYE_BOTTOM), (0.05, 0.09), 0.0, None),
            )
        ]

    def _open_folds(self, fields: np.ndarray, near: np.ndarray, upper: SkinField, volume: HeadVolume) -> None:
        """Let the skin between lids and brows give way where it is plain, in the modes (K, rows, columns, 3) over the window."""
        modes = self._modes[list(RAISED)]
        self.between_lid_and_brow = np.zeros(near.shape[:2], np.float32)
        for side in topology.SIDES:
            share, holds, lid, brow = BrowSkin(self._face, side).place(near)
            inside = holds > 0
            self.between_lid_and_brow = np.maximum(self.between_lid_and_brow, holds.astype(np.float32))
            still, moved = (upper(modes, volume.plane(place[inside])) for place in (lid, brow))
            for mode, low, high in zip(RAISED, still, moved):
                goes = low + share[inside, None] * (high - low)
                fields[mode][inside] += holds[inside, None] * (goes - fields[mode][inside])

    def _cell_of(self, pixel: np.ndarray, window: Window) -> tuple[int, int]:
        """The row and column of a window of cells that a pixel (x, y) lies in, or of the nearest in it."""
        row, column = (
            int(np.clip(place // self.fine.step - cells.start, 0, cells.stop - cells.start - 1))
            for place, cells in zip(pixel[::-1], window)
        )
        return row, column

    def _window_edge(self, shape: tuple[int, ...], back: np.ndarray | None = None) -> np.ndarray:
        """(rows, columns) 1 inside the window of the face, 0 at those of its edges that are not the picture's own.

        Or at those that what is seen comes from, where a backward field (rows, columns, 2) is given, in cells.
        """
        (rows, columns), (down, across) = self.fine.shape, self.window
        y, x = np.arange(shape[0], dtype=np.float32)[:, None] + np.float32(0.5), np.arange(shape[1], dtype=np.float32) + np.float32(0.5)
        if back is not None:
            x, y = x + back[..., 0], y + back[..., 1]
        near = np.full(shape[:2], np.inf, np.float32)
        for inside, ends in (
            (y, down.start > 0),
            (shape[0] - y, down.stop < rows),
            (x, across.start > 0),
            (shape[1] - x, across.stop < columns),
        ):
            if ends:
                near = np.minimum(near, inside)
        return smoothstep(near / np.float32(_EDGE))

    def _window_share(self, back: np.ndarray) -> np.ndarray:
        """(h, w, 2) how far the window's own field holds: not where what is seen comes from beyond it, which only the picture's knows."""
        shape = back.shape[:2]
        share = np.minimum(self._window_edge(shape), self._window_edge(shape, back))
        return spread(self.fine.upsample(share.astype(np.float32), self.window), 2)

    def _prepare_lower_skin(
        self,
        lower: SkinField,
        fields: np.ndarray,
        places: np.ndarray,
        around: np.ndarray,
        margin: tuple[float, float],
        drop: float,
        edge: np.ndarray | None,
    ) -> LowerSkin:
        """Prepare the skin below one aperture.

        Args:
            lower: Spreads displacements over the skin below apertures.
            fields: (K, rows, columns, 3) the modes of the skin above apertures, over the face's window.
            places: (rows, columns, 2) where these cells are, in inter-ocular distances.
            around: (N, 2) pixels of the aperture's points.
            margin: How far the skin reaches beyond them (aside, up and down), in inter-ocular distances.
            drop: How far what moves there may fall, likewise.
            edge: (N, 2) the contour, likewise, over which the skin below goes on as it is there: where an aperture is wide, what
                closes it must not fold what lies in it.
        """
        scale = self._face.scale
        low, high = around.min(0), around.max(0)
        middle, half = (low + high) / 2, (high - low) / 2 + np.array(margin) * scale
        rows, columns = self.fine.window(middle - half - _ROOM * scale, middle + half + [_ROOM * scale, (_ROOM + drop) * scale])
        down, across = self.window
        rows = slice(max(rows.start, down.start), min(rows.stop, down.stop))
        columns = slice(max(columns.start, across.start), min(columns.stop, across.stop))
        inner = slice(rows.start - down.start, rows.stop - down.start), slice(columns.start - across.start, columns.stop - across.start)
        radius = np.linalg.norm((self.fine.centres()[rows, columns] - middle) / half, axis=-1)
        weight = smoothstep((1 - radius) / 0.3)[..., None]
        above = fields[(slice(None), *inner)]
        places = places[inner] if edge is None else _clamp_below(places[inner], edge)
        below = lower(self._modes, places.reshape(-1, 2)).reshape(above.shape) * self._free[inner][..., None]
        extra = ((below - above) * weight).reshape(len(self._modes), -1).astype(np.float32)
        middle_cell = None if edge is None else self._cell_of(self._face.points[_NOSE, :2], (rows, columns))
        share = spread(np.clip(8 * weight[..., 0], 0, 1).astype(np.float32), 2)
        return LowerSkin(inner, (rows, columns), self.fine.pixels((rows, columns)), extra, share, middle_cell)

    def edge_in(self, back: np.ndarray) -> np.ndarray:
        """Compute how far the field of the window holds in a frame.

        Args:
            back: The backward field of the whole picture.

        Returns:
            (h, w, 2) float32 0..1 over the pixels of the window.
        """
        import cv2

        back = sample(back, self._near_cells, cv2.BORDER_REPLICATE) * np.float32(self.coarse.step / self.fine.step)
        return self.edge if np.abs(back).max() < 1 else self._window_share(back)

    def __call__(self, weights: np.ndarray, turn: np.ndarray, shift: np.ndarray) -> tuple[list[np.ndarray], np.ndarray]:
        """Compute where a frame comes from.

        Args:
            weights: (56,) of the modes.
            turn: (3, 3) of the head.
            shift: (3,) of the head, in inter-ocular distances.

        Returns:
            Backward fields of the whole picture and of the window of the face, in cells, and the window's forward field.
        """
        rotation = self._face.rotation.astype(np.float64)
        nearer = VIEW_DISTANCE / (VIEW_DISTANCE - shift[2])
        change = (nearer * (rotation @ (turn - np.eye(3)) @ rotation.T) + (nearer - 1) * np.eye(3))[:2].astype(np.float32)
        # what lies deep goes against the change, so outwards on one side; its ears and cheek do not go up or down otherwise than all else
        opened = int(change[0, 2] < 0)
        change = np.column_stack([change, [change[0, 2], 0], [0, -nearer * turn[2, 1]]]).astype(np.float32)
        out = []
        for cameras, weight, bounds, grid in zip(self._cameras, self._head_weight, self._bounds, (self.coarse, self.fine)):
            cells = self._in_cells(grid)
            move = _turned(cameras[opened], cells @ change)
            move += (shift[:2] * cells.diagonal()).astype(np.float32)
            move *= weight
            if grid is self.fine:
                skin = (weights @ self.skin).reshape(*move.shape[:2], 3)
                move += _turned(skin, cells @ (nearer * rotation @ turn)[:2].astype(np.float32))
            out.append(np.minimum(np.maximum(move, bounds[0]), bounds[1]))
        forward = unfold(out[1], *self.middle)
        return [invert(out[0], steps=4), invert(forward)], forward

    def below(
        self,
        skin: LowerSkin,
        weights: np.ndarray,
        turn: np.ndarray,
        source: np.ndarray,
        back: np.ndarray,
        forward: np.ndarray,
    ) -> np.ndarray:
        """Compute where the skin below an aperture comes from.

        Args:
            skin: One of `lower_skins`.
            weights: As for the field itself.
            turn: As for the field itself.
            source: (H, W, 2) pixels of the picture that all else comes from.
            back: The backward field of the window of the face.
            forward: The forward one.

        Returns:
            (h, w, 2) pixels of the picture, over the window of the aperture.
        """
        rotation = self._in_cells(self.fine) @ (self._face.rotation @ turn)[:2].astype(np.float32)
        start = back[skin.inner]
        field = forward[skin.inner] + _turned((weights @ skin.extra).reshape(*start.shape[:2], 3), rotation)
        if skin.middle is not None:
            unfold(field, *skin.middle)
        field = invert(field, start=start)
        if skin.middle is not None and (pressed := pressed_share(field)) is not None:
            field = soften_field(field, pressed)
        # Where nothing is added, further steps of the search must not move the skin either: the window's edge would show.
        apart = (field - start) * skin.reach
        apart *= np.float32(self.fine.step)
        return source[skin.pixels] + self.fine.upsample(apart, skin.cells)

    def _in_cells(self, grid: Grid) -> np.ndarray:
        """(2, 2) float32 that turns inter-ocular distances (to the right, up) into a grid's cells (to the right, down)."""
        return np.diag([1.0, -1.0]).astype(np.float32) * np.float32(self._face.scale / grid.step)


def _turned(field: np.ndarray, matrix: np.ndarray) -> np.ndarray:
    """(rows, columns, 2) a field (rows, columns, C) by a matrix (2, C): as one product, which takes a fraction of one for each row."""
    turned: np.ndarray = (field.reshape(-1, field.shape[-1]) @ matrix.T).reshape(*field.shape[:2], 2)
    return turned


def _clamp_below(places: np.ndarray, contour: np.ndarray) -> np.ndarray:
    """(..., 2) places (y up), those above a contour (N, 2) from corner to corner brought straight down to it."""
    x = np.maximum.accumulate(contour[:, 0])
    beyond = np.maximum(np.maximum(x[0] - places[..., 0], places[..., 0] - x[-1]), 0)
    highest = np.interp(places[..., 0], x, contour[:, 1]) + 2 * beyond
    return np.stack([places[..., 0], np.minimum(places[..., 1], highest)], -1)
