"""Crop protocols against their arithmetic written out for one frame, and dlib's chips."""

import json
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from scipy.signal import medfilt
from skimage.data import astronaut

from tbd.errors import InputError
from tbd.metrics.base import Unmeasurable
from tbd.metrics.faces.crops import arcface_crops, crop_mouths, crop_track, eat_faces, face_chips, find_tracks
from tbd.metrics.faces.face_points import dlib68, eat_template

REFERENCE = json.loads((Path(__file__).parents[1] / "reference" / "crops.json").read_text())
"""What dlib and insightface cut; the file says which versions and how."""


def boxes(frames: int, left: float = 100.0, side: float = 120.0) -> np.ndarray:
    return np.tile([left, 80.0, left + side, 80.0 + side], (frames, 1))


def test_a_track_survives_gaps_and_is_filled_in():
    seen = boxes(120)
    seen[60:] += [0.6, 0, 0.6, 0]
    seen[50:70] = np.nan
    (track,) = find_tracks(seen, 5)
    assert track.start == 0 and len(track.boxes) == 120
    assert track.boxes[60, 0] == pytest.approx(100.6 * 11 / 21 + 100 * 10 / 21)
    seen[50:80] = np.nan
    assert [(t.start, len(t.boxes)) for t in find_tracks(seen, 5)] == [(0, 50), (80, 40)], "25 missed frames end it"


def test_a_jump_begins_another_track_and_a_single_wrong_box_does_not():
    seen = boxes(60)
    seen[30:] = boxes(30, left=300)
    assert [(t.start, len(t.boxes)) for t in find_tracks(seen, 5)] == [(0, 30), (30, 30)]
    seen = boxes(60)
    seen[20] = boxes(1, left=300)
    (track,) = find_tracks(seen, 5)
    assert len(track.boxes) == 60 and track.boxes[20, 0] == 100


def test_short_tracks_and_small_faces_do_not_count():
    assert not find_tracks(boxes(100), 100) and find_tracks(boxes(101), 100), "more than a hundred detections"
    assert not find_tracks(boxes(60, side=100), 5) and find_tracks(boxes(60, side=101), 5), "more than a hundred pixels"


def test_the_official_crop_is_run_pipelines():
    rng = np.random.default_rng(0)
    frames = rng.integers(0, 256, (20, 300, 400, 3), np.uint8)
    track = boxes(20, left=5) + rng.normal(0, 9, (20, 4))
    crops = crop_track(frames, track)
    half = medfilt(np.maximum(track[:, 3] - track[:, 1], track[:, 2] - track[:, 0]) / 2, 13)
    x, y = (medfilt((track[:, i] + track[:, i + 2]) / 2, 13) for i in (0, 1))
    for i in range(20):  # the ends see the median's zeros
        bs, margin = half[i], int(half[i] * 1.8)
        padded = np.pad(frames[i], ((margin, margin), (margin, margin), (0, 0)), "constant", constant_values=(110, 110))
        my, mx = y[i] + margin, x[i] + margin
        face = padded[int(my - bs) : int(my + bs * 1.8), int(mx - bs * 1.4) : int(mx + bs * 1.4)]
        assert np.array_equal(crops[i], cv2.resize(face, (224, 224)))


def mesh(frames: int) -> np.ndarray:
    """(T, 478, 3): the mean face, 64 pixels between the eyes' corners, at (200, 180)."""
    from tbd.face.geometry import mean_face

    return np.tile(mean_face() * [64, -64, 64] + [200, 180, 0], (frames, 1, 1))


def test_eat_holds_the_mouth_in_its_place():
    frames, points = np.zeros((6, 400, 400, 3), np.uint8), mesh(6)
    points[3:, :, 0] += 15
    points[3:, :, 1] += 4
    for frame, face in zip(frames, points):
        mouth = face[list(dlib68()[60:68]), :2].mean(0)
        cv2.circle(frame, tuple(round(v * 16) for v in mouth), 3 * 16, (255, 255, 255), -1, cv2.LINE_AA, 4)
    (crop,) = crop_mouths(torch.from_numpy(frames).permute(0, 3, 1, 2), points, "eat")
    places = []
    for image in crop.frames[:, 0].double().numpy():
        weight = image / image.sum()
        places.append((float((weight.sum(0) * np.arange(224)).sum()), float((weight.sum(1) * np.arange(224)).sum())))
    assert places[0] == pytest.approx((112, 120), abs=0.3) and places[2] == pytest.approx((112, 120), abs=0.3)
    assert places[3] != pytest.approx((112, 120), abs=1), "a fifth of the correction is the frame's before"
    assert places[5] == pytest.approx((112, 120), abs=0.6)


