"""`PortraitWarper`: one portrait, prepared so that a frame of it costs a few matrix products and remaps."""

import numpy as np

from tbd.face import topology
from tbd.face.channels import BLENDSHAPES
from tbd.face.geometry import FaceGeometry, euler_to_matrix, matrix_to_euler
from tbd.face.occlusion import is_mouth_occluded
from tbd.face.render.blur import excess_blur
from tbd.face.render.crease_light import CreaseLight
from tbd.face.render.expression import ShownExpression
from tbd.face.render.eyes.eye import Eye, eye_aperture
from tbd.face.render.eyes.lids import paint_clean_lids
from tbd.face.render.field import CELLS, MotionField, Window
from tbd.face.render.giving_way import SMILE
from tbd.face.render.grid import sample
from tbd.face.render.layers.glasses import find_glasses
from tbd.face.render.layers.matting import composite, split_layers
from tbd.face.render.mouth.painting import Mouth
from tbd.face.render.occlusion import average_layer, average_sideways, draw_averaged, pressed_share, soften_field, stretched_share
from tbd.face.render.skin import shadow_tint, skin_mask
from tbd.face.rigging.mouth import jaw_displacement
from tbd.utils.tracks import smoothstep

_UNSEEN = np.array([0.46, 0.75, 0.0])
"""Of pitch, yaw and roll: what a viewer misses of a turn of the mesh, as a share of what it sees. MediaPipe's landmarker reads less of
drawn turns than of filmed ones (`benchmarks.closed_loop`), of nods the less since shoulders stay and the jaw keeps its form. The places of
features say the same: the noses of 12 filmed people go, for a degree of yaw, 1.4 times as far as their meshes say (median; 1.1 to 1.6),
since a mesh is flatter than a head."""
_FAR, _FAR_POSE = np.array([0.45, 0.25, 0.45]), 0.45
"""Radians of a turn that is far, sooner sideways, where what a picture lacks comes into sight; and of the pose to which it leads."""
_LIPS = list(topology.LIP_TOP + topology.LIP_BOTTOM)
_RESTING = 0.02
"""Inter-ocular distances that lips move until a mouth that is open in the portrait has left its rest."""


