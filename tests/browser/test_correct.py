"""The Correct tab: layers to brush by pointer and keyboard, and the data set that comes of it."""

import json
import zipfile

import numpy as np
import pytest
from playwright.sync_api import expect
from skimage import data

from interface.examples import example_photos
from mrcnn import MaskRCNN
from pipeline.data.dataset import CocoDataset
from tests.browser.conftest import note_problems
from tests.browser.tabs import open_tab
from tools.app_process import running_app

pytestmark = [pytest.mark.browser, pytest.mark.slow]


def editor_of(page):
    return page.locator("#editor .editor")


def upload(page, path):
    with page.expect_file_chooser() as chooser:
        page.locator("#correct-upload").click()
    chooser.value.set_files(path)


def open_in_editor(page, path):
    """Opens a photo from within the tab."""
    open_tab(page, "Correct")
    expect(page.locator("#correct-status")).to_contain_text("Choose a photo in the first tab or here")
    upload(page, path)
    editor = editor_of(page)
    expect(editor).to_be_visible()
    expect(editor.get_by_role("radio")).to_have_count(1)
    return editor


def drag(page, *places):
    """Moves the pressed pointer over places, shares of the photo's width and height."""
    seen = page.locator("#editor canvas").bounding_box()
    for index, (across, down) in enumerate(places):
        page.mouse.move(seen["x"] + across * seen["width"], seen["y"] + down * seen["height"], steps=4)
        if index == 0:
            page.mouse.down()
    page.mouse.up()


def labels_of(page):
    """The editor's label map, and its objects."""
    edit = json.loads(page.evaluate("document.querySelector('#editor .editor').collect()"))
    height, width = page.evaluate("(({height, width}) => [height, width])(document.querySelector('#editor canvas'))")
    return np.repeat(edit["runs"][::2], edit["runs"][1::2]).reshape(height, width), edit["objects"]


def test_brushing_saving_and_taking_home(page, tmp_path):
    chelsea = data.chelsea()
    editor = open_in_editor(page, example_photos()[0])
    before, _ = labels_of(page)
    predicted = MaskRCNN.from_pretrained("cat").segment(chelsea).masks[0]
    assert np.array_equal(before == 1, predicted)

    editor.get_by_role("button", name="New object").click()
    drag(page, (0.1, 0.1), (0.3, 0.1))
    editor.get_by_role("radio", name="1 cat").check()
    editor.get_by_role("button", name="Erase").click()
    drag(page, (0.5, 0.5), (0.5, 0.6))
    after, objects = labels_of(page)
    assert [row["number"] for row in objects] == [1, 2]
    assert (after == 2)[30, 45:135].all() and not after[150:180, 225].any()
    assert (after != before).sum() < 0.1 * after.size

    page.locator("#correct-save").click()
    expect(page.locator("#correct-status")).to_contain_text("Saved chelsea.png with 2 cats. Your data set has 1 photo")
    with page.expect_download() as download:
        page.locator("#correct-download").click()
    download.value.save_as(tmp_path / "corrected.zip")
    with zipfile.ZipFile(tmp_path / "corrected.zip") as archive:
        archive.extractall(tmp_path)
    dataset = CocoDataset(tmp_path / "corrected" / "photos")
    (image_id,) = dataset.image_ids
    masks, _ = dataset.load_mask(image_id)
    assert np.array_equal(dataset.load_image(image_id), chelsea)
    assert np.array_equal(masks[..., 0], after == 1) and np.array_equal(masks[..., 1], after == 2)


def test_the_keyboard_alone_draws_undoes_and_deletes(page):
    editor = open_in_editor(page, example_photos()[0])
    before, _ = labels_of(page)
    editor.locator("[data-part=frame]").focus()
    for key in ("n", "Space", "ArrowLeft", "ArrowLeft", "ArrowDown", "Space"):
        page.keyboard.press(key)
    expect(editor.locator("[data-part=says]")).to_have_text("Brush up.")
    drawn, objects = labels_of(page)
    assert len(objects) == 2 and (drawn == 2).sum() > (before == 2).sum()
    place = np.argwhere(drawn == 2).mean(axis=0)
    assert place[1] < 451 / 2 and place[0] > 300 / 2, "to the left of the middle and below it"
    for _ in range(2):  # the stroke, and the object
        page.keyboard.press("Control+z")
    assert np.array_equal(labels_of(page)[0], before) and len(labels_of(page)[1]) == 1
    page.keyboard.press("Control+y")
    assert len(labels_of(page)[1]) == 2
    page.keyboard.press("1")
    page.keyboard.press("Delete")
    expect(editor.locator("[data-part=says]")).to_contain_text("Deleted cat 1")
    assert not (labels_of(page)[0] == 1).any()


