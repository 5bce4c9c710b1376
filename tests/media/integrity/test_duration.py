"""A sound that is broken off is told by its header, where FFmpeg alone would not say."""

import io
import wave

import av
import numpy as np
import pytest

from tbd.errors import InputError
from tbd.media import read_audio
from tbd.utils.user_warnings import collect_warnings

RATE = 16_000
SOUND = (np.sin(np.arange(2 * RATE) * 0.1) * 9000).astype(np.int16)


def wav_bytes() -> bytes:
    held = io.BytesIO()
    with wave.open(held, "wb") as file:
        file.setparams((1, 2, RATE, 0, "NONE", ""))
        file.writeframes(SOUND.tobytes())
    return held.getvalue()


def mp3_bytes() -> bytes:
    held = io.BytesIO()
    with av.open(held, "w", format="mp3") as container:
        stream = container.add_stream("mp3", rate=RATE)
        stream.layout = "mono"
        frame = av.AudioFrame.from_ndarray(SOUND[None], format="s16", layout="mono")
        frame.sample_rate = RATE
        resampler = av.AudioResampler(format=stream.codec_context.format, layout="mono", rate=RATE, frame_size=1152)
        for piece in [*resampler.resample(frame), *resampler.resample(None), None]:
            container.mux(stream.encode(piece))
    return held.getvalue()


@pytest.mark.parametrize(("suffix", "make"), [("wav", wav_bytes), ("mp3", mp3_bytes)])
@pytest.mark.parametrize("part", [1.0, 0.6, 0.3])
def test_what_is_broken_off_is_told(tmp_path, suffix, make, part):
    whole = make()
    path = tmp_path / f"sound.{suffix}"
    path.write_bytes(whole[: int(part * len(whole))])
    if part < 0.5:
        with pytest.raises(InputError, match=r"damaged: it holds 0\.\d of its 2\.0 seconds"):
            read_audio(path)
        return
    with collect_warnings() as notes:
        samples = read_audio(path)
    assert abs(len(samples) / RATE - 2 * part) < 0.1
    assert ["broken off" in said for said in notes] == ([] if part == 1 else [True])


@pytest.mark.parametrize("size", [0, 2**31 - 1, 2**32 - 1])
def test_a_header_that_does_not_know_promises_nothing(tmp_path, size):
    whole = bytearray(wav_bytes())
    at = whole.index(b"data") + 4
    whole[at : at + 4] = size.to_bytes(4, "little")
    path = tmp_path / "streamed.wav"
    path.write_bytes(whole)
    if size:
        with collect_warnings() as notes:
            assert abs(len(read_audio(path)) - 2 * RATE) < 10
        assert notes == []
