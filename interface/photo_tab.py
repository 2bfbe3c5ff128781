"""The Photo tab: a photo goes in, both images come out, and the sliders draw them anew."""

import dataclasses
import functools
import json
import tempfile
from pathlib import Path

import gradio as gr

from interface import settings as options
from interface.collage import write_scenes
from interface.dataset_folder import encode_photo
from interface.downloads import EVERYTHING, download_choices, write_download
from interface.drawn_dog import write_dog
from interface.examples import titled_examples
from interface.file_inputs import CAMERA, PhotoInput
from interface.large_photos import at_own_size
from interface.model_card import class_names, long_card, short_card
from interface.open_dropdown import OpenDropdown
from interface.result_view import EMPTY, images_html, sentence, table_html
from interface.safety.folder import random_folder
from interface.safety.text import sorry
from interface.session import DRAWING_PLACES, LOWEST_CONFIDENCE, MODEL_PLACES
from interface.settings import IN_COLOUR, Settings
from interface.shared_state import HIGHEST_CONFIDENCE, link_state, read_state, slug
from interface.stickers import sticker_html
from interface.widgets import model_dropdown, percent_slider
from interface.words import thing
from mrcnn.results.wording import plural

WELCOME = "Choose a photo, or one of the examples."
# What the visitor reads, and what page.css and scripts/stage.js call it.
VIEWS = [("Side by side", "both"), ("Instances", "instances"), ("Semantic map", "semantic"), ("Compare", "compare")]
FIRST = "first"  # instead of a token of the cache, which are longer
# What every browser shows. Other photos are answered with a JPEG of themselves, so that the visitor sees them too.
SHOWN_BY_BROWSERS = {".jpg", ".jpeg", ".png", ".webp", ".gif", ".bmp", ".avif"}

# Each file is the body of a function that is given the element of its component.
SCRIPTS = Path(__file__).with_name("scripts")
STAGE_SCRIPTS = ("pointing.js", "stage.js", "enlarge.js", "anywhere.js", "shared_state.js", "screen_readers.js")

# When an example is removed, Gradio also reports an input, and with it the photo that is no longer there.
STILL_THERE_SCRIPT = """async (photo, ...others) => {
  await new Promise((resolve) => setTimeout(resolve, 50));
  return [document.querySelector('#photo [aria-label="Remove Image"]') ? photo : null, ...others];
}"""


