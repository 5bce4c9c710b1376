"""Makes the clips of the protocol ``procedural-v2``: held-out speakers and sentences, every emotion and level.

The corpus that `tbd synthesize --seed 71` would write has other speakers than the training corpus (seed 2507), and its test
split says sentences that no training clip says. Three clips of each emotion are taken from it, one of each level, each of
another speaker as far as there are. They are kept in the package, since synthesizers differ from machine to machine:
flite 2.2, espeak-ng 1.51 and festival 2.5 of Debian 12 said these. Their true frames are kept as well, since the renderer
that draws them is mended now and then.

    python -m benchmarks.procedural_test --output tbd/assets/procedural_test
    python -m benchmarks.procedural_test --output tbd/assets/procedural_test --frames true    # the true frames of clips that are there
"""

import csv
import tempfile
from collections import Counter
from pathlib import Path

import numpy as np
from scipy.io import wavfile

from benchmarks.common import run
from tbd.data.synthetic.corpus import Clip, make_clip, plan_corpus
from tbd.data.synthetic.engines import find_voices
from tbd.data.synthetic.sentences import languages
from tbd.errors import InputError
from tbd.evaluation.references.procedural import ProceduralReference
from tbd.face.motion import Motion
from tbd.media import VideoWriter, provenance
from tbd.media.rates import SAMPLE_RATE
from tbd.think.emotions import EMOTIONS
from tbd.utils.atomic import atomic_output
from tbd.utils.checksum import checksum_of_names

SEED = 71
CLIPS = 4000
"""Of the corpus that the test clips are chosen from; eight hours, of which only the chosen are made."""
SIZE, CRF = 256, 17
"""Pixels of the true frames, and how well they are coded: below what PSNR over 128² sees."""
COLUMNS = ("clip", "emotion", "level", "frames", "seconds", "engine", "voice", "text")


def choose(clips: list[Clip]) -> list[Clip]:
    """Three test clips of each emotion, levels 1, 2, 3 (neutral has level 1 alone), spread over the speakers."""
    spoken: Counter = Counter()
    chosen: list[Clip] = []
    for emotion in EMOTIONS:
        for level in (1, 1, 1) if emotion == "neutral" else (1, 2, 3):
            left = [c for c in clips if c.actor.split == "test" and (c.emotion, c.level) == (emotion, level) and c not in chosen]
            chosen.append(min(left, key=lambda c: (spoken[c.actor.name], c.index)))
            spoken[chosen[-1].actor.name] += 1
    return sorted(chosen, key=lambda clip: clip.name)


def write_flac(path: Path, audio: np.ndarray) -> None:
    """(N,) int16 at 16 kHz, without loss."""
    import av

    with atomic_output(path) as temporary, av.open(str(temporary), "w") as container:
        stream = container.add_stream("flac", rate=SAMPLE_RATE, layout="mono", options={"compression_level": "12"})
        frame = av.AudioFrame.from_ndarray(audio[None], format="s16", layout="mono")
        frame.sample_rate = SAMPLE_RATE
        container.mux(stream.encode(frame))
        container.mux(stream.encode())


def draw_frames(output: Path) -> None:
    """Draw the true motion of each clip, and keep it as a video without sound.

    Args:
        output: the folder of the clips.
    """
    for clip in ProceduralReference(str(output)).clips():
        tags = provenance(clip=clip.id, predictor="the true motion, drawn")
        with VideoWriter(output / f"{clip.id}.mp4", metadata=tags, crf=CRF, preset="veryslow", threads=1) as writer:
            for frame in clip.draw(SIZE):
                writer.write(frame)


def show_checksums(output: Path) -> None:
    """Print what the protocols' files must say of the clips."""
    reference = ProceduralReference(str(output))
    print(f"names {checksum_of_names(clip.id for clip in reference.clips())}\ncontent {reference.content()}")


def procedural_test(output: Path, frames: bool = False) -> None:
    """Write the clips.

    Args:
        output: an empty folder.
        frames: draw the true frames of the clips that are in the folder, and nothing else.
    """
    if frames:
        draw_frames(output)
        show_checksums(output)
        return
    if output.is_dir() and (output / "clips.csv").exists():
        raise InputError(f"{output} holds clips already; protocols depend on them. Name an empty folder.")
    voices = [voice for voice in find_voices() if voice.language in languages()]
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        for clip in choose(plan_corpus(voices, CLIPS, SEED)):
            _, row = make_clip(Path(folder), clip)
            write_flac(output / f"{clip.name}.flac", wavfile.read(Path(folder) / row["audio"])[1])
            motion = Motion.load(Path(folder) / row["motion"])
            Motion(np.round(motion.values, 4), motion.metadata).save(output / f"{clip.name}.npz")
            (output / f"{clip.name}.json").write_text((Path(folder) / row["plan"]).read_text(encoding="utf-8"), encoding="utf-8")
            rows.append({**row, "clip": clip.name})
    with atomic_output(output / "clips.csv") as temporary, open(temporary, "w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, COLUMNS, extrasaction="ignore")
        writer.writeheader()
        writer.writerows(rows)
    print(f"clips {len(rows)}, seconds {sum(float(row['seconds']) for row in rows):.1f}")
    draw_frames(output)
    show_checksums(output)


if __name__ == "__main__":
    run(procedural_test, many=None)
