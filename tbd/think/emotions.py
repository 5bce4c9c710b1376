"""The table of emotions: the only place that lists them. A further emotion is a further row at its end.

The order of the rows is the order of the classes in every trained model: append, never reorder.
"""

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Literal, NamedTuple, TypeAlias

from tbd.errors import InputError
from tbd.think.emotion_spec import AffectProfile, EmotionSpec, VocalProfile, prototype

_FACS = "Ekman, Friesen & Hager 2002, FACS Investigator's Guide, table of emotion predictions"
_EMFACS = "Friesen & Ekman 1983, EMFACS-7"
_EKMAN = "Ekman & Friesen 1975/1978, Unmasking the Face; FACS"
_SQUARE = "Ekman & Friesen 1975, Unmasking the Face: anger with the mouth open and square, and nostrils that may flare; FACS"
_ROUND = "lips of MEAD's speakers (Wang et al. 2020), which a dropped jaw draws into an O"
_TAUT = "Ekman & Friesen 1975, Unmasking the Face: open lips that are tensed and drawn back, lower teeth bared; heads as MEAD's"
_REPELLED = _FACS + ": mouth open; heads as MEAD's speakers raise them (Wang et al. 2020)"
_CONTEMPT = "Ekman & Friesen 1986, A new pan-cultural facial expression of emotion; EMFACS: unilateral AU14"
_SADNESS = "Ekman 2003, Emotions Revealed: sadness with lowered gaze and head"

