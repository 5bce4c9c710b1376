"""The recipes of docs/tutorials/run_other_methods.md, with stand-ins that take the originals' options and write where they write."""

import json
import re
import shlex
import sys
from pathlib import Path

import pytest

from tbd.cli.options.components import chosen, fold, made
from tests.evaluation.fakes import FaceClip

ROOT = Path(__file__).resolve().parents[1]
TEXT = (ROOT / "docs" / "tutorials" / "run_other_methods.md").read_text("utf-8")
RECIPES = {shlex.split(line)[-1].rpartition("/")[2]: line for line in re.findall(r"^    (tbd predict .*)$", TEXT, re.MULTILINE)}
WRAPPERS = dict(re.findall(r'^```python title="([^"]+)"\n(.*?)^```$', TEXT, re.DOTALL | re.MULTILINE))

PRELUDE = """import argparse, pathlib, sys
from tests.evaluation.command.stand_in import still
p = argparse.ArgumentParser(); add = p.add_argument
"""
STAND_INS = {
    "SadTalker/inference.py": """
for name in ("source_image", "driven_audio", "result_dir"): add(f"--{name}", required=True)
add("--preprocess", choices=["crop", "extcrop", "resize", "full", "extfull"]); add("--still", action="store_true"); add("--size", type=int)
a = p.parse_args()
assert a.still and a.preprocess == "full"
still(a.source_image, a.driven_audio, a.result_dir + "/2026_11_29_21.00.00.mp4")
""",
    "hallo/scripts/inference.py": """
for name in ("source_image", "driving_audio", "output"): add(f"--{name}", required=True)
a = p.parse_args()
still(a.source_image, a.driving_audio, a.output)
""",
    "EDTalk/demo_EDTalk_A_using_predefined_exp_weights.py": """
for name in ("source_path", "audio_driving_path", "pose_driving_path", "exp_type", "save_path"): add(f"--{name}", required=True)
a = p.parse_args()
assert a.exp_type in ("angry", "contempt", "disgusted", "fear", "happy", "sad", "surprised")
still(a.source_path, a.audio_driving_path, a.save_path)
""",
    "EchoMimic/configs/prompts/animation.yaml": 'weight_dtype: "fp16"\n\ntest_cases:\n  "./a.png":\n    - "./b.wav"\n',
    "EchoMimic/infer_audio2vid.py": """
import yaml
add("--config"); add("--fps", type=int, default=24); add("--facecrop_dilation_ratio", type=float, default=0.5)
a = p.parse_args()
config = yaml.safe_load(open(a.config))
assert a.fps == 25 and config["weight_dtype"] == "fp16"
out = pathlib.Path("output/20261129/2100--seed_420-512x512"); out.mkdir(parents=True)
for image, sounds in config["test_cases"].items():
    for sound in sounds:
        name = f"{pathlib.Path(image).stem}_{pathlib.Path(sound).stem}_512x512_2_2100"
        for end in ("", "_withaudio"): still(image, sound, str(out / f"{name}{end}.mp4"))
""",
    "EAT_code/preprocess/preprocess_video.py": """
import shutil
for video in pathlib.Path("video").glob("*.mp4"):
    folder = pathlib.Path("../demo/video_processed") / video.stem; folder.mkdir(parents=True)
    shutil.copy(video.with_suffix(".mp4.wav"), folder / f"{video.stem}.wav")
""",
    "EAT_code/demo.py": """
add("--root_wav"); add("--emo", choices=["ang", "con", "dis", "fea", "hap", "neu", "sad", "sur"])
a = p.parse_args()
name = pathlib.Path(a.root_wav).name
out = pathlib.Path("demo/output/deepprompt_eam3d_all_final_313"); out.mkdir(parents=True)
for image in pathlib.Path("demo/imgs").glob("*.jpg"):
    still(str(image), f"{a.root_wav}/{name}.wav", str(out / f"{image.stem}_{a.emo}_{name}.mp4"))
""",
}
"""File of a project → what stands in for it."""
FFMPEG = """#!{python}
import os, shutil, sys
out, inputs = sys.argv[-1], [sys.argv[i + 1] for i, word in enumerate(sys.argv) if word == "-i"]
assert all(map(os.path.isfile, inputs)) and sys.argv[1:3] == ["-v", "error"]
if out.endswith(".jpg"):
    from PIL import Image
    Image.open(inputs[0]).convert("RGB").save(out)
elif "-loop" in sys.argv:  # a still video: what EAT's preprocessing takes of it is its sound
    open(out, "wb").close(); shutil.copy(inputs[1], out + ".wav")
else:
    shutil.copy(inputs[0], out)
"""


@pytest.fixture
def workplace(tmp_path, monkeypatch):
    """The clones beside each other, with the page's own programs, and a stand-in for FFmpeg."""
    for file, code in STAND_INS.items():
        path = tmp_path / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(code if path.suffix == ".yaml" else PRELUDE + code)
    for title, code in WRAPPERS.items():
        (tmp_path / title).write_text(code)
    programs = tmp_path / "bin"
    programs.mkdir()
    (programs / "ffmpeg").write_text(FFMPEG.format(python=sys.executable))
    (programs / "ffmpeg").chmod(0o755)
    monkeypatch.setenv("PATH", f"{programs}:{Path(sys.executable).parent}:/usr/bin:/bin")
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("recipe", ["sadtalker", "hallo", "edtalk", "echomimic", "eat"])
def test_a_recipe_runs(recipe, workplace):
    from tbd.evaluation.clip_decoding import count_frames

    words = fold(shlex.split(RECIPES[recipe])[2:])
    given = {word.partition("=")[0]: word.partition("=")[2] for word in words if word.startswith("--predictor=")}
    component = chosen(json.loads(given["--predictor"]), "predictor", "command")
    component.init_args["command"] = words[words.index("--command") + 1]
    clip = FaceClip(0, 12)
    video = made(component, "predictor").predict(clip, 64, 0)
    assert count_frames(video.path).frames == 12 and video.seconds > 0


def test_each_method_has_a_recipe():
    assert {"sadtalker", "hallo", "edtalk", "echomimic", "eat"} <= set(RECIPES) and set(WRAPPERS) == {"echomimic_clip.py", "eat_clip.py"}
