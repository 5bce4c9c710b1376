"""Draw one plan under several strengths of guidance, and print how much of each muscle arrives in the motion.

python examples/compare_guidance.py --emotion "quietly furious" --scales 0.5 1 1.5 2 3
"""

import argparse

from rich.console import Console
from rich.table import Table

from tbd import TalkingHeadPipeline
from tbd.media import read_audio
from tbd.think.action_units import ACTION_UNITS
from tbd.think.facs import measure
from tbd.utils.sample_inputs import VOICE


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--audio", default=str(VOICE))
    parser.add_argument("--emotion", default="quietly furious")
    parser.add_argument("--scales", type=float, nargs="+", default=[0.5, 1.0, 1.5, 2.0, 3.0])
    parser.add_argument("--seconds", type=float, default=30.0, help="how much of the voice is used")
    options = parser.parse_args()

    pipeline = TalkingHeadPipeline()
    voice = read_audio(options.audio)[: int(options.seconds * 16_000)]
    plan = pipeline.think(options.emotion, voice)
    own = pipeline.motion_model.guidance
    motions = [pipeline.draw(plan, voice, guidance=own.scaled(muscle_scale=scale)) for scale in options.scales]

    table = Table("muscle", "plan", *(f"scale {scale:g}" for scale in options.scales))
    for action in plan.actions:
        shown = [f"{measure(motion.values, action.unit, action.side).max():.2f}" for motion in motions]
        table.add_row(f"AU{action.unit} {ACTION_UNITS[action.unit].name}", f"{action.intensity:.2f}", *shown)
    Console().print(table)


if __name__ == "__main__":
    main()
