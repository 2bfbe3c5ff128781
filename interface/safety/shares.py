"""How much of the server one visitor may have at a time, and who comes next.

A visitor is an address: names of sessions are free to be made up. Behind a proxy the address is the proxy's unless
FORWARDED_ALLOW_IPS says whom uvicorn may believe.
"""

import collections

WAITING = 256  # events of all visitors that wait or run
WAITING_EACH = 128  # of one address, behind which a class of pupils may sit
WAITING_PAGE = 8  # of one page: its sliders each wait at most once
OPEN_EACH = 400  # requests of one address at a time, the streams of its pages included
UPLOADS = 48  # uploads at a time
UPLOADS_EACH = 16
DIRECT_CALLS = 64  # calls at a time that need no queue
DIRECT_CALLS_EACH = 16
BODIES = 400_000_000  # bytes of what requests bring along, be they under way or in the queue
BODIES_EACH = 150_000_000


class Busy(Exception):
    """Too much at a time; its words may be shown."""


def check_share(queue, address, session):
    """Refuses an event that would be too many.

    Args:
        queue: `gradio.queueing.Queue`.
        address: str. Whose it is.
        session: str or `None`. Of which page.

    Raises:
        Busy: if it is; with how many wait, and for how long.
    """
    events = _unfinished(queue)
    own = sum(_address(event) == address for event in events)
    page = sum(event.session_hash == session for event in events)
    if len(events) >= WAITING or own >= WAITING_EACH or page >= WAITING_PAGE:
        seconds = sum(queue.process_time_per_fn[event.fn].avg_time for event in events if _is_known(queue, event))
        wait = f", which takes some {max(1, round(seconds))} seconds" if seconds else ""
        raise Busy(f"The server is busy: {len(events)} requests are before yours{wait}. Please try again then.")


def take_turns(queue):
    """Orders those who wait: of each address the first event, then of each the second, and so on."""
    for waiting in queue.event_queue_per_concurrency_id.values():
        if len(waiting.queue) > 1:
            before = collections.Counter()
            turns = {}
            for event in waiting.queue:
                turns[event._id] = before[_address(event)]
                before[_address(event)] += 1
            waiting.queue.sort(key=lambda event: turns[event._id])


def waiting_events(queue):
    """How many events wait or run."""
    return len(_unfinished(queue))


def unfinished_ids(queue):
    """The ids of the events that wait or run: set of str."""
    return {event._id for event in _unfinished(queue)}


def _unfinished(queue):
    running = [event for job in queue.active_jobs if job for event in job]
    return running + [event for waiting in queue.event_queue_per_concurrency_id.values() for event in waiting.queue]


def _is_known(queue, event):
    return event.fn in queue.process_time_per_fn and not event.streaming


def _address(event):
    return event.request.client.host if event.request and event.request.client else ""


class Places:
    """Counts what is open at a time, of each address and of all.

    Args:
        each: int. Most of one address.
        of_all: int or `None`. Most in all. Defaults to no bound.
    """

    def __init__(self, each, of_all=None):
        self._each, self._of_all = each, of_all
        self._taken = collections.Counter()

    def take(self, address, count=1):
        """Takes places, or gives `False` if there are not so many."""
        own, of_all = self._taken[address] + count, self._taken.total() + count
        if own > self._each or (self._of_all and of_all > self._of_all):
            return False
        self._taken[address] = own
        return True

    def free(self, address, count=1):
        """Frees places that were taken."""
        self._taken[address] -= count
        if not self._taken[address]:
            del self._taken[address]
