"""Locate the packets of elementary audio streams (mp3, ADTS, AC-3), and count those that are missing between them.

FFmpeg counts such packets but not those that it cannot find, so that all audio after a gap would come early.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

_V1_L3 = (32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320)
_V1_L2 = (32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384)
_V2 = (8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160)
"""MPEG audio's kbit/s by version and layer, from index 1 (ISO 11172-3, 13818-3)."""
_AC3 = (32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384, 448, 512, 576, 640)
"""AC-3's kbit/s (ATSC A/52, table 5.18)."""
_TAGS = (b"ID3", b"TAG", b"APETAGEX", b"LYRICSBEGIN")
"""First bytes of tags, which lie between packets where files were joined: nothing is lost there."""
_MIN_CHAIN = 3
"""Packets that must follow one another before the first counts as one; its two sync bytes alone often occur by accident."""
_DECODER_DELAY = 529
"""Samples of delay of an mp3 decoder, which FFmpeg and LAME's tag leave to the reader."""
_MAX_LOSS = 10.0
"""Seconds; a longer gap is other data, not lost audio."""


@dataclass(frozen=True)
class FrameHeader:
    """Header of a packet.

    Args:
        size: Bytes of the packet, its header included.
        samples: Samples per channel.
        rate: Samples per second.
    """

    size: int
    samples: int
    rate: int

    @property
    def seconds(self) -> float:
        """Length in seconds."""
        return self.samples / self.rate


Parser = Callable[[bytes, int], FrameHeader | None]
"""Content and offset → header of the packet that starts there, or None."""


@dataclass(frozen=True)
class Packets:
    """The packets of a file.

    Args:
        headers: Offset, header, and number of bytes before it that belong to no packet.
        delay: Seconds at the start that encoder and decoder add to the recording.
        declared: Seconds that the file declares; 0 where it does not.
        count: Number of packets that the file declares; 0 where it does not.
        truncated: Whether the last packet lacks its end.
        data: Content of the file.
    """

    headers: list[tuple[int, FrameHeader, int]]
    delay: float
    declared: float
    count: int
    truncated: bool
    data: bytes

    @property
    def lossy(self) -> bool:
        """Whether packets are missing between others."""
        return any(lost for *_, lost in self.headers)

    def with_gaps(self) -> Iterator[tuple[bytes, float, int | None]]:
        """Iterate over packets and the gaps between them.

        The number of missing packets is estimated from the bytes of the gap, and from the file's own count where it has one.

        Yields:
            The packet, its length in seconds, and the number of packets missing before it, None where there is no gap.
        """
        share = self._missing_per_byte()
        for start, frame, lost in self.headers:
            count = round(lost * share)
            missing = (count if count * frame.seconds < _MAX_LOSS else 0) if lost else None
            yield self.data[start : start + frame.size], frame.seconds, missing

    def _missing_per_byte(self) -> float:
        lost = sum(lost for *_, lost in self.headers)
        if self.count > len(self.headers) and lost and not self.truncated:
            return (self.count - len(self.headers)) / lost
        return len(self.headers) / max(sum(frame.size for _, frame, _ in self.headers), 1)


def find_packets(path: Path, format_name: str) -> Packets | None:
    """Find the packets of a file.

    Args:
        path: The file.
        format_name: FFmpeg's name of its format.

    Returns:
        The packets, or None where the format has time stamps or no packet is found.
    """
    parse = _PARSERS.get(format_name)
    data = path.read_bytes() if parse else b""
    found = list(_find_headers(data, parse)) if parse else []
    if not found:
        return None
    end = found[-1][0] + found[-1][1].size
    delay, promised, count, first = _gapless(data, found) if format_name == "mp3" else (0.0, 0.0, 0, 0)
    whole = [spot for spot in found[first:] if spot[0] + spot[1].size <= len(data)]
    return Packets(whole, delay, promised, count, end > len(data), data) if whole else None


def _find_headers(data: bytes, parse: Parser) -> Iterator[tuple[int, FrameHeader, int]]:
    at = _after_tag(data)
    while at < len(data):
        start: int | None = at
        header = parse(data, at)
        if header is None:
            start = _next_packet(data, at, parse)
            header = None if start is None else parse(data, start)
        if start is None or header is None:
            return
        junk = data[at:start]
        yield start, header, 0 if any(tag in junk for tag in _TAGS) else len(junk)
        at = start + header.size


def _after_tag(data: bytes) -> int:
    """Offset of the end of an ID3v2 tag, which is of any length."""
    if data[:3] != b"ID3" or len(data) < 10:
        return 0
    return 10 + sum((byte & 0x7F) << shift for byte, shift in zip(data[6:10], (21, 14, 7, 0)))


