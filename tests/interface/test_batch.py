"""What counts as a photo among uploaded files."""

import zipfile

import numpy as np
import pytest
from PIL import Image

from interface import batch_tab
from interface.batch_tab import photo_sources
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


def test_photos_and_what_is_in_zips(tmp_path, photo):
    content = photo.read_bytes()
    packed = pack(
        tmp_path / "a.zip", **{"in/two.png": content, "__MACOSX/in/._two.png": b"", "in/.DS_Store": b"", "in/": b""}
    )
    sources, left_out = photo_sources([str(photo), str(packed)])
    assert [name for name, _ in sources] == ["one.png", "two.png"] and left_out == 0
    (tmp_path / "unpacked").mkdir()
    for _, read in sources:
        assert read_image(read(tmp_path / "unpacked")).shape == (40, 60, 3)
    assert photo.exists(), "an upload is not deleted with what was unpacked"


def test_no_more_than_the_limit(monkeypatch, photo):
    monkeypatch.setattr(batch_tab, "MOST_PHOTOS", 3)
    sources, left_out = photo_sources([str(photo)] * 5)
    assert len(sources) == 3 and left_out == 2


def test_an_empty_zip_is_said(tmp_path):
    with pytest.raises(ValueError, match="There is no file in that ZIP"):
        photo_sources([str(pack(tmp_path / "a.zip"))])


def test_a_file_that_unpacks_to_too_much_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(batch_tab, "LARGEST_MEMBER", 1_000_000)
    packed = pack(tmp_path / "a.zip", **{"bomb.png": bytes(3_000_000)})
    assert packed.stat().st_size < 10_000
    ((_, read),), _ = photo_sources([str(packed)])
    with pytest.raises(ValueError, match="bomb.png is larger than 1 MB"):
        read(tmp_path)


def test_a_damaged_member_is_refused(tmp_path, photo):
    packed = pack(tmp_path / "a.zip", **{"two.png": photo.read_bytes() * 50})
    content = bytearray(packed.read_bytes())
    content[60:90] = bytes(30)
    packed.write_bytes(content)
    ((_, read),), _ = photo_sources([str(packed)])
    with pytest.raises(ValueError, match="two.png cannot be unpacked"):
        read(tmp_path)


def test_a_name_too_long_for_the_disk_is_refused(tmp_path, photo):
    ((_, read),), _ = photo_sources([str(pack(tmp_path / "a.zip", **{"猫" * 200 + ".png": photo.read_bytes()}))])
    with pytest.raises(ValueError, match="cannot be unpacked .File name too long"):
        read(tmp_path)


def test_a_damaged_zip_is_said(tmp_path, photo):
    packed = pack(tmp_path / "a.zip", **{"two.png": photo.read_bytes()})
    content = bytearray(packed.read_bytes())
    content[content.index(b"PK\x01\x02")] = 0
    packed.write_bytes(content)
    with pytest.raises(ValueError, match="a.zip is a damaged ZIP"):
        photo_sources([str(packed)])
