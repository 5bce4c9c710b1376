"""Weights as people have them: whole checkpoints, single networks, motion modules, variants and formats, of tiny random networks."""

import re
import shutil
from pathlib import Path

import pytest
import torch
from diffusers import AutoencoderKL, MotionAdapter, UNet2DConditionModel
from safetensors.torch import load_file, save_file

from tbd.draw.pretrained import fingerprint, from_source
from tbd.draw.single_file import load_single_file
from tbd.draw.video.autoencoder import LatentCodec
from tbd.draw.video.denoiser import VideoUNet
from tbd.errors import InputError
from tbd.utils.user_warnings import TBDWarning

WIDTHS = (32, 64)


def unet(linear: bool = False) -> UNet2DConditionModel:
    torch.manual_seed(0)
    return UNet2DConditionModel(
        block_out_channels=(64, 128) if linear else WIDTHS,
        layers_per_block=2,
        down_block_types=("CrossAttnDownBlock2D", "DownBlock2D"),
        up_block_types=("UpBlock2D", "CrossAttnUpBlock2D"),
        cross_attention_dim=24,
        use_linear_projection=linear,
        attention_head_dim=(1, 2) if linear else 8,
    )


def vae() -> AutoencoderKL:
    torch.manual_seed(1)
    blocks = {"down_block_types": ("DownEncoderBlock2D",) * 2, "up_block_types": ("UpDecoderBlock2D",) * 2}
    return AutoencoderKL(**blocks, block_out_channels=WIDTHS, layers_per_block=2, latent_channels=4)


def adapter() -> MotionAdapter:
    torch.manual_seed(2)
    return MotionAdapter(block_out_channels=WIDTHS, motion_num_attention_heads=8, use_motion_mid_block=False, motion_max_seq_length=24)


def compvis_unet(network: UNet2DConditionModel) -> dict[str, torch.Tensor]:
    """The names that CompVis' latent-diffusion gives the same weights."""
    roots = {
        "time_embedding.linear_1": "time_embed.0", "time_embedding.linear_2": "time_embed.2",
        "conv_in": "input_blocks.0.0", "conv_norm_out": "out.0", "conv_out": "out.2",
    }  # fmt: skip
    inner = {
        "norm1": "in_layers.0", "conv1": "in_layers.2", "norm2": "out_layers.0", "conv2": "out_layers.3",
        "time_emb_proj": "emb_layers.1", "conv_shortcut": "skip_connection",
    }  # fmt: skip
    made = {}
    for name, value in network.state_dict().items():
        root, _, last = name.rpartition(".")
        if root in roots:
            made[f"{roots[root]}.{last}"] = value
            continue
        _, i, kind, j, rest = re.match(r"(down_blocks|up_blocks|mid_block)\.?(\d*)\.(\w+)\.(\d+)\.(.*)", name).groups()
        i, j = int(i or 0), int(j)
        if kind == "resnets":
            rest = rest.replace(rest.split(".")[0], inner[rest.split(".")[0]])
        if name.startswith("mid"):
            place = f"middle_block.{2 * j if kind == 'resnets' else 1}"
        elif name.startswith("down"):
            place = f"input_blocks.{3 * i + 3}.0" if kind == "downsamplers" else f"input_blocks.{3 * i + j + 1}.{int(kind == 'attentions')}"
        elif kind == "upsamplers":
            attended = any(key.startswith(f"up_blocks.{i}.attentions") for key in network.state_dict())
            place = f"output_blocks.{3 * i + 2}.{1 + attended}"
        else:
            place = f"output_blocks.{3 * i + j}.{int(kind == 'attentions')}"
        made[f"{place}.{rest.replace('conv.', 'op.') if kind == 'downsamplers' else rest}"] = value
    return {f"model.diffusion_model.{name}": value.clone() for name, value in made.items()}


def compvis_vae(network: AutoencoderKL) -> dict[str, torch.Tensor]:
    made = {}
    for name, value in network.state_dict().items():
        new = name.replace("conv_norm_out", "norm_out").replace("conv_shortcut", "nin_shortcut")
        new = re.sub(r"down_blocks\.(\d+)\.resnets", r"down.\1.block", new).replace("down_blocks.0.downsamplers.0", "down.0.downsample")
        new = re.sub(r"up_blocks\.(\d+)\.resnets", lambda m: f"up.{1 - int(m[1])}.block", new)
        new = new.replace("up_blocks.0.upsamplers.0", "up.1.upsample")
        new = re.sub(r"mid_block\.resnets\.(\d)", lambda m: f"mid.block_{int(m[1]) + 1}", new)
        new = new.replace("mid_block.attentions.0", "mid.attn_1")
        if "attn_1" in new:
            new = new.replace("group_norm", "norm").replace("to_out.0", "proj_out").replace("to_", "")
            value = value[:, :, None, None] if value.ndim == 2 else value
        made[f"first_stage_model.{new}"] = value.clone()
    return made


