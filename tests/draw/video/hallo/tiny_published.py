"""Tiny networks with random weights in the place of the published ones, as files where `tbd weights fetch` would put them."""

import json
import shutil
from pathlib import Path

import torch
from diffusers import AutoencoderKL
from transformers import CLIPTextConfig, CLIPTextModel, Wav2Vec2Config, Wav2Vec2Model

from tests.draw.conditioning.tiny_text import text_model_folder
from tests.draw.video.hallo.peer import FIXTURES, published_state

AUTOENCODER = {
    "down_block_types": ["DownEncoderBlock2D"] * 4,
    "up_block_types": ["UpDecoderBlock2D"] * 4,
    "block_out_channels": [8] * 4,
    "layers_per_block": 1,
    "norm_num_groups": 4,
}
AUDIO = {
    "hidden_size": 8,
    "num_hidden_layers": 3,
    "num_attention_heads": 2,
    "intermediate_size": 16,
    "conv_dim": [8] * 7,
    "num_conv_pos_embeddings": 16,
    "num_conv_pos_embedding_groups": 2,
}

NETWORK = {
    "unet": {
        "block_out_channels": [32, 32, 32, 32],
        "layers_per_block": 1,
        "cross_attention_dim": 32,
        "attention_head_dim": 8,
    },
    "audio_inputs": 5 * 3 * 8,
    "audio_hidden": 8,
    "audio_tokens": 4,
    "audio_width": 16,
}
TINY_FROM_HALLO = [
    f"--model.init_args.denoiser.init_args.network={json.dumps(NETWORK)}",
    "--model.init_args.denoiser.init_args.plan_dim=16",
    "--model.init_args.denoiser.init_args.lora_rank=2",
    "--model.init_args.plan_encoder.init_args.dim=16",
    f"--model.init_args.audio_encoder.init_args.model={json.dumps(AUDIO)}",
    f"--model.init_args.autoencoder.init_args.autoencoder={json.dumps(AUTOENCODER)}",
]
"""Options that put tiny random networks in the place of an experiment's published ones."""


def write_published(folder: Path, name: str) -> Path:
    """Write all files of ``hallo`` or ``emocast``."""
    torch.manual_seed(0)
    (folder / name).mkdir(parents=True)
    torch.save(published_state(name), folder / name / "net.pth")
    AutoencoderKL(**AUTOENCODER).save_pretrained(folder / "sd-vae-ft-mse")
    Wav2Vec2Model(Wav2Vec2Config(**AUDIO)).save_pretrained(folder / "wav2vec2-base-960h")
    (folder / "antelopev2").mkdir()
    shutil.copy(FIXTURES / "embedder.onnx", folder / "antelopev2/glintr100.onnx")
    if name == "emocast":
        write_text_model(folder / "clip-vit-large-patch14")
    return folder


def write_text_model(folder: Path) -> None:
    """Words as the other tests' text model has them, hidden states as wide as EmoCAST's."""
    shutil.copytree(text_model_folder("clip"), folder)
    config = CLIPTextConfig.from_pretrained(folder)
    config.hidden_size = config.projection_dim = 768
    (folder / "model.safetensors").unlink()
    CLIPTextModel(config).save_pretrained(folder)
    for file in ("vocab.json", "merges.txt", "special_tokens_map.json"):  # which this tokenizer does without
        (folder / file).write_text("{}")
