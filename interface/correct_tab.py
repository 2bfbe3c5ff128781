"""The Correct tab: what was found becomes layers to brush, and the corrected photo an entry of a data set."""

import secrets
from pathlib import Path

import gradio as gr

from interface.correction import Opened, editor_document
from interface.dataset_folder import add_to_folder, chosen_folder, correct_photo, write_zip
from interface.housekeeping import LIFETIME
from interface.large_photos import at_own_size
from interface.safety.folder import random_folder
from interface.safety.text import markdown_text, sorry
from interface.session import DRAWING_PLACES, MODEL_PLACES
from mrcnn.results.wording import counted

WELCOME = (
    "Choose a photo in the first tab or here. What was found in it can be brushed over until it is right, and becomes "
    "an example to train with."
)
MOST_PHOTOS = 200  # of a visit
SMALL = {"size": "md", "scale": 0, "min_width": 150}  # buttons beside the status
GONE = "The photo is no longer kept here: please open it again."

EDITOR = """
<div class="editor" hidden>
  <div class="bar" role="toolbar" aria-label="Brush">
    <button type="button" data-tool="draw" data-key="draw" aria-pressed="true" title="Key D">Draw</button>
    <button type="button" data-tool="erase" data-key="erase" aria-pressed="false" title="Key E">Erase</button>
    <button type="button" data-tool="pick" data-key="pick" aria-pressed="false"
      title="Key P: click an object to brush it, drag to move a magnified photo">Pick</button>
    <button type="button" data-part="undo" data-key="undo" title="Ctrl+Z">Undo</button>
    <button type="button" data-part="redo" data-key="redo" title="Ctrl+Y">Redo</button>
    <label>Size <input type="range" data-part="size" data-key="size" min="1" max="128" value="16"
      aria-label="Brush size"></label>
    <label>Zoom <input type="range" data-part="zoom" data-key="zoom" min="100" max="600" step="25" value="100"
      aria-label="Zoom in percent"></label>
    <label><input type="checkbox" data-part="shown" data-key="shown" checked> Masks</label>
  </div>
  <div class="desk">
    <div class="frame" data-part="frame" data-key="frame" tabindex="0" role="application"
      aria-describedby="editor-keys">
      <div class="stage" data-part="stage" data-tool="draw">
        <img data-part="photo" alt=""><canvas data-part="masks"></canvas>
        <span class="brush" data-part="brush" hidden></span>
      </div>
    </div>
    <div class="side">
      <div class="head"><strong data-part="count"></strong>
        <button type="button" data-part="add" data-key="add" title="Key N">New object</button></div>
      <ul data-part="objects" aria-label="Objects"></ul>
      <p data-part="says" class="says" aria-live="polite"></p>
      <p id="editor-keys" class="keys">In the photo: arrows move the brush, Space puts it down and lifts it, D draws,
        E erases, P picks, N adds, Delete deletes, [ and ] change the size, 1 to 9 choose, Ctrl+Z undoes.</p>
    </div>
  </div>
</div>
"""
SCRIPT = Path(__file__).with_name("correct_editor.js").read_text(encoding="utf-8")

# The tab's content may just be appearing, and its editor with it.
OPEN_SCRIPT = """async (text) => {
  for (let tries = 0; text && tries < 100; tries++) {
    const editor = document.querySelector("#editor .editor");
    if (editor?.open) return void editor.open(text);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}"""
# In place of the carrier, which comes first.
DIRTY_SCRIPT = """(_, ...others) =>
  [document.querySelector("#editor .editor")?.dirty ? "unsaved" : "", ...others]"""
COLLECT_SCRIPT = """(_, ...others) => [document.querySelector("#editor .editor")?.collect?.() ?? "", ...others]"""
SAVED_SCRIPT = """() => document.querySelector("#editor .editor").saved()"""


