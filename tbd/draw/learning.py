"""How learning rates run."""

import math
from typing import Any

import torch


def warmup_cosine(optimizer: torch.optim.Optimizer, total: int, warmup: int) -> dict[str, Any]:
    """A linear rise over `warmup` steps, then a cosine that reaches zero at `total`; what `configure_optimizers` returns."""

    def factor(step: int) -> float:
        if step < warmup:
            return (step + 1) / warmup
        return 0.5 * (1 + math.cos(math.pi * min((step - warmup) / max(total - warmup, 1), 1.0)))

    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, factor)
    return {"optimizer": optimizer, "lr_scheduler": {"scheduler": schedule, "interval": "step"}}
