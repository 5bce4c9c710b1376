"""What the benchmark of speed counts."""

import torch

from benchmarks.video_speed import THREE, Bench, _figures, hallo_speed


def test_three_branches_at_every_step():
    assert all(len(THREE.branches(i / 24)) == 3 for i in range(25))


def test_new_frames_alone_are_counted():
    rows = {name: {"seconds": 1.2, "peak_gib": 1.0, "new_frames": 12} for name in ("draw_plain", "draw_batched")}
    figures = _figures({**rows, "decode_s_per_frame": 0.5})
    assert figures["draw_batched, seconds a new frame at 25 steps with decoding"] == "3.000 (1.00 × plain)"


def test_the_model_is_there_once():
    """Peaks would count copies of its networks, such as saved hyper-parameters."""
    bench = Bench(tiny=True, stage="temporal")
    assert not any(isinstance(value, torch.nn.Module) for value in bench.model.hparams.values())


def test_hallos_network_is_timed():
    found = hallo_speed(tiny=True, steps=1)
    assert found["window_s"] > found["step_s"] > 0 and found["per_second_of_video_s"] > found["window_s"]
