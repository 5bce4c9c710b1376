"""From a raw download to a cache: real files, real trackers, killed, damaged and repeated."""

import errno
import os
import signal
import subprocess
import sys
import time
import wave
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from filelock import FileLock
from rich.console import Console

from tbd.cli.main import main
from tbd.data.preprocess import clip as prepare
from tbd.data.preprocess.cache import Cache, load_points
from tbd.data.preprocess.clip import RewindableFrames
from tbd.data.preprocess.config import PreprocessConfig
from tbd.data.preprocess.crop import CROPS
from tbd.data.preprocess.report import report
from tbd.data.preprocess.runner import preprocess
from tbd.data.preprocess.sound import prepare_sound
from tbd.data.records import ClipRecord
from tbd.data.sources.base import RawClip, RawFile
from tbd.data.sources.folder import FolderSource
from tbd.data.sources.hdtf import HDTFSource
from tbd.data.sources.mead import MEADSource
from tbd.errors import InputError, TBDError
from tbd.face.motion import Motion
from tbd.media import read_audio, read_video, video_info
from tests.conftest import hear_interrupts
from tests.data.trees import FRAMES, HDTF_CLIPS, MEAD_CLIPS, SIZE, performance, tone, write_clip, write_sound

QUIET = Console(quiet=True)


@pytest.fixture(scope="module")
def mead(mead_tree, tmp_path_factory) -> Cache:
    return preprocess(MEADSource(str(mead_tree)), tmp_path_factory.mktemp("c") / "mead", workers=2, sizes=(128, 64), console=QUIET)


def by_clip(cache: Cache) -> dict:
    return {record.clip: record for record in cache.records()}


def test_every_clip_is_ready_or_says_why_not(mead):
    records = by_clip(mead)
    assert {clip: r.status for clip, r in records.items()} == MEAD_CLIPS
    assert records["M003_angry_1_001"].reason.startswith("is broken off: the index")
    assert "show no face" in records["M003_sad_2_001"].reason
    assert records["M003_happy_3_004"].reason.endswith("has no sound in it") and not records["M003_happy_3_004"].audio
    mead.require(mead.records())


def test_all_parts_of_a_clip_have_the_same_frames(mead):
    for record in mead.records():
        if not record.ready:
            continue
        motion = Motion.load(mead.path(record.file("motions", "face_mesh")))
        points = load_points(mead.path(record.file("points", "face_mesh")))
        assert len(motion) == len(points) == record.frames == FRAMES and record.seconds == FRAMES / 25
        for size in (128, 64):
            info = video_info(mead.path(record.videos[str(size)]))
            assert (info.width, info.height, info.fps, info.has_audio) == (size, size, 25, bool(record.audio))
            with av.open(str(mead.path(record.videos[str(size)]))) as container:
                keys = [packet.is_keyframe for packet in container.demux(video=0) if packet.size]
            assert keys == [i % 5 == 0 for i in range(FRAMES)]  # sparse reading starts at keyframes
        if record.audio:
            with wave.open(str(mead.path(record.audio))) as file:
                assert file.getparams()[:4] == (1, 2, 16_000, FRAMES * 640)


def test_sources_of_any_rate_show_the_same_performance(mead):
    """30, 29.97 and 25 frames a second, and a member of an archive: the jaw opens at the same times, to within a frame."""
    truth = 0.35 - 0.35 * np.cos(np.arange(-1, FRAMES + 1) / 25 * 2 * np.pi * 2)
    for record in (r for r in mead.records() if r.ready):
        jaw = Motion.load(mead.path(record.file("motions", "face_mesh")))["jawOpen"]
        likeness = [np.corrcoef(jaw, truth[1 + lag : 1 + lag + FRAMES])[0, 1] for lag in (-1, 0, 1)]
        assert max(likeness) > 0.92 and likeness[1] > 0.85, record.clip  # two frames' shift would leave 0.54


def test_sound_beside_the_video_is_taken(mead):
    records = by_clip(mead)
    inside, beside = (read_audio(mead.path(records[clip].audio)) for clip in ("M003_neutral_1_001", "M003_neutral_1_002"))
    assert np.corrcoef(inside, beside)[0, 1] > 0.95


