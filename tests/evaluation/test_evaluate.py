"""Evaluation: truth against itself is perfect, each spoiling moves its number, and whatever is wrong is counted and named."""

import json
import os
import re
import shutil
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from tbd.cli.main import main
from tbd.errors import InputError
from tbd.evaluation.evaluate import evaluate
from tbd.evaluation.predictions import read_predictions
from tbd.evaluation.scores import load_scores
from tbd.face.motion import Motion
from tbd.media import VideoWriter, read_video
from tests.evaluation.fakes import FakeReference, fake_protocol, protocol_values, write_protocol

CLIPS = FakeReference().clips()
FIRST = CLIPS[0].id


def number(scores, name: str) -> float:
    return scores.metrics[name].number


@pytest.fixture(scope="module")
def perfect(tmp_path_factory, _truth, measure):
    return measure(_truth)


def rewrite(path: Path, frames: list[np.ndarray], rate: Fraction = Fraction(25), pix_fmt: str = "yuv420p", codec: str = "libx264") -> None:
    """A silent video of any rate and pixel format."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=rate, options={"crf": "12"} if codec == "libx264" else {})
        stream.height, stream.width = frames[0].shape[:2]
        stream.pix_fmt = pix_fmt
        for frame in frames:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(frame, "rgb24")))
        container.mux(stream.encode())


def frames_of(path: Path) -> list[np.ndarray]:
    return list(read_video(path))


# ------------------------------------------------------------------------------------------------------------ numbers


def test_truth_against_itself_is_perfect(perfect):
    assert (perfect.expected, perfect.found, perfect.scored, perfect.failures) == (5, 5, 5, [])
    assert number(perfect, "aperture") == pytest.approx(1) and perfect.metrics["aperture"].values["lag"] == 0
    assert number(perfect, "m-lmd") == pytest.approx(0, abs=1e-6) and number(perfect, "fmd") == pytest.approx(0, abs=1e-6)
    assert number(perfect, "psnr") > 32 and number(perfect, "ssim") > 0.95
    assert perfect.metrics["jerk"].better == "reference" and perfect.metrics["psnr"].better == "higher"


def test_points_are_those_of_the_frames_that_a_metric_sees(truth, measure):
    """Of a metric that looks at some frames alone, such as the quality of the mouth."""
    entry = {"name": "some", "metric": {"class_path": "tests.evaluation.fakes.FramesAlone"}, "label": "some"}
    for frames, count in ((7, 7), (None, 30)):
        value = measure(truth, metrics=[{**entry, "frames": frames}]).metrics["some"]
        assert (value.values["value"], value.values["points"]) == (count, count)


def test_what_is_absent_says_why(perfect):
    assert "tbd weights fetch syncnet_v2" in perfect.metrics["sync-c"].absent and perfect.metrics["sync-c"].better == "higher"
    assert "no seam" in perfect.metrics["seams"].absent
    assert not any("seams" in issue.detail for issue in perfect.issues)  # said once, not for every clip


def test_cost_and_origin_are_kept(perfect):
    assert perfect.speed["frames_per_second"] > 0 and perfect.memory["peak_mb"] > 10
    assert perfect.evaluated_on["packages"]["torch"] and perfect.protocol_hash == fake_protocol().hash


def test_a_late_mouth_is_seen_late(truth, measure):
    for path in truth.glob("*.npz"):
        motion = Motion.load(path)
        Motion(np.roll(motion.values, 3, 0)).save(path)
    scores = measure(truth)
    assert scores.metrics["aperture"].values["lag"] == pytest.approx(3, abs=0.5) and number(scores, "m-lmd") > 0.5


def test_spoilt_pictures_are_seen(truth, perfect, measure):
    for path in truth.glob("*.mp4"):
        frames = frames_of(path)
        rewrite(
            path, [np.clip(f.astype(int) + np.random.default_rng(0).integers(-40, 40, f.shape), 0, 255).astype(np.uint8) for f in frames]
        )
    scores = measure(truth)
    assert number(scores, "psnr") < number(perfect, "psnr") - 5 and number(scores, "ssim") < number(perfect, "ssim") - 0.1
    assert number(scores, "m-lmd") == number(perfect, "m-lmd")  # motion files were not touched


def test_means_and_intervals_are_those_of_the_clips(truth):
    Motion.zeros(30).save(truth / f"{FIRST}.npz")
    scores, found = evaluate(fake_protocol(), FakeReference(), lambda clips: read_predictions(truth, clips))
    values = [clip["value"] for clip in found["m-lmd"].values()]
    assert len(values) == 5 and number(scores, "m-lmd") == pytest.approx(np.mean(values), abs=1e-6)
    assert scores.metrics["m-lmd"].error == pytest.approx(1.96 * np.std(values, ddof=1) / np.sqrt(5))
    assert len(found["aperture"]) == 4  # a mouth that stands still has no correlation
    assert [i.clip for i in scores.issues if i.detail.startswith("aperture")] == [FIRST]


@pytest.mark.parametrize("workers", [1, 2])
def test_what_fails_on_one_clip_is_that_clips_issue_and_the_rest_goes_on(truth, perfect, workers):
    """A metric of somebody's that raises on one clip, and a motion file that is no contract of any metric."""
    failing = {"name": "picky", "metric": {"class_path": "tests.evaluation.fakes.Picky"}, "label": "Picky"}
    motion = Motion.load(truth / f"{FIRST}.npz")
    motion.values[:, 0] = 90.0  # percent
    motion.save(truth / f"{FIRST}.npz")
    protocol = fake_protocol(metrics=[failing, *(metric for metric in protocol_values()["metrics"])])
    scores, found = evaluate(protocol, FakeReference(), lambda clips: read_predictions(truth, clips), workers=workers)
    assert scores.scored == 5 and scores.metrics["picky"].clips == 4 and len(found["picky"]) == 4
    assert [i.detail for i in scores.issues if i.detail.startswith("picky")] == ["picky: It failed with ZeroDivisionError: a bug."]
    said = [(i.clip, i.detail) for i in scores.issues if i.detail.startswith("jerk")]
    assert not said or said[0][0] == FIRST
    assert scores.metrics["fmd"].clips == 4 and any("a blendshape of 90" in i.detail and i.clip == FIRST for i in scores.issues)
    assert number(scores, "psnr") == number(perfect, "psnr") and scores.metrics["psnr"].clips == 5


