"""Keeps the page's promise: what visitors send, and what is made of it, is gone after two hours.

Gradio deletes the files that it knows of. But it leaves uploads that broke off, and it remembers what each session was
shown last, images included, for as long as the server runs: half a megabyte a visitor.
"""

import asyncio
import contextlib
import datetime
import time

from interface.safety.log import log_failure
from interface.safety.memory import release_memory, trim_memory
from interface.safety.quota import Quota, files_below, kept_files

LIFETIME = 7200  # seconds
EVERY = 300  # seconds between two rounds
TRIM_EVERY = 20  # seconds between two times that memory which visitors no longer use goes back to the system
# A closed page may come back, as that of a phone which slept: its results wait, and what takes memory and can be made
# anew goes.
CLOSED_LIFETIME = 3600  # seconds
SESSIONS = 300  # that are remembered; those whose page is closed go first, then the least recently used
MOST_SESSIONS = 2000  # that there may be until the next round looks after them
AGE = LIFETIME - EVERY  # what a round just spares does not outlive its time in the next one


@contextlib.asynccontextmanager
async def housekeeping(app):
    """The lifespan of the served page, in which what Gradio leaves behind is deleted.

    Args:
        app: `gradio.routes.App`. Its folder for uploads must be its own.
    """
    tasks = [asyncio.create_task(_make_rounds(app)), asyncio.create_task(_trim(app))]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()


async def _trim(app):
    quota = Quota()
    while True:
        await asyncio.sleep(TRIM_EVERY)
        with _written_down():
            release_closed(app.state_holder, TRIM_EVERY)
            forget_most(app.state_holder, SESSIONS)
            await asyncio.to_thread(trim_memory)
            await asyncio.to_thread(
                quota.make_room, app.uploaded_file_dir, kept_files(app)
            )  # results fill the disk, too


async def _make_rounds(app):
    while True:
        await asyncio.sleep(EVERY)
        with _written_down():
            forget_sessions(app.state_holder, AGE)
            await asyncio.to_thread(release_memory)
            await asyncio.to_thread(delete_files, app.uploaded_file_dir, AGE, kept_files(app))


@contextlib.contextmanager
def _written_down():
    """What goes wrong in a round is written down, and does not end those that follow."""
    try:
        yield
    except Exception as error:
        log_failure("housekeeping", error)


def release_closed(holder, seconds):
    """Calls back for the states of sessions whose page is closed; the states themselves stay.

    A state's `delete_callback` drops what it stands for, such as an analysis in memory, and this is made anew where it
    is missing.

    Args:
        holder: `gradio.state_holder.StateHolder`.
        seconds: float. How long such a session must have been unused: a page that loads again closes the one before.
    """
    for session in _unused(holder, seconds, closed=True).values():
        for state, value, _ in session.state_components:
            state.delete_callback(value)


def forget_sessions(holder, seconds, closed_seconds=CLOSED_LIFETIME):
    """Forgets the sessions that were not used for so many seconds, and calls back for their states.

    Args:
        holder: `gradio.state_holder.StateHolder`.
        seconds: float.
        closed_seconds: float. The same for those whose page is closed. Defaults to an hour.
    """
    for name in {**_unused(holder, seconds), **_unused(holder, closed_seconds, closed=True)}:
        _forget(holder, name)


def forget_most(holder, count):
    """Forgets sessions until so many are left: those whose page is closed first, of these the least recently used.

    Args:
        holder: `gradio.state_holder.StateHolder`.
        count: int.
    """
    sessions = list(holder.session_data.items())  # the least recently used first
    sessions.sort(key=lambda pair: not pair[1].is_closed)
    for name, _ in sessions[: max(0, len(sessions) - count)]:
        _forget(holder, name)


def _forget(holder, name):
    holder.delete_state(name)
    holder.session_data.pop(name, None)
    holder.time_last_used.pop(name, None)


def _unused(holder, seconds, closed=False):
    """Sessions by name that were not used for so many seconds; with `closed` only those whose page is closed."""
    now = datetime.datetime.now()
    sessions = {
        name: holder.session_data.get(name)
        for name, used in list(holder.time_last_used.items())
        if (now - used).total_seconds() > seconds
    }
    return {name: session for name, session in sessions.items() if not closed or (session and session.is_closed)}


def delete_files(folder, seconds, kept=()):
    """Deletes the files below a folder that are older than so many seconds.

    Args:
        folder: path. It need not exist.
        seconds: float.
        kept: paths, as str, of files that stay.
    """
    oldest = time.time() - seconds
    for path in files_below(folder):
        with contextlib.suppress(OSError):  # deleted by others in the meantime
            if str(path) not in kept and path.lstat().st_ctime < oldest:
                path.unlink()
