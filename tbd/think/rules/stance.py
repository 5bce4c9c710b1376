"""Whether what a word names is so: felt now and by the one who is meant, or demanded, imagined, asked about, claimed, past, over, nobody's.

A clause says that around the word, not in it: “they told me to be grateful”, “if I won I would be happy”, “her fear has gone”. Every
kind is a pattern of the words before or after a cue in its sentence.
"""

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Literal

from tbd.think.emotions import Emotion
from tbd.think.rules.lexicon import Found

Stance = Literal["demanded", "imagined", "asked", "claimed", "feigned", "past", "over", "nobody's"]
"""Why a cue is not so. Whoever is told to be glad, was glad until now, or is told a feigned love is a little displeased; the others say
nothing of a feeling."""

_ENDS = frozenset(".!?…;→")
_SUBJECTS = frozenset(("i", "you", "he", "she", "they", "we", "it"))
_ASKING = (
    "told|tell|tells|telling|ask|asks|asked|asking|order|orders|ordered|ordering|command|commands|commanded|urge|urges|urged|beg|begs|begged|"
    "want|wants|wanted|expect|expects|expected|expecting|need|needs|needed|require|requires|required|demand|demands|demanded|remind|"
    "reminds|reminded|pressure|pressured|instruct|instructs|instructed|advise|advises|advised"
)
_ASKED_FOR = "told|asked|ordered|supposed|expected|meant|required|obliged|instructed|advised|reminded"
_DEMANDED = (
    rf"\b(?:(?:{_ASKING}) (?:me|us)(?: not)? to"
    rf"|(?:i|we) (?:am|are|was|were|have been|got)(?: \w+)? (?:{_ASKED_FOR})(?: not)? to"
    r"|(?:i|we) (?:should|ought to)(?: not)?(?= (?:be|feel|have been)\b))(?P<rest>(?: \S+){0,7})$"
)
"""Of the first person alone: “she should look sad” directs a face."""
_WOULD = r"\b(?P<modal>would|might|may)(?P<rest>(?: \S+){0,6})$"
_IF = (
    r"(?:^|(?P<word>\S+) )(?:if|whether) (?:i|you|he|she|it|they|we|the|my|your|his|her|their|our|an?|some\w+|any\w+|there|that|this)\b"
    r"(?P<rest>[^,]*)$"
)
_OTHER_IFS = frozenset(("as", "even", "only", "what", "but"))
_HAS_IF = r"(?<!\bas )(?<!\beven )\b(?:if|unless)\b"
_QUESTION = (
    r"(?:(?:and|so|but|well|hey|oh) )?(?:(?:are|were|do|did|have|will) (?:you|they)"
    r"|(?:is|was|does|did|has|will) (?:he|she|it|they|any\w+|every\w+|some\w+))\b(?! indeed)(?!.*\bhow\b)"
)
_SAID = r"(?:claim(?:s|ed|ing)?|purport(?:s|ed|ing)?|profess(?:es|ed|ing)?)"
_CLAIMED = (
    rf"\b(?:{_SAID} (?:to(?: have been| be| feel)?|(?:that )?(?:i|he|she|they|we|it) \w+)"
    r"|(?:allegedly|supposedly|purportedly|so-called)(?: (?:i|he|she|they|we|it))?)(?P<rest>(?: \S+){0,4})$"
)
_REPORTED = r"\b(?:says?|said|saying|tells?|told|swears?|swore|insists?|insisted|assures?|assured)\b"
_DOUBTED = (
    r"\bbut (?:i|we|nobody) (?:\w+ )?(?:doubts?|(?:do|did|does|can|could|cannot|will)? ?(?:not )?(?:really )?(?:buys?|believes?|trusts?)|"
    r"(?:am|are) not (?:so |very )?(?:sure|convinced))\b|\byeah right\b"
)
_FEIGNED = r"\b(?:pretend(?:s|ed|ing)?|claim(?:s|ed|ing)?|feign(?:s|ed|ing)?) (?:to )?(?:have |be )?(?P<rest>(?:\w+ ){0,2})$"
_PAST = (
    r"\b(?:yesterday|as an? (?:child|kid|boy|girl|baby|teenager)|last (?:week|night|year|month|summer|winter)"
    r"|(?:years|long|days|weeks|months|hours?) ago"
    r"|in (?:the past|those days)|back then|formerly|when i was (?:young|little|small|an? \w+))\b"
)
_NOW = frozenset(("now", "today", "nowadays", "tonight"))
_OVER_AFTER = (
    r"(?:\S+ ){0,2}?(?:(?:did|does|do) not last|(?:has|have|had|is|was|are|were) gone|(?:is|was) over(?! the\b)|(?:has|had|have) "
    r"(?:passed|ended|left (?:me|him|her|us|them))|(?:came|comes|has come) to an end|left (?:me|him|her|us|them)|is no more)\b"
)
_OVER_BEFORE = (
    r"\b(?:(?:got|get|gets|getting) over|overcame|overcome|overcomes|conquered|conquers|lost|let go of) "
    r"(?:all )?(?:my|his|her|their|our|all)"
    r"(?: \w+)?$|\b(?:stopped|ceased|quit) (?:being|feeling|to (?:be|feel))(?: \w+)?$"
)
_NEAR = 9
_NOBODY_THERE = (
    r"nobody(?: else)?(?: (?:here|there|(?:in|of|at|on|from|among|around|inside) (?:\w+ ?){1,3}?))?"
    r"(?: (?:is|are|was|were|be|been|has|have|had|feels?|felt|seems?|seemed|looks?|looked|got|gets))*(?: (?:very|so|really|at all|too))?"
)
_TOWARDS_ME = r"(?:(?:with|at|of|about|towards?|by) )?(?:me|us)\b"
_UNPLEASANT = -0.2
_MET_WITH: dict[Emotion, dict[Emotion, float]] = {
    "angry": {"fear": 0.55, "sad": 0.45}, "contempt": {"sad": 0.6, "angry": 0.4}, "disgusted": {"sad": 0.6, "angry": 0.4},
    "sad": {"sad": 1.0},
}  # fmt: skip
"""What the one meets whom somebody else's feeling is about."""
_LESS = 0.8