def test_a_video_that_no_check_has_foreseen_is_one_issue(truth, measure, monkeypatch):
    from tbd.evaluation import video_inputs

    real = video_inputs.decode_clip

    def decode(frames, views, numbers, track, cutters, source):
        if FIRST in source and "true clip" not in source:
            raise SystemError("a decoder's own fault")
        return real(frames, views, numbers, track, cutters, source)

    monkeypatch.setattr(video_inputs, "decode_clip", decode)
    scores = measure(truth)
    assert scores.scored == 4 and [i.kind for i in scores.failures] == ["unreadable"]
    assert scores.failures[0].detail == f"{FIRST}.mp4 could not be measured. It failed with SystemError: a decoder's own fault."


RUNS = {
    "a list": ("[1]", "Input should be a valid dictionary"),
    "a predictor that is a name": ('{"predictor": "GroundTruth"}', "predictor: Input should be a valid dictionary"),
    "weights that are no sums": ('{"weights": {"mine": 3}}', "weights.mine: Input should be a valid string"),
    "a machine of words": ('{"environment": {"load": "low"}}', "environment: Value error, load and cores are no numbers"),
    "half a file": ('{"predictor": ', "cannot be read as JSON"),
}


@pytest.mark.parametrize("what", RUNS)
def test_a_run_file_that_is_none_is_named_before_anything_is_measured(truth, what, monkeypatch):
    text, said = RUNS[what]
    (truth / "run.json").write_text(text)
    monkeypatch.setattr("tbd.evaluation.evaluate.measure_clips", lambda *_: pytest.fail("it was measured"))
    with pytest.raises(InputError, match=re.escape(said)):
        evaluate(fake_protocol(), FakeReference(), lambda clips: read_predictions(truth, clips))


