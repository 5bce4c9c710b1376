"""What a study's page hides, and what its raters answered: the two files that `tbd study fit` reads."""

import json
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Literal, NamedTuple, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from tbd.errors import InputError
from tbd.utils.atomic import atomic_output


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid")


PartT = TypeVar("PartT", bound=_Part)


class Shown(_Part):
    """A video of a study.

    Args:
        method: Name of the method that made it.
        clip: Id of its clip.
    """

    method: str
    clip: str


class StudyKey(_Part):
    """Which video is whose. It stays with who runs the study.

    Args:
        format: Format of the file.
        study: Id of the study, which its answers carry.
        questions: The questions, in the order of the page.
        methods: Names of the methods.
        videos: File name without ending → what it shows.
    """

    format: Literal["tbd-study-1"] = "tbd-study-1"
    study: str
    questions: list[str] = Field(min_length=1)
    methods: list[str] = Field(min_length=2)
    videos: dict[str, Shown]

    def save(self, path: Path) -> None:
        """Write as JSON."""
        with atomic_output(path) as temporary:
            temporary.write_text(self.model_dump_json(indent=1) + "\n", encoding="utf-8")


class Answer(_Part):
    """One answer to one question.

    Args:
        left: Video on the left.
        right: Video on the right.
        question: Number of the question.
        choice: The video that was preferred.
        seconds: How long it took.
        repeated: Whether the rater had seen this pair before, to see whether answers hold.
    """

    left: str
    right: str
    question: int = Field(ge=0)
    choice: Literal["left", "right", "same"]
    seconds: float = 0.0
    repeated: bool = False


class Answers(_Part):
    """What one rater answered.

    Args:
        format: Format of the file.
        study: Id of the study.
        rater: Random name that the page has given.
        answers: The answers, in their order.
    """

    format: Literal["tbd-answers-1"] = "tbd-answers-1"
    study: str
    rater: str
    answers: list[Answer]


class Vote(NamedTuple):
    """One comparison of two methods.

    Args:
        rater: Who compared.
        question: Number of the question.
        first: One method.
        second: The other.
        share: 1 where the first was preferred, 0 where the second, ½ where neither.
        repeated: See `Answer`.
        clip: Id of the clip.
    """

    rater: str
    question: int
    first: str
    second: str
    share: float
    repeated: bool
    clip: str


def load_key(path: str | Path) -> StudyKey:
    """Read a study's key.

    Args:
        path: What `tbd study build` wrote beside the page's folder.

    Returns:
        The key.

    Raises:
        InputError: If the file is missing or is no key.
    """
    return _load(Path(path), StudyKey, "key of a study", "`tbd study build` writes one")


def load_votes(key: StudyKey, paths: Sequence[str | Path]) -> list[Vote]:
    """Read raters' answers.

    Args:
        key: The study's key.
        paths: Files of answers, and folders of them.

    Returns:
        All comparisons.

    Raises:
        InputError: If there are none, a file is no file of answers or of another study, two files are of one rater, or one answers a pair
            more often than it was asked.
    """
    files = [file for path in map(Path, paths) for file in (sorted(path.glob("[!.]*.json")) if path.is_dir() else [path])]
    votes: list[Vote] = []
    seen: dict[str, Path] = {}
    for file in files:
        given = _load(file, Answers, "file of answers", "the study's page gives one to each rater")
        if given.study != key.study:
            raise InputError(f"{file} is of the study {given.study}, not {key.study}; leave it out, or give its own key.")
        if given.rater in seen:
            raise InputError(f"{file} and {seen[given.rater]} are of one rater; keep the longer one.")
        seen[given.rater] = file
        asked = Counter((answer.question, frozenset((answer.left, answer.right)), answer.repeated) for answer in given.answers)
        if max(asked.values(), default=1) > 1:
            raise InputError(f"{file} answers a pair {max(asked.values())} times, which the page asks once; leave it out.")
        votes += [_vote(key, given.rater, answer, file) for answer in given.answers]
    if not votes:
        raise InputError("There are no answers; name the files that raters have sent, or their folder.")
    return votes


def _vote(key: StudyKey, rater: str, answer: Answer, file: Path) -> Vote:
    left, right = key.videos.get(answer.left), key.videos.get(answer.right)
    if left is None or right is None or answer.question >= len(key.questions) or left.method == right.method or left.clip != right.clip:
        raise InputError(f"{file} has an answer to what the study does not ask ({answer.left} against {answer.right}).")
    share = {"left": 1.0, "right": 0.0, "same": 0.5}[answer.choice]
    return Vote(rater, answer.question, left.method, right.method, share, answer.repeated, left.clip)


def _load(path: Path, kind: type[PartT], what: str, advice: str) -> PartT:
    if not path.is_file():
        raise InputError(f"There is no {what} {path}; {advice}.")
    try:
        return kind.model_validate(json.loads(path.read_text(encoding="utf-8-sig")))
    except (ValueError, ValidationError) as error:
        reason = error.errors()[0]["msg"] if isinstance(error, ValidationError) else error
        raise InputError(f"{path} is no {what} ({reason}).") from error