def stances(tokens: Sequence[str], found: Sequence[Found]) -> dict[int, Stance]:
    """Find the cues that are not so.

    Args:
        tokens: A text's.
        found: What was found in them.

    Returns:
        The first token of each such cue, and why it is not so.

    Example:
        >>> from tbd.think.rules.matcher import scan
        >>> words = "they told me to be happy but i am sad".split()
        >>> {words[at]: why for at, why in stances(words, scan(words)).items()}
        {'happy': 'demanded'}
    """
    cues = [f for f in found if f.phrase.role == "cue"]
    past = _before_now(tokens, cues)
    found_stances = {cue.start: "past" if cue.start in past else _stance(tokens, cue) for cue in cues}
    return {at: why for at, why in found_stances.items() if why is not None}


def _stance(tokens: Sequence[str], cue: Found) -> Stance | None:
    start = next((i + 1 for i in range(cue.start - 1, -1, -1) if tokens[i] in _ENDS), 0)
    end = next((i for i in range(cue.end, len(tokens)) if tokens[i] in _ENDS), len(tokens))
    before, after, whole = (" ".join(part) for part in (tokens[start : cue.start], tokens[cue.end : end], tokens[start:end]))
    # a pattern is compiled when a text first has a word that it is about: that takes longer than a short plan
    if _has(before, "me us i we") and (match := re.search(_DEMANDED, before)) and _goes_on(match["rest"]):
        return "demanded"
    if _is_imagined(before, whole, cue):
        return "imagined"
    if _has(before, "pretend pretends pretended pretending claim claims claimed claiming feign feigns feigned feigning") and (
        tokens[cue.end : cue.end + 1] in (["me"], ["us"]) and re.search(_FEIGNED, f"{before} ")
    ):
        return "feigned"
    if _is_claimed(before, after, cue, tokens[cue.start]):
        return "claimed"
    if tokens[end : end + 1] == ["?"] and re.match(_QUESTION, whole):
        return "asked"
    if _has(after, "last gone over passed ended left end more") and re.match(_OVER_AFTER, after):
        return "over"
    if _has(before, "over overcame overcome overcomes conquered conquers lost go stopped ceased quit") and re.search(_OVER_BEFORE, before):
        return "over"
    return "nobody's" if _is_nobodys(tokens[start : cue.start]) else None


