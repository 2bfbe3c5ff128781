"""What counts as a photo among uploaded files."""

import contextlib
import zipfile

import numpy as np
import pytest
from PIL import Image

from interface import batch_sources
from interface.batch_sources import photo_sources
from interface.safety import budget
from interface.safety.decoding import read_photo
from mrcnn.images import read_image


@pytest.fixture
def photo(tmp_path):
    Image.fromarray(np.full((40, 60, 3), 99, np.uint8)).save(tmp_path / "one.png")
    return tmp_path / "one.png"


def pack(path, **contents):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in contents.items():
            archive.writestr(name, content)
    return path


@pytest.fixture
def photo_sources_of():
    """`photo_sources`, whose ZIP files stay open as long as the test."""
    with contextlib.ExitStack() as opened:
        yield lambda uploads: photo_sources(uploads, opened)


def test_photos_and_what_is_in_zips(tmp_path, photo, photo_sources_of):
    content = photo.read_bytes()
    packed = pack(
        tmp_path / "a.zip", **{"in/two.png": content, "__MACOSX/in/._two.png": b"", "in/.DS_Store": b"", "in/": b""}
    )
    sources, left_out = photo_sources_of([str(photo), str(packed)])
    assert [name for name, _ in sources] == ["one.png", "two.png"] and left_out == 0
    (tmp_path / "unpacked").mkdir()
    for _, read in sources:
        assert read_image(read(tmp_path / "unpacked")).shape == (40, 60, 3)
    assert photo.exists(), "an upload is not deleted with what was unpacked"


def test_an_upload_that_has_to_be_decoded_apart_is_read(tmp_path):
    """Gradio hands over a str of its own class, which another process could read only with all of Gradio."""

    class Name(str):
        pass  # which no other process can read at all

    Image.fromarray(np.full((40, 60, 3), 99, np.uint8)).save(tmp_path / "one.webp")
    assert read_photo(Name(tmp_path / "one.webp")).shape == (40, 60, 3)


def test_no_more_than_the_limit(monkeypatch, photo, photo_sources_of):
    monkeypatch.setattr(batch_sources, "MOST_PHOTOS", 3)
    sources, left_out = photo_sources_of([str(photo)] * 5)
    assert len(sources) == 3 and left_out == 2


@pytest.mark.parametrize(("limit", "most"), [("MOST_ZIPS", 3), ("ZIP_ENTRIES", 7)])
def test_one_zip_after_the_other_is_too_much(tmp_path, monkeypatch, photo_sources_of, limit, most):
    monkeypatch.setattr(batch_sources if limit == "MOST_ZIPS" else budget, limit, most)
    packed = str(pack(tmp_path / "a.zip", a=b"", b=b""))
    assert len(photo_sources_of([packed] * 3)[0]) == 6
    with pytest.raises(ValueError, match="are accepted at a time"):
        photo_sources_of([packed] * 4)


def test_an_empty_zip_is_said(tmp_path, photo_sources_of):
    with pytest.raises(ValueError, match="There is no file in that ZIP"):
        photo_sources_of([str(pack(tmp_path / "a.zip"))])


def test_a_damaged_zip_is_said(tmp_path, photo, photo_sources_of):
    packed = pack(tmp_path / "a.zip", **{"two.png": photo.read_bytes()})
    content = bytearray(packed.read_bytes())
    content[content.index(b"PK\x01\x02")] = 0
    packed.write_bytes(content)
    with pytest.raises(ValueError, match="a.zip is a damaged ZIP"):
        photo_sources_of([str(packed)])
