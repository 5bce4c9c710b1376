"""`HalloDenoiser`: the networks of Hallo and EmoCAST as a denoiser of ours."""

import os
from collections.abc import Iterator, Sequence
from typing import Any, Literal

import torch
from diffusers.models.attention import BasicTransformerBlock
from diffusers.models.attention_processor import Attention
from diffusers.models.unets.unet_2d_condition import UNet2DConditionModel
from torch import Tensor, nn
from torch.nn import functional as F

from tbd.draw.pretrained import from_source, plain
from tbd.draw.video.attention import ReferenceWriterAttnProcessor, mask_region_tokens, mask_tokens
from tbd.draw.video.denoiser import ReferenceFeatures, VideoConditioning, VideoDenoiser
from tbd.draw.video.feature_reuse import DeepFeatures
from tbd.draw.video.hallo.attention import HalloContext, PortraitSelfAttention, TokenCrossAttention
from tbd.draw.video.hallo.blocks import AudioTransformer, MotionTransformer
from tbd.draw.video.hallo.portrait import read_face
from tbd.draw.video.hallo.projections import AudioProjection, FaceLocator, FaceProjection
from tbd.draw.video.hallo.words import words_of
from tbd.draw.video.precision import keep_norm_dtype
from tbd.draw.video.unet_parts import checkpoint_regions, compile_repeated, level_sizes, require_plain_unet, unet_blocks, unet_regions
from tbd.draw.video.unet_pass import embed_time, run_unet
from tbd.face.geometry import FaceGeometry
from tbd.metrics.faces.identity import FaceEmbedder
from tbd.think.action_units import REGIONS

_PIXELS = 8
"""Pixels of a picture along the side of one of a latent, as the face locator halves them."""
_HEADS = 8
"""Heads of every attention, as in Stable Diffusion 1.x and AnimateDiff."""


