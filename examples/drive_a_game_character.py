"""Draw the motion alone and write it for a game engine: Live Link Face's CSV, with ARKit's 52 coefficients at 25 frames a second.

    python examples/drive_a_game_character.py --emotion "delighted" --output motion.csv

Unreal imports the file as Live Link Face's recordings; Blender by an add-on of your choice. No picture is drawn.
"""

import argparse

from tbd import TalkingHeadPipeline
from tbd.face.motion import Motion
from tbd.media import read_audio
from tbd.utils.sample_inputs import VOICE


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--audio", default=str(VOICE))
    parser.add_argument("--emotion", default="delighted")
    parser.add_argument("--seconds", type=float, default=30.0, help="how much of the voice is used")
    parser.add_argument("--output", default="motion.csv")
    options = parser.parse_args()

    pipeline = TalkingHeadPipeline()
    voice = read_audio(options.audio)[: int(options.seconds * 16_000)]
    plan = pipeline.think(options.emotion, voice)
    motion = pipeline.draw(plan, voice)
    motion.save(options.output)

    written = Motion.load(options.output)
    strongest = sorted(((float(written[name].max()), name) for name in ("jawOpen", "mouthSmileLeft", "browInnerUp")), reverse=True)
    print(f"{options.output}: {len(written)} frames; " + ", ".join(f"{name} up to {value:.2f}" for value, name in strongest))


if __name__ == "__main__":
    main()
