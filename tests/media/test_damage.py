"""Damage of every kind: sound and pictures keep their time, and a note says what is missing. Files are made here."""

import io
import struct
import wave

import av
import numpy as np
import pytest

from tbd.errors import InputError
from tbd.media import read_audio, read_video
from tbd.media.integrity.elementary_streams import find_packets
from tbd.media.integrity.truncation import is_truncated
from tbd.utils.user_warnings import collect_warnings
from tests.media.test_time import RATE, SECONDS, coded, lag, voice, write_packets  # noqa: F401

ROW = {"mp3": "libmp3lame", "aac": "aac", "ac3": "ac3", "mp2": "mp2"}
"""Formats that are packets in a row → encoder."""


def write_row(path, samples, rate=48_000, **options) -> None:
    with av.open(str(path), "w", options=options) as container:
        stream = container.add_stream(ROW[path.suffix[1:]], rate=rate, layout="mono")
        frame = av.AudioFrame.from_ndarray(samples[None], format="fltp", layout="mono")
        frame.sample_rate, frame.pts = RATE, 0
        resampler = av.AudioResampler(stream.format.name, "mono", rate, stream.codec_context.frame_size)
        for block in [*resampler.resample(frame), *resampler.resample(None)]:
            container.mux(stream.encode(block))
        container.mux(stream.encode())


def spoilt(path, first: float, last: float, with_byte: int = 0) -> None:
    """Overwrite the bytes between two parts of a file."""
    data = bytearray(path.read_bytes())
    where = slice(round(first * len(data)), round(last * len(data)))
    data[where] = bytes([with_byte]) * len(data[where])
    path.write_bytes(data)


@pytest.mark.parametrize("suffix", ROW)
@pytest.mark.parametrize("part", [(0.0, 0.05), (0.02, 0.06), (0.5, 0.56), (0.3, 0.315)])
def test_lost_packets_without_time_stamps_leave_silence(tmp_path, voice, suffix, part):  # noqa: F811
    path = tmp_path / f"a.{suffix}"
    write_row(path, voice)
    whole = read_audio(path)
    if part[0] == 0 and suffix == "mp3":
        part = (0.02, 0.06)  # FFmpeg knows an mp3 by its first bytes
    spoilt(path, *part)
    with collect_warnings() as notes:
        heard = read_audio(path)
    late = lag(voice, whole, 2.6)
    assert lag(voice, heard, 2.6) == pytest.approx(late, abs=0.026) and lag(voice, heard, 1.0) == pytest.approx(late, abs=0.026)
    assert any("damaged" in line and "silence stands in their place" in line for line in notes)