def animatediff(network: MotionAdapter) -> dict[str, torch.Tensor]:
    made = {}
    for name, value in network.state_dict().items():
        new = name.replace("pos_embed", "attention_blocks.0.pos_encoder").replace(".norm3", ".ff_norm")
        new = re.sub(r"\.norm([12])\.", lambda m: f".norms.{int(m[1]) - 1}.", new)
        new = re.sub(r"\.attn([12])\.", lambda m: f".attention_blocks.{int(m[1]) - 1}.", new)
        made["module." + re.sub(r"(motion_modules\.\d+)", r"\1.temporal_transformer", new)] = value.clone()
    return made


def same(network, other) -> bool:
    mine, theirs = network.state_dict(), other.state_dict()
    return mine.keys() == theirs.keys() and all(torch.equal(value, theirs[name]) for name, value in mine.items())


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory):
    """A whole Stable Diffusion in one file."""
    path = tmp_path_factory.mktemp("single") / "v1-5-pruned.safetensors"
    text = {"cond_stage_model.transformer.text_model.final_layer_norm.weight": torch.ones(3)}
    save_file({**compvis_unet(unet()), **compvis_vae(vae()), **text, "model_ema.decay": torch.tensor(0.99)}, path)
    return path


def test_a_whole_checkpoint_gives_both_networks(checkpoint):
    assert same(load_single_file(UNet2DConditionModel, checkpoint), unet())
    assert same(from_source(AutoencoderKL, checkpoint), vae())


def test_components_take_files(checkpoint, tmp_path):
    torch.save({"state_dict": animatediff(adapter())}, tmp_path / "mm_sd_v15.ckpt")
    denoiser = VideoUNet(str(checkpoint), str(tmp_path / "mm_sd_v15.ckpt"))
    assert denoiser.max_frames == 24 and denoiser.plan_dim == 24
    assert LatentCodec(str(checkpoint)).factor == 2


def test_stable_diffusion_2_has_linear_projections_and_heads_of_64(tmp_path):
    save_file({name: value.half() for name, value in compvis_unet(unet(linear=True)).items()}, tmp_path / "v2.safetensors")
    network = load_single_file(UNet2DConditionModel, tmp_path / "v2.safetensors")
    assert network.config.attention_head_dim == [1, 2] and network.dtype == torch.float32
    sample, states = torch.randn(1, 4, 8, 8), torch.randn(1, 5, 24)
    expected = unet(linear=True).half().float()(sample, 3, states).sample
    assert torch.allclose(network(sample, 3, states).sample, expected, atol=1e-5)


@pytest.mark.parametrize("zipped", [True, False])
def test_an_autoencoder_alone_in_either_format_of_torch(tmp_path, zipped):
    bare = {name.removeprefix("first_stage_model."): value for name, value in compvis_vae(vae()).items()}
    torch.save(bare, tmp_path / "vae.pt", _use_new_zipfile_serialization=zipped)
    assert same(load_single_file(AutoencoderKL, tmp_path / "vae.pt"), vae())


def test_motion_modules_are_those_of_diffusers_or_animatediff(tmp_path):
    save_file(animatediff(adapter()), tmp_path / "mm.safetensors")
    save_file({name: value.contiguous() for name, value in adapter().state_dict().items()}, tmp_path / "diffusers.safetensors")
    for name in ("mm", "diffusers"):
        assert same(load_single_file(MotionAdapter, tmp_path / f"{name}.safetensors"), adapter())


BIN = {"safe_serialization": False}


@pytest.mark.parametrize("options", [{"variant": "fp16"}, BIN, {**BIN, "variant": "fp16"}, {"max_shard_size": "20KB"}])
def test_folders_hold_variants_formats_and_shards(tmp_path, options):
    network = vae().half() if options.get("variant") else vae()
    network.save_pretrained(tmp_path / "vae", **options)
    loaded = from_source(AutoencoderKL, tmp_path)  # the root of a pipeline
    assert loaded.dtype == torch.float32 and fingerprint(loaded) == fingerprint(network)


