import numpy as np
import pytest
import torch

from tbd.draw.guidance.base import COND, COND_NO_AUDIO
from tbd.draw.motion.idle import IdleMotion
from tbd.draw.motion.loading import load_motion_model
from tbd.draw.motion.stream_windows import LipGuidance
from tbd.draw.motion.streaming import MotionStream, StreamingOptions
from tbd.errors import InputError
from tbd.face.channels import INDEX
from tbd.media import read_audio
from tbd.think.plan import MuscleAction, MusclePlan
from tbd.utils.sample_inputs import VOICE

SMILE = MusclePlan(
    emotions={"happy": 1.0}, intensity=1.0, actions=(MuscleAction(unit=12, intensity=0.9), MuscleAction(unit=6, intensity=0.8))
)


@pytest.fixture(scope="module")
def model():
    return load_motion_model()


@pytest.fixture(scope="module")
def voice() -> np.ndarray:
    return read_audio(VOICE)


def drawn(stream: MotionStream, sound: np.ndarray, length: int = 640, change: dict[int, MusclePlan] | None = None) -> np.ndarray:
    pieces = []
    for i in range(0, len(sound), length):
        stream.feed(sound[i : i + length])
        while stream.ready():
            if change and stream.frames >= min(change):
                stream.change(change.pop(min(change)))
            pieces.append(stream.draw())
    stream.finish()
    while stream.ready():
        pieces.append(stream.draw())
    return np.concatenate(pieces)


def test_the_lips_are_those_of_the_whole_recording(model, voice):
    """The jaw of a stream and the jaw that is drawn of the whole recording agree, and neither is late."""
    stream = drawn(MotionStream(model, MusclePlan()), voice)
    whole = np.concatenate([piece.values for piece in model.generate(voice, MusclePlan(), 1, num_inference_steps=4)])
    assert stream.shape == whole.shape
    jaw, wanted = stream[:, INDEX["jawOpen"]], whole[:, INDEX["jawOpen"]]
    by_lag = {lag: np.corrcoef(jaw[5 + lag : len(jaw) - 5 + lag], wanted[5:-5])[0, 1] for lag in range(-3, 4)}
    assert max(by_lag, key=by_lag.get) in (-1, 0, 1) and by_lag[0] > 0.7


def test_there_is_no_seam_where_hops_meet(model, voice):
    """Between two hops the face moves no further than within one."""
    values = drawn(MotionStream(model, SMILE), voice[: 5 * 16000])
    jumps = np.abs(np.diff(values, axis=0)).mean(1)[12:]
    seams = np.arange(12, len(values) - 1) % 4 == 3
    assert jumps[seams].mean() < 1.35 * jumps[~seams].mean()


def test_the_seed_and_the_sound_decide_alone(model, voice):
    sound = voice[: 2 * 16000 + 123]
    one, same, cut, other = (
        drawn(MotionStream(model, SMILE, seed), sound, length) for seed, length in ((3, 640), (3, 640), (3, 5001), (4, 640))
    )
    assert np.array_equal(one, same) and np.array_equal(one, cut) and not np.array_equal(one, other)
    assert len(one) == 51


def test_nothing_is_drawn_before_its_sound_and_nothing_waits_longer(model):
    options = StreamingOptions(hop=4, lookahead=3)
    stream, silence = MotionStream(model, MusclePlan(), options=options), np.zeros(640, np.float32)
    for i in range(30):
        assert stream.frames == max(0, (i - 3) // 4 * 4)
        stream.feed(silence)
        stream.draw()


def test_a_smile_takes_over_within_half_a_second_and_gives_way_as_fast(model, voice):
    """Asked for before frame 24 is drawn; 12 frames later most of it is there. Asked to go before frame 72, half of it has gone by then."""
    corner = [INDEX["mouthSmileLeft"], INDEX["mouthSmileRight"]]
    values = drawn(MotionStream(model, MusclePlan()), voice[: 5 * 16000], change={24: SMILE, 72: MusclePlan()})[:, corner].mean(1)
    before, held, after = values[10:24].mean(), values[45:72].mean(), values[95:].mean()
    assert held > before + 0.3 and after < before + 0.15
    assert values[36:40].mean() > before + 0.6 * (held - before)
    assert values[84:88].mean() < after + 0.6 * (held - after)
    assert np.abs(np.diff(values)).max() < 0.25


def test_silence_shuts_the_mouth_and_noise_is_survived(model):
    silent = drawn(MotionStream(model, MusclePlan()), np.zeros(48000, np.float32))
    assert silent[25:, INDEX["jawOpen"]].max() < 0.15
    loud = drawn(MotionStream(model, MusclePlan()), np.random.default_rng(0).uniform(-1, 1, 32000).astype(np.float32))
    assert np.isfinite(loud).all() and loud[:, :52].min() >= 0 and loud[:, :52].max() <= 1


def test_a_plan_survives_the_clock_that_starts_again(model, monkeypatch):
    """Times are counted anew after a while; what a face does then is what it would have done."""
    from tbd.draw.motion import streaming

    sound = np.zeros(6 * 16000, np.float32)
    plain = drawn(MotionStream(model, SMILE), sound)
    monkeypatch.setattr(streaming, "_REBASED", 1.0)
    again = drawn(MotionStream(model, SMILE), sound)
    assert np.abs(plain - again).max() < 1e-3


def test_eyes_glance_as_they_do_in_a_whole_recording_and_the_past_knows_nothing_of_it(model, voice):
    still, lively = drawn(MotionStream(model, SMILE, 3), voice), drawn(MotionStream(model, SMILE, 3, idle=IdleMotion().begin(3)), voice)
    assert np.abs(IdleMotion()(still, SMILE, 3) - lively).max() < 1e-6
    gaze = lively[:, INDEX["eyeLookOutLeft"]] - still[:, INDEX["eyeLookOutLeft"]]
    assert np.abs(gaze).max() > 0.05 and (still[:, INDEX["mouthShrugLower"]] == lively[:, INDEX["mouthShrugLower"]]).all()


def test_lip_guidance_is_the_audio_scale_of_the_lower_face():
    masks = torch.zeros(5, 1, 1, 58)
    masks[3] = 1  # the lower face
    guided = LipGuidance(3.0)({COND: torch.full((1, 2, 58), 2.0), COND_NO_AUDIO: torch.ones(1, 2, 58)}, 0.5, masks)
    assert (guided == 4.0).all()
    assert LipGuidance(3.0)({COND: torch.full((1, 2, 58), 2.0), COND_NO_AUDIO: torch.ones(1, 2, 58)}, 0.5, 0 * masks).eq(2.0).all()


@pytest.mark.parametrize("options", [{"hop": 0}, {"hop": 26}, {"lookahead": -1}, {"num_inference_steps": 0}])
def test_numbers_out_of_range_are_refused(options):
    with pytest.raises(InputError, match="from"):
        StreamingOptions(**options)
