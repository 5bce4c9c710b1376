"""Pictures, sound and video, read back from files that other code (PIL, PyAV, the wave module) wrote."""

import gc
import json
import wave
from fractions import Fraction
from types import SimpleNamespace

import av
import numpy as np
import pytest
from PIL import Image

from tbd.errors import InputError
from tbd.face.portrait import crop_portrait_image, portrait_window
from tbd.media import VideoWriter, provenance, read_audio, read_image, read_video, video_info
from tbd.media.video import _timed

TONE = 220.0


@pytest.fixture
def picture():
    """(40, 60, 3) with a red left upper corner."""
    image = np.random.default_rng(0).integers(60, 200, (40, 60, 3)).astype(np.uint8)
    image[:10, :10] = [255, 0, 0]
    return image


def tone(rate, seconds=1.0, level=0.5):
    return (level * np.sin(2 * np.pi * TONE * np.arange(round(rate * seconds)) / rate)).astype(np.float32)


def write_sound(path, samples, rate, codec, sample_format):
    """(C, N) float samples → a file, by PyAV."""
    layout = {1: "mono", 2: "stereo"}[len(samples)]
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=rate, layout=layout)
        stream.codec_context.format = sample_format
        resampler = av.AudioResampler(format=sample_format, layout=layout, rate=rate, frame_size=stream.codec_context.frame_size or 1024)
        frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(samples, np.float32), format="fltp", layout=layout)
        frame.sample_rate, frame.pts = rate, 0
        for block in [*resampler.resample(frame), *resampler.resample(None)]:
            container.mux(stream.encode(block))
        container.mux(stream.encode())