def _is_claimed(before: str, after: str, cue: Found, word: str) -> bool:
    """Whether it is but said: what shows on a face is no claim, and is believed."""
    if cue.phrase.value.kind != "feeling":
        return False
    if (match := re.search(_CLAIMED, before)) is not None:
        does_it_too = "and" in match["rest"].split() and word.endswith("s")  # "claims to be fine and cries"
        return _goes_on(match["rest"]) and not does_it_too
    return _has(after, "but right") and bool(re.search(_REPORTED, before)) and bool(re.search(_DOUBTED, after))


def _is_nobodys(before: Sequence[str]) -> bool:
    """Whether nobody feels it: “nobody laughed”, “nobody in the room was sad”."""
    if "nobody" not in before[-_NEAR:]:
        return False
    at = max(i for i, token in enumerate(before) if token == "nobody")
    return len(before) - at <= 2 or bool(re.fullmatch(_NOBODY_THERE, " ".join(before[at:])))


def _has(words: str, any_of: str) -> bool:
    return not set(any_of.split()).isdisjoint(words.split())


def _goes_on(words: str) -> bool:
    """Whether a clause goes on through some words."""
    return not (_SUBJECTS & set(words.split())) and "," not in words.split()


def _is_imagined(before: str, whole: str, cue: Found) -> bool:
    if not _has(before, "if whether would might may") or re.search(r"\b(?:as if|as though|like)\b", before):
        return False
    if (match := re.search(_IF, before)) and match["word"] not in _OTHER_IFS:
        rest = match["rest"].split()
        if not (_SUBJECTS | {"would", "will", "then"}) & set(rest):
            return True
    match = re.search(_WOULD, before)
    if match is None or not _goes_on(match["rest"]):
        return False
    if match["modal"] == "would":
        return bool(re.search(_HAS_IF, whole)) or bool(re.search(r"\b(?:it|that|this|which) would\b", before))
    is_month = bool(re.search(r"\b(?:in|last|next|of|since|until) may\b", before))
    sense = cue.phrase.value  # who "might cry any moment" is near to tears
    return sense.kind == "feeling" and not sense.muscles and not is_month


def _before_now(tokens: Sequence[str], cues: Sequence[Found]) -> set[int]:
    """The cues of what was felt in the past, where the text also says what is felt now: “yesterday I was furious, today I am calm”."""
    now = next((i for i, token in enumerate(tokens) if token in _NOW), None)
    if now is None or not any(cue.start > now for cue in cues) or not re.search(_PAST, " ".join(tokens[:now])):
        return set()
    return {cue.start for cue in cues if cue.start < now}


def towards_me(tokens: Sequence[str], found: Sequence[Found]) -> list[Found]:
    """Turn unpleasant feelings that somebody else has towards the one who speaks into what they are met with.

    Args:
        tokens: A text's.
        found: What was found in them.

    Returns:
        The same; “furious with me” is fear and sorrow, “hates me” sorrow and anger.

    Example:
        >>> from tbd.think.rules.matcher import scan
        >>> words = "my boss is furious with me".split()
        >>> [(words[f.start : f.end], f.phrase.value.mix) for f in towards_me(words, scan(words)) if f.phrase.role == "cue"]
        [(['furious', 'with', 'me'], {'fear': 0.55, 'sad': 0.45})]
    """
    return [_towards_me(tokens, f) for f in found]


def _towards_me(tokens: Sequence[str], cue: Found) -> Found:
    sense = cue.phrase.value
    if cue.phrase.role != "cue" or sense.kind != "feeling" or sense.valence > _UNPLEASANT:
        return cue
    start = next((i + 1 for i in range(cue.start - 1, -1, -1) if tokens[i] in _ENDS or tokens[i] == ","), 0)
    match = re.match(_TOWARDS_ME, " ".join(tokens[cue.end : cue.end + 2]))
    if match is None or start == cue.start or {"i", "we", "not", "never", "no"} & set(tokens[start : cue.start]):
        return cue
    met: dict[Emotion, float] = {}
    for emotion, weight in sense.mix.items():
        for other, share in _MET_WITH.get(emotion, {}).items():
            met[other] = met.get(other, 0.0) + weight * share
    if not met:
        return cue
    total = sum(met.values())
    met = {emotion: weight / total for emotion, weight in sorted(met.items(), key=lambda item: -item[1])}
    met_with = replace(sense, mix=met, strength=_LESS * sense.strength, valence=-0.6, muscles=())
    return Found(cue.phrase._replace(value=met_with), cue.start, cue.end + len(match[0].split()))
