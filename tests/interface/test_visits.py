"""What the served page keeps of visits: much while they last, less once they are over, never without bound."""

import time

import pytest
from PIL import Image

from interface import housekeeping, page
from interface.examples import example_photos
from interface.session import AnalysisCache, Models
from tools.app_process import free_port
from tools.visitor import Visitor, words

pytestmark = pytest.mark.slow

REMEMBERED = 3


@pytest.fixture
def served(monkeypatch, tmp_path):
    """A served page that remembers three visits: its blocks, its cache and its address."""
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path / "kept"))
    monkeypatch.setenv("MRCNN_ENGINE", "onnx")
    monkeypatch.setattr(housekeeping, "TRIM_EVERY", 0.3)
    monkeypatch.setattr(housekeeping, "SESSIONS", REMEMBERED)
    cache = AnalysisCache()
    blocks = page.build_page(Models(), cache)
    port = free_port()
    page.serve(blocks, "127.0.0.1", port)
    yield blocks, cache, f"http://127.0.0.1:{port}"
    blocks.close()


def look_at_a_photo(visitor):
    photo = visitor.file(example_photos()[0], "photo.png")
    assert visitor.send("photo", photo)["success"]
    return photo


def test_an_analysis_goes_with_its_visitor_and_is_made_anew_for_who_comes_back(served):
    blocks, cache, address = served
    visitor = Visitor(address)
    with visitor:
        photo = look_at_a_photo(visitor)
        time.sleep(4 * housekeeping.TRIM_EVERY)
        assert len(cache) == 1
    deadline = time.monotonic() + 60
    while len(cache) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert len(cache) == 0
    assert visitor.session in blocks.state_holder.session_data
    with visitor:
        assert visitor.send("redraw", photo, opacity=20)["success"]


def test_no_more_visits_are_remembered_than_there_is_room_for(served):
    blocks, _, address = served
    visitors = [Visitor(address) for _ in range(REMEMBERED + 2)]
    for visitor in visitors[:REMEMBERED]:
        look_at_a_photo(visitor)
    with visitors[2]:  # whose page is then closed
        pass
    for visitor in visitors[REMEMBERED:]:
        look_at_a_photo(visitor)
    time.sleep(4 * housekeeping.TRIM_EVERY)

    assert list(blocks.state_holder.session_data) == [visitors[number].session for number in (1, 3, 4)]


def test_what_is_drawn_is_of_the_photo_that_is_there_and_of_no_other(served, tmp_path):
    """As when a second photo waits for its turn, and a slider of the first one is moved."""
    _, _, address = served
    visitor = Visitor(address)
    look_at_a_photo(visitor)
    Image.new("RGB", (451, 300), "grey").save(tmp_path / "nothing.png")
    nothing = visitor.file(tmp_path / "nothing.png", "nothing.png")

    assert "No cat" in words(visitor.send("redraw", nothing, opacity=30))
