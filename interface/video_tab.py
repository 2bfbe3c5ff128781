"""The Video tab: a short clip in, the same clip with instances and semantic map side by side out, its sound kept."""

import secrets
import threading
import time
from pathlib import Path

import gradio as gr
import numpy as np

from interface.file_inputs import FACING_AWAY
from interface.safety.text import sorry
from interface.tracker import Tracker
from interface.video_frames import draw_both, sized_for_video
from interface.video_io import LONGEST, redraw_clip
from interface.widgets import confidence_slider, model_dropdown

WELCOME = f"Choose a clip. Of a longer one the first {LONGEST} seconds are taken."
WORD_EVERY = 1.0  # seconds between two yields, at which Gradio can end a run whose visitor has left


def video_tab(models):
    """Builds the tab and wires its events.

    Args:
        models: `interface.session.Models`.
    """
    # Set by the Stop button: what is done by then is kept, while Gradio's own cancelling would lose it.
    stop = gr.State(None)
    with gr.Row():
        with gr.Column(scale=3, min_width=280):
            clip = gr.Video(
                label="Clip",
                sources=["upload", "webcam"],
                webcam_options=gr.WebcamOptions(mirror=False, constraints={"video": FACING_AWAY}),
                height=300,
                buttons=[],
                elem_id="clip",
            )
            model_name = model_dropdown(models, "clip-model")
            confidence = confidence_slider("clip-confidence")
            with gr.Row():
                start = gr.Button("Segment", variant="primary", elem_id="clip-start", min_width=120)
                end = gr.Button("Stop", elem_id="clip-stop", min_width=120)
        with gr.Column(scale=7, min_width=320):
            status = gr.Markdown(WELCOME, elem_id="clip-status", container=False)
            result = gr.Video(
                label="Instances and semantic map",
                interactive=False,
                autoplay=True,
                loop=True,
                height=400,
                buttons=["download"],
                elem_id="clip-result",
            )

    def run(path, name, percent, progress=gr.Progress()):  # noqa: B008, Gradio finds it there
        if path is None:
            yield WELCOME, gr.skip(), None
            return
        stopped, seen, tracker = threading.Event(), [], Tracker()
        yield "Reading the clip ...", None, stopped

        def redraw(image):
            image = sized_for_video(image)
            detections, _ = models.detect(name, image, percent / 100)
            found = detections.instances(percent / 100)
            seen.append(len(found))
            both = draw_both(image, found, detections.class_names, tracker.update(found))
            return np.concatenate(both, axis=1)

        target = Path(result.GRADIO_CACHE) / secrets.token_hex(16) / f"{Path(path).stem}-segmented.mp4"
        target.parent.mkdir(parents=True)
        images = redraw_clip(path, target, redraw)
        began = spoken = time.perf_counter()
        try:
            for done, total in images:
                progress((done, total), unit="images")
                if stopped.is_set():
                    images.close()
                    break
                if time.perf_counter() - spoken > WORD_EVERY:
                    spoken = time.perf_counter()
                    yield f"Image {done} of {total}, {done / (spoken - began):.1f} a second ...", None, stopped
        except ValueError as error:
            target.unlink(missing_ok=True)
            yield sorry(error), None, None
            return
        except GeneratorExit:
            target.unlink(missing_ok=True)
            raise
        words = "Stopped after" if stopped.is_set() else "Done:"
        rate = len(seen) / (time.perf_counter() - began)
        yield f"{words} {len(seen)} images, {max(seen)} found at most, {rate:.1f} a second.", str(target), None

    start.click(
        run,
        [clip, model_name, confidence],
        [status, result, stop],
        show_progress_on=result,
        concurrency_id="long",
        concurrency_limit=2,
        api_visibility="private",
    )
    end.click(lambda stopped: stopped and stopped.set(), stop, None, queue=False, api_visibility="private")
