"""Denoisers of latent video: Stable Diffusion's UNet with AnimateDiff's motion modules."""

import os
from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal

import torch
from diffusers.models.attention import BasicTransformerBlock
from diffusers.models.attention_processor import Attention
from diffusers.models.transformers.transformer_2d import Transformer2DModel
from diffusers.models.unets.unet_2d_condition import UNet2DConditionModel
from diffusers.models.unets.unet_motion_model import AnimateDiffTransformer3D, MotionAdapter, UNetMotionModel
from diffusers.utils import logging
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from tbd.draw.conditioning.plan_encoder import PlanEmbeds
from tbd.draw.pretrained import PortableModule, from_source, plain
from tbd.draw.video.attention import (
    Context,
    PlainAttnProcessor,
    PlanAudioAttention,
    ReferenceAttention,
    ReferenceWriterAttnProcessor,
    audio_windows,
    mask_region_tokens,
    mask_tokens,
)
from tbd.draw.video.cuda_graph import CUDAGraphRunner
from tbd.draw.video.feature_reuse import DeepFeatures
from tbd.draw.video.precision import keep_norm_dtype
from tbd.draw.video.unet_parts import checkpoint_regions, compile_repeated, level_sizes, require_plain_unet, unet_regions
from tbd.draw.video.unet_pass import embed_time, run_unet
from tbd.errors import InputError
from tbd.face.geometry import FaceGeometry

ReferenceFeatures = dict[str, Tensor]
"""What a denoiser reads of a portrait: name of a layer → (B, h·w, C)."""


@dataclass
class VideoConditioning:
    """What B windows are conditioned on, besides the portrait.

    Args:
        plan: Tokens of width plan_dim and their presence; a withheld group has presence 0.
        audio_embeds: (B, T, audio_dim) features of the audio.
        audio_mask: (B,) 1 where the audio is given, 0 where it is withheld.
        hint: (B, T, C, h, w) latents of the coarse, mesh-warped portrait; zeros where it is withheld.
        region_masks: (B, 5, h, w) 0..1, where in the latent each region of `tbd.think.action_units.REGIONS` lies.
        past_mask: (B, T) 1 at the frames already drawn.
        past: (B, T, C, h, w) the frames already drawn, zeros behind them; None where there are none.
        portrait_mask: (B,) 1 where the portrait is given, 0 where it is withheld; None where all are given it.
    """

    plan: PlanEmbeds
    audio_embeds: Tensor
    audio_mask: Tensor
    hint: Tensor
    region_masks: Tensor
    past_mask: Tensor
    past: Tensor | None = None
    portrait_mask: Tensor | None = None


class VideoDenoiser(PortableModule, ABC):
    """Predicts from noisy latents and their conditions. It never sees a guidance scale.

    An implementation declares the first four fields below and two methods, `encode_reference` and `forward`; all else has a default.
    """

    plan_dim: int
    """Width of the plan tokens that it takes."""
    audio_dim: int
    """Width of the audio features that it takes."""
    channels: int
    """Channels of the latents."""
    max_frames: int
    """Most frames of a window."""
    reads_hint: bool = True
    """Whether coarse frames are read; where not, none need be made."""
    reads_plan: bool = True
    """Whether emotion and muscles change what is drawn."""
    needs_past: bool = False
    """Whether every window continues something, the first one the portrait held still: a window's past is never predicted."""

    rereads_past: bool = False
    """Whether frames drawn already are decoded and encoded again before the next window continues them."""

    reuses_features: bool = False
    """Whether `forward` takes what its deep layers made at an earlier step, `tbd.draw.video.feature_reuse.DeepFeatures`, as ``deep``."""

    headroom: float | None = None
    """Side of a portrait's square in heights of the face, for networks that were trained on closer pictures; None for the usual one."""

    def read_portrait(self, face: FaceGeometry) -> ReferenceFeatures:
        """Read of a portrait what its latents do not hold.

        Args:
            face: The face, in the picture that is drawn.

        Returns:
            Name → (1, …), to be joined to what `encode_reference` gives; by default nothing.
        """
        return {}

    @abstractmethod
    def encode_reference(self, portrait: Tensor) -> ReferenceFeatures:
        """(B, C, h, w) latents of portraits → features that `forward` reads; computed once for a whole video."""

    @abstractmethod
    def forward(self, noisy: Tensor, timestep: Tensor, reference: ReferenceFeatures, conditioning: VideoConditioning) -> Tensor:
        """Predict once.

        Args:
            noisy: (B, T, C, h, w) latents with noise; clean where `conditioning.past_mask` is 1.
            timestep: (B,) the noise scheduler's training timestep.
            reference: The portraits' features, from `encode_reference`.
            conditioning: All other conditions.

        Returns:
            (B, T, C, h, w) the prediction, in the noise scheduler's prediction type.
        """

    def condition(self, reference: ReferenceFeatures, conditioning: VideoConditioning) -> ReferenceFeatures:
        """Compute what does not change between the steps of a window.

        Args:
            reference: The portraits' features, from `encode_reference`.
            conditioning: All other conditions of the window.

        Returns:
            What `forward` is given as reference; by default the portraits' features as they are.
        """
        return reference

    def enable_gradient_checkpointing(self, how: Literal["some", "most"]) -> None:
        """In training, compute activations again instead of keeping them.

        By default all of them, whatever `how` says: one prediction is computed again as a whole.

        Args:
            how: Whether to compute ``some`` that are cheap, or ``most``.
        """
        self.forward = partial(checkpoint, self.forward, use_reentrant=False)  # type: ignore[method-assign]  # names in checkpoints stay

    def compile_parts(self) -> None:
        """Compile, in place, so that names in checkpoints stay; called when it is settled what trains. By default as a whole."""
        self.compile()

    def fsdp_modules(self) -> Iterator[nn.Module]:
        """Yield the parts whose weights FSDP2 gathers together, each before what holds it. By default the network as a whole."""
        yield self


