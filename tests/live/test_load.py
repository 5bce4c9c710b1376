from tbd.live.load import LEVELS, LoadShedder


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def hops(shedder, clock, seconds, late) -> list[int]:
    strides = []
    for _ in range(int(seconds / 0.16)):
        clock.now += 0.16
        strides.append(shedder.update(late).stride)
    return strides


def test_who_keeps_up_draws_all_frames():
    clock = Clock()
    assert set(hops(LoadShedder(clock), clock, 60, 0.03)) == {1}


def test_a_late_start_halves_the_frames_at_once_and_more_only_if_that_does_not_help():
    clock = Clock()
    shedder = LoadShedder(clock)
    assert hops(shedder, clock, 0.4, 0.1) == [2, 2] and not shedder.update(0.1).hold and shedder.update(0.4).hold
    hops(shedder, clock, 0.5, 0.1)
    assert shedder.level == LEVELS[2]
    hops(shedder, clock, 5, 1.0)
    assert shedder.level == LEVELS[-1]  # and no further


def test_frames_that_pile_up_count_as_late():
    assert LoadShedder().update(0.0, waiting=True).stride == 2


def test_calm_brings_the_frames_back_and_each_failure_makes_it_more_patient():
    clock = Clock()
    shedder = LoadShedder(clock)
    hops(shedder, clock, 0.2, 0.1)
    assert hops(shedder, clock, 4, 0.0)[-1] == 1
    tries = 0
    for _ in range(500):  # one speaker too many: full frames are always too much
        before = shedder.level.stride
        hops(shedder, clock, 0.2, 0.1 if before == 1 else 0.0)
        tries += before == 1
    assert tries < 15