def test_an_mp3_says_how_many_packets_it_had(tmp_path, voice):  # noqa: F811
    """Bytes that were cut out leave no trace but the count in the first packet."""
    write_row(tmp_path / "a.mp3", voice)
    data = (tmp_path / "a.mp3").read_bytes()
    (tmp_path / "a.mp3").write_bytes(data[: len(data) // 2] + data[len(data) // 2 + len(data) // 10 :])
    with collect_warnings() as notes:
        heard = read_audio(tmp_path / "a.mp3")
    assert [lag(voice, heard, t) for t in (0.5, 2.0, 2.6)] == pytest.approx([0, 0, 0], abs=0.002)
    assert len(notes) == 1 and "packets of the sound in" in notes[0]


@pytest.mark.parametrize("suffix", ROW)
def test_packets_are_found_as_ffmpeg_finds_them(tmp_path, voice, suffix):  # noqa: F811
    path = tmp_path / f"a.{suffix}"
    for rate in (48_000, 44_100, 32_000):
        write_row(path, voice, rate, **({"write_xing": "0"} if suffix == "mp3" else {}))
        with av.open(str(path)) as container:
            expected = [bytes(packet) for packet in container.demux(audio=0) if packet.size]
            found = find_packets(path, container.format.name)
        assert [data for data, *_ in found.with_gaps()] == expected and not found.lossy and not found.truncated


@pytest.mark.parametrize("suffix", ["mp3", "aac", "ac3", "wav", "ogg", "ts", "caf", "avi", "webm", "flac"])
def test_a_recording_that_is_broken_off_says_so(tmp_path, voice, suffix):  # noqa: F811
    path = tmp_path / f"a.{suffix}"
    if suffix in ROW:
        write_row(path, voice)
    else:
        codec = {"ogg": "libopus", "webm": "libopus", "ts": "aac", "avi": "libmp3lame", "flac": "flac"}.get(suffix, "pcm_s16le")
        write_packets(path, voice[None], codec)
    with collect_warnings() as notes:
        read_audio(path)
    assert not notes
    path.write_bytes(path.read_bytes()[: round(path.stat().st_size * 0.7) - 1])
    with collect_warnings() as notes:
        heard = read_audio(path)
    assert any("is broken off" in line for line in notes), notes
    assert 1.5 < len(heard) / RATE < 2.5


def test_a_wave_file_of_unknown_length_is_whole(tmp_path):
    """As programs write it that record into a pipe."""
    buffer = io.BytesIO()
    with wave.open(buffer, "wb") as file:
        file.setparams((1, 2, RATE, 0, "NONE", ""))
        file.writeframes(bytes(2 * RATE))
    data = bytearray(buffer.getvalue())
    for size in (0, 0xFFFFFFFF, 0x7FFFFFFF - 36):
        struct.pack_into("<I", data, 40, size)
        (tmp_path / "a.wav").write_bytes(data)
        assert not is_truncated(tmp_path / "a.wav")


def test_an_mp4_without_its_index(tmp_path, voice):  # noqa: F811
    write_packets(tmp_path / "a.mp4", voice[None], "aac", pictures=[20] * 50)
    (tmp_path / "a.mp4").write_bytes((tmp_path / "a.mp4").read_bytes()[:-2000])
    for read in (read_audio, read_video):
        with pytest.raises(InputError, match=r"a\.mp4 is broken off: the index .* is missing"):
            read(tmp_path / "a.mp4")


def test_an_ogg_whose_beginning_is_lost(tmp_path, voice):  # noqa: F811
    path = tmp_path / "a.ogg"
    write_packets(path, voice[None], "libopus")
    data = bytearray(path.read_bytes())
    third = [i for i in range(len(data)) if data[i : i + 4] == b"OggS"][2]  # two pages of headers go before
    data[third : third + 300] = bytes(300)
    path.write_bytes(data)
    with collect_warnings() as notes:
        heard = read_audio(path)
    assert any("damaged" in line for line in notes)
    assert lag(voice, heard, 2.5) == pytest.approx(0, abs=0.002) and len(heard) / RATE == pytest.approx(SECONDS, abs=0.02)


# --- video

GREYS = [4 * i for i in range(60)]


def write_film(path, voice, codec="libx264", options=None, sound="aac") -> None:  # noqa: F811
    """Sixty frames, each lighter than the one before, with sound."""
    with av.open(str(path), "w") as container:
        video = container.add_stream(codec, rate=25, options={"g": "10", "bf": "0", **(options or {})})
        video.width, video.height = 64, 48
        video.pix_fmt = "yuvj420p" if codec == "mjpeg" else "yuv420p"
        audio = container.add_stream(sound, rate=RATE if sound != "libopus" else 48_000, layout="mono")
        if sound.startswith("pcm"):
            audio.format = "s16"
        rng, packets = np.random.default_rng(0), []
        for grey in GREYS:
            noisy = np.clip(grey + rng.integers(-9, 10, (48, 64, 3)), 0, 255)  # so that its packet has some bytes
            packets += video.encode(av.VideoFrame.from_ndarray(noisy.astype(np.uint8), "rgb24"))
        packets += video.encode()
        packets += coded(voice[None, : len(GREYS) * RATE // 25], sound, audio)
        for packet in sorted(packets, key=lambda p: float(p.dts * p.time_base)):
            container.mux(packet)


FILMS = [("mkv", "libx264", "aac"), ("ts", "libx264", "aac"), ("avi", "mjpeg", "pcm_s16le"), ("mp4", "libx264", "aac"),
         ("webm", "libvpx", "libopus"), ("flv", "libx264", "aac")]  # fmt: skip


@pytest.mark.parametrize(("suffix", "codec", "sound"), FILMS)
def test_a_damaged_film_keeps_its_time(tmp_path, voice, suffix, codec, sound):  # noqa: F811
    path = tmp_path / f"a.{suffix}"
    write_film(path, voice, codec, {"preset": "ultrafast"} if codec == "libx264" else {}, sound)
    with collect_warnings() as notes:
        whole = [float(frame.mean()) for frame in read_video(path)]
    assert not notes
    spoilt(path, 0.4, 0.44)
    with collect_warnings() as notes:
        shown = [float(frame.mean()) for frame in read_video(path)]
    assert any("of the video in" in line for line in notes), notes
    assert len(shown) == pytest.approx(len(whole), abs=1)
    np.testing.assert_allclose(shown[-12:-1], whole[-12:-1], atol=3)  # the keyframe after the damage is where it was
    with collect_warnings() as notes:
        heard = read_audio(path)
    assert notes and lag(voice, heard, 2.1) == pytest.approx(lag(voice, voice, 2.1), abs=0.07)


@pytest.mark.parametrize("suffix", ["mkv", "ts", "flv", "avi"])
def test_a_film_that_is_broken_off_says_so(tmp_path, voice, suffix):  # noqa: F811
    path = tmp_path / f"a.{suffix}"
    write_film(path, voice, "mjpeg" if suffix == "avi" else "libx264", sound="pcm_s16le" if suffix == "avi" else "aac")
    path.write_bytes(path.read_bytes()[: round(path.stat().st_size * 0.6) - 1])
    with collect_warnings() as notes:
        assert 20 < len(list(read_video(path))) < 50
    assert any("is broken off" in line for line in notes), notes


def test_hevc_goes_on_after_a_lost_packet(tmp_path, voice):  # noqa: F811
    """Without a keyframe that follows."""
    path = tmp_path / "a.mp4"
    write_film(path, voice, "libx265", {"g": "250", "preset": "ultrafast", "x265-params": "log-level=error"})
    with av.open(str(path)) as container:
        packets = [packet for packet in container.demux(video=0) if packet.size]
        at, size = packets[20].pos, packets[20].size
    data = bytearray(path.read_bytes())
    data[at : at + size] = bytes(size)
    path.write_bytes(data)
    with collect_warnings() as notes:
        assert len(list(read_video(path))) == len(GREYS)
    assert any("damaged" in line for line in notes)


# --- what is shown

MATRICES = {"turned": (0, 1, -1, 0), "upside down": (-1, 0, 0, -1), "turned back": (0, -1, 1, 0), "mirrored": (-1, 0, 0, 1),
            "flipped": (1, 0, 0, -1), "transposed": (0, 1, 1, 0), "transversed": (0, -1, -1, 0)}  # fmt: skip


@pytest.mark.parametrize("name", MATRICES)
def test_display_matrices_turn_and_mirror(tmp_path, voice, name):  # noqa: F811
    path = tmp_path / "a.mp4"
    write_film(path, voice, "libx264")
    plain = list(read_video(path))[30]
    data = bytearray(path.read_bytes())
    a, b, c, d = MATRICES[name]
    numbers = (a << 16, b << 16, 0, c << 16, d << 16, 0, 0, 0, 1 << 30)
    struct.pack_into(">9i", data, data.index(b"tkhd") + 44, *numbers)  # the first track is the picture
    path.write_bytes(data)
    video = read_video(path)
    rows, columns = np.mgrid[:48, :64]
    x, y = a * columns + c * rows, b * columns + d * rows
    expected = np.zeros((y.max() - y.min() + 1, x.max() - x.min() + 1, 3), np.uint8)
    expected[y - y.min(), x - x.min()] = plain
    np.testing.assert_array_equal(list(video)[30], expected)
    assert (video.info.height, video.info.width) == expected.shape[:2]


@pytest.mark.parametrize(("transfer", "codes"), [(16, (0.38, 0.58)), (18, (0.38, 0.75))])
def test_high_dynamic_range_becomes_ordinary(tmp_path, transfer, codes):
    """A grey card of 18 % and white paper have these codes (ITU-R BT.2408): the card's sRGB is 101 here, and paper is all but white."""
    path = tmp_path / "a.mkv"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("ffv1", rate=25)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p10le"
        context = stream.codec_context
        context.color_trc, context.color_primaries, context.colorspace, context.color_range = transfer, 9, 9, 1
        frame = av.VideoFrame(64, 48, "yuv420p10le")
        for i, plane in enumerate(frame.planes):
            rows = np.full((plane.height, plane.line_size // 2), 512, "<u2")
            if i == 0:
                rows[:, :32], rows[:, 32:] = (round(64 + 876 * code) for code in codes)
            plane.update(rows.tobytes())
        container.mux(stream.encode(frame))
        container.mux(stream.encode())
    with collect_warnings() as notes:
        (shown,) = read_video(path)
    assert notes == [f"{path} is in high dynamic range (HDR); its colours are brought to those of ordinary video."]
    assert shown[24, 16].tolist() == pytest.approx([101] * 3, abs=3) and shown[24, 48].tolist() == pytest.approx([231] * 3, abs=3)


# --- tracks


def write_tracks(path, voice, cover: bool = False, sounds: int = 1) -> None:  # noqa: F811
    """Sound with a cover, or several sounds."""
    with av.open(str(path), "w") as container:
        packets = []
        for _ in range(sounds):
            stream = container.add_stream("aac" if path.suffix == ".mkv" else "libmp3lame", rate=RATE, layout="mono")
            packets.append((stream, voice[None]))
        if cover:
            picture = container.add_stream("mjpeg")
            picture.width, picture.height, picture.pix_fmt = 32, 32, "yuvj420p"
            picture.disposition = av.stream.Disposition.attached_pic
            container.mux(picture.encode(av.VideoFrame.from_ndarray(np.full((32, 32, 3), 99, np.uint8), "rgb24")))
            container.mux(picture.encode())
        for stream, samples in packets:
            for packet in coded(samples, stream.codec_context.name.replace("libmp3lame", "mp3"), stream):
                container.mux(packet)


def test_a_cover_is_no_film(tmp_path, voice):  # noqa: F811
    path = tmp_path / "a.mp3"
    write_tracks(path, voice, cover=True)
    with collect_warnings() as notes:
        assert lag(voice, read_audio(path), 1.0) == pytest.approx(0, abs=0.002)
    assert not notes
    with pytest.raises(InputError, match="has no moving pictures in it but a cover"):
        read_video(path)


def test_several_sounds_are_told(tmp_path, voice):  # noqa: F811
    write_tracks(tmp_path / "a.mkv", voice, sounds=2)
    with collect_warnings() as notes:
        read_audio(tmp_path / "a.mkv")
    assert notes == [f"{tmp_path / 'a.mkv'} holds 2 tracks of sound; the first one is taken."]


@pytest.mark.parametrize(
    ("text", "says"), [("version https://git-lfs.github.com/spec/v1\n", "Git LFS"), ("<!DOCTYPE html><html>", "a web page")]
)
def test_what_downloads_leave_behind(tmp_path, text, says):
    (tmp_path / "a.mp4").write_text(text * 20)
    for read in (read_audio, read_video):
        with pytest.raises(InputError, match=says):
            read(tmp_path / "a.mp4")


# --- pictures that change on the way


@pytest.mark.parametrize("interlaced", [False, True])
def test_pictures_that_change_their_size(tmp_path, interlaced):
    """As in browsers' recordings; damage may change the size of interlaced pictures, on which FFmpeg's filter ends the process."""
    parts = []
    for width, height in ((64, 48), (96, 80)):
        part = tmp_path / f"{width}.mpg"
        with av.open(str(part), "w", format="mpeg2video") as container:
            options = {"flags": "+ildct+ilme"} if interlaced else {}
            stream = container.add_stream("mpeg2video", rate=25, options=options)
            stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
            for _ in range(12):
                container.mux(stream.encode(av.VideoFrame.from_ndarray(np.full((height, width, 3), width, np.uint8), "rgb24")))
            container.mux(stream.encode())
        parts.append(part.read_bytes())
    (tmp_path / "a.mpg").write_bytes(b"".join(parts))
    with collect_warnings() as notes:
        shown = list(read_video(tmp_path / "a.mpg"))
    assert {frame.shape for frame in shown} == {(48, 64, 3)} and len(shown) >= 22
    assert shown[2].mean() == pytest.approx(64, abs=3) and shown[-2].mean() == pytest.approx(96, abs=3)
    assert any("change their size; all are brought to the first one's, 64×48" in line for line in notes)
