"""`PortraitWarper`: one portrait, prepared so that a frame of it costs a few matrix products and remaps."""

from dataclasses import dataclass

import numpy as np

from tbd.face import topology
from tbd.face.channels import BLENDSHAPES
from tbd.face.geometry import NUM_POINTS, VIEW_DISTANCE, FaceGeometry, euler_to_matrix, matrix_to_euler
from tbd.face.render.blur import excess_blur
from tbd.face.render.eyes import Eye, eye_aperture
from tbd.face.render.giving_way import GivingWay, emphasize, respond
from tbd.face.render.glasses import find_glasses
from tbd.face.render.grid import Grid, invert, sample, spread
from tbd.face.render.head import HeadVolume, SkinField, limit_to_outline
from tbd.face.render.lids import paint_clean_lids
from tbd.face.render.lines import line_maps
from tbd.face.render.matting import composite, split_layers
from tbd.face.render.mouth.painting import Mouth
from tbd.face.render.occlusion import average_layer, draw_pressed, pressed_share, soften_field, unfold
from tbd.face.render.relief import estimate_light, relief_maps
from tbd.face.render.sides import opened_sides
from tbd.face.render.skin import bare_skin, shadow_tint, skin_mask, skin_smoothness
from tbd.face.render.wrinkles import crease_maps, crease_onsets, crease_softness, saturate_depth, shown_depth
from tbd.face.rig import Rig, held_corners, resting_smile, smile_relaxation
from tbd.face.rigging.eyes import open_shut_eyes
from tbd.face.rigging.mouth import JAW, jaw_displacement, resting_jaw_drop
from tbd.utils.tracks import smoothstep

_TOO_SOFT = 0.03
"""Inter-ocular distances of blur beyond which nobody can tell whether eyes are shut."""
CELLS = 40
"""Cells per inter-ocular distance where the face moves."""
_EDGE = 6
"""Cells over which the window of these goes over into the whole picture's."""
_CREASES = 88
"""Samples per inter-ocular distance of the crease maps."""
_UNSEEN = np.array([0.32, 0.3, 0.0])
"""Of pitch, yaw and roll: what a viewer (MediaPipe's landmarker, in `benchmarks.closed_loop`) misses of a turn of the mesh, as a share of
what it sees."""
_FAR = 0.45
"""Radians by which a head is turned far."""
_RELIEF = np.float32(0.13)
"""Log light beyond which a change of relief gains and loses nothing more: skin shines through and is no mirror."""
_COARSE = 96
"""Cells along the longer side of the whole picture, which only turns and shifts smoothly."""
_ROOM = 0.3
"""Inter-ocular distances by which a head may leave its place."""
_OVERLAP = 0.016
"""How far a closed upper lid reaches over the lower one, so that it hides its wet rim; in inter-ocular distances."""
_STRETCH = 0.8
"""How much longer what lies beside the picture's edge may become when the head moves away from it."""
_CONTRARY = np.zeros((len(BLENDSHAPES), 4), np.float32)
"""Movements that a smile gives way to, in groups of those that go together, with how much of it full strength ends."""
for _group, _names in enumerate(
    (
        {"mouthFrownLeft": 0.25, "mouthFrownRight": 0.25, "mouthPucker": 0.8, "mouthFunnel": 0.6},
        {"mouthPressLeft": 0.5, "mouthPressRight": 0.5, "mouthRollLower": 0.3, "mouthRollUpper": 0.3},
        {"mouthStretchLeft": 0.35, "mouthStretchRight": 0.35, "noseSneerLeft": 0.4, "noseSneerRight": 0.4},
        {"browDownLeft": 0.35, "browDownRight": 0.35, "browInnerUp": 0.5, "eyeWideLeft": 0.15, "eyeWideRight": 0.15},
    )
):
    for _name, _share in _names.items():
        _CONTRARY[BLENDSHAPES.index(_name), _group] = _share
