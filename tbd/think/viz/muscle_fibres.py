"""Where the muscles lie, for drawing: the left half of a face seen from the front. Pure data.

The subject's left is on the viewer's right, so x runs from the midline outwards, y downwards, in drawing units: pupils
at (66, -42), corner of the mouth (54, 118), chin at 252. Courses follow the plates of Gray's *Anatomy* (1918, figs. 378
and 379), drawn for legibility: what lies deep is drawn where it would shine through.
"""

from typing import NamedTuple

Curve = tuple[int, int, int, int, int, int, int, int]
"""A cubic Bézier curve: start, two control points, end."""


class Strip(NamedTuple):
    """Fibres that run between two edges, from origin to insertion."""

    edge: Curve
    opposite: Curve
    fibres: int


_PTERYGOID = Strip((100, 44, 116, 38, 132, 36, 148, 36), (100, 58, 116, 54, 132, 52, 148, 52), 4)
_MASSETER = Strip((106, 48, 102, 90, 98, 130, 90, 180), (148, 36, 148, 84, 140, 128, 120, 164), 8)
_TEMPORALIS = Strip((132, 14, 122, -30, 112, -90, 116, -136), (142, 14, 148, -10, 152, -40, 150, -84), 8)
_MENTALIS = Strip((5, 162, 6, 180, 8, 202, 8, 226), (15, 162, 24, 178, 36, 198, 38, 218), 6)
_BUCCINATOR = Strip((132, 92, 106, 100, 82, 108, 57, 115), (132, 136, 106, 132, 82, 126, 57, 122), 6)
_STERNOMASTOID = Strip((98, 200, 84, 248, 54, 298, 14, 336), (112, 182, 106, 240, 82, 300, 36, 344), 6)
_SPLENIUS = Strip((96, 212, 95, 234, 98, 260, 110, 288), (109, 190, 107, 226, 112, 258, 130, 285), 4)
_SCALENES = Strip((72, 268, 80, 286, 88, 304, 92, 326), (94, 240, 100, 266, 112, 292, 126, 316), 4)
_DEEP_NECK = Strip((8, 264, 8, 284, 10, 304, 10, 326), (24, 262, 22, 284, 22, 304, 22, 326), 3)
_LID_RING = (
    Strip((38, -34, 50, -20, 82, -20, 96, -38), (34, -30, 48, -10, 88, -10, 103, -38), 4),
    Strip((38, -50, 52, -66, 80, -66, 96, -46), (34, -54, 50, -76, 86, -74, 103, -46), 4),
)

