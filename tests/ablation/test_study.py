"""Studies: what is read from YAML, and what is refused before anything else is done."""

import pytest

from tbd.ablation.study import load_study, merge
from tbd.errors import InputError

SWEEP = {"name": "switch", "base": "strong", "key": "a.switch", "values": [0, 0.5], "lines": {"step": {"a.s": 1}, "cosine": {"a.s": 2}}}


def test_a_sweep_becomes_variants_over_its_base(study):
    rows = load_study(study(sweeps=[{**SWEEP, "extra": ["a.other"]}])).rows()
    made = {row.name: row for row in rows[3:]}
    assert list(made) == ["switch=0 step", "switch=0.5 step", "switch=0 cosine", "switch=0.5 cosine"]
    row = made["switch=0.5 cosine"]
    assert row.change["a"] == {"s": 2, "switch": 0.5, "other": 0.5}
    assert row.change["model"]["init_args"]["guidance"]["init_args"] == {"muscle_scale": 2.0}
    assert (row.point.line, row.point.value) == ("cosine", 0.5)


def test_another_class_leaves_the_arguments_of_the_first_behind():
    under = {"a": {"class_path": "x.A", "init_args": {"n": 1}}}
    assert merge(under, {"a": {"class_path": "x.B"}}) == {"a": {"class_path": "x.B"}}
    assert merge(under, {"a.init_args.m": 2}) == {"a": {"class_path": "x.A", "init_args": {"n": 1, "m": 2}}}


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"variants": [{"name": "a"}, {"name": "a"}]}, "two variants are called a"),
        ({"variants": [{"name": "a"}, {"name": "A"}]}, "two variants are called A"),
        ({"sweeps": [{**SWEEP, "base": "nobody"}]}, "starts from nobody"),
        ({"baseline": "nobody"}, "the baseline nobody is no variant; there are base, strong, label"),
        ({"base": ["nowhere.yaml"]}, "starts from nowhere.yaml"),
        ({"seeds": ["x"]}, "seeds.0"),
        ({"variants": []}, "variants"),
        ({"varients": []}, "there is no key varients; the nearest is variants"),
        ({"protocol": None, "seed": [1]}, "there is no key seed; the nearest is seeds"),
        ({"variants": [{"name": "a", "chnage": {}}]}, "there is no key variants.0.chnage; the nearest is change"),
    ],
)
def test_nonsense_is_refused_in_one_sentence(study, changes, said):
    with pytest.raises(InputError) as refusal:
        load_study(study(**changes))
    assert said in str(refusal.value) and "\n" not in str(refusal.value)
