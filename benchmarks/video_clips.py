"""Render a procedural corpus on portraits into one compact file, which `benchmarks.video_small` trains on elsewhere.

    tbd synthesize --output corpus --hours 0.35 --seed 6
    python -m benchmarks.video_clips astronaut --corpus corpus --output clips.npz

Clips of the corpus's training split are rendered on every portrait but the last in turn, those of its other splits on every
portrait in turn, so that the last portrait is never seen in training (unless it is the only one). The coarse video is what the
video model is conditioned on: the same motion without creases, at a quarter of the size; and once more of lips and head alone
(`benchmarks.video_hints`).
"""

import io
import json
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from benchmarks.common import load_portraits, run
from tbd.data.datamodules.procedural import read_manifest
from tbd.data.datasets.video import VideoClip
from tbd.errors import InputError
from tbd.face.motion import Motion
from tbd.face.render.coarse import downsample, lips_and_head, upsample
from tbd.media.rates import SAMPLES_PER_FRAME
from tbd.media.wav import read_samples
from tbd.think.facs import REGION_CHANNELS
from tbd.think.plan import MusclePlan
from tbd.utils.atomic import atomic_output

QUALITY = 86
"""Of JPEG: a frame of 128 × 128 takes about 3 kB."""


def video_clips(
    portraits: Sequence[str],
    corpus: str,
    output: str,
    size: int = 128,
    frames: int = 52,
    train: int = 120,
    held_out: int = 16,
    factor: int = 4,
) -> None:
    """Render and write.

    Args:
        portraits: pictures or folders of them.
        corpus: folder that `tbd synthesize` wrote.
        output: the ``.npz`` to write.
        size: of the frames.
        frames: of each clip; shorter clips of the corpus are left out.
        train: clips to train on.
        held_out: clips of the corpus's other splits.
        factor: pixels along a latent pixel's side, for the region masks.
    """
    faces = load_portraits(portraits, size)
    names = list(faces)
    rows = [row for row in read_manifest(Path(corpus)) if int(row["frames"]) >= frames]
    chosen = [row for row in rows if row["split"] == "train"][:train] + [row for row in rows if row["split"] != "train"][:held_out]
    index, video, coarse, lips, sound = [], _Pictures(), _Pictures(), _Pictures(), []
    for i, row in enumerate(chosen):
        seen = names[:-1] if row["split"] == "train" and len(names) > 1 else names
        name = seen[i % len(seen)]
        plan = MusclePlan.model_validate_json((Path(corpus) / row["plan"]).read_text())
        motion = Motion.load(Path(corpus) / row["motion"])
        for fine, rough, spoken in _rendered(faces[name], Motion(motion.values[:frames]), plan):
            video.add(fine)
            coarse.add(downsample(rough))
            lips.add(downsample(spoken))
        sound.append(_sound(Path(corpus) / row["audio"], frames))
        split = "train" if row["split"] == "train" else "test"
        index.append({"clip": row["clip"], "split": split, "portrait": names.index(name), "plan": json.loads(plan.model_dump_json())})
        print(f"{i + 1}/{len(chosen)} {row['clip']} {name}", file=sys.stderr)
    from tbd.face.regions import movement_masks

    masks = [movement_masks(face, REGION_CHANNELS, size // factor, size // factor) for face in faces.values()]
    with atomic_output(output) as temporary:
        np.savez_compressed(
            temporary,
            about=json.dumps({"portraits": names, "frames": frames, "size": size, "clips": index}),
            portraits=np.stack([face.image for face in faces.values()]),
            masks=np.stack(masks),
            audio=np.stack(sound),
            **video.arrays("video"),
            **coarse.arrays("coarse"),
            **lips.arrays("lips"),
        )
    print(f"{output}: {len(index)} clips of {frames} frames, {Path(output).stat().st_size / 2**20:.1f} MiB", file=sys.stderr)


def read_clips(path: str) -> tuple[list[str], dict[str, list[tuple[int, VideoClip]]]]:
    """What `video_clips` wrote: the portraits' names, and split → (portrait, clip). The coarse video is enlarged to full size.

    Raises:
        InputError: the file is missing or of another kind.
    """
    try:
        archive = np.load(path, allow_pickle=False)
        about = json.loads(str(archive["about"]))
    except (OSError, KeyError, ValueError) as error:
        raise InputError(f"{path} holds no clips; render some with `python -m benchmarks.video_clips`.") from error
    n, size = about["frames"], about["size"]
    video = _Pictures.read(archive, "video")
    rough = {name: _Pictures.read(archive, name) for name in ("coarse", "lips") if f"{name}_bytes" in archive}
    portraits, masks, audio = archive["portraits"], archive["masks"], archive["audio"]
    clips: dict[str, list[tuple[int, VideoClip]]] = {"train": [], "test": []}
    for i, row in enumerate(about["clips"]):
        fine = np.stack([np.asarray(video(j)) for j in range(i * n, (i + 1) * n)])
        enlarged = {
            name: _planar(np.stack([upsample(np.asarray(read(j)), size, size) for j in range(i * n, (i + 1) * n)]))
            for name, read in rough.items()
        }
        k, plan = row["portrait"], MusclePlan.model_validate(row["plan"])
        parts = (_planar(fine), enlarged["coarse"], _planar(portraits[k][None])[0], masks[k], audio[i], plan)
        clips[row["split"]].append((k, VideoClip(row["clip"], *parts, neutral_coarse=enlarged.get("lips"))))
    return about["portraits"], clips


def _planar(frames: np.ndarray) -> np.ndarray:
    """(T, H, W, 3) → (T, 3, H, W)."""
    return np.ascontiguousarray(frames.transpose(0, 3, 1, 2))


def _rendered(face, motion: Motion, plan: MusclePlan) -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray]]:
    from tbd.face.render.renderer import MeshWarpRenderer
    from tbd.pipeline import warp_renderer

    fine = warp_renderer(plan, workers=1).render(face, motion)
    rough = (MeshWarpRenderer(shading=0, workers=1).render(face, each) for each in (motion, lips_and_head(motion)))
    yield from zip(fine, *rough)


def _sound(path: Path, frames: int) -> np.ndarray:
    samples = read_samples(path, stop=frames * SAMPLES_PER_FRAME)
    return np.pad(samples, (0, frames * SAMPLES_PER_FRAME - len(samples)))


class _Pictures:
    """Pictures as JPEG, end to end."""

    def __init__(self) -> None:
        self.parts: list[bytes] = []

    def add(self, picture: np.ndarray) -> None:
        buffer = io.BytesIO()
        Image.fromarray(picture).save(buffer, "JPEG", quality=QUALITY)
        self.parts.append(buffer.getvalue())

    def arrays(self, name: str) -> dict[str, np.ndarray]:
        ends = np.cumsum([len(part) for part in self.parts])
        return {f"{name}_bytes": np.frombuffer(b"".join(self.parts), np.uint8), f"{name}_ends": ends}

    @classmethod
    def read(cls, archive, name: str):
        """Number → picture."""
        data, ends = archive[f"{name}_bytes"].tobytes(), archive[f"{name}_ends"]

        def picture(i: int) -> Image.Image:
            return Image.open(io.BytesIO(data[ends[i - 1] if i else 0 : ends[i]])).convert("RGB")

        return picture


if __name__ == "__main__":
    run(video_clips)
