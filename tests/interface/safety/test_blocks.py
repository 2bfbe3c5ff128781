"""What a visitor reads when something goes wrong behind the page, and what is written down."""

import asyncio
import concurrent.futures
import errno
import json
import logging

import gradio as gr
import pytest

from interface.safety import log
from interface.safety.blocks import MISFIT, NO_ROOM, WENT_WRONG, GuardedBlocks


def ask(work, value="secret name.png", component=gr.Textbox):
    """What comes of a page with one event when it gets a value."""
    with GuardedBlocks() as page:
        box = component()
        box.change(work, box, box, api_name="work")
    (function,) = page.fns.values()
    # In a thread of its own: the browser tests leave a loop running in this one.
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        return pool.submit(asyncio.run, page.process_api(function, [value])).result()


@pytest.fixture
def lines(caplog):
    caplog.set_level(logging.INFO, logger=log.logger.name)
    return lambda: [json.loads(record.message) for record in caplog.records if record.name == log.logger.name]


def raising(error):
    def work(value):
        raise error

    return work


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EROFS, errno.EACCES])
def test_a_full_or_read_only_disk_is_said(code):
    with pytest.raises(gr.Error) as caught:
        ask(raising(OSError(code, "no")))
    assert caught.value.message == NO_ROOM
    assert ask(lambda value: value)["data"], "and it recovers"


def test_a_fault_of_ours_is_said_and_written_down_without_what_was_sent(lines):
    with pytest.raises(gr.Error) as caught:
        ask(raising(KeyError("secret name.png")))
    assert caught.value.message == WENT_WRONG
    failure, request = lines()
    assert failure["failure"] == "KeyError" and any("test_blocks.py" in place for place in failure["places"])
    assert request["outcome"] == "failed" and "secret" not in json.dumps([failure, request])


def test_values_that_a_component_cannot_take_are_said_and_no_failure(lines):
    with pytest.raises(gr.Error) as caught:
        ask(lambda value: value, value="x", component=gr.Slider)
    assert caught.value.message == MISFIT
    assert [line["outcome"] for line in lines()] == ["refused"]


def test_one_line_a_request_with_what_its_stages_noted(lines):
    def work(value):
        with log.stage("decode"):
            log.note(found=3)
        return value

    ask(work)
    (line,) = lines()
    assert line["event"] == "work" and line["outcome"] == "done" and line["found"] == 3
    assert line["decode_ms"] <= line["ms"] and "secret" not in json.dumps(line)
    assert 'every_cat_requests_total{event="work",outcome="done"}' in log.metrics(waiting_events=0)
