"""Plan, motion and voice of a result, as files to download."""

from pathlib import Path

import numpy as np

from tbd.face.motion import Motion
from tbd.media.audio import Sound
from tbd.studio.session import Session, Voice
from tbd.think.plan import MusclePlan
from tbd.utils.user_warnings import collect_warnings


def write_downloads(session: Session, plan: MusclePlan, motion: Motion, voice: Voice) -> dict[str, Path]:
    """Write the files that go with a video.

    Args:
        session: Whose folder they are written to.
        plan: Written as ``plan.json``, which `tbd generate --plan` takes.
        motion: Written as ``motion.csv`` in Live Link Face's layout, with ARKit's 52 coefficients.
        voice: Written as ``voice.flac``.

    Returns:
        Name → file.
    """
    files = {name: session.new_file(name) for name in ("plan.json", "motion.csv", "voice.flac")}
    plan.save(files["plan.json"])
    with collect_warnings():  # the layout has no columns for the head's offset, which the page says beside the download
        motion.save(files["motion.csv"])
    write_flac(files["voice.flac"], voice.sound)
    return files


def write_flac(path: Path, sound: Sound) -> None:
    """Write a recording as FLAC: 16 bits where that loses nothing, or else 24.

    Args:
        path: The file to write.
        sound: One or two channels.
    """
    import av

    scaled = sound.samples.astype(np.float64) * 2**15
    exact = bool(np.abs(scaled - np.rint(scaled)).max(initial=0) == 0 and scaled.max(initial=0) < 2**15)
    format_, dtype, scale = ("s16", np.int16, 2**15) if exact else ("s32", np.int32, 2**31)
    values = np.clip(np.rint(sound.samples.astype(np.float64) * scale), -scale, scale - 1).astype(dtype)
    layout = "mono" if len(values) == 1 else "stereo"
    with av.open(str(path), "w", format="flac") as container:
        stream = container.add_stream("flac", rate=sound.sample_rate, layout=layout)
        stream.codec_context.format = format_
        packed = np.ascontiguousarray(values.T).reshape(1, -1)  # (1, N·C): channels interleaved
        frame = av.AudioFrame.from_ndarray(packed, format=format_, layout=layout)
        frame.sample_rate, frame.pts = sound.sample_rate, 0
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
