"""`TalkingHeadPipeline` in Python: its steps, its one call, and the components that take the place of its own."""

import shutil
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from diffusers import DDIMScheduler

from tbd import DEFAULT_SEED
from tbd.draw.guidance.classifier_free import ClassifierFreeGuidance
from tbd.draw.motion.loading import load_motion_model
from tbd.draw.video.hints import HintConfig
from tbd.errors import InputError, TBDError
from tbd.face.motion import Motion
from tbd.face.render.renderer import MeshWarpRenderer, Renderer
from tbd.face.tracker import FaceMeshTracker
from tbd.media import read_audio, read_image
from tbd.pipeline import TalkingHeadPipeline, render_frames
from tbd.think import KnowledgePlanner, MusclePlan, ServerPlanner, SituationPlanner
from tbd.think.planner import Planner
from tbd.think.voice import VoiceReader, VoiceReading
from tbd.utils.sample_inputs import PORTRAIT, VOICE


@pytest.fixture(scope="module")
def pipeline() -> TalkingHeadPipeline:
    return TalkingHeadPipeline()


@pytest.fixture(scope="module")
def voice() -> np.ndarray:
    """Two seconds of the sample voice."""
    return read_audio(VOICE)[:32000]


def test_lips_follow_the_sample_voice(pipeline, voice):
    """The packaged model opens the mouth for sound and rests it in silence."""
    silence = np.zeros(16000, np.float32)
    jaw = pipeline.draw(MusclePlan(), np.concatenate([silence, voice, silence]))["jawOpen"]
    assert jaw[27:73].mean() > 2 * max(jaw[:20].mean(), jaw[-18:].mean()) and jaw[27:73].std() > 0.03


def test_one_call_is_think_locate_draw_and_render(pipeline, voice):
    portrait, sound = read_image(PORTRAIT), voice[:6400]
    result = pipeline(portrait, sound, "furious", seed=1, num_inference_steps=2, size=64)
    plan, face = pipeline.think("furious", sound), pipeline.locate(portrait, 64)
    motion = pipeline.draw(plan, sound, 1, num_inference_steps=2)
    assert result.plan == plan and np.array_equal(result.motion.values, motion.values)
    frames = list(result.frames)
    assert all(map(np.array_equal, frames, pipeline.render(face, motion, plan))) and len(frames) == 10
    with pytest.raises(InputError, match="a text or a plan, not both"):
        pipeline(portrait, sound, "furious", plan)


def test_the_voice_is_heard_or_not_as_asked(pipeline, voice, monkeypatch):
    shout = VoiceReading({"angry": 0.8, "neutral": 0.2}, 0.8, -0.5, 0.99)
    monkeypatch.setattr(pipeline.voice_reader, "read", lambda audio: shout)
    alone, both, heard, text = (
        pipeline.think(*given) for given in (("", voice), ("sad", voice), ("sad", voice, None, "voice"), ("sad", voice, None, "text"))
    )
    assert list(alone.emotions) == list(heard.emotions) == ["angry"] and list(both.emotions) == list(text.emotions) == ["sad"]
    assert both.intensity > text.intensity and text == pipeline.planner.plan("sad", duration=2.0)
    with pytest.raises(InputError, match="text, voice or both, not from 'smell'"):
        pipeline.think("sad", voice, emotion_from="smell")


def test_a_voice_reader_that_fails_is_named(pipeline, voice, monkeypatch):
    class Deaf(VoiceReader):
        def read(self, audio):
            return None

    monkeypatch.setattr(pipeline, "voice_reader", Deaf())
    with pytest.raises(TBDError, match=r"voice reader .*Deaf gave NoneType"):
        pipeline.think("", voice)


def test_a_planner_that_observes_is_given_what_it_observes(pipeline, voice, monkeypatch):
    class Observer(Planner):
        observes = frozenset({"voice", "portrait"})

        def plan(self, text, duration=None, **observed):
            return MusclePlan(text=text, notes=tuple(sorted(observed)))

    monkeypatch.setattr(pipeline, "planner", Observer())
    assert pipeline.think("", voice, np.zeros((8, 8, 3), np.uint8)).notes == ("portrait", "voice")
    assert pipeline.think("", voice).notes == ("voice",) and pipeline.think("", voice, emotion_from="voice").reasoning


def test_without_a_renderer_of_its_own_the_portraits_smile_gives_way_to_the_plan(pipeline, monkeypatch):
    used = []
    monkeypatch.setattr(MeshWarpRenderer, "render", lambda self, face, motion: iter([used.append((self.neutralize, self.close_lips))]))
    for plan in (None, MusclePlan(emotions={"happy": 1.0}), MusclePlan(emotions={"sad": 1.0})):
        list(pipeline.render(None, Motion.zeros(1), plan))
    assert used == [(0.0, 0.0), (0.0, 1.0), (0.85, 1.0)]


def test_a_renderer_of_its_own_is_used_as_it_is(pipeline, monkeypatch):
    class Grey(Renderer):
        def render(self, face, motion):
            return (np.full((2, 2, 3), 128, np.uint8) for _ in motion.values)

    monkeypatch.setattr(pipeline, "renderer", Grey())
    assert [frame.mean() for frame in pipeline.render(None, Motion.zeros(2), MusclePlan())] == [128, 128]


