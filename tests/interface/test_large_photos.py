"""Photos that are worked on at their own size in processes of their own."""

import pytest
from PIL import Image
from skimage import data

from interface.dataset_folder import encode_photo, photo_bytes
from interface.downloads import THUMBNAIL, Result, write_files
from interface.large_photos import at_own_size
from interface.safety import budget
from interface.settings import Settings
from mrcnn.images import read_image


@pytest.fixture
def photo(tmp_path):
    path = tmp_path / "chelsea.webp"
    Image.fromarray(data.chelsea()).save(path, lossless=True)
    return path


@pytest.fixture
def all_large(monkeypatch):
    monkeypatch.setattr(budget, "LARGE_PIXELS", 0)


def written(folder, photo, analysis, **options):
    folder.mkdir()
    result = Result(str(photo), photo.name, analysis.detections, Settings(confidence=0.2), 12.3)
    return {file.name: file.read_bytes() for file in write_files(folder, result, **options)}


def test_the_files_of_a_large_photo_are_those_of_a_small_one(tmp_path, photo, analysis, monkeypatch):
    here = written(tmp_path / "here", photo, analysis, thumbnails=True)
    monkeypatch.setattr(budget, "LARGE_PIXELS", 0)
    apart = written(tmp_path / "apart", photo, analysis, thumbnails=True)
    assert apart == here and list(apart) == list(here)
    assert sum(name.startswith(THUMBNAIL) for name in here) == 2
    assert list(written(tmp_path / "some", photo, analysis, names=["objects.csv"])) == ["objects.csv"]


@pytest.mark.slow
def test_the_dearest_look_of_the_largest_photo_is_within_the_budget(tmp_path, analysis):
    path = tmp_path / "huge.jpg"
    Image.fromarray(data.chelsea()).resize((8640, 5760)).save(path)
    look = Settings(confidence=0.2, background="white rim", shown=("boxes", "labels"))
    result = Result(str(path), path.name, analysis.detections.resized((5760, 8640)), look, 12.3)
    (file,) = write_files(tmp_path, result, ["overlay.png"])
    with Image.open(file) as image:
        assert image.size == (8640, 5760) and image.mode == "RGBA"


def test_what_the_task_refuses_is_said(tmp_path, photo, analysis, all_large):
    with pytest.raises(ValueError, match=r"^There is no secret for what is shown now\.$"):
        written(tmp_path / "some", photo, analysis, names=["secret"])


def test_a_photo_becomes_a_file_that_browsers_know(photo, all_large):
    (content,) = at_own_size(encode_photo, photo, (300, 451), "photo.jpg")
    assert content == photo_bytes(read_image(photo), "photo.jpg")


@pytest.mark.parametrize(("limit", "value"), [("LARGE_SECONDS", 0), ("LARGE_MEMORY", 0)])
def test_what_takes_too_much_is_refused_in_a_sentence(tmp_path, all_large, monkeypatch, limit, value):
    path = tmp_path / "large.png"
    Image.new("RGB", (6000, 6000)).save(path)
    monkeypatch.setattr(budget, limit, value)
    sentences = (
        r"^large.png takes too long or too much memory at 6000 x 6000 pixels: please make it smaller\.$",
        r"^large.png needs more memory than there is\.$",
    )
    with pytest.raises(ValueError, match="|".join(sentences)):
        list(at_own_size(encode_photo, path, (6000, 6000), "photo.png"))


def test_a_photo_that_is_gone_is_not_named_by_its_path(tmp_path, all_large):
    with pytest.raises(ValueError, match=r"^The photo is no longer kept here: please choose it again\.$"):
        list(at_own_size(encode_photo, tmp_path / "gone.png", (300, 451), "photo.png"))