def correct_tab(models, tab, asked, photo, model_name, confidence):
    """Builds the tab and wires its events.

    Args:
        models: `interface.session.Models`.
        tab: `gr.Tab` that this is built in; it opens the photo of the first tab, or the one that was asked for.
        asked: `gr.State` with what is asked to be opened, as `request` gives it, or `None`.
        photo: the component with the path of the first tab's photo.
        model_name: the component with the model's name.
        confidence: the component with the lowest score that counts, in percent.
    """
    opened = gr.State(None, time_to_live=LIFETIME)
    # Photo and model of the first tab, and what another tab asked for, when they were last looked at.
    seen = gr.State(None, time_to_live=LIFETIME)
    corrected = gr.State([], time_to_live=LIFETIME)
    carrier = gr.Textbox(visible="hidden", show_label=False, elem_id="edited")  # from the editor to the server
    document = gr.Textbox(visible="hidden", show_label=False, elem_id="editor-document")  # and back
    with gr.Row(elem_id="correct-actions"):
        status = gr.Markdown(WELCOME, elem_id="correct-status", container=False)
        save = gr.Button("Save to data set", variant="primary", interactive=False, elem_id="correct-save", **SMALL)
        take = gr.Button("Download (ZIP)", interactive=False, elem_id="correct-download", **SMALL)
        again = gr.Button("Start again", elem_id="correct-again", **SMALL)
        other = gr.UploadButton("Open a photo", type="filepath", elem_id="correct-upload", **SMALL)
    gr.HTML(EDITOR, js_on_load=SCRIPT, elem_id="editor", apply_default_css=False)
    file = gr.DownloadButton(visible="hidden", elem_id="correct-file")

    def open_photo(path, name, percent):
        image, detections, _ = models.look_at(name, path)
        fresh = Opened(path, name, detections, percent / 100)
        words = f"**{markdown_text(fresh.name)}**: {counted(fresh.found())} found. Brush until it is right, then save."
        return fresh, editor_document(image, fresh), words, gr.Button(interactive=True)

    def look(dirty, asked, path, name, percent, opened, seen, anew=False):
        """Opens what another tab asks for, or else the first tab's photo, if it is another than when last looked at.

        `anew` opens it whatever is lost, or else the photo that is open once more.
        """
        last_photo, last_asked = seen or (None, None)
        if asked and asked != last_asked:
            wanted = asked[:3]
        elif path and (path, name) != last_photo:
            wanted = path, name, percent
        elif anew and opened:
            wanted = opened.path, opened.model_name, percent if opened.path == path else 100 * opened.confidence
        else:
            return gr.skip(), gr.skip(), gr.skip() if opened else WELCOME, gr.skip(), gr.skip()
        if dirty and not anew:
            words = "What you changed is not saved yet: save it, or press **Start again**, which opens the other photo."
            return gr.skip(), gr.skip(), words, gr.skip(), gr.skip()
        now = (path, name), asked
        try:
            return *open_photo(*wanted), now
        except ValueError as error:
            return gr.skip(), gr.skip(), sorry(error), gr.skip(), now

    def keep(edit, opened, corrected):
        if opened is None:
            raise gr.Error(GONE, print_exception=False)
        try:
            folder = chosen_folder()
            photo = opened.path, opened.detections.image_size
            ((new, words, content),) = at_own_size(correct_photo, *photo, edit, opened, folder is not None)
            others = [one for one in corrected if one.fingerprint != new.fingerprint]
            if len(others) >= MOST_PHOTOS and not folder:
                raise ValueError(
                    f"{MOST_PHOTOS} photos at a time are kept for you: please download them, and open the page anew."
                )
            total = add_to_folder(folder, new, content) if folder else None
        except ValueError as error:
            raise gr.Error(str(error), print_exception=False) from None
        corrected = [*others[1 - MOST_PHOTOS :], new]
        words = f"Saved **{markdown_text(opened.name)}** with {words}. "
        if folder:
            words += f"The data set in {markdown_text(str(folder))} has {_photos(total)}."
        else:
            words += f"Your data set has {_photos(len(corrected))}: download it before you leave, nothing is kept here."
        return words, corrected, gr.Button(f"Download {_photos(len(corrected))}", interactive=True)

    def pack(corrected):
        if not corrected:
            raise gr.Error("There is no corrected photo yet: save one first.", print_exception=False)
        target = random_folder(file.GRADIO_CACHE) / "corrected.zip"
        left_out = write_zip(target, corrected)
        if len(left_out) == len(corrected):
            raise gr.Error(GONE, print_exception=False)
        if left_out:
            gr.Warning(f"{_photos(len(left_out))} are no longer kept here and were left out.")
        return str(target)

    on_model = {"concurrency_id": "model", "concurrency_limit": MODEL_PLACES, "api_visibility": "private"}
    looked_at = [asked, photo, model_name, confidence, opened, seen]
    outputs = [opened, document, status, save, seen]
    show = {"fn": None, "inputs": document, "outputs": None, "js": OPEN_SCRIPT, "api_visibility": "private"}
    tab.select(
        look,
        [carrier, *looked_at],
        outputs,
        js=DIRTY_SCRIPT,
        show_progress_on=status,
        trigger_mode="always_last",
        **on_model,
    ).then(**show)
    again.click(
        lambda _, *values: look("", *values, anew=True),
        [carrier, *looked_at],
        outputs,
        show_progress_on=status,
        **on_model,
    ).then(**show)
    other.upload(
        request,
        [other, model_name, confidence],
        asked,
        queue=False,
        api_visibility="private",
    ).then(look, [carrier, *looked_at], outputs, js=DIRTY_SCRIPT, show_progress_on=status, **on_model).then(**show)
    save.click(
        keep,
        [carrier, opened, corrected],
        [status, corrected, take],
        js=COLLECT_SCRIPT,
        show_progress_on=save,
        concurrency_id="drawing",
        concurrency_limit=DRAWING_PLACES,
        api_visibility="private",
    ).success(None, js=SAVED_SCRIPT, api_visibility="private")
    take.click(pack, corrected, file, show_progress_on=take, concurrency_limit=2, api_visibility="private").success(
        None, js="() => document.querySelector('#correct-file').click()", api_visibility="private"
    )


def request(path, model_name, percent):
    """What opens a photo, for the state `asked`; each request is another, even of the same photo."""
    return path, model_name, percent, secrets.token_hex(8)


def _photos(count):
    return "1 photo" if count == 1 else f"{count} photos"