class VideoUNet(VideoDenoiser):
    """diffusers' `UNetMotionModel`, and a second UNet without motion that encodes the portrait (ReferenceNet).

    The latent input is widened, with zeros at first, by the hint and by a plane that marks frames already drawn. In every
    spatial self-attention the portrait's keys and values are appended to the frame's own (`ReferenceAttention`); every
    cross-attention attends to plan and audio separately (`PlanAudioAttention`). Where no motion modules are loaded, new ones start
    with an output of zero, so that a first stage can train the rest on few frames.

    Args:
        unet: Hub name, folder or single file of Stable Diffusion 1.5 (or of its ``unet`` alone), or the arguments of a
            `UNetMotionModel` with random weights; its ``in_channels`` are the latents' alone.
        motion_adapter: Hub name, folder or single file of AnimateDiff's motion modules, for a pretrained `unet`.
        max_frames: Most frames of a window for new motion modules; loaded ones have their own limit.

    Raises:
        InputError: If weights are missing.
    """

    hub_arguments = ("unet", "motion_adapter")
    """See `tbd.utils.hub`."""
    reuses_features = True

    def __init__(self, unet: str | dict[str, Any], motion_adapter: str | None = None, max_frames: int = 32) -> None:
        super().__init__()
        if isinstance(unet, (str, os.PathLike)):
            flat = from_source(UNet2DConditionModel, unet, "unet")
            require_plain_unet(flat, str(unet))
            adapter = from_source(MotionAdapter, motion_adapter) if motion_adapter else None
            moving = _moving(flat, adapter, f"the UNet of {unet}", str(motion_adapter))
        else:
            moving = UNetMotionModel(**{"motion_max_seq_length": max_frames, **unet})
            flat, adapter = _without_motion(moving), None
        self.channels = moving.config.in_channels
        self.plan_dim = self.audio_dim = _single(moving.config.cross_attention_dim)
        self.max_frames = moving.config.motion_max_seq_length
        self.unet, self.reference = _widened(moving, self.channels + 1), flat
        if adapter is None:
            _silence_motion(self.unet)
        self.null_tokens = nn.Parameter(torch.randn(3, self.plan_dim) * 0.02)
        self._graph_runner: CUDAGraphRunner | None = None
        self._set_processors()
        _leave_out_the_end(self.reference)
        keep_norm_dtype(self)

    def describe(self, init_args: dict[str, Any]) -> dict[str, Any]:
        """See `PortableModule.describe`."""
        config = {name: value for name, value in self.unet.config.items() if not name.startswith("_")}
        return {"unet": plain({**config, "in_channels": self.channels}), "max_frames": self.max_frames}

    def _set_processors(self) -> None:
        moving: dict[str, Any] = dict(self.unet.attn_processors)  # diffusers lists the classes of its own processors alone
        for name in moving:
            if "motion_modules" in name:
                continue
            attn = self.unet.get_submodule(name.removesuffix(".processor"))
            assert isinstance(attn, Attention)
            spatial = name.endswith("attn1.processor")
            moving[name] = ReferenceAttention(name) if spatial else PlanAudioAttention(self.plan_dim, attn.inner_dim)
        self.unet.set_attn_processor(moving)
        names = self.reference.attn_processors
        self.reference.set_attn_processor(
            {n: ReferenceWriterAttnProcessor(n) if n.endswith("attn1.processor") else PlainAttnProcessor() for n in names}
        )

    def encode_reference(self, portrait: Tensor) -> ReferenceFeatures:
        """(B, C, h, w) latents of portraits → the input of each self-attention of the reference UNet."""
        # a sampling loop keeps the features for longer than a training step does
        graph_runner = self._graph_runner if self.training and portrait.is_cuda else None
        return self._run_reference(portrait) if graph_runner is None else graph_runner(portrait)

    def _run_reference(self, portrait: Tensor) -> ReferenceFeatures:
        kept: ReferenceFeatures = {}
        nothing = portrait.new_zeros(len(portrait), 1, self.plan_dim)
        clean = torch.zeros(len(portrait), dtype=torch.long, device=portrait.device)
        # a function, since FSDP takes a dict apart on its way and puts it together as another
        self.reference(portrait, clean, nothing, cross_attention_kwargs={"keep": kept.__setitem__})
        return kept

    def forward(
        self,
        noisy: Tensor,
        timestep: Tensor,
        reference: ReferenceFeatures,
        conditioning: VideoConditioning,
        deep: DeepFeatures | None = None,
    ) -> Tensor:
        """Predict once; see `VideoDenoiser.forward`.

        Args:
            noisy: (B, T, C, h, w) latents with noise.
            timestep: (B,) the noise scheduler's training timestep.
            reference: The portraits' features.
            conditioning: All other conditions.
            deep: What the deep layers made at an earlier step, where that is reused.

        Returns:
            (B, T, C, h, w) the prediction.
        """
        plane = conditioning.past_mask[:, :, None, None, None].expand(-1, -1, 1, *noisy.shape[-2:]).to(noisy.dtype)
        x = torch.cat([noisy, conditioning.hint.to(noisy.dtype), plane], 2)  # (B, T, 2C+1, h, w)
        emotion, muscles, audio = self.null_tokens
        frames = audio_windows(conditioning.audio_embeds)  # (B·T, 5, D)
        audio_mask = conditioning.audio_mask[:, None, None].expand(-1, frames.shape[1], noisy.shape[1])  # (B, 5, T)
        sizes = level_sizes(noisy.shape[-2:], len(self.unet.down_blocks))
        context = Context(
            noisy.shape[1],
            reference,
            mask_tokens(conditioning.plan.global_tokens, conditioning.plan.global_presence, emotion),
            mask_region_tokens(conditioning.plan, conditioning.region_masks, sizes, muscles),
            mask_tokens(frames, audio_mask, audio),
        )
        unet, size, t = self.unet, len(noisy), noisy.shape[1]
        nothing = x.new_zeros(1, 1, 1)  # the processors take their keys from the context

        def attend(block: Any, j: int, x: Tensor, level: int) -> Tensor:
            """The frame's own attention, where the block has any, and the other frames."""
            if hasattr(block, "attentions"):
                kwargs = {"context": context}
                x = block.attentions[j](x, encoder_hidden_states=nothing, cross_attention_kwargs=kwargs, return_dict=False)[0]
            return block.motion_modules[j](x, num_frames=t) if hasattr(block, "motion_modules") else x

        emb = embed_time(unet, timestep, x, t)
        return run_unet(unet, unet.conv_in(x.flatten(0, 1)), emb, attend, deep).unflatten(0, (size, t))

    def enable_gradient_checkpointing(self, how: Literal["some", "most"]) -> None:
        """Compute feed-forwards again (some), or whole spatial transformers and motion modules (most).

        At Stable Diffusion's size with 16 frames, feed-forwards hold half of what is kept, 10.6 of 21 GiB beside the convolutions, for a
        twentieth more computation; all of both hold nearly everything, for a third more.

        Args:
            how: ``some`` or ``most``.
        """
        checkpoint_regions(unet_regions(self.unet, "attentions", "motion_modules"), how)

    def fsdp_modules(self) -> Iterator[nn.Module]:
        """Yield blocks, then the reference UNet, then the whole: the UNet that draws is called layer by layer, never as one."""
        for network in (self.unet, self.reference):
            yield from unet_regions(network, "resnets", "attentions", "motion_modules")
        yield self.reference
        yield self

    def compile_parts(self) -> None:
        """Compile convolution blocks, feed-forwards and motion modules: the same code for every layer of one shape.

        Spatial attention is left as it is: its matrix products are fused already, and each layer finds its reference features by name. The
        reference branch has one frame where the others have all, and costs nothing but the launch of its kernels; where it does not
        train, it is replayed.
        """
        if not any(p.requires_grad for p in self.reference.parameters()):
            self._graph_runner = CUDAGraphRunner(self._run_reference)
        compile_repeated(self.unet, AnimateDiffTransformer3D)


