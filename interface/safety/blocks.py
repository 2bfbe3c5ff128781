"""Gradio's app with a guard before each event: what it may open, what it says, and what is written down of it."""

import asyncio
import errno
import time

import gradio as gr

from interface.safety.log import log_failure, log_request, request_facts
from interface.safety.uploads import check_files

MISFIT = "What came does not fit this endpoint; the page's tab For programs says what does."
WENT_WRONG = "Sorry, something went wrong here; it was written down. Please try again, or with another file."
NO_ROOM = "Sorry, this server cannot store files just now. Please try again in some minutes."
FULL = (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES)


class GuardedBlocks(gr.Blocks):
    """`gr.Blocks` in which each event opens only uploaded files, ends in words, and leaves one line in the log.

    Gradio's own check of paths looks only at dicts that carry a certain `meta`, downloads what is an address, and for
    `gr.Image` lets the component open the file without any. All that comes from outside goes through `process_api` and
    `preprocess_data`, be it from the page, from a program or by the Model Context Protocol, and nothing is opened
    before that; so here is the one place to check, and components need not.
    """

    async def process_api(self, block_fn, *args, **kwargs):
        name = getattr(block_fn, "api_name", None) or getattr(block_fn, "name", None) or "event"
        state = kwargs.get("state")
        if state is not None:
            state.is_closed = False  # Gradio closes a session whose connection broke, and a page in use comes back
        facts, start, outcome = {}, time.perf_counter(), "done"
        token = request_facts.set(facts)
        try:
            answer = await super().process_api(block_fn, *args, **kwargs)
            if answer.get("is_generating"):
                outcome = "step"
            return answer
        except gr.Error:
            outcome = "refused"
            raise
        except asyncio.CancelledError:
            outcome = "cancelled"
            raise
        except Exception as error:
            outcome = "failed"
            if isinstance(error, OSError) and error.errno in FULL:
                raise gr.Error(NO_ROOM, print_exception=False) from None
            log_failure(name, error)
            raise gr.Error(WENT_WRONG, print_exception=False) from None
        finally:
            request_facts.reset(token)
            if outcome != "step":
                log_request(name, outcome, time.perf_counter() - start, facts)

    async def preprocess_data(self, block_fn, inputs, state, explicit_call=False):
        if not explicit_call:
            try:
                check_files(inputs, self.GRADIO_CACHE)
            except ValueError as error:
                raise gr.Error(str(error), print_exception=False) from None
        try:
            return await super().preprocess_data(block_fn, inputs, state, explicit_call)
        except (gr.Error, OSError):
            raise
        except Exception:  # whatever a component says of values that the page would never send
            raise gr.Error(MISFIT, print_exception=False) from None
