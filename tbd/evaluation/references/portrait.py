"""References without true frames: portraits that speak recordings."""

from collections.abc import Sequence
from functools import cached_property
from importlib.resources import files
from pathlib import Path

import numpy as np
from typing_extensions import override

from tbd.errors import InputError
from tbd.evaluation.references.base import Reference, ReferenceClip
from tbd.evaluation.references.frames import locate_face
from tbd.face.geometry import FaceGeometry
from tbd.media.rates import FPS, SAMPLE_RATE
from tbd.think.emotions import MEAD_EMOTIONS
from tbd.utils.checksum import checksum_of_files


class PortraitReference(Reference):
    """Zero-shot clips: every portrait of a folder speaks every recording with each of MEAD's eight emotions. There are no true frames.

    Args:
        root: A folder with ``portraits/`` (pictures) and ``speech/`` (recordings); None for the packaged one.
    """

    def __init__(self, root: str | None = None) -> None:
        self.root = Path(root) if root is not None else Path(str(files("tbd") / "assets" / "portraits_test"))

    @override
    def clips(self) -> Sequence[ReferenceClip]:
        pairs = [(picture, speech) for picture in self._listed("portraits") for speech in self._listed("speech")]
        clips = [PortraitClip(picture, speech, emotion) for picture, speech in pairs for emotion in MEAD_EMOTIONS]
        return sorted(clips, key=lambda clip: clip.id)

    @override
    def content(self) -> str:
        return checksum_of_files([*self._listed("portraits"), *self._listed("speech")], self.root)

    def _listed(self, kind: str) -> list[Path]:
        folder = self.root / kind
        found = sorted(p for p in folder.iterdir() if p.is_file() and not p.name.startswith(".")) if folder.is_dir() else []
        if not found:
            raise InputError(f"There is nothing in {folder}; --reference is a folder with portraits/ (pictures) and speech/ (recordings).")
        return found


class PortraitClip(ReferenceClip):
    """One portrait, one recording, one emotion.

    Args:
        picture: Picture of the portrait.
        speech: The recording.
        emotion: One of `EMOTIONS`.
    """

    def __init__(self, picture: Path, speech: Path, emotion: str) -> None:
        super().__init__(f"{picture.stem}_{speech.stem}_{emotion}", emotion)
        self.picture, self.speech = picture, speech

    @cached_property
    def _audio(self) -> np.ndarray:
        from tbd.media import read_audio

        return read_audio(self.speech)

    @override
    def audio(self) -> np.ndarray:
        return self._audio

    @override
    def frames(self) -> int:
        return -(-len(self._audio) * FPS // SAMPLE_RATE)

    @override
    def face(self, size: int) -> FaceGeometry:
        from tbd.face.portrait import crop_portrait
        from tbd.media import read_image

        return crop_portrait(locate_face(str(self.picture), lambda: read_image(self.picture)), size)