_SHOWN = {"mouthUpperUp": 1.4, "mouthLowerDown": 1.3, "mouthFunnel": 1.45}
"""Movements of the lips that a warped picture shows less of than a face does: by these factors they are drawn larger."""
_LIPS = list(topology.LIP_TOP + topology.LIP_BOTTOM)
_NOSE = 1
"""The mesh point at the tip of the nose: what lies nearer to it hides what lies farther out."""
_RESTING = 0.02
"""Inter-ocular distances that lips move until a mouth that is open in the portrait has left its rest."""
_JAW = [BLENDSHAPES.index(name) for name in JAW]
_MATCHED = np.float32(2)
"""A fold that is modelled lies beside the portrait's own by a little: half of its depth is found."""
_WORN = 0.45
"""A portrait that smiles already has corners that can rise less: of a full smile so much is in it."""
_SMILE = [BLENDSHAPES.index(f"mouthSmile{side}") for side in topology.SIDES]


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


class PortraitWarper:
    """A portrait ready to move. Drawing keeps no state, so frames may be drawn in any order and by several threads.

    Args:
        face: The portrait.
        neutralize: As for `MeshWarpRenderer`.
        shading: As for `MeshWarpRenderer`.
        close_lips: As for `MeshWarpRenderer`.
        open_eyes: As for `MeshWarpRenderer`.
        cells: As for `MeshWarpRenderer`.
    """

    def __init__(
        self,
        face: FaceGeometry,
        neutralize: float = 0.0,
        shading: float = 1.0,
        close_lips: float = 0.0,
        open_eyes: float = 0.0,
        cells: int = CELLS,
    ) -> None:
        self._face = face
        self._rest, self._pose = face.canonical.astype(np.float64), matrix_to_euler(face.rotation)
        self._neutralize, self._close_lips = np.float32(neutralize), np.float32(close_lips)
        self._blur = excess_blur(face.image, face.points[:, :2], face.scale)
        opened = open_shut_eyes(face.canonical) if open_eyes > 0 and self._blur < _TOO_SOFT * face.scale else None
        self._opened = None if opened is None else opened * open_eyes
        # Lids blink, squint and follow the gaze by the opening that they have once they are open.
        self._rig = Rig(face.canonical if self._opened is None else face.canonical + self._opened, drawn=True)
        # a smile that is drawn also straightens the lips; letting one go must not bend them
        plain = Rig(self._rig.canonical)
        self._smiling = np.float32(min(resting_smile(plain), 1))
        modes = [
            self._rig.modes,
            smile_relaxation(plain)[None],
            np.zeros((1, NUM_POINTS, 3)) if self._opened is None else self._opened[None],
            held_corners(self._rig)[None],
        ]
        self._modes = np.concatenate(modes).astype(np.float32)
        for side in topology.SIDES:
            self._modes[BLENDSHAPES.index(f"eyeBlink{side}"), list(topology.on_side(topology.EYE_TOP[1:-1], side)), 1] -= _OVERLAP
        for name, gain in _SHOWN.items():
            for channel in (name, f"{name}Left", f"{name}Right"):
                if channel in BLENDSHAPES:
                    self._modes[BLENDSHAPES.index(channel)] *= gain
        self._modes = limit_to_outline(self._modes, face)
        self._give_way = GivingWay(self._modes, self._rest)
        self._glasses = find_glasses(face)
        if self._glasses is not None and self._glasses.tinted:  # no eye is seen that could move
            self._modes[[i for i, name in enumerate(BLENDSHAPES) if name.startswith("eye")]] = 0
        height, width = face.image.shape[:2]
        outline = face.points[list(topology.FACE_OVAL), :2]
        self._layers = split_layers(face.image, outline, face.scale)
        self._coarse = Grid(height, width, max(1, round(max(height, width) / _COARSE)))
        self._fine = Grid(height, width, max(1, round(face.scale / cells)))
        self._prepare_fields(outline)
        self._prepare_apertures()
        self._prepare_creases(shading)

    def _prepare_fields(self, outline: np.ndarray) -> None:
        import cv2

        face = self._face
        volume = HeadVolume(face, self._glasses)
        centre = (outline.min(0) + outline.max(0)) / 2
        reach = (outline.max(0) - outline.min(0)) / 2
        self._window = self._fine.window(centre - 1.5 * reach, centre + [1.5, 1.75] * reach)
        wide, near = self._coarse.centres(), self._fine.centres()[self._window]
        self._camera = volume.camera(wide), volume.camera(near)
        self._opened_sides = tuple(opened_sides(camera, volume.outline, face.rotation[0, 2]) for camera in self._camera)
        self._middle = self._cell_of(face.points[_NOSE, :2], self._window)
        self._head_weight = spread(volume.head_weight(wide), 2), spread(volume.head_weight(near), 2)
        self._bounds = self._coarse.bounds(_STRETCH), tuple(bound[self._window] for bound in self._fine.bounds(_STRETCH))
        upper, lower = volume.skin("upper"), volume.skin("lower")
        self._free = self._window_edge(near.shape[:2])
        if self._glasses is not None:
            self._free = self._free * (1 - sample(self._glasses.stiffness(face.image, face.scale), near, cv2.BORDER_REPLICATE))
        edge = self._window_edge(near.shape[:2])
        places = volume.plane(near)
        fields = upper(self._modes, places.reshape(-1, 2)).reshape(len(self._modes), *near.shape[:2], 3) * self._free[..., None]
        self._skin = fields.reshape(len(self._modes), -1).astype(np.float32)
        self._edge, self._near_cells = self._window_share(np.zeros((*edge.shape, 2), np.float32)), (near + 0.5) / self._coarse.step - 0.5
        identity = np.stack(np.meshgrid(np.arange(face.image.shape[1]), np.arange(face.image.shape[0])), -1)
        self._identity = identity.astype(np.float32)
        lip = volume.plane(face.points[list(topology.LIP_BOTTOM), :2])
        self._lower_skins = [
            self._prepare_lower_skin(lower, fields, places, face.points[list(ids), :2], margin, drop, edge)
            for ids, margin, drop, edge in (
                (topology.LIP_TOP + topology.LIP_BOTTOM + (18,), (0.14, 0.12), 0.45, lip),
                (topology.EYE_TOP + topology.EYE_BOTTOM, (0.05, 0.09), 0.0, None),
                (topology.mirrored(topology.EYE_TOP + topology.EYE_BOTTOM), (0.05, 0.09), 0.0, None),
            )
        ]

    def _cell_of(self, pixel: np.ndarray, window: Window) -> tuple[int, int]:
        """The row and column of a window of cells that a pixel (x, y) lies in, or of the nearest in it."""
        row, column = (
            int(np.clip(place // self._fine.step - cells.start, 0, cells.stop - cells.start - 1))
            for place, cells in zip(pixel[::-1], window)
        )
        return row, column

    def _window_edge(self, shape: tuple[int, ...], back: np.ndarray | None = None) -> np.ndarray:
        """(rows, columns) 1 inside the window of the face, 0 at those of its edges that are not the picture's own.

        Or at those that what is seen comes from, where a backward field (rows, columns, 2) is given, in cells.
        """
        (rows, columns), (down, across) = self._fine.shape, self._window
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
        return spread(self._fine.upsample(share.astype(np.float32), self._window), 2)

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
        rows, columns = self._fine.window(middle - half - _ROOM * scale, middle + half + [_ROOM * scale, (_ROOM + drop) * scale])
        down, across = self._window
        rows = slice(max(rows.start, down.start), min(rows.stop, down.stop))
        columns = slice(max(columns.start, across.start), min(columns.stop, across.stop))
        inner = slice(rows.start - down.start, rows.stop - down.start), slice(columns.start - across.start, columns.stop - across.start)
        radius = np.linalg.norm((self._fine.centres()[rows, columns] - middle) / half, axis=-1)
        weight = smoothstep((1 - radius) / 0.3)[..., None]
        above = fields[(slice(None), *inner)]
        places = places[inner] if edge is None else _clamp_below(places[inner], edge)
        below = lower(self._modes, places.reshape(-1, 2)).reshape(above.shape) * self._free[inner][..., None]
        extra = ((below - above) * weight).reshape(len(self._modes), -1).astype(np.float32)
        middle_cell = None if edge is None else self._cell_of(self._face.points[_NOSE, :2], (rows, columns))
        share = spread(np.clip(8 * weight[..., 0], 0, 1).astype(np.float32), 2)
        return LowerSkin(inner, (rows, columns), self._fine.pixels((rows, columns)), extra, share, middle_cell)

    def _prepare_apertures(self) -> None:
        mouth, *eyes = (skin.pixels for skin in self._lower_skins)
        self._mouth = Mouth(self._face, mouth, self._blur)
        if self._mouth.lips is not None:  # as nearly all frames of speech show them
            self._freed = self._free_lips(1.0)
        usual = self._layers.foreground if self._mouth.lips is None else self._freed[0]
        self._averaged = [(usual, average_layer(usual))]
        self._jaw_anchors = jaw_displacement(self._rest, self._mouth.anchors)
        self._lips_forward = self._modes[:, [13, 14], 2].mean(1)
        self._smile_forward = np.zeros(len(self._modes), np.float32)
        self._smile_forward[_SMILE] = self._modes[_SMILE][:, list(topology.MOUTH_CORNERS), 2].mean(1)
        self._jaw_drop = resting_jaw_drop(self._rest, self._rig.basis[_JAW[0]])
        self._upper_lids, self._lower_lids = (self._layers.foreground.copy() for _ in range(2))
        skin = skin_mask(self._face.image, self._face.points[:, :2], self._face.scale)
        seen = self._glasses is None or not self._glasses.tinted
        self._eyes = [self._prepare_eye(side, pixels, skin) for side, pixels in zip(topology.SIDES, eyes)] if seen else []

    def _prepare_eye(self, side: topology.Side, pixels: Window, skin: np.ndarray) -> Eye:
        """Paint the lids of one eye into `_upper_lids` and `_lower_lids`, and prepare what is drawn between them."""
        face, aperture = self._face, eye_aperture(side, pixels)
        points = face.points[:, :2].astype(np.float64)
        top, bottom, brow = (points[list(ids)] for ids in (aperture.top, aperture.bottom, topology.on_side((53, 52, 65), side)))
        room = float(np.linalg.norm(brow.mean(0) - top[3:6].mean(0)))
        image = face.image[pixels].astype(np.float32)
        clean = paint_clean_lids(image, skin[pixels], aperture.open(top, bottom), room, face.scale)
        skins = []
        for foreground, colour, share in (
            (self._upper_lids, clean.upper, clean.upper_share),
            (self._lower_lids, clean.lower, clean.lower_share),
        ):
            opacity = foreground[pixels][..., 3:].astype(np.float32) / 255
            painted = np.round(colour * opacity).astype(np.uint8)
            foreground[pixels][..., :3] = np.where(share[..., None] > 0, painted, foreground[pixels][..., :3])
            skins.append(composite(foreground[pixels], self._layers.background[pixels]))
        opened = None
        if self._opened is not None:
            moved = face.project(face.canonical + self._opened) - face.project(face.canonical)
            opened = points + moved[:, :2]
        return Eye(face, side, pixels, skins[0], skins[1], self._blur, opened)

    def _prepare_creases(self, shading: float) -> None:
        import cv2

        down, across = self._fine.pixels(self._window)
        factor = min(1.0, _CREASES / self._face.scale)
        size = max(int((down.stop - down.start) * factor), 2), max(int((across.stop - across.start) * factor), 2)
        y = (np.arange(size[0]) + 0.5) / size[0] * (down.stop - down.start) - 0.5 + down.start
        x = (np.arange(size[1]) + 0.5) / size[1] * (across.stop - across.start) - 0.5 + across.start
        places = np.stack(np.meshgrid(x, y), -1).reshape(-1, 2)

        def shrink(values: np.ndarray) -> np.ndarray:
            return cv2.resize(values[down, across], size[::-1], interpolation=cv2.INTER_AREA)

        image, points, scale = self._face.image, self._face.points[:, :2], self._face.scale
        soft, depth = crease_softness(skin_smoothness(image, points, scale), self._blur / scale)
        skin = skin_mask(image, points, scale)
        light, bare = estimate_light(self._face, skin), bare_skin(skin, scale)
        if self._glasses is not None:
            bare = bare * (1 - self._glasses.stiffness(image, scale))
        maps, mix = crease_maps(points.astype(np.float64), places, scale, soft, light, shrink(bare).ravel(), depth, self._blur / scale)
        lines, deepened = line_maps(image, bare, points, scale)
        maps = np.concatenate([maps, [shrink(line).ravel() for line in lines]])
        mix = np.concatenate([mix, deepened], 1)
        headroom = np.clip((235 - shrink(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)).astype(np.float32)) / 90, 0, 1)
        maps = np.where(maps > 0, maps * headroom.ravel(), maps)
        # A smile that is let go leaves its folds in the pixels: they are lightened, as far as they are there.
        smiling = mix[_SMILE].sum(0)
        folds = np.flatnonzero(smiling > 0)
        log_light = np.log(shrink(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)).astype(np.float32) + 8)
        smiling[folds] *= np.minimum(_MATCHED * shown_depth(maps[folds].reshape(-1, *size), log_light), 1)
        self._smile_folds = np.float32(0.8) * self._smiling * smiling
        self._tint = shadow_tint(image, points)
        self._crease_shape, self._crease_mix = size, mix
        self._crease_onset = np.append(crease_onsets(), np.zeros(len(lines))).astype(np.float32)
        self._crease_maps = (maps * np.float32(shading)).astype(np.float32)
        cells = self._skin.reshape(len(self._modes), *self._camera[1].shape[:2], 3)
        towards = cells @ self._face.rotation[2].astype(np.float32)
        relief = relief_maps(towards, self._fine.step / scale, light)
        on_skin = cv2.resize(bare[down, across], relief.shape[:0:-1], interpolation=cv2.INTER_AREA)
        self._relief = (relief * on_skin * np.float32(shading)).reshape(len(relief), -1)

    def draw(self, values: np.ndarray, neutralize: float | None = None) -> np.ndarray:
        """Draw one frame.

        Args:
            values: (58,) of a `Motion`.
            neutralize: Instead of the portrait's own, in this frame.

        Returns:
            (H, W, 3) uint8 RGB.
        """
        import cv2

        blendshapes, head = values[: len(BLENDSHAPES)], values[len(BLENDSHAPES) :]
        weights = self._weights(blendshapes, self._neutralize if neutralize is None else np.float32(neutralize))
        turn, shift = euler_to_matrix(_shown_turn(head[:3], self._pose)), head[3:].astype(np.float64)
        back, forward = self._fields(weights, turn, shift)
        pressed = pressed_share(back[1])
        if pressed is not None:
            back[1] = soften_field(back[1], pressed)
        down, across = self._fine.pixels(self._window)
        move = self._coarse.upsample(back[0] * np.float32(self._coarse.step))
        edge, near = self._edge_in(back[0]), move[down, across]
        near += edge * (self._fine.upsample(back[1] * np.float32(self._fine.step), self._window) - near)
        source = cv2.add(move, self._identity)
        upper, lower, moving = self._lips(weights)
        seen = sample(upper, source, cv2.BORDER_REPLICATE)
        if pressed is not None:
            share = self._fine.upsample(pressed, self._window) * edge[..., 0]
            draw_pressed(seen[down, across], self._average(upper), source[down, across], share)
        frame = composite(seen, self._layers.background)
        self._draw_apertures(frame, weights, turn, shift, source, back[1], forward, lower, moving)
        self._draw_creases(frame, blendshapes, weights, back[1])
        return frame

    def _edge_in(self, back: np.ndarray) -> np.ndarray:
        """(h, w, 2) `_window_share` of a frame with a backward field of the whole picture, in its cells."""
        import cv2

        back = sample(back, self._near_cells, cv2.BORDER_REPLICATE) * np.float32(self._coarse.step / self._fine.step)
        return self._edge if np.abs(back).max() < 1 else self._window_share(back)

    def mesh(self, values: np.ndarray, neutralize: float | None = None) -> np.ndarray:
        """Compute where the mesh lies in a frame.

        Args:
            values: As for `draw`.
            neutralize: As for `draw`.

        Returns:
            (478, 2) pixels.
        """
        own = self._neutralize if neutralize is None else np.float32(neutralize)
        head = values[len(BLENDSHAPES) :]
        turn, shift = euler_to_matrix(_shown_turn(head[:3], self._pose)), head[3:].astype(np.float64)
        return self._moved(self._weights(values[: len(BLENDSHAPES)], own), turn, shift)

    def canonical_mesh(self, values: np.ndarray) -> np.ndarray:
        """Compute the expression of a frame without its pose.

        Args:
            values: (58,) of a `Motion`; its head is not read.

        Returns:
            (478, 3) in the head's frame, as `FaceGeometry.canonical`.
        """
        weights = self._weights(values[: len(BLENDSHAPES)], self._neutralize)
        mesh: np.ndarray = self._rest + np.tensordot(weights, self._modes, 1)
        return mesh

    def _weights(self, blendshapes: np.ndarray, neutralize: np.float32) -> np.ndarray:
        """(52,) → (56,) weights of the rig's modes (the last closes parted lips), and of those that follow.

        These are the smile let go, shut eyes that are open, and corners of the mouth that a smile holds. The resting smile gives way as
        far as `neutralize` says, and to movements that no smiling face makes; parted lips close as far as it does, or as `close_lips` says.
        """
        weights = self._give_way(self._rig.activations(respond(blendshapes)))
        contrary = 1 - np.prod(1 - np.clip(blendshapes @ _CONTRARY, 0, 1))
        yields = neutralize + (1 - neutralize) * contrary
        weights[-1] += (1 - weights[-1]) * max(yields, self._close_lips)
        held = weights[_JAW[0]] * blendshapes[_SMILE].mean()
        weights[_SMILE] *= 1 - _WORN * self._smiling * (1 - yields)
        return np.append(weights, np.array([yields, 1, held], np.float32))

    def _fields(self, weights: np.ndarray, turn: np.ndarray, shift: np.ndarray):
        """Backward fields of the whole picture and of the face, in cells, and the face's forward field."""
        rotation = self._face.rotation.astype(np.float64)
        nearer = VIEW_DISTANCE / (VIEW_DISTANCE - shift[2])
        change = (nearer * (rotation @ (turn - np.eye(3)) @ rotation.T) + (nearer - 1) * np.eye(3))[:2].astype(np.float32)
        out = []
        grids = self._coarse, self._fine
        for camera, sides, weight, bounds, grid in zip(self._camera, self._opened_sides, self._head_weight, self._bounds, grids):
            cells = self._in_cells(grid)
            move = _turned(camera, cells @ change)
            move[..., 0] += cells[0, 0] * change[0, 2] * sides[int(change[0, 2] < 0)]  # what lies deep goes against the change: outwards
            move += (shift[:2] * cells.diagonal()).astype(np.float32)
            move *= weight
            if grid is self._fine:
                skin = (weights @ self._skin).reshape(camera.shape)
                move += _turned(skin, cells @ (nearer * rotation @ turn)[:2].astype(np.float32))
            out.append(np.minimum(np.maximum(move, bounds[0]), bounds[1]))
        forward = unfold(out[1], *self._middle)
        return [invert(out[0], steps=4), invert(forward)], forward

    def _moved(self, weights: np.ndarray, turn: np.ndarray, shift: np.ndarray) -> np.ndarray:
        """(478, 2) pixels of the mesh."""
        points = self._rest + np.tensordot(weights, self._modes, 1)
        moved = self._face.project(points, turn, shift)[:, :2]
        rest = self._face.project(self._rest, np.eye(3), np.zeros(3))[:, :2]
        return self._face.points[:, :2] + (moved - rest)

    def _lips(self, weights: np.ndarray) -> tuple[np.ndarray, np.ndarray, float]:
        """The foreground (H, W, 4) with the upper and with the lower lip, and how far (0..1) the lips have left their rest.

        At rest a mouth that is open in the portrait keeps its pixels; as it moves, its lips are freed of what stands between them.
        """
        photograph, lips = self._layers.foreground, self._mouth.lips
        if lips is None:
            return photograph, photograph, 1.0
        moved = np.linalg.norm(np.tensordot(weights, self._modes[:, _LIPS], 1), axis=-1).max()
        moving = float(smoothstep(moved / _RESTING))
        if moving == 0:
            return photograph, photograph, 0.0
        upper, lower = self._freed if moving == 1 else self._free_lips(moving)
        return upper, lower, moving

    def _free_lips(self, moving: float) -> tuple[np.ndarray, np.ndarray]:
        """The foreground (H, W, 4) with each lip freed of what stands between them, as far as 0..1."""
        rows, columns = self._lower_skins[0].pixels
        foregrounds = []
        for lip in self._mouth.lips or ():
            foreground = self._layers.foreground.copy()
            part = foreground[rows, columns, :3]
            part[...] = np.where(part == self._face.image[rows, columns], part + moving * (lip.astype(np.float32) - part) + 0.5, part)
            foregrounds.append(foreground)
        return foregrounds[0], foregrounds[1]

    def _average(self, foreground: np.ndarray) -> np.ndarray:
        """(H, W, 4) the foreground averaged for where it is pressed together; that of most frames is kept."""
        for known, averaged in self._averaged:
            if known is foreground:
                return averaged
        return average_layer(foreground)

    def _jaw_weights(self, weights: np.ndarray) -> np.ndarray:
        """(4,) how far the jaw is opened and shifted from where the teeth meet."""
        jaw = weights[_JAW].astype(np.float64)
        jaw[0] += self._jaw_drop * (1 - weights[len(BLENDSHAPES)])  # what it hangs in the portrait, closing resting lips takes back
        return jaw

    def _draw_apertures(self, frame, weights, turn, shift, source, back, forward, lips, moving) -> None:
        moved = self._moved(weights, turn, shift)
        below = [self._below(skin, weights, turn, source, back, forward) for skin in self._lower_skins]
        jaw = np.tensordot(self._jaw_weights(weights), self._jaw_anchors, 1)
        anchors, hanging = (self._face.project(self._mouth.anchors + drop, turn, shift)[:, :2] for drop in (np.zeros(3), jaw))
        pixels = self._lower_skins[0].pixels
        image = self._layer_at(lips, below[0], pixels)
        forward, back = max(float(weights @ self._lips_forward), 0.0), -float(weights @ self._smile_forward)
        protruded = forward - max(back - 2 * forward, 0.0)
        self._mouth.draw(frame[pixels], moved, anchors, hanging, image, protruded, moving)
        for skin, places, eye in zip(self._lower_skins[1:], below[1:], self._eyes):
            box = eye.box(moved)
            part = tuple(slice(window.start + inner.start, window.start + inner.stop) for window, inner in zip(skin.pixels, box))
            upper = self._layer_at(self._upper_lids, source[part[0], part[1]], (part[0], part[1]))
            lower = self._layer_at(self._lower_lids, places[box], (part[0], part[1]))
            anchors = self._face.project(eye.anchors, turn, shift)[:, :2]
            eye.draw(frame[part[0], part[1]], moved, anchors, upper, lower, box)

    def _below(self, skin: LowerSkin, weights, turn, source, back, forward) -> np.ndarray:
        """(h, w, 2) pixels of the picture that the skin below an aperture comes from, over its window."""
        rotation = self._in_cells(self._fine) @ (self._face.rotation @ turn)[:2].astype(np.float32)
        start = back[skin.inner]
        field = forward[skin.inner] + _turned((weights @ skin.extra).reshape(*start.shape[:2], 3), rotation)
        if skin.middle is not None:
            unfold(field, *skin.middle)
        field = invert(field, start=start)
        if skin.middle is not None and (pressed := pressed_share(field)) is not None:
            field = soften_field(field, pressed)
        # Where nothing is added, further steps of the search must not move the skin either: the window's edge would show.
        apart = (field - start) * skin.reach
        apart *= np.float32(self._fine.step)
        return source[skin.pixels] + self._fine.upsample(apart, skin.cells)

    def _in_cells(self, grid: Grid) -> np.ndarray:
        """(2, 2) float32 that turns inter-ocular distances (to the right, up) into a grid's cells (to the right, down)."""
        return np.diag([1.0, -1.0]).astype(np.float32) * np.float32(self._face.scale / grid.step)

    def _layer_at(self, foreground: np.ndarray, places: np.ndarray, pixels: Window) -> np.ndarray:
        """(h, w, 3) uint8: a foreground sampled at places, before the background of a window, which does not go with it."""
        import cv2

        return composite(sample(foreground, places, cv2.BORDER_REPLICATE), self._layers.background[pixels])

    def _draw_creases(self, frame: np.ndarray, blendshapes: np.ndarray, weights: np.ndarray, back: np.ndarray) -> None:
        import cv2

        amounts = (
            saturate_depth(emphasize(blendshapes) @ self._crease_mix, self._crease_onset)
            - weights[len(self._rig.modes)] * self._smile_folds
        )
        light = (amounts @ self._crease_maps).reshape(self._crease_shape)
        rows, columns = self._crease_shape
        relief = np.tanh(weights @ self._relief / _RELIEF) * _RELIEF
        light += cv2.resize(relief.reshape(back.shape[:2]), (columns, rows), interpolation=cv2.INTER_LINEAR)
        down, across = self._fine.pixels(self._window)
        size = across.stop - across.start, down.stop - down.start
        places = np.arange(columns, dtype=np.float32), np.arange(rows, dtype=np.float32)[:, None]
        # plane by plane, as in `invert`
        x, y = (
            place + plane * np.float32(cells / pixels) * self._fine.step
            for place, plane, cells, pixels in zip(places, cv2.split(cv2.resize(back, (columns, rows))), (columns, rows), size)
        )
        seen = cv2.remap(light, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT)
        part = frame[down, across]
        cv2.multiply(part, cv2.resize(cv2.merge([cv2.exp(seen * tint) for tint in self._tint]), size), dst=part, dtype=cv2.CV_8U)


