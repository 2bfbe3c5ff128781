"""Fonts for what is written on pictures: names of classes may be of any script, Pillow's own font has ASCII alone."""

import functools
import importlib.util
from pathlib import Path

from PIL import ImageFont

# By name, as Pillow finds them among those of Linux, macOS and Windows; the first with all letters of a text is taken.
FONTS = (
    *("DejaVuSans.ttf", "NotoSans-Regular.ttf", "LiberationSans-Regular.ttf", "Arial Unicode.ttf", "arial.ttf"),
    *("NotoSansCJK-Regular.ttc", "DroidSansFallbackFull.ttf", "wqy-microhei.ttc", "PingFang.ttc", "msyh.ttc"),
    *("Hiragino Sans GB.ttc", "YuGothM.ttc", "malgun.ttf", "Nirmala.ttc", "Nirmala.ttf"),
)
NO_LETTER = "\U0010fffd"  # for private use: where a font has no letter, it draws the same as for this one


def font_for(text, size):
    """A font that has the letters of a text.

    Args:
        text: str.
        size: int. Height of letters in pixels.

    Returns:
        `PIL.ImageFont.FreeTypeFont`; and the text, in which letters that no font here has stand as `U+732B`: the empty
        box that fonts draw for them would be the same for all.
    """
    if text.isascii():
        return _default(size), text
    for name in FONTS:
        font = _load(name, size)
        if font and all(_has(font, letter) for letter in set(text)):
            return font, text
    font = _load(FONTS[0], size) or _default(size)
    return font, "".join(letter if _has(font, letter) else f"U+{ord(letter):04X}" for letter in text)


def _has(font, letter):
    return letter.isspace() or _drawn(font, letter) != _drawn(font, NO_LETTER)


@functools.lru_cache(maxsize=4096)
def _drawn(font, letter):
    mask = font.getmask(letter)
    return mask.size, bytes(mask)


@functools.lru_cache(maxsize=32)
def _default(size):
    return ImageFont.load_default(size)


@functools.lru_cache(maxsize=512)
def _load(name, size):
    """The font of a file, or `None` if it is not here."""
    for place in (name, *(folder / name for folder in _folders())):
        try:
            return ImageFont.truetype(str(place), size)
        except OSError:
            continue
    return None


@functools.lru_cache(maxsize=1)
def _folders():
    """Folders with fonts that packages bring along, which need not be imported for that."""
    package = importlib.util.find_spec("matplotlib")
    return [Path(package.origin).parent / "mpl-data" / "fonts" / "ttf"] if package and package.origin else []