# What leaks are the muscles that few people can move at will, or still at will (Ekman 1985, *Telling Lies*; Ekman 2003,
# "Darwin, deception and facial expression": AU1 and 1+4 in sadness, 1+2+4 and 20 in fear, 23 in anger, 6 in enjoyment). What
# controls them: the lips press and the chin pushes up (Keltner 1995 for smiles; Ekman & Friesen 1975 for tears). What a posed
# expression lacks: a social smile has no AU6 (Ekman & Friesen 1982). Valence and arousal: Russell 1980. Voices: the review of
# Juslin & Laukka 2003, Communication of emotions in vocal expression. Aliases: MEAD's folders, the three letters of EAT's lists
# and CREMA-D's file names, the nouns of FER-2013, AffectNet and RAVDESS and of classifiers that were trained on them.
_TABLE = (
    EmotionSpec(
        name="angry", noun="anger", adjective="angry", aliases=("anger", "ang", "mad"),
        prototypes=(
            prototype(_SQUARE, {4: 1.0, 5: 0.5, 7: 0.9, 10: 0.6, 16: 0.5, 20: 0.15, 23: 0.2, 25: 0.8, 26: 0.6, 38: 0.5}),
            prototype(_FACS, {4: 1.0, 5: 0.7, 7: 0.7, 17: 0.4, 23: 1.0, 24: 0.5}),
            prototype(_EMFACS + ": restrained", {4: 0.9, 5: 0.3, 7: 0.8, 17: 0.3, 23: 0.7, 24: 0.6}),
        ),
        valence=-0.6, arousal=0.6, color="#c9493b", console_color="red", restrained=2,
        leaks={4: 0.55, 7: 0.5, 23: 0.7}, controls={24: 0.5}, posed={23: 0.3},
        affect=AffectProfile(blinks=0.5, gaze=0.6, head=1.1, nods=2.0, pitch=0.05, forward=0.06, brows=0.4, smiles=0.1, jaw=1.12),
        voice=VocalProfile(rate=1.08, pitch=2.0, melody=1.3, effort=0.9),
    ),
    EmotionSpec(
        name="contempt", noun="contempt", adjective="contemptuous", aliases=("contemptuous", "con"),
        prototypes=(
            prototype(_CONTEMPT, {14: 1.0, 12: 0.5}, "left"),
            prototype(_CONTEMPT, {14: 1.0, 12: 0.5}, "right"),
            prototype(_EMFACS + ": lip raised on one side", {10: 0.6, 14: 0.8}, "left"),
        ),
        valence=-0.3, arousal=0.1, color="#9c62ad", console_color="magenta", leaks={14: 0.6},
        affect=AffectProfile(blinks=0.8, gaze=0.8, gaze_down=0.10, head=0.9, pitch=-0.07, roll=0.05, brows=0.8, smiles=0.4, jaw=0.95),
        voice=VocalProfile(rate=0.95, pitch=-0.5, melody=0.8, effort=-0.1),
    ),
    EmotionSpec(
        name="disgusted", noun="disgust", adjective="disgusted", aliases=("disgust", "dis"),
        prototypes=(
            prototype(_REPELLED, {9: 1.0, 10: 0.85, 15: 0.25, 16: 0.5, 17: 0.25, 25: 0.5, 4: 0.25, 7: 0.4, 53: 0.25}),
            prototype(_FACS + ": without wrinkling the nose", {10: 1.0, 15: 0.4, 17: 0.7}),
            prototype(_FACS + ": mouth closed", {9: 1.0, 10: 0.6, 15: 0.4, 17: 0.5, 4: 0.4, 7: 0.4}),
        ),
        valence=-0.6, arousal=0.3, color="#66913f", console_color="green", restrained=1,
        leaks={9: 0.3, 10: 0.55}, controls={24: 0.3},
        affect=AffectProfile(gaze=0.9, head=0.9, pitch=0.02, roll=0.02, forward=-0.06, brows=0.4, smiles=0.1),
        voice=VocalProfile(rate=0.92, pitch=-1.0, melody=0.9, effort=0.1),
    ),
    EmotionSpec(
        name="fear", noun="fear", adjective="fearful", aliases=("fearful", "afraid", "scared", "fea"),
        prototypes=(
            prototype(_FACS + "; " + _TAUT, {1: 1.0, 2: 0.6, 4: 0.45, 5: 1.0, 16: 0.45, 20: 0.85, 25: 0.8, 26: 1.0, 53: 0.25}),
            prototype(_FACS + ": jaw dropped", {1: 0.9, 2: 0.6, 4: 0.5, 5: 1.0, 20: 0.7, 25: 0.6, 26: 0.6}),
            prototype(_EMFACS + ": brow and lids alone", {1: 0.9, 2: 0.6, 4: 0.5, 5: 1.0}),
        ),
        valence=-0.6, arousal=0.7, color="#5273b8", console_color="blue", restrained=2,
        leaks={1: 0.65, 2: 0.35, 4: 0.5, 5: 0.5, 20: 0.4}, controls={24: 0.3}, posed={1: 0.4, 4: 0.2},
        affect=AffectProfile(
            blinks=1.4, gaze=2.0, head=0.8, nods=0.6, pitch=-0.03, forward=-0.08, brows=0.7, squints=0.5, smiles=0.1, jaw=0.95
        ),
        voice=VocalProfile(rate=1.12, pitch=3.0, melody=1.1, effort=-0.2),
    ),
    EmotionSpec(
        name="happy", noun="happiness", adjective="happy", aliases=("happiness", "joy", "joyful", "hap"),
        prototypes=(
            prototype(_EKMAN, {6: 0.8, 12: 1.0, 25: 0.5}),
            prototype(_EMFACS + ": lips closed", {6: 0.7, 12: 0.8}),
            prototype(_EMFACS + ": laughing", {6: 1.0, 12: 1.0, 25: 0.8, 26: 0.7}),
        ),
        valence=0.8, arousal=0.4, color="#e3a92b", console_color="yellow", restrained=1, faint=1,
        leaks={6: 0.6, 12: 0.4}, controls={14: 0.4, 17: 0.35, 24: 0.6}, posed={6: 0.0, 7: 0.0},
        affect=AffectProfile(blinks=1.1, head=1.5, nods=1.2, pitch=-0.02, brows=1.3, frowns=0.3, jaw=1.08),
        voice=VocalProfile(rate=1.05, pitch=2.5, melody=1.4, effort=0.5),
    ),
    EmotionSpec(
        name="neutral", noun="calm", adjective="neutral", aliases=("calm", "none", "neu"),
        prototypes=(prototype("FACS neutral: no unit above trace", {}),),
        valence=0.0, arousal=0.0, color="#b9b1a5", console_color="white",
    ),
    EmotionSpec(
        name="sad", noun="sadness", adjective="sad", aliases=("sadness",),
        prototypes=(
            prototype(_FACS + "; " + _SADNESS, {1: 1.0, 4: 0.5, 11: 0.3, 15: 0.48, 17: 0.35, 54: 0.4, 64: 0.3}),
            prototype(_FACS, {1: 1.0, 4: 0.5, 15: 0.8}),
            prototype(_FACS + ": crying", {1: 0.9, 4: 0.7, 6: 0.6, 7: 0.4, 15: 0.9, 17: 0.8, 20: 0.3, 25: 0.5}),
        ),
        valence=-0.7, arousal=-0.2, color="#4590ab", console_color="cyan", restrained=1,
        leaks={1: 0.8, 4: 0.4, 15: 0.5}, controls={17: 0.6, 24: 0.6}, posed={1: 0.4},
        affect=AffectProfile(blinks=0.9, gaze=0.5, gaze_down=0.18, head=0.6, nods=0.5, pitch=0.07, brows=0.5, smiles=0.1, jaw=0.86),
        voice=VocalProfile(rate=0.85, pitch=-1.5, melody=0.6, effort=-0.8),
    ),
    EmotionSpec(
        name="surprised", noun="surprise", adjective="surprised", aliases=("surprise", "sur"),
        prototypes=(
            prototype(_FACS + "; " + _ROUND, {1: 1.0, 2: 1.0, 5: 1.0, 18: 0.4, 22: 0.3, 25: 0.5, 26: 1.0}),
            prototype(_FACS + ": brow and jaw", {1: 0.9, 2: 1.0, 26: 0.8}),
            prototype(_FACS + ": gaping", {1: 1.0, 2: 1.0, 5: 0.9, 27: 0.8}),
        ),
        valence=0.1, arousal=0.8, color="#d4719f", console_color="bright_magenta",
        leaks={1: 0.35, 2: 0.35, 5: 0.45}, controls={24: 0.2},
        affect=AffectProfile(
            blinks=0.6, gaze=0.8, head=0.9, pitch=-0.05, forward=-0.05, brows=1.6, frowns=0.3, squints=0.4, smiles=0.5, jaw=1.08
        ),
        voice=VocalProfile(rate=1.0, pitch=3.5, melody=1.6, effort=0.5),
    ),
    # new emotions go here
)  # fmt: skip


