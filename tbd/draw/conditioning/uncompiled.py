"""What PyTorch's compiler leaves alone in audio encoders. Importing this imports the compiler, which takes a second."""

import torch

from tbd.draw.conditioning.log_mel import log_mel

uncompiled_log_mel = torch.compiler.disable(log_mel, reason="complex numbers are not worth compiling")