class HalloDenoiser(VideoDenoiser):
    """Stable Diffusion's UNet with a reference UNet, motion modules, and transformers that read the audio in three places.

    The frames before a window are read through the reference UNet, as features that the motion modules see before those of the new
    frames; a window that continues nothing continues the portrait held still. So a window's first `past_frames` frames are never
    predicted. Coarse frames are not read.

    Branches differ in what they are given: without ``portrait`` a row has neither the reference's tokens, nor the face's identity and
    place. Without words the network reads no plan (unless `plan_dim` says so), and a sentence about a feeling changes nothing.

    Args:
        unet: Configuration of a `UNet2DConditionModel`, or hub name, folder or file of Stable Diffusion 1.5 to start from.
        audio_inputs: Width of the audio features of a frame, its neighbours' included.
        audio_hidden: Width of the audio projection's hidden layers.
        audio_tokens: Number of audio tokens of a frame.
        audio_width: Width of an audio token.
        face_embedding: Width of a face's embedding.
        words: Whether words about a feeling are read (EmoCAST), as `tbd.draw.conditioning.sentence_encoder.SentencePlanEncoder` gives them.
        plan_dim: Width of a muscle plan's tokens, for attention to plans that is to be trained; 0 for a network without.
        past_frames: Frames before a window that it reads.
        max_frames: Most frames of a window, those before it included.
        audio_scales: Strength of the audio around the face, on it, and on the lips; 1 as trained.
        mixed_identity: Whether every other frame reads the portrait, and every other picture is read, with the other branch's identity,
            as the published programs do when they draw.
        embedder: Says whose face a portrait shows; without one it is nobody's.

    Raises:
        InputError: If weights are missing.
    """

    hub_arguments: tuple[str, ...] = ("unet",)
    """See `tbd.utils.hub`."""
    reads_hint = False
    needs_past = True
    reuses_features = True
    rereads_past = True
    headroom = 1.67  # a face makes up 50 to 70 % of the pictures that the authors' programs want

    def __init__(
        self,
        unet: str | dict[str, Any],
        audio_inputs: int = 5 * 12 * 768,
        audio_hidden: int = 512,
        audio_tokens: int = 32,
        audio_width: int = 768,
        face_embedding: int = 512,
        words: bool = False,
        plan_dim: int = 0,
        past_frames: int = 2,
        max_frames: int = 32,
        audio_scales: tuple[float, float, float] = (1.0, 1.0, 1.0),
        mixed_identity: bool = True,
        embedder: FaceEmbedder | None = None,
    ) -> None:
        super().__init__()
        if isinstance(unet, (str, os.PathLike)):
            self.unet, self.reference = (from_source(UNet2DConditionModel, unet, "unet") for _ in range(2))
            require_plain_unet(self.unet, str(unet))
        else:
            self.unet, self.reference = (UNet2DConditionModel(**unet) for _ in range(2))
        config, width = self.unet.config, self.unet.config.cross_attention_dim
        self.channels, self.words, self.past_frames, self.max_frames = config.in_channels, words, past_frames, max_frames
        self.audio_dim, self.audio_scales, self.mixed_identity = audio_inputs, audio_scales, mixed_identity
        self.reads_plan, self.plan_dim = words or bool(plan_dim), plan_dim or width
        self._set_processors(width, plan_dim)
        self._add_modules(audio_width)
        self.face_locator = FaceLocator(config.block_out_channels[0])
        self.face_projection = FaceProjection(face_embedding, width)
        self.audio_projection = AudioProjection(audio_inputs, audio_hidden, audio_tokens, audio_width)
        self.null_tokens = nn.Parameter(torch.randn(2, plan_dim) * 0.02) if plan_dim else None
        # nothing behind its last self-attention is read
        self.reference.conv_norm_out, self.reference.conv_out = None, nn.Identity()
        self._embedder = (embedder,)  # hidden from PyTorch, which would save its weights with these
        self._own = {
            "audio_hidden": audio_hidden,
            "audio_tokens": audio_tokens,
            "audio_width": audio_width,
            "face_embedding": face_embedding,
        }
        keep_norm_dtype(self)

    def describe(self, init_args: dict[str, Any]) -> dict[str, Any]:
        """See `PortableModule.describe`."""
        config = {name: value for name, value in self.unet.config.items() if not name.startswith("_")}
        return {**init_args, "unet": plain(config), "audio_inputs": self.audio_dim, **self._own}

    def _set_processors(self, width: int, plan_dim: int) -> None:
        for network, plan in ((self.unet, plan_dim), (self.reference, 0)):
            chosen: dict[str, Any] = {}
            for name in network.attn_processors:
                attn = network.get_submodule(name.removesuffix(".processor"))
                assert isinstance(attn, Attention)
                if name.endswith("attn2.processor"):
                    chosen[name] = TokenCrossAttention(width, attn.inner_dim, self.words, plan)
                else:
                    chosen[name] = PortraitSelfAttention(name) if network is self.unet else ReferenceWriterAttnProcessor(name)
            network.set_attn_processor(chosen)

    def _add_modules(self, audio_width: int) -> None:
        """Put the audio's transformers and the motion modules beside the spatial ones, under the names that are published."""
        config = self.unet.config
        for block, widths in zip(unet_blocks(self.unet), _audio_widths(config.block_out_channels, config.layers_per_block)):
            if not hasattr(block, "attentions"):
                continue
            audio, motion = [], []
            for spatial, width in zip(block.attentions, widths):
                channels, groups = spatial.in_channels, config.norm_num_groups
                audio.append(AudioTransformer(channels, width, _HEADS, audio_width, groups, self.words))
                motion.append(MotionTransformer(channels, _HEADS, groups, self.max_frames))
            block.audio_modules, block.motion_modules = nn.ModuleList(audio), nn.ModuleList(motion)

    # -- what does not change between the steps of a window ----------------------------------------------------------

    def read_portrait(self, face: FaceGeometry) -> ReferenceFeatures:
        """Read whose face it is, where it lies, and where the audio acts; see `VideoDenoiser.read_portrait`."""
        size = (face.image.shape[0] // _PIXELS, face.image.shape[1] // _PIXELS)
        sizes = level_sizes(size, len(self.unet.down_blocks))
        return dict(read_face(face, self._embedder[0], self.face_projection.proj.in_features, sizes))

    def encode_reference(self, portrait: Tensor) -> ReferenceFeatures:
        """(B, C, h, w) latents of portraits, as they are: what the reference UNet makes of them depends on what else is given."""
        return {"portrait": portrait}

    def condition(self, reference: ReferenceFeatures, conditioning: VideoConditioning) -> ReferenceFeatures:
        """Run the reference UNet and the projections for B windows; see `VideoDenoiser.condition`.

        Args:
            reference: ``portrait``, and what `read_portrait` reads of it: ``face_embedding`` (B, E), ``face_mask`` (B, 3, H, W), and
                ``audio_masks.0`` … (B, 3, h·w) of each level. Without these the regions' masks stand for the face's, which is
                nobody's then.
            conditioning: All conditions.

        Returns:
            What `forward` reads.
        """
        portrait, p = reference["portrait"], self.past_frames
        size = portrait.shape[-2:]
        if "face_mask" not in reference:
            reference = {**reference, **self._from_regions(conditioning.region_masks, size)}
        given = torch.ones_like(conditioning.audio_mask) if conditioning.portrait_mask is None else conditioning.portrait_mask
        identity = self.face_projection(reference["face_embedding"].to(portrait.dtype))  # (B, 4, D)
        nobody = self.face_projection(torch.zeros_like(reference["face_embedding"]).to(portrait.dtype))
        words = words_of(conditioning.plan, given, p) if self.words else None
        with_all = identity if words is None else torch.cat([words.mean, identity], 1)
        with_none = nobody if words is None else torch.cat([words.empty, nobody], 1)
        found = self._read_pictures(portrait, conditioning, given, with_all, with_none)
        is_given = given[:, None, None] > 0
        if words is None or words.frames is None:
            found["tokens"] = torch.where(is_given, with_all, with_none)
        else:
            t = words.frames.shape[1]
            faces = torch.where(is_given, identity, nobody)[:, None].expand(-1, t, -1, -1)
            chosen = torch.where(is_given[..., None], words.frames, words.empty[:, None])
            found["tokens"] = torch.cat([chosen, faces], 2)  # (B, T, L+4, D)
        located = self.face_locator(reference["face_mask"].to(portrait.dtype))
        if located.shape[-2:] != size:
            located = F.interpolate(located, size=size, mode="bilinear")
        audio = self.audio_projection(conditioning.audio_embeds[:, p:].to(portrait.dtype))  # (B, T, M, A)
        # places of rows, found once a window: to look for them at every step would wait for the GPU each time
        found |= {"given": (given > 0).nonzero()[:, 0], "withheld": (given <= 0).nonzero()[:, 0]}
        found["locator"] = located * given[:, None, None, None]
        found["audio"] = audio * conditioning.audio_mask[:, None, None, None]
        for i in range(len(self.unet.down_blocks)):
            found[f"masks.{i}"] = reference[f"audio_masks.{i}"].to(portrait.dtype)
        if words is not None:
            found["words"] = words.mean if words.frames is None else words.frames
        return found

    def _from_regions(self, regions: Tensor, size: Sequence[int]) -> ReferenceFeatures:
        """What stands for `read_portrait` where training data hold masks of regions alone: nobody's face, soft masks without margins."""
        face = regions.amax(1)  # (B, h, w)
        lips = regions[:, REGIONS.index("lower")]
        places = torch.stack([1 - face, face - lips, lips], 1)  # (B, 3, h, w)
        found = {
            "face_embedding": regions.new_zeros(len(regions), self.face_projection.proj.in_features),
            "face_mask": (face[:, None] > 0.5)
            .to(regions.dtype)
            .expand(-1, 3, -1, -1)
            .repeat_interleave(_PIXELS, 2)
            .repeat_interleave(_PIXELS, 3),
        }
        for level, each in enumerate(level_sizes(size, len(self.unet.down_blocks))):
            found[f"audio_masks.{level}"] = F.adaptive_avg_pool2d(places, each).flatten(2)
        return found

    def _read_pictures(
        self, portrait: Tensor, conditioning: VideoConditioning, given: Tensor, with_all: Tensor, with_none: Tensor
    ) -> ReferenceFeatures:
        """The reference UNet's features of the portrait and of the frames before the window."""
        p = self.past_frames
        still = portrait[:, None].expand(-1, p, -1, -1, -1)
        past = still
        if conditioning.past is not None and conditioning.past.shape[1] >= p:
            known = conditioning.past_mask[:, :p, None, None, None] > 0
            past = torch.where(known, conditioning.past[:, :p].to(portrait.dtype), still)
        # the published programs repeat tensors along the wrong axis: every other frame, and every other picture, gets the features or the
        # identity of the other branch
        readings = 2 if self.mixed_identity else 1
        pictures = torch.cat([portrait[:, None].expand(-1, readings, -1, -1, -1), past], 1)  # (B, K+P, C, h, w)
        is_given = given[:, None, None, None] > 0
        if self.mixed_identity:
            own = torch.arange(1, p + 1, device=portrait.device) % 2 == 0
            kinds = torch.cat([torch.tensor([False, True], device=own.device).expand(len(given), -1), (given[:, None] > 0) == own], 1)
            is_given = kinds[:, :, None, None]
        tokens = torch.where(is_given, with_all[:, None], with_none[:, None]).expand(-1, pictures.shape[1], -1, -1)  # (B, K+P, L, D)
        kept: ReferenceFeatures = {}
        flat = pictures.flatten(0, 1)
        clean = torch.zeros(len(flat), dtype=torch.long, device=portrait.device)
        self.reference(flat, clean, tokens.flatten(0, 1), cross_attention_kwargs={"keep": kept.__setitem__})
        found: ReferenceFeatures = {}
        for name, value in kept.items():
            each = value.unflatten(0, pictures.shape[:2])
            found[name], found[f"past.{name}"] = each[:, :readings], each[:, readings:]
        return found

    # -- a step ------------------------------------------------------------------------------------------------------

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
            reference: What `condition` returned.
            conditioning: All conditions.
            deep: What the deep layers made at an earlier step, where that is reused.

        Returns:
            (B, T, C, h, w) the prediction; zeros for the frames before the window.
        """
        p = self.past_frames
        context = self._context(noisy.shape[1] - p, reference, conditioning, noisy.shape[-2:])
        unet, x = self.unet, noisy[:, p:]
        size, t = x.shape[:2]

        def attend(block: Any, j: int, x: Tensor, level: int) -> Tensor:
            """The frame's own attention, the audio, and the other frames, where the block has them."""
            if not hasattr(block, "attentions"):
                return x
            spatial, audio, motion = block.attentions[j], block.audio_modules[j], block.motion_modules[j]
            x = spatial(x, encoder_hidden_states=context.tokens, cross_attention_kwargs={"context": context}, return_dict=False)[0]
            x = audio(x, level, context)
            return motion(x, context.past[spatial.transformer_blocks[0].attn1.processor.name], context.frames)

        emb = embed_time(unet, timestep, x, t)
        x = unet.conv_in(x.flatten(0, 1)) + reference["locator"].repeat_interleave(t, 0)
        x = run_unet(unet, x, emb, attend, deep).unflatten(0, (size, t))  # (B, T-P, C, h, w)
        return torch.cat([torch.zeros_like(noisy[:, :p]), x], 1)

    def _context(self, frames: int, reference: ReferenceFeatures, conditioning: VideoConditioning, size: Sequence[int]) -> HalloContext:
        tokens = reference["tokens"]
        words = reference.get("words")
        if words is not None:
            words = words.flatten(0, 1) if words.ndim == 4 else words.repeat_interleave(frames, 0)
        plan: dict[str, Any] = {}
        if self.null_tokens is not None:
            new = conditioning.plan.from_frame(self.past_frames)
            emotion, muscles = self.null_tokens
            sizes = level_sizes(size, len(self.unet.down_blocks))
            plan["emotion"] = mask_tokens(new.global_tokens, new.global_presence, emotion)
            plan["muscles"] = mask_region_tokens(new, conditioning.region_masks, sizes, muscles)
        names = [name for name in reference if f"past.{name}" in reference]
        return HalloContext(
            frames,
            {name: reference[name] for name in names},
            {name: reference[f"past.{name}"] for name in names},
            reference["given"],
            reference["withheld"],
            tokens.flatten(0, 1) if tokens.ndim == 4 else tokens,
            reference["audio"].flatten(0, 1),
            [reference[f"masks.{i}"] for i in range(len(self.unet.down_blocks))],
            self.audio_scales,
            words,
            **plan,
        )

    # -- memory and speed --------------------------------------------------------------------------------------------

    def enable_gradient_checkpointing(self, how: Literal["some", "most"]) -> None:
        """Compute feed-forwards again (some), or whole transformers (most); see `VideoUNet`.

        Args:
            how: ``some`` or ``most``.
        """
        checkpoint_regions(unet_regions(self.unet, "attentions", "audio_modules", "motion_modules"), how)

    def fsdp_modules(self) -> Iterator[nn.Module]:
        """Yield blocks, then the reference UNet, then the whole: the UNet that draws is called layer by layer, never as one."""
        for network in (self.unet, self.reference):
            yield from unet_regions(network, "resnets", "attentions", "audio_modules", "motion_modules")
        yield self.reference
        yield self

    def compile_parts(self) -> None:
        """Compile convolution blocks and transformers; attention to the portrait, which finds its features by name, runs as it is."""
        compile_repeated(self.unet, BasicTransformerBlock, AudioTransformer, MotionTransformer)


def _audio_widths(widths: Sequence[int], layers: int) -> list[list[int]]:
    """The widths of the audio's tokens in each block, which are those of the block's input rather than of its own."""
    down = [[widths[max(i - 1, 0)], *(widths[i] for _ in range(layers - 1))] for i in range(len(widths))]
    up = [[widths[max(i - 1, 0)]] * (layers + 1) for i in reversed(range(len(widths)))]
    return [*down, [widths[-1]], *up]