FIBRES: dict[str, tuple[Strip, ...]] = {
    "frontalis (pars medialis)": (Strip((9, -186, 9, -156, 11, -128, 15, -96), (56, -190, 56, -160, 56, -134, 58, -108), 9),),
    "frontalis (pars lateralis)": (Strip((64, -188, 64, -160, 64, -134, 66, -108), (122, -158, 122, -140, 121, -120, 118, -98), 9),),
    "corrugator supercilii": (Strip((9, -74, 26, -84, 46, -92, 72, -98), (11, -62, 30, -72, 50, -82, 76, -90), 5),),
    "depressor supercilii": (Strip((14, -58, 16, -68, 20, -78, 24, -88), (22, -56, 24, -66, 28, -74, 34, -84), 3),),
    "procerus": (Strip((2, -44, 2, -64, 2, -84, 2, -104), (8, -44, 9, -64, 10, -84, 13, -104), 3),),
    "levator palpebrae superioris": (Strip((60, -78, 56, -72, 50, -64, 44, -55), (74, -78, 78, -72, 86, -64, 92, -53), 7),),
    "superior tarsal muscle": (Strip((48, -60, 47, -57, 46, -54, 45, -52), (86, -60, 88, -57, 89, -54, 91, -51), 7),),
    "orbicularis oculi (pars orbitalis)": (
        Strip((30, -22, 46, 8, 96, 8, 108, -42), (22, -8, 44, 38, 124, 34, 132, -50), 7),
        Strip((108, -42, 108, -56, 106, -64, 100, -74), (132, -50, 132, -64, 128, -80, 118, -92), 7),
    ),
    "orbicularis oculi (pars palpebralis)": _LID_RING,
    "levator labii superioris alaeque nasi": (Strip((12, -46, 16, -8, 24, 22, 29, 44), (20, -42, 24, -8, 36, 30, 42, 92), 5),),
    "levator labii superioris": (Strip((44, 2, 40, 36, 30, 68, 22, 97), (78, 8, 68, 42, 54, 74, 45, 104), 7),),
    "zygomaticus minor": (Strip((88, 18, 76, 46, 60, 76, 42, 98), (102, 24, 88, 54, 70, 82, 48, 104), 4),),
    "zygomaticus major": (Strip((114, 24, 100, 56, 80, 90, 53, 111), (132, 34, 116, 70, 90, 104, 57, 119), 6),),
    "levator anguli oris": (Strip((52, 34, 50, 60, 48, 86, 49, 110), (76, 36, 72, 62, 64, 90, 58, 114), 6),),
    "buccinator": (_BUCCINATOR,),
    "depressor anguli oris": (Strip((54, 122, 52, 146, 50, 172, 54, 204), (61, 120, 70, 140, 88, 164, 102, 182), 8),),
    "depressor labii inferioris": (Strip((8, 142, 10, 160, 18, 182, 30, 206), (40, 136, 44, 156, 50, 178, 60, 198), 7),),
    "mentalis": (_MENTALIS,),
    "incisivii labii superioris": (Strip((10, 82, 26, 82, 44, 92, 58, 110), (10, 94, 26, 93, 42, 100, 54, 114), 4),),
    "incisivii labii inferioris": (Strip((10, 156, 26, 156, 44, 146, 58, 126), (10, 144, 26, 144, 42, 136, 54, 122), 4),),
    "genioglossus": (Strip((3, 214, 3, 186, 3, 160, 3, 128), (6, 214, 12, 186, 24, 156, 34, 130), 5),),
    "risorius": (Strip((138, 112, 112, 118, 86, 119, 59, 116), (140, 136, 112, 138, 86, 130, 59, 122), 5),),
    "platysma": (Strip((62, 238, 62, 266, 66, 296, 74, 326), (106, 204, 106, 242, 116, 286, 146, 316), 8),),
    "orbicularis oris": (
        Strip((0, 86, 34, 78, 60, 96, 72, 118), (0, 98, 26, 92, 48, 104, 60, 118), 4),
        Strip((0, 158, 34, 160, 62, 142, 72, 118), (0, 146, 28, 148, 50, 136, 60, 118), 4),
    ),
    "masseter": (_MASSETER,),
    "temporalis": (_TEMPORALIS,),
    "medial pterygoid": (Strip((96, 84, 94, 110, 92, 136, 92, 168), (108, 80, 108, 108, 106, 136, 104, 166), 4),),
    "lateral pterygoid": (_PTERYGOID,),
    "digastric": (Strip((10, 236, 34, 244, 68, 236, 104, 202), (10, 248, 38, 258, 76, 248, 112, 208), 4),),
    "nasalis (pars alaris)": (Strip((16, 30, 22, 34, 28, 42, 31, 58), (22, 20, 32, 28, 40, 40, 42, 58), 5),),
    "sternocleidomastoid": (_STERNOMASTOID,),
    "splenius capitis": (_SPLENIUS,),
    "splenius cervicis": (_SPLENIUS,),
    "semispinalis capitis": (_SPLENIUS,),
    "semispinalis cervicis": (_SPLENIUS,),
    "longus capitis": (_DEEP_NECK,),
    "longus colli": (_DEEP_NECK,),
    "scalenes": (_SCALENES,),
    "lateral rectus": (Strip((82, -50, 92, -50, 102, -52, 114, -54), (82, -34, 92, -34, 102, -34, 114, -34), 4),),
    "medial rectus": (Strip((50, -50, 42, -50, 34, -50, 24, -52), (50, -34, 42, -34, 34, -34, 24, -34), 4),),
    "superior rectus": (Strip((58, -56, 58, -64, 58, -72, 56, -82), (74, -56, 74, -64, 74, -72, 76, -82), 4),),
    "inferior rectus": (Strip((58, -28, 58, -20, 58, -12, 56, -2), (74, -28, 74, -20, 74, -12, 76, -2), 4),),
    "inferior oblique": (Strip((40, -12, 50, -14, 64, -18, 80, -28), (46, -4, 56, -6, 72, -10, 88, -22), 3),),
    "superior oblique": (Strip((38, -72, 48, -72, 62, -68, 78, -58), (44, -80, 54, -80, 70, -76, 86, -64), 3),),
}
"""Muscle → its strips. Names are those of `ACTION_UNITS`, without "relaxed", "left" and "right"."""