def test_full_precision_comes_before_a_variant(tmp_path):
    vae().half().save_pretrained(tmp_path, variant="fp16")
    vae().save_pretrained(tmp_path)
    assert fingerprint(from_source(AutoencoderKL, tmp_path)) == fingerprint(vae())


def test_a_folder_of_the_hubs_cache_is_stepped_into(tmp_path):
    """`models--owner--name`, copied as it lies there: files are links to blobs."""
    root = tmp_path / "models--someone--some-vae"
    snapshot, blobs = root / "snapshots" / "abc", root / "blobs"
    vae().save_pretrained(blobs)
    snapshot.mkdir(parents=True)
    for file in blobs.iterdir():
        (snapshot / file.name).symlink_to(Path("../../blobs") / file.name)
    (root / "snapshots" / "older").mkdir()
    (root / "refs").mkdir()
    (root / "refs" / "main").write_text("abc")
    assert same(from_source(AutoencoderKL, root), vae())
    shutil.rmtree(blobs)
    with pytest.raises(InputError, match=r"config\.json, it is a link to .* which is not there; copy links as files"):
        from_source(AutoencoderKL, root)


POINTER = "version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 334643268\n"


@pytest.mark.parametrize("wrap", [lambda w: {"model": w}, lambda w: {"module": w}, lambda w: {f"module.{k}": v for k, v in w.items()}])
def test_what_training_programs_wrap_weights_in_is_taken_off(wrap, tmp_path):
    torch.save(wrap(compvis_vae(vae())), tmp_path / "step-1000")
    assert same(from_source(AutoencoderKL, tmp_path / "step-1000"), vae())


def test_a_file_out_of_a_folder_of_diffusers_is_read_with_the_configuration_beside_it(tmp_path):
    vae().half().save_pretrained(tmp_path, variant="fp16")
    vae().save_pretrained(tmp_path)
    for name, network in (("diffusion_pytorch_model", vae()), ("diffusion_pytorch_model.fp16", vae().half())):
        assert fingerprint(from_source(AutoencoderKL, tmp_path / f"{name}.safetensors")) == fingerprint(network)


def test_folders_without_weights_or_with_a_single_file_say_what_to_give(checkpoint, tmp_path):
    shutil.copy(checkpoint, tmp_path)
    with pytest.raises(InputError, match=rf"give that file: .*{checkpoint.name}"):
        from_source(UNet2DConditionModel, tmp_path)
    vae().save_config(tmp_path / "vae")
    with pytest.raises(InputError, match=r"but no weights \("):
        from_source(AutoencoderKL, tmp_path)


def test_motion_modules_of_another_width_are_refused(checkpoint, tmp_path):
    wide = MotionAdapter(block_out_channels=(64, 128), motion_num_attention_heads=8, use_motion_mid_block=False)
    save_file(animatediff(wide), tmp_path / "mm.safetensors")
    with pytest.raises(InputError, match="other widths or levels than the UNet of"):
        VideoUNet(str(checkpoint), str(tmp_path / "mm.safetensors"))


def test_pointers_and_links_to_nowhere_are_named(tmp_path):
    vae().save_pretrained(tmp_path / "vae")
    for path in (tmp_path / "vae" / "diffusion_pytorch_model.safetensors", tmp_path / "one.safetensors", tmp_path / "one.ckpt"):
        path.write_text(POINTER)
    (tmp_path / "gone.safetensors").symlink_to("nowhere.safetensors")
    for name, said in (
        ("vae", "Git LFS"),
        ("one.safetensors", "Git LFS"),
        ("one.ckpt", "Git LFS"),
        ("gone.safetensors", "a link to nowhere"),
    ):
        with pytest.raises(InputError, match=said):
            from_source(AutoencoderKL, tmp_path / name)


def test_folders_of_other_networks_are_not_filled_with_random_numbers(tmp_path):
    vae().save_pretrained(tmp_path / "vae")
    with pytest.raises(InputError, match="holds weights of AutoencoderKL, not of UNet2DConditionModel"):
        from_source(UNet2DConditionModel, tmp_path / "vae")
    weights = load_file(tmp_path / "vae" / "diffusion_pytorch_model.safetensors")
    for name in [name for name in weights if name.startswith("encoder.")]:
        del weights[name]
    save_file(weights, tmp_path / "vae" / "diffusion_pytorch_model.safetensors")
    with pytest.raises(InputError, match=r"lacks \d+ weights of AutoencoderKL, such as encoder\."):
        from_source(AutoencoderKL, tmp_path / "vae")


