"""Sound and pictures in time: gaps, damaged packets, channels, and the shape of pixels, in files made here."""

from fractions import Fraction
from types import SimpleNamespace

import av
import numpy as np
import pytest

from tbd.errors import InputError
from tbd.media import VideoWriter, read_audio, read_sound, read_video, video_info
from tbd.media.audio import _drop_bursts
from tbd.media.container import Damage, Segment
from tbd.media.lazy_frame import LazyFrame
from tbd.media.timeline import place_segments
from tbd.utils.user_warnings import TBDWarning, collect_warnings

RATE = 16_000
SECONDS = 3


@pytest.fixture(scope="module")
def voice() -> np.ndarray:
    """(N,) noise that is nowhere like itself, so that any part of it tells its place."""
    from scipy.signal import butter, sosfilt

    noise = np.random.default_rng(0).standard_normal(SECONDS * RATE)
    return (0.1 * sosfilt(butter(4, [200, 3000], "band", fs=RATE, output="sos"), noise)).astype(np.float32)


def coded(samples, codec, stream) -> list:
    """(C, N) float samples as packets of an output stream."""
    layout = stream.layout.name
    rate, size = RATE if codec != "libopus" else 48_000, stream.codec_context.frame_size or 1024
    resampler = av.AudioResampler(stream.format.name, layout, rate, size)
    frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(samples), format="fltp", layout=layout)
    frame.sample_rate, frame.pts = RATE, 0
    blocks = [*resampler.resample(frame), *resampler.resample(None)]
    return [packet for block in blocks for packet in stream.encode(block)] + stream.encode()


def write_packets(path, samples, codec, keep=lambda t: True, shift=lambda t: 0.0, pictures=None) -> None:
    """Write sound whose packets are left out or moved by their times; `pictures` gives the grey of each of 25 a second."""
    with av.open(str(path), "w") as container:
        video = None
        if pictures is not None:
            video = container.add_stream("libx264", rate=25, options={"preset": "ultrafast"})
            video.width, video.height, video.pix_fmt = 32, 32, "yuv420p"
        rate = 48_000 if codec == "libopus" else RATE
        stream = container.add_stream(codec, rate=rate, layout="mono" if len(samples) == 1 else "stereo")
        if codec.startswith("pcm"):
            stream.format = "s16"
        packets = []
        for grey in pictures or ():
            packets += video.encode(av.VideoFrame.from_ndarray(np.full((32, 32, 3), grey, np.uint8), "rgb24"))
        packets += video.encode() if video else []
        for packet in coded(samples, codec, stream):
            time = float(packet.pts * packet.time_base)
            if keep(time):
                packet.pts = packet.dts = packet.pts + round(shift(time) / packet.time_base)
                packets.append(packet)
        for packet in sorted(packets, key=lambda p: float(p.dts * p.time_base)):
            container.mux(packet)


