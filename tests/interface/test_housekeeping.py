import asyncio
import concurrent.futures
import os
import time
import types

import gradio as gr
import pytest
from gradio.state_holder import StateHolder

from interface import housekeeping
from interface.housekeeping import delete_files, forget_sessions, release_closed


def test_old_files_are_deleted_and_only_they(tmp_path):
    for name in ("a/photo.png", "b/example.png", "tmp1234"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b"x")
    delete_files(tmp_path, seconds=60)
    assert (tmp_path / "a" / "photo.png").exists()
    time.sleep(0.05)
    delete_files(tmp_path, seconds=0.01, kept={str(tmp_path / "b" / "example.png")})
    assert [path.name for path in tmp_path.rglob("*") if path.is_file()] == ["example.png"]
    delete_files(tmp_path / "missing", seconds=0)


@pytest.fixture
def visits():
    """What Gradio remembers of sessions on a page with one state, that state's key, and what its callback was given."""
    dropped = []
    with gr.Blocks() as blocks:
        state = gr.State(None, delete_callback=dropped.append)
    holder = StateHolder()
    holder.set_blocks(blocks)
    return holder, state._id, dropped


@pytest.fixture
def two_visits(visits):
    """The same with an open page and a closed one."""
    holder, key, _ = visits
    for name in ("open", "closed"):
        holder[name][key] = f"token of the {name} page"
    holder["closed"].is_closed = True
    return visits


def test_sessions_are_forgotten_with_their_states(visits):
    holder, key, dropped = visits
    holder["someone"][key] = "token"
    forget_sessions(holder, seconds=60)
    assert "someone" in holder and dropped == []
    time.sleep(0.05)
    forget_sessions(holder, seconds=0.01)
    assert "someone" not in holder and dropped == ["token"] and holder.time_last_used == {}


def test_sessions_of_closed_pages_are_forgotten_sooner(two_visits):
    holder, _, _ = two_visits
    time.sleep(0.05)
    forget_sessions(holder, seconds=60, closed_seconds=0.01)
    assert list(holder.session_data) == ["open"]


def test_what_closed_pages_keep_in_memory_is_released_and_their_state_waits(two_visits):
    holder, key, dropped = two_visits
    release_closed(holder, seconds=60)
    assert dropped == []
    time.sleep(0.05)
    release_closed(holder, seconds=0.01)
    assert dropped == ["token of the closed page"]
    assert holder["closed"][key] == "token of the closed page"


def test_rounds_are_made_until_the_page_ends(tmp_path, monkeypatch):
    monkeypatch.setattr(housekeeping, "EVERY", 0.05)
    monkeypatch.setattr(housekeeping, "AGE", 0)
    with gr.Blocks() as blocks:
        gr.Markdown("A page.")
    holder = StateHolder()
    holder.set_blocks(blocks)
    app = types.SimpleNamespace(state_holder=holder, uploaded_file_dir=tmp_path, get_blocks=lambda: blocks)

    async def serve():
        async with housekeeping.housekeeping(app):
            for _ in range(2):
                (tmp_path / "photo.png").write_bytes(b"x")
                while os.listdir(tmp_path):
                    await asyncio.sleep(0.01)
        return asyncio.all_tasks() - {asyncio.current_task()}

    async def limited():
        return await asyncio.wait_for(serve(), 60)

    # In a thread of its own: the browser tests leave a loop running in this one.
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        pool.submit(asyncio.run, limited()).result()