def _turned(field: np.ndarray, matrix: np.ndarray) -> np.ndarray:
    """(rows, columns, 2) a field (rows, columns, 3) by a matrix (2, 3): as one product, which takes a fraction of one for each row."""
    turned: np.ndarray = (field.reshape(-1, 3) @ matrix.T).reshape(*field.shape[:2], 2)
    return turned


def _shown_turn(angles: np.ndarray, pose: np.ndarray) -> np.ndarray:
    """(3,) pitch, yaw, roll in radians by which the mesh turns, so that a viewer sees the turn that is meant.

    A warped picture keeps both of its cheeks and its shadows as they were, so a turn looks smaller than it is; to large ones, whose
    distortions show, nothing is added. `pose` are the portrait's own pitch, yaw and roll.
    """
    return angles * (1 + _UNSEEN * np.exp(-((np.maximum(np.abs(angles), np.abs(angles + pose)) / _FAR) ** 2)))


def _clamp_below(places: np.ndarray, contour: np.ndarray) -> np.ndarray:
    """(..., 2) places (y up), those above a contour (N, 2) from corner to corner brought straight down to it."""
    x = np.maximum.accumulate(contour[:, 0])
    beyond = np.maximum(np.maximum(x[0] - places[..., 0], places[..., 0] - x[-1]), 0)
    highest = np.interp(places[..., 0], x, contour[:, 1]) + 2 * beyond
    return np.stack([places[..., 0], np.minimum(places[..., 1], highest)], -1)
