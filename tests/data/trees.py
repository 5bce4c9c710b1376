"""Fake downloads: MEAD and HDTF in their true layouts, with real mp4 and m4a files of kilobytes, holes and damage included.

python -m tests.data.trees FOLDER        writes FOLDER/mead and FOLDER/hdtf, to look at
"""

import io
import shutil
import sys
import tarfile
from fractions import Fraction
from functools import cache
from pathlib import Path

import numpy as np

SIZE = 192
FRAMES = 30
"""At 25 a second, of the rendered performance that every fake clip shows."""


@cache
def performance() -> np.ndarray:
    """(FRAMES, SIZE, SIZE, 3) uint8: scikit-image's astronaut, whose jaw opens and closes, drawn by our own renderer."""
    import skimage.data

    from tbd.face.motion import Motion
    from tbd.face.portrait import crop_portrait
    from tbd.face.render.renderer import MeshWarpRenderer
    from tbd.face.tracker import FaceMeshTracker

    face = crop_portrait(FaceMeshTracker().locate(skimage.data.astronaut()), SIZE)
    motion = Motion.zeros(FRAMES)
    motion["jawOpen"] = 0.35 - 0.35 * np.cos(np.arange(FRAMES) / 25 * 2 * np.pi * 2)
    motion["headYaw"] = 0.05 * np.sin(np.arange(FRAMES) / 25 * 2 * np.pi)
    return np.stack(list(MeshWarpRenderer().render(face, motion)))


def tone(seconds: float, rate: int = 48_000) -> np.ndarray:
    """A voice-like buzz whose loudness follows the jaw of `performance`; (N,) float32."""
    t = np.arange(round(seconds * rate)) / rate
    loud = 0.35 - 0.35 * np.cos(t * 2 * np.pi * 2)
    return (loud * np.sign(np.sin(2 * np.pi * 140 * t)) * 0.3).astype(np.float32)


def write_clip(
    path: Path,
    frames: np.ndarray,
    fps: Fraction | int = 30,
    sound: np.ndarray | None = None,
    size: tuple[int, int] | None = None,
    rate: int = 48_000,
    codec: str = "libx264",
) -> None:
    """A video of any frame rate that shows `frames`, which are 25 a second, at the right times.

    Args:
        path: ``.mp4`` or another container.
        frames: (T, H, W, 3) uint8.
        fps: of the file.
        sound: (N,) float32, stereo in the file; None for none.
        size: height and width of the picture, with the frames in its middle; theirs where not given.
        rate: of the sound.
        codec: FFmpeg's name of the video's; ``libx264rgb`` keeps every pixel as it is.
    """
    import av

    path.parent.mkdir(parents=True, exist_ok=True)
    height, width = size or frames.shape[1:3]
    top, left = (height - frames.shape[1]) // 2, (width - frames.shape[2]) // 2
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=fps)
        lossless = codec == "libx264rgb"
        stream.width, stream.height, stream.pix_fmt = width, height, "rgb24" if lossless else "yuv420p"
        if codec.startswith("libx264"):
            stream.options = {"preset": "ultrafast", "crf": "0" if lossless else "20"}
        voice = None if sound is None else container.add_stream("aac", rate=rate, layout="stereo")
        for i in range(round(len(frames) / 25 * fps)):
            picture = np.full((height, width, 3), 90, np.uint8)
            picture[top : top + frames.shape[1], left : left + frames.shape[2]] = frames[min(round(i / fps * 25), len(frames) - 1)]
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, "rgb24")))
        container.mux(stream.encode())
        if voice is not None:
            _mux_sound(container, voice, sound, rate)


def write_sound(path: Path, sound: np.ndarray, rate: int = 48_000) -> None:
    """An ``.m4a`` file."""
    import av

    path.parent.mkdir(parents=True, exist_ok=True)
    with av.open(str(path), "w", format="ipod") as container:
        _mux_sound(container, container.add_stream("aac", rate=rate, layout="stereo"), sound, rate)


def _mux_sound(container, stream, sound: np.ndarray, rate: int) -> None:
    import av

    block = av.AudioFrame.from_ndarray(np.stack([sound, sound]).astype(np.float32), format="fltp", layout="stereo")
    block.sample_rate, block.pts = rate, 0
    container.mux(stream.encode(block))
    container.mux(stream.encode())


MEAD_CLIPS = {
    "M003_neutral_1_001": "ready", "M003_neutral_1_002": "ready", "M003_happy_3_001": "ready", "M003_happy_3_004": "ready",
    "M003_angry_1_001": "failed", "M003_sad_2_001": "failed", "W009_fear_3_001": "ready", "W009_surprised_1_077": "ready",
}  # fmt: skip
"""What the fake MEAD's front clips become."""


