import numpy as np

from benchmarks.live import shift_in_ms, simulated_delays


def test_delays_grow_where_two_cores_do_not_keep_up_and_not_where_they_do():
    fast = simulated_delays([0.05] * 100, [0.03], hop=4, lookahead=3)
    assert np.allclose(fast[:4], fast[-4:]) and abs(fast[0] - (0.28 + 0.05 + 0.03)) < 1e-9
    assert simulated_delays([0.2] * 100, [0.01], hop=4, lookahead=3)[-1] > 4  # 40 ms too slow, each hop
    slow = simulated_delays([0.05] * 100, [0.06], hop=4, lookahead=3)
    halved = simulated_delays([0.05] * 100, [0.06], hop=4, lookahead=3, stride=2)
    assert slow[-1] > 5 and halved.max() < 0.5


def test_a_shift_is_found_to_a_fraction_of_a_frame():
    wave = np.sin(np.arange(400) * 0.2) + np.sin(np.arange(400) * 0.31)
    finer = np.interp(np.arange(390) - 0.25, np.arange(400), wave)
    assert abs(shift_in_ms(wave[5:380], wave[5:380])) < 1 and abs(shift_in_ms(wave[5:380], finer[5:380]) - 10) < 3