def test_points_lie_on_the_cut_face(mead):
    """The mesh, carried into the crop, is where a tracker finds the face in the prepared video."""
    from tbd.face.tracker import FaceMeshTracker

    record = by_clip(mead)["M003_neutral_1_001"]
    frame = next(iter(read_video(mead.path(record.videos["128"]))))
    found = FaceMeshTracker().locate(frame).points[:, :2]
    kept = (load_points(mead.path(record.file("points", "face_mesh")))[0, :, :2].astype(float) + 0.5) * 128
    assert np.abs(found - kept).mean() < 1.5


def test_the_crop_is_square_even_and_around_the_whole_track(mead):
    for record in (r for r in mead.records() if r.ready):
        left, top, width = record.crop
        assert left % 2 == top % 2 == width % 2 == 0 and left >= 0 and top >= 0 and top + width <= record.source_height
        points = load_points(mead.path(record.file("points", "face_mesh")))[..., :2]
        assert np.abs(points.astype(float)).max() < 0.5


def test_a_second_run_does_nothing_and_vanished_files_are_made_anew(mead, mead_tree, monkeypatch):
    record = by_clip(mead)["W009_fear_3_001"]
    times = {r.clip: mead.record_path(r).stat().st_mtime_ns for r in mead.records()}
    run = lambda **options: preprocess(MEADSource(str(mead_tree)), mead.root, workers=1, sizes=(128, 64), console=QUIET, **options)  # noqa: E731
    run()
    assert times == {r.clip: mead.record_path(r).stat().st_mtime_ns for r in mead.records()}
    mead.path(record.videos["64"]).unlink()
    run()
    changed = [r.clip for r in mead.records() if mead.record_path(r).stat().st_mtime_ns != times[r.clip]]
    assert changed == [record.clip] and mead.path(record.videos["64"]).is_file()
    run(retry=True)
    changed = [r.clip for r in mead.records() if mead.record_path(r).stat().st_mtime_ns != times[r.clip]]
    assert changed == ["M003_angry_1_001", "M003_sad_2_001", record.clip]


def test_labels_reach_the_manifest(mead, mead_tree, tmp_path):
    table = tmp_path / "labels.csv"
    table.write_text("clip,text\nM003_neutral_1_001,she waits for the bus\n")
    preprocess(MEADSource(str(mead_tree)), mead.root, workers=1, sizes=(128, 64), labels=table, console=QUIET)
    assert by_clip(mead)["M003_neutral_1_001"].text == "she waits for the bus"


def test_hdtf(hdtf_tree, tmp_path):
    videos, told = hdtf_tree
    cache = preprocess(HDTFSource(str(videos), str(told)), tmp_path / "hdtf", workers=1, sizes=(64,), crop="hdtf", console=QUIET)
    records = by_clip(cache)
    assert {clip: r.status for clip, r in records.items()} == HDTF_CLIPS
    # the annotated square, measured on 720 lines, on a file of 288
    assert records["WDA_KatieHill_000"].crop == (160, 48, 192) and records["WDA_KatieHill_000"].frames == 50
    assert "should start at 60.0 s" in records["WRA_JebHensarling0_001"].reason
    # the interval from 1 to 3 s of a performance that repeats every 1.2 s
    jaw = Motion.load(cache.path(records["WRA_JebHensarling0_000"].file("motions", "face_mesh")))["jawOpen"]
    truth = 0.35 - 0.35 * np.cos((np.arange(50) + 25) % FRAMES / 25 * 2 * np.pi * 2)
    assert np.corrcoef(jaw, truth)[0, 1] > 0.93
    sound = read_audio(cache.path(records["WRA_JebHensarling0_000"].audio))
    whole = read_audio(videos / "JebHensarling0.mp4")[16_000:48_000]
    assert np.abs(sound - whole).max() < 1e-3


def test_an_annotated_square_without_a_face_is_left_aside(tmp_path):
    """Boxes of another edit of the video: the whole picture is looked at instead, and the record says so."""
    write_clip(tmp_path / "videos/KatieHill.mp4", performance(), 25, tone(FRAMES / 25), (240, 480))
    told = tmp_path / "told"
    told.mkdir()
    for name, text in {"annotion_time": "KatieHill.mp4 00:00-00:02\n", "resolution": "KatieHill.mp4 240\n",
                       "crop_wh": "KatieHill_0.mp4 0 100 0 100\n"}.items():  # fmt: skip
        (told / f"WDA_{name}.txt").write_text(text)
    cache = preprocess(HDTFSource(str(tmp_path / "videos"), str(told)), tmp_path / "c", workers=1, sizes=(64,), crop="hdtf", console=QUIET)
    (record,) = cache.records()
    assert record.ready and record.reason == (
        "the video ends 0.8 s before the interval does; no face in the annotated square, which was left aside"
    )
    left, top, width = record.crop
    assert left > 100 and top + width <= 240


