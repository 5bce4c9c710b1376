"""`RecordingEncoder`: all layers of wav2vec 2.0 over a whole recording, as Hallo and EmoCAST read speech."""

from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from tbd.draw.conditioning.audio_encoder import AudioEncoder, frames_of, normalised
from tbd.draw.pretrained import from_source, plain
from tbd.media.rates import SAMPLES_PER_FRAME

_FEWEST = 4
"""Frames of silence that make a very short recording long enough for the network's convolutions."""


class RecordingEncoder(AudioEncoder):
    """Every layer's hidden states of a frozen wav2vec 2.0 that reads a recording as a whole, of each frame and its neighbours.

    The convolutions' output is resampled to the video's rate before the transformer reads it. Level and mean of the sound are those of
    the whole recording, behind which silence follows up to a multiple of `block` frames. In training, windows are read by themselves.

    Args:
        model: Hub name or folder of a wav2vec 2.0, or its configuration as transformers' ``to_dict`` gives it, for random weights.
        block: See above; a window's new frames.
        reach: Number of neighbours on each side.
        context: Frames read on each side of a window in training.

    Raises:
        InputError: If there are no such weights.
    """

    hub_arguments = ("model",)
    """See `tbd.utils.hub`."""

    def __init__(self, model: str | dict[str, Any], block: int = 16, reach: int = 2, context: int = 8) -> None:
        super().__init__()
        from transformers import Wav2Vec2Config, Wav2Vec2Model

        self.block, self.reach, self.context = block, reach, context
        if isinstance(model, str):
            self.model = from_source(Wav2Vec2Model, model)
        else:
            self.model = Wav2Vec2Model(Wav2Vec2Config(**{name: value for name, value in model.items() if name != "model_type"}))
        self.model.requires_grad_(False)
        config = self.model.config
        self.width = config.num_hidden_layers * config.hidden_size
        self.dim = (2 * reach + 1) * self.width

    def train(self, mode: bool = True) -> "RecordingEncoder":
        """Set the training mode of all but the frozen network."""
        super().train(mode)
        self.model.eval()  # it drops layers and hides parts of the sound otherwise
        return self

    def describe(self, init_args: dict[str, Any]) -> dict[str, Any]:
        """See `PortableModule.describe`."""
        return {**init_args, "model": plain(self.model.config.to_diff_dict())}

    @torch.no_grad()
    def encode_recording(self, audio: np.ndarray) -> Tensor:
        """Encode a whole recording at once; see `AudioEncoder.encode_recording`.

        Args:
            audio: (N,) samples.

        Returns:
            (F, layers·hidden) features.
        """
        device = next(self.model.parameters()).device
        sound = torch.from_numpy(np.ascontiguousarray(audio, np.float32))[None].to(device)
        frames = max(frames_of(len(audio)), 1)
        whole = -(-frames // self.block) * self.block
        behind = (whole - frames) * SAMPLES_PER_FRAME
        return self._features(F.pad(normalised(sound), (0, behind)), whole)[0]

    def cut_window(self, features: Tensor, start: int, frames: int) -> Tensor:
        """Cut the features of a window; see `AudioEncoder.cut_window`.

        Args:
            features: (F, layers·hidden) of a recording.
            start: First frame of the window.
            frames: T, frames of the window.

        Returns:
            (T, dim): of each frame and its neighbours, from the earliest to the latest.
        """
        reach = torch.arange(-self.reach, self.reach + 1, device=features.device)
        places = torch.arange(start, start + frames, device=features.device).clamp(0, len(features) - 1)[:, None] + reach
        return features[places.clamp(0, len(features) - 1)].flatten(1)

    @torch.no_grad()
    def forward(self, audio: Tensor, phones: Tensor | None = None) -> Tensor:
        """Compute the features of B windows by themselves; see `AudioEncoder.forward`.

        Args:
            audio: (B, (T + 2·context)·640) samples.
            phones: Not read.

        Returns:
            (B, T, dim) features.
        """
        frames = audio.shape[1] // SAMPLES_PER_FRAME
        features = self._features(normalised(audio), frames)  # (B, T+2C, W)
        return torch.stack([self.cut_window(x, self.context, frames - 2 * self.context) for x in features])

    def _features(self, sound: Tensor, frames: int) -> Tensor:
        """(B, N) → (B, frames, layers·hidden), in float32."""
        with torch.autocast(sound.device.type, enabled=False):
            return self._all_layers(sound.float(), frames)

    def _all_layers(self, sound: Tensor, frames: int) -> Tensor:
        short = _FEWEST * SAMPLES_PER_FRAME - sound.shape[1]
        columns = self.model.feature_extractor(F.pad(sound, (0, max(short, 0))))  # (B, C, about 2·frames)
        columns = F.interpolate(columns, size=frames, mode="linear", align_corners=True).mT
        # by hooks, since what `output_hidden_states` gives of the encoder alone differs between versions of transformers
        states: list[Tensor] = []
        hooks = [
            layer.register_forward_hook(lambda _, __, out: states.append(out[0] if isinstance(out, tuple) else out))
            for layer in self.model.encoder.layers
        ]
        try:
            self.model.encoder(self.model.feature_projection(columns)[0])
        finally:
            for hook in hooks:
                hook.remove()
        return torch.stack(states, 2).flatten(2)