def write_mead(root: Path) -> None:
    """Two actors with front clips, one of whom (W009) is in archives, and one (W017) that has the view ``down`` alone.

    M003: happy 004 after 001 (a hole), 002 of neutral without sound of its own but an m4a beside it; angry 001 broken off; sad 001
    shows no face; a sound without pictures. W009: the archive of the videos holds a broken member, that of the sounds none.
    """
    frames, sound = performance(), tone(FRAMES / 25)
    m003 = root / "M003"
    write_clip(m003 / "video/front/neutral/level_1/001.mp4", frames, 30, sound, (240, 320))
    write_clip(m003 / "video/front/neutral/level_1/002.mp4", frames, 30, None, (240, 320))
    write_sound(m003 / "audio/neutral/level_1/002.m4a", sound)
    write_clip(m003 / "video/front/happy/level_3/001.mp4", frames, Fraction(30000, 1001), sound, (240, 320))
    write_clip(m003 / "video/front/happy/level_3/004.mp4", frames, 25, None, (240, 320))
    broken = m003 / "video/front/angry/level_1/001.mp4"
    broken.parent.mkdir(parents=True)
    whole = (m003 / "video/front/neutral/level_1/001.mp4").read_bytes()
    broken.write_bytes(whole[: len(whole) // 2])
    write_clip(m003 / "video/front/sad/level_2/001.mp4", np.full_like(frames, 120), 30, sound, (240, 320))
    write_sound(m003 / "audio/contempt/level_1/009.m4a", sound)
    (m003 / "video/front/fear/level_1").mkdir(parents=True)
    (m003 / "video/front/fear/level_1/001.mp4").touch()
    shutil.copytree(m003 / "video/front/neutral", m003 / "video/left_30/neutral")
    shutil.copytree(m003 / "video/front/neutral", root / "W017/video/down/neutral")
    (root / "README.txt").write_text("as downloaded")
    with tarfile.open(root / "W009.tar", "w") as archive:
        for member in ("fear/level_3/001", "surprised/level_1/077"):
            archive.add(m003 / "video/front/neutral/level_1/001.mp4", f"W009/video/front/{member}.mp4")
    with tarfile.open(root / "W011.tar", "w") as archive:
        for number in (1, 2):
            archive.add(m003 / "video/front/neutral/level_1/001.mp4", f"W011/video/front/happy/level_1/{number:03d}.mp4")
    whole = (root / "W011.tar").read_bytes()
    (root / "W011.tar").write_bytes(whole[: len(whole) // 3])  # the first member broken off


HDTF_CLIPS = {
    "WDA_KatieHill_000": "ready", "WDA_KatieHill_001": "ready", "WRA_JebHensarling0_000": "ready", "WRA_JebHensarling0_001": "failed",
    "RD_Radio1_000": "ready",
}  # fmt: skip
"""What the fake HDTF's clips become."""


def write_hdtf(root: Path) -> tuple[Path, Path]:
    """Videos and annotations, with a byte-order mark, a clip without a crop row, a video that is gone, one without an interval.

    Returns:
        The videos' folder and the annotations'.
    """
    frames, sound = np.concatenate([performance()] * 4), tone(4 * FRAMES / 25)  # 4.8 s
    videos, told = root / "videos", root / "HDTF_dataset"
    write_clip(videos / "WDA/WDA_KatieHill.mp4", frames, Fraction(30000, 1001), sound, (288, 512))
    write_clip(videos / "JebHensarling0.mp4", frames, 25, sound, (240, 320))
    write_clip(videos / "RD_Radio1_000.mp4", performance(), 25, sound[: len(sound) // 4])
    (videos / "holiday.mp4").write_bytes((videos / "RD_Radio1_000.mp4").read_bytes())
    told.mkdir()
    files = {
        "WDA_video_url": "﻿CarolynMaloney2 https://example.org/a\nKatieHill https://example.org/b\n",
        "WDA_annotion_time": "CarolynMaloney2.mp4 00:05-04:40\nKatieHill.mp4 00:00-00:02 00:02-00:04 \n",
        "WDA_resolution": "CarolynMaloney2.mp4 0\nKatieHill.mp4 720\n",
        # in pixels of 720 lines, where the file has 288: the face's square, of which the second clip has none
        "WDA_crop_wh": "KatieHill_0.mp4 400 480 120 480\n",
        "WDA_crop_ratio": "KatieHill_0.mp4 1.2\n",
        "WRA_video_url": "JebHensarling0 https://example.org/c\nJebHensarling1 https://example.org/d\n",
        "WRA_annotion_time": "JebHensarling0.mp4 00:01-00:03 01:00-02:00\n",
        "WRA_resolution": "JebHensarling0.mp4 360\n",
        "RD_video_url": "Radio1 https://example.org/e\nRadio24 https://example.org/f\n",
        "RD_annotion_time": "Radio1.mp4 00:00-00:01\n",
        "RD_resolution": "Radio1.mp4 720\n",
    }
    for name, text in files.items():
        (told / f"{name}.txt").write_text(text, encoding="utf-8")
    return videos, told


def empty_archive(path: Path) -> None:
    """A tar archive of nothing."""
    with tarfile.open(path, "w") as archive:
        archive.addfile(tarfile.TarInfo("README"), io.BytesIO())


if __name__ == "__main__":
    write_mead(Path(sys.argv[1]) / "mead")
    write_hdtf(Path(sys.argv[1]) / "hdtf")
