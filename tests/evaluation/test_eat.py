"""The protocol ``mead-eat2023`` against EAT's scripts written out: crops, dropped frames, pairing and means are theirs."""

import json
from pathlib import Path

import numpy as np
import pytest
import skimage.data
from skimage.metrics import peak_signal_noise_ratio, structural_similarity
from skimage.transform import SimilarityTransform, warp

from tbd.evaluation.evaluate import evaluate
from tbd.evaluation.predictions import read_predictions
from tbd.evaluation.protocol import load_protocol
from tbd.evaluation.references.video import VideoReference
from tbd.face.motion import Motion
from tbd.face.portrait import crop_portrait
from tbd.face.render.renderer import MeshWarpRenderer
from tbd.face.tracker import FaceMeshTracker
from tbd.media import VideoWriter, read_video
from tbd.metrics.faces.face_points import eat_template, to_dlib68, track_points
from tests.evaluation.fakes import fake_protocol

SIZE = 256
EAT = load_protocol("mead-eat2023")


@pytest.fixture(scope="module")
def films(tmp_path_factory) -> Path:
    """Two films of a face that talks and blinks, 20 and 12 frames."""
    folder, face = tmp_path_factory.mktemp("films"), crop_portrait(FaceMeshTracker().locate(skimage.data.astronaut()), SIZE)
    for name, frames in (("M030_sad_3_001", 20), ("W009_happy_3_002", 12)):
        motion = Motion.zeros(frames)
        motion["jawOpen"] = 0.3 + 0.3 * np.sin(np.arange(frames))
        motion["eyeBlinkLeft"][4:8] = motion["eyeBlinkRight"][4:8] = 1
        write(folder / f"{name}.mp4", MeshWarpRenderer().render(face, motion))
    return folder


