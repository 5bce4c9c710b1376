"""dlib's face recognition network for CSIM: its weights come in a Python package, so that everybody can have the column."""

import numpy as np
import torch
from torch import Tensor
from typing_extensions import override

from tbd.metrics.faces.identity import FaceEmbedder
from tbd.weights import WeightsNotFoundError, resolve_weights

_SIDE = 150
_WEIGHTS = "dlib-face-resnet"
_ADVICE = "pip install 'tbd[identity]'"


class DlibFaceEmbedder(FaceEmbedder):
    """dlib's ResNet of 2017: embeds a face in 128 numbers, on the CPU.

    It is trained on other faces and with another loss than ArcFace, and its vectors are not centred: strangers have cosines of 0.8 to 0.9
    here and near 0 there, so the two are two columns. It was trained on chips of 150; ours of 224 are scaled down, which leaves a cosine of
    0.9998 to its own chip.

    Raises:
        WeightsNotFoundError: If the packages dlib and face_recognition_models are not installed.

    Example:
        >>> DlibFaceEmbedder.crops
        'faces'
        >>> vectors = DlibFaceEmbedder().embed(faces)  # doctest: +SKIP
    """

    def __init__(self) -> None:
        super().__init__()
        weights = resolve_weights(_WEIGHTS)
        try:
            import dlib  # type: ignore[import-not-found,import-untyped,unused-ignore]  # it has no stubs, and may be absent
        except ImportError as error:
            raise WeightsNotFoundError(_WEIGHTS, f"dlib's face network needs the package dlib: {_ADVICE}.", _ADVICE) from error
        self._network = dlib.face_recognition_model_v1(str(weights))

    @override
    def embed(self, faces: Tensor) -> Tensor:
        import cv2

        chips = [
            cv2.resize(np.ascontiguousarray(face), (_SIDE, _SIDE), interpolation=cv2.INTER_LINEAR)
            for face in faces.permute(0, 2, 3, 1).cpu().numpy()
        ]
        vectors = [np.asarray(self._network.compute_face_descriptor(chip), np.float32) for chip in chips]
        return torch.from_numpy(np.stack(vectors)).to(faces.device)
