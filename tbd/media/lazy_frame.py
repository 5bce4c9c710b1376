"""`LazyFrame`: a decoded frame that is converted to RGB only where its pixels are read.

A tracker needs a window around the face and a crop needs its square; converting whole 1080p frames to RGB costs more than
decoding them (measured: 8 ms against 5 ms for MEAD's 4:4:4 video).
"""

from typing import Any

import numpy as np

from tbd.media.orientation import is_upright, to_upright

_SUBSAMPLING = {"yuv420p": (2, 2), "yuvj420p": (2, 2), "yuv444p": (1, 1), "yuvj444p": (1, 1)}
"""Pixel format whose planes can be cut → horizontal and vertical chroma subsampling."""
_BT601 = (2, 5, 6)
"""Values of a frame's color space: unspecified, which most players take for BT.601, and the two codes of BT.601."""


class LazyFrame:
    """A video frame that is cut before it is converted.

    It replaces an (H, W, 3) uint8 RGB array where only ``shape`` and slices of rows and columns are used, as trackers do.

    Args:
        frame: PyAV video frame; its display matrix is applied.
        window: Left, top, width, height in pixels of the part that is the image; the whole frame by default.

    Example:
        >>> import av
        >>> frame = av.VideoFrame.from_ndarray(np.zeros((48, 64, 3), np.uint8), "rgb24")
        >>> LazyFrame(frame).crop(8, 8, 32, 16)[:4, :6].shape
        (4, 6, 3)
    """

    def __init__(self, frame: Any, window: tuple[int, int, int, int] | None = None) -> None:
        import av

        if not is_upright(frame):
            frame = av.VideoFrame.from_ndarray(to_upright(frame, frame.to_ndarray(format="rgb24")), format="rgb24")
        self._frame = frame
        self._left, self._top, width, height = window or (0, 0, frame.width, frame.height)
        self.shape = (height, width, 3)

    def crop(self, left: int, top: int, width: int, height: int) -> "LazyFrame":
        """Cut out a part, without converting it.

        Args:
            left: First column.
            top: First row.
            width: Columns.
            height: Rows.

        Returns:
            The part, which must lie within the frame.
        """
        return LazyFrame(self._frame, (self._left + left, self._top + top, width, height))

    def __getitem__(self, window: tuple[slice, slice]) -> np.ndarray:
        """Convert ``frame[top:bottom, left:right]`` to (h, w, 3) uint8 RGB; ends may be left out, as with an array."""
        (top, bottom, _), (left, right, _) = (s.indices(n) for s, n in zip(window, self.shape[:2]))
        x, y = self._left + left, self._top + top
        cut, dx, dy = _cut(self._frame, x, y, right - left, bottom - top)
        pixels = _to_rgb(cut)[dy : dy + bottom - top, dx : dx + right - left]
        return np.ascontiguousarray(pixels)

    def crop_square(self, left: int, top: int, side: int, size: int) -> Any:
        """Cut out and scale a square, which may reach outside the frame: there the frame's edge is repeated.

        Args:
            left: First column, even.
            top: First row, even.
            side: Columns and rows, even.
            size: Height and width of the result.

        Returns:
            PyAV frame that `VideoWriter.write_av_frame` takes.
        """
        height, width = self.shape[:2]
        x, y = max(left, 0), max(top, 0)
        w, h = min(left + side, width) - x, min(top + side, height) - y
        cut, dx, dy = _cut(self._frame, self._left + x, self._top + y, w, h)
        if (w, h) != (side, side) or (dx, dy) != (0, 0) or (cut.width, cut.height) != (side, side):
            import av

            pixels = _to_rgb(cut)[dy : dy + h, dx : dx + w]
            pads = ((y - top, top + side - y - h), (x - left, left + side - x - w), (0, 0))
            cut = av.VideoFrame.from_ndarray(np.pad(pixels, pads, mode="edge"), format="rgb24")
        return to_yuv420(cut, size)


