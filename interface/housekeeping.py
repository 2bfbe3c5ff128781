"""Keeps the page's promise: what visitors send, and what is made of it, is gone after two hours.

Gradio deletes the files that it knows of. But it leaves uploads that broke off, and it remembers what each session was
shown last, images included, for as long as the server runs.
"""

import asyncio
import contextlib
import datetime
import time
from pathlib import Path

from mrcnn.images import read_image

LIFETIME = 7200  # seconds
EVERY = 300  # seconds between two rounds
AGE = LIFETIME - EVERY  # what a round just spares does not outlive its time in the next one


@contextlib.asynccontextmanager
async def housekeeping(app):
    """The lifespan of the served page, in which what Gradio leaves behind is deleted.

    Args:
        app: `gradio.routes.App`. Its folder for uploads must be its own.
    """
    rounds = asyncio.create_task(_make_rounds(app))
    try:
        yield
    finally:
        rounds.cancel()


async def _make_rounds(app):
    while True:
        await asyncio.sleep(EVERY)
        forget_sessions(app.state_holder, AGE)
        kept = set().union(*(block.keep_in_cache for block in app.get_blocks().blocks.values()))
        await asyncio.to_thread(delete_files, app.uploaded_file_dir, AGE, kept)


def forget_sessions(holder, seconds):
    """Forgets the sessions that were not used for so many seconds, and calls back for their states.

    Args:
        holder: `gradio.state_holder.StateHolder`.
        seconds: float.
    """
    now = datetime.datetime.now()
    for session, used in list(holder.time_last_used.items()):
        if (now - used).total_seconds() > seconds:
            holder.delete_state(session)
            holder.session_data.pop(session, None)
            del holder.time_last_used[session]


def delete_files(folder, seconds, kept=()):
    """Deletes the files below a folder that are older than so many seconds.

    Args:
        folder: path. It need not exist.
        seconds: float.
        kept: paths, as str, of files that stay.
    """
    oldest = time.time() - seconds
    for path in Path(folder).rglob("*"):
        with contextlib.suppress(OSError):  # deleted by others in the meantime
            if path.is_file() and str(path) not in kept and path.lstat().st_ctime < oldest:
                path.unlink()


def read_kept_image(path):
    """Reads a visitor's photo as RGB, see `mrcnn.images.read_image`.

    Raises:
        ValueError: if it is gone by now, or cannot be read; one sentence that may be shown.
    """
    if not Path(path).exists():
        raise ValueError("The photo is no longer kept here: please choose it again.")
    return read_image(path)