def _next_packet(data: bytes, at: int, parse: Parser) -> int | None:
    """The first offset from `at` on at which several packets follow one another, or a last one ends the file."""
    sync = b"\x0b\x77" if parse is _ac3 else b"\xff"
    while (at := data.find(sync, at)) >= 0:
        end = at
        for _ in range(_MIN_CHAIN):
            header = parse(data, end)
            if header is None:
                break
            end += header.size
            if end == len(data):
                return at
        else:
            return at
        at += 1
    return None


def _mpeg(data: bytes, at: int) -> FrameHeader | None:
    """MPEG audio, layers 2 and 3."""
    if len(data) < at + 4 or data[at] != 0xFF or data[at + 1] & 0xE0 != 0xE0:
        return None
    version, layer = data[at + 1] >> 3 & 3, 4 - (data[at + 1] >> 1 & 3)
    index, speed, padding = data[at + 2] >> 4, data[at + 2] >> 2 & 3, data[at + 2] >> 1 & 1
    if version == 1 or layer not in (2, 3) or index in (0, 15) or speed == 3:
        return None
    first = version == 3
    rate = (44_100, 48_000, 32_000)[speed] // {3: 1, 2: 2, 0: 4}[version]
    kilobits = ((_V1_L2 if layer == 2 else _V1_L3) if first else _V2)[index - 1]
    samples = 1152 if layer == 2 or first else 576
    return FrameHeader(samples // 8 * kilobits * 1000 // rate + padding, samples, rate)


_ADTS_RATES = (96_000, 88_200, 64_000, 48_000, 44_100, 32_000, 24_000, 22_050, 16_000, 12_000, 11_025, 8_000, 7_350)


def _adts(data: bytes, at: int) -> FrameHeader | None:
    """AAC in ADTS."""
    if len(data) < at + 7 or data[at] != 0xFF or data[at + 1] & 0xF6 != 0xF0:
        return None
    speed = data[at + 2] >> 2 & 15
    size = (data[at + 3] & 3) << 11 | data[at + 4] << 3 | data[at + 5] >> 5
    if speed >= len(_ADTS_RATES) or size < 8:
        return None
    return FrameHeader(size, 1024 * ((data[at + 6] & 3) + 1), _ADTS_RATES[speed])


def _ac3(data: bytes, at: int) -> FrameHeader | None:
    """AC-3 and E-AC-3 (independent substreams)."""
    if len(data) < at + 6 or data[at : at + 2] != b"\x0b\x77":
        return None
    speed, code = data[at + 4] >> 6, data[at + 4] & 63
    if data[at + 5] >> 3 > 10:
        size, blocks = 2 * ((data[at + 2] & 7) << 8 | data[at + 3]) + 2, (1, 2, 3, 6)[code >> 4 & 3]
        return None if speed == 3 else FrameHeader(size, 256 * blocks, (48_000, 44_100, 32_000)[speed])
    if speed == 3 or code > 37:
        return None
    rate, kilobits = (48_000, 44_100, 32_000)[speed], _AC3[code // 2]
    words = kilobits * 96_000 // rate + (code & 1 if speed == 1 else 0)
    return FrameHeader(2 * words, 1536, rate)


_PARSERS = {"mp3": _mpeg, "aac": _adts, "ac3": _ac3, "eac3": _ac3}


def _gapless(data: bytes, found: list[tuple[int, FrameHeader, int]]) -> tuple[float, float, int, int]:
    """Delay and length in seconds, packets, and how many leading packets hold no sound, by Xing's and LAME's tag."""
    start, frame, _ = found[0]
    head = data[start : start + frame.size]
    tag = next((at for at in map(partial(head.find), (b"Xing", b"Info")) if 0 < at < 64), None)
    if tag is None or not head[tag + 7] & 1:
        return 0.0, 0.0, 0, 0 if tag is None else 1
    count = int.from_bytes(head[tag + 8 : tag + 12], "big")
    fields = head[tag + 7]
    lame = tag + 8 + 4 * bool(fields & 1) + 4 * bool(fields & 2) + 100 * bool(fields & 4) + 4 * bool(fields & 8) + 21
    both = int.from_bytes(head[lame : lame + 3], "big")
    before, after = both >> 12, both & 0xFFF
    skipped = before + _DECODER_DELAY if both else 0
    return skipped / frame.rate, (count * frame.samples - before - after) / frame.rate, count, 1