def test_scan_only_writes_what_files_say_of_themselves(mead_tree, tmp_path):
    cache = preprocess(MEADSource(str(mead_tree)), tmp_path / "c", workers=1, scan_only=True, console=QUIET)
    records = by_clip(cache)
    assert {r.status for r in records.values()} == {"found", "failed"} and not (cache.root / "video").exists()
    assert records["M003_happy_3_001"].source_fps == pytest.approx(29.97, abs=0.01)
    assert (records["M003_neutral_1_001"].source_width, records["M003_neutral_1_001"].source_height) == (320, 240)


# -- sound and pictures ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("fps", [Fraction(30000, 1001), 30, 25])
def test_sound_stays_with_the_pictures(fps, tmp_path):
    """A flash and a click at the start and the end of a minute: prepared, they still fall into the same frame."""
    frames = np.zeros((60 * 25, 32, 32, 3), np.uint8)
    beats = [25, 60 * 25 - 26]
    sound = np.zeros(60 * 48_000, np.float32)
    for beat in beats:
        frames[beat : beat + 3] = 255
        sound[beat * 1920 : (beat + 3) * 1920] = 0.5 * np.sin(np.arange(3 * 1920) / 8)
    write_clip(tmp_path / "a.mp4", frames, fps, sound)
    raw = FolderSource(str(tmp_path)).scan().clips[0]
    video = read_video(tmp_path / "a.mp4")
    shown = [i for i, frame in enumerate(video) if frame.mean() > 60]
    heard, remark, _ = prepare_sound(raw, tmp_path / "a.mp4", sum(1 for _ in video.av_frames()))
    loud = np.abs(heard).reshape(-1, 640).max(1)
    assert not remark
    for beat in beats:
        near = [i for i in shown if abs(i - beat) < 10]
        clicks = [i for i in np.flatnonzero(loud > 0.2) if abs(i - beat) < 10]
        assert near and clicks and abs(np.mean(near) - np.mean(clicks)) <= 1, (fps, beat, near, clicks)


def test_sound_that_is_too_short_is_filled_and_said(tmp_path):
    write_clip(tmp_path / "a.mp4", performance(), 25, None)
    write_sound(tmp_path / "a.m4a", tone(0.5))
    raw = FolderSource(str(tmp_path)).scan().clips[0]
    sound, remark, heard = prepare_sound(raw, tmp_path / "a.mp4", FRAMES)
    assert len(sound) == FRAMES * 640 and heard == pytest.approx(0.5, abs=0.05) and not sound[9_600:].any()
    assert remark == f"the sound is {FRAMES / 25 - heard:.2f} s shorter than the pictures"


def test_a_clip_longer_than_memory_is_decoded_twice(tmp_path):
    write_clip(tmp_path / "a.mp4", performance(), 25)
    video = read_video(tmp_path / "a.mp4")
    kept, forgotten = RewindableFrames(video), RewindableFrames(video, memory=5 * SIZE * SIZE)
    for frames in (kept, forgotten):
        first, second = ([frame.to_ndarray(format="gray").mean() for frame in frames] for _ in range(2))
        assert first == second and len(first) == FRAMES
    assert kept._kept is not None and forgotten._kept is None


# -- what goes wrong ---------------------------------------------------------------------------------------------------


@pytest.fixture
def folder(tmp_path) -> Path:
    root = tmp_path / "raw"
    for name in ("a", "b"):
        write_clip(root / f"{name}.mp4", performance()[:15], 25)
    return root


def test_a_full_disk_stops_and_loses_nothing(folder, tmp_path, monkeypatch):
    real = prepare.save_points

    def full(path: Path, *rest) -> None:
        if path.stem == "b":
            raise OSError(errno.ENOSPC, "No space left on device")
        real(path, *rest)

    monkeypatch.setattr(prepare, "save_points", full)
    with pytest.raises(TBDError, match=r"Preparing b failed \(No space left on device\); nothing is lost") as caught:
        preprocess(FolderSource(str(folder)), tmp_path / "c", workers=1, sizes=(64,), console=QUIET)
    assert caught.value.exit_code == 1
    assert [r.clip for r in Cache(tmp_path / "c").records()] == ["a"]
    monkeypatch.undo()
    cache = preprocess(FolderSource(str(folder)), tmp_path / "c", workers=1, sizes=(64,), console=QUIET)
    assert [(r.clip, r.status) for r in cache.records()] == [("a", "ready"), ("b", "ready")]


