"""The Many photos tab: photos or a ZIP of them in, a gallery, a line-up of all that was found and one ZIP out."""

import contextlib
import dataclasses
import tempfile
import threading
import time
import zipfile

import gradio as gr

from interface.batch_results import (
    FILTERS,
    ORDERS,
    PhotoResult,
    arranged,
    gallery,
    legend_html,
    summary,
    table,
    totals,
    write_preview,
)
from interface.batch_sources import MOST_PHOTOS, example_files, photo_path, photo_sources
from interface.correct_tab import request
from interface.downloads import THUMBNAIL, Result, write_files
from interface.housekeeping import LIFETIME
from interface.poster import LineUp
from interface.safety.folder import random_folder
from interface.safety.text import sorry
from interface.settings import Settings
from interface.widgets import confidence_slider, model_dropdown
from mrcnn.images import distinct_stems

WELCOME = f"Choose up to {MOST_PHOTOS} photos, or a ZIP of them."
CORRECT = "Correct the chosen photo"
LARGEST_RESULT = 1_000_000_000  # bytes: large photos make larger files, and the disk belongs to all visitors
TOO_LARGE = "\n\nThe results are larger than 1 GB: the rest was left out. Please choose fewer photos at a time."
SHOWN_EVERY = 0.7  # seconds between two times that the gallery takes in what is new


@dataclasses.dataclass(frozen=True)
class Batch:
    """What was asked, and what is known so far.

    Args:
        uploads: list of paths.
        model_name: str.
        percent: float. The confidence.
        results: list of `PhotoResult`.
    """

    uploads: list
    model_name: str
    percent: float
    results: list