def write_numbers(path, times, rate=25, size=(64, 48)):
    """A video whose frame i is of grey 4 i + 20, shown from times[i] seconds on."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=Fraction(rate).limit_denominator(1001), options={"crf": "1", "preset": "ultrafast"})
        stream.width, stream.height, stream.pix_fmt = *size, "yuv420p"
        stream.codec_context.time_base = Fraction(1, 90_000)
        for i, time in enumerate(times):
            frame = av.VideoFrame.from_ndarray(np.full((size[1], size[0], 3), 4 * i + 20, np.uint8), "rgb24").reformat(format="yuv420p")
            frame.pts, frame.time_base = round(time * 90_000), Fraction(1, 90_000)
            container.mux(stream.encode(frame))
        container.mux(stream.encode())


def numbers(frames):
    return [round((float(frame.mean()) - 20) / 4) for frame in frames]


# --- pictures


def test_plain_pictures_are_exact(tmp_path, picture):
    for name in ("a.png", "a.bmp", "a.webp"):
        Image.fromarray(picture).save(tmp_path / name, **({"lossless": True} if name.endswith("webp") else {}))
        np.testing.assert_array_equal(read_image(tmp_path / name), picture)


def test_exif_orientation_turns_the_picture_upright(tmp_path, picture):
    exif = Image.Exif()
    exif[0x0112] = 6  # the camera was held so that the picture must be turned 90° clockwise
    Image.fromarray(picture).save(tmp_path / "a.png", exif=exif)
    np.testing.assert_array_equal(read_image(tmp_path / "a.png"), np.rot90(picture, -1))


@pytest.mark.parametrize("mode", ["L", "P", "CMYK", "1", "LA", "RGBA"])
def test_other_modes_become_rgb(tmp_path, picture, mode):
    path = tmp_path / ("a.tif" if mode == "CMYK" else "a.png")
    Image.fromarray(picture).convert(mode).save(path)
    image = read_image(path)
    assert image.shape == picture.shape and image.dtype == np.uint8
    grey = mode in ("L", "1", "LA")
    assert abs(image.mean() - np.array(Image.fromarray(picture).convert("L")).mean() if grey else image.mean() - picture.mean()) < 6


def test_transparent_parts_lie_over_grey(tmp_path, picture):
    alpha = np.full((40, 60, 1), 255, np.uint8)
    alpha[20:], alpha[10:20] = 0, 128
    Image.fromarray(np.concatenate([picture, alpha], 2)).save(tmp_path / "a.png")
    image = read_image(tmp_path / "a.png")
    np.testing.assert_array_equal(image[:10], picture[:10])
    assert (image[20:] == 127).all()
    np.testing.assert_allclose(image[10:20], (picture[10:20] * (128 / 255) + 127 * (127 / 255)), atol=1)


def test_sixteen_bits(tmp_path, picture):
    deep = picture[..., 0].astype(np.uint16) * 257
    Image.fromarray(deep).save(tmp_path / "grey.png")
    np.testing.assert_array_equal(read_image(tmp_path / "grey.png"), picture[..., :1].repeat(3, 2))
    tifffile = pytest.importorskip("tifffile")
    tifffile.imwrite(tmp_path / "colour.tif", picture.astype(np.uint16) * 257, photometric="rgb")
    np.testing.assert_array_equal(read_image(tmp_path / "colour.tif"), picture)


def test_animation_gives_its_first_frame(tmp_path):
    first, second = Image.new("RGB", (8, 8), "red"), Image.new("RGB", (8, 8), "blue")
    first.save(tmp_path / "a.gif", save_all=True, append_images=[second])
    assert read_image(tmp_path / "a.gif")[0, 0].tolist() == [255, 0, 0]


def _bad_picture(path, kind, picture):
    if kind == "a folder":
        path.mkdir()
    elif kind == "empty":
        path.write_bytes(b"")
    elif kind == "a text":
        path.write_text("a portrait of the artist")
    elif kind == "broken off":
        Image.fromarray(picture).save(path, "png")
        path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    elif kind == "a video":
        with VideoWriter(path.with_suffix(".mp4")) as writer:
            writer.write(picture)
        path.with_suffix(".mp4").rename(path)


@pytest.mark.parametrize(
    ("kind", "says"),
    [
        ("missing", "There is no picture file"),
        ("a folder", "is a folder"),
        ("empty", "0 bytes"),
        ("a text", "is no picture"),
        ("broken off", "cannot be read to its end"),
        ("a video", "is a video"),
    ],
)
def test_what_is_no_picture_is_refused(tmp_path, picture, kind, says):
    path = tmp_path / "face.png"
    _bad_picture(path, kind, picture)
    with pytest.raises(InputError, match=rf"{says}") as caught:
        read_image(path)
    assert "face.png" in str(caught.value) and "\n" not in str(caught.value)


# --- sound

SOUNDS = [
    ("wav", "pcm_s16le", "s16", 8_000, 1),
    ("wav", "pcm_s24le", "s32", 44_100, 2),
    ("wav", "pcm_f32le", "flt", 48_000, 2),
    ("wav", "pcm_u8", "u8", 16_000, 1),
    ("flac", "flac", "s32", 96_000, 1),
    ("mp3", "libmp3lame", "fltp", 44_100, 2),
    ("m4a", "aac", "fltp", 48_000, 2),
    ("ogg", "libopus", "flt", 48_000, 1),
]


@pytest.mark.parametrize(("suffix", "codec", "sample_format", "rate", "channels"), SOUNDS)
def test_sound_of_any_kind_becomes_16_khz_mono(tmp_path, suffix, codec, sample_format, rate, channels):
    path = tmp_path / f"a.{suffix}"
    write_sound(path, np.tile(tone(rate), (channels, 1)), rate, codec, sample_format)
    audio = read_audio(path)
    assert audio.dtype == np.float32 and audio.ndim == 1
    assert abs(len(audio) - 16_000) <= 800  # MPEG codecs may keep a block of lead-in
    middle = audio[4000:12_000]
    peak = np.fft.rfft(middle * np.hanning(len(middle)))
    assert np.argmax(np.abs(peak)) * 2 == TONE
    assert np.abs(middle).max() == pytest.approx(0.5, abs=0.03)


def test_sound_keeps_its_samples(tmp_path):
    write_sound(tmp_path / "a.wav", tone(16_000)[None], 16_000, "pcm_f32le", "flt")
    np.testing.assert_allclose(read_audio(tmp_path / "a.wav"), tone(16_000), atol=1e-6)


def test_sound_at_another_rate_and_stereo_mixed(tmp_path):
    write_sound(tmp_path / "a.wav", np.stack([tone(16_000), 0 * tone(16_000)]), 16_000, "pcm_f32le", "flt")
    audio = read_audio(tmp_path / "a.wav", sample_rate=48_000)
    assert len(audio) == 48_000 and np.abs(audio).max() == pytest.approx(0.25, abs=0.01)


def _bad_sound(path, kind):
    if kind == "a folder":
        path.mkdir()
    elif kind == "empty":
        path.write_bytes(b"")
    elif kind == "a text":
        path.write_text("hello " * 100)
    elif kind in ("no samples", "too short", "silent"):
        with wave.open(str(path), "wb") as file:
            file.setparams((1, 2, 16_000, 0, "NONE", ""))
            file.writeframes(bytes({"no samples": 0, "too short": 400, "silent": 64_000}[kind]))
    elif kind == "not numbers":
        samples = tone(16_000)
        samples[500] = np.nan
        write_sound(path, samples[None], 16_000, "pcm_f32le", "flt")
    elif kind == "mute":
        with VideoWriter(path.with_suffix(".mp4")) as writer:
            writer.write(np.zeros((16, 16, 3), np.uint8))
        path.with_suffix(".mp4").rename(path)


@pytest.mark.parametrize(
    ("kind", "says"),
    [
        ("missing", "There is no sound file"),
        ("a folder", "is a folder"),
        ("empty", "0 bytes"),
        ("a text", "cannot be read as sound"),
        ("no samples", r"lasts 0\.000 seconds"),
        ("too short", r"lasts 0\.013 seconds"),
        ("silent", "is silent"),
        ("not numbers", "not numbers"),
        ("mute", "has no sound"),
    ],
)
def test_what_is_no_speech_is_refused(tmp_path, kind, says):
    path = tmp_path / "voice.wav"
    _bad_sound(path, kind)
    with pytest.raises(InputError, match=says) as caught:
        read_audio(path)
    assert "voice.wav" in str(caught.value) and "\n" not in str(caught.value)


# --- reading video


@pytest.mark.parametrize("rate", [25, 30, 30_000 / 1001, 24, 50, 12.5])
def test_frames_at_25_a_second_by_time_stamp(tmp_path, rate):
    count = round(rate)
    write_numbers(tmp_path / "a.mp4", np.arange(count) / rate, rate)
    video = read_video(tmp_path / "a.mp4")
    shown = numbers(video)
    assert len(shown) == pytest.approx(25 * count / rate, abs=1)
    # frame k shows the file's frame that is nearest to k / 25 s; of two, the earlier
    assert shown == [min(range(count), key=lambda i: (round(abs(i / rate - k / 25), 4), i)) for k in range(len(shown))]
    lags = [k / 25 - i / rate for k, i in enumerate(shown)]
    assert abs(np.mean(lags)) <= 0.25 / rate and max(map(abs, lags)) <= 0.5 / rate + 1e-3
    assert video.duration == pytest.approx(count / rate, abs=0.03)


def test_variable_frame_rate(tmp_path):
    """Held frames give way half an output frame before the next one's time, not halfway there."""
    times = [0, 0.033, 0.08, 0.4, 0.44, 0.6]
    write_numbers(tmp_path / "a.mp4", times)
    shown = numbers(read_video(tmp_path / "a.mp4"))
    assert shown[:16] == [0, 1, 2, 2, 2, 2, 2, 2, 2, 2, 3, 4, 4, 4, 4, 5]


