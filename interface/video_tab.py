"""The Video tab: a short clip in; the clip with instances and semantic map out, and who was in it for how long."""

import html
import tempfile
import threading
import time
from pathlib import Path

import gradio as gr
import numpy as np

from interface.example_clip import write_clip
from interface.file_inputs import FACING_AWAY
from interface.model_card import class_names
from interface.presence import Presence
from interface.safety.folder import random_folder
from interface.safety.text import sorry
from interface.tracker import Tracker
from interface.video_frames import draw_both, frame_html, look_choices, sized_for_video
from interface.video_io import LARGEST_RATE, LONGEST, redraw_clip
from interface.widgets import confidence_slider, model_dropdown
from mrcnn.results import drawing
from mrcnn.results.wording import percent

WELCOME = f"Choose a clip. Of a longer one the first {LONGEST} seconds are taken."
WORD_EVERY = 0.25  # seconds between two yields, at which the page shows an image and Gradio can end a run


def video_tab(models, example=None):
    """Builds the tab and wires its events.

    Args:
        models: `interface.session.Models`.
        example: path of the photo that the example clip is made of, or `None` for no example.
    """
    # Set by the Stop button: what is done by then is kept, while Gradio's own cancelling would lose it.
    stop = gr.State(None)
    with gr.Row():
        with gr.Column(scale=3, min_width=280):
            clip = gr.Video(
                label="Clip",
                sources=["upload", "webcam"],
                webcam_options=gr.WebcamOptions(mirror=False, constraints={"video": FACING_AWAY}),
                height=260,
                buttons=[],
                elem_id="clip",
            )
            if example:
                with tempfile.TemporaryDirectory(prefix="clip-") as folder:  # Gradio copies what is in it
                    path = Path(folder) / "six-cats.mp4"
                    write_clip(example, path)
                    gr.Examples(
                        [[str(path)]],
                        inputs=clip,
                        label="Example",
                        cache_examples=False,
                        elem_id="clip-examples",
                        api_visibility="private",
                    )
            with gr.Row():
                start = gr.Button("Segment", variant="primary", elem_id="clip-start", min_width=120)
                end = gr.Button("Stop", elem_id="clip-stop", min_width=120)
            look = gr.Radio(
                look_choices(class_names(models.names()[0])), value="masks", label="Look", elem_id="clip-look"
            )
            model_name = model_dropdown(models, "clip-model")
            confidence = confidence_slider("clip-confidence")
        with gr.Column(scale=9, min_width=320):
            status = gr.Markdown(WELCOME, elem_id="clip-status", container=False)
            # The images as they are made, and in their place the clip once it is written.
            view = gr.HTML(frame_html(), elem_id="clip-view", apply_default_css=False)
            result = gr.Video(
                label="Instances and semantic map",
                show_label=False,  # it would cover what is written in the images
                interactive=False,
                autoplay=True,
                loop=True,
                buttons=["download"],
                visible="hidden",
                elem_id="clip-result",
            )
            table = gr.HTML("", elem_id="clip-table", apply_default_css=False)
            csv = gr.DownloadButton("Table (CSV)", visible="hidden", size="sm", elem_id="clip-csv")

    def state(words, stopped=None, view=gr.skip(), result=gr.skip(), table=gr.skip(), csv=gr.skip()):  # noqa: B008
        return words, view, result, table, csv, stopped

    def clear(words, stopped=None):
        blank = gr.HTML(frame_html(), visible=True)
        return state(words, stopped, blank, gr.Video(None, visible="hidden"), "", gr.DownloadButton(visible="hidden"))

    def run(path, name, percent, look, progress=gr.Progress()):  # noqa: B008, Gradio finds it there
        if path is None:
            yield clear(WELCOME)
            return
        stopped, tracker, presence = threading.Event(), Tracker(reuse=False), Presence()
        yield clear("Reading the clip ...", stopped)
        latest = []  # what `redraw` made of the last image

        def redraw(image):
            image = sized_for_video(image)
            detections, _ = models.detect(name, image, percent / 100)
            found, numbers = tracker.follow(detections.instances(percent / 100), image)
            latest[:] = draw_both(image, found, detections.class_names, numbers, look), found, numbers
            return np.concatenate(latest[0], axis=1)

        target = random_folder(result.GRADIO_CACHE) / f"{Path(path).stem}-segmented.mp4"
        images = redraw_clip(path, target, redraw)
        began = spoken = time.perf_counter()
        done, seconds = 0, 0.0
        try:
            for done, total, seconds in images:
                drawn, found, numbers = latest
                presence.add(found, numbers, seconds)
                progress((done, total), unit="images")
                if stopped.is_set():
                    images.close()
                    break
                if time.perf_counter() - spoken > WORD_EVERY:
                    spoken = time.perf_counter()
                    words = f"Image {done} of {total}, {done / (spoken - began):.1f} a second ..."
                    shown = frame_html(drawn, found, number=done, of="The clip's image")
                    yield state(words, stopped, view=shown, table=presence_html(presence))
        except ValueError as error:
            target.unlink(missing_ok=True)
            yield clear(sorry(error))
            return
        except GeneratorExit:
            target.unlink(missing_ok=True)
            raise
        presence.close(1 / LARGEST_RATE)
        sheet = target.with_name(f"{Path(path).stem}-presence.csv")
        sheet.write_bytes(presence.table())
        words = "Stopped after" if stopped.is_set() else "Done:"
        rate = done / (time.perf_counter() - began)
        who = presence.counted() if presence.stays() else "nothing found"
        most = f", {presence.most} at a time at most" if presence.most > 1 else ""
        yield state(
            f"{words} {done} images, {who}{most}, {rate:.1f} images a second.",
            view=gr.HTML(visible="hidden"),
            result=gr.Video(str(target), visible=True),
            table=presence_html(presence),
            csv=gr.DownloadButton(value=str(sheet), visible=True),
        )

    start.click(
        run,
        [clip, model_name, confidence, look],
        [status, view, result, table, csv, stop],
        show_progress_on=status,
        concurrency_id="long",
        concurrency_limit=2,
        api_visibility="private",
    )
    end.click(lambda stopped: stopped and stopped.set(), stop, None, queue=False, api_visibility="private")


def presence_html(presence):
    """Who was in a clip so far, as a table in the colours of the images; empty if nobody was.

    Args:
        presence: `interface.presence.Presence`.
    """
    rows = [
        f'<tr><td><span class="swatch" style="background: rgb{drawing.instance_colour(number - 1)}"></span>'
        f"{number}</td>"
        f"<td>{html.escape(stay.class_name)}</td><td>{stay.first:.1f} s</td><td>{stay.last:.1f} s</td>"
        f"<td>{stay.seconds:.1f} s</td><td>{stay.seconds / 60:.2f} min</td><td>{percent(stay.score)}</td></tr>"
        for number, stay in presence.stays()
    ]
    if not rows:
        return ""
    heads = "".join(
        f'<th scope="col">{head}</th>'
        for head in ("No.", "Class", "First seen", "Last seen", "Present", "In minutes", "Best score")
    )
    return (
        f'<div class="result rows"><table><thead><tr>{heads}</tr></thead><tbody>{"".join(rows)}</tbody></table></div>'
    )