def test_two_processes_do_not_prepare_one_cache(folder, tmp_path):
    Cache.claim(tmp_path / "c", source="folder", **PreprocessConfig(sizes=(64,)).shared())
    with FileLock(tmp_path / "c" / ".lock"), pytest.raises(InputError, match="Another process is preparing"):
        preprocess(FolderSource(str(folder)), tmp_path / "c", workers=1, sizes=(64,), console=QUIET)


def test_an_unexpected_error_costs_one_clip(folder, tmp_path, monkeypatch):
    monkeypatch.setattr(prepare, "save_sound", lambda *_: (_ for _ in ()).throw(ValueError("a codec\ntripped")))
    write_clip(folder / "c.mp4", performance()[:15], 25, tone(0.6))
    cache = preprocess(FolderSource(str(folder)), tmp_path / "c", workers=1, sizes=(64,), console=QUIET)
    assert {r.clip: r.reason for r in cache.records() if not r.ready} == {"c": "ValueError: a codec tripped"}


def test_short_and_broken_off_clips(tmp_path):
    write_clip(tmp_path / "raw/short.mp4", performance()[:5], 25)
    write_clip(tmp_path / "raw/torn.mkv", performance(), 25)
    whole = (tmp_path / "raw/torn.mkv").read_bytes()
    (tmp_path / "raw/torn.mkv").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(TBDError, match="0 of 2 clips are ready"):
        preprocess(FolderSource(str(tmp_path / "raw")), tmp_path / "c", workers=1, sizes=(64,), console=QUIET)
    reasons = {r.clip: r.reason for r in Cache(tmp_path / "c").records()}
    assert reasons["short"] == "holds 5 of 5 frames; it is too short to be a clip."
    assert "damaged or broken off" in reasons["torn"] and not list((tmp_path / "c").rglob("torn.mp4"))


def test_a_worker_that_dies_costs_one_clip(folder, tmp_path, monkeypatch):
    """What a decoder that ends its process would do; the other clip is prepared all the same."""
    site = tmp_path / "site"
    site.mkdir()
    (site / "sitecustomize.py").write_text(
        "import os, sys\n"
        "if 'multiprocessing.spawn' in ' '.join(sys.argv) or '--multiprocessing-fork' in sys.argv:\n"
        "    import tbd.data.preprocess.clip as p\n"
        "    real = p.read_video\n"
        "    p.read_video = lambda path, *a: os._exit(139) if str(path).endswith('a.mp4') else real(path, *a)\n"
    )
    monkeypatch.setenv("PYTHONPATH", f"{site}{os.pathsep}{os.environ.get('PYTHONPATH', '')}")
    cache = preprocess(FolderSource(str(folder)), tmp_path / "c", workers=2, sizes=(64,), console=QUIET)
    assert {r.clip: r.status for r in cache.records()} == {"a": "failed", "b": "ready"}
    assert "ended the process" in by_clip(cache)["a"].reason


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT])
def test_a_killed_run_is_taken_up_again(how, tmp_path):
    root, out = tmp_path / "raw", tmp_path / "c"
    for i in range(4):
        write_clip(root / f"clip{i}.mp4", performance(), 25)
    arguments = ["preprocess", "folder", "--root", str(root), "--output", str(out), "--sizes", "64", "--workers", "1", "--quiet"]
    command = [sys.executable, "-m", "tbd", *arguments]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, preexec_fn=hear_interrupts)
    deadline = time.monotonic() + 60
    while not list(out.glob("records/*/[!.]*.json")) and time.monotonic() < deadline:
        time.sleep(0.05)
    process.send_signal(how)
    code = process.wait(30)
    assert code == (130 if how == signal.SIGINT else -signal.SIGKILL)
    if how == signal.SIGINT:
        assert not [p for p in out.rglob(".*-*")] and (out / "manifest.csv").is_file()
    done = {p.name: p.stat().st_mtime_ns for p in out.glob("records/*/[!.]*.json")}
    assert 0 < len(done) < 4
    assert main(arguments) == 0
    assert sum(r.ready for r in Cache(out).records()) == 4 and not [p for p in out.rglob(".*-*")]
    assert all((out / "records" / name[:-5] / name).stat().st_mtime_ns == written for name, written in done.items())


