"""The closed loop's arithmetic, and the loop itself around a renderer whose answer is known."""

import numpy as np
import pytest

from benchmarks import closed_loop
from benchmarks.closed_loop import ANTAGONISTS, CHANNELS, SWEEP
from tbd.errors import InputError
from tbd.face.channels import BLENDSHAPES, INDEX
from tbd.face.motion import Motion


def test_sides_average_and_single_channels_stand_for_themselves():
    motion = Motion.zeros(1)
    motion["eyeBlinkLeft"], motion["jawOpen"] = 0.4, 0.7
    asked = dict(zip(CHANNELS, closed_loop.average_sides(motion.values)[0]))
    assert asked == pytest.approx(dict.fromkeys(CHANNELS, 0) | {"eyeBlink": 0.2, "jawOpen": 0.7})


def test_a_sweep_moves_one_channel_at_a_time_through_its_range():
    asked = closed_loop.average_sides(closed_loop.sweep_motion().values).reshape(len(CHANNELS), len(SWEEP), len(CHANNELS))
    for i in range(len(CHANNELS)):
        assert np.allclose(asked[i, :, i], SWEEP)
        assert not np.delete(asked[i], i, axis=1).any()


def test_mixed_channels_use_their_range_and_antagonists_never_pull_together():
    motion = closed_loop.mixed_motion()
    asked = closed_loop.average_sides(motion.values)
    pucker = CHANNELS.index("mouthPucker")
    assert asked.min() == 0 and np.delete(asked.max(0), pucker) == pytest.approx(np.ones(len(CHANNELS) - 1))
    assert asked[:, pucker].max() > 0.7 and (asked[:, pucker] + asked[:, CHANNELS.index("mouthSmile")]).max() <= 1
    for group in ANTAGONISTS:
        assert not (asked[:, CHANNELS.index(group[0])] * asked[:, CHANNELS.index(group[1])]).any()
    assert np.abs(np.diff(asked, axis=0)).max() < 0.35, "the performance jumps"
    assert np.array_equal(motion.values, closed_loop.mixed_motion().values), "the seed does not hold"


def test_head_turns_ask_for_one_rotation_at_a_time():
    motion = closed_loop.head_motion()
    assert (np.count_nonzero(motion.head, axis=1) <= 1).all()
    assert not motion.blendshapes.any()


def test_correlation_and_gain_against_numpy():
    x, y = np.random.default_rng(0).random((2, 50))
    assert closed_loop.correlation(x, y) == pytest.approx(np.corrcoef(x, y)[0, 1])
    assert closed_loop.correlation(x, np.full(50, 0.3)) == 0
    assert closed_loop.gain(x, 0.25 * x + 3) == pytest.approx(0.25)


def test_psnr_of_a_known_error():
    picture = np.full((4, 4, 3), 100, np.uint8)
    assert closed_loop.psnr(picture, picture) == 99
    assert closed_loop.psnr(picture, picture + np.uint8(5)) == pytest.approx(20 * np.log10(255 / 5))


class _Written:
    """A "renderer" that writes the motion into the picture, …"""

    def render(self, face, motion):
        yield from motion.values


class _Read:
    """… and "eyes" that read half of it, with smile leaking into the cheeks."""

    def watch(self, frames):
        rows = np.stack([frame if frame.ndim == 1 else np.zeros(len(INDEX)) for frame in frames])
        seen = 0.5 * rows[:, : len(BLENDSHAPES)]
        seen[:, INDEX["cheekPuff"]] = 0.4 * rows[:, INDEX["mouthSmileLeft"]]
        from tbd.face.geometry import euler_to_matrix

        return seen, euler_to_matrix(rows[:, INDEX["headPitch"] : INDEX["headPitch"] + 3]), 0


def test_the_loop_finds_a_perfect_renderers_correlation_gain_leak_and_head():
    from types import SimpleNamespace

    image = np.zeros(len(INDEX))
    result = closed_loop.measure_portrait(_Written(), SimpleNamespace(image=image), _Read(), {"mixed": closed_loop.mixed_motion()})
    summary = closed_loop.summarise({"only": result})
    for name in ("sweep", "mixed"):
        assert summary["correlation"][name]["least"] == pytest.approx(1)
    assert summary["gain"] == pytest.approx(dict.fromkeys(CHANNELS, 0.5))
    assert "cheekPuff +0.40" in closed_loop._cross_talk(summary["seen_at_full"]["mouthSmile"], "mouthSmile")
    assert closed_loop._cross_talk(summary["seen_at_full"]["jawOpen"], "jawOpen") == ""
    for turn in summary["head"].values():
        assert turn == pytest.approx({"correlation": 1, "gain": 1})


def test_a_missing_landmarker_is_named(tmp_path):
    with pytest.raises(InputError, match=r"nowhere\.task"):
        closed_loop.Landmarker(tmp_path / "nowhere.task")


def test_the_landmarker_sees_a_face_and_none_in_noise(shared):
    import skimage.data

    eyes = closed_loop.Landmarker(shared / "models" / "face_landmarker.task")
    blendshapes, rotation = eyes(skimage.data.astronaut())
    assert blendshapes[INDEX["mouthSmileLeft"]] > 0.5, "the astronaut smiles"
    assert np.allclose(rotation @ rotation.T, np.eye(3), atol=1e-3)
    _, _, lost = eyes.watch(iter([np.zeros((256, 256, 3), np.uint8)]))
    assert lost == 1