def _moving(flat: UNet2DConditionModel, adapter: MotionAdapter | None, unet: str, source: str) -> Any:
    """The UNet with motion modules, which must be of its size."""
    verbosity = logging.get_verbosity()
    logging.set_verbosity_error()  # it warns of a list of modules that is empty
    try:
        return UNetMotionModel.from_unet2d(flat, adapter)
    except (ValueError, RuntimeError, KeyError) as error:
        raise InputError(f"The motion modules of {source} have other widths or levels than {unet}, as those for SDXL have.") from error
    finally:
        logging.set_verbosity(verbosity)


def _single(dim: int | tuple[int, ...]) -> int:
    dims = {dim} if isinstance(dim, int) else set(dim)
    if len(dims) != 1:
        raise ValueError(f"cross_attention_dim is one width, not {sorted(dims)}.")
    return dims.pop()


def _without_motion(moving: UNetMotionModel) -> UNet2DConditionModel:
    """A UNet of the same spatial shape, with weights of its own."""
    config = moving.config
    shared = (
        "sample_size in_channels out_channels block_out_channels layers_per_block downsample_padding mid_block_scale_factor act_fn "
        "norm_num_groups norm_eps cross_attention_dim transformer_layers_per_block use_linear_projection"
    )
    kinds = {name: tuple(kind.removesuffix("Motion") for kind in config[name]) for name in ("down_block_types", "up_block_types")}
    kinds = {name: tuple(f"{kind}2D" for kind in types) for name, types in kinds.items()}
    heads = config["num_attention_heads"]  # UNet2DConditionModel calls the number of heads attention_head_dim
    return UNet2DConditionModel(**{name: config[name] for name in shared.split()}, **kinds, attention_head_dim=heads)


