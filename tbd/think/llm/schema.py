"""`Draft`: the plan as a language model writes it, small and bounded; and its way to a `MusclePlan`.

Its JSON schema is for constrained decoding: every list and every string has a greatest length and every number is one of
a few, so that the worst of models comes to an end. Reading is more generous than the schema, since a server may not
enforce it: any number in range and any length is taken, and what no face can do is mended and noted.
"""

from itertools import pairwise
from typing import TYPE_CHECKING, Annotated, Any, Literal, TypeAlias

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, WithJsonSchema

from tbd.errors import TBDError
from tbd.think.action_units import ACTION_UNITS, REGIONS, Side
from tbd.think.emotions import Emotion
from tbd.think.plan import MuscleAction, MusclePlan, Segment, Step, explain

LONGEST = 3200
"""Bytes that no draft within the schema exceeds, and so tokens too."""

_LEVELS = [i / 10 for i in range(11)]
_SECONDS = [i / 4 for i in range(40)] + list(range(10, 61))
"""Quarters of a second at first, then whole seconds up to a minute."""


def _words(limit: int) -> Any:
    """A string that decoding ends after `limit` characters: ASCII, which needs no escapes and a byte for each character."""
    schema = {"type": "string", "pattern": rf"^[A-Za-z0-9][ !#-\[\]-~]{{0,{limit - 1}}}$"}

    def tidy(text: str) -> str:
        return "".join(filter(str.isprintable, " ".join(text.split())))[: 4 * limit]

    return Annotated[str, AfterValidator(tidy), WithJsonSchema(schema)]


if TYPE_CHECKING:
    _Unit: TypeAlias = int
    _Words80: TypeAlias = str
    _Words120: TypeAlias = str
    _Words160: TypeAlias = str
else:
    _Unit = Literal[tuple(ACTION_UNITS)]
    _Words80, _Words120, _Words160 = map(_words, (80, 120, 160))
_Level = Annotated[float, Field(ge=0, le=1), WithJsonSchema({"enum": _LEVELS})]
_Pull = Annotated[float, Field(ge=0, le=1), WithJsonSchema({"enum": _LEVELS[1:]})]
_Weight = Annotated[float, Field(gt=0), WithJsonSchema({"enum": _LEVELS[1:]})]
_Time = Annotated[float, Field(ge=0), WithJsonSchema({"enum": _SECONDS})]
_TimeOrNone = Annotated[Annotated[float, Field(ge=0)] | None, WithJsonSchema({"enum": [None, *_SECONDS]})]


class AnswerError(TBDError):
    """What a model wrote cannot be used; another try may do better. Its message completes a sentence."""


class _Part(BaseModel):
    # what a server's model adds is left out; what it leaves out has a default; the schema allows neither
    model_config = ConfigDict(
        extra="ignore",
        frozen=True,
        allow_inf_nan=False,
        json_schema_extra={"additionalProperties": False},
        json_schema_serialization_defaults_required=True,
    )


class _Feeling(_Part):
    emotion: Emotion
    weight: _Weight


class _Action(_Part):
    unit: _Unit
    side: Side = "both"
    intensity: _Pull
    onset: _TimeOrNone = None
    offset: _TimeOrNone = None


class _Segment(_Part):
    """A feeling that lasts until the next one starts."""

    start: _Time
    emotions: tuple[_Feeling, ...] = Field(min_length=1, max_length=3)
    intensity: _Level
    description: _Words80 = ""


class _Regions(_Part):
    upper: _Words120 = ""
    eyes: _Words120 = ""
    middle: _Words120 = ""
    lower: _Words120 = ""
    head: _Words120 = ""


