"""Pictures of phones and programs: HEIC, colour profiles, wrong names, and files that are none."""

import struct
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image, ImageCms

from tbd.errors import InputError
from tbd.media import read_image
from tbd.media.image import _restore_orientation
from tbd.utils.user_warnings import TBDWarning, collect_warnings


@pytest.fixture(scope="module")
def photo() -> Image.Image:
    """(48, 64) of soft colours, bright above."""
    import skimage.data

    return Image.fromarray(skimage.data.astronaut()).resize((64, 48))


def far(path, photo) -> float:
    """Mean difference in levels."""
    return float(np.abs(read_image(path).astype(int) - np.asarray(photo)).mean())


def heic(path, image, **options) -> None:
    from pillow_heif import from_pillow

    from_pillow(image).save(path, quality=95, **options)


@pytest.mark.parametrize("name", ["a.heic", "a.HEIF", "a.jpg", "a.png", "picture"])
def test_heic_is_read_whatever_its_name(tmp_path, photo, name, monkeypatch):
    monkeypatch.setattr(Image, "ID", [kind for kind in Image.ID if kind != "HEIF"])  # imageio may have made PIL know it
    heic(tmp_path / "a.heic", photo)
    (tmp_path / "a.heic").rename(tmp_path / name)
    assert far(tmp_path / name, photo) < 4


def test_heic_that_exif_alone_turns(tmp_path, photo):
    exif = Image.Exif()
    exif[0x0112] = 6
    heic(tmp_path / "a.heic", photo.rotate(90, expand=True), exif=exif.tobytes())
    assert far(tmp_path / "a.heic", photo) < 4


@pytest.mark.parametrize(("properties", "left"), [(b"ipco irot", None), (b"ipco imir", None), (b"ipco ispe", 6)])
def test_heic_that_its_container_turns_is_turned_once(tmp_path, properties, left):
    """As phones write it: libheif has turned the picture already, and EXIF's tag says the same once more."""
    (tmp_path / "a.heic").write_bytes(b"ftypheic meta " + properties + b" mdat irot")
    exif = {}
    _restore_orientation(SimpleNamespace(info={"original_orientation": 6}, getexif=lambda: exif), tmp_path / "a.heic")
    assert exif.get(0x0112) == left


def wide_profile() -> bytes:
    """An ICC profile whose red and blue channels have changed places, which shows whether it is applied."""
    data = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    count = struct.unpack(">I", data[128:132])[0]
    entries = {bytes(data[132 + 12 * i : 136 + 12 * i]): 132 + 12 * i for i in range(count)}
    red, blue = entries[b"rXYZ"], entries[b"bXYZ"]
    data[red + 4 : red + 12], data[blue + 4 : blue + 12] = data[blue + 4 : blue + 12], data[red + 4 : red + 12]
    data[84:100] = bytes(16)  # the profile's checksum
    return bytes(data)


@pytest.mark.parametrize("name", ["a.png", "a.jpg", "a.tif", "a.webp", "a.heic", "a.avif"])
@pytest.mark.parametrize("mode", ["RGB", "RGBA", "P"])
def test_profiles_are_applied(tmp_path, photo, name, mode):
    swapped = Image.fromarray(np.asarray(photo)[..., ::-1])
    if mode != "RGB" and name != "a.png":
        pytest.skip("one format with transparency and one with a palette is enough")
    image = swapped.quantize(256) if mode == "P" else swapped.convert(mode)
    if name == "a.heic":
        heic(tmp_path / name, image, icc_profile=wide_profile())
    else:
        image.save(tmp_path / name, icc_profile=wide_profile(), quality=98)
    assert far(tmp_path / name, photo) < 8