class TestSaved:
    """What `save_pretrained` wrote is the same pipeline."""

    @pytest.fixture(scope="class")
    def saved(self, pipeline, tmp_path_factory):
        folder = tmp_path_factory.mktemp("saved") / "pipeline"
        motion_model = load_motion_model()
        motion_model.guidance = ClassifierFreeGuidance(1.5)
        motion_model.noise_scheduler = DDIMScheduler.from_config(motion_model.noise_scheduler.config)
        TalkingHeadPipeline(None, motion_model, FaceMeshTracker(absolute=False), MeshWarpRenderer(shading=0.5)).save_pretrained(folder)
        return folder, motion_model

    def test_components_and_motion_come_back(self, saved, voice):
        folder, motion_model = saved
        loaded = TalkingHeadPipeline.from_pretrained(folder)
        assert isinstance(loaded.planner, SituationPlanner) and not loaded.tracker.absolute and loaded.renderer.shading == 0.5
        assert isinstance(loaded.motion_model.noise_scheduler, DDIMScheduler)
        original = TalkingHeadPipeline(motion_model=motion_model)
        plan = loaded.think("furious", voice)
        motions = [one.draw(plan, voice[:6400], num_inference_steps=3) for one in (loaded, original, TalkingHeadPipeline())]
        assert np.array_equal(motions[0].values, motions[1].values) and not np.array_equal(motions[0].values, motions[2].values)

    def test_given_components_replace_saved_ones(self, saved):
        loaded = TalkingHeadPipeline.from_pretrained(saved[0], renderer=MeshWarpRenderer(), tracker=FaceMeshTracker())
        assert loaded.renderer.shading == 1.0 and loaded.tracker.absolute

    def test_a_hub_repository_is_loaded(self, saved, tmp_path, monkeypatch):
        monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
        monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
        repository, revision = tmp_path / "models--owner--name", "0" * 40
        (repository / "refs").mkdir(parents=True)
        (repository / "refs" / "main").write_text(revision)
        shutil.copytree(saved[0], repository / "snapshots" / revision)
        assert TalkingHeadPipeline.from_pretrained("owner/name").renderer.shading == 0.5
        with pytest.raises(InputError, match="no motion model owner/other"):
            TalkingHeadPipeline.from_pretrained("owner/other")

    def test_what_cannot_be_written_down_is_refused(self, pipeline, tmp_path, monkeypatch):
        class Local(KnowledgePlanner):
            pass

        monkeypatch.setattr(pipeline, "planner", Local())
        with pytest.raises(InputError, match=r"planner cannot be described: .*define the class in a module"):
            pipeline.save_pretrained(tmp_path)
        monkeypatch.setattr(pipeline, "planner", ServerPlanner("http://localhost/v1", "model"))
        with pytest.raises(InputError, match="ServerPlanner does not keep its argument prompt"):
            pipeline.save_pretrained(tmp_path)
        monkeypatch.undo()
        monkeypatch.setattr(pipeline.motion_model, "content", None)
        with pytest.raises(InputError, match="was not loaded from a folder"):
            pipeline.save_pretrained(tmp_path)
        assert not list(tmp_path.iterdir())


def test_a_video_model_needs_plan_and_voice(pipeline, voice, monkeypatch):
    class VideoModel:
        pass

    monkeypatch.setattr(pipeline, "video_model", VideoModel())
    for missing in ({"plan": MusclePlan()}, {"audio": voice}):
        with pytest.raises(InputError, match="give both to `render`"):
            pipeline.render(None, Motion.zeros(1), **missing)


def test_the_number_of_steps_reaches_the_video_model(pipeline, voice, monkeypatch):
    """Of one call as of `render` alone."""
    asked = []

    class VideoModel:
        device, autoencoder, hints = torch.device("cpu"), SimpleNamespace(factor=8), HintConfig()
        denoiser = SimpleNamespace(headroom=None, reads_hint=True, read_portrait=lambda face: {})

        def generate(self, image, coarse, masks, audio, plan, seed, guidance, num_inference_steps, **_):
            asked.append((seed, num_inference_steps))
            yield image

    monkeypatch.setattr(pipeline, "video_model", VideoModel())
    result = pipeline(read_image(PORTRAIT), voice[:6400], "furious", seed=5, num_inference_steps=3, size=64)
    assert len(list(result.frames)) == 1
    list(pipeline.render(result.face, result.motion, result.plan, voice[:6400]))
    assert asked == [(5, 3), (DEFAULT_SEED, None)]


def test_frames_that_fail_name_the_renderer():
    class Breaks:
        def render(self, face, motion):
            yield np.zeros((2, 2, 3), np.uint8)
            raise ValueError("no more  paint")

    frames = render_frames(Breaks(), None, None)
    assert next(frames).shape == (2, 2, 3)
    with pytest.raises(TBDError, match="Breaks failed: ValueError, no more paint"):
        next(frames)