class Draft(_Part):
    """What a language model is asked for.

    Example:
        >>> draft = Draft.read('{"emotions": [{"emotion": "happy", "weight": 1}], "intensity": 0.5, '
        ...                    '"actions": [{"unit": 17, "side": "left", "intensity": 0.3}], "description": "a smile"}')
        >>> plan = draft.plan("a smile")
        >>> plan.actions[0].side, plan.notes
        ('both', ('AU17 (Chin Raiser) does not act on the left alone; its side is now both.',))
    """

    emotions: tuple[_Feeling, ...] = Field(min_length=1, max_length=3)
    intensity: _Level
    actions: tuple[_Action, ...] = Field(max_length=12)
    segments: tuple[_Segment, ...] = Field(default=(), max_length=4)
    description: _Words160
    regions: _Regions = _Regions()

    @classmethod
    def json_schema(cls) -> dict[str, Any]:
        """The JSON schema that decoding is constrained by."""
        return cls.model_json_schema(mode="serialization")

    @classmethod
    def read(cls, text: str) -> "Draft":
        """Find the JSON object in what a model wrote, perhaps between other words.

        Args:
            text: The model's answer.

        Returns:
            The draft.

        Raises:
            AnswerError: If there is no such object; the message says what is wrong with it.
        """
        start, end = text.find("{"), text.rfind("}")
        if start < 0:
            raise AnswerError("its answer holds no JSON")
        try:
            return cls.model_validate_json(text[start : end + 1])
        except ValidationError as error:
            raise AnswerError(f"in its answer, {explain(error).rstrip('.')}") from error

    def plan(self, text: str, reasoning: tuple[Step, ...] = (), notes: tuple[str, ...] = ()) -> MusclePlan:
        """The plan that this draft means. What no face can do is mended, and a note says so.

        Args:
            text: The sentence it was thought from.
            reasoning: The chain of thought that led to it.
            notes: What else the user should know.

        Returns:
            A valid plan.
        """
        mended: list[str] = []
        actions = [_action(action, mended) for action in self.actions]
        segments = _timeline(self.segments)
        if not actions and {f.emotion for f in self.emotions} == {"neutral"}:
            mended.append("The model found no feeling and no movement in the text, so the face stays neutral.")
        return MusclePlan(
            text=text,
            reasoning=reasoning,
            emotions=_mix(self.emotions),
            intensity=self.intensity,
            actions=tuple(dict.fromkeys(actions)),
            segments=segments if len(segments) > 1 else (),
            description=self.description,
            regions={region: said for region in REGIONS if (said := getattr(self.regions, region))},
            notes=(*notes, *dict.fromkeys(mended)),
        )


def _mix(feelings: tuple[_Feeling, ...]) -> dict[Emotion, float]:
    weights: dict[Emotion, float] = {}
    for feeling in feelings:
        weights[feeling.emotion] = weights.get(feeling.emotion, 0.0) + feeling.weight
    return weights


def _action(action: _Action, mended: list[str]) -> MuscleAction:
    unit = ACTION_UNITS[action.unit]
    side, onset, offset = action.side, action.onset, action.offset
    name = f"AU{unit.number} ({unit.name})"
    if side not in unit.sides:
        where = "both sides at once" if side == "both" else f"the {side} alone"
        side = unit.sides[0]
        mended.append(f"{name} does not act on {where}; its side is now {side}.")
    if onset is not None and offset is not None and offset < onset:
        onset, offset = offset, onset
        mended.append(f"{name} ended before it began; its times are now the other way round.")
    return MuscleAction(unit=unit.number, side=side, intensity=action.intensity, onset=onset, offset=offset)


def _timeline(drafts: tuple[_Segment, ...]) -> tuple[Segment, ...]:
    """Segments without gaps: each lasts until the next; stillness before a first that comes late."""
    starts = {segment.start: segment for segment in sorted(drafts, key=lambda s: s.start)}
    segments = [
        Segment(start=start, emotions=_mix(s.emotions), intensity=s.intensity, description=s.description) for start, s in starts.items()
    ]
    if segments and segments[0].start > 0:
        segments.insert(0, Segment(emotions={"neutral": 1.0}, intensity=0.0, description="a neutral face"))
    closed = [segment.model_copy(update={"end": after.start}) for segment, after in pairwise(segments)]
    return (*closed, *segments[-1:])