def _checked(table: Iterable[EmotionSpec]) -> dict[str, EmotionSpec]:
    """The rows by name; no label means two emotions, and blends name earlier rows."""
    specs: dict[str, EmotionSpec] = {}
    for spec in table:
        taken = [label for label in spec.labels for other in specs.values() if label in other.labels]
        if taken:
            raise ValueError(f"{spec.name} is labelled {taken[0]!r}, which is another emotion's label.")
        if unknown := set(spec.blend) - set(specs):
            raise ValueError(f"{spec.name} blends {', '.join(sorted(unknown))}, which is no earlier row of the table.")
        specs[spec.name] = spec
    return specs


EMOTION_SPECS: Mapping[str, EmotionSpec] = _checked(_TABLE)
"""Name → emotion, in the order of the classes of every model."""
EMOTIONS: tuple[str, ...] = tuple(EMOTION_SPECS)
"""The names. A label's index in data, metrics and models is its place here."""
MEAD_EMOTIONS: tuple[str, ...] = EMOTIONS[:8]
"""MEAD's eight, alphabetical: what that data set has, and what protocols over it ask for whatever else the table holds."""

# the names are known when the table has been read: pydantic validates them, type checkers see a str
if TYPE_CHECKING:
    import numpy as np

    Emotion: TypeAlias = str
else:
    Emotion = Literal[EMOTIONS]

_BY_LABEL = {label: spec.name for spec in EMOTION_SPECS.values() for label in spec.labels}


def find_emotion(label: str) -> Emotion | None:
    """Find the emotion that a data set's or a classifier's label means.

    Args:
        label: A name or an alias in any case. Never a number: four orders of the eight labels are in use.

    Returns:
        The emotion's name, or None where the label means none.

    Example:
        >>> find_emotion("Surprise"), find_emotion("dis"), find_emotion("front")
        ('surprised', 'disgusted', None)
    """
    return _BY_LABEL.get(label.strip().lower())


def parse_emotion(label: str) -> Emotion:
    """Find the emotion that a label means.

    Args:
        label: As for `find_emotion`.

    Returns:
        The emotion's name.

    Raises:
        InputError: If the label means no emotion of the table.

    Example:
        >>> parse_emotion("ANGRY")
        'angry'
    """
    found = find_emotion(label)
    if found is None:
        raise InputError(f"{label!r} is no emotion that is known here; {', '.join(EMOTIONS)} are.")
    return found


class Level(NamedTuple):
    """One of MEAD's three levels of intensity.

    Args:
        low: Least intensity, 0..1.
        high: Greatest intensity, 0..1.
        adverb: Word for it.
    """

    low: float
    high: float
    adverb: str

    @property
    def middle(self) -> float:
        """The intensity that stands for the level."""
        return (self.low + self.high) / 2


LEVELS: Mapping[int, Level] = {1: Level(0.25, 0.45, "slightly"), 2: Level(0.50, 0.72, "clearly"), 3: Level(0.82, 1.0, "intensely")}
"""MEAD's level → the intensities that it spans in faces: what figures and the procedural corpus mean. As a clip's label level 3 is “very”,
0.76 to 0.79, which models were trained on: `tbd.think.labels`."""


def blend_matrix(known: int) -> "np.ndarray":
    """The emotions as mixes of the first `known` of them, for models that were trained with a shorter table.

    Args:
        known: Number of emotions that the model was trained with, from the head of the table.

    Returns:
        (len(EMOTIONS), known) float32; a row for each emotion, its weights sum to 1. The first `known` rows are the identity.

    Raises:
        InputError: If the model was trained with more emotions than the table has, or an emotion that it lacks has no blend.

    Example:
        >>> bool(blend_matrix(len(EMOTIONS)).trace() == len(EMOTIONS))
        True
    """
    if known > len(EMOTIONS):
        raise InputError(f"The model knows {known} emotions, but tbd.think.emotions has {len(EMOTIONS)}; add those it was trained with.")
    import numpy as np  # a cold `tbd think` is faster without

    matrix = np.zeros((len(EMOTIONS), known), np.float32)
    matrix[:known, :known] = np.eye(known)
    for row, spec in enumerate(EMOTION_SPECS.values()):
        if row >= known and not spec.blend:
            raise InputError(f"The model was trained before {spec.name} was added, and {spec.name} has no blend that could stand for it.")
        if row >= known:
            matrix[row] = sum(weight * matrix[EMOTIONS.index(name)] for name, weight in spec.blend.items())
    return matrix