def test_a_clock_that_is_set_anew_gives_no_hours_of_stills():
    frames = [SimpleNamespace(time=t, duration=None) for t in (0.0, 0.04, 90_000.0, 90_000.04, 0.16)]
    assert [round(begin, 2) for begin, _, _ in _timed(frames, 0.0, 25)] == [0.0, 0.04, 0.08, 0.12, 0.16]


def test_iterating_twice_gives_the_same_frames(tmp_path):
    write_numbers(tmp_path / "a.mp4", np.arange(10) / 25)
    video = read_video(tmp_path / "a.mp4")
    assert numbers(video) == numbers(video) == list(range(10))


def test_pictures_that_are_done_with_do_not_wait_for_the_garbage_collector(tmp_path):
    """A second of 4K is 300 MB."""
    with VideoWriter(tmp_path / "a.mp4") as writer:
        for _ in range(10):
            writer.write(np.zeros((64, 64, 3), np.uint8))
    gc.collect()
    before = pictures()
    gc.disable()
    try:
        assert sum(1 for _ in read_video(tmp_path / "a.mp4")) == 10
        assert pictures() == before
    finally:
        gc.enable()


def pictures() -> int:
    return sum(isinstance(thing, av.VideoFrame) for thing in gc.get_objects())


def test_display_matrix_is_applied(tmp_path):
    """A phone held upright: the track header says "turn by 90° clockwise"."""
    path = tmp_path / "a.mp4"
    frame = np.zeros((48, 64, 3), np.uint8)
    frame[:24] = 255  # bright at the top
    with VideoWriter(path) as writer:
        writer.write(frame)
    data = path.read_bytes()
    plain = np.array([0x10000, 0, 0, 0, 0x10000, 0, 0, 0, 0x40000000], ">u4").tobytes()
    turned = np.array([0, 0x10000, 0, 0xFFFF0000, 0, 0, 0, 0, 0x40000000], ">u4").tobytes()
    header = data.index(b"tkhd")
    assert data[header:].count(plain) == 1
    path.write_bytes(data[:header] + data[header:].replace(plain, turned))
    info = video_info(path)
    (shown,) = read_video(path)
    assert (info.width, info.height) == (48, 64) and shown.shape == (64, 48, 3)
    assert shown[:, 30:].mean() > 240 and shown[:, :18].mean() < 15  # the top has come to the right


