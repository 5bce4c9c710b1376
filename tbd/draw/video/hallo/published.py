"""Published video models, ready to draw: Hallo and EmoCAST from the files of `tbd weights fetch`."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from torch import Tensor

from tbd.draw.single_file import read_weights
from tbd.draw.video.diffusion import VideoDiffusion
from tbd.draw.video.hallo.convert import load_published, options_of
from tbd.draw.video.sampling_options import VideoSamplingConfig
from tbd.draw.window_options import WindowConfig
from tbd.errors import InputError
from tbd.metrics.networks.onnx_embedder import ONNXFaceEmbedder
from tbd.utils.class_path import import_class
from tbd.utils.user_warnings import warn
from tbd.weights import resolve_set, weight_sets

NOISE_SCHEDULER = {
    "beta_start": 0.00085,
    "beta_end": 0.012,
    "beta_schedule": "linear",
    "clip_sample": False,
    "steps_offset": 1,
    "prediction_type": "v_prediction",
    "rescale_betas_zero_snr": True,
    "timestep_spacing": "trailing",
}
"""How both networks were trained: on velocities, with no signal left at the last timestep. The authors' programs draw with it, by DDIM."""
_SOLVER = {name: value for name, value in NOISE_SCHEDULER.items() if name != "clip_sample"}
"""The same for UniPC (arXiv 2302.04867), whose 16 steps come nearer to DDIM's 40 than its 20 do; see `benchmarks.video_acceleration`."""
_WINDOW, _PAST = 16, 2
_STEPS, _SCALE = 16, 3.5
_EMBEDDER = "tbd.metrics.networks.onnx_embedder.ONNXFaceEmbedder"


def is_published(name: str | Path) -> bool:
    """Return whether a checkpoint's name is that of a published model."""
    return str(name) in weight_sets() and not Path(name).exists()


def load_published_model(name: str) -> VideoDiffusion:
    """Load a published model, drawing as its authors' program does: 16 new frames a window, a scale of 3.5; but 16 steps of UniPC.

    The authors take 40 of DDIM, which are 2.5 times as slow: ``diffusers.DDIMScheduler`` as noise scheduler and 40 steps draw theirs.

    Args:
        name: ``hallo`` or ``emocast``.

    Returns:
        The model, in the file's precision, in evaluation mode, without gradients.

    Raises:
        WeightsNotFoundError: If files are missing; the sentence names them.
        InputError: If a file is not what it is named for; the sentence says which weight differs.
    """
    paths = resolve_set(name)
    if weight_sets()[name].warning:
        warn(weight_sets()[name].warning)
    net = next(path for file, path in paths.items() if file.endswith("-net"))
    state = read_weights(net)
    has_words = options_of(state, str(net))["words"]
    text = next((path.parent for file, path in paths.items() if file.startswith("clip")), None)
    if has_words != (text is not None):
        other = next(other for other in weight_sets() if other != name)
        raise InputError(f"{net} is not the network of {name}, but of {other}: it has {'' if has_words else 'no '}attention to words.")
    vae, audio = paths["sd-vae-ft-mse"].parent, paths["wav2vec2-base-960h"].parent
    return build_published(state, vae, audio, text, paths["glintr100"], str(net))


def build_published(
    state: Mapping[str, Tensor], autoencoder: Path, audio_model: Path, text_model: Path | None, embedder: Path, source: str
) -> VideoDiffusion:
    """Build a video model around a published network.

    Args:
        state: Published name → weight.
        autoencoder: Folder of Stable Diffusion's autoencoder.
        audio_model: Folder of wav2vec 2.0.
        text_model: Folder of CLIP, for a network that reads words.
        embedder: File of the face network.
        source: What messages call the weights.

    Returns:
        The model, in the weights' precision, in evaluation mode, without gradients.

    Raises:
        InputError: If a part is not what it is named for, or parts do not fit together.
    """
    options = {**options_of(state, source), "past_frames": _PAST}
    denoiser = load_published(state, source, past_frames=_PAST, embedder=ONNXFaceEmbedder(str(embedder)))
    content = _content(options, autoencoder, audio_model, text_model, denoiser.plan_dim)
    arguments = content["init_args"]
    parts: dict[str, Any] = {
        name: import_class(part["class_path"])(**part["init_args"])
        for name, part in arguments.items()
        if name != "denoiser" and "class_path" in part
    }
    if (width := parts["audio_encoder"].dim) != denoiser.audio_dim:
        raise InputError(f"{audio_model} gives audio features of width {width}; {source} takes {denoiser.audio_dim}.")
    windows, sampling = WindowConfig(**arguments["windows"]), VideoSamplingConfig(**arguments["sampling"])
    model = VideoDiffusion(denoiser, **parts, windows=windows, sampling=sampling)
    model.content = content
    return model.eval().requires_grad_(False)


def _content(options: dict[str, Any], autoencoder: Path, audio_model: Path, text_model: Path | None, width: int) -> dict[str, Any]:
    """The model's class path and arguments, so that it can be exported and trained further."""
    base = "tbd.draw"
    plan = (
        {"class_path": f"{base}.conditioning.plan_encoder.LabelEncoder", "init_args": {"dim": width}}
        if text_model is None
        else {
            "class_path": f"{base}.conditioning.sentence_encoder.SentencePlanEncoder",
            "init_args": {"text_model": str(text_model), "width": width},
        }
    )
    embedder = {"class_path": _EMBEDDER, "init_args": {"weights": "glintr100"}}
    init_args = {
        "denoiser": {"class_path": f"{base}.video.hallo.denoiser.HalloDenoiser", "init_args": {**options, "embedder": embedder}},
        "autoencoder": {"class_path": f"{base}.video.autoencoder.LatentCodec", "init_args": {"autoencoder": str(autoencoder)}},
        "plan_encoder": plan,
        "audio_encoder": {
            "class_path": f"{base}.conditioning.recording_encoder.RecordingEncoder",
            "init_args": {"model": str(audio_model), "block": _WINDOW},
        },
        "noise_scheduler": {"class_path": "diffusers.UniPCMultistepScheduler", "init_args": _SOLVER},
        "guidance": {
            "class_path": f"{base}.guidance.classifier_free.ClassifierFreeGuidance",
            "init_args": {"scale": _SCALE, "over": "everything"},
        },
        "windows": {"frames": _WINDOW + _PAST, "past": _PAST},
        "sampling": {"num_inference_steps": _STEPS, "uncond_mode": "nothing"},
    }
    return {"class_path": "tbd.draw.video.diffusion.VideoDiffusion", "init_args": init_args}