def test_a_frame_without_a_face_is_held_between_its_neighbours():
    frames, points = torch.zeros(6, 3, 400, 400, dtype=torch.uint8), mesh(6)
    points[2] = np.nan
    (crop,) = crop_mouths(frames, points, "eat")
    assert len(crop.frames) == 6


def test_wav2lip_squeezes_the_whole_frame_and_needs_no_face():
    frames = torch.randint(0, 256, (3, 3, 100, 150), dtype=torch.uint8)
    (crop,) = crop_mouths(frames, None, "wav2lip")
    assert np.array_equal(crop.frames[1].permute(1, 2, 0), cv2.resize(frames[1].permute(1, 2, 0).numpy(), (224, 224)))


def test_a_track_begins_where_the_face_does():
    frames, points = torch.zeros(40, 3, 400, 400, dtype=torch.uint8), mesh(40)
    points[:10] = np.nan
    (crop,) = crop_mouths(frames, points, "official-short")
    assert (crop.start, tuple(crop.frames.shape)) == (10, (30, 3, 224, 224))
    with pytest.raises(Unmeasurable, match="official"):
        crop_mouths(frames, points, "official")
    for lost in (None, np.full((40, 478, 3), np.nan)):
        with pytest.raises(Unmeasurable, match="No face"):
            crop_mouths(frames, lost, "official-short")


@pytest.mark.parametrize("middle", [(-60, 180), (-300, 180), (200, -110), (500, 180), (200, 900)])
def test_a_face_whose_middle_is_off_the_picture_is_not_seen(middle):
    """A mesh is followed out of the picture; there is no crop of it there (and a slice from −5 on is none either)."""
    frames, points = torch.full((60, 3, 400, 400), 90, dtype=torch.uint8), mesh(60)
    points[:, :, :2] += np.array(middle) - [200, 180]
    with pytest.raises(Unmeasurable, match="long enough"):
        crop_mouths(frames, points, "official-short")
    points[:30] = mesh(30)
    (crop,) = crop_mouths(frames, points, "official-short")
    assert len(crop.frames) == 30 and (crop.frames == 90).all()


def test_a_face_half_out_of_the_picture_is_cropped_with_grey_beside_it():
    frames, points = torch.full((30, 3, 400, 400), 90, dtype=torch.uint8), mesh(30)
    points[:, :, 0] -= 180
    (crop,) = crop_mouths(frames, points, "official-short")
    assert set(crop.frames.unique().tolist()) <= set(range(90, 111)), "the picture, and 110 beside it"
    assert (crop.frames[:, :, :, :80] == 110).all() and (crop.frames[:, :, :170, -80:] == 90).all()


@pytest.mark.parametrize("cut", [face_chips, arcface_crops, eat_faces, lambda f, p: crop_mouths(f, p, "official-short")])
def test_points_are_those_of_each_frame_and_of_a_face(cut):
    frames = torch.full((30, 3, 400, 400), 90, dtype=torch.uint8)
    for points in (mesh(29), mesh(31)):
        with pytest.raises(InputError, match=f"of {len(points)} frames and there are 30"):
            cut(frames, points)
    nowhere = mesh(30)
    nowhere[4] = 0
    with pytest.raises(InputError, match="in one place, which is no face"):
        cut(frames, nowhere)


CHIP_POINTS = [263, 362, 33, 133, 2]
"""dlib's five among the mesh: the subject's left eye (outer, inner), right eye (outer, inner), base of the nose."""


def at(indices: list[int], places) -> np.ndarray:
    """(1, 478, 3): a mesh of which only some points are in their places."""
    points = np.zeros((1, 478, 3))
    points[0, indices, :2] = places
    return points


@pytest.mark.parametrize("chip", REFERENCE["dlib"], ids=str)
def test_chips_are_dlibs_to_the_last_bit(chip):
    """Upright and turned; and from pictures so large that dlib halves them first."""
    picture = cv2.resize(astronaut(), None, fx=chip["scale"], fy=chip["scale"], interpolation=cv2.INTER_NEAREST)
    found = face_chips(torch.from_numpy(picture).permute(2, 0, 1)[None], at(CHIP_POINTS, chip["points"]))[0].permute(1, 2, 0).numpy()
    assert np.array_equal(found[16::64, 16::64], chip["pixels"]) and int(found.astype(int).sum()) == chip["sum"]


