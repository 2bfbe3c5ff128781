"""A page with two models to choose from, one of them with two classes."""

import json
import re
import shutil

import numpy as np
import pytest
from playwright.sync_api import expect

from mrcnn import weights
from mrcnn.results import drawing
from tests.browser.conftest import PATIENCE
from tests.browser.photo_page import download, image, segment
from tools.app_process import running_app

pytestmark = [pytest.mark.browser, pytest.mark.slow]


def add_dog(folder):
    """Writes a model that sees in every cat a dog as well, but is less sure of it: 60 to 40 for a certain cat."""
    with np.load(weights.FOLDER / "cat.npz") as archive:
        arrays = {name: archive[name] for name in archive.files}
    for name in ("box_head/logits", "mask_head/logits", "box_head/deltas"):
        width = 4 if name.endswith("deltas") else 1
        for part in ("kernel", "bias"):
            values = arrays[f"{name}/{part}"]
            arrays[f"{name}/{part}"] = np.concatenate([values, values[..., -width:]], axis=-1)
    arrays["box_head/logits/bias"] += np.array([0, 0, np.log(40 / 60)], np.float16)
    np.savez(folder / "zoo.npz", **arrays)
    config = {**weights.read_card(weights.FOLDER / "cat.json")["config"], "class_names": ["cat", "dog"]}
    (folder / "zoo.json").write_text(json.dumps({"config": config}))


@pytest.fixture(scope="module")
def zoo(tmp_path_factory):
    """Address of an app that has the models cat and zoo."""
    folder = tmp_path_factory.mktemp("weights")
    for suffix in ("npz", "json", "md"):
        shutil.copy(weights.FOLDER / f"cat.{suffix}", folder)
    add_dog(folder)
    with running_app(MRCNN_WEIGHTS=str(folder)) as app:
        yield app.address


@pytest.fixture
def page(browser, zoo):
    context = browser.new_context(viewport={"width": 1366, "height": 900})
    context.set_default_timeout(PATIENCE)
    page = context.new_page()
    problems = []
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.goto(zoo, timeout=PATIENCE)
    page.get_by_label("Remove Image").click()
    page.wait_for_selector(".result .blank")
    yield page
    context.close()
    assert problems == []


def choose_option(page, name, option):
    page.locator(f"#{name} input").first.click()
    page.get_by_role("option", name=option, exact=True).click()


def table_classes(page):
    return page.locator("#table tbody td:nth-child(2)").all_inner_texts()


def test_cards(page):
    expect(page.locator("#card p")).to_have_text(
        re.compile(r"^1 class: cat · mask AP 0\.\d{3} on \d+ photos · [\d.]+ MB · ")
    )
    expect(page.locator("#classes")).to_be_hidden()
    page.get_by_role("button", name="About this model").click()
    expect(page.locator("#about")).to_contain_text("Where it fails")
    choose_option(page, "model", "zoo")
    expect(page.locator("#card p")).to_have_text(
        re.compile(r"^2 classes: cat, dog · accuracy not measured · [\d.]+ MB · licence not stated$")
    )
    expect(page.locator("#about")).to_contain_text("Classes (2): cat, dog")
    expect(page.locator("#classes")).to_be_visible()


def test_class_filter(page, tmp_path):
    choose_option(page, "model", "zoo")
    expect(page.locator("#classes")).to_be_visible()
    segment(page)
    page.locator("#confidence input[type=number]").fill("30")
    page.locator("#confidence input[type=number]").press("Tab")
    expect(page.locator("#status p")).to_have_text(re.compile(r"^Found 1 cat and 1 dog in \d+ ms"))
    took = re.search(r"in \d+ ms", page.locator("#status p").inner_text())[0]
    assert table_classes(page) == ["cat", "dog"]

    choose_option(page, "classes", "dog")
    expect(page.locator("#status p")).to_have_text(f"Found 1 dog {took}, 40 % sure.")  # the network did not run again
    assert table_classes(page) == ["dog"]
    expect(page.locator("figure.instances path[data-row]")).to_have_count(1)
    semantic = image(page, "semantic").astype(int)
    dog, cat = (np.abs(semantic - drawing.class_colour(index)).sum(axis=2) < 60 for index in (2, 1))
    assert dog.mean() > 0.3 and cat.mean() < 0.01
    document = json.loads(download(page, tmp_path, "COCO, run lengths (JSON)").read_text())
    assert [row["category_id"] for row in document["annotations"]] == [2]
    assert [row["name"] for row in document["categories"]] == ["cat", "dog"]

    page.locator("#confidence input[type=number]").fill("50")
    page.locator("#confidence input[type=number]").press("Tab")
    expect(page.locator("#status p")).to_have_text(
        f"No dog found {took}, but 1 cat: choose more classes to see the rest."
    )
    # Another model has other classes, so the filter begins anew.
    choose_option(page, "model", "cat")
    expect(page.locator("#classes")).to_be_hidden()
    expect(page.locator("#status p")).to_have_text(re.compile(r"^Found 1 cat in "))
