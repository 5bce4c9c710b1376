"""What a graph of a training step is given, on any machine; that it trains as the step does, `test_cuda_graph` says."""

import lightning as L
import pytest
import torch

from tbd.draw.conditioning.plan_encoder import PlanEmbeds
from tbd.draw.video.denoiser import VideoConditioning
from tbd.draw.video.training_graph import assemble, flatten
from tbd.draw.video.training_options import VideoTraining
from tbd.errors import InputError
from tests.draw.tiny_video import TinyVideoData, tiny_video_model


@pytest.mark.parametrize("past", [None, torch.tensor(5.0)])
def test_arguments_are_taken_apart_and_put_together(past):
    plan = PlanEmbeds(*(torch.tensor(float(i)) for i in range(5)))
    conditioning = VideoConditioning(plan, *(torch.tensor(10.0 + i) for i in range(5)), past=past)
    reference = {"mid.attn1": torch.tensor(20.0), "past.mid.attn1": torch.tensor(21.0)}
    given = flatten(torch.tensor(1.0), torch.tensor(2), reference, conditioning)
    assert all(torch.is_tensor(x) for x in given.values()) and len(given) == 2 + 2 + 5 + 5 + (past is not None)
    noisy, timestep, back, again = assemble(given)
    assert (noisy, timestep, back) == (torch.tensor(1.0), torch.tensor(2), reference)
    assert again == conditioning


def test_gradients_of_several_batches_are_refused():
    trainer = L.Trainer(
        max_steps=2, accelerator="cpu", logger=False, enable_progress_bar=False, enable_model_summary=False, enable_checkpointing=False,
        accumulate_grad_batches=2,
    )  # fmt: skip
    with pytest.raises(InputError, match="leave accumulate_grad_batches out"):
        trainer.fit(tiny_video_model(training=VideoTraining(cuda_graphs=True)), TinyVideoData())


def test_without_a_gpu_nothing_is_captured():
    model = tiny_video_model(training=VideoTraining(cuda_graphs=True)).train()
    assert model._training_denoiser() is model.denoiser or torch.cuda.is_available()