def lag(voice, heard, time) -> float:
    """Seconds by which the tenth of a second of `voice` at `time` comes late in `heard`; NaN where it is not there."""
    part, first = voice[round(time * RATE) :][: RATE // 10], max(round((time - 0.7) * RATE), 0)
    around = heard[first : round((time + 0.8) * RATE)]
    likeness = np.correlate(around, part, "valid") / np.sqrt(np.correlate(around**2, np.ones(len(part)), "valid") * (part**2).sum() + 1e-9)
    return (first + likeness.argmax()) / RATE - time if likeness.max() > 0.6 else np.nan


GAPPED = [("libopus", "webm"), ("aac", "mp4"), ("aac", "mkv"), ("pcm_s16le", "mkv"), ("libmp3lame", "mp4"), ("flac", "mkv")]


@pytest.mark.parametrize(("codec", "suffix"), GAPPED)
def test_silence_stands_where_packets_are_missing(tmp_path, voice, codec, suffix):
    path = tmp_path / f"a.{suffix}"
    write_packets(path, voice[None], codec, keep=lambda t: not (0.8 <= t < 1.3 or 2.0 <= t < 2.2))
    with pytest.warns(TBDWarning, match=r"a\.\w+ leave gaps of 0\.[6-9]"):
        heard = read_audio(path)
    assert len(heard) / RATE == pytest.approx(SECONDS, abs=0.07)
    assert not heard[round(0.95 * RATE) : round(1.2 * RATE)].any()
    assert [lag(voice, heard, t) for t in (0.3, 1.5, 2.5)] == pytest.approx([0, 0, 0], abs=0.002)


@pytest.mark.parametrize("codec", ["aac", "libopus"])
def test_rounded_and_jittering_time_stamps_move_nothing(tmp_path, voice, codec):
    rng = np.random.default_rng(1)
    write_packets(tmp_path / "a.mkv", voice[None], codec)
    write_packets(tmp_path / "b.mkv", voice[None], codec, shift=lambda t: rng.uniform(-0.008, 0.008))
    plain, jittered = read_audio(tmp_path / "a.mkv"), read_audio(tmp_path / "b.mkv")
    start = round(0.1 * RATE)
    assert lag(plain, jittered, 1.0) == pytest.approx(lag(plain, jittered, 2.5), abs=1 / RATE)  # no sample lost or added between
    assert len(jittered) == pytest.approx(len(plain), abs=RATE // 100) and plain[start:].any()


def test_sound_stays_with_the_pictures(tmp_path, voice):
    """A flash at 2 s: sound that begins late, has a gap, or ends early is heard where it was recorded."""
    greys = [255 if i == 50 else 20 for i in range(75)]
    for name, keep in (("late", lambda t: t >= 0.5), ("gap", lambda t: not 1.0 <= t < 1.4)):
        write_packets(tmp_path / f"{name}.mp4", voice[None], "aac", keep, pictures=greys)
        flash = int(np.argmax([frame.mean() for frame in read_video(tmp_path / f"{name}.mp4")]))
        with collect_warnings():
            heard = read_audio(tmp_path / f"{name}.mp4")
        assert flash == 50 and lag(voice, heard, 2.0) == pytest.approx(0, abs=0.002), name
    assert not read_audio(tmp_path / "late.mp4")[: round(0.4 * RATE)].any()


def blocks(*times, seconds=0.02):
    return [Segment(time, seconds, "frame") for time in times]


def test_overlaps_restarts_and_odd_stamps():
    def at(*times):
        return [round(time, 3) for time, _ in place_segments(blocks(*times), 0.0)]

    steady = [round(0.02 * i, 3) for i in range(8)]
    assert at(*steady) == steady
    assert at(*steady[:3], 0.09, *steady[4:]) == steady  # one odd stamp
    assert at(0, 0.02, 0.5, 0.52, 0.54, 0.56, 0.58) == [0, 0.02, 0.5, 0.52, 0.54, 0.56, 0.58]
    assert at(0.2, 0.22, 0.24, 0.2, 0.22, 0.24, 0.26, 0.28) == [0.2, 0.22, 0.24, 0.2, 0.22, 0.24, 0.26, 0.28]  # packets sent twice
    assert at(5, 5.02, 0, 0.02, 0.04, 0.06, 0.08) == [5, 5.02, 5.04, 5.06, 5.08, 5.1, 5.12]  # a clock set anew
    assert at(0, 0.02, 95_000, 95_000.02, 95_000.04, 95_000.06, 95_000.08) == [0, 0.02, 0.04, 0.06, 0.08, 0.1, 0.12]
    assert at(0, None, None, 0.06, 0.08, 0.1, 0.12) == steady[:7]
    assert at(*[0.4 * i for i in range(6)]) == [round(0.4 * i, 3) for i in range(6)]  # one packet in 400 ms, as in Opus's pauses


# --- damage


def spoil(path, first, last, fill=True) -> None:
    """Overwrite the packets between two times, or flip bytes of them."""
    with av.open(str(path)) as container:
        spots = [(p.pos, p.size, float(p.pts * p.time_base)) for p in container.demux(audio=0) if p.size and p.pts is not None]
    data, rng = bytearray(path.read_bytes()), np.random.default_rng(0)
    for position, size, time in spots:
        if first <= time < last:
            where = slice(position, position + size) if fill else position + rng.integers(2, size, 8)
            for i in range(position, position + size) if fill else where:
                data[i] = 0 if fill else data[i] ^ 0xFF
    path.write_bytes(data)


SPOILT = [("aac", "m4a", True), ("aac", "m4a", False), ("libmp3lame", "mp3", True), ("flac", "flac", False)]


@pytest.mark.parametrize(("codec", "suffix", "fill"), SPOILT)
@pytest.mark.parametrize("interval", [(0, 0.05), (1.1, 1.2), (1.0, 1.3), (2.9, 4)])
def test_damaged_packets_are_skipped(tmp_path, voice, codec, suffix, fill, interval):
    path = tmp_path / f"a.{suffix}"
    write_packets(path, voice[None], codec)
    if suffix == "mp3" and interval[0] in (0, 2.9):
        pytest.skip("what FFmpeg cannot find at an mp3's ends is not counted")
    spoil(path, *interval, fill)
    with collect_warnings() as notes:
        heard = read_audio(path)
    assert all(("damaged" in line or "gaps" in line) and "a." in line for line in notes) and (notes or suffix == "mp3")
    assert [lag(voice, heard, t) for t in (0.5, 2.0, 2.6)] == pytest.approx([0, 0, 0], abs=0.002)
    assert np.abs(heard).max() < 0.9  # no burst


@pytest.mark.parametrize(("codec", "kept"), [("aac", False), ("mp3float", False), ("pcm_f32le", True)])
def test_bursts_of_damaged_packets_are_silenced(codec, kept):
    """A damaged AAC packet may decode to noise of 10⁵ times full scale; a recording may be as loud as it likes."""
    loud = SimpleNamespace(format=SimpleNamespace(name="fltp"), to_ndarray=lambda: np.full((1, 320), 3e4, np.float32))
    damage = Damage(packets=10)
    (piece,) = _drop_bursts([Segment(1.0, 0.02, loud)], codec, damage)
    assert (piece.frame is loud) == kept and damage.damaged == (0 if kept else 1) and (piece.time, piece.seconds) == (1.0, 0.02)


def test_a_file_that_is_mostly_damaged_is_refused(tmp_path, voice):
    write_packets(tmp_path / "a.m4a", voice[None], "aac")
    spoil(tmp_path / "a.m4a", 0.2, 2.8)
    with pytest.raises(InputError, match=r"a\.m4a is damaged: \d+ of its \d+ packets of sound"):
        read_audio(tmp_path / "a.m4a")


def test_a_broken_off_file_says_so(tmp_path, voice):
    write_packets(tmp_path / "a.mkv", voice[None], "flac")
    whole = (tmp_path / "a.mkv").read_bytes()
    (tmp_path / "a.mkv").write_bytes(whole[: len(whole) * 7 // 10])
    with pytest.warns(TBDWarning, match=r"a\.mkv is broken off: 0\.\d of its 3\.0 seconds are missing"):
        assert 1.8 < len(read_audio(tmp_path / "a.mkv")) / RATE < 2.3
    (tmp_path / "a.mkv").write_bytes(whole[: len(whole) * 3 // 10])
    with pytest.raises(InputError, match=r"holds 0\.\d of its 3\.0 seconds"):
        read_audio(tmp_path / "a.mkv")


def test_a_rate_and_channels_that_change(tmp_path, voice):
    """Two mp3s in one file."""
    for name, rate, samples in (("a", 44_100, np.stack([voice, voice])), ("b", 22_050, voice[None])):
        with av.open(str(tmp_path / f"{name}.mp3"), "w", options={"write_xing": "0", "id3v2_version": "0"}) as container:
            stream = container.add_stream("libmp3lame", rate=rate, layout="stereo" if len(samples) == 2 else "mono")
            frame = av.AudioFrame.from_ndarray(samples, format="fltp", layout=stream.layout.name)
            frame.sample_rate, frame.pts = RATE, 0
            resampler = av.AudioResampler(stream.format.name, stream.layout.name, rate, stream.codec_context.frame_size)
            for block in [*resampler.resample(frame), *resampler.resample(None)]:
                container.mux(stream.encode(block))
            container.mux(stream.encode())
    (tmp_path / "joined.mp3").write_bytes((tmp_path / "a.mp3").read_bytes() + (tmp_path / "b.mp3").read_bytes())
    with collect_warnings():
        heard = read_audio(tmp_path / "joined.mp3")
    assert len(heard) / RATE == pytest.approx(2 * SECONDS, abs=0.25)
    assert not np.isnan(lag(voice, heard, 1.0)) and not np.isnan(lag(voice, heard[SECONDS * RATE :], 1.0))


# --- channels


def write_wave(path, samples, rate=44_100) -> None:
    from scipy.io import wavfile

    wavfile.write(path, rate, np.ascontiguousarray(samples.T, np.float32))


@pytest.mark.parametrize("gain", [-1.0, -0.8])
def test_channels_that_cancel_each_other(tmp_path, voice, gain):
    write_wave(tmp_path / "a.wav", np.stack([voice, gain * voice]), RATE)
    with pytest.warns(TBDWarning, match="cancel each other"):
        np.testing.assert_allclose(read_audio(tmp_path / "a.wav"), voice, atol=1e-6)
    np.testing.assert_allclose(read_sound(tmp_path / "a.wav").samples, np.stack([voice, gain * voice]), atol=1e-6)


def test_channels_that_cancel_for_a_while(tmp_path, voice):
    other = voice * np.where(np.arange(len(voice)) < 2 * RATE, 1, -1)
    write_wave(tmp_path / "a.wav", np.stack([voice, other + 0.2]), RATE)  # and a constant offset
    with pytest.warns(TBDWarning, match="cancel each other"):
        read_audio(tmp_path / "a.wav")


@pytest.mark.parametrize("kind", ["same", "one silent", "offset", "apart"])
def test_ordinary_stereo_is_mixed_without_a_word(tmp_path, voice, kind, recwarn):
    other = {"same": voice, "one silent": 0 * voice, "offset": 0.5 * voice + 0.1, "apart": np.roll(voice, 5000)}[kind]
    write_wave(tmp_path / "a.wav", np.stack([voice, other]), RATE)
    np.testing.assert_allclose(read_audio(tmp_path / "a.wav"), (voice + other) / 2, atol=1e-6)
    assert not [w for w in recwarn if issubclass(w.category, TBDWarning)]


@pytest.mark.parametrize("channels", [3, 4, 6])
def test_more_channels_become_two_or_one(tmp_path, voice, channels):
    write_wave(tmp_path / "a.wav", np.stack([voice] * channels), RATE)
    assert len(read_sound(tmp_path / "a.wav").samples) <= 2
    assert np.corrcoef(read_audio(tmp_path / "a.wav"), voice)[0, 1] > 0.99


@pytest.mark.parametrize(("rate", "kept"), [(44_100, 44_100), (48_000, 48_000), (RATE, RATE), (8_000, 48_000), (96_000, 48_000)])
def test_the_videos_sound_is_the_recordings(tmp_path, rate, kept):
    """Stereo, its own rate, as loud, and in time."""
    time = np.arange(2 * rate) / rate
    write_wave(tmp_path / "a.wav", np.stack([0.5 * np.sin(2 * np.pi * 220 * time), 0.2 * np.sin(2 * np.pi * 330 * time)]), rate)
    sound = read_sound(tmp_path / "a.wav")
    assert sound.sample_rate == kept and sound.duration == pytest.approx(2, abs=1e-3)
    with VideoWriter(tmp_path / "a.mp4", sound.samples, sound.sample_rate) as writer:
        for _ in range(40):
            writer.write(np.full((32, 32, 3), 90, np.uint8))
    shown = read_sound(tmp_path / "a.mp4")
    assert shown.sample_rate == kept and shown.samples.shape[1] == pytest.approx(1.6 * kept, abs=2)
    middle = slice(kept // 4, kept)
    for before, after in zip(sound.samples, shown.samples):
        assert after[middle].std() == pytest.approx(before[middle].std(), rel=0.02)
        assert np.corrcoef(before[middle], after[middle])[0, 1] > 0.99


# --- pixels


@pytest.mark.parametrize("suffix", ["mp4", "mkv"])
@pytest.mark.parametrize(("ratio", "width"), [(Fraction(64, 45), 68), (Fraction(1, 2), 24), (Fraction(1), 48), (Fraction(1000), 48)])
def test_pixels_that_are_not_square(tmp_path, suffix, ratio, width):
    path = tmp_path / f"a.{suffix}"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=25, options={"preset": "ultrafast", "crf": "5"})
        stream.width, stream.height, stream.pix_fmt = 48, 64, "yuv420p"
        stream.codec_context.sample_aspect_ratio = ratio
        picture = np.zeros((64, 48, 3), np.uint8)
        picture[:, 24:] = 255
        for _ in range(3):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, "rgb24")))
        container.mux(stream.encode())
    video = read_video(path)
    frame = next(iter(video))
    assert frame.shape == (64, width, 3) == LazyFrame(next(video.av_frames())).shape
    assert (video.info.width, video.info.height) == (width, 64)
    assert frame[:, : width // 2 - 3].mean() < 20 and frame[:, width // 2 + 3 :].mean() > 235
    assert video_info(path).width == width


# --- notes on the command line


def test_notes_are_one_line_each_on_stderr(tmp_path, voice, monkeypatch, capfd):
    """`render` says what of the sound is left out, once, and ends well."""
    import skimage

    from tbd.cli.main import main
    from tbd.face.motion import Motion

    monkeypatch.chdir(tmp_path)

    Motion.zeros(25).save(tmp_path / "m.npz")
    for name, samples in (("long", np.stack([voice, -voice])), ("short", voice[None, : RATE // 2])):
        write_wave(tmp_path / f"{name}.wav", samples, RATE)
    command = ["render", "--portrait", f"{skimage.__path__[0]}/data/astronaut.png", "--motion", "m.npz", "--size", "64"]
    for name in ("long", "short"):
        assert main([*command, "--audio", f"{name}.wav", "--output", f"{name}.mp4"]) == 0
    said = [line for line in capfd.readouterr().err.splitlines() if "warning" in line]
    assert said == [
        "tbd render: warning: long.wav lasts 3.00 s and the motion 1.00 s; the last 2.00 s of sound are left out.",
        "tbd render: warning: short.wav lasts 0.50 s and the motion 1.00 s; the last 0.50 s are silent.",
    ]
    with av.open(str(tmp_path / "long.mp4")) as film:
        assert (film.streams.audio[0].channels, film.streams.audio[0].rate) == (2, RATE)