# -- what users' folders hold ------------------------------------------------------------------------------------------


def test_upside_down_films_become_upright_crops_and_cuts_are_said(tmp_path):
    """In a folder with its own output, a broken link and labels with spaces; taken up again, nothing is left to do.

    The two films that are compared are lossless: what a codec leaves moves a mesh by thousandths of the frame, and a crop, whose sides
    are even, then by two pixels.
    """
    root, out = tmp_path / "raw", tmp_path / "raw/out"
    frames = performance()
    other = np.full_like(frames, 60)
    other[:, :, 16:176] = frames[:, :, ::-1][:, :, 16:176, ::-1] // 2  # mirrored, dark and blue
    write_clip(root / "down.mp4", np.ascontiguousarray(np.rot90(frames, 2, (1, 2))), 25, tone(FRAMES / 25), (240, 320), codec="libx264rgb")
    write_clip(root / "up.mp4", frames, 25, tone(FRAMES / 25), (240, 320), codec="libx264rgb")
    write_clip(root / "two.mp4", np.concatenate([frames, other]), 25)
    (root / "broken.mp4").symlink_to("nowhere.mp4")
    (tmp_path / "labels.csv").write_text("clip, person, emotion\ndown, anna, happy\n")
    arguments = ["preprocess", "folder", "--root", str(root), "--output", str(out), "--sizes", "64", "--workers", "1"]
    arguments += ["--labels", str(tmp_path / "labels.csv")]
    assert main(arguments) == 0
    records = by_clip(Cache(out))
    down, up = records["down"], records["up"]
    assert (down.person, down.emotion) == ("anna", "happy")
    assert down.reason == "the picture was turned by 180° to stand upright" and not up.reason
    assert down.crop == up.crop
    pictures = [np.stack(list(read_video(out / record.videos["64"]))).astype(int) for record in (down, up)]
    assert np.abs(pictures[0] - pictures[1]).max() == 0 and np.abs(pictures[0][:, ::-1, ::-1] - pictures[1]).mean() > 3
    motions, meshes = ([load(out / getattr(r, kind)[next(iter(r.motions))]) for r in (down, up)]
                       for kind, load in (("motions", Motion.load), ("points", load_points)))  # fmt: skip
    assert motions[0].metadata["turned"] == 180
    assert np.abs(motions[0].values - motions[1].values).max() < 1e-6 and np.abs(meshes[0] - meshes[1]).max() < 1e-6
    assert records["two"].status == "failed" and "Another person seems to be seen in two.mp4 from 1.20 s on" in records["two"].reason
    written = {path: path.stat().st_mtime_ns for path in out.glob("records/*/*.json")}
    assert main(arguments) == 0
    assert {path: path.stat().st_mtime_ns for path in out.glob("records/*/*.json")} == written and len(written) == 3


def test_not_one_clip_is_an_error_with_numbers(tmp_path, capsys):
    for name in "abc":
        write_clip(tmp_path / f"raw/{name}.mp4", np.full((30, 96, 96, 3), 99, np.uint8), 25)
    (tmp_path / "raw/d.mp4").write_bytes(b"no video at all")
    arguments = ["preprocess", "folder", "--root", str(tmp_path / "raw"), "--output", str(tmp_path / "c"), "--workers", "1", "--quiet"]
    for _ in range(2):  # a second run has nothing to do and says so as well
        assert main(arguments) == 1
        said = capsys.readouterr().err.strip()
        assert "0 of 4 clips are ready: 3 × 30 of the 30 frames of it show no face" in said and "1 × " in said and "\n" not in said
    assert main([*arguments, "--scan-only"]) == 0


# -- the command and the report ----------------------------------------------------------------------------------------


def test_report_counts_per_person_and_emotion(mead, capsys):
    console = Console(width=120, record=True)
    report(str(mead.root), "mead_actor", console)
    said = console.export_text()
    assert "6 clips ready" in said and "2 failed" in said and "1 ready without sound" in said
    row = next(line for line in said.splitlines() if line.strip().startswith("M003"))
    assert row.split()[:2] == ["M003", "–"] and "(1)" in row and row.split()[-2:] == ["4", "(2)"]
    assert "M003/happy/level_3: 2 clips" in said and "Frame rates of the files: 30 (4)" in said
    row = next(line for line in said.splitlines() if line.strip().startswith("test  "))
    assert row.split()[1:5] == ["4", "2", "6", "2"]  # people named, there, clips ready, failed
    assert "No person and no source video is in two splits" in said


