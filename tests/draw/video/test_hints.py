"""What coarse frames show in branches with a plan and without, in training and in drawing."""

import dataclasses

import numpy as np
import pytest
import torch

from tbd.data.datasets.video import VideoWindows, WholeClips
from tbd.draw.conditioning.plan_tensors import PlanTensors
from tbd.draw.guidance.base import COND, EMOTION, UNCOND
from tbd.draw.guidance.classifier_free import ClassifierFreeGuidance
from tbd.draw.video.clip_metrics import VideoClipMetrics
from tbd.draw.video.hints import HintConfig
from tbd.draw.video.renderer import VideoRenderer
from tbd.errors import InputError
from tbd.face.channels import INDEX
from tbd.face.motion import Motion
from tbd.face.render.coarse import lips_and_head
from tests.draw.tiny_video import PLAN, SIDE, TinyVideoData, clip, tiny_video_model, wake

H, T = SIDE // 2, 6
CHOICES = ("all", "lips_and_head", "none")


@pytest.mark.parametrize("with_plan", CHOICES)
@pytest.mark.parametrize("without_plan", [*CHOICES, "same"])
def test_each_branch_gets_its_own(with_plan, without_plan):
    """1 stands for the whole motion or what is given in its place, 2 for a neutral plan's."""
    one, two, hints = torch.ones(1, T, 4, H, H), torch.full((1, T, 4, H, H), 2.0), HintConfig(with_plan, without_plan)
    planned, unplanned = (hints.choose(one, two, each).mean().item() for each in (True, False))
    assert planned == (0 if with_plan == "none" else 1)
    assert unplanned == (planned if without_plan == "same" else 0 if without_plan == "none" else 2)
    batch = hints.of_batch(one.repeat(2, 1, 1, 1, 1), two.repeat(2, 1, 1, 1, 1), torch.tensor([1.0, 0.0])).mean((1, 2, 3, 4)).tolist()
    of = {"all": 1, "lips_and_head": 2, "none": 0}
    assert batch == [of[with_plan], of[with_plan] if without_plan == "same" else {**of, "all": 2}[without_plan]]
    assert hints.needs_neutral == (2 in batch)


def test_the_denoiser_sees_the_hint_of_its_branch():
    model = tiny_video_model(hints=HintConfig("all", "lips_and_head")).eval()
    seen = {}

    def watch(noisy, timestep, reference, conditioning):
        seen["hint"] = conditioning.hint[:, 0, 0, 0, 0].tolist()
        return torch.zeros_like(noisy)

    model.denoiser.forward = watch
    reference = model.denoiser.encode_reference(torch.zeros(1, 4, H, H))
    parts = (reference, torch.ones(1, T, 4, H, H), torch.ones(1, 5, H, H), torch.zeros(1, (T + 4) * 640), PlanTensors.collate([PLAN]))
    model.sample_window(*parts, guidance=ClassifierFreeGuidance(2.0), neutral_hint=torch.full((1, T, 4, H, H), 2.0))
    assert seen["hint"] == [2.0, 1.0]  # ε(∅), ε(g,ℓ)
    model.sample_window(*parts, guidance=ClassifierFreeGuidance(2.0))
    assert seen["hint"] == [1.0, 1.0]
    assert [branch.emotion or branch.muscles for branch in (UNCOND, EMOTION, COND)] == [False, True, True]


def test_without_hints_coarse_frames_change_nothing():
    model = wake(tiny_video_model(hints=HintConfig("none", "none")))
    reference = model.denoiser.encode_reference(torch.zeros(1, 4, H, H))
    noise, audio, plans = torch.randn(1, T, 4, H, H), torch.zeros(1, (T + 4) * 640), PlanTensors.collate([PLAN])
    drawn = [model.sample_window(reference, x, torch.ones(1, 5, H, H), audio, plans, noise=noise) for x in (noise, 2 * noise)]
    assert torch.equal(*drawn)


def test_training_reads_lips_and_head_where_no_plan_is_given():
    class Without(TinyVideoData):
        def clips(self, split):
            return [dataclasses.replace(one, neutral_coarse=None) for one in super().clips(split)]

    found = []
    for data in (TinyVideoData(), Without()):
        data.setup("fit")
        found.append(data.datasets["train"].__getitems__([0, 1, 2, 3]))
    model = tiny_video_model()
    seen = []
    model.denoiser.register_forward_pre_hook(lambda _, args: seen.append(args[3]))
    model.losses(found[0])
    plan, hint = seen[0].plan, seen[0].hint
    planned = (plan.global_presence.amax((1, 2)) > 0) | (plan.local_presence.amax((1, 2)) > 0)
    for i, whole, neutral in zip(range(4), model.latents(found[0]["coarse"]), model.latents(found[0]["neutral_coarse"])):
        assert not hint[i].any() or torch.allclose(hint[i], whole if planned[i] else neutral, atol=1e-5)
    with pytest.raises(InputError, match="coarse frames of lips and head alone"):
        model.losses(found[1])
    assert tiny_video_model(hints=HintConfig("all", "same")).losses(found[1])["loss"] > 0


def test_a_test_reads_the_clips_own():
    model = wake(tiny_video_model(hints=HintConfig("lips_and_head", "same")))
    one, metrics = dataclasses.replace(clip(9, frames=8), neutral_coarse=None), VideoClipMetrics()
    with pytest.raises(InputError, match="clip9 has no coarse frames of lips and head alone"):
        metrics.update(model, WholeClips(VideoWindows([one], 6, 2, jitter=False))[0])
    metrics.update(model, WholeClips(VideoWindows([dataclasses.replace(one, neutral_coarse=one.coarse)], 6, 2, jitter=False))[0])
    assert metrics.compute()["psnr"] > 0


def test_lips_and_head_are_what_speech_moves():
    motion = Motion(np.full((3, 58), 0.5, np.float32))
    kept = lips_and_head(motion).values[0]
    assert kept[INDEX["jawOpen"]] == kept[INDEX["headPitch"]] == 0.5
    assert not kept[INDEX["mouthSmileLeft"]] and not kept[INDEX["browInnerUp"]] and not kept[INDEX["eyeBlinkLeft"]]


def test_the_renderer_draws_coarse_frames_as_the_model_reads_them(monkeypatch):
    shown = []
    monkeypatch.setattr("tbd.draw.video.renderer.render_coarse", lambda face, motion: shown.append(motion) or iter(()))
    motion, neutral = Motion(np.full((3, 58), 0.5, np.float32)), Motion(np.full((3, 58), 0.25, np.float32))
    model = tiny_video_model()

    def coarse(with_plan, without_plan):
        shown.clear()
        model.hints = HintConfig(with_plan, without_plan)
        VideoRenderer(model, PLAN, np.zeros(1920, np.float32), neutral_motion=neutral)._coarse(None, motion)
        return [(float(m.values[0, INDEX["jawOpen"]]), float(m.values[0, INDEX["browInnerUp"]]), float(m.head[0, 0])) for m in shown]

    assert coarse("all", "same") == [(0.5, 0.5, 0.5)]
    assert coarse("all", "all") == [(0.5, 0.5, 0.5), (0.25, 0.25, 0.5)]
    assert coarse("lips_and_head", "same") == [(0.25, 0.0, 0.5)]
    assert coarse("all", "lips_and_head") == [(0.5, 0.5, 0.5), (0.25, 0.0, 0.5)]


def test_unknown_choices_are_refused():
    with pytest.raises(InputError, match=r"hints\.with_plan is all, lips_and_head or none"):
        HintConfig("everything")