def test_unets_that_read_more_than_noise_and_text_are_refused(tmp_path):
    kinds = {"down_block_types": ("CrossAttnDownBlock2D",), "up_block_types": ("CrossAttnUpBlock2D",)}
    size = {"block_out_channels": (32,), "cross_attention_dim": 24, "norm_num_groups": 8, **kinds}
    sizes = {"addition_embed_type": "text_time", "addition_time_embed_dim": 8, "projection_class_embeddings_input_dim": 64}
    for name, options, said in (("inpainting", {"in_channels": 9}, "9 channels and gives 4"), ("xl", sizes, "SDXL")):
        UNet2DConditionModel(**size, **options).save_pretrained(tmp_path / name)
        with pytest.raises(InputError, match=said):
            VideoUNet(str(tmp_path / name))


@pytest.mark.parametrize(
    ("name", "architecture", "beside", "clue"),
    [
        ("sdxl_vae.safetensors", "", (), "so its name says"),
        ("fixed.safetensors", "stable-diffusion-xl-v1-base/vae", (), "calls itself"),
        ("whole.ckpt", "", ("conditioner.embedders.0.weight",), "its text encoders"),
        ("sd-xl.safetensors", "stable-diffusion-v1", (), None),
        ("vae-ft-mse-840000.safetensors", "", ("cond_stage_model.weight",), None),
    ],
)
def test_an_autoencoder_of_sdxl_is_told_from_its_twin(name, architecture, beside, clue, tmp_path, recwarn):
    """Layers and shapes are the same, and only the scale of latents differs."""
    path, weights = tmp_path / name, compvis_vae(vae()) | dict.fromkeys(beside, torch.ones(1))
    if path.suffix == ".safetensors":
        save_file(weights, path, {"modelspec.architecture": architecture})
    else:
        torch.save({"state_dict": weights}, path)
    assert load_single_file(AutoencoderKL, path).config.scaling_factor == (0.13025 if clue else 0.18215)
    said = [str(warning.message) for warning in recwarn if issubclass(warning.category, TBDWarning)]
    assert len(said) == bool(clue) and (not clue or clue in said[0])


class Code:
    def __reduce__(self):
        return (print, ("run",))


def test_refusals_are_one_sentence(checkpoint, tmp_path, capsys):
    torch.save({"state_dict": Code()}, tmp_path / "code.ckpt")
    cut = tmp_path / "cut.safetensors"
    cut.write_bytes(checkpoint.read_bytes()[:-100])
    weights = compvis_unet(unet())
    save_file({name: value for name, value in weights.items() if ".op." not in name}, tmp_path / "flat.safetensors")
    save_file({name: value for name, value in weights.items() if "output_blocks.5" not in name}, tmp_path / "part.safetensors")
    save_file({name: value.contiguous() for name, value in unet().state_dict().items()}, tmp_path / "diffusers.safetensors")
    save_file({**weights, "model.diffusion_model.label_emb.0.0.weight": torch.ones(2)}, tmp_path / "xl.safetensors")
    (tmp_path / "text.safetensors").write_text("not weights")
    (tmp_path / "empty.ckpt").touch()
    shutil.copy(checkpoint, tmp_path / "unet.safetensors")
    for kind, path, said in [
        (UNet2DConditionModel, tmp_path / "code.ckpt", "could run code"),
        (UNet2DConditionModel, Path(__file__), "is no file of weights"),
        (UNet2DConditionModel, "~/nowhere/sd", "There is no folder or file ~/nowhere/sd"),
        (UNet2DConditionModel, cut, "is the file complete"),
        (UNet2DConditionModel, tmp_path / "flat.safetensors", "do not fit together"),
        (UNet2DConditionModel, tmp_path / "part.safetensors", "is the file complete"),
        (UNet2DConditionModel, tmp_path / "diffusers.safetensors", "named as diffusers does"),
        (UNet2DConditionModel, tmp_path / "xl.safetensors", "SDXL"),
        (AutoencoderKL, tmp_path / "text.safetensors", "cannot be read as weights"),
        (UNet2DConditionModel, tmp_path / "empty.ckpt", "cannot be read as weights"),
        (MotionAdapter, checkpoint, "holds no weights of AnimateDiff's motion modules"),
    ]:
        with pytest.raises(InputError, match=said) as error:
            from_source(kind, path)
        assert "\n" not in str(error.value)
    assert "run" not in capsys.readouterr().out
