"""What a page refuses before anything is uploaded, and devices that a browser refuses, as sentences."""

from typing import Any

from tbd.errors import InputError
from tbd.studio.limits import MAX_UPLOAD_MIB

PORTRAIT, CLIP, VOICE = "portrait", "clip", "voice"
"""Where files are given, by the ids of the page's parts."""
_NOT_OF_A_KIND = {
    PORTRAIT: "is no picture; give a photograph or a painting of a face",
    CLIP: "is no video; give one of the speaker who is dubbed",
    VOICE: "is no sound; give a recording of a voice, or a video with one",
}
_FILMED = "is a video; to dub its speaker, give it below the portrait"
_DEVICES = {PORTRAIT: ("camera", "upload a picture"), VOICE: ("microphone", "upload a recording")}
_FAILURES = {
    "NotAllowedError": "The {} was refused; allow it for this page, or {}.",
    "NotFoundError": "There is no {}; plug one in, or {}.",
    "NotReadableError": "Something else uses the {}; end that, or {}.",
}


def too_large(name: str, size: int) -> str:
    """Say that a file is too large.

    Args:
        name: Its name.
        size: Its bytes.

    Returns:
        A sentence.
    """
    return f"{name} has {size / 2**20:.0f} MiB; the studio takes files up to {MAX_UPLOAD_MIB} MiB."


def refusal(message: Any) -> tuple[str, str]:
    """Say what the page's script has found (tbd/assets/studio/guard.js).

    Args:
        message: ``{"place": "voice", "failure": "NotAllowedError"}`` of a device, or ``{"place": "portrait", "name": "a.txt",
            "size": 12, "type": "text/plain"}`` of a file.

    Returns:
        Where it stands, and the sentence.

    Raises:
        InputError: If it is no such message.

    Example:
        >>> refusal({"place": "voice", "failure": "NotAllowedError"})
        ('voice', 'The microphone was refused; allow it for this page, or upload a recording.')
    """
    place = message.get("place") if isinstance(message, dict) else None
    if place in _DEVICES and "failure" in message:
        return place, _FAILURES.get(str(message["failure"]), "The {} cannot be used; {}.").format(*_DEVICES[place])
    if place not in _NOT_OF_A_KIND or not isinstance(message.get("size"), int | float):
        raise InputError("The page sent a refusal of an unknown kind; reload it.")
    name, kind = str(message.get("name", "The file"))[:200], str(message.get("type", ""))
    if message["size"] > MAX_UPLOAD_MIB * 2**20:
        return place, too_large(name, int(message["size"]))
    return place, f"{name} {_FILMED if place == PORTRAIT and kind.startswith('video/') else _NOT_OF_A_KIND[place]}."
