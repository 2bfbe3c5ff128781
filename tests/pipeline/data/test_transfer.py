"""One file over HTTP: continued, checked, complete or not there."""

import os

import pytest

from pipeline.data.open_images.transfer import fetch
from tools import open_images_stand_in as bucket

NAME = "/masks.zip"


@pytest.fixture
def stand_in(tmp_path):
    folder = tmp_path / "public"
    folder.mkdir()
    (folder / NAME[1:]).write_bytes(os.urandom(3_000_000))
    with bucket.StandIn(folder) as server:
        yield server


def get(stand_in, folder):
    return fetch(stand_in.url + NAME, folder / "got.zip", pause_seconds=0, progress=False)


def content(stand_in):
    return (stand_in.folder / NAME[1:]).read_bytes()


def test_a_cut_connection_is_continued(stand_in, tmp_path):
    stand_in.faults[NAME] = [("cut", 1_500_000), ("status", 503), ("cut", 700_000)]
    assert get(stand_in, tmp_path).read_bytes() == content(stand_in)
    # What came before a connection broke may still lie in a buffer, so the exact byte is not ours to say.
    starts = [int(ranges.removeprefix("bytes=").rstrip("-") or 0) for _, _, ranges in stand_in.requests]
    assert starts[0] == 0
    assert 0 < starts[1] <= 1_500_000
    assert {path.name for path in tmp_path.iterdir()} == {"public", "got.zip"}


def test_a_complete_part_is_only_renamed(stand_in, tmp_path):
    """The process may die between the last byte and the renaming."""
    stand_in.faults[NAME] = [("cut", 10)]
    with pytest.raises(ConnectionError):
        fetch(stand_in.url + NAME, tmp_path / "got.zip", attempts=1, progress=False)
    (tmp_path / "got.zip.part").write_bytes(content(stand_in))
    assert get(stand_in, tmp_path).read_bytes() == content(stand_in)
    assert stand_in.requests[-1][2] == "bytes=3000000-"


def test_a_file_that_changed_meanwhile_starts_over(stand_in, tmp_path):
    stand_in.faults[NAME] = [("cut", 1_500_000)]
    with pytest.raises(ConnectionError, match=r"could not be downloaded in 1 tries .*, it continues where it stopped"):
        fetch(stand_in.url + NAME, tmp_path / "got.zip", attempts=1, progress=False)
    assert (tmp_path / "got.zip.part").stat().st_size > 0
    (stand_in.folder / NAME[1:]).write_bytes(os.urandom(2_000_000))
    assert get(stand_in, tmp_path).read_bytes() == content(stand_in)
    assert len(stand_in.requests) == 2  # told by the version tag, not only by the checksum at the end


def test_a_part_of_unknown_origin_is_not_continued(stand_in, tmp_path):
    (tmp_path / "got.zip.part").write_bytes(b"?" * 1000)
    assert get(stand_in, tmp_path).read_bytes() == content(stand_in)
    assert [ranges for _, _, ranges in stand_in.requests] == [""]


def test_a_wrong_byte_is_noticed(stand_in, tmp_path):
    stand_in.faults[NAME] = [("flip", 1_234_567)]
    assert get(stand_in, tmp_path).read_bytes() == content(stand_in)
    assert len(stand_in.requests) == 2


def test_a_file_that_stays_wrong_is_not_kept(stand_in, tmp_path):
    stand_in.faults[NAME] = [("flip", 7)] * 5
    with pytest.raises(ConnectionError, match="md5 checksum differs"):
        get(stand_in, tmp_path)
    assert not (tmp_path / "got.zip").exists()


def test_the_other_checksum_of_the_storage(tmp_path):
    """CRC-32C of "123456789" is e3069283, the check value of its specification."""
    from pipeline.data.open_images.transfer import _fault

    part = tmp_path / "part"
    part.write_bytes(b"123456789")
    assert _fault(part, 9, "crc32c=4waSgw==") is None
    assert _fault(part, 9, "crc32c=4waSgw==,md5=JfnnlDI7RTiF9RgfG2JNCw==") is None
    assert "crc32c" in _fault(part, 9, "crc32c=4waSgg==,md5=JfnnlDI7RTiF9RgfG2JNCw==")
    assert "md5" in _fault(part, 9, "crc32c=4waSgw==, md5=JfnnlDI7RTiF9RgfG2JNDA==")
    assert "9 bytes came and 10 were announced" in _fault(part, 10, "")


def test_a_disk_without_room_is_told_before_the_first_byte(stand_in, tmp_path):
    stand_in.faults[NAME] = [("size", 10**15)]
    with pytest.raises(OSError, match=r"got\.zip needs 1,000,000,000 MB, and .* has .* MB free"):
        get(stand_in, tmp_path)
    assert len(stand_in.requests) == 1


def test_a_missing_file_is_not_tried_again(stand_in, tmp_path):
    with pytest.raises(FileNotFoundError, match=r"other\.zip does not exist"):
        fetch(f"{stand_in.url}/other.zip", tmp_path / "got.zip", progress=False)
    assert len(stand_in.requests) == 1


def test_an_address_that_is_none(tmp_path):
    with pytest.raises(ValueError, match=r"nonsense/got.zip is not an address"):
        fetch("nonsense/got.zip", tmp_path / "got.zip")


def test_without_a_network_it_asks_for_one(tmp_path, capsys):
    with pytest.raises(ConnectionError, match=r"the connection to 127.0.0.1:9 failed; is this machine online?"):
        fetch("http://127.0.0.1:9/got.zip", tmp_path / "got.zip", attempts=2, pause_seconds=0)
    assert not capsys.readouterr().err, "the error says it all"
