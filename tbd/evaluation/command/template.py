"""Command lines with placeholders, filled so that no value is ever read as code."""

import shlex
from collections.abc import Mapping
from string import Formatter

from tbd.errors import InputError

PLACEHOLDERS = {
    "portrait": "the portrait (png, square)",
    "audio": "the voice (wav, 16 kHz, one channel)",
    "plan": "emotion, level, text and muscle plan (json)",
    "video": "the video to write (mp4)",
    "folder": "an empty folder, for programs that name their video themselves",
    "clip": "id of the clip",
    "emotion": "one of the eight emotions, or neutral where the clip has no label",
    "emo": "its first three letters, as EAT and MEAD's lists write them",
    "level": "its level, 1 to 3, or empty",
    "text": "the emotion in words",
    "frames": "number of frames that the video should have",
    "seconds": "its length in seconds",
    "rate": "frames a second",
    "size": "pixels of its square frames",
    "seed": "seed of this clip",
}
"""Placeholder → what stands there for a clip; all paths are absolute."""
_RESULTS = {"video", "folder"}
_VARIABLE = "tbd_{}"
"""Environment variable that carries a placeholder's value to a shell."""


class CommandTemplate:
    """A command line with placeholders in braces; ``{{`` and ``}}`` are braces.

    Without a shell the text is split into words as a shell would split it, and only then filled: a value is a part of one word, whatever
    it holds. With a shell each placeholder becomes a quoted variable, and the value travels in the environment.

    Args:
        text: The command line.
        shell: Whether a shell (`/bin/sh`) runs it, for pipes, ``&&`` and variables.

    Raises:
        InputError: If the command is empty, its quotes do not match, it names an unknown placeholder, or neither ``{video}`` nor
            ``{folder}``.

    Example:
        >>> template = CommandTemplate("run --image {portrait} --text '{text}!' {video}")
        >>> template.fill({"portrait": "a b.png", "text": "$(ls)", "video": "o"})
        ['run', '--image', 'a b.png', '--text', '$(ls)!', 'o']
    """

    def __init__(self, text: str, shell: bool = False) -> None:
        self.text, self.shell = text, shell
        try:
            self.words = shlex.split(text)
        except ValueError as error:
            raise InputError(f"The command {text!r} cannot be split into words: {str(error).lower()}; close its quotes.") from error
        if not self.words:
            raise InputError("The command is empty; give the program and its options, such as 'python run.py {portrait} {audio} {video}'.")
        used = {name for word in self.words for name in _fields(word)} | set(_fields(text))
        if not used & _RESULTS:
            raise InputError("The command says nowhere where to write: put {video} where the video's path belongs, or {folder}.")

    @property
    def program(self) -> str | None:
        """The program itself, where that can be said before a clip is known."""
        return None if self.shell or _fields(self.words[0]) else self.words[0]

    def fill(self, values: Mapping[str, str]) -> list[str]:
        """Fill the placeholders of one clip.

        Args:
            values: Placeholder → value.

        Returns:
            Program and arguments.
        """
        if not self.shell:
            return [word.format_map(values) for word in self.words]
        return ["/bin/sh", "-c", self.text.format_map({name: f'"${_VARIABLE.format(name)}"' for name in PLACEHOLDERS})]

    def environment(self, values: Mapping[str, str]) -> dict[str, str]:
        """Return the variables that carry the values to a shell; none without one."""
        return {_VARIABLE.format(name): value for name, value in values.items()} if self.shell else {}


def _fields(text: str) -> list[str]:
    """The placeholders of a text, each of which is known."""
    try:
        parts = list(Formatter().parse(text))
    except ValueError as error:
        raise InputError(f"The braces of {text!r} do not match; write {{{{ and }}}} for braces that are no placeholder.") from error
    names = []
    for _, name, form, conversion in parts:
        if name is None:
            continue
        if name not in PLACEHOLDERS or form or conversion:
            raise InputError(
                f"There is no placeholder {{{name}}}; there are {', '.join(f'{{{known}}}' for known in PLACEHOLDERS)}. "
                "Write {{ and }} for braces that are none."
            )
        names.append(name)
    return names
