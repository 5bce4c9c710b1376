"""Drawing motion imports no more than it needs, and what was left out is whole where it is used."""

import subprocess
import sys

_LIGHT = """
import sys
import tbd.pipeline
from tbd.draw.motion.loading import load_motion_model
from tbd.think.plan import MusclePlan
import numpy as np
model = load_motion_model()
next(model.generate(np.zeros(16000, np.float32), MusclePlan(), num_inference_steps=1))
heavy = ("lightning", "torchmetrics", "torchvision", "transformers", "torch._dynamo", "matplotlib", "mediapipe")
print([name for name in heavy if name in sys.modules])

from diffusers.utils import import_utils
print("data" in vars(import_utils._package_map), import_utils._is_distribution_installed("PIL")[0], import_utils._package_map["PIL"])

from diffusers.models.attention import BasicTransformerBlock
from diffusers.schedulers import scheduling_dpmsolver_multistep as module
import torch
print(sys.modules["torch._dynamo"].__file__.endswith("__init__.py"), torch._dynamo.is_compiling())
print(module.scipy.stats.beta.ppf(0.5, 1, 1), sys.modules["scipy.stats"].__name__)
print(torch.compile(lambda x: x + 1, backend="eager")(torch.ones(1)).item())
"""


def test_what_is_imported_late_is_whole():
    done = subprocess.run([sys.executable, "-c", _LIGHT], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == ["[]", "False True ['pillow']", "True False", "0.5 scipy.stats", "2.0"]