@pytest.mark.parametrize("kind", ["missing", "a folder", "empty", "a text", "silent"])
def test_what_is_no_video_is_refused(tmp_path, kind):
    path = tmp_path / "clip.wav"
    _bad_sound(path, kind)
    with pytest.raises(InputError, match=r"clip\.wav"):
        read_video(path)


# --- writing video


def _streams(path):
    """(video, audio) as (frames or samples decoded, seconds by the container)."""
    with av.open(str(path)) as container:
        found = []
        for stream in container.streams:
            container.seek(0)
            decoded = list(container.decode(stream))
            found.append((len(decoded), float(stream.duration * stream.time_base), stream))
        return found, dict(container.metadata)


@pytest.mark.parametrize("seconds", [0.5, 2.0, 4.0])
@pytest.mark.parametrize("rate", [16_000, 44_100, 48_000])
def test_picture_and_sound_are_of_equal_length(tmp_path, seconds, rate):
    """Two seconds of frames with sound that is shorter, as long, longer."""
    with VideoWriter(tmp_path / "a.mp4", tone(rate, seconds), rate) as writer:
        for _ in range(50):
            writer.write(np.full((32, 32, 3), 90, np.uint8))
    ((frames, length, video), (_, heard, _)), _ = _streams(tmp_path / "a.mp4")
    assert frames == 50 and video.average_rate == 25 and length == pytest.approx(2.0, abs=1e-6)
    assert heard == pytest.approx(2.0, abs=0.002)
    audio = read_audio(tmp_path / "a.mp4", rate)
    assert len(audio) == pytest.approx(2 * rate, abs=rate / 500)
    if seconds < 2:
        assert np.abs(audio[round(0.7 * rate) :]).max() < 0.01  # filled with silence
    start, end = round(0.1 * rate), round(0.4 * rate)
    assert np.corrcoef(audio[start:end], tone(rate)[start:end])[0, 1] > 0.999  # neither early nor late


def test_container_says_that_the_video_is_generated(tmp_path):
    plan = {"text": "she fights back tears, then smiles — “oh”", "intensity": 0.8}
    with VideoWriter(tmp_path / "a.mp4", metadata=provenance(plan, seed="7")) as writer:
        writer.write(np.zeros((16, 16, 3), np.uint8))
    metadata = video_info(tmp_path / "a.mp4").metadata
    assert metadata["ai_generated"] == "true" and metadata["generator"].startswith("tbd ") and metadata["seed"] == "7"
    assert "AI-generated" in metadata["comment"]
    assert json.loads(metadata["plan"]) == json.loads(metadata["description"]) == plan