def _widened(unet: UNetMotionModel, more: int) -> UNetMotionModel:
    """The same UNet with `more` input channels, which it ignores at first."""
    old = unet.conv_in
    size = old.kernel_size[0]
    new = nn.Conv2d(old.in_channels + more, old.out_channels, size, padding=size // 2)
    assert old.bias is not None and new.bias is not None
    with torch.no_grad():
        new.weight.zero_()
        new.weight[:, : old.in_channels] = old.weight
        new.bias.copy_(old.bias)
    unet.conv_in = new
    unet.register_to_config(in_channels=new.in_channels)
    return unet


def _silence_motion(unet: UNetMotionModel) -> None:
    for module in unet.modules():
        if isinstance(module, AnimateDiffTransformer3D):
            nn.init.zeros_(module.proj_out.weight)
            nn.init.zeros_(module.proj_out.bias)


def _leave_out_the_end(reference: UNet2DConditionModel) -> None:
    """Freeze what lies behind the last layer that is recorded: it can learn nothing, and DDP refuses parameters without gradient."""
    last = [module for module in reference.up_blocks.modules() if isinstance(module, Transformer2DModel)][-1]
    block: BasicTransformerBlock = last.transformer_blocks[-1]
    for part in (*(p for name, p in block.named_children() if name != "norm1"), last.proj_out, reference.conv_norm_out, reference.conv_out):
        part.requires_grad_(False)
        for parameter in part.parameters():
            parameter.useless = True
