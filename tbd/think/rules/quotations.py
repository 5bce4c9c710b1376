"""What somebody says, and how it is said: “‘I'm fine’, he sobbed” is a sob."""

import re

_QUOTED = r"\"[^\"]{2,}\"|“[^”]{2,}”|«[^»]{2,}»|„[^“”]{2,}[“”]|(?<!\w)['‘](?=[^'’]* )[^\n]{2,}?[,.!?…]['’](?!\w)"
_MARKS = "\"“«„'‘"
_SAYING = (
    r"\b(?:sa(?:y|ys|id|ying)|whisper|hiss|mutter|murmur|mumbl|shout|yell|scream|shriek|snap|snarl|growl|sob|cr(?:y|ies|ied)|laugh|groan|"
    r"moan|sneer|scoff|sp(?:at|it)|sigh|repl(?:y|ies|ied)|answer|ask|add|tell|told|insist|announc|exclaim|stammer|stutter|bark|gasp|plead|roar|"
    r"whimper|wail|giggl|chuckl|grunt|purr|beam)"
)


def without_quotations(text: str) -> str | None:
    """Leave out what is said where a text tells how it is said.

    Args:
        text: As the user wrote it.

    Returns:
        The text without its quotations; None where it has none, or no verb of saying beside them.

    Example:
        >>> without_quotations('"I am so happy for you", she hissed.'), without_quotations('look "happy"')
        (' , , she hissed.', None)
    """
    if not any(sign in text for sign in _MARKS):
        return None
    rest = re.sub(_QUOTED, " , ", text)
    return rest if rest != text and re.search(_SAYING, rest.lower()) else None
