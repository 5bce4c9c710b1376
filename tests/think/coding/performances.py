"""Random plans, and speech to perform them under: what tests and `benchmarks.coding` code back."""

import numpy as np

from tbd.speech.phones import SILENCE, Phone
from tbd.think.action_units import ACTION_UNITS, ANTAGONISTS
from tbd.think.plan import MuscleAction, MusclePlan

SECONDS = 7.0
# AU45 is life, and no channel is AU31's or AU38's own; AU26 and AU27 are one jaw that opens more or less.
UNITS = [unit for unit in ACTION_UNITS if unit not in (31, 38, 45)]


def speak(rng: np.random.Generator) -> tuple[list[Phone], np.ndarray, np.ndarray]:
    """Syllables with pauses, a sound as loud as they are, and the frames in which something is said."""
    phones, time = [Phone(0.0, 0.3, SILENCE)], 0.3
    while time < SECONDS - 0.6:
        for _ in range(int(rng.integers(4, 12))):
            for symbol in (rng.choice(list("pbmftdkszlnw")), rng.choice(["a", "e", "i", "ɪ", "o", "u", "ə", "ɛ"])):
                end = time + float(rng.uniform(0.06, 0.14))
                phones.append(Phone(time, end, str(symbol)))
                time = end
        end = time + float(rng.uniform(0.2, 0.7))
        phones.append(Phone(time, end, SILENCE))
        time = end
    audio = 0.001 * rng.standard_normal(round(time * 16000)).astype(np.float32)
    speaking = np.zeros(-(-len(audio) // 640), bool)
    for phone in phones:
        if phone.symbol != SILENCE:
            audio[int(phone.start * 16000) : int(phone.end * 16000)] *= 60
            speaking[int(phone.start * 25) : int(np.ceil(phone.end * 25))] = True
    return phones, audio, speaking


def random_plan(rng: np.random.Generator) -> MusclePlan:
    chosen: list[int] = []
    for unit in rng.permutation(UNITS).tolist():
        if len(chosen) < 4 and not any({unit, other} == set(pair) for pair in ANTAGONISTS for other in chosen):
            chosen.append(unit)
    actions = []
    for unit in chosen:
        onset = float(rng.uniform(0.3, 3.5))
        apex = onset + float(rng.uniform(0.2, 0.8))
        times = [{}, {"onset": onset, "apex": apex}, {"onset": onset, "apex": apex, "offset": apex + float(rng.uniform(0.7, 2.5))}]
        side = str(rng.choice(ACTION_UNITS[unit].sides))
        actions.append(MuscleAction(unit=unit, side=side, intensity=float(rng.uniform(0.3, 1)), **times[int(rng.integers(3))]))
    return MusclePlan(actions=tuple(actions))