FIBRES["masseter, temporalis and medial pterygoid"] = (_MASSETER, _TEMPORALIS)
FIBRES["mentalis or orbicularis oris"] = (Strip((0, 136, 20, 136, 40, 130, 52, 120), (0, 148, 24, 148, 46, 138, 58, 122), 4),)

RINGS: dict[int, tuple[Strip, ...]] = {
    23: (
        Strip((0, 96, 26, 88, 46, 102, 60, 117), (0, 107, 22, 100, 40, 108, 53, 117), 4),
        Strip((0, 147, 28, 150, 50, 136, 60, 119), (0, 136, 24, 138, 44, 130, 53, 119), 4),
    ),
    24: (
        Strip((0, 103, 22, 97, 40, 106, 53, 117), (0, 117, 20, 116, 38, 116, 53, 117), 4),
        Strip((0, 142, 26, 144, 44, 132, 53, 119), (0, 121, 20, 121, 38, 120, 53, 119), 4),
    ),
    28: (
        Strip((0, 110, 20, 106, 40, 110, 58, 117), (0, 117, 20, 116, 38, 116, 58, 117), 3),
        Strip((0, 131, 22, 131, 42, 126, 58, 119), (0, 121, 20, 121, 38, 120, 58, 119), 3),
    ),
}
"""The parts of orbicularis oris that units use, from the rim of the lips (AU23) inwards; the others use the outer ring."""

OUTLINE: tuple[tuple[str, str], ...] = (
    ("line", "M110 178 C107 214 106 250 122 276 C140 302 202 312 232 344"),
    ("ear", "M157 -30 C172 -52 190 -42 187 -10 C184 18 174 40 157 46 Z"),
    ("faint", "M164 -26 C174 -36 181 -28 179 -8 C177 6 172 18 164 24"),
    ("skin", "M0 -238 C86 -238 152 -184 160 -96 L161 -54 C160 -30 159 -12 156 16 "
             "C151 70 142 112 122 154 C104 190 74 232 42 247 C28 253 12 254 0 254"),
    ("hair", "M0 -240 C90 -240 156 -186 161 -96 L161 -54 C157 -64 152 -76 149 -88 C138 -104 134 -120 124 -140 C100 -182 52 -196 0 -196 Z"),
    ("line", "M0 -240 C90 -240 156 -186 161 -96 L161 -54 C160 -30 159 -12 156 16 "
             "C151 70 142 112 122 154 C104 190 74 232 42 247 C28 253 12 254 0 254"),
    ("eye", "M35 -37 C46 -58 80 -62 99 -42 C82 -25 54 -23 35 -37 Z"),
    ("brow", "M24 -82 C50 -99 86 -107 116 -86 C88 -98 54 -92 27 -74 C24 -75 23 -79 24 -82 Z"),
    ("line", "M31 -33 C36 -37 44 -58 68 -58 C84 -58 92 -50 102 -40"),
    ("faint", "M35 -37 C54 -23 82 -25 99 -42"),
    ("faint", "M38 -54 C52 -71 84 -73 104 -55"),
    ("faint", "M18 -56 C10 -32 13 4 18 28"),
    ("line", "M29 33 C38 36 41 49 35 57 C32 61 28 60 26 58"),
    ("line", "M0 65 C6 66 9 63 12 61 C16 58 21 59 24 62"),
    ("faint", "M6 75 C5 81 5 87 7 93"),
    ("lip", "M0 103 C8 96 14 97 20 100 C34 106 46 113 55 118 C44 134 26 144 0 144 Z"),
    ("soft", "M0 103 C8 96 14 97 20 100 C34 106 46 113 55 118 C44 134 26 144 0 144"),
    ("line", "M0 120 C20 121 38 117 57 118"),
    ("faint", "M14 163 C9 160 4 159 0 159"),
    ("faint", "M44 50 C56 66 66 84 69 104"),
)  # fmt: skip
"""(style, path) of the lines of the left half."""
PUPIL = (67, -43)