def to_yuv420(frame: Any, size: int) -> Any:
    """Scale a frame and convert it to 4:2:0, BT.601 in limited range.

    Args:
        frame: PyAV frame.
        size: Height and width of the result, even.

    Returns:
        PyAV frame; `frame` itself if it is of that kind already.
    """
    from av.video.reformatter import ColorRange, Colorspace, Interpolation

    if (frame.width, frame.height, frame.format.name) == (size, size, "yuv420p") and frame.color_range != 2 and frame.colorspace in _BT601:
        return frame
    return frame.reformat(size, size, "yuv420p", dst_colorspace=Colorspace.ITU601, dst_color_range=ColorRange.MPEG,
                          interpolation=Interpolation.BICUBIC)  # fmt: skip


def _cut(frame: Any, left: int, top: int, width: int, height: int) -> tuple[Any, int, int]:
    """A part of a frame in the frame's own pixel format, and the part's offset in it, since edges must fall on chroma samples."""
    import av

    if (left, top, width, height) == (0, 0, frame.width, frame.height):
        return frame, 0, 0
    if frame.format.name not in _SUBSAMPLING:
        cut = frame if frame.format.name == "rgb24" else frame.reformat(format="rgb24")
        plane = cut.planes[0]
        pixels = (
            np.frombuffer(plane, np.uint8).reshape(-1, plane.line_size)[: cut.height, : 3 * cut.width].reshape(cut.height, cut.width, 3)
        )
        part = np.ascontiguousarray(pixels[top : top + height, left : left + width])
        return av.VideoFrame.from_ndarray(part, format="rgb24"), 0, 0
    across, down = _SUBSAMPLING[frame.format.name]
    # even numbers: swscale and OpenCV want whole chroma samples
    x, y = left - left % across, top - top % down
    w, h = -(-(left + width - x) // across) * across, -(-(top + height - y) // down) * down
    sizes = [(h, w), *[(h // down, w // across)] * 2]
    array = np.empty(sum(tall * wide for tall, wide in sizes), np.uint8)
    at = 0
    for i, (rows, (tall, wide)) in enumerate(zip(_planes(frame), sizes)):
        a, d = (across, down) if i else (1, 1)
        piece, out = rows[y // d : y // d + tall, x // a : x // a + wide], array[at : at + tall * wide].reshape(tall, wide)
        out[: piece.shape[0], : piece.shape[1]] = piece
        out[piece.shape[0] :, : piece.shape[1]] = piece[-1]  # a picture of odd size ends within a chroma sample
        out[:, piece.shape[1] :] = out[:, piece.shape[1] - 1 : piece.shape[1]]
        at += tall * wide
    array = array.reshape((3, h, w) if across == 1 else (-1, w))
    cut = av.VideoFrame.from_ndarray(array, format=frame.format.name)
    cut.colorspace, cut.color_range = frame.colorspace, frame.color_range
    return cut, left - x, top - y


def _to_rgb(frame: Any) -> np.ndarray:
    """OpenCV's conversions where they know the format: several times as fast as swscale's (measured), and the same to a level or two."""
    import cv2

    plain = frame.colorspace in _BT601
    if frame.format.name == "yuvj444p" and plain:
        y, u, v = _planes(frame)
        return cv2.cvtColor(cv2.merge([y, v, u]), cv2.COLOR_YCrCb2RGB)
    if frame.format.name == "yuv420p" and plain and frame.color_range != 2 and not (frame.width % 2 or frame.height % 2):
        joined = np.concatenate([plane.reshape(-1) for plane in _planes(frame)])
        return cv2.cvtColor(joined.reshape(-1, frame.width), cv2.COLOR_YUV2RGB_I420)
    return frame.to_ndarray(format="rgb24")


def _planes(frame: Any) -> list[np.ndarray]:
    """Views of the three planes, without what lies beyond their rows."""
    across, down = _SUBSAMPLING[frame.format.name]
    sides = [(frame.height, frame.width), *[(-(-frame.height // down), -(-frame.width // across))] * 2]
    return [np.frombuffer(p, np.uint8).reshape(-1, p.line_size)[:h, :w] for p, (h, w) in zip(frame.planes, sides)]
