"""What requests bring along, and how much of it the server holds at a time."""

import asyncio
import concurrent.futures
import json
import types

import pytest

from interface.safety import doors
from interface.safety.shares import Places

BODY = json.dumps({"fn_index": 0, "data": ["x" * 1000]}).encode()


class Page:
    """An app behind the doors whose queue keeps every event until it is told to end."""

    def __init__(self):
        self.events, self.reached = [], []
        queue = types.SimpleNamespace(active_jobs=[self.events], event_queue_per_concurrency_id={})
        self.blocks = types.SimpleNamespace(fns={0: None}, _queue=queue)

    def get_blocks(self):
        return self.blocks

    async def __call__(self, scope, receive, send):
        self.reached.append((await receive())["body"])
        request = types.SimpleNamespace(client=types.SimpleNamespace(host=scope["client"][0]))
        event = types.SimpleNamespace(
            _id=f"{len(self.reached)}", request=request, session_hash="", fn=None, streaming=True
        )
        self.events.append(event)
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": json.dumps({"event_id": event._id}).encode()})


@pytest.fixture
def page():
    return Page()


@pytest.fixture
def knock(page):
    """A function that sends a body to the queue for an address, and gives the status of the answer."""
    guarded = doors.Doors(page)
    page.blocks._queue.process_time_per_fn = {}
    guarded._bodies = Places(2.5 * len(BODY), 4.5 * len(BODY))

    async def post(address, body):
        statuses = []

        async def receive():
            return {"type": "http.request", "body": body, "more_body": False}

        async def send(message):
            statuses.append(message.get("status"))

        scope = {"type": "http", "method": "POST", "path": "/gradio_api/queue/join", "headers": [], "app": page}
        await guarded({**scope, "client": (address, 1)}, receive, send)
        return statuses[0]

    # In a thread of its own: the browser tests leave a loop running in this one.
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        yield lambda address, body=BODY: pool.submit(asyncio.run, post(address, body)).result()


def test_what_waits_in_the_queue_has_a_bound_an_address_and_in_all(page, knock):
    assert [knock("a") for _ in range(3)] == [200, 200, 429]
    assert [knock("b") for _ in range(3)] == [200, 200, 429]
    assert knock("c") == 429
    page.events.clear()
    assert [knock("c") for _ in range(3)] == [200, 200, 429]


def test_what_is_refused_gives_its_place_back(knock):
    assert [knock("a", b"{" * len(BODY)) for _ in range(5)] == [400] * 5
    assert [knock("a") for _ in range(3)] == [200, 200, 429]


def test_more_brackets_than_any_page_sends_are_refused(page, knock):
    assert knock("a", b"[" * (doors.MOST_BRACKETS + 1)) in (413, 429)
    assert not page.reached
