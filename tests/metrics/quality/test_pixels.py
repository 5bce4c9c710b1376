"""PSNR and SSIM against scikit-image, LPIPS against the lpips package, CPBD against the numbers of the package cpbd 1.0.7."""

import warnings

import numpy as np
import pytest
import torch
from skimage.metrics import peak_signal_noise_ratio, structural_similarity

from tbd.errors import InputError
from tbd.metrics import FrameLPIPS, FramePSNR, FrameSSIM, Sharpness, Unmeasurable, WeightsNotFoundError
from tbd.metrics.quality.sharpness import blur_detection


@pytest.fixture
def spoilt(pictures):
    noise = torch.randint(-30, 31, pictures.shape, generator=torch.Generator().manual_seed(0))
    return (pictures.int() + noise).clamp(0, 255).to(torch.uint8)


def _images(frames):
    return frames.permute(0, 2, 3, 1).numpy()


def test_psnr_is_scikit_images_mean_over_frames(pictures, spoilt):
    expected = np.mean([peak_signal_noise_ratio(b, a) for a, b in zip(_images(spoilt), _images(pictures))])
    assert FramePSNR().measure(spoilt, pictures)["value"] == pytest.approx(expected, abs=1e-9)
    assert FramePSNR().measure(pictures, pictures)["value"] == 100


def test_ssim_is_scikit_images(pictures, spoilt):
    expected = np.mean([structural_similarity(b, a, channel_axis=2) for a, b in zip(_images(spoilt), _images(pictures))])
    assert FrameSSIM().measure(spoilt, pictures)["value"] == pytest.approx(expected, abs=1e-10)


def test_floats_in_0_to_1_give_the_same_numbers(pictures, spoilt):
    for metric in (FramePSNR(), FrameSSIM()):
        assert metric.measure(spoilt / 255, pictures / 255) == metric.measure(spoilt, pictures)


def test_frames_of_all_clips_or_clips_are_averaged(pictures, spoilt):
    for kind in (FramePSNR, FrameSSIM):
        one, rest = (kind().measure(spoilt[part], pictures[part])["value"] for part in (slice(0, 1), slice(1, 4)))
        for average, expected in (("clips", (one + rest) / 2), ("frames", (one + 3 * rest) / 4)):
            metric = kind(average)
            metric.update(spoilt[:1], pictures[:1])
            metric.update(spoilt[1:], pictures[1:])
            assert float(metric.compute()) == pytest.approx(expected, abs=1e-8)


def test_long_clips_are_compared_in_parts(pictures, spoilt):
    long, target = spoilt.repeat(9, 1, 1, 1), pictures.repeat(9, 1, 1, 1)
    for metric in (FramePSNR(), FrameSSIM()):
        assert metric.measure(long, target)["value"] == pytest.approx(metric.measure(spoilt, pictures)["value"], abs=1e-9)


def test_clips_of_other_shapes_are_refused_in_one_sentence(pictures):
    with pytest.raises(InputError, match="of equal length and size"):
        FramePSNR().update(pictures, pictures[:3])
    with pytest.raises(InputError, match="7×7"):
        FrameSSIM().update(pictures[..., :5], pictures[..., :5])
    with pytest.raises(Unmeasurable, match="no frames"):
        FramePSNR().measure(pictures[:0], pictures[:0])


def test_lpips_is_the_packages_and_takes_any_range(stand_in, pictures, spoilt):
    import lpips

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        reference = lpips.LPIPS(net="alex", pnet_rand=True, verbose=False)
    state = torch.load(stand_in("alexnet"))
    own = reference.net.state_dict()
    reference.net.load_state_dict({key: state["features." + ".".join(key.split(".")[1:])] for key in own})
    with torch.no_grad():
        expected = float(reference(spoilt / 127.5 - 1, pictures / 127.5 - 1).mean())
    metric = FrameLPIPS("alex", stand_in("alexnet"))
    assert expected > 1e-3, "a distance that says something"
    assert metric.measure(spoilt, pictures)["value"] == pytest.approx(expected, rel=1e-5)
    assert metric.measure(spoilt / 255, pictures / 255)["value"] == pytest.approx(expected, rel=1e-5), "0..1 would score better, silently"
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert metric.measure(spoilt, pictures)["value"] == pytest.approx(expected, rel=1e-5)


def test_lpips_without_weights_says_what_fetches_them_and_others_do_not_fit(stand_in):
    with pytest.raises(WeightsNotFoundError) as error:
        FrameLPIPS("vgg")
    assert (error.value.name, error.value.command) == ("vgg16-imagenet", "tbd weights fetch vgg16-imagenet")
    with pytest.raises(InputError, match="do not hold torchvision's squeeze"):
        FrameLPIPS("squeeze", stand_in("alexnet"))


@pytest.mark.parametrize(("radius", "expected"), [(0, 0.3836820691659402), (1, 0.1261918115535614), (2, 0.0040189464618917755), (4, 0.0)])
def test_sharpness_is_that_of_cpbd(radius, expected):
    """The numbers of `cpbd.compute` on scikit-image's portrait, blurred by PIL and made grey."""
    from PIL import Image, ImageFilter
    from skimage.data import astronaut

    image = Image.fromarray(astronaut()).filter(ImageFilter.GaussianBlur(radius))
    assert blur_detection(np.asarray(image.convert("L"))) == pytest.approx(expected, abs=1e-12)
    frames = torch.from_numpy(np.asarray(image).copy()).permute(2, 0, 1)[None]
    assert Sharpness(every=1).measure(frames)["value"] == pytest.approx(expected, abs=1e-12)


def test_sharpness_of_nothing(pictures):
    assert blur_detection(np.full((64, 64), 100, np.uint8)) == 0
    with pytest.raises(Unmeasurable, match="64×64"):
        Sharpness().measure(pictures[..., :40])