@pytest.fixture(scope="module")
def predicted(films, tmp_path_factory) -> Path:
    """The first film is longer, loses its face for three frames and opens the mouth at other times; the second is darker."""
    folder = tmp_path_factory.mktemp("predicted")
    first, second = ([*read_video(path)] for path in sorted(films.glob("*.mp4")))
    longer = [first[i] for i in (*range(20), *range(19, 9, -1))]
    for i in (12, 13, 14):
        longer[i] = np.full_like(longer[i], 90)
    write(folder / "M030_sad_3_001.mp4", longer)
    write(folder / "W009_happy_3_002.mp4", [frame // 2 for frame in second[::-1]])
    return folder


def write(path: Path, frames) -> None:
    with VideoWriter(path, np.full(16000, 0.1, np.float32)) as writer:
        for frame in frames:
            writer.write(frame)


@pytest.fixture(autouse=True)
def template(tmp_path, monkeypatch) -> np.ndarray:
    """A stand-in for EAT's own, where `tbd weights fetch` would put it."""
    template = eat_template() * 0.9 + [3, 8]
    np.save(tmp_path / "base_68.npy", template)
    monkeypatch.setenv("TBD_WEIGHTS", str(tmp_path))
    return template


def measured(films: Path, predicted: Path, **changes):
    wanted = ("psnr", "ssim", "m-lmd-eat", "f-lmd-eat")
    recipe = json.loads(EAT.model_dump_json())
    recipe = {name: recipe[name] for name in ("crop", "framing", "motion", "length_tolerance", "pairing")}
    metrics = [json.loads(EAT.entry(name).model_dump_json()) for name in wanted]
    protocol = fake_protocol(size=SIZE, **{**recipe, "metrics": metrics, **changes})
    return evaluate(protocol, VideoReference(str(films)), lambda clips: read_predictions(predicted, clips))[0]


def align_crop(frames: list[np.ndarray], template: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """`align_crop_vids` of preprocess.py, with our points: the crops of the frames with a face, and the points in them. Its two
    templates, of open and of closed eyes, are one and the same file in every public copy."""
    crops, places = [], []
    points = to_dlib68(track_points(np.stack(frames).transpose(0, 3, 1, 2))).numpy()
    for frame, landmark in zip(frames, points):
        if np.isfinite(landmark).all():
            transform = SimilarityTransform.from_estimate(template[27:45], landmark[27:45])
            crops.append(np.array(warp(frame, transform, output_shape=(163, 163)) * 255, dtype=np.uint8)[1:129, 1:129])
            places.append(transform.inverse(landmark) - 1)
    return np.array(crops), np.array(places)


def test_numbers_are_those_of_eats_scripts(films, predicted, template):
    scores = measured(films, predicted)
    psnr, ssim, mouth, face = [], [], [], []
    for clip in VideoReference(str(films)).clips():
        gt, gt_lmk = align_crop([*clip.video(SIZE)], template)
        fake, fake_lmk = align_crop([*read_video(predicted / f"{clip.id}.mp4")], template)
        length = min(len(fake), len(gt))
        fake_id, gt_id = (np.linspace(0, len(side), length, False).astype(np.int32) for side in (fake, gt))
        for i, j in zip(fake_id, gt_id):
            psnr.append(peak_signal_noise_ratio(gt[j], fake[i]))
            ssim.append(structural_similarity(gt[j], fake[i], channel_axis=2))
        for found, part in ((mouth, slice(48, 68)), (face, slice(0, 68))):
            pairs = [(a[part] - a[part].mean(0), b[part] - b[part].mean(0)) for a, b in zip(fake_lmk[fake_id], gt_lmk[gt_id])]
            found.append(np.mean([np.linalg.norm(a - b, axis=1).mean() for a, b in pairs]))
    assert len(psnr) == 20 + 12 and {i.kind for i in scores.issues} == {"no_face"}
    expected = {"psnr": np.mean(psnr), "ssim": np.mean(ssim), "m-lmd-eat": np.mean(mouth), "f-lmd-eat": np.mean(face)}
    found = {name: value.number for name, value in scores.metrics.items()}
    assert found == pytest.approx(expected, rel=1e-5)
    by_clip = np.mean([np.mean(psnr[:20]), np.mean(psnr[20:])])
    assert abs(by_clip - expected["psnr"]) > 10 * abs(found["psnr"] - expected["psnr"]), "the mean is over frames"


def test_without_the_template_its_numbers_are_absent(films, predicted, monkeypatch, tmp_path):
    monkeypatch.setenv("TBD_WEIGHTS", str(tmp_path / "none"))
    scores = measured(films, predicted)
    assert all("tbd weights fetch eat-template" in value.absent for value in scores.metrics.values()) and scores.scored == 2


def test_fid_samples_as_eat_does():
    from tbd.metrics.sampling import sample_frames

    entry = EAT.entry("fid")
    count = entry.metric.init_args["frames_per_clip"]
    frames = np.arange(83)
    assert entry.frames is None and np.array_equal(sample_frames(frames, count), np.linspace(0, 83, 5, False).astype(np.int32))


def test_what_is_not_compared_keeps_its_pace(films, predicted):
    """SyncNet hears the prediction's own sound: its frames must not be squeezed to the true clip's length."""
    alone = {"name": "alone", "metric": {"class_path": "tests.evaluation.fakes.FramesAlone"}, "label": "alone"}
    crop = {"kind": "frame", "size": 64}
    scores = measured(films, predicted, metrics=[alone], crop=crop)
    assert scores.metrics["alone"].values == {"value": (30 + 12) / 2, "points": (30 + 12) / 2}
    scores = measured(films, predicted, metrics=[alone], crop=crop, pairing="shorter")
    assert scores.metrics["alone"].values["value"] == (20 + 12) / 2


def test_a_crop_of_another_size_is_refused():
    from tbd.errors import InputError

    with pytest.raises(InputError, match="128 pixels"):
        fake_protocol(crop={"kind": "eat", "size": 256})