@pytest.mark.parametrize(
    "change", [{"seconds": 0.0}, {"seconds": float("nan")}, {"frames": 0}, {"memory": float("inf")}, {"seconds": -1.0}]
)
def test_rows_that_tell_no_cost_end_no_evaluation(truth, measure, change):
    for path in truth.glob("*.json"):
        path.write_text(json.dumps({**json.loads(path.read_text()), **change}))
    scores = measure(truth)
    assert scores.scored == 5 and "frames_per_second" not in scores.speed
    assert scores.speed == ({"seconds_per_second": 0.0, "clips": 5} if change == {"seconds": 0.0} else {})


def test_two_processes_find_what_one_does(truth, measure):
    """Five clips, of which one is missing and one cannot be read, over two processes."""
    (truth / f"{FIRST}.mp4").unlink()
    (truth / f"{CLIPS[3].id}.mp4").write_bytes(b"")
    protocol = fake_protocol()
    one, apart = (
        evaluate(protocol, FakeReference(), lambda clips: read_predictions(truth, clips), workers=workers)[0] for workers in (1, 2)
    )
    assert one.scored == apart.scored == 3 and one.issues == apart.issues
    exact = [name for name in one.metrics if name not in ("fmd", "separation")]
    assert all(one.metrics[name] == apart.metrics[name] for name in exact)
    for name in ("fmd", "separation"):  # sums of floats, in another order
        assert number(one, name) == pytest.approx(number(apart, name), rel=1e-9, abs=1e-9)


def test_linspace_pairs_over_the_shorter(truth, measure):
    """EAT's pairing: a clip at double speed lines up with its reference."""
    for path in truth.glob("*.npz"):
        Motion(Motion.load(path).values[::2]).save(path)
        video = path.with_suffix(".mp4")
        rewrite(video, frames_of(video)[::2])
    by_time = measure(truth, length_tolerance=20)
    stretched = measure(truth, length_tolerance=20, pairing="linspace")
    assert number(stretched, "m-lmd") < 0.5 * number(by_time, "m-lmd")


# ---------------------------------------------------------------------------------------------------------- bad input


def spoilt(truth, measure, **changes):
    """Scores with one spoilt clip: the kinds of its issues, and whether it is in the numbers."""
    scores = measure(truth, **changes)
    own = [issue for issue in scores.issues if issue.clip == FIRST and issue.kind != "metric"]
    return scores, {issue.kind for issue in own}, scores.scored == 5


def test_missing(truth, measure, perfect):
    (truth / f"{FIRST}.mp4").unlink()
    scores, kinds, _ = spoilt(truth, measure)
    assert kinds == {"missing"} and (scores.expected, scores.found, scores.scored) == (5, 4, 4)
    assert scores.metrics["m-lmd"].clips == 4 and len(scores.failures) == 1


def test_another_length(truth, measure):
    video = truth / f"{FIRST}.mp4"
    rewrite(video, frames_of(video)[:20])
    scores, kinds, inside = spoilt(truth, measure)
    assert kinds == {"length"} and not inside and "20 frames" in scores.failures[0].detail and "30" in scores.failures[0].detail


def test_a_frame_less_is_allowed(truth, measure):
    video = truth / f"{FIRST}.mp4"
    rewrite(video, frames_of(video)[:29])
    _, kinds, inside = spoilt(truth, measure)
    assert inside and "length" not in kinds


def test_another_rate_is_resampled_and_told(truth, measure):
    video = truth / f"{FIRST}.mp4"
    frames = frames_of(video)
    rewrite(video, [frames[min(int(i * 25 / 30 + 1e-6), 29)] for i in range(36)], Fraction(30))
    scores, kinds, inside = spoilt(truth, measure)
    assert inside and kinds == {"rate", "silent"} and number(scores, "psnr") > 30  # the frames are those of the right times


