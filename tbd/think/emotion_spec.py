"""`EmotionSpec`: everything that the framework knows of one emotion. The table itself is `tbd.think.emotions`."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from tbd.think.action_units import ACTION_UNITS, Pull, Side


@dataclass(frozen=True)
class Prototype:
    """A combination of action units that shows one emotion at full strength. Iterating gives (unit, side, intensity).

    Args:
        actions: Action units with their sides and their intensities, 0..1.
        source: Publication that names the combination.
    """

    actions: tuple[Pull, ...]
    source: str

    def __iter__(self) -> Iterator[Pull]:
        return iter(self.actions)


def prototype(source: str, units: Mapping[int, float], side: Side = "both") -> Prototype:
    """Build a prototype from intensities.

    Args:
        source: Publication that names the combination.
        units: Action unit number → intensity, 0..1.
        side: Side on which the units act; a unit that cannot act there acts on both.

    Returns:
        The prototype, its units in the order given.

    Example:
        >>> list(prototype("EMFACS", {14: 0.8, 17: 0.3}, "left"))
        [(14, 'left', 0.8), (17, 'both', 0.3)]
    """
    return Prototype(tuple((u, side if side in ACTION_UNITS[u].sides else "both", level) for u, level in units.items()), source)


@dataclass(frozen=True)
class AffectProfile:
    """How an emotion at full strength changes what a speaker's face does beyond its expression. The defaults are neutral's.

    Args:
        blinks: Blink rate, relative.
        gaze: Rate of gaze shifts, relative.
        gaze_down: Rest of the gaze, 0..1 of eyeLookDown; negative is up.
        head: Amplitude of head motion, relative.
        nods: Amplitude and speed of nods on accents, relative.
        pitch: Rest of the head in radians; positive looks down.
        roll: Rest of the head in radians; positive tilts to the subject's right.
        forward: Rest of the head in inter-ocular distances towards the viewer.
        brows: Amplitude of brow raises, relative.
        frowns: Amplitude of passing frowns of brows and mouth, relative.
        squints: Amplitude of passing squints, relative.
        smiles: Amplitude of passing smiles, relative.
        jaw: Opening of the mouth in speech, relative.
    """

    blinks: float = 1.0
    gaze: float = 1.0
    gaze_down: float = 0.0
    head: float = 1.0
    nods: float = 1.0
    pitch: float = 0.0
    roll: float = 0.0
    forward: float = 0.0
    brows: float = 1.0
    frowns: float = 1.0
    squints: float = 1.0
    smiles: float = 1.0
    jaw: float = 1.0


@dataclass(frozen=True)
class VocalProfile:
    """How an emotion at full strength changes a voice. The defaults are neutral's.

    Args:
        rate: Speaking rate, relative.
        pitch: Change of the mean pitch in semitones.
        melody: Range of the pitch, relative.
        effort: Change of the vocal effort, -1 soft .. 1 loud.
    """

    rate: float = 1.0
    pitch: float = 0.0
    melody: float = 1.0
    effort: float = 0.0


@dataclass(frozen=True)
class EmotionSpec:
    """One emotion: what it is called, which muscles show it, how it is drawn, spoken and mapped onto older models.

    Args:
        name: Name in plans, labels and files; one lower-case word.
        noun: Noun for sentences: "anger".
        adjective: Adjective for sentences: "angry".
        prototypes: Combinations of action units that show it, the canonical one first.
        valence: Pleasantness, -1..1 (Russell 1980).
        arousal: Excitement, -1 calm .. 1 excited (Russell 1980).
        color: Colour in charts, ``#rrggbb``.
        console_color: Colour on terminals, as `rich` names it; `color` where empty.
        aliases: Other labels that data sets and classifiers give it, in lower case.
        words: Further words of a text that name it. ``assets/think/feelings.txt`` holds the vocabulary at large.
        blend: Mix of earlier emotions of the table that stands for it in models that were trained before it was added; weights
            sum to 1. Empty for the emotions that every model knows.
        leaks: Action unit → intensity that remains visible when the emotion is suppressed.
        controls: Action unit → intensity of the muscles that suppress it.
        posed: Action unit → factor of its intensity when the emotion is posed; units that are absent keep theirs.
        restrained: Index of the prototype that shows it with restraint.
        faint: Index of the prototype that shows it at low intensity.
        affect: Changes of blinks, gaze, head and jaw.
        voice: Changes of the voice.

    Raises:
        ValueError: If the name, a prototype's index or the blend is not possible.

    Example:
        >>> from tbd.think.emotions import EMOTION_SPECS
        >>> spec = EMOTION_SPECS["contempt"]
        >>> spec.adjective, spec.is_one_sided, [unit for unit, _, _ in spec.prototypes[0]]
        ('contemptuous', True, [14, 12])
    """

    name: str
    noun: str
    adjective: str
    prototypes: tuple[Prototype, ...]
    valence: float
    arousal: float
    color: str
    console_color: str = ""
    aliases: tuple[str, ...] = ()
    words: tuple[str, ...] = ()
    blend: Mapping[str, float] = field(default_factory=dict)
    leaks: Mapping[int, float] = field(default_factory=dict)
    controls: Mapping[int, float] = field(default_factory=dict)
    posed: Mapping[int, float] = field(default_factory=dict)
    restrained: int = 0
    faint: int = 0
    affect: AffectProfile = AffectProfile()
    voice: VocalProfile = VocalProfile()

    def __post_init__(self) -> None:
        if not (self.name.isalpha() and self.name.islower()):
            raise ValueError(f"the name of an emotion is one lower-case word, which {self.name!r} is not.")
        if max(self.restrained, self.faint) >= len(self.prototypes):
            raise ValueError(f"{self.name} has {len(self.prototypes)} prototypes; restrained or faint names one beyond them.")
        if self.blend and abs(sum(self.blend.values()) - 1) > 1e-6:
            raise ValueError(f"the weights of {self.name}'s blend sum to {sum(self.blend.values()):g}, not to 1.")

    @property
    def is_one_sided(self) -> bool:
        """Whether the canonical prototype shows on one side of the face."""
        return any(side != "both" for _, side, _ in self.prototypes[0])

    def side_of(self, unit: int) -> Side:
        """The side on which the canonical prototype has an action unit; "both" where it has none."""
        return next((side for number, side, _ in self.prototypes[0] if number == unit), "both")

    @property
    def labels(self) -> tuple[str, ...]:
        """Every label that means this emotion: its name and its aliases."""
        return (self.name, *self.aliases)
