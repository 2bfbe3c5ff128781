import numpy as np
import pytest
from PIL import Image, ImageDraw

from mrcnn.results import lettering
from mrcnn.results.lettering import font_for

PAIRS = [("Kätzchen", "Kötzchen"), ("кот", "пёс"), ("猫", "犬"), ("γάτα", "γάτο"), ("\ue000", "\ue001")]


def drawn(text):
    """The text as pixels."""
    font, written = font_for(text, 20)
    image = Image.new("L", (400, 40))
    ImageDraw.Draw(image).text((2, 2), written, 255, font)
    return np.array(image)


@pytest.mark.parametrize("pair", PAIRS)
def test_words_of_any_script_are_told_apart(pair):
    one, other = map(drawn, pair)
    assert one.any() and other.any() and (one != other).any()


def test_ascii_needs_no_font_of_the_system(monkeypatch):
    monkeypatch.setattr(lettering, "_load", None)
    assert font_for("1 cat 98 %", 20)[1] == "1 cat 98 %"


def test_letters_that_no_font_has_are_spelled(monkeypatch):
    monkeypatch.setattr(lettering, "_load", lambda name, size: None)
    assert font_for("猫 1", 20)[1] == "U+732B 1"