def test_truncated(truth, measure):
    video = truth / f"{FIRST}.mp4"
    whole = video.read_bytes()
    video.write_bytes(whole[: len(whole) * 6 // 10])
    _, kinds, inside = spoilt(truth, measure)
    assert not inside and len(kinds) == 1 and kinds <= {"truncated", "unreadable", "length"}


def test_empty_or_no_video(truth, measure):
    (truth / f"{FIRST}.mp4").write_bytes(b"")
    assert spoilt(truth, measure)[1] == {"unreadable"}
    (truth / f"{FIRST}.mp4").write_text("this is a letter")
    assert spoilt(truth, measure)[1] == {"unreadable"}


@pytest.mark.parametrize(("pix_fmt", "codec"), [("gray", "libx264"), ("yuv420p10le", "libx265"), ("yuv444p", "libx264")])
def test_grey_and_ten_bit_videos_are_read(truth, measure, pix_fmt, codec):
    video = truth / f"{FIRST}.mp4"
    rewrite(video, frames_of(video), pix_fmt=pix_fmt, codec=codec)
    scores, kinds, inside = spoilt(truth, measure)
    assert inside and kinds <= {"silent"} and scores.metrics["psnr"].clips == 5


def test_silent_sound_is_told_and_the_true_sound_used(truth, measure):
    video = truth / f"{FIRST}.mp4"
    frames = frames_of(video)
    with VideoWriter(video, np.zeros(30 * 640, np.float32)) as writer:
        for frame in frames:
            writer.write(frame)
    scores, kinds, inside = spoilt(truth, measure)
    assert inside and kinds == {"silent"} and "true clip's sound" in next(i.detail for i in scores.issues if i.kind == "silent")


def test_no_motion_or_a_broken_one(truth, measure):
    (truth / f"{FIRST}.npz").write_bytes(b"not a motion")
    assert spoilt(truth, measure)[1] == {"no_motion"}
    (truth / f"{FIRST}.npz").unlink()
    assert spoilt(truth, measure)[1] == {"no_motion"}


def test_a_changed_reference_is_refused(truth, measure):
    from tbd.errors import InputError

    split = {"name": "fake", "clips": 5, "names": "0" * 64}
    with pytest.raises(InputError, match="are not the 5 of fake-v1"):
        measure(truth, split=split)


def test_the_command_writes_scores_that_cannot_be_edited(truth, tmp_path, capsys):
    protocol = write_protocol(tmp_path / "fake.yaml")
    out = tmp_path / "scores.json"
    command = ["evaluate", f"--protocol={protocol}", f"--predictions={truth}"]
    assert main([*command, f"--output={out}"]) == 0
    said = capsys.readouterr().out
    assert "5 of 5 clips found" in said and "SYNC-C is absent" in said.replace("\n", " ")
    assert load_scores(out).scored == 5 and (tmp_path / "scores.csv").read_text().startswith("clip,")
    out.write_text(out.read_text().replace('"scored": 5', '"scored": 4'))
    assert main(["leaderboard", "add", str(out), "--name=mine", f"--board={tmp_path / 'board'}"]) == 2
    assert "was changed after" in capsys.readouterr().err and not (tmp_path / "board").exists()
    assert main([*command, f"--output={tmp_path / 'scores.txt'}"]) == 2


# -------------------------------------------------------------------------------------------------------------- memory


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="the memory of a process is read from /proc")
def test_memory_does_not_grow_with_the_number_of_clips(tmp_path, truth):
    """Each clip holds 13 MB of frames on either side, which must not stay."""
    reference, held = FakeReference(count=24), []
    for clip in reference.clips()[5:]:
        for suffix in (".mp4", ".npz"):
            shutil.copy(truth / f"{FIRST}{suffix}", truth / f"{clip.id}{suffix}")

    def progress(clips):
        for clip in clips:
            held.append(int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20)
            yield clip

    crop = {"kind": "frame", "size": 384}
    metrics = [{"name": "frames", "metric": {"class_path": "tests.evaluation.fakes.FramePairs"}, "label": "frames"}]
    protocol = fake_protocol(crop=crop, metrics=metrics)
    scores, _ = evaluate(protocol, reference, lambda clips: read_predictions(truth, clips), progress)
    assert scores.scored == 24 and scores.metrics["frames"].values == {"value": 30.0, "width": 384.0}
    # the allocator keeps a varying hundred megabytes; 15 clips that stayed would be 400
    assert np.median(held[-5:]) - np.median(held[4:9]) < 150