def test_file_plays_from_its_first_bytes(tmp_path):
    with VideoWriter(tmp_path / "a.mp4", tone(16_000)) as writer:
        for _ in range(25):
            writer.write(np.zeros((16, 16, 3), np.uint8))
    data = (tmp_path / "a.mp4").read_bytes()
    assert data.index(b"moov") < data.index(b"mdat")


def test_odd_sizes_grow_by_a_line_and_colours_stay(tmp_path):
    frame = np.zeros((33, 51, 3), np.uint8)
    frame[:, :17], frame[:, 17:34], frame[:, 34:] = (200, 40, 40), (40, 180, 60), (50, 60, 210)
    with VideoWriter(tmp_path / "a.mp4", crf=1) as writer:
        writer.write(frame)
    (shown,) = read_video(tmp_path / "a.mp4")
    assert shown.shape == (34, 52, 3)
    for x in (8, 25, 42):
        np.testing.assert_allclose(shown[16, x], frame[16, x], atol=6)


@pytest.mark.parametrize("interruption", [RuntimeError, KeyboardInterrupt])
def test_interrupted_writing_leaves_nothing(tmp_path, interruption):
    (tmp_path / "a.mp4").write_text("the file before")
    with pytest.raises(interruption), VideoWriter(tmp_path / "a.mp4", tone(16_000)) as writer:
        for _ in range(10):
            writer.write(np.zeros((16, 16, 3), np.uint8))
        raise interruption
    assert [p.name for p in tmp_path.iterdir()] == ["a.mp4"] and (tmp_path / "a.mp4").read_text() == "the file before"


def test_no_frames_no_file(tmp_path):
    with pytest.raises(InputError, match="No frame"), VideoWriter(tmp_path / "a.mp4", tone(16_000)):
        pass
    assert list(tmp_path.iterdir()) == []


def test_frames_of_another_shape_or_type_are_refused(tmp_path):
    for frame in (np.zeros((16, 18, 3), np.uint8), np.zeros((16, 16), np.uint8), np.zeros((16, 16, 3))):
        with pytest.raises(InputError, match="frame for"), VideoWriter(tmp_path / "a.mp4") as writer:
            writer.write(np.zeros((16, 16, 3), np.uint8))
            writer.write(frame)
    assert list(tmp_path.iterdir()) == []


def test_places_that_cannot_be_written(tmp_path):
    with pytest.raises(InputError, match=r"\.mp4"):
        VideoWriter(tmp_path / "a.avi")
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="Cannot write"), VideoWriter(tmp_path / "file" / "a.mp4"):
        pass


# --- portrait crops


def _ellipse(x, y, height):
    angle = np.linspace(0, 2 * np.pi, 40)
    return np.stack([x + 0.36 * height * np.cos(angle), y + height / 2 * np.sin(angle)], 1)


def test_window_leaves_room_and_stays_inside():
    left, top, side = portrait_window(_ellipse(500, 400, 200), (1000, 1000, 3))
    assert side == pytest.approx(2.4 * 200, rel=0.02)
    assert left == pytest.approx(500 - side / 2, abs=1) and top < 400 - 100 and top + side > 400 + 150
    left, top, side = portrait_window(_ellipse(130, 170, 200), (1000, 1000, 3))
    assert left == 0 and top == 0  # moved rather than padded


def test_crop_shows_what_lies_in_its_window():
    """A picture whose red counts its columns and whose green counts its rows (in fours) tells where each pixel is from."""
    y, x = np.mgrid[:960, :960]
    image = np.stack([x / 4, y / 4, 0 * x], 2).astype(np.uint8)
    points = _ellipse(500, 450, 200)
    left, top, side = portrait_window(points, image.shape)
    crop = crop_portrait_image(image, points, 256).astype(float)
    places = (np.arange(256) + 0.5) * side / 256
    np.testing.assert_allclose(crop[128, :, 0] * 4 + 2, left + places, atol=4)
    np.testing.assert_allclose(crop[:, 128, 1] * 4 + 2, top + places, atol=4)


def test_crop_beyond_the_border_continues_the_picture():
    image = np.full((220, 150, 3), (10, 120, 240), np.uint8)
    crop = crop_portrait_image(image, _ellipse(75, 110, 200), 128)
    assert crop.shape == (128, 128, 3) and np.abs(crop.astype(int) - image[0, 0]).max() <= 1