def test_chips_beyond_the_picture_are_black_and_frames_without_a_face_are_left_out():
    frames, points = np.full((3, 400, 400, 3), 200, np.uint8), mesh(3)
    points[1] = np.nan
    points[2, :, :2] += [170, 0]  # half of the face is beyond the right side
    chips = face_chips(torch.from_numpy(frames).permute(0, 3, 1, 2), points)
    assert chips.shape == (2, 3, 224, 224)
    assert (chips[0] == 200).all() and (chips[1][:, :, :20] == 200).all() and (chips[1][:, :, -20:] == 0).all()
    for far in (-5000, 5000):
        assert not face_chips(torch.from_numpy(frames[:1]).permute(0, 3, 1, 2), points[:1] + np.array([far, 0, 0])).any()


@pytest.mark.parametrize("crop", REFERENCE["insightface"], ids=str)
def test_arcfaces_crops_are_insightfaces(crop):
    dlib = dlib68()
    right, left, nose, corners = ([dlib[i] for i in part] for part in (range(36, 42), range(42, 48), (30,), (48, 54)))
    points = np.zeros((1, 478, 3))
    for indices, place in ((right, crop["points"][0]), (left, crop["points"][1]), (nose, crop["points"][2]), (corners, crop["points"][3:])):
        points[0, indices, :2] = place
    found = arcface_crops(torch.from_numpy(astronaut()).permute(2, 0, 1)[None], points)[0].permute(1, 2, 0).numpy().astype(int)
    assert np.abs(found[7::28, 7::28] - crop["pixels"]).max() <= 1, "OpenCV's fixed-point weights"
    assert abs(int(found.sum()) - crop["sum"]) < 1e-4 * crop["sum"]
    assert float((found.sum(-1) == 0).mean()) == pytest.approx(crop["black"], abs=1e-3), "no band where the picture has pixels"


def test_arcfaces_crop_of_a_face_within_the_picture_has_no_black():
    frames, points = torch.full((2, 3, 400, 400), 90, dtype=torch.uint8), mesh(2)
    points[1] = np.nan
    crops = arcface_crops(frames, points)
    assert crops.shape == (1, 3, 112, 112) and (crops == 90).all()
    assert arcface_crops(frames, np.full((2, 478, 3), np.nan)).shape == (0, 3, 112, 112)


def test_frames_that_break_the_contract_are_refused_before_they_are_cut():
    frames, points = torch.full((2, 3, 400, 400), 90.0), mesh(2)
    for cut in (face_chips, arcface_crops, eat_faces, lambda f, p: crop_mouths(f, p, "official-short")):
        with pytest.raises(InputError, match="reaches from 90 to 90"):
            cut(frames, points)


def test_chips_of_a_clip_without_faces_are_none():
    assert face_chips(torch.zeros(2, 3, 50, 50, dtype=torch.uint8), np.full((2, 478, 3), np.nan)).shape == (0, 3, 224, 224)


def test_the_template_of_the_128_crop_is_level():
    template = eat_template()
    assert template[36, 1] == pytest.approx(template[45, 1]) and template[45, 0] - template[36, 0] == pytest.approx(64)


def test_eats_128_crop_is_its_arithmetic():
    from skimage.transform import SimilarityTransform, warp

    rng = np.random.default_rng(0)
    image, points = astronaut(), 0.9 * eat_template() + [160, 70] + rng.normal(0, 2, (2, 68, 2))
    points[1] = np.nan
    frames = torch.from_numpy(np.stack([image, image])).permute(0, 3, 1, 2)
    faces = eat_faces(frames, points)
    transform = SimilarityTransform.from_estimate(eat_template()[27:45], points[0, 27:45])  # template → face, as utils_crop.py
    expected = np.array(warp(image, transform, output_shape=(163, 163)) * 255, dtype=np.uint8)[1:129, 1:129]
    assert faces.shape == (1, 3, 128, 128), "the frame without a face is left out"
    difference = np.abs(faces[0].permute(1, 2, 0).numpy().astype(int) - expected)
    assert difference.max() <= 1 and (difference > 0).mean() < 1e-3, "but for rounding in the last digit of a coordinate"
    assert eat_faces(frames, np.full((2, 68, 2), np.nan)).shape == (0, 3, 128, 128)
