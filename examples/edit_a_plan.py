"""Think a sentence into muscles, change one of them, and see the difference side by side.

python examples/edit_a_plan.py --output edited.mp4
"""

import argparse

import numpy as np

from tbd import TalkingHeadPipeline
from tbd.media import VideoWriter, provenance, read_audio, read_image, read_sound
from tbd.think import KnowledgePlanner
from tbd.think.edit import edit
from tbd.utils.sample_inputs import PORTRAIT, VOICE


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--portrait", default=str(PORTRAIT))
    parser.add_argument("--audio", default=str(VOICE))
    parser.add_argument("--emotion", default="she fights back tears, then smiles")
    parser.add_argument("--edit", default="AU12=0.9", help="as `tbd think --set` takes it")
    parser.add_argument("--size", type=int, default=384)
    parser.add_argument("--seconds", type=float, default=30.0, help="how much of the voice is used")
    parser.add_argument("--output", default="edited.mp4")
    options = parser.parse_args()

    pipeline = TalkingHeadPipeline()
    voice, sound = read_audio(options.audio), read_sound(options.audio)
    voice = voice[: int(options.seconds * 16_000)]
    thought = pipeline.think(options.emotion, voice)
    changed = edit(thought, options.edit, KnowledgePlanner())
    for step in thought.reasoning:
        print(f"{step.title}: {step.text}")

    # the same face, voice and seed: only the plan differs
    face = pipeline.locate(read_image(options.portrait), options.size)
    motions = [pipeline.draw(plan, voice) for plan in (thought, changed)]
    pairs = zip(*(pipeline.render(face, motion, plan) for motion, plan in zip(motions, (thought, changed))))
    with VideoWriter(options.output, sound.samples, sound.sample_rate, metadata=provenance(changed.to_json())) as writer:
        for left, right in pairs:
            writer.write(np.concatenate([left, right], axis=1))  # (size, 2·size, 3)
    smile = [float(motion["mouthSmileLeft"].mean()) for motion in motions]
    print(f"{options.output}: mouthSmileLeft is {smile[0]:.2f} on the left and {smile[1]:.2f} on the right")


if __name__ == "__main__":
    main()
