"""`SentencePlanEncoder`: a plan in sentences, for networks that were trained to read one sentence about a feeling."""

from collections.abc import Sequence

import torch
from torch import Tensor

from tbd.draw.conditioning.captions import NEUTRAL
from tbd.draw.conditioning.plan_encoder import PlanEmbeds, PlanEncoder
from tbd.draw.conditioning.plan_tensors import PlanTensors
from tbd.draw.conditioning.text_plan_encoder import TextReader
from tbd.think.action_units import REGIONS

LENGTH = 77
"""Tokens of a text, as CLIP's tokenizer pads them."""


class SentencePlanEncoder(PlanEncoder):
    """Gives a frozen text model's hidden states of whole sentences, as they are: nothing is learnt.

    The global group is each segment's sentence about the emotion; the local group holds the sentences about the muscles, region by
    region, as one text; the empty text; and, for each segment, its sentence followed by the muscles'. A network chooses among them by
    what of the plan it is given (`tbd.draw.video.hallo.words`), so that guidance may give it the emotion first and the muscles after.

    Args:
        text_model: A folder with configuration, weights and tokenizer of CLIP's text model, or a hub name.
        width: Width of its hidden states.
        cache_size: Number of texts whose features are kept.

    Raises:
        InputError: If the text model, when it is loaded, is missing or of another width.
    """

    hub_arguments = ("text_model",)
    """See `tbd.utils.hub`."""

    def __init__(self, text_model: str = "openai/clip-vit-large-patch14", width: int = 768, cache_size: int = 512) -> None:
        super().__init__()
        self.dim = width
        self.reader = TextReader(text_model, width, False, LENGTH, cache_size, padded=True)

    def forward(self, plans: PlanTensors, times: Tensor) -> PlanEmbeds:
        """Encode a batch; see `PlanEncoder.forward`.

        Args:
            plans: B plans in window time.
            times: (T,) seconds of the window's frames.

        Returns:
            S·77 global and (2 + S)·77 local tokens.
        """
        rows = [sentences(plans, i) for i in range(len(plans.segment_text))]
        distinct = list(dict.fromkeys(text for row in rows for text in row))
        features, _ = self.reader(distinct, plans.segment_text.device)  # (U, 77, D)
        places = torch.tensor([[distinct.index(text) for text in row] for row in rows], device=features.device)  # (B, 2+2S)
        s = plans.segment_text.shape[1]
        presence = plans.segment_presence(times).repeat_interleave(LENGTH, 1)  # (B, S·77, T)
        local = features[places[:, s:]].flatten(1, 2)  # (B, (2+S)·77, D)
        shown = torch.ones(*local.shape[:2], len(times), device=local.device)
        nowhere = torch.full(local.shape[:2], len(REGIONS), device=local.device)
        return PlanEmbeds(features[places[:, :s]].flatten(1, 2), presence, local, shown, nowhere)


def sentences(plans: PlanTensors, row: int) -> Sequence[str]:
    """Put a plan into sentences.

    Args:
        plans: The plans.
        row: Which of them.

    Returns:
        Each segment's sentence, the muscles' sentences as one text, the empty text, and each segment's sentence with the muscles'.
    """
    feelings = [plans.texts[i] for i in plans.segment_text[row].tolist()]
    muscles = " ".join(plans.texts[i] for i in plans.region_text[row].tolist() if i) or NEUTRAL  # 0 stands for no text
    return [*feelings, muscles, "", *(f"{feeling.rstrip('.')}. {muscles}" for feeling in feelings)]
