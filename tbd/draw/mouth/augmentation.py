"""What a mouth is met in: other light and colour, grey and soft pictures, lips that a warp has moved by a pixel."""

import torch
from torch import Tensor
from torch.nn import functional

_GREY = torch.tensor([0.299, 0.587, 0.114])


def augment(painted: Tensor, target: Tensor, reference: Tensor, mask: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Change a batch of crops at random, each in its own way.

    Light, colour and mirroring change all pictures of a crop alike. What is given (painted picture and surroundings) is besides bent by
    a pixel or two and blurred, as a warp bends and blurs it, while video stays as it is.

    Args:
        painted: (B, 3, H, W), −1..1.
        target: Likewise.
        reference: Likewise.
        mask: (B, 1, H, W), 0..1.

    Returns:
        The same four.
    """
    size, device = len(painted), painted.device

    def random(low: float, high: float) -> Tensor:
        return low + (high - low) * torch.rand(size, 1, 1, 1, device=device)

    pictures = torch.stack([painted, target, reference])
    mirrored = torch.rand(size, 1, 1, 1, device=device) < 0.5
    pictures, mask = torch.where(mirrored, pictures.flip(-1), pictures), torch.where(mirrored, mask.flip(-1), mask)
    light = ((pictures + 1) / 2).clamp(0, 1) ** random(0.7, 1.4)
    light = light * random(0.7, 1.15) * (1 + 0.12 * torch.randn(size, 3, 1, 1, device=device))
    grey = (light * _GREY.to(device).view(3, 1, 1)).sum(2, keepdim=True)
    colour = torch.where(torch.rand(size, 1, 1, 1, device=device) < 0.15, torch.zeros_like(mirrored, dtype=light.dtype), random(0.6, 1.2))
    pictures = (grey + colour * (light - grey)).clamp(0, 1) * 2 - 1
    painted, target, reference = pictures
    return _bent(_softened(painted, random(0, 1))), target, reference, mask


def _softened(image: Tensor, amount: Tensor) -> Tensor:
    """Between the image and one blurred by a binomial kernel."""
    kernel = torch.tensor([1.0, 4, 6, 4, 1], device=image.device) / 16
    weight = (kernel[:, None] * kernel).expand(3, 1, 5, 5)
    soft = functional.conv2d(functional.pad(image, (2, 2, 2, 2), mode="replicate"), weight, groups=3)
    return image + amount * (soft - image)


def _bent(image: Tensor, pixels: float = 1.2, cells: int = 6) -> Tensor:
    """Displaced by a smooth random field with a deviation of some pixels."""
    size, _, height, width = image.shape
    field = functional.interpolate(
        torch.randn(size, 2, cells, cells, device=image.device), (height, width), mode="bicubic", align_corners=True
    )
    y, x = torch.meshgrid(torch.linspace(-1, 1, height), torch.linspace(-1, 1, width), indexing="ij")
    places = torch.stack([x, y], -1).to(image.device) + field.permute(0, 2, 3, 1) * (2 * pixels / width)
    return functional.grid_sample(image, places.to(image.dtype), padding_mode="border", align_corners=True)
