"""Windows of decoded frames against the whole frame, converted by FFmpeg."""

from fractions import Fraction

import av
import numpy as np
import pytest

from tbd.media.lazy_frame import LazyFrame, to_yuv420


@pytest.fixture(scope="module")
def image():
    import skimage.data

    return skimage.data.astronaut()[:, :480]


@pytest.mark.parametrize("kind", ["yuv420p", "yuvj420p", "yuv444p", "yuvj444p", "rgb24", "yuv422p", "yuv420p10le"])
@pytest.mark.parametrize("window", [(100, 60, 300, 200), (101, 61, 299, 201), (0, 0, 480, 512)])
def test_a_window_is_part_of_the_whole(image, kind, window):
    left, top, width, height = window
    frame = av.VideoFrame.from_ndarray(image, "rgb24").reformat(format=kind)
    whole = frame.to_ndarray(format="rgb24").astype(int)
    part = LazyFrame(frame)[top : top + height, left : left + width]
    assert part.shape == (height, width, 3)
    difference = np.abs(part - whole[top : top + height, left : left + width])
    assert difference.mean() < 1.5 and np.percentile(difference, 99) <= 8  # chroma is interpolated a little otherwise


def test_a_window_of_a_window(image):
    picture = LazyFrame(av.VideoFrame.from_ndarray(image, "rgb24")).crop(40, 30, 200, 100)
    assert picture.shape == (100, 200, 3)
    assert np.array_equal(picture[10:20, 5:], image[40:50, 45:240])


@pytest.mark.parametrize("kind", ["yuv420p", "yuvj444p", "rgb24"])
def test_a_square_is_the_scaled_part(image, kind):
    import cv2

    frame = av.VideoFrame.from_ndarray(image, "rgb24").reformat(format=kind)
    square = LazyFrame(frame).crop_square(120, 40, 256, 64)
    assert (square.width, square.height, square.format.name) == (64, 64, "yuv420p")
    expected = cv2.resize(image[40:296, 120:376], (64, 64), interpolation=cv2.INTER_AREA).astype(int)
    assert np.abs(square.to_ndarray(format="rgb24") - expected).mean() < 5


def test_a_square_that_reaches_outside_repeats_the_edge(image):
    import cv2

    square = LazyFrame(av.VideoFrame.from_ndarray(image, "rgb24")).crop_square(-100, -20, 560, 112).to_ndarray(format="rgb24").astype(int)
    assert np.abs(square[40, :18] - image[40 * 5 - 20, 0]).mean() < 12
    inside = cv2.resize(image[:500, :450], (90, 100), interpolation=cv2.INTER_AREA).astype(int)
    assert np.abs(square[4:104, 20:110] - inside).mean() < 6


def test_ranges_and_matrices_are_brought_to_one():
    """White is white and red is red, whatever the source says of itself."""
    red = np.zeros((32, 32, 3), np.uint8)
    red[..., 0] = 255
    for kind in ("yuv420p", "yuvj420p", "yuv444p", "rgb24"):
        out = to_yuv420(av.VideoFrame.from_ndarray(red, "rgb24").reformat(format=kind), 16)
        assert np.abs(out.to_ndarray(format="rgb24").astype(int) - [255, 0, 0]).max() < 6, kind


def test_rotation_metadata_is_applied(tmp_path):
    """A phone's video: stored sideways, with a display matrix."""
    tall = np.zeros((64, 32, 3), np.uint8)
    tall[:32] = 255
    with av.open(str(tmp_path / "a.mp4"), "w") as container:
        stream = container.add_stream("libx264", rate=25)
        stream.width, stream.height, stream.pix_fmt = 64, 32, "yuv420p"
        for i in range(3):
            frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(np.rot90(tall)), "rgb24")
            frame.pts, frame.time_base = i, Fraction(1, 25)
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    plain = np.array([1 << 16, 0, 0, 0, 1 << 16], ">i4").tobytes()  # in the track's header, and in the movie's before it
    turned = np.array([0, 1 << 16, 0, -1 << 16, 0], ">i4").tobytes()
    data = (tmp_path / "a.mp4").read_bytes()
    for matrix, shape in ((plain, (32, 64, 3)), (turned, (64, 32, 3))):
        (tmp_path / "a.mp4").write_bytes(matrix.join(data.rsplit(plain, 1)))
        with av.open(str(tmp_path / "a.mp4")) as container:
            picture = LazyFrame(next(container.decode(video=0)))
        assert picture.shape == shape
    assert picture[:20, :].mean() > 230 and picture[40:, :].mean() < 20