def photo_tab(models, cache):
    """Builds the tab and wires its events.

    Args:
        models: `interface.session.Models`.
        cache: `interface.session.AnalysisCache`.

    Returns:
        The components with the photo's path, the model's name and the confidence in percent.
    """
    names = models.names()
    made = tempfile.TemporaryDirectory(prefix="scenes-")  # Gradio copies what is in it
    scenes = write_scenes(models.get(names[0]), made.name) if "cat" in class_names(names[0]) else []
    titled = [*scenes, write_dog(made.name), *titled_examples()]
    first = models.analyse(names[0], scenes[0][0]) if scenes else None

    def drop(old_token):  # no bound method: Gradio copies it with all that it is bound to whenever the page is opened
        cache.drop(old_token)

    token = gr.State(FIRST if first else None, time_to_live=3600, delete_callback=drop)
    plain = Settings()
    # In the order in which a phone shows it; page.css sets the rest beside each other where there is room.
    with gr.Row(elem_id="photo-row"):
        with gr.Column(min_width=280, elem_id="results"):
            with gr.Row(elem_id="headline"):
                words = sentence(first, plain) if first else WELCOME
                status = gr.Markdown(words, elem_id="status", container=False)
                # Which of the pictures are seen is the browser's own affair, see scripts/stage.js.
                gr.Radio(VIEWS, value=VIEWS[0][1], label="View", elem_id="view", container=False, interactive=True)
                upload = gr.UploadButton(
                    "Try your photo",
                    type="filepath",
                    variant="primary",
                    size="md",
                    elem_id="upload",
                    min_width=150,
                    scale=0,
                )
            html = images_html(first, plain) if first else EMPTY
            script = stage_script([title for _, title in titled])
            images = gr.HTML(html, js_on_load=script, elem_id="images", apply_default_css=False)
            lifted = gr.HTML(js_on_load=script_of("sticker.js"), elem_id="sticker", apply_default_css=False)
            with gr.Row(elem_id="looks"):
                looks = {
                    name: gr.Button(look_title(name, names[0]), size="sm", min_width=90, elem_id=f"look-{slug(name)}")
                    for name in options.LOOKS
                }
        with gr.Column(elem_id="source", min_width=280):
            photo = PhotoInput(
                scenes[0][0] if scenes else None,
                label="Photo",
                type="filepath",
                image_mode=None,
                format="jpeg",
                sources=["upload", "webcam", "clipboard"],
                webcam_options=CAMERA,
                height=220,
                buttons=[],
                elem_id="photo",
                alt_text="The photo that you chose",
            )
            if first:  # of the copy that Gradio made
                first = dataclasses.replace(first, path=photo.value["path"])
            examples = gr.Examples(
                [path for path, _ in titled],
                inputs=photo,
                label="Examples",
                cache_examples=False,
                api_visibility="private",
            )
            made.cleanup()
        with gr.Column(elem_id="details", min_width=280):
            lowest = round(100 * LOWEST_CONFIDENCE)
            confidence = percent_slider("Confidence in %", 50, "confidence", lowest, HIGHEST_CONFIDENCE)
            with gr.Accordion("Fine-tune", open=False, elem_id="drawer"):
                with gr.Row(elem_id="sliders"):
                    opacity = percent_slider("Opacity in %", 50, "opacity", min_width=200)
                    mask_threshold = percent_slider("Mask threshold in %", 50, "mask-threshold", 5, 95, min_width=200)
                with gr.Row(elem_id="switches"):
                    shown = gr.CheckboxGroup(
                        options.SHOWN, value=options.SHOWN, label="Show", elem_id="shown", scale=5, min_width=300
                    )
                    color_by = gr.Radio(
                        options.COLORS_BY, value="instance", label="One colour for each", scale=2, min_width=190
                    )
                with gr.Row(elem_id="styles"):
                    background = gr.Radio(
                        options.BACKGROUNDS, value="original", label="Background", scale=5, min_width=300
                    )
                    semantic_style = gr.Radio(
                        options.SEMANTIC_STYLES, value="solid", label="Semantic map", scale=2, min_width=190
                    )
                background_colour = gr.ColorPicker(
                    options.BACKGROUND_COLOUR, label="Background colour", elem_id="background-colour", visible="hidden"
                )
            table = gr.HTML(table_html(first, plain) if first else "", elem_id="table", apply_default_css=False)
        with gr.Column(elem_id="choices", min_width=280):
            wanted = OpenDropdown(
                download_choices(_shown_classes(first, plain)),
                value=EVERYTHING,
                label="Download",
                filterable=False,
                elem_id="wanted",
            )
            download = gr.Button("Download", interactive=bool(first), elem_id="download")
            file = gr.DownloadButton(visible="hidden", elem_id="file")
            model_name = model_dropdown(models, "model")
            card = gr.Markdown(short_card(names[0]), elem_id="card", container=False)
            classes = OpenDropdown(multiselect=True, elem_id="classes", **_class_choices(names[0]))
    # Its tables need the page's whole width.
    with gr.Accordion("About this model", open=False, elem_id="about"):
        whole_card = gr.Markdown(long_card(names[0]), container=False)
    widgets = [confidence, opacity, shown, mask_threshold, color_by, background, background_colour]
    widgets += [semantic_style, classes]
    outputs = [status, images, table, token, download, wanted]

    def kept(path, old_token, name):
        """The analysis of a photo by a model, or `None` if it had to go; that of the first view is everybody's.

        A token may be of another photo, while the analysis of this one waits for its turn; and a session that has ended
        has the token of the first view again.
        """
        analysis = first if old_token == FIRST else cache.get(old_token)
        return analysis if analysis and (analysis.path, analysis.model_name) == (path, name) else None

    def answer(analysis, new_token, chosen, name):
        choices = download_choices(_shown_classes(analysis, chosen))
        offered = gr.Dropdown(choices, value=name if name in dict(map(reversed, choices)) else EVERYTHING)
        words, button = sentence(analysis, chosen), gr.Button(interactive=True)
        state = link_state(analysis.model_name, chosen, names[0])
        return words, images_html(analysis, chosen, state), table_html(analysis, chosen), new_token, button, offered

    def nothing(words):
        offered = gr.Dropdown(download_choices([]), value=EVERYTHING)
        return words, EMPTY, "", None, gr.Button(interactive=False), offered

    def analyse(path, old_token, name, wanted, *values):
        cache.drop(old_token)
        if path is None:
            return nothing(WELCOME)
        try:
            analysis = models.analyse(name, path)
            return answer(analysis, cache.put(analysis), Settings.from_widgets(*values), wanted)
        except ValueError as error:
            return nothing(sorry(error))

    def analyse_upload(path, *values):
        """Like `analyse`; a photo in a format that browsers do not know comes back as one that they do."""
        outcome = analyse(path, *values)
        analysis = cache.get(outcome[3])
        if analysis is None or Path(path).suffix.lower() in SHOWN_BY_BROWSERS:
            return *outcome, gr.skip()
        name = f"{Path(path).stem}.jpg"
        try:
            (content,) = at_own_size(encode_photo, path, analysis.detections.image_size, name)
        except ValueError:  # the results are there; the photo beside them is what cannot be shown
            return *outcome, gr.skip()
        copy = random_folder(photo.GRADIO_CACHE) / name
        copy.write_bytes(content)
        return *outcome, str(copy)

    def remove(old_token):
        cache.drop(old_token)
        return nothing(WELCOME)

    def choose_model(path, old_token, name, wanted, *values):
        """Like `analyse`, for all classes: those of one model mean nothing to another."""
        try:
            about = short_card(name), long_card(name), gr.Dropdown(**_class_choices(name))
            in_colour = gr.Button(look_title(IN_COLOUR, name))
        except ValueError as error:  # deleted since the page was opened
            return *nothing(f"**Sorry.** {error}"), *[gr.skip()] * len(about_model)
        return *analyse(path, old_token, name, wanted, *values[:-1], []), *about, in_colour

    def redraw(path, old_token, name, wanted, *values):
        """Draws again; the network runs only if the result had to make room for those of other visitors."""
        analysis = kept(path, old_token, name)
        if analysis is None:
            return analyse(path, old_token, name, wanted, *values)
        try:
            return answer(analysis, old_token, Settings.from_widgets(*values), wanted)
        except ValueError as error:
            return nothing(sorry(error))

    def put_on(look, *sent):
        """Draws again in a look, and sets the widgets that it consists of."""
        values = dict(zip(inputs, sent, strict=True)) | dict(zip(in_look, options.LOOKS[look], strict=True))
        return *options.LOOKS[look], *redraw(*values.values())

    def restore(event: gr.EventData, *sent):
        """Sets what the link to the page asked for."""
        name, percent, look = read_state(_sent(event), models.names())
        values = dict(zip(inputs, sent, strict=True)) | dict(zip(in_look, options.LOOKS[look], strict=True))
        values |= {model_name: name, confidence: percent}
        drawn = choose_model(*values.values())
        return name, percent, *options.LOOKS[look], *drawn

    def lift(event: gr.EventData, path, old_token, name, _, *values):
        """Cuts the object that was pressed out as a sticker."""
        if path is None:
            return ""
        try:
            analysis = kept(path, old_token, name) or models.analyse(name, path)
            return sticker_html(analysis, Settings.from_widgets(*values), _sent(event).get("row"))
        except ValueError as error:
            raise gr.Error(str(error), print_exception=False) from None

    def prepare(path, old_token, name, wanted, *values):
        """Writes the file that was asked for, at the photo's own size, and only now."""
        if path is None:
            raise gr.Error("There is no photo to make a file of: please choose one.", print_exception=False)
        try:
            analysis = kept(path, old_token, name) or models.analyse(name, path)
            return write_download(file.GRADIO_CACHE, path, analysis, Settings.from_widgets(*values), wanted)
        except ValueError as error:
            raise gr.Error(str(error), print_exception=False) from None

    inputs = [photo, token, model_name, wanted, *widgets]
    on_model = {"concurrency_id": "model", "concurrency_limit": MODEL_PLACES, "api_visibility": "private"}
    drawing = {"concurrency_id": "drawing", "concurrency_limit": DRAWING_PLACES, "api_visibility": "private"}
    # always_last: pasting first empties the component; by default the photo would be dropped while that is answered.
    photo.input(
        analyse_upload,
        inputs,
        [*outputs, photo],
        js=STILL_THERE_SCRIPT,
        show_progress_on=images,
        trigger_mode="always_last",
        **on_model,
    )
    upload.upload(lambda path: path, upload, photo, queue=False, api_visibility="private").then(
        analyse_upload, inputs, [*outputs, photo], show_progress_on=images, **on_model
    )
    in_look = [shown, opacity, background]
    for name, button in looks.items():
        button.click(
            functools.partial(put_on, name),
            inputs,
            [*in_look, *outputs],
            api_name=f"look_{slug(name)}",
            show_progress="hidden",
            trigger_mode="always_last",
            **drawing,
        )
    lifted.select(lift, inputs, lifted, show_progress="hidden", trigger_mode="always_last", **drawing)
    photo.clear(remove, token, outputs, queue=False, show_progress="hidden", api_visibility="private")
    examples.load_input_event.then(analyse, inputs, outputs, show_progress_on=images, **on_model)
    about_model = [card, whole_card, classes, looks[IN_COLOUR]]
    images.apply(
        restore,
        inputs,
        [model_name, confidence, *in_look, *outputs, *about_model],
        show_progress_on=images,
        **on_model,
    )
    model_name.input(
        choose_model,
        inputs,
        [*outputs, *about_model],
        show_progress_on=images,
        trigger_mode="always_last",
        **on_model,
    )
    background.input(
        lambda name: gr.ColorPicker(visible=name == "colour" or "hidden"),
        background,
        background_colour,
        queue=False,
        show_progress="hidden",
        api_visibility="private",
    )
    for widget in widgets:
        # A colour that is typed in is a change to Gradio, but no input.
        on_new_value = widget.change if widget is background_colour else widget.input
        on_new_value(
            redraw,
            inputs,
            outputs,
            show_progress="hidden",
            trigger_mode="always_last",
            **drawing,
        )
    written = download.click(
        prepare, inputs, file, show_progress_on=download, concurrency_limit=2, api_visibility="private"
    )
    written.success(None, js="() => document.querySelector('#file').click()", api_visibility="private")
    return photo, model_name, confidence


def look_title(name, model_name):
    """What a visitor reads on the button of a look."""
    if name != IN_COLOUR:
        return name
    return f"Only {plural(thing(class_names(model_name)))} in colour"


def script_of(*files):
    """Scripts as one, each in a scope of its own."""
    return "\n".join(f"(() => {{\n{(SCRIPTS / name).read_text()}}})();" for name in files)


def stage_script(titles):
    """The scripts of the stage; `titles` is what one sees in each example."""
    return f"const exampleTitles = {json.dumps(titles)};\n{script_of(*STAGE_SCRIPTS)}"


def _sent(event):
    """What a script gave to an event, a dict."""
    return event._data if isinstance(event._data, dict) else {}


def _shown_classes(analysis, settings):
    """The class of each object that is shown."""
    if analysis is None:
        return []
    kept = settings.chosen(analysis.detections)
    return [kept.class_names[class_id - 1] for class_id in kept.class_ids[kept.scores >= settings.confidence]]


def _class_choices(model_name):
    """The class filter for a model; there is nothing to filter where all is one class."""
    names = list(class_names(model_name))
    return {"choices": names, "value": [], "visible": len(names) > 1, "label": "Classes (none chosen: all)"}
