"""ZIP files of strangers."""

import time
import zipfile

import pytest

from interface.safety import budget
from interface.safety.archives import member_name, open_zip, unpack


def pack(path, method=zipfile.ZIP_DEFLATED, **contents):
    with zipfile.ZipFile(path, "w", method) as archive:
        for name, content in contents.items():
            archive.writestr(name, content)
    return path


def unpack_first(path, folder):
    with open_zip(path) as archive:
        return unpack(archive, archive.infolist()[0], folder)


def test_too_many_entries_are_refused_at_once(tmp_path):
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        for number in range(70_000):  # more than fit the two bytes for their number
            archive.writestr(f"{number}.png", b"")
    start = time.perf_counter()
    with pytest.raises(ValueError, match="a.zip has too many entries: a ZIP of up to 10000"):
        open_zip(tmp_path / "a.zip")
    assert time.perf_counter() - start < 0.2


def test_a_false_number_of_entries_helps_nobody(tmp_path):
    path = pack(tmp_path / "a.zip", **{f"{number}.png": b"" for number in range(12_000)})
    content = bytearray(path.read_bytes())
    content[-12:-10] = b"\1\0"
    path.write_bytes(content)
    with pytest.raises(ValueError, match="too many entries"):
        open_zip(path)


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_other_ways_to_pack_are_said(tmp_path, method):
    with pytest.raises(ValueError, match="a.png cannot be unpacked: it is encrypted, or packed in a way"):
        unpack_first(pack(tmp_path / "a.zip", method, **{"a.png": b"a" * 1000}), tmp_path)


def test_newer_versions_are_said(tmp_path):
    path = pack(tmp_path / "a.zip", **{"a.png": b"a" * 1000})
    content = bytearray(path.read_bytes())
    content[content.index(b"PK\1\2") + 6] = 99
    path.write_bytes(content)
    with pytest.raises(ValueError, match="a.zip is a damaged ZIP"):
        open_zip(path)


def test_a_file_that_unpacks_to_too_much_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(budget, "ZIP_MEMBER", 1_000_000)
    packed = pack(tmp_path / "a.zip", **{"bomb.png": bytes(3_000_000)})
    assert packed.stat().st_size < 10_000
    with pytest.raises(ValueError, match="bomb.png is larger than 1 MB"):
        unpack_first(packed, tmp_path)


def test_a_damaged_member_is_refused(tmp_path):
    packed = pack(tmp_path / "a.zip", **{"two.png": b"pixels" * 5000})
    content = bytearray(packed.read_bytes())
    content[45:60] = bytes(15)
    packed.write_bytes(content)
    with pytest.raises(ValueError, match="two.png cannot be unpacked, it seems to be damaged"):
        unpack_first(packed, tmp_path)


@pytest.mark.parametrize("name", ["猫" * 80 + ".png", "a" * 251 + ".png", "a" * 255, "b" * 5000 + ".png"])
def test_long_names_are_cut(tmp_path, name):
    (tmp_path / "unpacked").mkdir()
    path = unpack_first(pack(tmp_path / "a.zip", **{name: b"pixels"}), tmp_path / "unpacked")
    assert path.read_bytes() == b"pixels" and len(path.name.encode()) <= 200
    assert path.suffix == (".png" if name.endswith(".png") else "")


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("in/a.png", "a.png"),
        ("C:\\pictures\\a.png", "a.png"),
        ("..\\..\\a.png", "a.png"),
        ("C:a.png", "C_a.png"),
        ("../../etc/a.png", "a.png"),
        ("a/..", "_"),
        ("猫" * 85 + ".png", "猫" * 65 + ".png"),
        ("a\nb.png", "a_b.png"),
        ("\u202egnp.a", "_gnp.a"),
    ],
)
def test_names_are_names_alone(name, expected):
    assert member_name(zipfile.ZipInfo(name)) == expected