def test_the_command_refuses_a_split_that_leaks(mead, capsys):
    assert main(["preprocess", "report", str(mead.root), "--split-file", "hdtf_edtalk"]) == 1
    assert "13 source videos and 31 named people in more than one of them" in capsys.readouterr().err


def test_bad_input_is_one_sentence(tmp_path, capsys, mead_tree):
    (tmp_path / "empty").mkdir()
    for arguments, said in [
        (["mead", "--root", str(tmp_path / "empty"), "--output", str(tmp_path / "c")], "holds no video"),
        (["mead", "--root", str(mead_tree), "--output", str(tmp_path / "c"), "--crop", "round"], "no crop 'round'"),
        (["mead", "--root", str(mead_tree), "--output", str(tmp_path / "c"), "--sizes", "17"], "even numbers"),
        (["mead", "--root", str(mead_tree), "--output", str(tmp_path / "c"), "--landmarker", "no.task"], "no file no.task (--landmarker)"),
        (["mead", "--root", str(mead_tree), "--output", str(tmp_path / "c"), "--workers", "0"], "a number of processes from 1, not 0"),
        (["report", str(tmp_path / "c")], "no prepared cache"),
    ]:
        assert main(["preprocess", *arguments]) == 2
        message = capsys.readouterr().err.strip()
        assert said in message and message.startswith("tbd preprocess: ") and "\n" not in message
    assert not (tmp_path / "c").exists()


# -- real clips --------------------------------------------------------------------------------------------------------


def test_real_clips(shared, tmp_path):
    """One clip each of MEAD (30 fps, 1080p, 4:4:4) and HDTF, both trackers: a face in every frame, and a steady one in the crop."""
    task = shared / "models/face_landmarker.task"
    options = {"workers": 1, "sizes": (256,), "landmarker": str(task) if task.is_file() else None, "console": QUIET}
    clips = shared / "data/clips"
    for source, lips in ((MEADSource(str(clips)), 0.5), (HDTFSource(str(clips), str(shared / "data/hdtf")), 0.5)):
        cache = preprocess(source, tmp_path / source.name, **options)
        (record,) = cache.records()
        assert record.ready and record.frames_without_face == 0 and not record.reason
        assert record.frames == pytest.approx(record.source_seconds * 25, abs=1)
        jaws = [Motion.load(cache.path(path))["jawOpen"] for path in record.motions.values()]
        if len(jaws) == 2:
            assert np.corrcoef(*jaws)[0, 1] > lips  # two trackers see one jaw


def test_crop_protocols():
    plain = RawClip(ClipRecord("a", "hdtf", "A", "a"), RawFile("", "a.mp4"))
    points = np.array([[[400.0, 300.0], [600.0, 500.0]], [[440.0, 300.0], [640.0, 500.0]]])  # a face of 200 that moves by 40
    left, top, width = CROPS["portrait"].square(points, 1080, 1920)
    assert width == 432 and left == pytest.approx(520 - 216, abs=1) and top == pytest.approx(400 - 0.48 * 432, abs=1)
    near = CROPS["portrait"].square(points - [400, 300], 1080, 1920)
    assert near[:2] == (0, 0)  # moved into the picture, at its full size
    small = CROPS["portrait"].square(points - [400, 300], 300, 1920)
    assert small == (0, 0, 300)  # as large as the picture allows
    raw = replace(plain, box=(100, 50, 200), box_height=360)
    assert CROPS["hdtf"].square(points, 1080, 1920, raw) == (300, 150, 600)
    assert CROPS["hdtf"].square(points, 1080, 1920, plain)[2] == 288  # no box: the merged one, enlarged by the ratio


def test_appearance_is_a_further_tracker_of_its_own():
    keys = PreprocessConfig(expressive=True).tracker_keys()
    assert [key.split("@")[0] for key in keys] == ["face_mesh", "face_mesh_expressive"]
    assert PreprocessConfig().tracker_keys() == keys[:1] and PreprocessConfig(expressive=True).shared() == PreprocessConfig().shared()