def test_srgb_itself_changes_nothing(tmp_path, photo):
    photo.save(tmp_path / "a.png", icc_profile=ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    assert far(tmp_path / "a.png", photo) == 0


@pytest.mark.parametrize("mode", ["RGB", "L", "CMYK"])
def test_profiles_that_cannot_be_used_are_ignored_aloud(tmp_path, photo, mode):
    """Cut off, or made for another kind of picture."""
    profile = wide_profile()[:200] if mode == "RGB" else wide_profile()
    photo.convert(mode).save(tmp_path / "a.jpg", icc_profile=profile, quality=98)
    with pytest.warns(TBDWarning, match=r"profile of .*a\.jpg cannot be used"):
        image = read_image(tmp_path / "a.jpg")
    assert np.abs(image.astype(int) - np.asarray(photo.convert(mode).convert("RGB"))).mean() < 6


def test_further_pictures_and_transparency_are_told(tmp_path, photo):
    photo.save(tmp_path / "a.tif", save_all=True, append_images=[photo])
    with pytest.warns(TBDWarning, match=r"a\.tif holds 2 pictures"):
        assert far(tmp_path / "a.tif", photo) == 0
    clear = photo.copy()
    clear.putalpha(0)
    clear.save(tmp_path / "a.png")
    with pytest.warns(TBDWarning, match="transparent in 100%"):
        read_image(tmp_path / "a.png")


OTHERS = {
    "a.pdf": (b"%PDF-1.7", "is a PDF"),
    "a.svg": (b"<?xml version='1.0'?>\n<svg></svg>", "is an SVG drawing"),
    "a.eps": (b"%!PS-Adobe-3.0 EPSF-3.0\n", "is a PostScript drawing"),
    "a.nef": (b"II*\0" + bytes(60), "camera's raw file"),
    "a.jpg": (b"II*\0\x10\0\0\0CR\2\0" + bytes(60), "camera's raw file"),
    "a.jxl": (b"\xff\x0a" + bytes(60), "JPEG XL"),
    "b.jpg": (b"<!doctype html><html><svg></svg></html>", "is no picture"),
}


@pytest.mark.parametrize("name", OTHERS)
def test_what_people_take_for_pictures(tmp_path, name):
    data, says = OTHERS[name]
    (tmp_path / name).write_bytes(data)
    with pytest.raises(InputError, match=says) as caught:
        read_image(tmp_path / name)
    assert name in str(caught.value) and "\n" not in str(caught.value)


def test_a_broken_off_heic(tmp_path, photo):
    heic(tmp_path / "a.heic", photo)
    (tmp_path / "a.heic").write_bytes((tmp_path / "a.heic").read_bytes()[:-300])
    with pytest.raises(InputError, match="cannot be read to its end"):
        read_image(tmp_path / "a.heic")


@pytest.mark.parametrize("turn", [1, 6])
def test_tiff_of_16_bits_in_planes(tmp_path, photo, turn):
    import tifffile

    levels = np.asarray(photo.rotate(90, expand=True) if turn == 6 else photo).astype(np.uint16) * 257
    kind = {"photometric": "rgb", "planarconfig": "separate", "extratags": [(274, "H", 1, turn, True)]}
    tifffile.imwrite(tmp_path / "a.tif", np.ascontiguousarray(levels.transpose(2, 0, 1)), **kind)
    assert far(tmp_path / "a.tif", photo) == 0


@pytest.mark.parametrize(("top", "kind"), [(1, np.float32), (255, np.float32), (1020, np.float32), (4080, np.uint16), (65535, np.uint16)])
def test_grey_of_any_depth(tmp_path, photo, top, kind):
    """White may be 1, 255, 12 bits, 16 bits, or nobody knows, which a note says."""
    import tifffile

    grey = np.asarray(photo.convert("L")).astype(np.float64)
    grey[0, 0] = 255
    tifffile.imwrite(tmp_path / "a.tif", (grey / 255 * top).astype(kind))
    with collect_warnings() as notes:
        image = read_image(tmp_path / "a.tif")
    assert np.abs(image - grey[..., None]).max() <= 1.5 and len(notes) == (top in (1020, 4080))