def test_what_is_not_saved_is_not_lost_to_another_photo(open_page):
    page = open_page(first_view=True)
    open_tab(page, "Correct")
    editor = editor_of(page)
    expect(editor).to_be_visible()
    name = page.locator("#correct-status strong").inner_text()
    editor.get_by_role("button", name="Delete cat 1").click()
    open_tab(page, "Photo")
    page.get_by_role("button", name="Example: a cat", exact=True).click()
    expect(page.locator("#status")).to_contain_text("Found 1 cat")
    open_tab(page, "Correct")
    expect(page.locator("#correct-status")).to_contain_text("What you changed is not saved yet")
    page.locator("#correct-again").click()
    expect(page.locator("#correct-status")).to_contain_text("1 cat found")
    assert page.locator("#correct-status strong").inner_text() != name
    expect(editor.get_by_role("radio")).to_have_count(1)
    # Going away and back keeps what was brushed.
    editor.get_by_role("button", name="New object").click()
    open_tab(page, "Photo")
    open_tab(page, "Correct")
    expect(editor.get_by_role("radio")).to_have_count(2)
    assert page.problems == []


@pytest.mark.parametrize("already_down", [False, True])
def test_a_stroke_made_while_it_is_saved_is_not_saved(page, already_down):
    """The server's answer comes after a stroke that was not sent to it, or was sent only in part."""
    editor = open_in_editor(page, example_photos()[0])
    page.evaluate(
        """() => {
            const editor = document.querySelector("#editor .editor"), saved = editor.saved;
            editor.saved = () => { saved(); window.answered = (window.answered ?? 0) + 1; };
        }"""
    )
    sent = []
    page.route("**/gradio_api/queue/join*", lambda route: sent.append(route), times=1)
    save = page.locator("#correct-save")
    if not already_down:
        save.click()
        page.wait_for_timeout(500)
    seen = page.locator("#editor canvas").bounding_box()
    page.mouse.move(seen["x"] + 0.1 * seen["width"], seen["y"] + 0.1 * seen["height"])
    page.mouse.down()
    if already_down:
        save.dispatch_event("click")
        page.wait_for_timeout(500)
    page.mouse.move(seen["x"] + 0.3 * seen["width"], seen["y"] + 0.1 * seen["height"], steps=4)
    page.mouse.up()
    assert len(sent) == 1, "what was to be saved is on its way"
    sent[0].continue_()
    expect(page.locator("#correct-status")).to_contain_text("Saved chelsea.png with 1 cat")
    page.wait_for_function("() => window.answered === 1")
    upload(page, example_photos()[1])
    expect(page.locator("#correct-status")).to_contain_text("What you changed is not saved yet")
    expect(editor.locator("[data-part=says]")).to_contain_text("is not saved yet")
    save.click()
    page.wait_for_function("() => window.answered === 2")
    upload(page, example_photos()[1])
    expect(page.locator("#correct-status")).to_contain_text("Brush until it is right, then save.")


def test_objects_of_a_model_of_several_classes_get_a_class_each(page):
    editor = open_in_editor(page, example_photos()[0])
    page.evaluate(
        "(text) => document.querySelector('#editor .editor').open(text)",
        json.dumps(
            {
                "token": "other",
                "name": "two.png",
                "width": 40,
                "height": 30,
                "photo": "data:image/gif;base64,R0lGODlhAQABAAAAACw=",
                "runs": [0, 600, 1, 300, 2, 300],
                "objects": [
                    {"number": 1, "class": "cat", "words": "90 %"},
                    {"number": 2, "class": "dog", "words": "80 %"},
                ],
                "classes": ["cat", "dog"],
                "palette": [[86, 180, 233], [230, 159, 0]],
            }
        ),
    )
    expect(editor.get_by_role("combobox", name="Class of object 2")).to_have_value("dog")
    editor.get_by_role("combobox", name="Class of object 1").select_option("dog")
    assert [row["class"] for row in labels_of(page)[1]] == ["dog", "dog"]


def test_a_bad_photo_is_said_in_a_sentence(page, tmp_path):
    (tmp_path / "bad.jpg").write_bytes(b"no image")
    open_tab(page, "Correct")
    upload(page, tmp_path / "bad.jpg")
    expect(page.locator("#correct-status")).to_contain_text("Sorry. bad.jpg is not an image in a known format")
    expect(page.locator("#correct-save")).to_be_disabled()


@pytest.mark.slow
def test_on_ones_own_machine_a_folder_grows_photo_by_photo(browser, tmp_path):
    with running_app(MRCNN_DATASET_FOLDER=str(tmp_path / "own")) as app:
        page = browser.new_page()
        note_problems(page)
        page.goto(app.address)
        page.wait_for_selector("#photo [aria-label='Remove Image']")
        open_tab(page, "Correct")
        for count, path in enumerate((None, example_photos()[0], example_photos()[0]), start=1):
            if path:
                upload(page, path)
                expect(page.locator("#correct-status")).to_contain_text("chelsea.png: ")
            expect(editor_of(page)).to_be_visible()
            page.locator("#correct-save").click()
            expect(page.locator("#correct-status")).to_contain_text(f"own has {min(count, 2)} photo")
        page.close()
    dataset = CocoDataset(tmp_path / "own" / "photos")
    assert len(dataset) == 2 and dataset.class_names == ("cat",)