class PortraitWarper:
    """A portrait ready to move. Drawing keeps no state, so frames may be drawn in any order and by several threads.

    Args:
        face: The portrait.
        neutralize: As for `MeshWarpRenderer`.
        shading: As for `MeshWarpRenderer`.
        close_lips: As for `MeshWarpRenderer`.
        open_eyes: As for `MeshWarpRenderer`.
        cells: As for `MeshWarpRenderer`.

    Attributes:
        expression: How far its movements go.
        field: Where its pixels go.
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
        self._face, self._pose = face, matrix_to_euler(face.rotation)
        self._blur = excess_blur(face.image, face.points[:, :2], face.scale)
        self.expression = ShownExpression(face, neutralize, close_lips, open_eyes, self._blur)
        self._glasses = find_glasses(face)
        self._mouth_seen = not is_mouth_occluded(face)
        self.expression.hold(eyes=self._glasses is not None and self._glasses.tinted, mouth=not self._mouth_seen)
        self._layers = split_layers(face.image, face.points[list(topology.FACE_OVAL), :2], face.scale)
        self.field = MotionField(face, self.expression.modes, self._glasses, cells)
        self._prepare_apertures()
        self._sideways = [average_sideways(layer, face.scale) for layer in (self._layers.foreground, self._upper_lids)]
        self._creases = CreaseLight(face, self.expression, self.field, self._glasses, self._blur, shading)

    def _prepare_apertures(self) -> None:
        mouth, *eyes = (skin.pixels for skin in self.field.lower_skins)
        modes = self.expression.modes
        self._mouth = Mouth(self._face, mouth, self._blur)
        if self._mouth.lips is not None:  # as nearly all frames of speech show them
            self._freed = self._free_lips(1.0)
        usual = self._layers.foreground if self._mouth.lips is None else self._freed[0]
        self._averaged = [(usual, average_layer(usual))]
        self._jaw_anchors = jaw_displacement(self.expression.rest, self._mouth.anchors)
        self._lips_forward = modes[:, [13, 14], 2].mean(1)
        self._smile_forward = np.zeros(len(modes), np.float32)
        self._smile_forward[SMILE] = modes[SMILE][:, list(topology.MOUTH_CORNERS), 2].mean(1)
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
        image, tint = face.image[pixels].astype(np.float32), shadow_tint(face.image, face.points[:, :2])
        clean = paint_clean_lids(image, skin[pixels], aperture.open(top, bottom), room, face.scale, tint, topology.outwards(side))
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
        if self.expression.opened is not None:
            moved = face.project(face.canonical + self.expression.opened) - face.project(face.canonical)
            opened = points + moved[:, :2]
        return Eye(face, side, pixels, skins[0], skins[1], self._blur, opened, clean.lash_height)

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
        weights, field = self._weights(blendshapes, neutralize), self.field
        turn, shift = euler_to_matrix(_shown_turn(head[:3], self._pose)), head[3:].astype(np.float64)
        back, forward = field(weights, turn, shift)
        pressed = pressed_share(back[1])
        if pressed is not None:
            back[1] = soften_field(back[1], pressed)
        down, across = field.fine.pixels(field.window)
        move = field.coarse.upsample(back[0] * np.float32(field.coarse.step))
        edge, near = field.edge_in(back[0]), move[down, across]
        near += edge * (field.fine.upsample(back[1] * np.float32(field.fine.step), field.window) - near)
        source = cv2.add(move, field.identity)
        upper, lower, moving = self._lips(weights)
        seen = sample(upper, source, cv2.BORDER_REPLICATE)
        if pressed is not None:
            share = field.fine.upsample(pressed, field.window) * edge[..., 0]
            draw_averaged(seen[down, across], self._average(upper), source[down, across], share)
        drawn_out, stretched = stretched_share(back[1], field.between_lid_and_brow), None
        if drawn_out is not None:
            stretched = np.zeros(seen.shape[:2], np.float32)
            stretched[down, across] = field.fine.upsample(drawn_out, field.window) * edge[..., 0]
            draw_averaged(seen[down, across], self._sideways[0], source[down, across], stretched[down, across])
        frame = composite(seen, self._layers.background)
        self._draw_apertures(frame, weights, turn, shift, source, back[1], forward, lower, moving, stretched)
        self._creases.draw(frame, blendshapes, weights, back[1])
        return frame

    def mesh(self, values: np.ndarray, neutralize: float | None = None) -> np.ndarray:
        """Compute where the mesh lies in a frame.

        Args:
            values: As for `draw`.
            neutralize: As for `draw`.

        Returns:
            (478, 2) pixels.
        """
        head = values[len(BLENDSHAPES) :]
        turn, shift = euler_to_matrix(_shown_turn(head[:3], self._pose)), head[3:].astype(np.float64)
        return self._moved(self._weights(values[: len(BLENDSHAPES)], neutralize), turn, shift)

    def canonical_mesh(self, values: np.ndarray) -> np.ndarray:
        """Compute the expression of a frame without its pose.

        Args:
            values: (58,) of a `Motion`; its head is not read.

        Returns:
            (478, 3) in the head's frame, as `FaceGeometry.canonical`.
        """
        return self.expression.shape(self.expression.weights(values[: len(BLENDSHAPES)]))

    def _weights(self, blendshapes: np.ndarray, neutralize: float | None) -> np.ndarray:
        """(56,) weights of a frame."""
        return self.expression.weights(blendshapes, None if neutralize is None else np.float32(neutralize))

    def _moved(self, weights: np.ndarray, turn: np.ndarray, shift: np.ndarray) -> np.ndarray:
        """(478, 2) pixels of the mesh."""
        moved = self._face.project(self.expression.shape(weights), turn, shift)[:, :2]
        rest = self._face.project(self.expression.rest, np.eye(3), np.zeros(3))[:, :2]
        return self._face.points[:, :2] + (moved - rest)

    def _lips(self, weights: np.ndarray) -> tuple[np.ndarray, np.ndarray, float]:
        """The foreground (H, W, 4) with the upper and with the lower lip, and how far (0..1) the lips have left their rest.

        At rest a mouth that is open in the portrait keeps its pixels; as it moves, its lips are freed of what stands between them.
        """
        photograph, lips = self._layers.foreground, self._mouth.lips
        if lips is None:
            return photograph, photograph, 1.0
        moved = np.linalg.norm(np.tensordot(weights, self.expression.modes[:, _LIPS], 1), axis=-1).max()
        moving = float(smoothstep(moved / _RESTING))
        if moving == 0:
            return photograph, photograph, 0.0
        upper, lower = self._freed if moving == 1 else self._free_lips(moving)
        return upper, lower, moving

    def _free_lips(self, moving: float) -> tuple[np.ndarray, np.ndarray]:
        """The foreground (H, W, 4) with each lip freed of what stands between them, as far as 0..1."""
        rows, columns = self.field.lower_skins[0].pixels
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

    def _draw_apertures(self, frame, weights, turn, shift, source, back, forward, lips, moving, stretched) -> None:
        import cv2

        moved = self._moved(weights, turn, shift)
        below = [self.field.below(skin, weights, turn, source, back, forward) for skin in self.field.lower_skins]
        jaw = np.tensordot(self.expression.jaw_weights(weights), self._jaw_anchors, 1)
        anchors, hanging = (self._face.project(self._mouth.anchors + drop, turn, shift)[:, :2] for drop in (np.zeros(3), jaw))
        pixels = self.field.lower_skins[0].pixels
        image = self._layer_at(lips, below[0], pixels)
        forward, back = max(float(weights @ self._lips_forward), 0.0), -float(weights @ self._smile_forward)
        protruded = forward - max(back - 2 * forward, 0.0)
        if self._mouth_seen:
            self._mouth.draw(frame[pixels], moved, anchors, hanging, image, protruded, moving)
        for skin, places, eye in zip(self.field.lower_skins[1:], below[1:], self._eyes):
            box = eye.box(moved)
            part = tuple(slice(window.start + inner.start, window.start + inner.stop) for window, inner in zip(skin.pixels, box))
            lid = sample(self._upper_lids, source[part[0], part[1]], cv2.BORDER_REPLICATE)
            if stretched is not None:
                draw_averaged(lid, self._sideways[1], source[part[0], part[1]], stretched[part[0], part[1]])
            upper = composite(lid, self._layers.background[part[0], part[1]])
            lower = self._layer_at(self._lower_lids, places[box], (part[0], part[1]))
            anchors = self._face.project(eye.anchors, turn, shift)[:, :2]
            eye.draw(frame[part[0], part[1]], moved, anchors, upper, lower, box)

    def _layer_at(self, foreground: np.ndarray, places: np.ndarray, pixels: Window) -> np.ndarray:
        """(h, w, 3) uint8: a foreground sampled at places, before the background of a window, which does not go with it."""
        import cv2

        return composite(sample(foreground, places, cv2.BORDER_REPLICATE), self._layers.background[pixels])


def _shown_turn(angles: np.ndarray, pose: np.ndarray) -> np.ndarray:
    """(3,) pitch, yaw, roll in radians by which the mesh turns, so that a viewer sees the turn that is meant.

    A warped picture keeps both of its cheeks and its shadows as they were, so a turn looks smaller than it is; to large ones, whose
    distortions show, nothing is added. `pose` are the portrait's own pitch, yaw and roll.
    """
    far = np.maximum(np.abs(angles) / _FAR, np.abs(angles + pose) / _FAR_POSE)
    return angles * (1 + _UNSEEN * np.exp(-(far**2)))