def batch_tab(models, tabs):
    """Builds the tab and wires its events.

    Args:
        models: `interface.session.Models`.
        tabs: `gr.Tabs` of the page; the one called "correct" opens a photo that is asked for.

    Returns:
        `gr.State` with the photo that is to be corrected, see `interface.correct_tab.request`; `None` until then.
    """
    # Set by the Stop button: what is done by then is kept, while Gradio's own cancelling would lose it.
    stop = gr.State(None)
    batch = gr.State(None, time_to_live=LIFETIME)
    in_gallery = gr.State([], time_to_live=LIFETIME)  # the results, as they are shown now
    chosen = gr.State(None, time_to_live=LIFETIME)
    asked = gr.State(None, time_to_live=LIFETIME)
    with gr.Row():
        with gr.Column(scale=3, min_width=280):
            # No list of file types: what is no photo is answered in words, and does not lose the rest.
            files = gr.File(
                label="Photos or a ZIP", file_count="multiple", type="filepath", height=220, elem_id="batch-files"
            )
            examples = gr.Button("Try with examples", size="sm", elem_id="batch-examples")
            model_name = model_dropdown(models, "batch-model")
            confidence = confidence_slider("batch-confidence")
            with gr.Row():
                start = gr.Button("Segment all", variant="primary", elem_id="batch-start", min_width=120)
                end = gr.Button("Stop", elem_id="batch-stop", min_width=120)
            download = gr.DownloadButton("Download all results", interactive=False, elem_id="batch-download")
            poster = gr.DownloadButton("Download the line-up", interactive=False, elem_id="batch-poster")
        with gr.Column(scale=7, min_width=320):
            status = gr.Markdown(WELCOME, elem_id="batch-status", container=False)
            with gr.Row(elem_id="batch-view"):
                order = gr.Radio(ORDERS, value=ORDERS[0], label="Order", elem_id="batch-order", min_width=300, scale=3)
                which = gr.Radio(FILTERS, value=FILTERS[0], label="Show", elem_id="batch-which", min_width=200, scale=2)
            legend = gr.HTML("", elem_id="batch-legend", apply_default_css=False)
            shown = gr.Gallery(
                label="Instances and semantic map",
                columns=2,
                height=520,
                object_fit="contain",
                interactive=False,
                preview=False,
                buttons=["fullscreen"],
                elem_id="batch-gallery",
            )
            correct = gr.Button(CORRECT, interactive=False, elem_id="batch-correct")

    def show(view):
        return {shown: gallery(view), in_gallery: view}

    def run(uploads, name, percent, progress=gr.Progress()):  # noqa: B008, Gradio finds it there
        if not uploads:
            yield {status: WELCOME}
            return
        stopped, results, line_up = threading.Event(), [], LineUp()
        asked_for = Batch(uploads, name, percent, results)
        folder = random_folder(download.GRADIO_CACHE)
        target = folder / "segmented.zip"
        empty = gr.DownloadButton(value=None, interactive=False)
        yield {status: "", **show([]), legend: "", download: empty, poster: empty, batch: asked_for, stop: stopped}
        spoken, full = 0.0, False
        try:
            with (
                contextlib.ExitStack() as opened,
                tempfile.TemporaryDirectory(dir=download.GRADIO_CACHE) as unpacked,
                tempfile.TemporaryDirectory(dir=download.GRADIO_CACHE) as made,
                zipfile.ZipFile(target, "w", zipfile.ZIP_STORED) as archive,
            ):
                sources, left_out = photo_sources(uploads, opened)
                stems = distinct_stems([source_name for source_name, _ in sources])
                for index, ((source_name, read), stem) in enumerate(zip(sources, stems, strict=True)):
                    progress((index, len(sources)), desc=source_name, unit="photos")
                    full = target.stat().st_size > LARGEST_RESULT
                    if full or stopped.is_set():
                        break
                    try:
                        path = str(read(unpacked))
                        image, detections, milliseconds = models.look_at(name, path)
                        result = Result(path, source_name, detections, Settings(percent / 100), milliseconds)
                        for file in write_files(made, result, image=image, thumbnails=True):
                            if file.name.startswith(THUMBNAIL):
                                line_up.add(file.read_bytes())
                            else:
                                archive.write(file, f"{stem}/{file.name}")
                            file.unlink()
                    except ValueError as error:
                        results.append(PhotoResult(source_name, index, error=str(error)))
                    else:
                        preview = folder / f"{stem}.jpg"
                        write_preview(preview, image, detections, percent / 100)
                        results.append(PhotoResult.of(source_name, index, detections, percent / 100, preview))
                    if time.perf_counter() - spoken > SHOWN_EVERY:
                        spoken = time.perf_counter()
                        yield {status: f"{totals(results)} so far.", **show(arranged(results))}
                archive.writestr("photos.csv", table(results))
        except ValueError as error:
            target.unlink(missing_ok=True)
            yield {status: sorry(error), **show(arranged(results)), stop: None}
            return
        except BaseException:  # stopped, or the disk is full
            target.unlink(missing_ok=True)
            raise
        yield {
            status: summary(results, len(sources), left_out, MOST_PHOTOS) + TOO_LARGE * full,
            **show(arranged(results)),
            legend: legend_html(results, models.get(name).class_names),
            download: gr.DownloadButton(value=str(target), interactive=bool(arranged(results))),
            poster: _poster(line_up, folder, totals(results)),
            stop: None,
        }

    def nothing_chosen():
        return None, gr.Button(CORRECT, interactive=False)

    def arrange(batch, order, which):
        view = arranged(batch.results, order, which) if batch else []
        return gallery(view), view, *nothing_chosen()

    def choose(view, event: gr.SelectData):
        if event.index >= len(view):
            return None, gr.skip()
        return view[event.index], gr.Button(f"Correct {view[event.index].name}", interactive=True)

    def ask(batch, chosen):
        if batch is None or chosen is None:
            raise gr.Error("There is no photo to correct: choose one in the gallery.", print_exception=False)
        try:
            path = photo_path(batch.uploads, chosen.index, download.GRADIO_CACHE)
        except ValueError as error:
            raise gr.Error(str(error), print_exception=False) from None
        return request(path, batch.model_name, batch.percent), gr.Tabs(selected="correct")

    long = {"concurrency_id": "long", "concurrency_limit": 2, "api_visibility": "private"}
    quick = {"queue": False, "show_progress": "hidden", "api_visibility": "private"}
    inputs = [files, model_name, confidence]
    outputs = [status, shown, in_gallery, legend, download, poster, batch, stop]
    # Order and filter as they are once all is done, whatever they were at the start.
    arranging = {"fn": arrange, "inputs": [batch, order, which], "outputs": [shown, in_gallery, chosen, correct]}
    gr.on([start.click, examples.click], nothing_chosen, None, [chosen, correct], **quick)
    start.click(run, inputs, outputs, show_progress_on=status, **long).then(**arranging, **quick)
    examples.click(
        lambda name: example_files(models.get(name), files.GRADIO_CACHE),
        model_name,
        files,
        concurrency_limit=2,
        api_visibility="private",
    ).then(run, inputs, outputs, show_progress_on=status, **long).then(**arranging, **quick)
    end.click(lambda stopped: stopped and stopped.set(), stop, None, queue=False, api_visibility="private")
    for widget in (order, which):
        widget.input(**arranging, **quick)
    shown.select(choose, in_gallery, [chosen, correct], **quick)
    correct.click(ask, [batch, chosen], [asked, tabs], queue=False, api_visibility="private")
    return asked


def _poster(line_up, folder, title):
    """The button for the line-up, with the file behind it."""
    drawn = line_up.draw(title)
    if drawn is None:
        return gr.DownloadButton(value=None, interactive=False)
    path = folder / "line-up.png"
    drawn.save(path, compress_level=6)
    return gr.DownloadButton(value=str(path), interactive=True)
